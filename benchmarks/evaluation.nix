# What a switch evaluates of a module in a whole NixOS system: its units, assertions and warnings.
{
  module,
}:

let
  inherit
    (import ../tests/nix/system.nix { modules = [ module ]; })
    config
    ;
  ours = builtins.filter (name: builtins.match ".*litellm.*" name != null) (
    builtins.attrNames config.systemd.units
  );
in
builtins.deepSeq [
  (map (name: config.systemd.units.${name}.text) ours)
  config.warnings
  (map (assertion: assertion.assertion || throw assertion.message) config.assertions)
  config.networking.firewall.allowedTCPPorts
] (builtins.length ours)
