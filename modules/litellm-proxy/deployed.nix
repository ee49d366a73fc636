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
    wired
    ;
  inherit (import ./revision.nix args) revision;

  # server OPTION WHERE: "local", where it is, or "" without one.
  server =
    option: where:
    if option.createLocally then "local" else lib.optionalString (option.host != null) where;
  forEach = value: lib.listToAttrs (map (each: lib.nameValuePair each.name (value each)) instances);
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
      database =
        let
          db = cfg.database;
        in
        server db (
          "${db.user}@${toString db.host}:${toString db.port}/${db.name}"
          + lib.optionalString (db.sslMode != null) " ${db.sslMode}"
        );
      hasSettings = selected.settings != { };
      # Each key that is read when the service starts, and how.
      keyFiles = lib.listToAttrs (
        map (
          secret:
          lib.nameValuePair secret.variable {
            inherit (secret)
              encrypted
              file
              kind
              optional
              ;
          }
        ) wired
      );
      metrics = cfg.metrics.enable;
      # Each container: where it is published, and what stands for all that it is started with.
      published = forEach (each: "${each.address}:${toString each.port}");
      revisions = forEach revision;
      redis = server cfg.redis "${toString cfg.redis.host}:${toString cfg.redis.port}";
      # Where the values of virtual keys are.
      valueFiles = lib.mapAttrs (_: key: toString key.file) cfg.access.keys;
    };
  };
}
