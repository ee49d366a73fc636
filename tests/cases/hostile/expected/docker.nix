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

    # Which of the configurations below the container loads.
    modelConfig = lib.mkDefault "all";

    configs = {
      "in" = {
        file = ./litellm/in.yaml;
        secrets = [ "ANTHROPIC_API_KEY" "OPENAI_API_KEY" ];
      };
      "let" = {
        file = ./litellm/let.yaml;
        secrets = [ "OPENAI_API_KEY" ];
      };
      all = {
        file = ./litellm/all.yaml;
        secrets = [ "ANTHROPIC_API_KEY" "OPENAI_API_KEY" ];
      };
    };

    # Files on this machine, read when the service starts; their content never comes here.
    secrets = {
      ANTHROPIC_API_KEY.file = lib.mkDefault config.sops.secrets."a b; rm -rf ~ #'".path;
      OPENAI_API_KEY.file = lib.mkDefault "/keys/' ''\${x} \\n .txt";
    };

    environment = {
      ANTIQUOTE = lib.mkDefault "\${HOME} \$HOME \$\$ \\\${HOME} ''\${HOME}";
      BACKSLASH = lib.mkDefault "\\ \\\\ \\n \\\"";
      COMMENT = lib.mkDefault "a # b: c /* d */ --e";
      EMPTY = lib.mkDefault "";
      QUOTES = lib.mkDefault "say \"yes\" and 'no' and ''both''";
      TAB = lib.mkDefault "a\tb";
      UNICODE = lib.mkDefault "é ß 漢字 😀   ";
      "let" = lib.mkDefault "in";
    };
  };
}
