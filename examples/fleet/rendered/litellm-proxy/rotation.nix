# The keys: watched while the proxy is wanted, and put to use when they change.
#
#   litellm-proxy-secrets.path, -2…   watch the key files
#   litellm-proxy-rotate.service      what the watchers start: assembles again (rotate.sh)
#                                     and restarts the container if the result differs and
#                                     LiteLLM starts with it (trial.nix)
{
  lib,
  pkgs,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    cfg
    generatedMasterKey
    generatesMasterKey
    instances
    isFleet
    mainUnit
    runtimeDirectory
    stateDirectory
    target
    unitPath
    wired
    ;
  inherit (import ./revision.nix args) isCurrent revision;
  instance = lib.head instances;
  inherit (instance) started;

  watchedFiles =
    map (secret: secret.file) wired
    ++ lib.optional generatesMasterKey generatedMasterKey
    ++ cfg.internal.generated
    ++ lib.optional (cfg.metrics.enable && cfg.metrics.keyFile != null) (toString cfg.metrics.keyFile);

  # Each key file too, which a path unit follows through a symlink.
  watchedPaths = import ./watched.nix args watchedFiles ++ lib.unique watchedFiles;

  # One path unit for each: when a path does not exist yet, systemd watches its parent,
  # and every event there makes it set up all watches of that unit again, which loses
  # what the others have seen (measured with systemd 252: half of all renames).
  watchers = lib.listToAttrs (
    lib.imap1 (
      index: path:
      lib.nameValuePair "litellm-proxy-secrets${lib.optionalString (index > 1) "-${toString index}"}" path
    ) watchedPaths
  );

  restartIfChanged = ''
    ${isCurrent}
    # No file of the second name: nothing runs, because the last start found no keys.
    if ! systemctl is-active --quiet litellm-proxy-secrets.path; then
      echo "${mainUnit} was stopped meanwhile; nothing to do."
    elif is_current ${started} ${revision instance}; then
      echo "The keys are those that the proxy runs with."
    else
      if systemctl is-active --quiet ${mainUnit}; then
        echo "Changed: $(changed_since ${started}). Trying them before ${mainUnit} is restarted."
        try_keys "$(changed_since ${started})"
      fi
      echo "The keys changed: starting ${mainUnit}."
      # At once, and not after the pause that failed starts have come to.
      systemctl reset-failed ${mainUnit} 2> /dev/null || true
      systemctl restart --no-block ${mainUnit}
    fi
  '';

  # It takes minutes, in which a key may change once more.
  rollIfChanged = ''
    ${cfg.internal.roll}
    if ! systemctl is-active --quiet ${target}; then
      echo "${target} was stopped meanwhile; nothing to do."
    else
      roll
      if [ "$(state_of_files)" != "$assembled" ]; then
        exec "$0"
      fi
    fi
  '';

  rotateScript = ''
    watched_files=(${lib.escapeShellArgs watchedFiles})
    fingerprint=${runtimeDirectory}/fingerprint
    ${builtins.readFile ./rotate.sh}
    assemble
    ${if isFleet then rollIfChanged else restartIfChanged}
    ${cfg.internal.rotation}
  '';
in
{
  config = lib.mkIf cfg.enable {
    services.litellm-proxy.internal = {
      wants = map (name: "${name}.path") (lib.attrNames watchers);
      restartTriggers = [
        (builtins.toJSON wired)
        (builtins.toJSON watchers)
      ];
    };

    systemd.services.litellm-proxy-rotate = {
      description = "Restart the LiteLLM proxy if its keys have changed";
      # A start that is under way reads the new keys or is over when this compares.
      after = map (instance: "${instance.unit}.service") instances;
      script = rotateScript;
      path = lib.mkIf isFleet [ pkgs.util-linux ];
      # A switch in the middle of it would leave it half done.
      restartIfChanged = !isFleet;
      startLimitIntervalSec = 0;
      serviceConfig =
        import ./sandbox.nix
        // {
          Type = "oneshot";
          # systemctl asks systemd.
          RestrictAddressFamilies = "AF_UNIX";
          # Key files are looked at where they are, whosever directory that is.
          CapabilityBoundingSet = [ "CAP_DAC_READ_SEARCH" ] ++ cfg.internal.rotationCapabilities;
          ProtectHome = "read-only";
        }
        // lib.optionalAttrs isFleet {
          # The files by which the instances are brought up to date.
          ReadWritePaths = [ "/run" ];
        };
    };

    systemd.paths = lib.mapAttrs (_: path: {
      description = "Watch ${unitPath path} for the LiteLLM proxy";
      # Watches before the keys are read, so that no change is lost in between.
      before = [ "litellm-proxy-secrets.service" ];
      # And as long as the proxy is wanted: a stop by hand ends it. A restart does not,
      # and a missing key does not, so the proxy starts when the key arrives.
      unitConfig.StopPropagatedFrom = mainUnit;
      pathConfig = {
        Unit = "litellm-proxy-rotate.service";
        PathChanged = unitPath path;
        # A burst of changes must not end the watch.
        TriggerLimitIntervalSec = 0;
      };
    }) watchers;
  };
}
