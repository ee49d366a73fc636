# The options of the gateway itself.
{
  config,
  lib,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common) cfg image;

  configOptions = configuration: {
    options = {
      file = lib.mkOption {
        type = lib.types.nullOr lib.types.path;
        default = null;
        description = ''
          LiteLLM configuration, mounted read-only at `${image.configFile}`. It is
          copied to the world-readable Nix store, so it names keys
          (`api_key: os.environ/OPENAI_API_KEY`) and never holds one.
        '';
        example = lib.literalExpression "./litellm/all.yaml";
      };

      settings = lib.mkOption {
        type = lib.types.attrsOf lib.types.anything;
        default = { };
        description = ''
          Settings of LiteLLM that are merged into the file, or are the whole configuration
          without one: a mapping into the one that is there, everything else in its place.
          The result is judged by `nixcfg validate` when the system is built, which needs
          {option}`services.litellm-proxy.package`.
        '';
        example = {
          router_settings.num_retries = 5;
        };
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
  options.services.litellm-proxy = {
    enable = lib.mkEnableOption "the LiteLLM proxy, an OpenAI-compatible gateway to many LLM providers, in a container";

    image = lib.mkOption {
      type = lib.types.str;
      default = "ghcr.io/berriai/litellm:v1.108.14";
      description = ''
        The image to run: a release of LiteLLM, best with its digest. Tags that move
        to other releases get a warning. A release that was compromised, or has a hole that
        is exploited or needs no key, is refused (releases.json).
      '';
      example = "ghcr.io/berriai/litellm:v1.108.14@sha256:…";
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
        description = "Time between two health checks (`${image.alivePath}`, which costs nothing).";
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
        default = if cfg.workers > 4 then "${toString (512 * cfg.workers)}m" else "2g";
        defaultText = lib.literalMD "`2g`, or 512 MB for each of more than four {option}`services.litellm-proxy.workers`";
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
        description = "Size of `${image.writable}`, the one place in the container that can be written to.";
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
