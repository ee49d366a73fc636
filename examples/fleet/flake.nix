{
  description = "Three gateways that share a database and a Redis";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    colmena.url = "github:zhaofengli/colmena";
    deploy-rs.url = "github:serokell/deploy-rs";
  };

  outputs =
    {
      self,
      nixpkgs,
      colmena,
      deploy-rs,
    }:
    let
      system = "x86_64-linux";
      hosts = import ./hosts.nix;
    in
    {
      # nixos-rebuild switch --flake .#alpha --target-host root@alpha.example.org
      nixosConfigurations = builtins.mapAttrs (
        _: module:
        nixpkgs.lib.nixosSystem {
          modules = [
            module
            { nixpkgs.hostPlatform = system; }
          ];
        }
      ) hosts;

      # colmena apply
      colmenaHive = colmena.lib.makeHive (
        import ./hive.nix { nixpkgs = nixpkgs.legacyPackages.${system}; }
      );

      # deploy
      deploy.nodes = builtins.mapAttrs (name: configuration: {
        hostname = "${name}.example.org";
        profiles.system = {
          user = "root";
          path = deploy-rs.lib.${system}.activate.nixos configuration;
        };
      }) self.nixosConfigurations;

      checks = builtins.mapAttrs (_: library: library.deployChecks self.deploy) deploy-rs.lib;
    };
}
