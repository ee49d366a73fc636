{
  lib,
  python3Packages,
  nix,
  versionCheckHook,
}:

let
  project = (lib.importTOML ../pyproject.toml).project;
in
python3Packages.buildPythonApplication {
  pname = project.name;
  inherit (project) version;
  pyproject = true;

  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../LICENSE
      ../docs/rules
      ../README.md
      ../modules
      ../nixcfg
      ../nixcfg.yaml
      ../providers
      ../pyproject.toml
      ../rendered
      ../templates
      ../tests
    ];
  };

  build-system = [ python3Packages.hatchling ];

  dependencies = with python3Packages; [
    click
    jinja2
    jsonschema
    pyyaml
  ];

  nativeCheckInputs = [
    nix
    python3Packages.pytestCheckHook
    versionCheckHook
  ];

  # The golden cases; what needs LiteLLM, systemd or strace runs outside the sandbox.
  enabledTestPaths = [ "tests/test_cases.py" ];

  meta = {
    inherit (project) description;
    longDescription = ''
      Renders provider files into a NixOS module that runs the LiteLLM proxy in a container,
      and knows what that LiteLLM release makes of them.
    '';
    license = lib.licenses.mit;
    mainProgram = "nixcfg";
    platforms = lib.platforms.unix;
  };
}
