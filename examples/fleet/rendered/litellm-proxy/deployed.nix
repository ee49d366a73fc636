# What this machine runs, for `nixcfg plan`, which compares it with the sources: names and
# places, and nothing that is secret.
{
  config,
  lib,
  ...
}@args:

let
  inherit (import ./common.nix args)
    accessFile
    cfg
    configFile
    instances
    selected
    ;
  inherit (import ./revision.nix args) revision;
in
{
  config = lib.mkIf cfg.enable {
    environment.etc."nixcfg/litellm-proxy.json".text = builtins.toJSON {
      module = import ./version.nix;
      inherit (cfg)
        auth
        backend
        environment
        hostPorts
        image
        instances
        listenAddress
        modelConfig
        port
        workers
        ;
      access = accessFile;
      config = configFile;
      hasSettings = selected.settings != { };
      metrics = cfg.metrics.enable;
      keyFiles = lib.genAttrs selected.secrets (variable: toString cfg.secrets.${variable}.file);
      # Each container, and what stands for all that it is started with.
      revisions = lib.listToAttrs (
        map (instance: lib.nameValuePair instance.name (revision instance)) instances
      );
    };
  };
}
