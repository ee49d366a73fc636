# New keys are tried before the running container is stopped: LiteLLM is started with them a
# second time, on no port of this machine, and only if it answers is the container restarted.
#
#   litellm-proxy-trial.service   does so; litellm-proxy-rotate starts it
#
# With several instances there is none: the first one that does not start ends the row, and
# the others go on with the keys that they have.
{
  config,
  lib,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    cfg
    hasDatabase
    image
    instances
    isFleet
    ;
  instance = lib.head instances;
  container = config.virtualisation.oci-containers.containers.${instance.name};
  name = "litellm-proxy-trial";

  # What belongs to the running container alone, and what restarts or watches a container.
  isItsOwn =
    option:
    lib.hasPrefix "health-" option
    || lib.elem option [
      "cidfile"
      "hostname"
      "ip"
      "ip6"
      "mac-address"
      "name"
      "network-alias"
      "publish"
      "pull"
      "restart"
      "sdnotify"
    ];
  # withoutItsOwn WORDS: each of these takes a value, in its own word or in the next one.
  withoutItsOwn =
    words:
    let
      word = lib.head words;
      rest = lib.tail words;
      long = builtins.match "--([a-z0-9-]+)(=.*)?" word;
      short = builtins.match "-[ph](.*)" word;
    in
    if words == [ ] then
      [ ]
    else if word == "-P" || word == "--publish-all" then
      withoutItsOwn rest
    else if long != null && isItsOwn (lib.head long) then
      withoutItsOwn (lib.drop (if lib.last long == null then 1 else 0) rest)
    else if short != null then
      withoutItsOwn (lib.drop (if lib.head short == "" then 1 else 0) rest)
    else
      [ word ] ++ withoutItsOwn rest;

  capabilities = container.capabilities or { };
  environment =
    removeAttrs container.environment (lib.attrNames (image.workers 1))
    # The running one has the tables that it needs.
    // lib.optionalAttrs hasDatabase image.keepTables;

  run =
    container.preRunExtraOptions or [ ]
    ++ [
      "run"
      "--detach"
      "--name=${name}"
      "--log-driver=${container.log-driver}"
      "--no-healthcheck"
      "--pull=never"
    ]
    ++ lib.optional (container.entrypoint != null) "--entrypoint=${container.entrypoint}"
    ++ lib.mapAttrsToList (variable: value: "--env=${variable}=${value}") environment
    ++ lib.optional (container.user != null) "--user=${container.user}"
    ++ map (volume: "--volume=${volume}") container.volumes
    ++ lib.optional (container.workdir != null) "--workdir=${container.workdir}"
    ++ lib.mapAttrsToList (
      capability: isAdded: "--cap-${if isAdded then "add" else "drop"}=${capability}"
    ) (lib.filterAttrs (_: isAdded: isAdded != null) capabilities)
    ++ map (device: "--device=${device}") (container.devices or [ ])
    ++ map (network: "--network=${network}") (container.networks or [ ])
    ++ withoutItsOwn container.extraOptions
    ++ [ container.image ]
    ++ container.cmd;

  seconds = 300;
  remove = "${cfg.backend} rm --force ${name} > /dev/null 2>&1 || true";
in
{
  config = lib.mkIf (cfg.enable && !isFleet) {
    systemd.services.litellm-proxy-trial = {
      description = "Try whether the LiteLLM proxy starts with new keys";
      # Stopped with it, and never started by it.
      partOf = [ "${instance.unit}.service" ];
      path = [ config.virtualisation.${cfg.backend}.package ];
      script = ''
        ${remove}
        if ! ${cfg.backend} ${lib.escapeShellArgs run} > /dev/null; then
          echo "<3>${cfg.backend} could not create a second container for the trial." >&2
          exit 1
        fi
        for _ in {1..${toString seconds}}; do
          if ${cfg.backend} exec ${name} sh -c ${lib.escapeShellArg image.healthCommand} > /dev/null 2>&1; then
            echo "LiteLLM starts with the new keys."
            exit 0
          fi
          state=$(${cfg.backend} inspect --format '{{.State.Running}} {{.State.ExitCode}}' ${name})
          if [ "''${state% *}" != true ]; then
            echo "<3>LiteLLM does not start with the new keys: it ended with ''${state#* }. What it said: journalctl CONTAINER_NAME=${name} -n 30" >&2
            exit 1
          fi
          sleep 1
        done
        echo "<3>LiteLLM does not start with the new keys: it has not answered for ${toString seconds} seconds." >&2
        exit 1
      '';
      # Whatever ended it.
      postStop = remove;
      startLimitIntervalSec = 0;
      # podman starts containers itself, docker is only asked to.
      serviceConfig =
        lib.optionalAttrs (cfg.backend == "docker") (
          import ./sandbox.nix // { RestrictAddressFamilies = "AF_UNIX"; }
        )
        // {
          Type = "oneshot";
          TimeoutStartSec = seconds + 120;
        };
    };
  };
}
