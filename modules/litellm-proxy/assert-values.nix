# What is refused of durations, sizes and counts: what docker and podman would refuse at the
# start, or take for something else.
{
  lib,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    cfg
    milliseconds
    opt
    ;

  durations = [
    {
      name = "health.interval";
      least = 1000;
    }
    {
      name = "health.startPeriod";
      least = 0;
    }
    {
      name = "health.timeout";
      least = 1000;
    }
  ];
  given = name: lib.getAttrFromPath (lib.splitString "." name) cfg;

  # Measured with one worker that has answered requests: docs/scale.md.
  megabytesOfWorker = 350;
  unit = {
    b = 1;
    k = 1024;
    m = 1024 * 1024;
    g = 1024 * 1024 * 1024;
  };
  bytes =
    size:
    lib.toInt (lib.removeSuffix (lib.substring (lib.stringLength size - 1) 1 size) size)
    * unit.${lib.substring (lib.stringLength size - 1) 1 size};
  needed = cfg.workers * megabytesOfWorker;
in
{
  config = lib.mkIf cfg.enable {
    assertions =
      lib.concatMap (
        { name, least }:
        let
          value = milliseconds (given name);
        in
        [
          {
            assertion = value != null && value >= least;
            message = ''
              ${opt name} = ${builtins.toJSON (given name)} is not a time that ${cfg.backend} takes${
                lib.optionalString (least > 0) ", or less than one second"
              }.
              Write a number with ms, s, m or h, such as "30s" or "1m30s".
            '';
          }
        ]
      ) durations
      ++ [
        {
          assertion = bytes cfg.resources.memory >= needed * unit.m;
          message = ''
            ${opt "resources.memory"} = "${cfg.resources.memory}" is too little for ${opt "workers"} = ${toString cfg.workers}: each needs about ${toString megabytesOfWorker} MB, and the kernel would kill them.
            Set ${opt "resources.memory"} = "${toString needed}m" or more, or run fewer workers.
          '';
        }
        {
          assertion = cfg.resources.cpus == null || builtins.match "[0.]*" cfg.resources.cpus == null;
          message = ''
            ${opt "resources.cpus"} = "${toString cfg.resources.cpus}": ${cfg.backend} takes that for no limit at all.
            Write more than 0, such as "1.5", or null for no limit.
          '';
        }
      ];
  };
}
