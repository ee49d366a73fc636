# Checks that evaluate the module and build little: the units for both backends, also
# with a database, Redis and metrics, and the page of its options.
{ pkgs }:

let
  inherit (pkgs) lib;

  units =
    name: settings:
    let
      system = import (pkgs.path + "/nixos/lib/eval-config.nix") {
        system = null;
        modules = [
          ../modules/litellm-proxy
          {
            boot.isContainer = true;
            nixpkgs.pkgs = pkgs;
            system.stateVersion = lib.trivial.release;
            services.litellm-proxy = {
              enable = true;
              modelConfig = "all";
              configs.all = {
                file = ./module-checks.nix;
                secrets = [ "OPENAI_API_KEY" ];
              };
              secrets.OPENAI_API_KEY.file = "/etc/nixcfg/secrets/openai_api_key.txt";
            };
          }
          settings
        ];
      };
      inherit (system) config;
      failed = lib.filter (assertion: !assertion.assertion) config.assertions;
      ours = lib.filterAttrs (
        name: _:
        lib.hasInfix "litellm-proxy" name
        || lib.elem name [
          "postgresql.service"
          "prometheus.service"
        ]
      ) config.systemd.units;
    in
    assert lib.assertMsg (failed == [ ]) (lib.concatMapStringsSep "\n" (a: a.message) failed);
    pkgs.linkFarm "litellm-proxy-units-${name}" (
      lib.mapAttrsToList (name: unit: {
        inherit name;
        path = "${unit.unit}/${name}";
      }) ours
    );
in
{
  module-docker = units "docker" { services.litellm-proxy.backend = "docker"; };
  module-podman = units "podman" { services.litellm-proxy.backend = "podman"; };
  module-stores = units "stores" {
    services.prometheus.enable = true;
    services.litellm-proxy = {
      database.createLocally = true;
      redis.createLocally = true;
      metrics.enable = true;
    };
  };

  options-page = pkgs.runCommand "nixcfg-options-page" { nativeBuildInputs = [ pkgs.python3 ]; } ''
    cp -r --no-preserve=mode ${../docs} docs
    cp -r --no-preserve=mode ${../tools} tools
    python3 tools/options_doc.py --check --from ${
      pkgs.writeText "options.json" (builtins.toJSON (import ./options.nix { inherit lib; }))
    }
    touch $out
  '';
}
