# The keys: which there are. Declared by path, read when the service starts (wiring.nix),
# and watched from then on (rotation.nix).
{
  lib,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common) generatedMasterKey missingKey;

  secretOptions = {
    options = {
      file = lib.mkOption {
        type = lib.types.path;
        description = ''
          The file that holds the key and nothing else; a newline at its end does no
          harm. It is read when the service starts, by systemd, as root: any owner
          and mode will do. Written as a string, because a path literal would be
          copied to the world-readable Nix store.
        '';
        example = lib.literalExpression ''config.sops.secrets."anthropic".path'';
      };

      kind = lib.mkOption {
        type = lib.types.enum [
          "env"
          "file"
        ];
        default = "env";
        description = ''
          What the variable of this name holds in the container: the key itself
          (`env`), or the path of a read-only copy of the file (`file`), as for the
          JSON document of a Google service account.
        '';
        example = "file";
      };

      required = lib.mkOption {
        type = lib.types.bool;
        default = false;
        description = ''
          Whether nothing starts when the file is missing. That is so anyway for what
          {option}`services.litellm-proxy.configs.<name>.requiredSecrets` names. Otherwise
          the proxy starts with the models that have their keys, and the journal says which
          key is missing. No vendor is asked for a model that refers to it
          (`api_key: os.environ/NAME`): another deployment or a fallback of that model answers,
          or a refusal (403) that names the key. The variable is `${missingKey}` and not unset:
          for many providers LiteLLM would then send them the key in `OPENAI_API_KEY`. A file
          that is there but cannot be a key is always an error.
        '';
        example = true;
      };

      optional = lib.mkOption {
        type = lib.types.bool;
        default = false;
        description = ''
          Whether the proxy starts without the file also where
          {option}`services.litellm-proxy.configs.<name>.requiredSecrets` names it.
        '';
        example = true;
      };

      encrypted = lib.mkOption {
        type = lib.types.bool;
        default = false;
        description = ''
          Whether the file is a systemd credential, made by
          `systemd-creds encrypt --name=VARIABLE key.txt FILE`, which systemd
          decrypts when the service starts.
        '';
        example = true;
      };
    };
  };
in
{
  options.services.litellm-proxy = {
    secrets = lib.mkOption {
      type = lib.types.attrsOf (lib.types.submodule secretOptions);
      default = { };
      description = ''
        Secrets, by the environment variable through which LiteLLM reads them. Their
        values are never part of the configuration, of a unit or of the Nix store.
        When the content of a key file changes, LiteLLM is tried with it beside the
        running container, which is then restarted; one that does not start changes nothing.
      '';
      example = lib.literalExpression ''
        {
          ANTHROPIC_API_KEY.file = "/etc/nixcfg/secrets/anthropic_api_key.txt";
          OPENAI_API_KEY = {
            file = config.age.secrets.openai.path;
            optional = true;
          };
        }
      '';
    };

    masterKeyFile = lib.mkOption {
      type = lib.types.nullOr lib.types.path;
      default = null;
      defaultText = lib.literalMD "`null`: generated once, in `${generatedMasterKey}`";
      description = ''
        The file that holds the master key, with which clients authenticate. Without
        one, a key of 256 random bits is generated at the first start and kept in
        `${generatedMasterKey}`, mode 0600:
        `sudo cat ${generatedMasterKey}` shows it.
      '';
      example = "/etc/nixcfg/secrets/litellm_master_key.txt";
    };
  };
}
