# The keys: assembled for the container before each start of it.
#
#   litellm-proxy-secrets.service   checks the key files and writes what the container
#                                   reads, by wiring.sh
{
  config,
  lib,
  pkgs,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    cfg
    fileSecrets
    generatesMasterKey
    missingKey
    secretFiles
    unitPath
    unitWord
    wired
    ;

  script = lib.concatStringsSep "\n" [
    ''
      missing_key=${missingKey}
      secret_files=${secretFiles}
      container_uid=${toString cfg.containerUid}
    ''
    (builtins.readFile ./key-shapes.sh)
    (builtins.readFile ./wiring.sh)
    "begin_wiring"
    (lib.concatMapStringsSep "\n" (
      secret:
      lib.escapeShellArgs [
        "wire"
        secret.variable
        secret.file
        secret.kind
        (if secret.optional then "optional" else "required")
      ]
    ) (lib.filter (secret: secret.kind != "part") wired))
    (lib.optionalString generatesMasterKey "wire_generated LITELLM_MASTER_KEY master-key")
    cfg.internal.wiring
    "end_wiring"
  ];

  sandbox = import ./sandbox.nix;
in
{
  config = lib.mkIf cfg.enable {
    # The directory and not each file: a mount of one file would keep showing
    # what has been replaced.
    services.litellm-proxy.internal.volumes = lib.optional (
      fileSecrets != [ ]
    ) "${secretFiles}:${secretFiles}:ro";

    systemd.services.litellm-proxy-secrets = {
      description = "Assemble the keys of the LiteLLM proxy";
      after = [
        # sops-nix and agenix, where they run as services.
        "sops-install-secrets.service"
        "agenix-install-secrets.service"
      ];
      path = [ pkgs.util-linux ];
      inherit script;
      unitConfig.RequiresMountsFor = map (secret: unitWord secret.file) wired;
      startLimitIntervalSec = 0;
      serviceConfig =
        sandbox
        // lib.optionalAttrs (cfg.containerUid != 0) {
          CapabilityBoundingSet = "CAP_CHOWN";
          SystemCallFilter = sandbox.SystemCallFilter ++ [ "@chown" ];
        }
        // {
          Type = "oneshot";
          LoadCredential = map (secret: "${secret.variable}:${unitPath secret.file}") (
            lib.filter (secret: !secret.encrypted) wired
          );
          LoadCredentialEncrypted = map (secret: "${secret.variable}:${unitPath secret.file}") (
            lib.filter (secret: secret.encrypted) wired
          );
          # Without a stand-in systemd fails before the script runs, with no more to
          # say than "Failed to set up credentials".
          SetCredential = map (secret: "${secret.variable}:${missingKey}") wired;
          RuntimeDirectory = "litellm-proxy";
          RuntimeDirectoryMode = "0700";
          # What is written here is for the container, which starts afterwards.
          RuntimeDirectoryPreserve = true;
          StateDirectory = "litellm-proxy";
          StateDirectoryMode = "0700";
        };
    };
  };
}
