# services.litellm-proxy: the LiteLLM proxy in a container, with its keys wired
# in when the service starts instead of when the system is built.
#
#   gateway.nix      the options of the gateway itself
#   backend.nix      docker or podman: what the machine has
#   container.nix    the container and its unit
#   settings.nix     what is changed of a configuration in Nix, merged by merge.py
#   secrets.nix      key files: their options
#   wiring.nix       key files: checked and assembled, by wiring.sh and key-shapes.sh
#   rotation.nix     key files: watched, and put to use when they change, by rotate.sh
#   trial.nix        key files: tried before the running container is stopped
#   watched.nix      what that takes for a file that is replaced
#   sandbox.nix      how the services of these scripts are shut in
#   access.nix       teams, users and keys in that database, put there by access.py
#   database.nix     PostgreSQL: on this machine or elsewhere
#   salt-key.nix     the key of what LiteLLM encrypts in the database
#   redis.nix        Redis: on this machine or elsewhere
#   metrics.nix      Prometheus and Grafana; alerts.yaml and dashboard.json are their data
#   instances.nix    several containers, and a switch that loses no request
#   network.nix      what the container reaches, and who reaches it
#   nginx.nix        the address in front of them
#   assertions.nix   what is refused or warned of; assert-*.nix: by topic
#   deployed.nix     what this machine runs, for `nixcfg plan`
#   update.nix       a switch that fetches the image before the old container stops
#   revision.nix     what a container was started with, and what it would start with now
#   user.nix         as whom the process in the container runs
#   internal.nix     what these files tell each other
#   bytecode.nix     what of the image is compiled once, by bytecode.py, so that it starts sooner
#   image.nix        what is known about the inside of the image; start.py starts it, and
#                    missing_key.py answers for models whose key is missing,
#                    salt_key.py refuses one that is not the database's
#   native.nix       what a newer oci-containers has options for
#   version.nix      which copy of this module it is
#   common.nix       names and facts that these files share
#
# The module needs nothing but this folder and works from nixpkgs 24.11 on, with
# and without flakes.
{ ... }:

{
  imports = [
    {
      # The flake's module and the copy beside a rendered docker.nix are one module: the first
      # that is imported counts. That both are the same is looked at in assertions.nix.
      key = "nixcfg/litellm-proxy";

      imports = [
        ./access.nix
        ./assert-container.nix
        ./assert-database.nix
        ./assert-keys.nix
        ./assert-network.nix
        ./assert-values.nix
        ./assertions.nix
        ./backend.nix
        ./container.nix
        ./database.nix
        ./deployed.nix
        ./gateway.nix
        ./instances.nix
        ./internal.nix
        ./metrics.nix
        ./native.nix
        ./network.nix
        ./nginx.nix
        ./redis.nix
        ./rotation.nix
        ./salt-key.nix
        ./secrets.nix
        ./update.nix
        ./settings.nix
        ./trial.nix
        ./user.nix
        ./wiring.nix
      ];
    }
  ];

  services.litellm-proxy.internal.versions = [ (import ./version.nix) ];
}
