"""Whether data fits provider.schema.json. Written by tools/compile_schemas.py from it: change that, not this."""

SCHEMA = "sha256:8629172f8137ed2a3da850e57e8e0c04be2439eda7b89e238d4e21e824eddde0"

import re


REGEX_PATTERNS = {
    '^[A-Za-z_][A-Za-z0-9_]*(?![\\s\\S])': re.compile('^[A-Za-z_][A-Za-z0-9_]*(?![\\s\\S])')
}

NoneType = type(None)

def validate_urn_nixcfg_schema_provider(data):
    if not isinstance(data, (dict)):
        raise ValueError
    data_is_dict = isinstance(data, dict)
    if data_is_dict:
        data_keys = set(data.keys())
        if "model_list" in data_keys:
            data_keys.remove("model_list")
            data__modellist = data["model_list"]
            if not isinstance(data__modellist, (list, tuple, NoneType)):
                raise ValueError
            data__modellist_is_list = isinstance(data__modellist, (list, tuple))
            if data__modellist_is_list:
                data__modellist_len = len(data__modellist)
                for data__modellist_x, data__modellist_item in enumerate(data__modellist):
                    validate____defs_deployment(data__modellist_item)
        if "environment_variables" in data_keys:
            data_keys.remove("environment_variables")
            data__environmentvariables = data["environment_variables"]
            if not isinstance(data__environmentvariables, (dict, NoneType)):
                raise ValueError
            data__environmentvariables_is_dict = isinstance(data__environmentvariables, dict)
            if data__environmentvariables_is_dict:
                data__environmentvariables_keys = set(data__environmentvariables.keys())
                for data__environmentvariables_key in data__environmentvariables_keys:
                    if data__environmentvariables_key not in []:
                        data__environmentvariables_value = data__environmentvariables.get(data__environmentvariables_key)
                        if not isinstance(data__environmentvariables_value, (str, int, float, bool, NoneType)):
                            raise ValueError
                data__environmentvariables_len = len(data__environmentvariables)
                if data__environmentvariables_len != 0:
                    data__environmentvariables_property_names = True
                    for data__environmentvariables_key in data__environmentvariables:
                        try:
                            validate____defs_variable(data__environmentvariables_key)
                        except ValueError:
                            data__environmentvariables_property_names = False
                    if not data__environmentvariables_property_names:
                        raise ValueError
        if "include" in data_keys:
            data_keys.remove("include")
            data__include = data["include"]
            if not isinstance(data__include, (list, tuple)):
                raise ValueError
            data__include_is_list = isinstance(data__include, (list, tuple))
            if data__include_is_list:
                data__include_len = len(data__include)
                for data__include_x, data__include_item in enumerate(data__include):
                    if not isinstance(data__include_item, (str)):
                        raise ValueError
        if "litellm_settings" in data_keys:
            data_keys.remove("litellm_settings")
            data__litellmsettings = data["litellm_settings"]
            if not isinstance(data__litellmsettings, (dict, NoneType)):
                raise ValueError
        if "router_settings" in data_keys:
            data_keys.remove("router_settings")
            data__routersettings = data["router_settings"]
            if not isinstance(data__routersettings, (dict, NoneType)):
                raise ValueError
        if "general_settings" in data_keys:
            data_keys.remove("general_settings")
            data__generalsettings = data["general_settings"]
            if not isinstance(data__generalsettings, (dict, NoneType)):
                raise ValueError
        if "credential_list" in data_keys:
            data_keys.remove("credential_list")
            data__credentiallist = data["credential_list"]
            if not isinstance(data__credentiallist, (list, tuple, NoneType)):
                raise ValueError
            data__credentiallist_is_list = isinstance(data__credentiallist, (list, tuple))
            if data__credentiallist_is_list:
                data__credentiallist_len = len(data__credentiallist)
                for data__credentiallist_x, data__credentiallist_item in enumerate(data__credentiallist):
                    if not isinstance(data__credentiallist_item, (dict)):
                        raise ValueError
                    data__credentiallist_item_is_dict = isinstance(data__credentiallist_item, dict)
                    if data__credentiallist_item_is_dict:
                        data__credentiallist_item__missing_keys = set(['credential_name', 'credential_values', 'credential_info']) - data__credentiallist_item.keys()
                        if data__credentiallist_item__missing_keys:
                            raise ValueError
                        data__credentiallist_item_keys = set(data__credentiallist_item.keys())
                        if "credential_name" in data__credentiallist_item_keys:
                            data__credentiallist_item_keys.remove("credential_name")
                            data__credentiallist_item__credentialname = data__credentiallist_item["credential_name"]
                            if not isinstance(data__credentiallist_item__credentialname, (str)):
                                raise ValueError
                        if "credential_values" in data__credentiallist_item_keys:
                            data__credentiallist_item_keys.remove("credential_values")
                            data__credentiallist_item__credentialvalues = data__credentiallist_item["credential_values"]
                            if not isinstance(data__credentiallist_item__credentialvalues, (dict)):
                                raise ValueError
                        if "credential_info" in data__credentiallist_item_keys:
                            data__credentiallist_item_keys.remove("credential_info")
                            data__credentiallist_item__credentialinfo = data__credentiallist_item["credential_info"]
                            if not isinstance(data__credentiallist_item__credentialinfo, (dict)):
                                raise ValueError
    return data

def validate____defs_variable(data):
    if not isinstance(data, (str)):
        raise ValueError
    if isinstance(data, str):
        if not REGEX_PATTERNS['^[A-Za-z_][A-Za-z0-9_]*(?![\\s\\S])'].search(data):
            raise ValueError
    return data

def validate____defs_deployment(data):
    if not isinstance(data, (dict)):
        raise ValueError
    data_is_dict = isinstance(data, dict)
    if data_is_dict:
        data__missing_keys = set(['model_name', 'litellm_params']) - data.keys()
        if data__missing_keys:
            raise ValueError
        data_keys = set(data.keys())
        if "model_name" in data_keys:
            data_keys.remove("model_name")
            data__modelname = data["model_name"]
            if not isinstance(data__modelname, (str)):
                raise ValueError
            if isinstance(data__modelname, str):
                data__modelname_len = len(data__modelname)
                if data__modelname_len < 1:
                    raise ValueError
        if "litellm_params" in data_keys:
            data_keys.remove("litellm_params")
            data__litellmparams = data["litellm_params"]
            if not isinstance(data__litellmparams, (dict)):
                raise ValueError
            data__litellmparams_is_dict = isinstance(data__litellmparams, dict)
            if data__litellmparams_is_dict:
                data__litellmparams__missing_keys = set(['model']) - data__litellmparams.keys()
                if data__litellmparams__missing_keys:
                    raise ValueError
                data__litellmparams_keys = set(data__litellmparams.keys())
                if "model" in data__litellmparams_keys:
                    data__litellmparams_keys.remove("model")
                    data__litellmparams__model = data__litellmparams["model"]
                    if not isinstance(data__litellmparams__model, (str)):
                        raise ValueError
                    if isinstance(data__litellmparams__model, str):
                        data__litellmparams__model_len = len(data__litellmparams__model)
                        if data__litellmparams__model_len < 1:
                            raise ValueError
        if "model_info" in data_keys:
            data_keys.remove("model_info")
            data__modelinfo = data["model_info"]
            if not isinstance(data__modelinfo, (dict)):
                raise ValueError
    return data


check = validate_urn_nixcfg_schema_provider
