"""Whether data fits provider.schema.json. Written by tools/compile_schemas.py from it: change that, not this."""

SCHEMA = "sha256:8629172f8137ed2a3da850e57e8e0c04be2439eda7b89e238d4e21e824eddde0"
JsonSchemaValueException = ValueError

import re


REGEX_PATTERNS = {
    '^[A-Za-z_][A-Za-z0-9_]*(?![\\s\\S])': re.compile('^[A-Za-z_][A-Za-z0-9_]*(?![\\s\\S])')
}

NoneType = type(None)

def validate_urn_nixcfg_schema_provider(data, custom_formats={}, name_prefix=None):
    if not isinstance(data, (dict)):
        raise JsonSchemaValueException("" + (name_prefix or "data") + " must be object")
    data_is_dict = isinstance(data, dict)
    if data_is_dict:
        data_keys = set(data.keys())
        if "model_list" in data_keys:
            data_keys.remove("model_list")
            data__modellist = data["model_list"]
            if not isinstance(data__modellist, (list, tuple, NoneType)):
                raise JsonSchemaValueException("" + (name_prefix or "data") + ".model_list must be array or null")
            data__modellist_is_list = isinstance(data__modellist, (list, tuple))
            if data__modellist_is_list:
                data__modellist_len = len(data__modellist)
                for data__modellist_x, data__modellist_item in enumerate(data__modellist):
                    validate____defs_deployment(data__modellist_item, custom_formats, (name_prefix or "data") + ".model_list[{data__modellist_x}]".format(**locals()))
        if "environment_variables" in data_keys:
            data_keys.remove("environment_variables")
            data__environmentvariables = data["environment_variables"]
            if not isinstance(data__environmentvariables, (dict, NoneType)):
                raise JsonSchemaValueException("" + (name_prefix or "data") + ".environment_variables must be object or null")
            data__environmentvariables_is_dict = isinstance(data__environmentvariables, dict)
            if data__environmentvariables_is_dict:
                data__environmentvariables_keys = set(data__environmentvariables.keys())
                for data__environmentvariables_key in data__environmentvariables_keys:
                    if data__environmentvariables_key not in []:
                        data__environmentvariables_value = data__environmentvariables.get(data__environmentvariables_key)
                        if not isinstance(data__environmentvariables_value, (str, int, float, bool, NoneType)):
                            raise JsonSchemaValueException("" + (name_prefix or "data") + ".environment_variables.{data__environmentvariables_key}".format(**locals()) + " must be string or number or boolean or null")
                data__environmentvariables_len = len(data__environmentvariables)
                if data__environmentvariables_len != 0:
                    data__environmentvariables_property_names = True
                    for data__environmentvariables_key in data__environmentvariables:
                        try:
                            validate____defs_variable(data__environmentvariables_key, custom_formats, (name_prefix or "data") + ".environment_variables")
                        except (JsonSchemaValueException, JsonSchemaValuesException):
                            data__environmentvariables_property_names = False
                    if not data__environmentvariables_property_names:
                        raise JsonSchemaValueException("" + (name_prefix or "data") + ".environment_variables must be named by propertyName definition")
        if "include" in data_keys:
            data_keys.remove("include")
            data__include = data["include"]
            if not isinstance(data__include, (list, tuple)):
                raise JsonSchemaValueException("" + (name_prefix or "data") + ".include must be array")
            data__include_is_list = isinstance(data__include, (list, tuple))
            if data__include_is_list:
                data__include_len = len(data__include)
                for data__include_x, data__include_item in enumerate(data__include):
                    if not isinstance(data__include_item, (str)):
                        raise JsonSchemaValueException("" + (name_prefix or "data") + ".include[{data__include_x}]".format(**locals()) + " must be string")
        if "litellm_settings" in data_keys:
            data_keys.remove("litellm_settings")
            data__litellmsettings = data["litellm_settings"]
            if not isinstance(data__litellmsettings, (dict, NoneType)):
                raise JsonSchemaValueException("" + (name_prefix or "data") + ".litellm_settings must be object or null")
        if "router_settings" in data_keys:
            data_keys.remove("router_settings")
            data__routersettings = data["router_settings"]
            if not isinstance(data__routersettings, (dict, NoneType)):
                raise JsonSchemaValueException("" + (name_prefix or "data") + ".router_settings must be object or null")
        if "general_settings" in data_keys:
            data_keys.remove("general_settings")
            data__generalsettings = data["general_settings"]
            if not isinstance(data__generalsettings, (dict, NoneType)):
                raise JsonSchemaValueException("" + (name_prefix or "data") + ".general_settings must be object or null")
        if "credential_list" in data_keys:
            data_keys.remove("credential_list")
            data__credentiallist = data["credential_list"]
            if not isinstance(data__credentiallist, (list, tuple, NoneType)):
                raise JsonSchemaValueException("" + (name_prefix or "data") + ".credential_list must be array or null")
            data__credentiallist_is_list = isinstance(data__credentiallist, (list, tuple))
            if data__credentiallist_is_list:
                data__credentiallist_len = len(data__credentiallist)
                for data__credentiallist_x, data__credentiallist_item in enumerate(data__credentiallist):
                    if not isinstance(data__credentiallist_item, (dict)):
                        raise JsonSchemaValueException("" + (name_prefix or "data") + ".credential_list[{data__credentiallist_x}]".format(**locals()) + " must be object")
                    data__credentiallist_item_is_dict = isinstance(data__credentiallist_item, dict)
                    if data__credentiallist_item_is_dict:
                        data__credentiallist_item__missing_keys = set(['credential_name', 'credential_values', 'credential_info']) - data__credentiallist_item.keys()
                        if data__credentiallist_item__missing_keys:
                            raise JsonSchemaValueException("" + (name_prefix or "data") + ".credential_list[{data__credentiallist_x}]".format(**locals()) + " must contain ")
                        data__credentiallist_item_keys = set(data__credentiallist_item.keys())
                        if "credential_name" in data__credentiallist_item_keys:
                            data__credentiallist_item_keys.remove("credential_name")
                            data__credentiallist_item__credentialname = data__credentiallist_item["credential_name"]
                            if not isinstance(data__credentiallist_item__credentialname, (str)):
                                raise JsonSchemaValueException("" + (name_prefix or "data") + ".credential_list[{data__credentiallist_x}].credential_name".format(**locals()) + " must be string")
                        if "credential_values" in data__credentiallist_item_keys:
                            data__credentiallist_item_keys.remove("credential_values")
                            data__credentiallist_item__credentialvalues = data__credentiallist_item["credential_values"]
                            if not isinstance(data__credentiallist_item__credentialvalues, (dict)):
                                raise JsonSchemaValueException("" + (name_prefix or "data") + ".credential_list[{data__credentiallist_x}].credential_values".format(**locals()) + " must be object")
                        if "credential_info" in data__credentiallist_item_keys:
                            data__credentiallist_item_keys.remove("credential_info")
                            data__credentiallist_item__credentialinfo = data__credentiallist_item["credential_info"]
                            if not isinstance(data__credentiallist_item__credentialinfo, (dict)):
                                raise JsonSchemaValueException("" + (name_prefix or "data") + ".credential_list[{data__credentiallist_x}].credential_info".format(**locals()) + " must be object")
    return data

def validate____defs_variable(data, custom_formats={}, name_prefix=None):
    if not isinstance(data, (str)):
        raise JsonSchemaValueException("" + (name_prefix or "data") + " must be string")
    if isinstance(data, str):
        if not REGEX_PATTERNS['^[A-Za-z_][A-Za-z0-9_]*(?![\\s\\S])'].search(data):
            raise JsonSchemaValueException("" + (name_prefix or "data") + " must match pattern ^[A-Za-z_][A-Za-z0-9_]*(?![\\s\\S])")
    return data

def validate____defs_deployment(data, custom_formats={}, name_prefix=None):
    if not isinstance(data, (dict)):
        raise JsonSchemaValueException("" + (name_prefix or "data") + " must be object")
    data_is_dict = isinstance(data, dict)
    if data_is_dict:
        data__missing_keys = set(['model_name', 'litellm_params']) - data.keys()
        if data__missing_keys:
            raise JsonSchemaValueException("" + (name_prefix or "data") + " must contain ")
        data_keys = set(data.keys())
        if "model_name" in data_keys:
            data_keys.remove("model_name")
            data__modelname = data["model_name"]
            if not isinstance(data__modelname, (str)):
                raise JsonSchemaValueException("" + (name_prefix or "data") + ".model_name must be string")
            if isinstance(data__modelname, str):
                data__modelname_len = len(data__modelname)
                if data__modelname_len < 1:
                    raise JsonSchemaValueException("" + (name_prefix or "data") + ".model_name must be longer than or equal to 1 characters")
        if "litellm_params" in data_keys:
            data_keys.remove("litellm_params")
            data__litellmparams = data["litellm_params"]
            if not isinstance(data__litellmparams, (dict)):
                raise JsonSchemaValueException("" + (name_prefix or "data") + ".litellm_params must be object")
            data__litellmparams_is_dict = isinstance(data__litellmparams, dict)
            if data__litellmparams_is_dict:
                data__litellmparams__missing_keys = set(['model']) - data__litellmparams.keys()
                if data__litellmparams__missing_keys:
                    raise JsonSchemaValueException("" + (name_prefix or "data") + ".litellm_params must contain ")
                data__litellmparams_keys = set(data__litellmparams.keys())
                if "model" in data__litellmparams_keys:
                    data__litellmparams_keys.remove("model")
                    data__litellmparams__model = data__litellmparams["model"]
                    if not isinstance(data__litellmparams__model, (str)):
                        raise JsonSchemaValueException("" + (name_prefix or "data") + ".litellm_params.model must be string")
                    if isinstance(data__litellmparams__model, str):
                        data__litellmparams__model_len = len(data__litellmparams__model)
                        if data__litellmparams__model_len < 1:
                            raise JsonSchemaValueException("" + (name_prefix or "data") + ".litellm_params.model must be longer than or equal to 1 characters")
        if "model_info" in data_keys:
            data_keys.remove("model_info")
            data__modelinfo = data["model_info"]
            if not isinstance(data__modelinfo, (dict)):
                raise JsonSchemaValueException("" + (name_prefix or "data") + ".model_info must be object")
    return data


check = validate_urn_nixcfg_schema_provider
