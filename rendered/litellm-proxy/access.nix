# Teams, users and keys of LiteLLM's database, as nixcfg.yaml wants them.
{
  config,
  lib,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    cfg
    hasDatabase
    opt
    quoted
    ;
  inherit (cfg) access;

  valuesDirectory = "/var/lib/litellm-proxy-keys";

  keyOptions =
    { name, ... }:
    {
      options = {
        file = lib.mkOption {
          type = lib.types.path;
          default = "${valuesDirectory}/${name}";
          defaultText = lib.literalMD "a file of that name in `${valuesDirectory}`";
          description = ''
            The file that holds the value of the key and nothing else. Where it is missing, a
            value of 256 random bits is made and written to it, once. When its content
            changes, the key gets the new value and keeps its name, team and limits.
          '';
          example = "/etc/nixcfg/keys/open-webui";
        };

        owner = lib.mkOption {
          type = lib.types.str;
          default = "root";
          description = "Who owns the file, if it has to be made.";
          example = "open-webui";
        };

        group = lib.mkOption {
          type = lib.types.str;
          default = "root";
          description = "The group of the file, if it has to be made.";
          example = "users";
        };

        mode = lib.mkOption {
          type = lib.types.strMatching "0?[0-7]{3}";
          default = "0600";
          description = "The mode of the file, if it has to be made.";
          example = "0440";
        };
      };
    };
in
{
  options.services.litellm-proxy.access = {
    file = lib.mkOption {
      type = lib.types.nullOr lib.types.path;
      default = null;
      description = ''
        Teams, users and keys that LiteLLM's database is to have, as `nixcfg render` writes
        them. It holds names and limits, and no value of a key. Of several machines that share
        a database, one has it.
      '';
      example = lib.literalExpression "./access.json";
    };

    keys = lib.mkOption {
      type = lib.types.attrsOf (lib.types.submodule keyOptions);
      default = { };
      description = ''
        Where the values of the keys in {option}`services.litellm-proxy.access.file` are, by
        the name of the key.
      '';
      example = lib.literalExpression ''
        {
          open-webui = {
            file = "/etc/nixcfg/keys/open-webui";
            owner = "open-webui";
          };
        }
      '';
    };
  };

  config = lib.mkIf (cfg.enable && access.file != null) {
    assertions =
      let
        files = lib.mapAttrsToList (name: key: { inherit name; file = toString key.file; }) access.keys;
        shared = lib.filter (each: lib.count (other: other.file == each.file) files > 1) files;
        stored = lib.filter (each: common.isPath each.file || common.inStore each.file) files;
      in
      [
        {
          assertion = hasDatabase;
          message = ''
            ${opt "access.file"} is given, and LiteLLM has no database to keep teams, users and keys in.
            Set ${opt "database.createLocally"}, or ${opt "database.host"}.
          '';
        }
        {
          assertion = cfg.auth == "master-key";
          message = ''
            ${opt "access.file"} with ${opt "auth"} = "${cfg.auth}": everyone gets past its keys and budgets.
            Set ${opt "auth"} = "master-key".
          '';
        }
        {
          assertion = shared == [ ];
          message = ''
            ${opt "access.keys"}: ${quoted (map (each: each.name) shared)} have one file.
            Give each key a file of its own.
          '';
        }
        {
          assertion = stored == [ ];
          message = ''
            ${opt "access.keys"}: the file of ${quoted (map (each: each.name) stored)} is in the Nix store, which everyone can read.
            Write the path in quotes, such as "/etc/nixcfg/keys/NAME".
          '';
        }
      ];
  };
}
