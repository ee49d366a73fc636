# The options that the newest oci-containers.nix declares for a container and that of <nixpkgs>
# may not: what our module asks for with `options ?`, where that file itself is not at hand.
{
  nixpkgs ? <nixpkgs>,
}:

{ lib, ... }:

let
  inherit (lib) mkOption types;
  strings = mkOption {
    type = types.listOf types.str;
    default = [ ];
  };
  newest = {
    capabilities = mkOption {
      type = types.lazyAttrsOf (types.nullOr types.bool);
      default = { };
    };
    devices = strings;
    imageStream = mkOption {
      type = types.nullOr types.package;
      default = null;
    };
    networks = strings;
    podman = mkOption {
      type = types.nullOr (
        types.submodule {
          options.sdnotify = mkOption {
            type = types.enum [
              "conmon"
              "container"
              "healthy"
            ];
            default = "conmon";
          };
          options.user = mkOption {
            type = types.str;
            default = "root";
          };
        }
      );
      default = null;
    };
    preRunExtraOptions = strings;
    privileged = mkOption {
      type = types.bool;
      default = false;
    };
    pull = mkOption {
      type = types.enum [
        "always"
        "missing"
        "never"
        "newer"
      ];
      default = "missing";
    };
  };

  # To declare an option twice is an error.
  there = builtins.readFile (nixpkgs + "/nixos/modules/virtualisation/oci-containers.nix");
  isThere = name: builtins.match ".*[[:space:]]${name}[[:space:]]*=[[:space:]]*mkOption.*" there != null;
in
{
  options.virtualisation.oci-containers.containers = mkOption {
    type = types.attrsOf (
      types.submodule { options = lib.filterAttrs (name: _: !isThere name) newest; }
    );
  };
}
