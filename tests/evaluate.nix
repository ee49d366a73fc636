# Evaluates rendered folders with the module system of nixpkgs and nothing else of NixOS: what is
# asked for here are the values of our own options. tests/nix evaluates whole systems.
{ folders }:
let
  lib = import <nixpkgs/lib>;

  # The options of NixOS, sops-nix and agenix that the rendered files or the module may touch.
  stand-ins =
    { lib, ... }:
    {
      options = lib.genAttrs [ "age" "assertions" "environment" "networking" "sops" "systemd" "warnings" ] (
        _: lib.mkOption { type = lib.types.unspecified; }
      ) // {
        services = lib.genAttrs [ "grafana" "nginx" "postgresql" "postgresqlBackup" "prometheus" "redis" ] (
          _: lib.mkOption { type = lib.types.unspecified; }
        );
        virtualisation.oci-containers = {
          backend = lib.mkOption { default = "podman"; };
          containers = lib.mkOption { type = lib.types.unspecified; };
        };
      };
      config.sops.secrets = lib.genAttrs [ "anthropic" "open ai/key" "a b; rm -rf ~ #'" ] (name: {
        path = "/run/secrets/${name}";
      });
      config.age.secrets."litellm master".path = "/run/agenix/litellm master";
    };

  evaluate =
    folder:
    let
      evaluated = lib.evalModules {
        modules = [
          (/. + folder + "/docker.nix")
          stand-ins
        ];
        specialArgs.pkgs = throw "a rendered value depends on pkgs";
      };
      cfg = evaluated.config.services.litellm-proxy;
    in
    {
      inherit (cfg)
        enable
        backend
        image
        listenAddress
        port
        auth
        modelConfig
        masterKeyFile
        environment
        instances
        workers
        saltKeyFile
        ;
      database = {
        inherit (cfg.database)
          createLocally
          host
          port
          name
          user
          passwordFile
          sslMode
          ;
      };
      redis = {
        inherit (cfg.redis)
          createLocally
          host
          port
          passwordFile
          ;
      };
      metrics = cfg.metrics.enable;
      configs = lib.mapAttrs (_: config: {
        file = toString config.file;
        inherit (config) secrets;
      }) cfg.configs;
      secrets = lib.mapAttrs (_: secret: {
        inherit (secret)
          file
          kind
          optional
          encrypted
          ;
      }) cfg.secrets;
    };
in
map evaluate folders
