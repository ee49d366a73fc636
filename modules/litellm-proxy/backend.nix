# What runs the container: what the machine runs its other containers with.
{
  config,
  lib,
  options,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    cfg
    instances
    opt
    quoted
    ;
  containers = config.virtualisation.oci-containers;
  machine = options.virtualisation.oci-containers.backend;

  # Named for this service, by the user or in nixcfg.yaml. An option that has its default
  # alone has the priority of a default.
  isChosen =
    options.services.litellm-proxy.backend.highestPrio < (lib.mkOptionDefault null).priority;

  # Our definition decides for the machine when it is the only one.
  decides = isChosen && lib.length machine.definitionsWithLocations == 1 && isWeak;
  isWeak = machine.highestPrio == (lib.mkDefault null).priority;

  others = lib.attrNames (
    removeAttrs containers.containers (map (instance: instance.name) instances)
  );
in
{
  options.services.litellm-proxy.backend = lib.mkOption {
    type = lib.types.enum [
      "docker"
      "podman"
    ];
    default = containers.backend;
    defaultText = lib.literalExpression "config.virtualisation.oci-containers.backend";
    description = ''
      What runs the container: what the machine runs its other containers with. All
      containers share one backend, so another one here becomes
      {option}`virtualisation.oci-containers.backend`, and is refused where that would move
      containers that others declared.
    '';
    example = "podman";
  };

  config = lib.mkIf cfg.enable {
    # A default, so that a backend which was chosen for all containers gives the
    # assertion below instead of a conflict.
    virtualisation.oci-containers.backend = lib.mkIf isChosen (lib.mkDefault cfg.backend);

    assertions = [
      {
        assertion = containers.backend == cfg.backend;
        message = ''
          ${opt "backend"} = "${cfg.backend}", but virtualisation.oci-containers.backend = "${containers.backend}", and all containers share one backend.
          Set ${opt "backend"} = "${containers.backend}".
        '';
      }
      {
        assertion = !(decides && others != [ ] && cfg.backend != machine.default);
        message = ''
          ${opt "backend"} = "${cfg.backend}" would move ${quoted others} from ${machine.default} to ${cfg.backend}, without their images and volumes: all of virtualisation.oci-containers.containers share one backend.
          Remove ${opt "backend"} (backend in nixcfg.yaml). If all containers are meant to move, set virtualisation.oci-containers.backend = "${cfg.backend}".
        '';
      }
    ];
  };
}
