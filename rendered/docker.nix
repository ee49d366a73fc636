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
    modelConfig = lib.mkDefault "claude";

    configs = {
      claude = {
        file = ./litellm/claude.yaml;
        secrets = [ "ANTHROPIC_API_KEY" ];
      };
      gemini = {
        file = ./litellm/gemini.yaml;
        secrets = [ "GEMINI_API_KEY" ];
      };
      openai = {
        file = ./litellm/openai.yaml;
        secrets = [ "OPENAI_API_KEY" ];
      };
      all = {
        file = ./litellm/all.yaml;
        secrets = [ "ANTHROPIC_API_KEY" "GEMINI_API_KEY" "OPENAI_API_KEY" ];
      };
    };

    # Files on this machine, read when the service starts; their content never comes here.
    secrets = {
      ANTHROPIC_API_KEY.file = lib.mkDefault "/etc/nixcfg/secrets/anthropic_api_key.txt";
      GEMINI_API_KEY.file = lib.mkDefault "/etc/nixcfg/secrets/gemini_api_key.txt";
      OPENAI_API_KEY.file = lib.mkDefault "/etc/nixcfg/secrets/openai_api_key.txt";
    };
  };
}
