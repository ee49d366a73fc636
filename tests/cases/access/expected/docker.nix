# Written by `nixcfg render` from nixcfg.yaml and providers/: change those, not this file.
# Every value is a default, so what your own configuration says wins.
{ config, lib, ... }:
{
  imports = [ ./litellm-proxy ];

  services.litellm-proxy = {
    enable = lib.mkDefault true;
    image = lib.mkDefault "ghcr.io/berriai/litellm:v1.108.14";
    listenAddress = lib.mkDefault "127.0.0.1";
    port = lib.mkDefault 4000;
    auth = lib.mkDefault "master-key";

    # What several processes and machines share, and how many there are.
    database.createLocally = lib.mkDefault true;

    # Which of the configurations below the container loads.
    modelConfig = lib.mkDefault "all";

    configs = {
      openai = {
        file = ./litellm/openai.yaml;
        secrets = [ "ANTHROPIC_API_KEY" "OPENAI_API_KEY" ];
      };
      all = {
        file = ./litellm/all.yaml;
        secrets = [ "ANTHROPIC_API_KEY" "OPENAI_API_KEY" ];
      };
    };

    # Files on this machine, read when the service starts; their content never comes here.
    secrets = {
      ANTHROPIC_API_KEY.file = lib.mkDefault "/etc/nixcfg/secrets/anthropic_api_key.txt";
      OPENAI_API_KEY.file = lib.mkDefault "/etc/nixcfg/secrets/openai_api_key.txt";
    };

    # Teams, users and keys for LiteLLM's database; the values of keys are in files of their own.
    access = {
      file = ./access.json;
      keys.open-webui.file = lib.mkDefault "/run/secrets/open-webui-key";
      keys.ci = { };
      keys."in" = {
        file = lib.mkDefault config.sops.secrets."virtual key".path;
        owner = lib.mkDefault "open-webui";
        group = lib.mkDefault "users";
        mode = lib.mkDefault "0440";
      };
    };
  };
}
