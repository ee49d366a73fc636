# What is refused of the database, and of the keys that are kept in it.
{
  lib,
  options,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    cfg
    hasDatabase
    image
    opt
    usesDatabase
    ;
  db = cfg.database;
in
{
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = !hasDatabase || image.has "tables";
        message = ''
          ${opt "image"} = "${cfg.image}" with a database: releases before ${image.since.tables} start without making its tables.
          Use a newer release, such as "${options.services.litellm-proxy.image.default}".
        '';
      }
      {
        assertion = cfg.metrics.keyFile == null || hasDatabase;
        message = ''
          ${opt "metrics.keyFile"} without a database: LiteLLM then knows no key but the master key.
          Set ${opt "database.createLocally"} or ${opt "database.host"}, or remove it.
        '';
      }
      {
        assertion = !(db.createLocally && db.host != null);
        message = ''
          ${opt "database.createLocally"} and ${opt "database.host"} = "${toString db.host}" are two databases, and LiteLLM takes one.
          Remove one of the two.
        '';
      }
      {
        assertion = db.host == null || db.passwordFile != null;
        message = ''
          ${opt "database.host"} = "${toString db.host}" without ${opt "database.passwordFile"}: LiteLLM could not log in.
          Set ${opt "database.passwordFile"} to the path of a file that holds the password of "${db.user}".
        '';
      }
      {
        assertion = db.host != null || (db.passwordFile == null && db.sslMode == null);
        message = ''
          ${opt (if db.passwordFile != null then "database.passwordFile" else "database.sslMode")} has no effect without ${opt "database.host"}: a local database has neither password nor network.
          Remove it, or set ${opt "database.host"}.
        '';
      }
      {
        assertion = !db.createLocally || db.name == db.user;
        message = ''
          ${opt "database.user"} = "${db.user}" and ${opt "database.name"} = "${db.name}": NixOS makes a role the owner of a database of the same name only.
          Set both to the same name.
        '';
      }
      {
        assertion = !db.createLocally || builtins.match "[a-z_][a-z0-9_]*" db.name != null;
        message = ''
          ${opt "database.name"} = ${builtins.toJSON db.name} cannot be created by services.postgresql.
          Use small letters, digits and underscores, with no digit in front.
        '';
      }
      {
        assertion = !usesDatabase || cfg.auth == "master-key";
        message = ''
          ${opt "auth"} = "open" with ${opt "database"}: without a master key LiteLLM checks no key, so that virtual keys, budgets and limits would bind no one.
          Set ${opt "auth"} = "master-key".
        '';
      }
      {
        assertion = cfg.saltKeyFile == null || hasDatabase;
        message = ''
          ${opt "saltKeyFile"} has no effect without a database.
          Set ${opt "database.createLocally"} or ${opt "database.host"}, or remove it.
        '';
      }
      {
        assertion =
          hasDatabase || !lib.elem (lib.toLower (cfg.environment.STORE_MODEL_IN_DB or "")) [ "true" ];
        message = ''
          ${opt "environment"}.STORE_MODEL_IN_DB: there is no database to store models in.
          Set ${opt "database.createLocally"} or ${opt "database.host"}, or remove it.
        '';
      }
    ]
    ++ common.hostAssertions {
      option = "database";
      example = "db.example.org";
      instead = "; a whole URL goes into a file: ${opt "secrets"}.DATABASE_URL.file";
    } db.host;
  };
}
