# What is refused when the configuration is evaluated, and what is only warned of: the
# image, the configuration, the number of containers. Further files: assert-*.nix.
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
    inStore
    isFleet
    isPath
    opt
    quoted
    selected
    undeclared
    usesRedis
    ;

  # registry:port/name:tag@digest
  imageDigest = builtins.match ".*@(sha256:[0-9a-f]{64})" cfg.image;
  isPinned =
    common.isLoaded
    || imageDigest != null
    || builtins.match ".*[0-9]+[.][0-9]+[.][0-9]+.*" known.tag != null;

  known = import ./releases.nix { inherit lib; } cfg.image;
in
{
  config = lib.mkIf cfg.enable {
    warnings =
      lib.optional (!isPinned) ''
        ${opt "image"} = "${cfg.image}" is not tied to a release: it may be another
        program tomorrow. Name a release, such as "${
          options.services.litellm-proxy.image.default
        }". LiteLLM's moving tags pointed at the compromised 1.107.0 on 2026-10-21.
      ''
      ++ lib.optional (known.holes != [ ] && known.exploited == [ ] && known.compromised == [ ]) ''
        ${opt "image"} = "${cfg.image}" is a release of LiteLLM with known holes: ${known.describe known.holes}.
        Use a newer release, such as "${options.services.litellm-proxy.image.default}".
      ''
      ++ lib.optional (known.suspected != [ ]) ''
        ${opt "image"} = "${cfg.image}" has the tag of a compromised LiteLLM, and its name does not say
        whether it is LiteLLM: ${known.describe known.suspected}.
        `nixcfg pin` looks into the image: it refuses that release, and pins any other by its digest.
      ''
      ++ lib.optional (cfg.workers > 1 && !usesRedis) ''
        ${opt "workers"} = ${toString cfg.workers} without Redis: each worker counts rate
        limits, budgets and failing deployments for itself. Where that matters, set
        ${opt "redis.createLocally"} = true.
      ''
      ++ lib.optional (selected.file != null && !isPath selected.file && !inStore selected.file) ''
        ${opt "configs"}.${cfg.modelConfig}.file = "${toString selected.file}" is read when
        the container starts, and a change to it does not restart anything. Write a path
        without quotes, such as ./litellm/${cfg.modelConfig}.yaml.
      '';

    assertions = [
      {
        assertion = lib.length (lib.unique cfg.internal.versions) <= 1;
        message = ''
          services.litellm-proxy is imported from copies that differ: ${lib.concatStringsSep " and " (lib.unique cfg.internal.versions)}. The first would win, whichever is newer.
          Run `nixcfg render` with the nixcfg of your flake, or set `module: flake` in nixcfg.yaml, so that docker.nix brings no copy of its own.
        '';
      }
      {
        assertion = !isFleet || usesRedis;
        message = ''
          ${opt "instances"} = ${toString cfg.instances} without Redis: each instance would count rate limits, budgets and failing deployments for itself, so that every limit is ${toString cfg.instances} times what it says.
          Set ${opt "redis.createLocally"} = true, or ${opt "redis.host"}.
        '';
      }
      {
        assertion = !isFleet || cfg.nginx.enable;
        message = ''
          ${opt "instances"} = ${toString cfg.instances} with ${opt "nginx.enable"} = false: nothing would hand requests to them.
          Set ${opt "nginx.enable"} = true, or ${opt "instances"} = 1.
        '';
      }
      {
        assertion = known.compromised == [ ];
        message = ''
          ${opt "image"} = "${cfg.image}" is a compromised release of LiteLLM: ${known.describe known.compromised}.
          Use another release, such as "${options.services.litellm-proxy.image.default}". If it has run, replace every key that it could read.
        '';
      }
      {
        assertion = known.exploited == [ ] || known.compromised != [ ];
        message = ''
          ${opt "image"} = "${cfg.image}" is a release of LiteLLM with holes that are exploited or need no key: ${known.describe (known.exploited ++ known.holes)}.
          Use a newer release, such as "${options.services.litellm-proxy.image.default}".
        '';
      }
    ]
    ++ lib.mapAttrsToList (name: value: {
      assertion = undeclared value.secrets == [ ];
      message = ''
        ${opt "configs"}.${name}.secrets: ${quoted (undeclared value.secrets)} not declared.
        Set ${
          lib.concatMapStringsSep " and " (secret: "${opt "secrets"}.${secret}.file") (
            undeclared value.secrets
          )
        } to the path of the key file.
      '';
    }) cfg.configs;
  };
}
