# Written by `nixcfg render` from nixcfg.yaml and providers/: change those, not this file.
# Every value is a default, so what your own configuration says wins.
{ config, lib, ... }:
{
  imports = [ ./litellm-proxy ];

  services.litellm-proxy = {
    enable = lib.mkDefault true;
    image = lib.mkDefault "ghcr.io/berriai/litellm:v1.108.14";
    listenAddress = lib.mkDefault "::1";
    port = lib.mkDefault 4000;
    auth = lib.mkDefault "master-key";
    masterKeyFile = lib.mkDefault config.age.secrets."litellm master".path;

    # Which of the configurations below the container loads.
    modelConfig = lib.mkDefault "all";

    configs = {
      mixed = {
        file = ./litellm/mixed.yaml;
        secrets = [ "ANTHROPIC_API_KEY" "GROQ_API_KEY" "MISTRAL_API_KEY" "OPENAI_API_KEY" "VERTEXAI_CREDENTIALS" ];
      };
      all = {
        file = ./litellm/all.yaml;
        secrets = [ "ANTHROPIC_API_KEY" "GROQ_API_KEY" "MISTRAL_API_KEY" "OPENAI_API_KEY" "VERTEXAI_CREDENTIALS" ];
      };
    };

    # Files on this machine, read when the service starts; their content never comes here.
    secrets = {
      ANTHROPIC_API_KEY.file = lib.mkDefault config.sops.secrets.anthropic.path;
      GROQ_API_KEY = {
        file = lib.mkDefault "/persist/keys/groq_api_key.txt";
        optional = lib.mkDefault true;
      };
      MISTRAL_API_KEY = {
        file = lib.mkDefault "/etc/credstore.encrypted/mistral";
        encrypted = lib.mkDefault true;
      };
      OPENAI_API_KEY.file = lib.mkDefault config.sops.secrets."open ai/key".path;
      VERTEXAI_CREDENTIALS = {
        file = lib.mkDefault "/persist/vertex.json";
        kind = lib.mkDefault "file";
      };
    };

    environment = {
      VERTEXAI_LOCATION = lib.mkDefault "europe-west4";
      VERTEXAI_PROJECT = lib.mkDefault "my-project";
    };
  };
}
