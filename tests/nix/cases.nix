# Many systems at once, because each start of nix costs seconds: a map from a case's
# name to what its evaluation gives.
#
# `cases` is a file with a map from names to NixOS modules. Only definitions of our
# module are evaluated, so that the rest of NixOS stays lazy.
{
  cases,
  nixpkgs ? <nixpkgs>,
  oci ? null,
  # With the options that the newest oci-containers.nix has, see newer.nix.
  newer ? false,
}:

let
  lib = import (nixpkgs + "/lib");
  evaluate =
    module:
    let
      system = import ./system.nix {
        inherit nixpkgs oci;
        modules = [ module ] ++ lib.optional newer (import ./newer.nix { inherit nixpkgs; });
        quick = true;
      };
      inherit (system) config;
      # The first of several instances.
      name = "litellm-proxy${lib.optionalString (config.services.litellm-proxy.instances > 1) "-1"}";
      container = config.virtualisation.oci-containers.containers.${name};
      unit = config.systemd.services."${config.services.litellm-proxy.backend}-${name}";
      secrets = config.systemd.services.litellm-proxy-secrets;
      inherit (config.services)
        grafana
        nginx
        postgresql
        prometheus
        redis
        ;
    in
    if !config.services.litellm-proxy.enable then
      {
        enabled = false;
        leftovers = lib.filter (lib.hasInfix "litellm") (
          lib.attrNames config.systemd.services
          ++ lib.attrNames config.systemd.paths
          ++ lib.attrNames config.virtualisation.oci-containers.containers
        );
      }
    else
    {
      inherit (import ./complaints.nix system) assertions warnings;
      firewall = config.networking.firewall.allowedTCPPorts;
      bridges = lib.mapAttrs (_: rules: rules.allowedTCPPorts) config.networking.firewall.interfaces;
      container = {
        inherit (container)
          image
          ports
          volumes
          environment
          environmentFiles
          extraOptions
          entrypoint
          user
          cmd
          ;
      };
      native = lib.filterAttrs (name: _: lib.elem name [ "capabilities" "imageStream" "networks" "podman" "pull" ]) container;
      unit = {
        inherit (unit)
          after
          requires
          wants
          onFailure
          startLimitIntervalSec
          postStop
          preStart
          wantedBy
          ;
        inherit (unit) serviceConfig;
      };
      secrets = {
        inherit (secrets) serviceConfig unitConfig script;
      };
      watched = map (path: path.pathConfig.PathChanged) (
        lib.attrValues (lib.filterAttrs (name: _: lib.hasInfix "litellm" name) config.systemd.paths)
      );
      instances = lib.mapAttrs (
        name: container:
        let
          unit = config.systemd.services."${config.services.litellm-proxy.backend}-${name}";
        in
        {
          inherit (container) ports environment extraOptions;
          inherit (unit)
            after
            onFailure
            partOf
            preStart
            restartIfChanged
            wantedBy
            ;
          stopSeconds = unit.serviceConfig.TimeoutStopSec or null;
        }
      ) (lib.filterAttrs (name: _: lib.hasPrefix "litellm-proxy" name) config.virtualisation.oci-containers.containers);
      trial = config.systemd.services.litellm-proxy-trial.script or "";
      fetch = config.systemd.services.litellm-proxy-image.script or "";
      roll = config.systemd.services.litellm-proxy-roll.script or "";
      targets = lib.filter (lib.hasPrefix "litellm") (lib.attrNames config.systemd.targets);
      nginx = lib.optionalAttrs nginx.enable {
        inherit (nginx) enableReload upstreams;
        hosts = lib.mapAttrs (_: host: map (each: "${each.addr}:${toString each.port}") host.listen) nginx.virtualHosts;
        http = nginx.appendHttpConfig;
      };
      postgresql = lib.optionalAttrs postgresql.enable {
        inherit (postgresql)
          authentication
          ensureDatabases
          identMap
          ;
        connections = postgresql.settings.max_connections or null;
        owners = map (user: user.name) (lib.filter (user: user.ensureDBOwnership) postgresql.ensureUsers);
        runtimeDirectoryPreserve =
          config.systemd.services.postgresql.serviceConfig.RuntimeDirectoryPreserve or false;
      };
      redis = lib.mapAttrs (name: server: {
        inherit (server) port unixSocket unixSocketPerm;
        service = {
          inherit (config.systemd.services."redis-${name}") after;
          inherit (config.systemd.services."redis-${name}".serviceConfig)
            ExecStartPost
            RuntimeDirectoryPreserve
            ;
        };
      }) (lib.filterAttrs (name: server: server.enable && name == "litellm-proxy") redis.servers);
      prometheus = lib.optionalAttrs prometheus.enable {
        inherit (prometheus) checkConfig;
        scraped = map (job: {
          inherit (job) job_name metrics_path authorization;
          targets = lib.concatMap (static: static.targets) job.static_configs;
        }) prometheus.scrapeConfigs;
        ruleFiles = map baseNameOf prometheus.ruleFiles;
        service = {
          inherit (config.systemd.services.prometheus) after;
          inherit (config.systemd.services.prometheus.serviceConfig) User;
          load = config.systemd.services.prometheus.serviceConfig.LoadCredential or [ ];
          set = config.systemd.services.prometheus.serviceConfig.SetCredential or [ ];
        };
      };
      dashboards = lib.optionals grafana.enable (
        map (provider: builtins.attrNames (builtins.readDir provider.options.path)) (
          grafana.provision.dashboards.settings.providers or [ ]
        )
      );
      rotate = config.systemd.services.litellm-proxy-rotate.script;
      services = lib.filter (name: builtins.match ".*(litellm|-web|postgres|redis|prometheus|grafana).*" name != null) (
        lib.attrNames config.systemd.services
      );
      chosen = config.services.litellm-proxy.backend;
      machine = config.virtualisation.oci-containers.backend;
      backends = {
        docker = config.virtualisation.docker.enable;
        podman = config.virtualisation.podman.enable;
      };
    };
in
lib.mapAttrs (_: evaluate) (import cases)
