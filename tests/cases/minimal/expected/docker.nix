# Written by `nixcfg render` from nixcfg.yaml and providers/: change those, not this file.
# Every value is a default, so what your own configuration says wins.
{ lib, ... }:
{
  imports = [ ./litellm-proxy ];

  services.litellm-proxy = {
    enable = lib.mkDefault true;
    image = lib.mkDefault "ghcr.io/berriai/litellm:v1.108.14";
    listenAddress = lib.mkDefault "127.0.0.1";
    port = lib.mkDefault 4001;
    auth = lib.mkDefault "master-key";
    hostPorts = lib.mkDefault [ 8000 11434 ];

    # Which of the configurations below the container loads.
    modelConfig = lib.mkDefault "all";

    configs = {
      local = {
        file = ./litellm/local.yaml;
        secrets = [ ];
      };
      all = {
        file = ./litellm/all.yaml;
        secrets = [ ];
      };
    };
  };
}
