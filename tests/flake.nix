# What flake.nix gives, told as JSON. nixpkgs is its real lib, and packages that only know their
# names: enough to see what our own code asks of them.
let
  lib = import <nixpkgs/lib>;
  flake = import ../flake.nix;

  named = name: { inherit name; } // { __toString = _: name; };
  stdenv = {
    buildPlatform.canExecute = _: true;
    hostPlatform.system = "x86_64-linux";
  };
  pkgs = lib.genAttrs [ "mypy" "nix" "nixfmt-rfc-style" "nixfmt-tree" "ruff" "shellcheck" "strace" "uv" ] named // {
    inherit lib;
    mkShell = lib.id;
    inherit stdenv;
    runCommand = name: _: script: { inherit name script; };
    python3.withPackages = chosen: "/with/${toString (chosen { toPythonModule = each: each.pname; })}";
    callPackage = file: arguments: import file (arguments // {
      inherit lib;
      inherit (pkgs) nix;
      inherit stdenv;
      python3Packages = {
        buildPythonApplication = lib.id;
        pytestCheckHook = named "pytestCheckHook";
        pygls = named "pygls" // { version = "1.3.1"; };
        # As in nixpkgs, where both have the same pname.
        pygls_2 = named "pygls";
        tree-sitter-grammars = lib.genAttrs [ "tree-sitter-hcl" "tree-sitter-nix" ] named;
      }
      // lib.genAttrs [
        "click"
        "hatchling"
        "jinja2"
        "jsonschema"
        "pytest-xdist"
        "pyyaml"
        "tree-sitter"
      ] named;
      installShellFiles = named "installShellFiles";
      versionCheckHook = named "versionCheckHook";
    });
  };

  self = outputs;
  outputs = flake.outputs {
    inherit self;
    nixpkgs = {
      lib = lib // {
        getExe = package: "/${package.pname}/bin/${package.meta.mainProgram}";
      };
      legacyPackages = lib.genAttrs lib.systems.flakeExposed (_: pkgs);
    };
  };

  shown = package: {
    inherit (package) pname version postInstall;
    tools = map (tool: tool.name) (package.nativeBuildInputs ++ package.nativeCheckInputs);
    dependencies = map (dependency: dependency.name) package.dependencies;
  };
  system = "x86_64-linux";
in
{
  inputs = lib.attrNames flake.inputs;
  outputs = lib.attrNames outputs;
  systems = lib.attrNames outputs.packages;
  checked = lib.attrNames outputs.checks;
  shells = lib.mapAttrs (_: shells: map (package: package.name) shells.default.packages) outputs.devShells;
  package = shown outputs.packages.${system}.default;
  withoutFlakes = shown (import ../default.nix { inherit pkgs; }).package;
  overlay = shown (outputs.overlays.default pkgs { }).nixcfg;
  app = outputs.apps.${system}.default.program;
  checks = lib.attrNames outputs.checks.${system};
  # `src` is named, and not copied.
  projectCheck = outputs.lib.projectCheck { inherit pkgs; src = "$project"; };
  projectTest = outputs.lib.projectCheck {
    inherit pkgs;
    src = "$project";
    litellm = named "litellm" // { optional-dependencies.proxy = [ (named "fastapi") ]; };
  };
  module = toString outputs.nixosModules.default;
  template = toString outputs.templates.default.path;
  shell = map (package: package.name) outputs.devShells.${system}.default.packages;
}
