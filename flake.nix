{
  description = "A private LLM gateway for NixOS, from a few provider YAML files";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      forAllSystems = lib.genAttrs [
        "x86_64-linux"
        "aarch64-linux"
      ];
      pkgsFor = system: nixpkgs.legacyPackages.${system};
    in
    {
      packages = forAllSystems (system: {
        default = (pkgsFor system).callPackage ./nix/package.nix { };
      });

      apps = forAllSystems (system: {
        default = {
          type = "app";
          program = lib.getExe self.packages.${system}.default;
        };
      });

      overlays.default = final: _prev: {
        nixcfg = final.callPackage ./nix/package.nix { };
      };

      nixosModules.default = ./modules/litellm-proxy;

      templates.default = {
        path = ./templates/project;
        description = "A nixcfg project with one provider";
      };

      devShells = forAllSystems (
        system:
        let
          pkgs = pkgsFor system;
        in
        {
          default = pkgs.mkShell {
            inputsFrom = [ self.packages.${system}.default ];
            packages = [
              pkgs.mypy
              pkgs.nix
              pkgs.nixfmt-rfc-style
              pkgs.ruff
              pkgs.shellcheck
              pkgs.strace
              pkgs.uv
            ];
          };
        }
      );

      formatter = forAllSystems (system: (pkgsFor system).nixfmt-tree);

      checks = forAllSystems (
        system:
        import ./nix/checks.nix {
          inherit self;
          pkgs = pkgsFor system;
        }
      );
    };
}
