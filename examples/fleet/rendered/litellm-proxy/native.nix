# What oci-containers has an option for, where the nixpkgs at hand has it. Where it has not,
# the same is an option of docker and podman, in network.nix and container.nix.
{
  lib,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    cfg
    forEachInstance
    hasOwnNetwork
    isLoaded
    native
    opt
    ;
in
{
  options.services.litellm-proxy.imageStream = lib.mkOption {
    type = lib.types.nullOr lib.types.package;
    default = null;
    description = ''
      A script that prints an image archive, to load before each start: like
      {option}`services.litellm-proxy.imageFile`, without a copy of the archive in the Nix
      store. It needs a nixpkgs whose oci-containers has `imageStream`.
    '';
    example = lib.literalExpression "pkgs.dockerTools.streamLayeredImage { … }";
  };

  config = lib.mkIf cfg.enable {
    virtualisation.oci-containers.containers = forEachInstance (instance: instance.name) (
      _:
      lib.optionalAttrs (native "capabilities") { capabilities.ALL = false; }
      // lib.optionalAttrs (native "networks" && hasOwnNetwork) { networks = [ common.network ]; }
      // lib.optionalAttrs (native "imageStream") { inherit (cfg) imageStream; }
      # What was loaded is used, or nothing: a name that is not in the archive is a mistake.
      // lib.optionalAttrs (native "pull" && isLoaded) { pull = "never"; }
      # A unit that is active answers.
      // lib.optionalAttrs (native "podman" && cfg.backend == "podman") {
        podman.sdnotify = lib.mkDefault "healthy";
      }
    );
    services.litellm-proxy.internal.extraOptions =
      lib.optional (!native "capabilities") "--cap-drop=ALL"
      ++ lib.optional (!native "networks" && hasOwnNetwork) "--network=${common.network}"
      ++ lib.optional (!native "pull" && isLoaded) "--pull=never";

    assertions = [
      {
        assertion = cfg.imageStream == null || native "imageStream";
        message = ''
          ${opt "imageStream"}: oci-containers of this nixpkgs has no such option.
          Set ${opt "imageFile"} to an archive, or use a newer nixpkgs.
        '';
      }
      {
        assertion = cfg.imageStream == null || cfg.imageFile == null;
        message = ''
          ${opt "imageStream"} and ${opt "imageFile"} are two images.
          Remove one of the two.
        '';
      }
    ];
  };
}
