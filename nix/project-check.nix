# For the `checks` of a flake: a project is valid, and rendered/ is what it renders to. With a
# LiteLLM of nixpkgs its cases run too, on that release. There is no machine in the sandbox, so
# `nixcfg plan` is for CI.
{
  pkgs,
  nixcfg,
  # The folder with nixcfg.yaml.
  src,
  # `pkgs.python3Packages.litellm`, or null to run no cases.
  litellm ? null,
}:

let
  inherit (pkgs) lib;
  # `nixcfg test` imports LiteLLM, so one Python has both.
  python = pkgs.python3.withPackages (
    packages:
    [
      (packages.toPythonModule (pkgs.callPackage ./package.nix { }))
      litellm
    ]
    ++ litellm.optional-dependencies.proxy
  );
in
pkgs.runCommand "nixcfg-project" { nativeBuildInputs = [ nixcfg ]; } ''
  cp -r --no-preserve=mode ${src} source
  export HOME=$TMPDIR
  nixcfg -C source validate
  nixcfg -C source render --check
  ${lib.optionalString (litellm != null) "${python}/bin/python -P -m nixcfg -C source test"}
  touch $out
''
