# The firewall of NixOS on a machine with our module: the rules that nft loads, as a file for
# it, or the script that makes them with iptables (networking.nftables.enable = false).
{
  # A NixOS module that configures the proxy.
  module,
  nixpkgs ? <nixpkgs>,
  iptables ? false,
}:

let
  modules = "${toString nixpkgs}/nixos/modules/services/networking";
  system = import ./system.nix {
    inherit nixpkgs;
    quick = true;
    modules = [
      (modules + "/nftables.nix")
      (modules + (if iptables then "/firewall-iptables.nix" else "/firewall-nftables.nix"))
      module
      (
        { lib, ... }:
        {
          # What the quick evaluation leaves out; the kernel is that of the machine of the tests.
          options.networking.enableIPv6 = lib.mkOption { default = true; };
          options.boot.kernelPackages = lib.mkOption {
            default.kernel = {
              version = "6";
              features.netfilterRPFilter = true;
            };
          };
          config.networking.nftables.enable = !iptables;
          # Refused at once instead of dropped, so that a test need not wait.
          config.networking.firewall.rejectPackets = true;
        }
      )
    ];
  };
  table = system.config.networking.nftables.tables.nixos-fw;
  start = system.config.systemd.services.firewall.serviceConfig.ExecStart;
  # ${program}/bin/NAME carries the text of the program: see pkgs.nix.
  texts = map builtins.readFile (builtins.attrNames (builtins.getContext start));
in
if iptables then
  system.lib.findFirst (system.lib.hasInfix "nixos-fw-log-refuse") (throw "no such script") (
    map builtins.unsafeDiscardStringContext texts
  )
else
  ''
    table ${table.family} nixos-fw {
      ${table.content}
    }
  ''
