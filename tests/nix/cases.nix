# Many systems at once, because each start of nix costs seconds: a map from a case's
# name to what its evaluation gives.
#
# `cases` is a file with a map from names to NixOS modules. Only definitions of our
# module are evaluated, so that the rest of NixOS stays lazy.
{
  cases,
  nixpkgs ? <nixpkgs>,
}:

let
  lib = import (nixpkgs + "/lib");
  evaluate =
    module:
    let
      system = import ./system.nix {
        inherit nixpkgs;
        modules = [ module ];
        quick = true;
      };
      inherit (system) config;
      container = config.virtualisation.oci-containers.containers.litellm-proxy;
      unit = config.systemd.services."${config.services.litellm-proxy.backend}-litellm-proxy";
      secrets = config.systemd.services.litellm-proxy-secrets;
    in
    if !config.services.litellm-proxy.enable then
      {
        enabled = false;
        leftovers = lib.filter (lib.hasInfix "litellm") (
          lib.attrNames config.systemd.services
          ++ lib.attrNames config.systemd.paths
          ++ lib.attrNames config.virtualisation.oci-containers.containers
        );
      }
    else
    {
      inherit (import ./complaints.nix system) assertions warnings;
      firewall = config.networking.firewall.allowedTCPPorts;
      container = {
        inherit (container)
          image
          ports
          volumes
          environment
          environmentFiles
          extraOptions
          cmd
          ;
      };
      unit = {
        inherit (unit)
          after
          requires
          wants
          onFailure
          wantedBy
          ;
        inherit (unit) serviceConfig;
      };
      secrets = {
        inherit (secrets) serviceConfig unitConfig script;
      };
      watched = map (path: path.pathConfig.PathChanged) (
        lib.attrValues (lib.filterAttrs (name: _: lib.hasInfix "litellm" name) config.systemd.paths)
      );
      backends = {
        docker = config.virtualisation.docker.enable;
        podman = config.virtualisation.podman.enable;
      };
    };
in
lib.mapAttrs (_: evaluate) (import cases)
