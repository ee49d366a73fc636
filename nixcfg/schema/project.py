"""Whether data fits project.schema.json. Written by tools/compile_schemas.py from it: change that, not this."""

SCHEMA = "sha256:434053329d6b6da6229b88962e83e94b1b2e5c9bfc944ad5dbd58ae0e647223e"

import re


REGEX_PATTERNS = {
    '^[a-z0-9][A-Za-z0-9._/:@-]*(?![\\s\\S])': re.compile('^[a-z0-9][A-Za-z0-9._/:@-]*(?![\\s\\S])'),
    '^[0-9A-Fa-f:.]+(?![\\s\\S])': re.compile('^[0-9A-Fa-f:.]+(?![\\s\\S])'),
    '^0?[0-7]{3}(?![\\s\\S])': re.compile('^0?[0-7]{3}(?![\\s\\S])'),
    '^(bundled|flake|(\\.{1,2})?/[A-Za-z0-9._+/-]*[A-Za-z0-9_+-])(?![\\s\\S])': re.compile('^(bundled|flake|(\\.{1,2})?/[A-Za-z0-9._+/-]*[A-Za-z0-9_+-])(?![\\s\\S])'),
    '^[^\\r\\n]*(?![\\s\\S])': re.compile('^[^\\r\\n]*(?![\\s\\S])'),
    '^[A-Za-z_][A-Za-z0-9_]*(?![\\s\\S])': re.compile('^[A-Za-z_][A-Za-z0-9_]*(?![\\s\\S])'),
    '^(?!/nix/store(?:/|$))(?:/(?!\\.{1,2}(?:/|$))[^/\\r\\n\\t]+)+/?(?![\\s\\S])': re.compile('^(?!/nix/store(?:/|\\Z))(?:/(?!\\.{1,2}(?:/|\\Z))[^/\\r\\n\\t]+)+/?(?![\\s\\S])'),
    '^[a-z_][a-z0-9_-]*\\$?(?![\\s\\S])': re.compile('^[a-z_][a-z0-9_-]*\\$?(?![\\s\\S])'),
    '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}(?![\\s\\S])': re.compile('^[A-Za-z0-9][A-Za-z0-9_-]{0,62}(?![\\s\\S])'),
    '^[^\\x00-\\x1f\\x7f]+(?![\\s\\S])': re.compile('^[^\\x00-\\x1f\\x7f]+(?![\\s\\S])'),
    '^([A-Za-z0-9._-]+|[0-9a-fA-F]*:[0-9a-fA-F.]*:[0-9a-fA-F:.]*)(?![\\s\\S])': re.compile('^([A-Za-z0-9._-]+|[0-9a-fA-F]*:[0-9a-fA-F.]*:[0-9a-fA-F:.]*)(?![\\s\\S])'),
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
        if "instances" in data_keys:
            data_keys.remove("instances")
            data__instances = data["instances"]
            if not isinstance(data__instances, (int)) and not (isinstance(data__instances, float) and data__instances.is_integer()) or isinstance(data__instances, bool):
                raise ValueError
            if isinstance(data__instances, (int, float)) and not isinstance(data__instances, bool):
                if data__instances < 1:
                    raise ValueError
                if data__instances > 100:
                    raise ValueError
        if "workers" in data_keys:
            data_keys.remove("workers")
            data__workers = data["workers"]
            if not isinstance(data__workers, (int)) and not (isinstance(data__workers, float) and data__workers.is_integer()) or isinstance(data__workers, bool):
                raise ValueError
            if isinstance(data__workers, (int, float)) and not isinstance(data__workers, bool):
                if data__workers < 1:
                    raise ValueError
                if data__workers > 100:
                    raise ValueError
        if "database" in data_keys:
            data_keys.remove("database")
            data__database = data["database"]
            try:
                if not isinstance(data__database, (dict)):
                    raise ValueError
            except ValueError:
                if not (isinstance(data__database, str) and data__database == 'local'):
                    raise ValueError
            else:
                data__database_is_dict = isinstance(data__database, dict)
                if data__database_is_dict:
                    data__database__missing_keys = set(['host', 'password_file']) - data__database.keys()
                    if data__database__missing_keys:
                        raise ValueError
                    data__database_keys = set(data__database.keys())
                    if "host" in data__database_keys:
                        data__database_keys.remove("host")
                        data__database__host = data__database["host"]
                        validate____defs_server(data__database__host)
                    if "port" in data__database_keys:
                        data__database_keys.remove("port")
                        data__database__port = data__database["port"]
                        validate____defs_port(data__database__port)
                    if "name" in data__database_keys:
                        data__database_keys.remove("name")
                        data__database__name = data__database["name"]
                        validate____defs_line(data__database__name)
                    if "user" in data__database_keys:
                        data__database_keys.remove("user")
                        data__database__user = data__database["user"]
                        validate____defs_line(data__database__user)
                    if "password_file" in data__database_keys:
                        data__database_keys.remove("password_file")
                        data__database__passwordfile = data__database["password_file"]
                        validate____defs_file(data__database__passwordfile)
                    if "ssl_mode" in data__database_keys:
                        data__database_keys.remove("ssl_mode")
                        data__database__sslmode = data__database["ssl_mode"]
                        if not (isinstance(data__database__sslmode, str) and data__database__sslmode == 'disable' or isinstance(data__database__sslmode, str) and data__database__sslmode == 'prefer' or isinstance(data__database__sslmode, str) and data__database__sslmode == 'require' or isinstance(data__database__sslmode, str) and data__database__sslmode == 'verify-full'):
                            raise ValueError
                    if data__database_keys:
                        raise ValueError
        if "database_config" in data_keys:
            data_keys.remove("database_config")
            data__databaseconfig = data["database_config"]
            if not (isinstance(data__databaseconfig, str) and data__databaseconfig == 'used' or isinstance(data__databaseconfig, str) and data__databaseconfig == 'ignored'):
                raise ValueError
        if "salt_key_file" in data_keys:
            data_keys.remove("salt_key_file")
            data__saltkeyfile = data["salt_key_file"]
            validate____defs_file(data__saltkeyfile)
        if "redis" in data_keys:
            data_keys.remove("redis")
            data__redis = data["redis"]
            try:
                if not isinstance(data__redis, (dict)):
                    raise ValueError
            except ValueError:
                if not (isinstance(data__redis, str) and data__redis == 'local'):
                    raise ValueError
            else:
                data__redis_is_dict = isinstance(data__redis, dict)
                if data__redis_is_dict:
                    data__redis__missing_keys = set(['host']) - data__redis.keys()
                    if data__redis__missing_keys:
                        raise ValueError
                    data__redis_keys = set(data__redis.keys())
                    if "host" in data__redis_keys:
                        data__redis_keys.remove("host")
                        data__redis__host = data__redis["host"]
                        validate____defs_server(data__redis__host)
                    if "port" in data__redis_keys:
                        data__redis_keys.remove("port")
                        data__redis__port = data__redis["port"]
                        validate____defs_port(data__redis__port)
                    if "password_file" in data__redis_keys:
                        data__redis_keys.remove("password_file")
                        data__redis__passwordfile = data__redis["password_file"]
                        validate____defs_file(data__redis__passwordfile)
                    if data__redis_keys:
                        raise ValueError
        if "teams" in data_keys:
            data_keys.remove("teams")
            data__teams = data["teams"]
            if not isinstance(data__teams, (dict)):
                raise ValueError
            data__teams_is_dict = isinstance(data__teams, dict)
            if data__teams_is_dict:
                data__teams_keys = set(data__teams.keys())
                for data__teams_key in data__teams_keys:
                    if data__teams_key not in []:
                        data__teams_value = data__teams.get(data__teams_key)
                        if not isinstance(data__teams_value, (dict)):
                            raise ValueError
                data__teams_len = len(data__teams)
                if data__teams_len != 0:
                    data__teams_property_names = True
                    for data__teams_key in data__teams:
                        try:
                            validate____defs_name(data__teams_key)
                        except ValueError:
                            data__teams_property_names = False
                    if not data__teams_property_names:
                        raise ValueError
        if "users" in data_keys:
            data_keys.remove("users")
            data__users = data["users"]
            if not isinstance(data__users, (dict)):
                raise ValueError
            data__users_is_dict = isinstance(data__users, dict)
            if data__users_is_dict:
                data__users_keys = set(data__users.keys())
                for data__users_key in data__users_keys:
                    if data__users_key not in []:
                        data__users_value = data__users.get(data__users_key)
                        if not isinstance(data__users_value, (dict)):
                            raise ValueError
                        data__users_value_is_dict = isinstance(data__users_value, dict)
                        if data__users_value_is_dict:
                            data__users_value_keys = set(data__users_value.keys())
                            if "team" in data__users_value_keys:
                                data__users_value_keys.remove("team")
                                data__users_value__team = data__users_value["team"]
                                if not isinstance(data__users_value__team, (str)):
                                    raise ValueError
                            if "teams" in data__users_value_keys:
                                data__users_value_keys.remove("teams")
                                data__users_value__teams = data__users_value["teams"]
                                if not isinstance(data__users_value__teams, (list, tuple)):
                                    raise ValueError
                                data__users_value__teams_is_list = isinstance(data__users_value__teams, (list, tuple))
                                if data__users_value__teams_is_list:
                                    data__users_value__teams_len = len(data__users_value__teams)
                                    for data__users_value__teams_x, data__users_value__teams_item in enumerate(data__users_value__teams):
                                        if not isinstance(data__users_value__teams_item, (str)):
                                            raise ValueError
                            if "email" in data__users_value_keys:
                                data__users_value_keys.remove("email")
                                data__users_value__email = data__users_value["email"]
                                if not isinstance(data__users_value__email, (str)):
                                    raise ValueError
                data__users_len = len(data__users)
                if data__users_len != 0:
                    data__users_property_names = True
                    for data__users_key in data__users:
                        try:
                            validate____defs_name(data__users_key)
                        except ValueError:
                            data__users_property_names = False
                    if not data__users_property_names:
                        raise ValueError
        if "keys" in data_keys:
            data_keys.remove("keys")
            data__keys = data["keys"]
            if not isinstance(data__keys, (dict)):
                raise ValueError
            data__keys_is_dict = isinstance(data__keys, dict)
            if data__keys_is_dict:
                data__keys_keys = set(data__keys.keys())
                for data__keys_key in data__keys_keys:
                    if data__keys_key not in []:
                        data__keys_value = data__keys.get(data__keys_key)
                        if not isinstance(data__keys_value, (dict)):
                            raise ValueError
                        data__keys_value_is_dict = isinstance(data__keys_value, dict)
                        if data__keys_value_is_dict:
                            data__keys_value_keys = set(data__keys_value.keys())
                            if "team" in data__keys_value_keys:
                                data__keys_value_keys.remove("team")
                                data__keys_value__team = data__keys_value["team"]
                                if not isinstance(data__keys_value__team, (str)):
                                    raise ValueError
                            if "user" in data__keys_value_keys:
                                data__keys_value_keys.remove("user")
                                data__keys_value__user = data__keys_value["user"]
                                if not isinstance(data__keys_value__user, (str)):
                                    raise ValueError
                            if "file" in data__keys_value_keys:
                                data__keys_value_keys.remove("file")
                                data__keys_value__file = data__keys_value["file"]
                                validate____defs_file(data__keys_value__file)
                            if "owner" in data__keys_value_keys:
                                data__keys_value_keys.remove("owner")
                                data__keys_value__owner = data__keys_value["owner"]
                                validate____defs_account(data__keys_value__owner)
                            if "group" in data__keys_value_keys:
                                data__keys_value_keys.remove("group")
                                data__keys_value__group = data__keys_value["group"]
                                validate____defs_account(data__keys_value__group)
                            if "mode" in data__keys_value_keys:
                                data__keys_value_keys.remove("mode")
                                data__keys_value__mode = data__keys_value["mode"]
                                if not isinstance(data__keys_value__mode, (str)):
                                    raise ValueError
                                if isinstance(data__keys_value__mode, str):
                                    if not REGEX_PATTERNS['^0?[0-7]{3}(?![\\s\\S])'].search(data__keys_value__mode):
                                        raise ValueError
                data__keys_len = len(data__keys)
                if data__keys_len != 0:
                    data__keys_property_names = True
                    for data__keys_key in data__keys:
                        try:
                            validate____defs_name(data__keys_key)
                        except ValueError:
                            data__keys_property_names = False
                    if not data__keys_property_names:
                        raise ValueError
        if "prune" in data_keys:
            data_keys.remove("prune")
            data__prune = data["prune"]
            if not isinstance(data__prune, (bool)):
                raise ValueError
        if "metrics" in data_keys:
            data_keys.remove("metrics")
            data__metrics = data["metrics"]
            if not isinstance(data__metrics, (bool)):
                raise ValueError
        if "host_ports" in data_keys:
            data_keys.remove("host_ports")
            data__hostports = data["host_ports"]
            if not isinstance(data__hostports, (list, tuple)):
                raise ValueError
            data__hostports_is_list = isinstance(data__hostports, (list, tuple))
            if data__hostports_is_list:
                data__hostports_len = len(data__hostports)
                if data__hostports_len < 1:
                    raise ValueError
                def fn(var): return frozenset(dict((k, fn(v)) for k, v in var.items()).items()) if hasattr(var, "items") else tuple(fn(v) for v in var) if isinstance(var, (dict, list)) else (bool, var) if isinstance(var, bool) else var
                if data__hostports_len > len(set(fn(data__hostports_x) for data__hostports_x in data__hostports)):
                    raise ValueError
                for data__hostports_x, data__hostports_item in enumerate(data__hostports):
                    validate____defs_port(data__hostports_item)
        if "module" in data_keys:
            data_keys.remove("module")
            data__module = data["module"]
            if not isinstance(data__module, (str)):
                raise ValueError
            if isinstance(data__module, str):
                if not REGEX_PATTERNS['^(bundled|flake|(\\.{1,2})?/[A-Za-z0-9._+/-]*[A-Za-z0-9_+-])(?![\\s\\S])'].search(data__module):
                    raise ValueError
        if "hosts" in data_keys:
            data_keys.remove("hosts")
            data__hosts = data["hosts"]
            if not isinstance(data__hosts, (dict)):
                raise ValueError
            data__hosts_is_dict = isinstance(data__hosts, dict)
            if data__hosts_is_dict:
                data__hosts_len = len(data__hosts)
                if data__hosts_len < 1:
                    raise ValueError
                data__hosts_keys = set(data__hosts.keys())
                for data__hosts_key in data__hosts_keys:
                    if data__hosts_key not in []:
                        data__hosts_value = data__hosts.get(data__hosts_key)
                        if not isinstance(data__hosts_value, (dict)):
                            raise ValueError
                        data__hosts_value_is_dict = isinstance(data__hosts_value, dict)
                        if data__hosts_value_is_dict:
                            data__hosts_value_keys = set(data__hosts_value.keys())
                            if "model_config" in data__hosts_value_keys:
                                data__hosts_value_keys.remove("model_config")
                                data__hosts_value__modelconfig = data__hosts_value["model_config"]
                                validate___properties_model_config(data__hosts_value__modelconfig)
                            if "backend" in data__hosts_value_keys:
                                data__hosts_value_keys.remove("backend")
                                data__hosts_value__backend = data__hosts_value["backend"]
                                validate___properties_backend(data__hosts_value__backend)
                            if "image" in data__hosts_value_keys:
                                data__hosts_value_keys.remove("image")
                                data__hosts_value__image = data__hosts_value["image"]
                                validate___properties_image(data__hosts_value__image)
                            if "listen_address" in data__hosts_value_keys:
                                data__hosts_value_keys.remove("listen_address")
                                data__hosts_value__listenaddress = data__hosts_value["listen_address"]
                                validate___properties_listen_address(data__hosts_value__listenaddress)
                            if "port" in data__hosts_value_keys:
                                data__hosts_value_keys.remove("port")
                                data__hosts_value__port = data__hosts_value["port"]
                                validate___properties_port(data__hosts_value__port)
                            if "auth" in data__hosts_value_keys:
                                data__hosts_value_keys.remove("auth")
                                data__hosts_value__auth = data__hosts_value["auth"]
                                validate___properties_auth(data__hosts_value__auth)
                            if "master_key_file" in data__hosts_value_keys:
                                data__hosts_value_keys.remove("master_key_file")
                                data__hosts_value__masterkeyfile = data__hosts_value["master_key_file"]
                                validate___properties_master_key_file(data__hosts_value__masterkeyfile)
                            if "instances" in data__hosts_value_keys:
                                data__hosts_value_keys.remove("instances")
                                data__hosts_value__instances = data__hosts_value["instances"]
                                validate___properties_instances(data__hosts_value__instances)
                            if "workers" in data__hosts_value_keys:
                                data__hosts_value_keys.remove("workers")
                                data__hosts_value__workers = data__hosts_value["workers"]
                                validate___properties_workers(data__hosts_value__workers)
                            if "database" in data__hosts_value_keys:
                                data__hosts_value_keys.remove("database")
                                data__hosts_value__database = data__hosts_value["database"]
                                validate___properties_database(data__hosts_value__database)
                            if "database_config" in data__hosts_value_keys:
                                data__hosts_value_keys.remove("database_config")
                                data__hosts_value__databaseconfig = data__hosts_value["database_config"]
                                validate___properties_database_config(data__hosts_value__databaseconfig)
                            if "salt_key_file" in data__hosts_value_keys:
                                data__hosts_value_keys.remove("salt_key_file")
                                data__hosts_value__saltkeyfile = data__hosts_value["salt_key_file"]
                                validate___properties_salt_key_file(data__hosts_value__saltkeyfile)
                            if "redis" in data__hosts_value_keys:
                                data__hosts_value_keys.remove("redis")
                                data__hosts_value__redis = data__hosts_value["redis"]
                                validate___properties_redis(data__hosts_value__redis)
                            if "metrics" in data__hosts_value_keys:
                                data__hosts_value_keys.remove("metrics")
                                data__hosts_value__metrics = data__hosts_value["metrics"]
                                validate___properties_metrics(data__hosts_value__metrics)
                            if "host_ports" in data__hosts_value_keys:
                                data__hosts_value_keys.remove("host_ports")
                                data__hosts_value__hostports = data__hosts_value["host_ports"]
                                validate___properties_host_ports(data__hosts_value__hostports)
                            if "secrets_dir" in data__hosts_value_keys:
                                data__hosts_value_keys.remove("secrets_dir")
                                data__hosts_value__secretsdir = data__hosts_value["secrets_dir"]
                                validate___properties_secrets_dir(data__hosts_value__secretsdir)
                            if "secrets" in data__hosts_value_keys:
                                data__hosts_value_keys.remove("secrets")
                                data__hosts_value__secrets = data__hosts_value["secrets"]
                                validate___properties_secrets(data__hosts_value__secrets)
                            if "environment" in data__hosts_value_keys:
                                data__hosts_value_keys.remove("environment")
                                data__hosts_value__environment = data__hosts_value["environment"]
                                validate___properties_environment(data__hosts_value__environment)
                            if data__hosts_value_keys:
                                raise ValueError
                if data__hosts_len != 0:
                    data__hosts_property_names = True
                    for data__hosts_key in data__hosts:
                        try:
                            validate____defs_name(data__hosts_key)
                        except ValueError:
                            data__hosts_property_names = False
                    if not data__hosts_property_names:
                        raise ValueError
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
                                if "required" in data__secrets_value_keys:
                                    data__secrets_value_keys.remove("required")
                                    data__secrets_value__required = data__secrets_value["required"]
                                    if not isinstance(data__secrets_value__required, (bool)):
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

def validate___properties_environment(data):
    if not isinstance(data, (dict)):
        raise ValueError
    data_is_dict = isinstance(data, dict)
    if data_is_dict:
        data_keys = set(data.keys())
        for data_key in data_keys:
            if data_key not in []:
                data_value = data.get(data_key)
                if not isinstance(data_value, (str)):
                    raise ValueError
                if isinstance(data_value, str):
                    if not REGEX_PATTERNS['^[^\\r\\n]*(?![\\s\\S])'].search(data_value):
                        raise ValueError
        data_len = len(data)
        if data_len != 0:
            data_property_names = True
            for data_key in data:
                try:
                    validate____defs_variable(data_key)
                except ValueError:
                    data_property_names = False
            if not data_property_names:
                raise ValueError
    return data

def validate___properties_secrets(data):
    if not isinstance(data, (dict)):
        raise ValueError
    data_is_dict = isinstance(data, dict)
    if data_is_dict:
        data_keys = set(data.keys())
        for data_key in data_keys:
            if data_key not in []:
                data_value = data.get(data_key)
                try:
                    if not isinstance(data_value, (dict)):
                        raise ValueError
                except ValueError:
                    validate____defs_file(data_value)
                else:
                    data_value_is_dict = isinstance(data_value, dict)
                    if data_value_is_dict:
                        data_value_keys = set(data_value.keys())
                        if "file" in data_value_keys:
                            data_value_keys.remove("file")
                            data_value__file = data_value["file"]
                            validate____defs_file(data_value__file)
                        if "kind" in data_value_keys:
                            data_value_keys.remove("kind")
                            data_value__kind = data_value["kind"]
                            if not (isinstance(data_value__kind, str) and data_value__kind == 'env' or isinstance(data_value__kind, str) and data_value__kind == 'file'):
                                raise ValueError
                        if "required" in data_value_keys:
                            data_value_keys.remove("required")
                            data_value__required = data_value["required"]
                            if not isinstance(data_value__required, (bool)):
                                raise ValueError
                        if "optional" in data_value_keys:
                            data_value_keys.remove("optional")
                            data_value__optional = data_value["optional"]
                            if not isinstance(data_value__optional, (bool)):
                                raise ValueError
                        if "encrypted" in data_value_keys:
                            data_value_keys.remove("encrypted")
                            data_value__encrypted = data_value["encrypted"]
                            if not isinstance(data_value__encrypted, (bool)):
                                raise ValueError
                        if data_value_keys:
                            raise ValueError
        data_len = len(data)
        if data_len != 0:
            data_property_names = True
            for data_key in data:
                try:
                    validate____defs_variable(data_key)
                except ValueError:
                    data_property_names = False
            if not data_property_names:
                raise ValueError
    return data

def validate___properties_secrets_dir(data):
    validate____defs_path(data)
    return data

def validate___properties_host_ports(data):
    if not isinstance(data, (list, tuple)):
        raise ValueError
    data_is_list = isinstance(data, (list, tuple))
    if data_is_list:
        data_len = len(data)
        if data_len < 1:
            raise ValueError
        def fn(var): return frozenset(dict((k, fn(v)) for k, v in var.items()).items()) if hasattr(var, "items") else tuple(fn(v) for v in var) if isinstance(var, (dict, list)) else (bool, var) if isinstance(var, bool) else var
        if data_len > len(set(fn(data_x) for data_x in data)):
            raise ValueError
        for data_x, data_item in enumerate(data):
            validate____defs_port(data_item)
    return data

def validate___properties_metrics(data):
    if not isinstance(data, (bool)):
        raise ValueError
    return data

def validate___properties_redis(data):
    try:
        if not isinstance(data, (dict)):
            raise ValueError
    except ValueError:
        if not (isinstance(data, str) and data == 'local'):
            raise ValueError
    else:
        data_is_dict = isinstance(data, dict)
        if data_is_dict:
            data__missing_keys = set(['host']) - data.keys()
            if data__missing_keys:
                raise ValueError
            data_keys = set(data.keys())
            if "host" in data_keys:
                data_keys.remove("host")
                data__host = data["host"]
                validate____defs_server(data__host)
            if "port" in data_keys:
                data_keys.remove("port")
                data__port = data["port"]
                validate____defs_port(data__port)
            if "password_file" in data_keys:
                data_keys.remove("password_file")
                data__passwordfile = data["password_file"]
                validate____defs_file(data__passwordfile)
            if data_keys:
                raise ValueError
    return data

def validate___properties_salt_key_file(data):
    validate____defs_file(data)
    return data

def validate___properties_database_config(data):
    if not (isinstance(data, str) and data == 'used' or isinstance(data, str) and data == 'ignored'):
        raise ValueError
    return data

def validate___properties_database(data):
    try:
        if not isinstance(data, (dict)):
            raise ValueError
    except ValueError:
        if not (isinstance(data, str) and data == 'local'):
            raise ValueError
    else:
        data_is_dict = isinstance(data, dict)
        if data_is_dict:
            data__missing_keys = set(['host', 'password_file']) - data.keys()
            if data__missing_keys:
                raise ValueError
            data_keys = set(data.keys())
            if "host" in data_keys:
                data_keys.remove("host")
                data__host = data["host"]
                validate____defs_server(data__host)
            if "port" in data_keys:
                data_keys.remove("port")
                data__port = data["port"]
                validate____defs_port(data__port)
            if "name" in data_keys:
                data_keys.remove("name")
                data__name = data["name"]
                validate____defs_line(data__name)
            if "user" in data_keys:
                data_keys.remove("user")
                data__user = data["user"]
                validate____defs_line(data__user)
            if "password_file" in data_keys:
                data_keys.remove("password_file")
                data__passwordfile = data["password_file"]
                validate____defs_file(data__passwordfile)
            if "ssl_mode" in data_keys:
                data_keys.remove("ssl_mode")
                data__sslmode = data["ssl_mode"]
                if not (isinstance(data__sslmode, str) and data__sslmode == 'disable' or isinstance(data__sslmode, str) and data__sslmode == 'prefer' or isinstance(data__sslmode, str) and data__sslmode == 'require' or isinstance(data__sslmode, str) and data__sslmode == 'verify-full'):
                    raise ValueError
            if data_keys:
                raise ValueError
    return data

def validate___properties_workers(data):
    if not isinstance(data, (int)) and not (isinstance(data, float) and data.is_integer()) or isinstance(data, bool):
        raise ValueError
    if isinstance(data, (int, float)) and not isinstance(data, bool):
        if data < 1:
            raise ValueError
        if data > 100:
            raise ValueError
    return data

def validate___properties_instances(data):
    if not isinstance(data, (int)) and not (isinstance(data, float) and data.is_integer()) or isinstance(data, bool):
        raise ValueError
    if isinstance(data, (int, float)) and not isinstance(data, bool):
        if data < 1:
            raise ValueError
        if data > 100:
            raise ValueError
    return data

def validate___properties_master_key_file(data):
    validate____defs_file(data)
    return data

def validate___properties_auth(data):
    if not (isinstance(data, str) and data == 'master-key' or isinstance(data, str) and data == 'open'):
        raise ValueError
    return data

def validate___properties_port(data):
    if not isinstance(data, (int)) and not (isinstance(data, float) and data.is_integer()) or isinstance(data, bool):
        raise ValueError
    if isinstance(data, (int, float)) and not isinstance(data, bool):
        if data < 1:
            raise ValueError
        if data > 65535:
            raise ValueError
    return data

def validate___properties_listen_address(data):
    if not isinstance(data, (str)):
        raise ValueError
    if isinstance(data, str):
        if not REGEX_PATTERNS['^[0-9A-Fa-f:.]+(?![\\s\\S])'].search(data):
            raise ValueError
    return data

def validate___properties_image(data):
    if not isinstance(data, (str)):
        raise ValueError
    if isinstance(data, str):
        if not REGEX_PATTERNS['^[a-z0-9][A-Za-z0-9._/:@-]*(?![\\s\\S])'].search(data):
            raise ValueError
    return data

def validate___properties_backend(data):
    if not (isinstance(data, str) and data == 'docker' or isinstance(data, str) and data == 'podman'):
        raise ValueError
    return data

def validate___properties_model_config(data):
    if not isinstance(data, (str)):
        raise ValueError
    if isinstance(data, str):
        data_len = len(data)
        if data_len < 1:
            raise ValueError
    return data

def validate____defs_account(data):
    if not isinstance(data, (str)):
        raise ValueError
    if isinstance(data, str):
        if not REGEX_PATTERNS['^[a-z_][a-z0-9_-]*\\$?(?![\\s\\S])'].search(data):
            raise ValueError
    return data

def validate____defs_name(data):
    if not isinstance(data, (str)):
        raise ValueError
    if isinstance(data, str):
        if not REGEX_PATTERNS['^[A-Za-z0-9][A-Za-z0-9_-]{0,62}(?![\\s\\S])'].search(data):
            raise ValueError
    return data

def validate____defs_line(data):
    if not isinstance(data, (str)):
        raise ValueError
    if isinstance(data, str):
        if not REGEX_PATTERNS['^[^\\x00-\\x1f\\x7f]+(?![\\s\\S])'].search(data):
            raise ValueError
    return data

def validate____defs_port(data):
    if not isinstance(data, (int)) and not (isinstance(data, float) and data.is_integer()) or isinstance(data, bool):
        raise ValueError
    if isinstance(data, (int, float)) and not isinstance(data, bool):
        if data < 1:
            raise ValueError
        if data > 65535:
            raise ValueError
    return data

def validate____defs_server(data):
    if not isinstance(data, (str)):
        raise ValueError
    if isinstance(data, str):
        if not REGEX_PATTERNS['^([A-Za-z0-9._-]+|[0-9a-fA-F]*:[0-9a-fA-F.]*:[0-9a-fA-F:.]*)(?![\\s\\S])'].search(data):
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
