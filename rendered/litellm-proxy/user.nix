# As whom the process in the container runs: inside, and on this machine.
{
  config,
  lib,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    cfg
    image
    instances
    opt
    ;
  containers = map (
    instance: config.virtualisation.oci-containers.containers.${instance.name}
  ) instances;

  # An option of newer oci-containers modules.
  podmanUsers = lib.subtractLists [ "root" ] (
    map (container: if container.podman or null == null then "root" else container.podman.user) containers
  );
  isMapped = cfg.containerUid != image.user;
  remaps =
    cfg.backend == "docker"
    && (config.virtualisation.docker.daemon.settings.userns-remap or "") != "";
in
{
  options.services.litellm-proxy = {
    nonRootImage = lib.mkOption {
      type = lib.types.bool;
      default = lib.hasInfix "non_root" cfg.image;
      defaultText = lib.literalMD "whether the image's name has `non_root` in it";
      description = ''
        Whether the process in the container is nobody (${toString image.nobody}), as the images
        `litellm-non_root` want it, instead of root without a capability.
      '';
      example = true;
    };

    containerUid = lib.mkOption {
      type = lib.types.ints.unsigned;
      default = image.user;
      defaultText = lib.literalMD "`${toString image.nobody}` with {option}`services.litellm-proxy.nonRootImage`, otherwise `0`";
      description = ''
        The user on this machine that the process in the container is, to whom its keys are
        given. It is another one than in the container where the engine maps users, as
        docker does with `userns-remap`: the first of its subordinate user ids. PostgreSQL
        and Redis on this machine do not know that user, so that
        {option}`services.litellm-proxy.database.createLocally` and
        {option}`services.litellm-proxy.redis.createLocally` are refused with it, and so is
        rootless podman.
      '';
      example = 100000;
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = podmanUsers == [ ];
        message = ''
          virtualisation.oci-containers.containers.<name>.podman.user = "${toString (lib.head podmanUsers)}": the keys are handed to a container of root, and rootless podman cannot mount them.
          Remove it. The process in the container has no capability, and with ${opt "nonRootImage"} = true it is not root either.
        '';
      }
      {
        assertion = !remaps || isMapped;
        message = ''
          virtualisation.docker.daemon.settings.userns-remap makes another user of this machine of the process in the container, and ${opt "containerUid"} = ${toString cfg.containerUid} gives the keys to the wrong one.
          Set ${opt "containerUid"} to the first subordinate user id of "${config.virtualisation.docker.daemon.settings.userns-remap}", as it is in /etc/subuid.
        '';
      }
    ]
    ++ map (service: {
      assertion = !(isMapped && cfg.${service}.createLocally);
      message = ''
        ${opt "containerUid"} = ${toString cfg.containerUid} with ${opt "${service}.createLocally"}: the server lets the container in by its user, and knows none of that number.
        Remove ${opt "containerUid"} and the mapping of users, or set ${opt "${service}.host"}.
      '';
    }) [ "database" "redis" ];
  };
}
