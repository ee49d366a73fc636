# Facts about three ways to run LiteLLM on NixOS, each from the evaluation of a file
# in `folder`: what docs/comparison.md says, and test_comparison.py checks.
#
# `services-litellm` is null where this nixpkgs has no services.litellm.
{
  folder ? ./comparison,
  nixpkgs ? <nixpkgs>,
  native ? nixpkgs + "/nixos/modules/services/misc/litellm.nix",
}:

let
  lib = import (nixpkgs + "/lib");
  hasNative = builtins.pathExists native;

  evaluate =
    name: modules:
    let
      inherit
        (import ./system.nix {
          inherit nixpkgs;
          quick = true;
          modules = [ (folder + "/${name}.nix") ] ++ lib.optional hasNative native ++ modules;
        })
        config
        ;
      ours = lib.filterAttrs (unit: _: lib.hasInfix "litellm" unit);
      services = ours config.systemd.services;
      container = config.virtualisation.oci-containers.containers.litellm-proxy or null;
      main = lib.head (
        lib.filter (service: service.serviceConfig ? Restart || name == "services-litellm") (
          lib.attrValues services
        )
      );
      # Whatever of it every user of the machine can read.
      readable = lib.concatMap (
        service:
        [
          service.script
          (builtins.toJSON service.environment)
          (builtins.toJSON service.serviceConfig)
        ]
      ) (lib.attrValues services);
    in
    {
      published =
        if container != null then
          container.ports
        else
          [ "${config.services.litellm.host}:${toString config.services.litellm.port}" ];
      environment = if container != null then container.environment else main.environment;
      options = if container != null then container.extraOptions else [ ];
      image = if container != null then container.image else null;
      inherit (main) restartTriggers;
      service = removeAttrs main.serviceConfig [ "ExecStartPre" ];
      text = builtins.concatStringsSep "\n" readable;
      startLimit = main.unitConfig.StartLimitBurst or null;
      watched = lib.attrNames (ours config.systemd.paths);
      firewall = config.networking.firewall.allowedTCPPorts;
    };
in
{
  by-hand = evaluate "by-hand" [ ];
  services-litellm = if hasNative then evaluate "services-litellm" [ ] else null;
  litellm-proxy = evaluate "litellm-proxy" [ ];
}
