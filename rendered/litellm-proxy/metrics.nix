# Metrics for Prometheus and Grafana on this machine: what to scrape and with which key,
# what to be told of (alerts.yaml), and what to look at (dashboard.json).
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
    generatedMasterKey
    instanceAddresses
    unitPath
    ;

  credential = "litellm-proxy-master-key";
  loaded = "/run/credentials/prometheus.service/${credential}";
  key =
    if cfg.metrics.keyFile != null then
      toString cfg.metrics.keyFile
    else if cfg.masterKeyFile != null then
      toString cfg.masterKeyFile
    else
      generatedMasterKey;
  needsKey = cfg.auth == "master-key";

  hasPrometheus = config.services.prometheus.enable;
in
{
  options.services.litellm-proxy.metrics = {
    enable = lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = ''
        Whether Prometheus and Grafana of this machine, {option}`services.prometheus` and
        {option}`services.grafana` where they are enabled, take notice of the gateway: every
        instance is scraped, with the master key, which Prometheus gets from systemd; there
        are alerts for what goes wrong, and a dashboard. LiteLLM itself has metrics when its
        configuration says `litellm_settings.callbacks: [prometheus]`.
      '';
      example = true;
    };

    keyFile = lib.mkOption {
      type = lib.types.nullOr lib.types.path;
      default = null;
      defaultText = lib.literalMD "`null`: the master key";
      description = ''
        The file that holds the key with which Prometheus asks for metrics: a virtual key
        that may do nothing else, such as one made with `allowed_routes: ["/metrics"]`. It
        needs a database.
      '';
      example = "/etc/nixcfg/secrets/metrics_key.txt";
    };
  };

  config = lib.mkIf (cfg.enable && cfg.metrics.enable) {
    services.prometheus = lib.mkIf hasPrometheus {
      scrapeConfigs = [
        (
          {
            job_name = "litellm-proxy";
            # Without the slash LiteLLM answers with a redirection.
            metrics_path = "/metrics/";
            static_configs = [ { targets = instanceAddresses; } ];
          }
          // lib.optionalAttrs needsKey { authorization.credentials_file = loaded; }
        )
      ];
      ruleFiles = [ ./alerts.yaml ];
      # The build has no credentials to look at.
      checkConfig = lib.mkIf needsKey (lib.mkDefault "syntax-only");
    };

    systemd.services.prometheus = lib.mkIf (hasPrometheus && needsKey) {
      # The key is generated there, if it is.
      after = [ "litellm-proxy-secrets.service" ];
      serviceConfig = {
        LoadCredential = [ "${credential}:${unitPath key}" ];
        # Without a key file it is this, and Prometheus watches everything else.
        SetCredential = [ "${credential}:${common.missingKey}" ];
      };
    };

    # systemd hands out a credential when the unit starts, and hides it from units with a
    # file system of their own, such as this one; that of process 1 is the machine's.
    services.litellm-proxy.internal.rotationCapabilities = lib.mkIf (hasPrometheus && needsKey) [
      "CAP_SYS_PTRACE"
    ];
    services.litellm-proxy.internal.rotation = lib.mkIf (hasPrometheus && needsKey) ''
      if systemctl is-active --quiet prometheus.service &&
        [ "$(cat ${lib.escapeShellArg key} 2> /dev/null)" != "$(cat /proc/1/root${loaded} 2> /dev/null)" ]; then
        echo "The master key changed: restarting prometheus.service, which scrapes with it."
        systemctl restart --no-block prometheus.service
      fi
    '';

    services.grafana.provision = {
      enable = lib.mkIf config.services.grafana.enable (lib.mkDefault true);
      # A folder that the user gives as a whole leaves no place for another.
      dashboards.settings = lib.mkIf (config.services.grafana.provision.dashboards.path == null) {
        providers = [
          {
            name = "litellm-proxy";
            options.path = builtins.path {
              path = ./.;
              name = "litellm-proxy-dashboards";
              filter = path: _: baseNameOf path == "dashboard.json";
            };
          }
        ];
      };
    };
  };
}
