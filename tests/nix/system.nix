# A whole NixOS system, evaluated with every module of nixpkgs and ours.
#
# The system is a container without documentation, which spares the modules for
# kernels, boot loaders and manuals (pkgs.nix has no such packages).
{
  # NixOS modules that configure the proxy, and whatever else a case is about.
  modules,
  nixpkgs ? <nixpkgs>,
  root ? "/usr",
}:

let
  lib = import (nixpkgs + "/lib");
  pkgs = import ./pkgs.nix { inherit lib root; };
in
import (nixpkgs + "/nixos/lib/eval-config.nix") {
  inherit lib;
  system = null;
  modules = [
    ../../modules/litellm-proxy.nix
    {
      boot.isContainer = true;
      documentation.enable = false;
      environment.stub-ld.enable = false;
      nixpkgs = { inherit pkgs; };
      system.stateVersion = lib.trivial.release;
    }
  ]
  ++ modules;
}
