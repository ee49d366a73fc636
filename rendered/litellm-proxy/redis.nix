# Redis, in which instances and workers share what each would count for itself: limits,
# cooldowns, spend, and cached answers.
{
  config,
  lib,
  options,
  pkgs,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    cfg
    opt
    usesRedis
    ;
  inherit (cfg) redis;

  server = "litellm-proxy";
  directory = "/run/redis-${server}";
  socket = "${directory}/redis.sock";
in
{
  options.services.litellm-proxy.redis = {
    createLocally = lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = ''
        Whether to run Redis on this machine for what instances and workers share:
        limits, cooldowns and spend counters, and the answers that
        `litellm_settings.cache` keeps. It is {option}`services.redis.servers.${server}`,
        which listens on a Unix socket that only root and the container get at, and on no
        port.
      '';
      example = true;
    };

    host = lib.mkOption {
      type = lib.types.nullOr lib.types.str;
      default = null;
      description = ''
        Name or address of a Redis server elsewhere, for instances on several machines.
        In the container `127.0.0.1` is the container itself. For TLS set
        {option}`services.litellm-proxy.environment` `REDIS_SSL = "True"`, for a user
        other than the default one `REDIS_USERNAME`.
      '';
      example = "redis.example.org";
    };

    port = lib.mkOption {
      type = lib.types.port;
      default = 6379;
      description = "Port of {option}`services.litellm-proxy.redis.host`.";
      example = 6380;
    };

    passwordFile = lib.mkOption {
      type = lib.types.nullOr lib.types.path;
      default = null;
      description = ''
        The file that holds the password for {option}`services.litellm-proxy.redis.host`
        and nothing else. Like every key file it is read when the service starts, and
        watched.
      '';
      example = "/etc/nixcfg/secrets/redis_password.txt";
    };
  };

  config = lib.mkIf cfg.enable {
    services.litellm-proxy.internal = {
      # The environment and not the configuration, because all three of LiteLLM's users
      # of Redis read it: the response cache, the coordination of workers, and through
      # that one the router. With a host but no port the router would go without.
      environment =
        lib.optionalAttrs redis.createLocally { REDIS_URL = "unix://${socket}"; }
        // lib.optionalAttrs (redis.host != null) {
          REDIS_HOST = redis.host;
          REDIS_PORT = toString redis.port;
        };
      variables = lib.mkIf usesRedis {
        REDIS_HOST = opt "redis.host";
        REDIS_PORT = opt "redis.port";
        REDIS_PASSWORD = opt "redis.passwordFile";
        # Each of these would win over the host, for all users or for some.
        REDIS_CLUSTER_NODES = opt "redis";
        REDIS_SENTINEL_NODES = opt "redis";
        REDIS_URL = opt "redis";
      };
      keyFiles = lib.optional (redis.passwordFile != null) {
        option = "redis.passwordFile";
        variable = "REDIS_PASSWORD";
        kind = "env";
        file = redis.passwordFile;
      };
      # The directory and not the socket, which is another one after each restart.
      volumes = lib.optional redis.createLocally "${directory}:${directory}:ro";
      extraOptions = lib.optional (redis.createLocally && cfg.nonRootImage) "--group-add=0";
      # LiteLLM does without a Redis that does not answer when it starts, and never tries
      # again, unless its configuration names it.
      wants = lib.optional redis.createLocally "redis-${server}.service";
    };

    services.redis.servers.${server} = lib.mkIf redis.createLocally {
      enable = true;
      port = 0;
      unixSocket = socket;
      unixSocketPerm = 660;
    };

    systemd.services."redis-${server}" = lib.mkIf redis.createLocally {
      serviceConfig = {
        # The container's root has no capabilities, so it is let in by its group. Redis
        # itself has no use for that group.
        ExecStartPost = [ "+${pkgs.coreutils}/bin/chgrp root ${directory} ${socket}" ];
        # Otherwise the directory is another one after a restart of Redis, and the
        # container keeps the former, in which there will never be a socket again.
        RuntimeDirectoryPreserve = true;
      };
    };

    assertions = [
      {
        assertion = !(redis.createLocally && redis.host != null);
        message = ''
          ${opt "redis.createLocally"} and ${opt "redis.host"} = "${toString redis.host}" are two servers, and LiteLLM takes one.
          Remove one of the two.
        '';
      }
      {
        assertion = redis.host != null || redis.passwordFile == null;
        message = ''
          ${opt "redis.passwordFile"} has no effect without ${opt "redis.host"}: a local Redis has a socket that no one else reaches, and no password.
          Remove it, or set ${opt "redis.host"}.
        '';
      }
    ]
    ++ common.hostAssertions {
      option = "redis";
      example = "redis.example.org";
      instead = "";
    } redis.host;
  };
}
