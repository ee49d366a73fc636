# Written by `nixcfg render` from nixcfg.yaml and providers/: change those, not this file.
# Every value is a default, so what your own configuration says wins.
{ lib, ... }:
{
  imports = [ ./litellm-proxy ];

  services.litellm-proxy = {
    enable = lib.mkDefault true;
    backend = lib.mkDefault "docker";
    image = lib.mkDefault "ghcr.io/berriai/litellm:v1.106.2";
    listenAddress = lib.mkDefault "127.0.0.1";
    port = lib.mkDefault 4000;
    auth = lib.mkDefault "master-key";
    database.createLocally = lib.mkDefault true;
    saltKeyFile = lib.mkDefault "/run/keys/salt";
    redis.createLocally = lib.mkDefault true;
    metrics.enable = lib.mkDefault true;

    # Which of the configurations below the container loads.
    modelConfig = lib.mkDefault "all";

    configs = {
      openai = {
        file = ./litellm/openai.yaml;
        secrets = [ "OPENAI_API_KEY" ];
      };
      all = {
        file = ./litellm/all.yaml;
        secrets = [ "OPENAI_API_KEY" ];
      };
    };

    # Files on this machine, read when the service starts; their content never comes here.
    secrets = {
      OPENAI_API_KEY.file = lib.mkDefault "/etc/nixcfg/secrets/openai_api_key.txt";
    };
  };
}
