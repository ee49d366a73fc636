"""Whether data fits project.schema.json. Written by tools/compile_schemas.py from it: change that, not this."""

SCHEMA = "sha256:cbb7c92362b0555e8a7816ce32f9697a9254415da4c45e1526ce214a89734d61"

import re


REGEX_PATTERNS = {
    '^[a-z0-9][A-Za-z0-9._/:@-]*(?![\\s\\S])': re.compile('^[a-z0-9][A-Za-z0-9._/:@-]*(?![\\s\\S])'),
    '^[0-9A-Fa-f:.]+(?![\\s\\S])': re.compile('^[0-9A-Fa-f:.]+(?![\\s\\S])'),
    '^[^\\r\\n]*(?![\\s\\S])': re.compile('^[^\\r\\n]*(?![\\s\\S])'),
    '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}(?![\\s\\S])': re.compile('^[A-Za-z0-9][A-Za-z0-9_-]{0,62}(?![\\s\\S])'),
    '^[A-Za-z_][A-Za-z0-9_]*(?![\\s\\S])': re.compile('^[A-Za-z_][A-Za-z0-9_]*(?![\\s\\S])'),
    '^(?!/nix/store(?:/|$))(?:/(?!\\.{1,2}(?:/|$))[^/\\r\\n\\t]+)+/?(?![\\s\\S])': re.compile('^(?!/nix/store(?:/|\\Z))(?:/(?!\\.{1,2}(?:/|\\Z))[^/\\r\\n\\t]+)+/?(?![\\s\\S])'),
    '^((?!/nix/store(?:/|$))(?:/(?!\\.{1,2}(?:/|$))[^/\\r\\n\\t]+)+|config\\.(sops|age)\\.secrets\\.([A-Za-z_][A-Za-z0-9_\'-]*|"[^"\\\\$\\r\\n\\t]+")\\.path)(?![\\s\\S])': re.compile('^((?!/nix/store(?:/|\\Z))(?:/(?!\\.{1,2}(?:/|\\Z))[^/\\r\\n\\t]+)+|config\\.(sops|age)\\.secrets\\.([A-Za-z_][A-Za-z0-9_\'-]*|"[^"\\\\$\\r\\n\\t]+")\\.path)(?![\\s\\S])')
}

NoneType = type(None)

def validate_urn_nixcfg_schema_project(data):
    if not isinstance(data, (dict)):
        raise ValueError
    data_is_dict = isinstance(data, dict)
    if data_is_dict:
        data_keys = set(data.keys())
        if "model_config" in data_keys:
            data_keys.remove("model_config")
            data__modelconfig = data["model_config"]
            if not isinstance(data__modelconfig, (str)):
                raise ValueError
            if isinstance(data__modelconfig, str):
                data__modelconfig_len = len(data__modelconfig)
                if data__modelconfig_len < 1:
                    raise ValueError
        if "backend" in data_keys:
            data_keys.remove("backend")
            data__backend = data["backend"]
            if not (isinstance(data__backend, str) and data__backend == 'docker' or isinstance(data__backend, str) and data__backend == 'podman'):
                raise ValueError
        if "image" in data_keys:
            data_keys.remove("image")
            data__image = data["image"]
            if not isinstance(data__image, (str)):
                raise ValueError
            if isinstance(data__image, str):
                if not REGEX_PATTERNS['^[a-z0-9][A-Za-z0-9._/:@-]*(?![\\s\\S])'].search(data__image):
                    raise ValueError
        if "listen_address" in data_keys:
            data_keys.remove("listen_address")
            data__listenaddress = data["listen_address"]
            if not isinstance(data__listenaddress, (str)):
                raise ValueError
            if isinstance(data__listenaddress, str):
                if not REGEX_PATTERNS['^[0-9A-Fa-f:.]+(?![\\s\\S])'].search(data__listenaddress):
                    raise ValueError
        if "port" in data_keys:
            data_keys.remove("port")
            data__port = data["port"]
            if not isinstance(data__port, (int)) and not (isinstance(data__port, float) and data__port.is_integer()) or isinstance(data__port, bool):
                raise ValueError
            if isinstance(data__port, (int, float)) and not isinstance(data__port, bool):
                if data__port < 1:
                    raise ValueError
                if data__port > 65535:
                    raise ValueError
        if "auth" in data_keys:
            data_keys.remove("auth")
            data__auth = data["auth"]
            if not (isinstance(data__auth, str) and data__auth == 'master-key' or isinstance(data__auth, str) and data__auth == 'open'):
                raise ValueError
        if "master_key_file" in data_keys:
            data_keys.remove("master_key_file")
            data__masterkeyfile = data["master_key_file"]
            validate____defs_file(data__masterkeyfile)
        if "secrets_dir" in data_keys:
            data_keys.remove("secrets_dir")
            data__secretsdir = data["secrets_dir"]
            validate____defs_path(data__secretsdir)
        if "secrets" in data_keys:
            data_keys.remove("secrets")
            data__secrets = data["secrets"]
            if not isinstance(data__secrets, (dict)):
                raise ValueError
            data__secrets_is_dict = isinstance(data__secrets, dict)
            if data__secrets_is_dict:
                data__secrets_keys = set(data__secrets.keys())
                for data__secrets_key in data__secrets_keys:
                    if data__secrets_key not in []:
                        data__secrets_value = data__secrets.get(data__secrets_key)
                        try:
                            if not isinstance(data__secrets_value, (dict)):
                                raise ValueError
                        except ValueError:
                            validate____defs_file(data__secrets_value)
                        else:
                            data__secrets_value_is_dict = isinstance(data__secrets_value, dict)
                            if data__secrets_value_is_dict:
                                data__secrets_value_keys = set(data__secrets_value.keys())
                                if "file" in data__secrets_value_keys:
                                    data__secrets_value_keys.remove("file")
                                    data__secrets_value__file = data__secrets_value["file"]
                                    validate____defs_file(data__secrets_value__file)
                                if "kind" in data__secrets_value_keys:
                                    data__secrets_value_keys.remove("kind")
                                    data__secrets_value__kind = data__secrets_value["kind"]
                                    if not (isinstance(data__secrets_value__kind, str) and data__secrets_value__kind == 'env' or isinstance(data__secrets_value__kind, str) and data__secrets_value__kind == 'file'):
                                        raise ValueError
                                if "optional" in data__secrets_value_keys:
                                    data__secrets_value_keys.remove("optional")
                                    data__secrets_value__optional = data__secrets_value["optional"]
                                    if not isinstance(data__secrets_value__optional, (bool)):
                                        raise ValueError
                                if "encrypted" in data__secrets_value_keys:
                                    data__secrets_value_keys.remove("encrypted")
                                    data__secrets_value__encrypted = data__secrets_value["encrypted"]
                                    if not isinstance(data__secrets_value__encrypted, (bool)):
                                        raise ValueError
                                if data__secrets_value_keys:
                                    raise ValueError
                data__secrets_len = len(data__secrets)
                if data__secrets_len != 0:
                    data__secrets_property_names = True
                    for data__secrets_key in data__secrets:
                        try:
                            validate____defs_variable(data__secrets_key)
                        except ValueError:
                            data__secrets_property_names = False
                    if not data__secrets_property_names:
                        raise ValueError
        if "environment" in data_keys:
            data_keys.remove("environment")
            data__environment = data["environment"]
            if not isinstance(data__environment, (dict)):
                raise ValueError
            data__environment_is_dict = isinstance(data__environment, dict)
            if data__environment_is_dict:
                data__environment_keys = set(data__environment.keys())
                for data__environment_key in data__environment_keys:
                    if data__environment_key not in []:
                        data__environment_value = data__environment.get(data__environment_key)
                        if not isinstance(data__environment_value, (str)):
                            raise ValueError
                        if isinstance(data__environment_value, str):
                            if not REGEX_PATTERNS['^[^\\r\\n]*(?![\\s\\S])'].search(data__environment_value):
                                raise ValueError
                data__environment_len = len(data__environment)
                if data__environment_len != 0:
                    data__environment_property_names = True
                    for data__environment_key in data__environment:
                        try:
                            validate____defs_variable(data__environment_key)
                        except ValueError:
                            data__environment_property_names = False
                    if not data__environment_property_names:
                        raise ValueError
        if "profiles" in data_keys:
            data_keys.remove("profiles")
            data__profiles = data["profiles"]
            if not isinstance(data__profiles, (dict)):
                raise ValueError
            data__profiles_is_dict = isinstance(data__profiles, dict)
            if data__profiles_is_dict:
                data__profiles_keys = set(data__profiles.keys())
                for data__profiles_key in data__profiles_keys:
                    if data__profiles_key not in []:
                        data__profiles_value = data__profiles.get(data__profiles_key)
                        if not isinstance(data__profiles_value, (list, tuple)):
                            raise ValueError
                        data__profiles_value_is_list = isinstance(data__profiles_value, (list, tuple))
                        if data__profiles_value_is_list:
                            data__profiles_value_len = len(data__profiles_value)
                            if data__profiles_value_len < 1:
                                raise ValueError
                            def fn(var): return frozenset(dict((k, fn(v)) for k, v in var.items()).items()) if hasattr(var, "items") else tuple(fn(v) for v in var) if isinstance(var, (dict, list)) else (bool, var) if isinstance(var, bool) else var
                            if data__profiles_value_len > len(set(fn(data__profiles_value_x) for data__profiles_value_x in data__profiles_value)):
                                raise ValueError
                            for data__profiles_value_x, data__profiles_value_item in enumerate(data__profiles_value):
                                if not isinstance(data__profiles_value_item, (str)):
                                    raise ValueError
                data__profiles_len = len(data__profiles)
                if data__profiles_len != 0:
                    data__profiles_property_names = True
                    for data__profiles_key in data__profiles:
                        try:
                            validate____defs_name(data__profiles_key)
                        except ValueError:
                            data__profiles_property_names = False
                    if not data__profiles_property_names:
                        raise ValueError
        if "severities" in data_keys:
            data_keys.remove("severities")
            data__severities = data["severities"]
            if not isinstance(data__severities, (dict)):
                raise ValueError
            data__severities_is_dict = isinstance(data__severities, dict)
            if data__severities_is_dict:
                data__severities_keys = set(data__severities.keys())
                for data__severities_key in data__severities_keys:
                    if data__severities_key not in []:
                        data__severities_value = data__severities.get(data__severities_key)
                        if not (isinstance(data__severities_value, str) and data__severities_value == 'error' or isinstance(data__severities_value, str) and data__severities_value == 'warning' or isinstance(data__severities_value, str) and data__severities_value == 'note' or isinstance(data__severities_value, str) and data__severities_value == 'off' or isinstance(data__severities_value, bool) and data__severities_value is False):
                            raise ValueError
        if "litellm_settings" in data_keys:
            data_keys.remove("litellm_settings")
            data__litellmsettings = data["litellm_settings"]
            if not isinstance(data__litellmsettings, (dict)):
                raise ValueError
        if "router_settings" in data_keys:
            data_keys.remove("router_settings")
            data__routersettings = data["router_settings"]
            if not isinstance(data__routersettings, (dict)):
                raise ValueError
        if "general_settings" in data_keys:
            data_keys.remove("general_settings")
            data__generalsettings = data["general_settings"]
            if not isinstance(data__generalsettings, (dict)):
                raise ValueError
        if data_keys:
            raise ValueError
    return data

def validate____defs_name(data):
    if not isinstance(data, (str)):
        raise ValueError
    if isinstance(data, str):
        if not REGEX_PATTERNS['^[A-Za-z0-9][A-Za-z0-9_-]{0,62}(?![\\s\\S])'].search(data):
            raise ValueError
    return data

def validate____defs_variable(data):
    if not isinstance(data, (str)):
        raise ValueError
    if isinstance(data, str):
        if not REGEX_PATTERNS['^[A-Za-z_][A-Za-z0-9_]*(?![\\s\\S])'].search(data):
            raise ValueError
    return data

def validate____defs_path(data):
    if not isinstance(data, (str)):
        raise ValueError
    if isinstance(data, str):
        if not REGEX_PATTERNS['^(?!/nix/store(?:/|$))(?:/(?!\\.{1,2}(?:/|$))[^/\\r\\n\\t]+)+/?(?![\\s\\S])'].search(data):
            raise ValueError
    return data

def validate____defs_file(data):
    if not isinstance(data, (str)):
        raise ValueError
    if isinstance(data, str):
        if not REGEX_PATTERNS['^((?!/nix/store(?:/|$))(?:/(?!\\.{1,2}(?:/|$))[^/\\r\\n\\t]+)+|config\\.(sops|age)\\.secrets\\.([A-Za-z_][A-Za-z0-9_\'-]*|"[^"\\\\$\\r\\n\\t]+")\\.path)(?![\\s\\S])'].search(data):
            raise ValueError
    return data


check = validate_urn_nixcfg_schema_project
