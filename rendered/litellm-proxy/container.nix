# The container and the unit that runs it; with several instances, one of each for
# every instance.
#
#   <backend>-litellm-proxy.service   the container (virtualisation.oci-containers)
#   litellm-proxy-failure.service     says why it was not started
{
  config,
  lib,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    bytecodeFolder
    cacheService
    cfg
    configFile
    environmentFile
    hasDatabase
    hasTLS
    image
    instances
    isFleet
    makeBytecodeFolder
    ownFile
    runtimeDirectory
    secretFiles
    ;

  defaultEnvironment =
    image.defaultEnvironment
    // image.drain cfg.drainSeconds
    // lib.optionalAttrs (cfg.workers > 1) image.patience
    // lib.optionalAttrs (!hasDatabase) image.withoutPages;

  # Databases on this machine that LiteLLM may be told to use: it fails without them.
  localServices =
    lib.optionals (config.services.postgresql.enable or false) [
      "postgresql.service"
      "postgresql.target"
    ]
    ++ lib.mapAttrsToList (
      name: _: if name == "" then "redis.service" else "redis-${name}.service"
    ) (lib.filterAttrs (_: server: server.enable) (config.services.redis.servers or { }));

  # systemd starts this when the keys did not let the container start. Whatever else fails
  # is tried again, for as long as it takes.
  failureScript = instance: ''
    if systemctl is-failed --quiet litellm-proxy-secrets.service; then
      echo "<3>${instance.unit}.service was not started, because its keys cannot be used: journalctl -u litellm-proxy-secrets.service -n 20. It starts by itself when they can." >&2
    else
      echo "<3>${instance.unit}.service was not started: journalctl -u ${instance.unit}.service -n 50." >&2
    fi
  '';

  # Said each time that the container has failed.
  whyItFailed = instance: ''
    if [ "''${SERVICE_RESULT:-success}" != success ]; then
      case ''${EXIT_STATUS:-} in
        ${image.refusals}) echo "<3>LiteLLM itself refused to start: its configuration, its master key or its database is not accepted." >&2 ;;
        125) echo "<3>${cfg.backend} could not create the container: the image cannot be had, or ${instance.address}:${toString instance.port} is taken." >&2 ;;
        137 | KILL) echo "<3>The container was killed: by the memory limit (${cfg.resources.memory}), or because its health check failed." >&2 ;;
      esac
    fi
  '';

  container = instance: {
    inherit (cfg) image imageFile;
    # The keys are mounted and not given to the engine, which would keep them.
    inherit (image) entrypoint;
    cmd = image.command environmentFile;
    user = "${toString image.user}:${toString image.user}";
    environment =
      defaultEnvironment // cfg.environment // cfg.internal.environment // image.fixedEnvironment;
    log-driver = "journald";
    ports = [ "${instance.address}:${toString instance.port}:${toString image.containerPort}" ];
    volumes = [
      "${configFile}:${image.configFile}:ro"
      "${ownFile "start.py"}:${image.startFile}:ro"
      # Beside start.py, which looks for them there.
      "${ownFile "missing_key.py"}:${dirOf image.startFile}/missing_key.py:ro"
      "${bytecodeFolder}:${image.bytecode}:ro"
      # This file and not its directory: every start makes a new container.
      "${environmentFile}:${environmentFile}:ro"
    ]
    ++ lib.optional hasDatabase "${ownFile "salt_key.py"}:${dirOf image.startFile}/salt_key.py:ro"
    ++ cfg.internal.volumes;
    extraOptions = [
      "--security-opt=no-new-privileges"
      "--read-only"
      "--tmpfs=${image.writable}:rw,noexec,nosuid,nodev,mode=1777,size=${cfg.resources.tmpSize}"
      "--pids-limit=${toString cfg.resources.pids}"
      "--memory=${cfg.resources.memory}"
      # No swap, and no core dump: both would put keys on the disk.
      "--memory-swap=${cfg.resources.memory}"
      "--ulimit=core=0"
    ]
    ++ lib.optional (cfg.resources.cpus != null) "--cpus=${cfg.resources.cpus}"
    ++ [
      # Time to finish the requests that are being answered.
      "--stop-signal=${image.stopSignal}"
      "--stop-timeout=${toString cfg.drainSeconds}"
      "--health-cmd=${image.healthCommand}"
      "--health-interval=${cfg.health.interval}"
      "--health-retries=${toString cfg.health.retries}"
      "--health-start-period=${cfg.health.startPeriod}"
      "--health-timeout=${cfg.health.timeout}"
    ]
    ++ (
      if cfg.backend == "podman" then
        [ "--health-on-failure=kill" ]
      else
        # podman's name for the host, so that a configuration works with both.
        [ "--add-host=host.containers.internal:host-gateway" ]
    )
    ++ cfg.internal.extraOptions
    ++ cfg.extraOptions;
  };

  unit = instance: {
    description = lib.mkDefault "LiteLLM proxy";
    # Every start assembles the keys again, and does not happen without them. The
    # wiring does not stay active after its work, so that it can run again
    # without touching a container that needs no restart.
    requires = [ "litellm-proxy-secrets.service" ];
    after = [ "litellm-proxy-secrets.service" ] ++ localServices;
    inherit (cfg.internal) wants restartTriggers;
    onFailure = [ "${failureUnit instance}.service" ];
    # podman mounts nothing that does not exist.
    preStart = makeBytecodeFolder;
    postStop = lib.mkMerge [
      (lib.mkBefore (whyItFailed instance))
      # Before podman or docker remove the container, which might fail.
      (lib.mkIf (!isFleet) (
        lib.mkBefore ''
          rm -rf ${environmentFile} ${secretFiles} ${runtimeDirectory}/fingerprint ${instance.started}
        ''
      ))
      # podman finds the container by this file, and leaves it behind.
      (lib.mkIf (cfg.backend == "podman") (lib.mkAfter "rm -f /run/${instance.unit}.ctr-id\n"))
    ];
    # A database that is away for an hour needs no one who starts this again.
    startLimitIntervalSec = 0;
    serviceConfig = cacheService // {
      # Stopped while it starts, LiteLLM ends with one of these.
      SuccessExitStatus = "130 143";
      RestartSec = 5;
      # 5 s, then ever longer, up to 2 minutes (systemd 254; older ones stay at 5 s).
      RestartSteps = 6;
      RestartMaxDelaySec = 120;
      # Newer oci-containers modules use this very directory for podman.
      RuntimeDirectoryMode = "0700";
      RuntimeDirectoryPreserve = true;
      # oci-containers gives two minutes.
      TimeoutStopSec = lib.mkIf (cfg.drainSeconds > 90) (lib.mkForce (cfg.drainSeconds + 30));
    };
  };

  sandbox = import ./sandbox.nix;
  failureUnit =
    instance: "litellm-proxy-failure${lib.optionalString isFleet "-${toString instance.index}"}";
  forEach = name: value: lib.listToAttrs (map (i: lib.nameValuePair (name i) (value i)) instances);
in
{
  config = lib.mkIf cfg.enable {
    virtualisation.oci-containers.containers = forEach (instance: instance.name) container;

    systemd.services =
      forEach (instance: instance.unit) unit
      // forEach failureUnit (instance: {
        description = "Say why the LiteLLM proxy was not started";
        script = failureScript instance;
        serviceConfig = sandbox // {
          Type = "oneshot";
          # systemctl asks systemd.
          RestrictAddressFamilies = "AF_UNIX";
        };
      });

    networking.firewall.allowedTCPPorts = lib.mkIf (cfg.openFirewall && !hasTLS) [ cfg.port ];
  };
}
