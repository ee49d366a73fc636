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
    modelConfig = lib.mkDefault "clouds";

    configs = {
      clouds = {
        file = ./litellm/clouds.yaml;
        secrets = [ "AWS_BEARER_TOKEN_BEDROCK" "AZURE_API_KEY" "GOOGLE_APPLICATION_CREDENTIALS" ];
      };
      local = {
        file = ./litellm/local.yaml;
        secrets = [ "WORK_OPENAI_API_KEY" ];
        requiredSecrets = [ ];
      };
      all = {
        file = ./litellm/all.yaml;
        secrets = [ "AWS_BEARER_TOKEN_BEDROCK" "AZURE_API_KEY" "GOOGLE_APPLICATION_CREDENTIALS" "WORK_OPENAI_API_KEY" ];
      };
    };

    # Files on this machine, read when the service starts; their content never comes here.
    secrets = {
      AWS_BEARER_TOKEN_BEDROCK.file = lib.mkDefault "/keys/bedrock";
      AZURE_API_KEY.file = lib.mkDefault "/etc/nixcfg/secrets/azure_api_key.txt";
      GOOGLE_APPLICATION_CREDENTIALS = {
        file = lib.mkDefault "/etc/nixcfg/secrets/google_application_credentials.txt";
        kind = lib.mkDefault "file";
      };
      WORK_OPENAI_API_KEY.file = lib.mkDefault "/etc/nixcfg/secrets/work_openai_api_key.txt";
    };

    environment = {
      AZURE_API_BASE = lib.mkDefault "https://example.openai.azure.com";
    };
  };
}
