# What a container was started with, whether that is what it would start with now, and
# the image that it would need: for a switch and for a rotation of keys.
{
  config,
  lib,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common) cfg runtimeDirectory;
in
rec {
  # What an instance of the configuration at hand is started with, but for the keys. It
  # stands for the whole container, so that what is equal need not be restarted.
  revision =
    instance:
    builtins.hashString "sha256" (
      builtins.unsafeDiscardStringContext (
        builtins.toJSON [
          config.virtualisation.oci-containers.containers.${instance.name}
          config.virtualisation.${cfg.backend}.package
          config.systemd.services.${instance.unit}.environment
          cfg.internal.restartTriggers
        ]
      )
    );

  # What an instance was started with, to be compared with what it would start with now.
  writeStarted = instance: ''
    { echo ${revision instance}; cat ${runtimeDirectory}/fingerprint; } > ${instance.started}
  '';

  # is_current STARTED REVISION: nothing about the instance and its keys has changed.
  isCurrent = ''
    is_current() {
      [ -e "$1" ] && [ "$(< "$1")" = "$2"$'\n'"$(< ${runtimeDirectory}/fingerprint)" ]
    }
  '';

  # fetch_image: fails, with the reason, when the image is not here and cannot be had.
  fetchImage =
    if common.isLoaded then
      ''
        fetch_image() {
          ${
            if cfg.imageStream != null then
              "${cfg.imageStream} | ${cfg.backend} load --quiet"
            else
              "${cfg.backend} load --quiet --input ${cfg.imageFile}"
          }
        }
      ''
    else
      ''
        fetch_image() {
          local image=${lib.escapeShellArg cfg.image}
          if ! ${cfg.backend} image inspect "$image" > /dev/null 2>&1; then
            echo "Fetching $image."
            if ! ${cfg.backend} pull --quiet "$image"; then
              echo "<3>$image cannot be had. Nothing was restarted; the gateway goes on with what it runs." >&2
              return 1
            fi
          fi
        }
      '';
}
