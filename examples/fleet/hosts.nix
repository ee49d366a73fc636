# The NixOS modules of each machine: what nixcfg rendered for it, and what it is besides.
# nixosConfigurations, colmena and deploy-rs all take them from here.
let
  host = name: {
    imports = [
      (./rendered/hosts + "/${name}/docker.nix")
      ./machine.nix
    ];
    networking.hostName = name;
  };
in
{
  alpha = host "alpha";
  beta = host "beta";
  gamma = host "gamma";
}
