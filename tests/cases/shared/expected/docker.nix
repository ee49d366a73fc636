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
    masterKeyFile = lib.mkDefault config.sops.secrets.anthropic.path;

    # What several processes and machines share, and how many there are.
    instances = lib.mkDefault 3;
    workers = lib.mkDefault 2;
    database.host = lib.mkDefault "db.example.org";
    database.port = lib.mkDefault 6432;
    database.name = lib.mkDefault "gate \"way\"";
    database.user = lib.mkDefault "gate%way";
    database.passwordFile = lib.mkDefault config.age.secrets."litellm master".path;
    database.sslMode = lib.mkDefault "verify-full";
    saltKeyFile = lib.mkDefault "/etc/nixcfg/secrets/salt key.txt";
    redis.host = lib.mkDefault "fd00::7";
    redis.port = lib.mkDefault 6380;
    redis.passwordFile = lib.mkDefault "/etc/nixcfg/secrets/redis_password.txt";
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
