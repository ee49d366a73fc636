# Written by `nixcfg render` from nixcfg.yaml and providers/: change those, not this file.
# Every value is a default, so what your own configuration says wins.
{ lib, ... }:
{
  imports = [ ./litellm-proxy ];

  services.litellm-proxy = {
    enable = lib.mkDefault true;
    image = lib.mkDefault "ghcr.io/berriai/litellm:v1.108.14";
    listenAddress = lib.mkDefault "127.0.0.1";
    port = lib.mkDefault 4000;
    auth = lib.mkDefault "master-key";

    # Which of the configurations below the container loads.
    modelConfig = lib.mkDefault "all";

    configs = {
      local = {
        file = ./litellm/local.yaml;
        secrets = [ "DATABASE_URL" "LANGFUSE_SECRET_KEY" "REDIS_HOST" "REDIS_PASSWORD" ];
        requiredSecrets = [ "DATABASE_URL" "REDIS_HOST" "REDIS_PASSWORD" ];
      };
      all = {
        file = ./litellm/all.yaml;
        secrets = [ "DATABASE_URL" "LANGFUSE_SECRET_KEY" "REDIS_HOST" "REDIS_PASSWORD" ];
        requiredSecrets = [ "DATABASE_URL" "REDIS_HOST" "REDIS_PASSWORD" ];
      };
    };

    # Files on this machine, read when the service starts; their content never comes here.
    secrets = {
      DATABASE_URL.file = lib.mkDefault "/etc/nixcfg/secrets/database_url.txt";
      LANGFUSE_SECRET_KEY.file = lib.mkDefault "/etc/nixcfg/secrets/langfuse_secret_key.txt";
      REDIS_HOST.file = lib.mkDefault "/etc/nixcfg/secrets/redis_host.txt";
      REDIS_PASSWORD.file = lib.mkDefault "/etc/nixcfg/secrets/redis_password.txt";
    };
  };
}
