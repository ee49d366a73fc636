# The rules that the nftables firewall of NixOS loads on a machine with our module, as a
# file for nft.
{
  # A NixOS module that configures the proxy.
  module,
  nixpkgs ? <nixpkgs>,
}:

let
  modules = "${toString nixpkgs}/nixos/modules/services/networking";
  system = import ./system.nix {
    inherit nixpkgs;
    quick = true;
    modules = [
      (modules + "/firewall-nftables.nix")
      (modules + "/nftables.nix")
      module
      {
        networking.nftables.enable = true;
        # Refused at once instead of dropped, so that a test need not wait.
        networking.firewall.rejectPackets = true;
      }
    ];
  };
  table = system.config.networking.nftables.tables.nixos-fw;
in
''
  table ${table.family} nixos-fw {
    ${table.content}
  }
''
