# A whole NixOS system, evaluated with every module of nixpkgs and ours.
#
# The system is a container without documentation, which spares the modules for
# kernels, boot loaders and manuals (pkgs.nix has no such packages).
{
  # NixOS modules that configure the proxy, and whatever else a case is about.
  modules,
  nixpkgs ? <nixpkgs>,
  root ? "/usr",
  # Only the modules of nixpkgs that ours has to do with, which is six times faster.
  # Definitions for other modules are then ignored instead of refused.
  quick ? false,
  # Another oci-containers.nix in place of that of nixpkgs: see conftest.py.
  oci ? null,
}:

let
  lib = import (nixpkgs + "/lib");
  pkgs = import ./pkgs.nix { inherit lib root; };
in
import (nixpkgs + "/nixos/lib/eval-config.nix") (
  {
    inherit lib;
    system = null;
    modules = [
      ../../modules/litellm-proxy
      {
        boot.isContainer = true;
        documentation.enable = false;
        environment.stub-ld.enable = false;
        nixpkgs = { inherit pkgs; };
        system.stateVersion = lib.trivial.release;
        _module.check = !quick;
      }
    ]
    ++ lib.optionals (oci != null && !quick) [
      {
        disabledModules = [ "virtualisation/oci-containers.nix" ];
        imports = [ oci ];
      }
    ]
    ++ modules;
  }
  // lib.optionalAttrs quick {
    baseModules = map (path: nixpkgs + "/nixos/modules/${path}") (
      lib.optional (oci == null) "virtualisation/oci-containers.nix"
      ++ [
      "config/networking.nix"
      "misc/assertions.nix"
      "misc/extra-arguments.nix"
      "misc/ids.nix"
      "misc/nixpkgs.nix"
      "misc/version.nix"
      "security/wrappers/default.nix"
      "services/backup/postgresql-backup.nix"
      "services/databases/postgresql.nix"
      "services/databases/redis.nix"
      "services/monitoring/grafana.nix"
      "services/monitoring/prometheus/default.nix"
      "services/networking/firewall.nix"
      "services/web-servers/nginx/default.nix"
      "system/boot/systemd.nix"
      "system/boot/systemd/tmpfiles.nix"
      "system/etc/etc.nix"
      "virtualisation/docker.nix"
      "virtualisation/podman/default.nix"
      ]
    )
    ++ lib.optional (oci != null) oci;
  }
)
