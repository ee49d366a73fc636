# For the `checks` of a flake: a project is valid, and rendered/ is what it renders to. Neither
# LiteLLM nor a machine is in the sandbox, so `nixcfg test` and `nixcfg plan` are for CI.
{
  pkgs,
  nixcfg,
  # The folder with nixcfg.yaml.
  src,
}:

pkgs.runCommand "nixcfg-project" { nativeBuildInputs = [ nixcfg ]; } ''
  cp -r --no-preserve=mode ${src} source
  export HOME=$TMPDIR
  nixcfg -C source validate
  nixcfg -C source render --check
  touch $out
''
