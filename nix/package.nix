{
  lib,
  stdenv,
  python3Packages,
  installShellFiles,
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
    # `import` of a NixOS module or Terraform file.
    tree-sitter
    tree-sitter-grammars.tree-sitter-hcl
    tree-sitter-grammars.tree-sitter-nix
    # `lsp` needs pygls 2, which nixpkgs has under another name until it is the usual one.
    (if lib.versionAtLeast pygls.version "2" then pygls else pygls_2)
  ];

  nativeBuildInputs = [ installShellFiles ];

  postInstall = lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    installShellCompletion --cmd nixcfg \
      --bash <($out/bin/nixcfg completion bash) \
      --fish <($out/bin/nixcfg completion fish) \
      --zsh <($out/bin/nixcfg completion zsh)
  '';

  nativeCheckInputs = [
    nix
    python3Packages.pytest-xdist
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
