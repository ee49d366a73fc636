# What is refused of the container, as it is in the end.
{
  lib,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    cfg
    opt
    ;

  # Options that make podman or docker ignore `-p`, so that LiteLLM would listen on
  # every interface of the host.
  sharesHostNetwork =
    lib.any (
      argument: builtins.match "--net(work)?=host" argument != null
    ) cfg.extraOptions
    || builtins.match ".*--net(work)? host( .*)?" (lib.concatStringsSep " " cfg.extraOptions) != null;
in
{
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = !sharesHostNetwork;
        message = ''
          ${opt "extraOptions"} puts the container into the host's network, where LiteLLM listens on every interface and ${opt "listenAddress"} means nothing.
          Remove --network=host; the container reaches the host as host.containers.internal.
        '';
      }
    ];
  };
}
