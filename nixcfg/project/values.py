"""What a value of a LiteLLM file says: a literal, or where LiteLLM has to read it. Pure."""

import functools
import re
from collections.abc import Mapping
from typing import Any

_REFERENCE = re.compile(r"os\.environ/([A-Za-z_][A-Za-z0-9_]*)")
_DOLLAR = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@functools.cache  # few variables, and one text for all deployments that read one
def reference(variable: str) -> str:
    """How a LiteLLM file refers to a variable: the whole string, nothing around it."""
    return f"os.environ/{variable}"


def referenced(value: object) -> str | None:
    """The variable that a LiteLLM value reads, or None. `oidc/...` references name no variable."""
    if not isinstance(value, str) or not value.startswith("os.environ/"):
        return None
    found = _REFERENCE.fullmatch(value)
    return found[1] if found else None


def referenced_at_end(value: object) -> str | None:
    """The variable behind any text, as in `Bearer os.environ/NAME`, or None.

    So LiteLLM 1.106.2 reads the headers of pass_through_endpoints: all that follows the first
    os.environ/ is the name (set_env_variables_in_header). Elsewhere such a text is sent as it is.
    """
    if not isinstance(value, str) or "os.environ/" not in value:
        return None
    return referenced(value[value.index("os.environ/") :])


def dollar(value: object) -> str | None:
    """The variable of a `${VARIABLE}`, which LiteLLM would send literally."""
    if not isinstance(value, str) or "${" not in value:
        return None
    found = _DOLLAR.fullmatch(value.strip())
    return found[1] if found else None


def declared_secrets(section: Mapping[str, Any]) -> set[str]:
    """The secrets that an `environment_variables` section declares: `KEY: ${KEY}`.

    `KEY: os.environ/KEY` means the same. Neither is rendered: LiteLLM would overwrite the real
    variable, with the literal text in the first case, with "None" in the second when it is unset.
    """
    return {key for key, value in section.items() if key in (dollar(value), referenced(value))}


def header_variables(endpoints: Any) -> set[str]:
    """The variables that the headers of pass_through_endpoints read, also behind other text."""
    found = set()
    for endpoint in endpoints if isinstance(endpoints, list) else ():
        headers = endpoint.get("headers") if isinstance(endpoint, dict) else None
        for value in headers.values() if isinstance(headers, dict) else ():
            if variable := referenced_at_end(value):
                found.add(variable)
    return found


def references(value: Any) -> set[str]:
    """The variables that LiteLLM reads for `os.environ/` references anywhere in a value."""
    found: set[str] = set()
    resolve(value, found)
    return found


def resolve(value: Any, read: set[str]) -> Any:
    """The value with each `${KEY}` as LiteLLM understands it; itself where there is none.

    `read` gains the variables that LiteLLM then reads. It resolves no strings that are items of
    a list, so rewriting them would only hide that.
    """
    if isinstance(value, str):
        variable = dollar(value)
        resolved = reference(variable) if variable else value
        variable = variable or referenced(value)
        if variable:
            read.add(variable)
        return resolved
    if isinstance(value, dict):
        changed = {}
        for key, old in value.items():
            if isinstance(old, str | dict | list):
                new = resolve(old, read)
                if new is not old:
                    changed[key] = new
        return {**value, **changed} if changed else value
    if isinstance(value, list):
        items = [resolve(item, read) if isinstance(item, dict) else item for item in value]
        is_same = all(new is old for new, old in zip(items, value, strict=True))
        return value if is_same else items
    return value
