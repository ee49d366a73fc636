# The hosts of examples/fleet, as each of the tools that deploy them would evaluate them: by the
# real modules of NixOS, with packages that only know their names (pkgs.nix).
#
# `by`: "nixos-rebuild", "colmena" or "deploy-rs". `source` is the source tree of colmena or
# deploy-rs, whose own Nix code is used as it is.
{
  fleet,
  by ? "nixos-rebuild",
  source ? null,
  nixpkgs ? <nixpkgs>,
}:

let
  lib = import (nixpkgs + "/lib");
  pkgs = import ./pkgs.nix {
    inherit lib;
    root = "/usr";
  };
  # Whatever would be built is a name here.
  named = name: {
    inherit name;
    outPath = "/built/${name}";
  };
  system = "x86_64-linux";

  # What a machine under test is besides: kernels, boot loaders, manuals and sshd have no stand-ins.
  here = {
    boot.isContainer = true;
    boot.loader.systemd-boot.enable = lib.mkForce false;
    documentation.enable = false;
    environment.stub-ld.enable = false;
    services.openssh.enable = lib.mkForce false;
    nixpkgs.pkgs = pkgs;
  };

  asIfBuilt =
    evaluated:
    evaluated
    // {
      config = evaluated.config // {
        system = evaluated.config.system // {
          build.toplevel = named "nixos-system";
        };
      };
    };

  flake = import (fleet + "/flake.nix");
  self = flake.outputs {
    inherit self;
    nixpkgs = {
      lib = lib // {
        nixosSystem =
          { modules }:
          asIfBuilt (
            import (nixpkgs + "/nixos/lib/eval-config.nix") {
              inherit lib;
              system = null;
              modules = modules ++ [
                here
                { nixpkgs.hostPlatform = lib.mkForce system; }
              ];
            }
          );
      };
      legacyPackages.${system} = colmenaPkgs;
    };
    colmena.lib.makeHive =
      hive:
      import (source + "/src/nix/hive/eval.nix") {
        rawHive = hive // {
          defaults.imports = [
            hive.defaults
            here
          ];
        };
        hermetic = true;
      };
    deploy-rs.lib.${system} = (overlay (pkgs // builders) { }).deploy-rs.lib;
  };

  overlay =
    ((import (source + "/flake.nix")).outputs {
      self = { };
      nixpkgs = { };
      utils.lib = {
        defaultSystems = [ ];
        eachSystem = _: _: { };
      };
    }).overlays.default;
  builders = {
    deploy-rs.deploy-rs = named "deploy-rs";
    buildEnv = { name, paths }: named name // { inherit paths; };
    writeTextFile = { name, text, ... }: named name // { inherit text; };
  };

  colmenaPkgs = pkgs // {
    inherit system;
    path = ./nixpkgs;
  };

  shown =
    evaluated:
    let
      inherit (evaluated) config;
      unit = "${config.services.litellm-proxy.backend}-litellm-proxy";
      container = config.virtualisation.oci-containers.containers.litellm-proxy;
    in
    {
      failed = map (each: each.message) (lib.filter (each: !each.assertion) config.assertions);
      host = config.networking.hostName;
      firewall = config.networking.firewall.allowedTCPPorts;
      container = {
        inherit (container) image ports volumes environment;
      };
      units = lib.mapAttrs (_: each: each.text) (
        lib.filterAttrs (name: _: lib.hasInfix "litellm-proxy" name) config.systemd.units
      );
      unit = config.systemd.units."${unit}.service".enable;
    };
in
{
  nixos-rebuild = lib.mapAttrs (_: shown) self.nixosConfigurations;
  colmena = {
    inherit (self.colmenaHive) deploymentConfig metaConfig;
    nodes = lib.mapAttrs (_: shown) self.colmenaHive.nodes;
  };
  deploy-rs = lib.mapAttrs (
    _: node:
    node
    // {
      profiles = lib.mapAttrs (_: profile: {
        inherit (profile) user;
        paths = map (path: {
          inherit (path) name;
          text = path.text or "";
        }) profile.path.paths;
      }) node.profiles;
    }
  ) self.deploy.nodes;
}
.${by}
