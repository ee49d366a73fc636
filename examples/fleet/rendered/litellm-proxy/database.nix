# PostgreSQL, in which LiteLLM keeps virtual keys, teams, budgets and spend: on this
# machine without a password, or elsewhere with one that is read when the service starts.
{
  config,
  lib,
  options,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    cfg
    image
    opt
    usesDatabase
    ;
  db = cfg.database;

  socketDirectory = "/run/postgresql";
  localPort = toString config.services.postgresql.settings.port;
  rule = "local ${db.name} ${db.user} peer map=litellm-proxy";
  # What PostgreSQL sees at the other end of the socket: the container has no user
  # namespace of its own, so its root is root.
  mapping = "litellm-proxy ${image.userName} ${db.user}";

  # Each worker of each instance opens up to 10 (database_connection_pool_limit); 10 are left
  # for PostgreSQL's superuser, a dump, and a person who looks.
  connections = 10 * cfg.instances * cfg.workers + 10;

  host = if lib.hasInfix ":" db.host then "[${db.host}]" else db.host;

  wireDatabase = ''

    # percent_encode TEXT: sets $encoded to the text as it stands in a URL, byte by byte.
    percent_encode() {
      local index byte code
      encoded=
      for ((index = 0; index < ''${#1}; index++)); do
        byte=''${1:index:1}
        case $byte in
          [A-Za-z0-9._~-]) encoded+=$byte ;;
          *)
            printf -v code %d "'$byte"
            printf -v code %02X $((code & 255))
            encoded+=%$code
            ;;
        esac
      done
    }

    # wire_database USER HOST:PORT NAME QUERY FILE: the password becomes a part of the URL.
    wire_database() {
      local value encoded url source=$CREDENTIALS_DIRECTORY/DATABASE_PASSWORD
      if is_missing "$source"; then
        refuse DATABASE_PASSWORD "$5" "is missing. Create it with the password as its only content; the proxy then starts by itself."
        return 0
      fi
      read_value DATABASE_PASSWORD "$5" "$source" || return 0
      percent_encode "$1"
      url=postgresql://$encoded
      percent_encode "$value"
      url+=:$encoded@$2
      percent_encode "$3"
      environment+=DATABASE_URL=$url/$encoded$4$'\n'
    }
  '';
in
{
  options.services.litellm-proxy = {
    database = {
      createLocally = lib.mkOption {
        type = lib.types.bool;
        default = false;
        description = ''
          Whether to keep virtual keys, teams, budgets and spend in PostgreSQL on this
          machine. It enables {option}`services.postgresql` with a role and a database,
          which only the container's user gets at, through the Unix socket: there is no
          password.
        '';
        example = true;
      };

      host = lib.mkOption {
        type = lib.types.nullOr lib.types.str;
        default = null;
        description = ''
          Name or address of a PostgreSQL server elsewhere. Its URL is put together when
          the service starts, with the password percent-encoded, and is never in the
          Nix store. In the container `127.0.0.1` is the container itself.
        '';
        example = "db.example.org";
      };

      port = lib.mkOption {
        type = lib.types.port;
        default = 5432;
        description = "Port of {option}`services.litellm-proxy.database.host`.";
        example = 6432;
      };

      name = lib.mkOption {
        type = lib.types.str;
        default = "litellm";
        description = "Name of the database.";
        example = "gateway";
      };

      user = lib.mkOption {
        type = lib.types.str;
        default = "litellm";
        description = ''
          Role that owns the database; LiteLLM makes and migrates its tables itself. With
          {option}`services.litellm-proxy.database.createLocally` it has the name of the
          database.
        '';
        example = "gateway";
      };

      passwordFile = lib.mkOption {
        type = lib.types.nullOr lib.types.path;
        default = null;
        description = ''
          The file that holds the role's password and nothing else, for
          {option}`services.litellm-proxy.database.host`. Like every key file it is read
          when the service starts, and watched.
        '';
        example = "/etc/nixcfg/secrets/database_password.txt";
      };

      sslMode = lib.mkOption {
        type = lib.types.nullOr (
          lib.types.enum [
            "disable"
            "prefer"
            "require"
            "verify-full"
          ]
        );
        default = null;
        defaultText = lib.literalMD "`null`: encrypted if the server offers it, without checking who it is";
        description = ''
          Whether the connection to {option}`services.litellm-proxy.database.host` is
          encrypted: `require` refuses a server that does not, `verify-full` one whose
          certificate is not signed, for its name, by an authority that the image trusts.
        '';
        example = "verify-full";
      };
    };
  };

  config = lib.mkIf cfg.enable {
    services.litellm-proxy.internal = {
      # LiteLLM has two clients, Prisma and libpq: the first takes the socket from the
      # parameter, which LiteLLM hides from the second.
      environment = lib.mkIf db.createLocally {
        DATABASE_URL =
          "postgresql://${db.user}@${lib.replaceStrings [ "/" ] [ "%2F" ] socketDirectory}:${localPort}"
          + "/${db.name}?host=${socketDirectory}";
      };
      variables =
        lib.optionalAttrs usesDatabase {
          DATABASE_URL = opt "database";
          # LiteLLM takes these apart from the URL, or instead of it.
          DATABASE_HOST = opt "database.host";
          DATABASE_NAME = opt "database.name";
          DATABASE_PASSWORD = opt "database.passwordFile";
          DATABASE_USER = opt "database.user";
          DATABASE_USERNAME = opt "database.user";
          DIRECT_URL = opt "database";
        }
        // lib.optionalAttrs (usesDatabase || cfg.saltKeyFile != null) {
          LITELLM_SALT_KEY = opt "saltKeyFile";
        };
      keyFiles =
        lib.optional (db.passwordFile != null) {
          option = "database.passwordFile";
          variable = "DATABASE_PASSWORD";
          kind = "part";
          file = db.passwordFile;
        };
      # The URL is made when the service starts, and the container has no other sign of it.
      restartTriggers = lib.optional (db.host != null) (
        builtins.toJSON {
          inherit (db)
            host
            name
            port
            sslMode
            user
            ;
        }
      );
      wiring = lib.mkIf (db.host != null && db.passwordFile != null) (
        wireDatabase
        + lib.escapeShellArgs [
          "wire_database"
          db.user
          "${host}:${toString db.port}"
          db.name
          (lib.optionalString (db.sslMode != null) "?sslmode=${db.sslMode}")
          (toString db.passwordFile)
        ]
      );
      # The directory and not the socket, which is another one after each restart.
      volumes = lib.optional db.createLocally "${socketDirectory}:${socketDirectory}:ro";
      wants = lib.optional db.createLocally (
        # A newer NixOS makes the role and the database in a unit of its own.
        if config.systemd.targets ? postgresql then "postgresql.target" else "postgresql.service"
      );
    };

    services.postgresql = lib.mkIf db.createLocally {
      enable = true;
      ensureDatabases = [ db.name ];
      ensureUsers = [
        {
          name = db.user;
          ensureDBOwnership = true;
        }
      ];
      # Before NixOS' own rule for everybody, and for this one database.
      authentication = rule;
      identMap = mapping;
      # PostgreSQL's own default is 100.
      settings.max_connections = lib.mkIf (connections > 100) (lib.mkDefault connections);
    };

    # Otherwise the directory is another one after a restart of PostgreSQL, and the
    # container keeps the former, in which there will never be a socket again.
    systemd.services.postgresql = lib.mkIf db.createLocally {
      serviceConfig.RuntimeDirectoryPreserve = true;
    };

    warnings =
      let
        backup = config.services.postgresqlBackup;
        inherit (config.services) postgresql;
        replaced =
          lib.optional (!lib.hasInfix rule postgresql.authentication) "authentication = \"${rule}\""
          ++ lib.optional (!lib.hasInfix mapping postgresql.identMap) "identMap = \"${mapping}\"";
      in
      lib.optional (db.createLocally && replaced != [ ]) ''
        What ${opt "database.createLocally"} adds to services.postgresql is replaced by your
        own configuration, and PostgreSQL may not let the gateway in. Add:
        ${lib.concatMapStringsSep "; " (line: "services.postgresql.${line}") replaced}.
      ''
      ++
      lib.optional
        (db.createLocally && backup.enable && !backup.backupAll && !lib.elem db.name backup.databases)
        ''
          services.postgresqlBackup.databases lacks "${db.name}", in which LiteLLM keeps
          its keys, budgets and spend. Add it.
        '';
  };
}
