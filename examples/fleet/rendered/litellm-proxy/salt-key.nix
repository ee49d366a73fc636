# The salt key, with which LiteLLM encrypts the credentials that it keeps in the database.
#
#   litellm-proxy-salt-key.service   before a salt key is made: whether the database holds
#                                    what an earlier one has encrypted
{
  config,
  lib,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    cfg
    generatedSaltKey
    image
    stateDirectory
    usesDatabase
    ;
  db = cfg.database;

  generates = usesDatabase && cfg.saltKeyFile == null;
  # Written for the wiring, which reaches no database itself.
  found = "/run/litellm-proxy-salt-key/encrypted";

  # Where LiteLLM keeps what it encrypts: in marked columns it is the values that begin so.
  columns = lib.importJSON ./encrypted-columns.json;
  mark = "litellm_enc::";
  values = lib.concatMapStringsSep ", " (
    { table, column, marked ? false }:
    "('${table}', '${column}', ${if marked then "'%${mark}%'" else "'%'"})"
  ) columns;
  # Those of the tables that hold something of it. A new database has none of them yet, and
  # an older LiteLLM not all, so that only those are counted that are there.
  query = ''
    SELECT string_agg(DISTINCT table_name, ', ') FROM information_schema.columns
    JOIN (VALUES ${values}) AS encrypted (t, c, pattern) ON (table_name, column_name) = (t, c)
    WHERE table_schema = current_schema()
    AND (xpath('/row/rows/text()', query_to_xml(
      format('SELECT count(*) AS rows FROM %I.%I WHERE %I::text NOT IN (%L, %L, %L, %L) AND %I::text LIKE %L',
        table_schema, t, c, ${"'', '{}', '[]', 'null'"}, c, pattern),
      false, true, ${"''"})))[1]::text::bigint > 0
  '';
  connection =
    if db.createLocally then
      {
        host = "/run/postgresql";
        inherit (config.services.postgresql.settings) port;
      }
    else
      { inherit (db) host port; };

  lookScript = ''
    export PGCONNECT_TIMEOUT=10 PGUSER=${lib.escapeShellArg db.user} PGDATABASE=${lib.escapeShellArg db.name}
    export PGHOST=${lib.escapeShellArg (toString connection.host)} PGPORT=${toString connection.port}
    ${lib.optionalString (db.sslMode != null) "export PGSSLMODE=${db.sslMode}"}
    # psql looks for authorities in a home directory otherwise.
    export PGSSLROOTCERT=/etc/ssl/certs/ca-certificates.crt
    if [ -e "''${CREDENTIALS_DIRECTORY:-}/DATABASE_PASSWORD" ]; then
      PGPASSWORD=$(< "$CREDENTIALS_DIRECTORY/DATABASE_PASSWORD")
      export PGPASSWORD
      if [ "$PGPASSWORD" = ${common.missingKey} ]; then
        # The wiring names the file, and makes no key.
        exit 0
      fi
    fi
    # A key that is made beside a database which no one could look into might be the wrong one.
    until tables=$(${config.services.postgresql.package}/bin/psql --no-psqlrc --no-password -At -c ${lib.escapeShellArg query}); do
      echo "<4>Waiting for the database: a salt key is made only beside one that needs no other." >&2
      sleep 10
    done
    if [ -n "$tables" ]; then
      echo "$tables" > ${found}
    else
      rm -f ${found}
    fi
  '';

  wireSaltKey = ''

    # Made once like the master key, and kept apart from it: the master key can be changed.
    wire_generated_salt_key() {
      local is_new=
      [ -e "$STATE_DIRECTORY/salt-key" ] || is_new=true
      if [ -n "$is_new" ] && [ "$problems" -ne 0 ]; then
        return 0
      fi
      if [ -n "$is_new" ] && [ -e ${found} ]; then
        problem "LITELLM_SALT_KEY: the database holds what another salt key has encrypted ($(< ${found})), and ${generatedSaltKey} is not there. A new key could read none of it. Restore that file from its backup, or set saltKeyFile; a gateway that had no salt key has encrypted with its master key."
        return 0
      fi
      wire_generated LITELLM_SALT_KEY salt-key
      if [ -n "$is_new" ]; then
        warning "LITELLM_SALT_KEY: BACK UP ${generatedSaltKey} NOW, apart from the database. It encrypts the credentials that LiteLLM keeps there; without it they are lost, and no dump of the database brings them back. Never change it."
      fi
    }
    wire_generated_salt_key
  '';
in
{
  options.services.litellm-proxy = {
    saltKeyFile = lib.mkOption {
      type = lib.types.nullOr lib.types.path;
      default = null;
      defaultText = lib.literalMD "`null`: with a database of these options, generated once in `${generatedSaltKey}`";
      description = ''
        The file that holds the salt key, with which LiteLLM encrypts the credentials that
        it keeps in the database. All machines that share a database need the same one. It
        must be backed up and never change: without it those credentials are lost, and a
        dump of the database does not bring them back. A gateway that had a database
        before it had a salt key has encrypted with its master key, which then belongs
        into this file.
      '';
      example = "/etc/nixcfg/secrets/litellm_salt_key.txt";
    };
  };

  config = lib.mkIf cfg.enable {
    services.litellm-proxy.internal = {
      keyFiles = lib.optional (cfg.saltKeyFile != null) {
        option = "saltKeyFile";
        variable = "LITELLM_SALT_KEY";
        kind = "env";
        file = cfg.saltKeyFile;
      };
      generated = lib.optional generates generatedSaltKey;
      # After what may be wrong with the database.
      wiring = lib.mkIf generates (lib.mkAfter wireSaltKey);
    };

    systemd.services = lib.mkIf generates {
      litellm-proxy-secrets = {
        requires = [ "litellm-proxy-salt-key.service" ];
        after = [ "litellm-proxy-salt-key.service" ];
      };

      litellm-proxy-salt-key = {
        description = "Look whether the database needs a salt key that is not here";
        after = lib.optionals db.createLocally [
          "postgresql.service"
          "postgresql.target"
        ];
        # systemd looks as root, and the unit need not run again once there is a key.
        unitConfig.ConditionPathExists = "!${stateDirectory}/salt-key";
        script = lookScript;
        startLimitIntervalSec = 0;
        serviceConfig = (import ./sandbox.nix) // {
          Type = "oneshot";
          # Whom PostgreSQL lets in through the socket: see database.nix.
          User = image.userName;
          RuntimeDirectory = "litellm-proxy-salt-key";
          RuntimeDirectoryMode = "0755";
          RuntimeDirectoryPreserve = true;
          TimeoutStartSec = "infinity";
          UMask = "0022";
          LoadCredential = lib.optional (
            db.passwordFile != null
          ) "DATABASE_PASSWORD:${common.unitPath (toString db.passwordFile)}";
          SetCredential = lib.optional (db.passwordFile != null) "DATABASE_PASSWORD:${common.missingKey}";
          IPAddressDeny = "";
          PrivateNetwork = false;
          RestrictAddressFamilies = "AF_UNIX AF_INET AF_INET6";
        };
      };
    };
  };
}
