"""Providers that no call reaches, and what their code says."""

from typing import Any

# Providers whose client library is no dependency of litellm[proxy] (google-auth, the OCI and SAP
# kits), so that no call of theirs gets as far as a request. Read in their code under llms/ and in
# the forms of provider_create_fields.json. `params` are the litellm_params that take the value.
_VERTEX: dict[str, Any] = {
    "chat": True,
    "credentials": [
        # vertex_llm_base.load_auth: a path or the JSON itself, else what google.auth finds.
        {
            "variable": "GOOGLE_APPLICATION_CREDENTIALS",
            "param": "vertex_credentials",
            "secret": True,
            "file": True,
            "required": True,
        },
        # Taken from the credentials file when absent.
        {"variable": "VERTEXAI_PROJECT", "param": "vertex_project"},
        # us-central1 when absent.
        {"variable": "VERTEXAI_LOCATION", "param": "vertex_location"},
    ],
    "alternatives": [["VERTEXAI_CREDENTIALS"]],
    "api_base": {},
}
_OCI = ("fingerprint", "tenancy", "user", "compartment_id")
UNPROBED: dict[str, dict[str, Any]] = {
    "vertex_ai": _VERTEX,
    "vertex_ai_beta": _VERTEX,
    # main.py: key and base are both taken, the key being a service account in JSON.
    "gdc": {
        "chat": True,
        "credentials": [
            {"variable": "GDC_API_KEY", "param": "api_key", "secret": True, "required": True},
            {"variable": "GDC_API_BASE", "param": "api_base", "required": True},
        ],
        "api_base": {"required": True, "variable": "GDC_API_BASE"},
    },
    # llms/oci/common_utils.py: signs with a key in PEM, as text or as a path.
    "oci": {
        "chat": True,
        "credentials": [
            {"variable": "OCI_KEY", "param": "oci_key", "secret": True, "required": True},
            *(
                {"variable": f"OCI_{name.upper()}", "param": f"oci_{name}", "required": True}
                for name in _OCI
            ),
            {"variable": "OCI_REGION", "param": "oci_region"},  # us-ashburn-1 when absent
        ],
        "alternatives": [["OCI_KEY_FILE", *(f"OCI_{name.upper()}" for name in _OCI)]],
        "api_base": {},
    },
    # llms/sap/credentials.py: one JSON document with everything in it, or its parts.
    "sap": {
        "chat": True,
        "credentials": [
            {
                "variable": "AICORE_SERVICE_KEY",
                "param": "api_key",
                "secret": True,
                "required": True,
            },
        ],
        "alternatives": [
            ["AICORE_CLIENT_SECRET", "AICORE_CLIENT_ID", "AICORE_AUTH_URL", "AICORE_BASE_URL"]
        ],
        "api_base": {},
    },
}

# vertex_llm_base.get_vertex_region, where neither a deployment nor a variable names a location.
REGIONS = {"vertex_ai": "us-central1", "vertex_ai_beta": "us-central1"}
