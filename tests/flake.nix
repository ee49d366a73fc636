# What flake.nix gives, told as JSON. nixpkgs is its real lib, and packages that only know their
# names: enough to see what our own code asks of them.
let
  lib = import <nixpkgs/lib>;
  flake = import ../flake.nix;

  named = name: { inherit name; } // { __toString = _: name; };
  pkgs = lib.genAttrs [ "mypy" "nix" "nixfmt-rfc-style" "nixfmt-tree" "ruff" "shellcheck" "strace" "uv" ] named // {
    mkShell = lib.id;
    callPackage = file: arguments: import file (arguments // {
      inherit lib;
      inherit (pkgs) nix;
      python3Packages = {
        buildPythonApplication = lib.id;
        pytestCheckHook = named "pytestCheckHook";
      }
      // lib.genAttrs [ "click" "hatchling" "jinja2" "jsonschema" "pyyaml" ] named;
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
    inherit (package) pname version;
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
  overlay = shown (outputs.overlays.default pkgs { }).nixcfg;
  app = outputs.apps.${system}.default.program;
  checks = lib.attrNames outputs.checks.${system};
  module = toString outputs.nixosModules.default;
  template = toString outputs.templates.default.path;
  shell = map (package: package.name) outputs.devShells.${system}.default.packages;
}
