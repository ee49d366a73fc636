# Written by `nixcfg render` from nixcfg.yaml and providers/: change those, not this file.
# Every value is a default, so what your own configuration says wins.
{ config, lib, ... }:
{
  imports = [ ../../litellm-proxy ];

  services.litellm-proxy = {
    enable = lib.mkDefault true;
    backend = lib.mkDefault "docker";
    image = lib.mkDefault "ghcr.io/berriai/litellm:v1.106.3";
    listenAddress = lib.mkDefault "127.0.0.1";
    port = lib.mkDefault 4000;
    auth = lib.mkDefault "master-key";
    masterKeyFile = lib.mkDefault "/run/keys/master";
    database.host = lib.mkDefault "db.example.org";
    database.port = lib.mkDefault 6432;
    database.name = lib.mkDefault "gateway";
    database.user = lib.mkDefault "gateway";
    database.passwordFile = lib.mkDefault "/run/keys/database";
    database.sslMode = lib.mkDefault "verify-full";
    saltKeyFile = lib.mkDefault config.age.secrets."litellm master".path;
    redis.host = lib.mkDefault "fd00::9";
    redis.passwordFile = lib.mkDefault "/run/keys/redis";

    # Which of the configurations below the container loads.
    modelConfig = lib.mkDefault "ollama";

    configs = {
      ollama = {
        file = ./litellm/ollama.yaml;
        secrets = [ ];
      };
    };

    environment = {
      LITELLM_LOG = lib.mkDefault "INFO";
    };
  };
}
