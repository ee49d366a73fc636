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
      ANTHROPIC_API_KEY = {
        file = "/etc/nixcfg/secrets/anthropic_api_key.txt";
        required = true;
      };
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
    # On an emulated processor LiteLLM takes minutes to start, and a health check so long that
    # one every 30 s would hold the start up; the test runs the check itself.
    health = {
      interval = "30m";
      startPeriod = "30m";
      timeout = "60s";
    };
  };
}
