# Written by `nixcfg render` from nixcfg.yaml and providers/: change those, not this file.
# Every value is a default, so what your own configuration says wins.
{ lib, ... }:
{
  imports = [ ../../litellm-proxy ];

  services.litellm-proxy = {
    enable = lib.mkDefault true;
    backend = lib.mkDefault "podman";
    image = lib.mkDefault "ghcr.io/berriai/litellm:v1.108.14";
    listenAddress = lib.mkDefault "0.0.0.0";
    port = lib.mkDefault 4000;
    auth = lib.mkDefault "master-key";
    hostPorts = lib.mkDefault [ 11434 ];
    masterKeyFile = lib.mkDefault "/etc/nixcfg/secrets/master_key.txt";

    # What several processes and machines share, and how many there are.
    database.host = lib.mkDefault "db.example.org";
    database.passwordFile = lib.mkDefault "/etc/nixcfg/secrets/database_password.txt";
    saltKeyFile = lib.mkDefault "/etc/nixcfg/secrets/salt_key.txt";
    redis.host = lib.mkDefault "redis.example.org";
    redis.passwordFile = lib.mkDefault "/etc/nixcfg/secrets/redis_password.txt";
    metrics.enable = lib.mkDefault true;

    # Which of the configurations below the container loads.
    modelConfig = lib.mkDefault "ollama";

    configs = {
      ollama = {
        file = ./litellm/ollama.yaml;
        secrets = [ ];
      };
    };
  };
}
