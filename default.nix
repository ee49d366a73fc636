# nixcfg without flakes: with npins, niv or fetchTarball.
#
#   let nixcfg = import (fetchTarball "https://…/nixcfg.tar.gz") { inherit pkgs; }; in
#   { imports = [ nixcfg.nixosModules.default ]; environment.systemPackages = [ nixcfg.package ]; }
#
# For `imports` alone no `pkgs` is needed, which could not be there yet.
{
  pkgs ? import <nixpkgs> { },
}:

{
  package = pkgs.callPackage ./nix/package.nix { };

  overlays.default = final: _prev: {
    nixcfg = final.callPackage ./nix/package.nix { };
  };

  nixosModules.default = ./modules/litellm-proxy;
}
