# Teams, users and keys of LiteLLM's database, as nixcfg.yaml wants them.
#
#   litellm-proxy-access.service     puts them there once the gateway is ready, by access.py
#   litellm-proxy-access.path, -2…   watch the files of the keys' values
{
  lib,
  pkgs,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    accessFile
    cfg
    generatedMasterKey
    hasDatabase
    instances
    mainUnit
    missingKey
    opt
    quoted
    unitPath
    unitWord
    ;
  inherit (cfg) access;

  stateName = "litellm-proxy-keys";
  valuesDirectory = "/var/lib/${stateName}";
  files = lib.mapAttrs (_: key: toString key.file) access.keys;
  folders = lib.subtractLists [ valuesDirectory ] (lib.unique (map dirOf (lib.attrValues files)));
  isBelow = directory: lib.any (folder: lib.hasPrefix "${directory}/" "${folder}/") folders;

  # Under a name and hash of its own, so that the unit changes when this file does.
  program = builtins.path {
    path = ./access.py;
    name = "access.py";
  };
  named = if access.file == null then [ ] else lib.attrNames (lib.importJSON access.file).keys;
  places = builtins.toFile "litellm-proxy-keys.json" (
    builtins.unsafeDiscardStringContext (
      builtins.toJSON (
        lib.mapAttrs (name: key: {
          file = files.${name};
          inherit (key) owner group mode;
        }) access.keys
      )
    )
  );
  masterKeyFile = if cfg.masterKeyFile != null then toString cfg.masterKeyFile else generatedMasterKey;
  gateway = lib.head common.instanceAddresses;
  host = lib.removeSuffix "]" (lib.removePrefix "[" (lib.head (builtins.match "(.*):[0-9]+" gateway)));

  watchers = lib.listToAttrs (
    lib.imap1 (
      index: path:
      lib.nameValuePair "litellm-proxy-access${lib.optionalString (index > 1) "-${toString index}"}" path
    ) (lib.unique (import ./watched.nix args (lib.attrValues files)))
  );
  sandbox = import ./sandbox.nix;

  keyOptions =
    { name, ... }:
    {
      options = {
        file = lib.mkOption {
          type = lib.types.path;
          default = "${valuesDirectory}/${name}";
          defaultText = lib.literalMD "a file of that name in `${valuesDirectory}`";
          description = ''
            The file that holds the value of the key and nothing else. Where it is missing, a
            value of 256 random bits is made and written to it, once. When its content
            changes, the key gets the new value and keeps its name, team and limits.
          '';
          example = "/etc/nixcfg/keys/open-webui";
        };

        owner = lib.mkOption {
          type = lib.types.str;
          default = "root";
          description = "Who owns the file, if it has to be made.";
          example = "open-webui";
        };

        group = lib.mkOption {
          type = lib.types.str;
          default = "root";
          description = "The group of the file, if it has to be made.";
          example = "users";
        };

        mode = lib.mkOption {
          type = lib.types.strMatching "0?[0-7]{3}";
          default = "0600";
          description = "The mode of the file, if it has to be made.";
          example = "0440";
        };
      };
    };
in
{
  options.services.litellm-proxy.access = {
    file = lib.mkOption {
      type = lib.types.nullOr lib.types.path;
      default = null;
      description = ''
        Teams, users and keys that LiteLLM's database is to have, as `nixcfg render` writes
        them. It holds names and limits, and no value of a key. Of several machines that share
        a database, one has it.
      '';
      example = lib.literalExpression "./access.json";
    };

    keys = lib.mkOption {
      type = lib.types.attrsOf (lib.types.submodule keyOptions);
      default = { };
      description = ''
        Where the values of the keys in {option}`services.litellm-proxy.access.file` are, by
        the name of the key.
      '';
      example = lib.literalExpression ''
        {
          open-webui = {
            file = "/etc/nixcfg/keys/open-webui";
            owner = "open-webui";
          };
        }
      '';
    };
  };

  config = lib.mkIf (cfg.enable && access.file != null) {
    # Those that name no file of their own.
    services.litellm-proxy.access.keys = lib.genAttrs named (_: { });

    systemd.services.litellm-proxy-access = {
      description = "Put teams, users and keys into the database of the LiteLLM proxy";
      wantedBy = [
        "multi-user.target"
        mainUnit
      ];
      partOf = [ mainUnit ];
      wants = map (name: "${name}.path") (lib.attrNames watchers);
      after = [
        "litellm-proxy-secrets.service"
        # sops-nix and agenix, where they run as services.
        "sops-install-secrets.service"
        "agenix-install-secrets.service"
      ]
      ++ map (instance: "${instance.unit}.service") instances;
      script = ''
        exec ${pkgs.python3}/bin/python3 -I ${program} ${
          lib.escapeShellArgs [
            "${accessFile}"
            "${places}"
            "http://${gateway}"
            missingKey
          ]
        }
      '';
      unitConfig.RequiresMountsFor = map unitWord (lib.attrValues files);
      startLimitIntervalSec = 0;
      serviceConfig = sandbox // {
        # Not waited for: a switch is over although a gateway takes its time to start.
        Type = "exec";
        # What waits for the gateway tries again; what needs someone (1) waits for a change.
        Restart = "on-failure";
        RestartPreventExitStatus = 1;
        RestartSec = 15;
        RestartSteps = 5;
        RestartMaxDelaySec = 600;
        LoadCredential = [
          "master-key:${unitPath masterKeyFile}"
        ]
        ++ lib.mapAttrsToList (name: file: "value-${name}:${unitPath file}") files;
        # Without a stand-in systemd starts nothing while a file is missing.
        SetCredential = [
          "master-key:${missingKey}"
        ]
        ++ map (name: "value-${name}:${missingKey}") (lib.attrNames files);
        # Files that are missing are made, for whom they are meant.
        CapabilityBoundingSet = [
          "CAP_CHOWN"
          "CAP_DAC_OVERRIDE"
        ];
        SystemCallFilter = sandbox.SystemCallFilter ++ [ "@chown" ];
        ReadWritePaths = map (folder: "-${unitPath folder}") folders;
        ProtectHome = !(isBelow "/home" || isBelow "/root" || isBelow "/run/user");
        StateDirectory = stateName;
        StateDirectoryMode = "0711";
        # The gateway on this machine, and no one else.
        IPAddressAllow = lib.unique [
          "localhost"
          host
        ];
        PrivateNetwork = false;
        RestrictAddressFamilies = "AF_INET AF_INET6 AF_UNIX";
      };
    };

    systemd.paths = lib.mapAttrs (_: path: {
      description = "Watch ${unitPath path} for keys of the LiteLLM proxy";
      # Watches before the values are read, so that no change is lost in between.
      before = [ "litellm-proxy-access.service" ];
      unitConfig.StopPropagatedFrom = mainUnit;
      pathConfig = {
        Unit = "litellm-proxy-access.service";
        PathChanged = unitPath path;
        # A burst of changes must not end the watch.
        TriggerLimitIntervalSec = 0;
      };
    }) watchers;

    assertions =
      let
        places = lib.mapAttrsToList (name: file: { inherit name file; }) files;
        shared = lib.filter (each: lib.count (other: other.file == each.file) places > 1) places;
        inStore = lib.filter (
          each: common.isPath access.keys.${each.name}.file || common.inStore each.file
        ) places;
      in
      [
        {
          assertion = hasDatabase;
          message = ''
            ${opt "access.file"} is given, and LiteLLM has no database to keep teams, users and keys in.
            Set ${opt "database.createLocally"}, or ${opt "database.host"}.
          '';
        }
        {
          assertion = cfg.auth == "master-key";
          message = ''
            ${opt "access.file"} with ${opt "auth"} = "${cfg.auth}": everyone gets past its keys and budgets.
            Set ${opt "auth"} = "master-key".
          '';
        }
        {
          assertion = shared == [ ];
          message = ''
            ${opt "access.keys"}: ${quoted (map (each: each.name) shared)} have one file.
            Give each key a file of its own.
          '';
        }
        {
          assertion = inStore == [ ];
          message = ''
            ${opt "access.keys"}: the file of ${quoted (map (each: each.name) inStore)} is in the Nix store, which everyone can read.
            Write the path in quotes, such as "/etc/nixcfg/keys/NAME".
          '';
        }
      ];
  };
}
