# The system under test: one key of every kind that services.litellm-proxy knows.
{ lib, ... }:
{
  services.litellm-proxy = {
    enable = true;
    backend = lib.mkDefault "podman";
    modelConfig = "all";
    configs.all = {
      file = ./litellm.yaml;
      secrets = [
        "ANTHROPIC_API_KEY"
        "OPENAI_API_KEY"
        "DEEPINFRA_API_KEY"
        "MISTRAL_API_KEY"
        "GOOGLE_APPLICATION_CREDENTIALS"
      ];
    };
    secrets = {
      # A file that people edit.
      ANTHROPIC_API_KEY.file = "/etc/nixcfg/secrets/anthropic_api_key.txt";
      # Where sops-nix puts it: /run/secrets is a symlink to a generation.
      OPENAI_API_KEY.file = "/run/secrets/openai";
      DEEPINFRA_API_KEY = {
        file = "/etc/nixcfg/secrets/deepinfra_api_key.txt";
        optional = true;
      };
      MISTRAL_API_KEY = {
        file = "/etc/credstore.encrypted/mistral";
        encrypted = true;
      };
      GOOGLE_APPLICATION_CREDENTIALS = {
        file = "/etc/nixcfg/secrets/google_application_credentials.txt";
        kind = "file";
      };
    };
    # LiteLLM takes minutes to start on an emulated processor.
    health.startPeriod = "10m";
  };
}
