# services.litellm-proxy: the LiteLLM proxy in a container, with its keys wired
# in when the service starts instead of when the system is built.
#
#   default.nix      the options of the gateway itself
#   backend.nix      docker or podman: what the machine has
#   container.nix    the container and its unit
#   secrets.nix      key files: their options
#   wiring.nix       key files: checked and assembled, by wiring.sh and key-shapes.sh
#   rotation.nix     key files: watched, and put to use when they change, by rotate.sh
#   sandbox.nix      how the services of these scripts are shut in
#   database.nix     PostgreSQL: on this machine or elsewhere
#   redis.nix        Redis: on this machine or elsewhere
#   metrics.nix      Prometheus and Grafana; alerts.yaml and dashboard.json are their data
#   instances.nix    several containers, and a switch that loses no request
#   network.nix      what the container reaches, and who reaches it
#   nginx.nix        the address in front of them
#   assertions.nix   what is refused or warned of; assert-*.nix: by topic
#   update.nix       a switch that fetches the image before the old container stops
#   revision.nix     what a container was started with, and what it would start with now
#   user.nix         as whom the process in the container runs
#   internal.nix     what these files tell each other
#   image.nix        what is known about the inside of the image; start.py starts it
#   common.nix       names and facts that these files share
#
# The module needs nothing but this folder and works from nixpkgs 24.11 on, with
# and without flakes.
{
  config,
  lib,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common) cfg;

  configOptions = configuration: {
    options = {
      file = lib.mkOption {
        type = lib.types.path;
        description = ''
          LiteLLM configuration, mounted read-only at `/app/config.yaml`. It is
          copied to the world-readable Nix store, so it names keys
          (`api_key: os.environ/OPENAI_API_KEY`) and never holds one.
        '';
        example = lib.literalExpression "./litellm/all.yaml";
      };

      secrets = lib.mkOption {
        type = lib.types.listOf lib.types.str;
        default = [ ];
        apply = names: lib.naturalSort (lib.unique names);
        description = ''
          The secrets that this configuration needs, by the names which they have
          in {option}`services.litellm-proxy.secrets`. The container gets these and
          no other.
        '';
        example = [ "ANTHROPIC_API_KEY" ];
      };

      requiredSecrets = lib.mkOption {
        type = lib.types.listOf lib.types.str;
        default =
          let
            inherit (configuration.config) secrets;
          in
          lib.optionals (lib.length secrets == 1) secrets;
        defaultText = lib.literalMD "the secret of this configuration, if it has one alone";
        description = ''
          Of its secrets, those that every model of this configuration needs: without one of
          them the proxy does not start. A missing key of only some models stops no others.
        '';
        example = [ "ANTHROPIC_API_KEY" ];
      };
    };
  };

  declaredConfigs = lib.attrNames cfg.configs;
in
{
  # The flake's module and the copy beside a rendered docker.nix are one module.
  key = "nixcfg/litellm-proxy";

  imports = [
    ./assert-container.nix
    ./assert-keys.nix
    ./assert-network.nix
    ./assertions.nix
    ./backend.nix
    ./container.nix
    ./database.nix
    ./instances.nix
    ./internal.nix
    ./metrics.nix
    ./network.nix
    ./nginx.nix
    ./redis.nix
    ./rotation.nix
    ./secrets.nix
    ./update.nix
    ./user.nix
    ./wiring.nix
  ];

  options.services.litellm-proxy = {
    enable = lib.mkEnableOption "the LiteLLM proxy, an OpenAI-compatible gateway to many LLM providers, in a container";

    image = lib.mkOption {
      type = lib.types.str;
      default = "ghcr.io/berriai/litellm:v1.106.2";
      description = ''
        The image to run: a release of LiteLLM, best with its digest. Tags that move
        to other releases get a warning. A release that was compromised, or has a hole that
        is exploited or needs no key, is refused (releases.json).
      '';
      example = "ghcr.io/berriai/litellm:v1.106.2@sha256:…";
    };

    imageFile = lib.mkOption {
      type = lib.types.nullOr lib.types.package;
      default = null;
      description = ''
        An image archive to load before each start, instead of fetching
        {option}`services.litellm-proxy.image`, which must name the image inside.
      '';
      example = lib.literalExpression "pkgs.dockerTools.buildLayeredImage { … }";
    };

    listenAddress = lib.mkOption {
      type = lib.types.str;
      default = "127.0.0.1";
      description = ''
        The host's address on which the proxy is published. docker and podman
        publish past the NixOS firewall: on anything but a loopback address the
        network can reach the proxy, whatever the firewall says.
      '';
      example = "192.168.1.10";
    };

    port = lib.mkOption {
      type = lib.types.port;
      default = 4000;
      description = "The host's port on which the proxy is published.";
      example = 8000;
    };

    openFirewall = lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = ''
        Whether to open {option}`services.litellm-proxy.port` in the firewall. It
        also tells the module that a wide
        {option}`services.litellm-proxy.listenAddress` is meant.
      '';
      example = true;
    };

    modelConfig = lib.mkOption {
      type = lib.types.enum declaredConfigs // {
        description =
          "one of the names in services.litellm-proxy.configs"
          + lib.optionalString (declaredConfigs != [ ]) " (${lib.concatStringsSep ", " declaredConfigs})";
      };
      description = ''
        The configuration that the container loads. Changing this one option moves
        the proxy to another set of providers, with exactly the keys they need.
      '';
      example = "claude";
    };

    configs = lib.mkOption {
      type = lib.types.attrsOf (lib.types.submodule configOptions);
      default = { };
      description = "LiteLLM configurations to choose from, by name.";
      example = lib.literalExpression ''
        {
          claude = {
            file = ./litellm/claude.yaml;
            secrets = [ "ANTHROPIC_API_KEY" ];
          };
        }
      '';
    };

    auth = lib.mkOption {
      type = lib.types.enum [
        "master-key"
        "open"
      ];
      default = "master-key";
      description = ''
        Whether clients need the master key. `open` serves everybody who can connect
        and is refused on anything but a loopback address; even there, every user
        and every web page open in a browser on this machine can spend your money.
      '';
      example = "open";
    };

    environment = lib.mkOption {
      type = lib.types.attrsOf lib.types.str;
      default = { };
      description = ''
        Further environment variables of the container. They end up in the
        world-readable Nix store: secrets belong in
        {option}`services.litellm-proxy.secrets`.
      '';
      example = {
        LITELLM_LOG = "ERROR";
        OLLAMA_API_BASE = "http://host.containers.internal:11434";
      };
    };

    health = {
      interval = lib.mkOption {
        type = lib.types.str;
        default = "30s";
        description = "Time between two health checks (`/health/liveliness`, which costs nothing).";
        example = "10s";
      };

      startPeriod = lib.mkOption {
        type = lib.types.str;
        default = "120s";
        description = "Time that LiteLLM has for its start, in which failed checks do not count.";
        example = "5m";
      };

      timeout = lib.mkOption {
        type = lib.types.str;
        default = "10s";
        description = "Time after which a health check has failed.";
        example = "30s";
      };

      retries = lib.mkOption {
        type = lib.types.ints.positive;
        default = 3;
        description = ''
          Failed checks in a row that make the container unhealthy. podman then kills
          it and systemd starts a new one; docker only reports it.
        '';
        example = 5;
      };
    };

    resources = {
      memory = lib.mkOption {
        type = lib.types.strMatching "[1-9][0-9]*[bkmg]";
        default = "2g";
        description = "Most memory that the container may use. LiteLLM needs about 350 MB a worker, and more under load.";
        example = "4g";
      };

      cpus = lib.mkOption {
        type = lib.types.nullOr (lib.types.strMatching "[0-9]+([.][0-9]+)?");
        default = null;
        description = "Most processors that the container may use at a time.";
        example = "1.5";
      };

      pids = lib.mkOption {
        type = lib.types.ints.positive;
        default = 512;
        description = "Most processes and threads that the container may have.";
        example = 1024;
      };

      tmpSize = lib.mkOption {
        type = lib.types.strMatching "[1-9][0-9]*[kmg]";
        default = "256m";
        description = "Size of `/tmp`, the one place in the container that can be written to.";
        example = "1g";
      };
    };

    extraOptions = lib.mkOption {
      type = lib.types.listOf lib.types.str;
      default = [ ];
      description = "Further options for `docker run` or `podman run`, after those of this module.";
      example = [ "--network=backend" ];
    };
  };
}
