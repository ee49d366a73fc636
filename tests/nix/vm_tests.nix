# The machines of nix/vm-tests.nix, evaluated without a package set that could build
# them: what each complains of, and the Python of its test.
{
  nixpkgs ? <nixpkgs>,
}:

let
  lib = import (nixpkgs + "/lib");
  base = import ./pkgs.nix { inherit lib; };
  tests = import ../../nix/vm-tests.nix {
    pkgs = base // {
      inherit lib;
      dockerTools = {
        buildLayeredImage = _: base.bash;
        binSh = base.bash;
        fakeNss = base.bash;
      };
      testers.runNixOSTest = test: test;
    };
  };
in
lib.mapAttrs (
  _: test:
  let
    system = import ./system.nix {
      inherit nixpkgs;
      quick = true;
      modules = [ test.nodes.machine ];
    };
    nodes.machine.system.build.toplevel = "/system";
  in
  {
    inherit (test) name;
    inherit (import ./complaints.nix system) assertions warnings;
    services = lib.attrNames system.config.systemd.services;
    script =
      if lib.isFunction test.testScript then test.testScript { inherit nodes; } else test.testScript;
  }
) tests
