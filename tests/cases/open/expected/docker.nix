# Written by `nixcfg render` from nixcfg.yaml and providers/: change those, not this file.
# Every value is a default, so what your own configuration says wins.
{ lib, ... }:
{
  imports = [ ./litellm-proxy ];

  services.litellm-proxy = {
    enable = lib.mkDefault true;
    image = lib.mkDefault "ghcr.io/berriai/litellm@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    listenAddress = lib.mkDefault "127.0.0.1";
    port = lib.mkDefault 4000;
    auth = lib.mkDefault "open";

    # Which of the configurations below the container loads.
    modelConfig = lib.mkDefault "all";

    configs = {
      claude = {
        file = ./litellm/claude.yaml;
        secrets = [ ];
      };
      all = {
        file = ./litellm/all.yaml;
        secrets = [ ];
      };
    };
  };
}
