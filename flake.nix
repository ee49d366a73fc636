{
  description = "A private LLM gateway for NixOS, from a few provider YAML files";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      linux = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      # The gateway runs on NixOS; the program that writes its files runs anywhere.
      forAllSystems = lib.genAttrs (
        linux
        ++ [
          "x86_64-darwin"
          "aarch64-darwin"
        ]
      );
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
          meta = { inherit (self.packages.${system}.default.meta) description; };
        };
      });

      overlays.default = final: _prev: {
        nixcfg = final.callPackage ./nix/package.nix { };
      };

      # A check for the flake of a project: nix/project-check.nix.
      lib.projectCheck =
        {
          pkgs,
          src,
          litellm ? null,
        }:
        import ./nix/project-check.nix {
          inherit pkgs src litellm;
          nixcfg = self.packages.${pkgs.stdenv.hostPlatform.system}.default;
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
              (pkgs.nixfmt or pkgs.nixfmt-rfc-style)
              pkgs.ruff
              pkgs.shellcheck
              pkgs.uv
            ]
            ++ lib.optional (lib.elem system linux) pkgs.strace;
          };
        }
      );

      formatter = forAllSystems (system: (pkgsFor system).nixfmt-tree);

      checks = lib.genAttrs linux (
        system:
        import ./nix/checks.nix {
          inherit self;
          pkgs = pkgsFor system;
        }
      );
    };
}
