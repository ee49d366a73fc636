# The unit files and scripts that the module produces, as a map from path to text:
# to install them on a system that is not NixOS, and to run the scripts in tests.
#
#   nix-instantiate --eval --strict --json --read-write-mode tests/nix/units.nix \
#     --arg settings '{ services.litellm-proxy = { enable = true; … }; }'
#
# `settings` is a NixOS module; a file such as ./machine.nix is one too. The result:
#
#   {
#     "units":   { "litellm-proxy-secrets.service": TEXT, "….path": TEXT, … },
#     "scripts": { "/nixos-scripts/HASH/bin/NAME": TEXT, … },   to be made executable
#     "files":   { "/nix/store/HASH-litellm-config.yaml": TEXT, … },
#     "wantedBy": { "podman-litellm-proxy.service": ["multi-user.target"] },
#     "nginx": TEXT of nginx.conf, empty without nginx
#     "deployed": TEXT of /etc/nixcfg/litellm-proxy.json
#     "container": "podman-litellm-proxy.service"
#   }
#
# Units name their scripts by the paths under "scripts" and their tools by `root`
# (/usr/bin/podman, …), so nothing else has to be there. "files" are store files
# that the container mounts.
{
  settings,
  nixpkgs ? <nixpkgs>,
  root ? "/usr",
  # Units of other modules that ours has changed, such as "postgresql.service".
  also ? [ ],
}:

let
  system = import ./system.nix {
    inherit nixpkgs root;
    modules = [ settings ];
  };
  inherit (system) config lib;

  cfg = config.services.litellm-proxy;
  failed = map (assertion: assertion.message) (
    lib.filter (assertion: !assertion.assertion) config.assertions
  );
  units = lib.filterAttrs (
    name: _: lib.hasInfix "litellm-proxy" name || lib.elem name also
  ) config.systemd.units;
  plain = builtins.unsafeDiscardStringContext;

  # The store files that the units refer to: by name, or as the text of a script.
  texts = lib.concatMap (unit: lib.attrNames (builtins.getContext unit.text)) (lib.attrValues units);
  references = map (path: {
    inherit path;
    text = plain (builtins.readFile path);
    name = lib.substring 33 (-1) (baseNameOf path);
  }) (lib.unique texts);
  scripts = lib.listToAttrs (
    map (
      { name, text, ... }:
      lib.nameValuePair "/nixos-scripts/${builtins.hashString "sha256" text}/bin/${name}" text
    ) (lib.filter (reference: lib.hasPrefix "#!" reference.text) references)
  );
  mounted = lib.filter (
    { path, ... }: lib.any (lib.hasInfix path) (lib.attrValues scripts)
  ) references;
in
if failed != [ ] then
  throw "failed assertions:\n- ${lib.concatStringsSep "\n- " failed}"
else
  {
    units = lib.mapAttrs (_: unit: plain unit.text) units;
    inherit scripts;
    nginx = lib.optionalString config.services.nginx.enable (
      plain (builtins.readFile config.environment.etc."nginx/nginx.conf".source)
    );
    files = lib.listToAttrs (map ({ path, text, ... }: lib.nameValuePair (plain path) text) mounted);
    wantedBy = lib.filterAttrs (_: targets: targets != [ ]) (
      lib.mapAttrs (_: unit: unit.wantedBy) units
    );
    deployed = plain config.environment.etc."nixcfg/litellm-proxy.json".text;
    container = "${cfg.backend}-litellm-proxy.service";
  }
