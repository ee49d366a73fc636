# A switch with one container: the image is fetched and the keys are checked while the
# old container still answers, and it is restarted only when both are there.
#
#   litellm-proxy-image.service   does so; a switch starts it when something has changed
#
# With several containers litellm-proxy-roll.service does the same, see instances.nix.
{
  config,
  lib,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    cacheService
    cfg
    instances
    isFleet
    ;
  inherit (import ./bytecode.nix args) compileImage;
  inherit (import ./revision.nix args)
    fetchImage
    isCurrent
    revision
    writeStarted
    ;

  sandbox = import ./sandbox.nix;
  dockerSandbox = sandbox // {
    RestrictAddressFamilies = "AF_UNIX";
    # Where root has logged in to a registry.
    ProtectHome = "read-only";
    # To give the folder of the bytecode to the user in the container.
    CapabilityBoundingSet = lib.optional (cfg.containerUid != 0) "CAP_CHOWN";
    SystemCallFilter = sandbox.SystemCallFilter ++ [ "@chown" ];
  };

  instance = lib.head instances;
  unit = "${instance.unit}.service";
in
{
  config = lib.mkIf (cfg.enable && !isFleet) {
    systemd.services = {
      ${instance.unit} = {
        # Not by the switch, which stops it first.
        restartIfChanged = false;
        after = [ "litellm-proxy-image.service" ];
        preStart = lib.mkBefore (writeStarted instance);
      };

      litellm-proxy-image = {
        description = "Fetch the image of the LiteLLM proxy, and restart the proxy if it has changed";
        wantedBy = [ "multi-user.target" ];
        wants = [ "network-online.target" ];
        after = [
          "network-online.target"
        ]
        ++ lib.optionals (cfg.backend == "docker") [
          "docker.service"
          "docker.socket"
        ];
        # A switch stops and starts nothing else.
        stopIfChanged = false;
        restartTriggers = [ (revision instance) ];
        path = [ config.virtualisation.${cfg.backend}.package ];
        script = ''
          ${fetchImage}
          ${compileImage}
          ${isCurrent}
          fetch_image
          compile_image
          if ! systemctl is-active --quiet ${unit}; then
            # What starts it at boot goes on; what had failed may start now.
            systemctl start --no-block ${unit}
          elif ! is_current ${instance.started} ${revision instance}; then
            # The start finds out too, but after the stop.
            if ! systemctl start litellm-proxy-secrets.service; then
              echo "<3>The keys cannot be used, see the messages of litellm-proxy-secrets.service. ${unit} was not restarted." >&2
              exit 1
            fi
            systemctl restart --no-block ${unit}
          fi
        '';
        startLimitIntervalSec = 0;
        # podman unpacks an image itself, docker is only asked to.
        serviceConfig = lib.optionalAttrs (cfg.backend == "docker") dockerSandbox // cacheService // {
          Type = "oneshot";
          RemainAfterExit = true;
          TimeoutStartSec = "infinity";
          # A registry that is away is asked again.
          Restart = "on-failure";
          RestartSec = 30;
          RestartSteps = 5;
          RestartMaxDelaySec = 600;
        };
      };
    };
  };
}
