# `nix flake check`: what users with a binary cache can run. `.ci/run` runs the rest.
{ self, pkgs }:

let
  inherit (pkgs) lib;
  nixcfg = self.packages.${pkgs.stdenv.hostPlatform.system}.default;

  check =
    name: tools: script:
    pkgs.runCommand "nixcfg-${name}" { nativeBuildInputs = tools; } ''
      cp -r --no-preserve=mode ${self} source
      cd source
      export HOME=$TMPDIR
      ${script}
      touch $out
    '';
in
{
  package = nixcfg;

  lint = check "lint" [ pkgs.ruff pkgs.shellcheck ] ''
    ruff check --no-cache
    ruff format --no-cache --check
    shellcheck .ci/run
  '';

  # rendered/ is committed: it must be what `nixcfg render` writes today.
  drift = import ./project-check.nix {
    inherit pkgs nixcfg;
    src = self;
  };
}
// import ./module-checks.nix { inherit pkgs; }
// import ./vm-tests.nix { inherit pkgs; }
