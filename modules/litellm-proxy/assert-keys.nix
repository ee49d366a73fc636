# What is refused or warned of: key files, and the names and values of variables.
{
  config,
  lib,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    cfg
    inStore
    instances
    isPath
    opt
    quoted
    runOptions
    ;

  # Variables that this module owns, and the option that sets each.
  ownedVariables = {
    CONFIG_FILE_PATH = opt "configs.<name>.file";
    HOST = opt "listenAddress";
    LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY = opt "auth";
    LITELLM_MASTER_KEY = opt "masterKeyFile";
    LITELLM_MODE = null;
    NUM_WORKERS = opt "workers";
    PORT = opt "port";
  };

  owned = ownedVariables // cfg.internal.variables;

  variableName = "[A-Za-z_][A-Za-z0-9_]*";
  looksLikeKey = import ./looks-like-key.nix lib;

  # Variables that a container gets beside those of the options, no matter who set them.
  given =
    instance:
    lib.listToAttrs (
      map (pair: lib.nameValuePair (lib.head pair) (lib.last pair)) (
        lib.filter (pair: pair != null) (
          map (option: builtins.match "([^=]*)=(.*)" option.value) (
            lib.filter (option: option.name == "env") (
              runOptions config.virtualisation.oci-containers.containers.${instance.name}.extraOptions
            )
          )
        )
      )
    );
  others =
    instance:
    removeAttrs config.virtualisation.oci-containers.containers.${instance.name}.environment (
      lib.attrNames cfg.environment
    )
    // config.systemd.services.${instance.unit}.environment
    // given instance;
  keysOfOthers = lib.unique (
    lib.concatMap (instance: lib.attrNames (lib.filterAttrs looksLikeKey (others instance))) instances
  );
  replacedByOptions = lib.unique (
    lib.concatMap (
      instance: lib.attrNames (lib.intersectAttrs (given instance) (owned // cfg.secrets))
    ) instances
  );

  # Keys in what else the containers say: labels, arguments, and options but for -e.
  isKey = looksLikeKey "";
  hasKey = text: lib.any isKey (lib.filter lib.isString (builtins.split "[=, ]" text));
  keysInOptions = lib.unique (
    lib.concatMap (
      instance:
      let
        container = config.virtualisation.oci-containers.containers.${instance.name};
      in
      lib.optional (lib.any hasKey (lib.attrValues container.labels)) "labels"
      ++ lib.optional (lib.any hasKey container.cmd) "cmd"
      ++ map (option: "--${option.name}") (
        lib.filter (option: option.name != "env" && hasKey option.value) (
          runOptions container.extraOptions
        )
      )
    ) instances
  );

  # Configurations that hold a key instead of naming it. A file that a build makes is not read.
  # Only where a key belongs: a model may be called xai-grok-4-fast.
  words = line: lib.filter lib.isString (builtins.split "[][[:space:]\"'{},]+" line);
  isAboutKeys = line: builtins.match ".*(key|token|secret|passw|credential|auth|url|dsn).*" (lib.toLower line) != null;
  holdsKey =
    text: lib.any (line: isAboutKeys line && lib.any isKey (words line)) (lib.splitString "\n" text);
  keysInConfigs = lib.attrNames (
    lib.filterAttrs (
      _: each:
      each.file != null
      && isPath each.file
      && holdsKey (builtins.readFile each.file)
    ) cfg.configs
  );

  isLoopbackURL = value: builtins.match "https?://(127[.][0-9.]+|localhost|\\[::1])([:/].*)?" value != null;

  namedVariables =
    map
      (name: {
        inherit name;
        badNames = lib.filter (variable: builtins.match variableName variable == null) (
          lib.attrNames cfg.${name}
        );
        owned = lib.attrNames (lib.intersectAttrs cfg.${name} owned);
      })
      [
        "environment"
        "secrets"
      ];
  declaredTwice = lib.attrNames (lib.intersectAttrs cfg.secrets cfg.environment);

  # Whether environment.etc or systemd.tmpfiles make a file, or a folder above it, of
  # something in the Nix store.
  isFromStore =
    file:
    let
      isAt = place: file == place || lib.hasPrefix "${place}/" file;
      tmpfiles =
        map (rule: lib.filter (word: word != "") (lib.splitString " " rule)) (
          config.systemd.tmpfiles.rules or [ ]
        )
        ++ lib.concatMap (
          entries:
          lib.concatLists (
            lib.mapAttrsToList (
              path: types:
              lib.mapAttrsToList (type: entry: [ type path "-" "-" "-" "-" (entry.argument or "") ]) types
            ) entries
          )
        ) (lib.attrValues (config.systemd.tmpfiles.settings or { }));
      # What it writes is in the rule itself, which is in the store, or is a path there.
      writes =
        rule:
        let
          argument = lib.filter (word: word != "" && word != "-") (lib.drop 6 rule);
        in
        if builtins.match "[fFw].*" (lib.head rule) != null then
          argument != [ ]
        else
          builtins.match "[CL].*" (lib.head rule) != null
          && lib.any (lib.hasInfix "${builtins.storeDir}/") argument;
    in
    lib.any (
      entry:
      entry.enable && isAt "/etc/${entry.target}" && (isPath entry.source || inStore entry.source)
    ) (lib.attrValues (config.environment.etc or { }))
    || lib.any (
      rule:
      isAt (lib.elemAt rule 1) && writes rule
    ) (lib.filter (rule: lib.length rule > 1) tmpfiles);

  keyFileAssertions = option: file: [
    {
      assertion = !isPath file && !inStore file;
      message = ''
        ${option} ${
          if isPath file then "is a path literal (${toString file})" else "= \"${file}\""
        }: a key must never be in the Nix store, which everybody on this machine can read.
        Write the path of a file outside the store as a string in quotes, such as "/etc/nixcfg/secrets/key.txt". If the key has been in the store, revoke it.
      '';
    }
    {
      # systemd takes nothing else for a credential's path.
      assertion =
        builtins.match "(/[^/[:cntrl:]]+)+" (toString file) != null
        && lib.all (part: part != "." && part != "..") (lib.splitString "/" (toString file));
      message = ''
        ${option} = ${builtins.toJSON (toString file)}: systemd needs the path of a file without `.`, `..`, repeated slashes and control characters.
        Write the plain absolute path.
      '';
    }
    {
      assertion = !isFromStore (toString file);
      message = ''
        ${option} = "${toString file}" is written by environment.etc or systemd.tmpfiles from the Nix store, which everybody on this machine can read.
        Put the key there by hand or with sops-nix or agenix. If it has been in the store, revoke it.
      '';
    }
  ];
in
{
  config = lib.mkIf cfg.enable {
    warnings =
      lib.mapAttrsToList (name: value: ''
        ${opt "environment"}.${name} = "${value}": in the container this address is the
        container itself. The host is http://host.containers.internal, and its service
        must listen on more than 127.0.0.1.
      '') (lib.filterAttrs (_: isLoopbackURL) cfg.environment);

    assertions =
      lib.concatLists (
        lib.mapAttrsToList (
          name: secret: keyFileAssertions "${opt "secrets"}.${name}.file" secret.file
        ) cfg.secrets
      )
      ++ lib.optionals (cfg.masterKeyFile != null) (
        keyFileAssertions (opt "masterKeyFile") cfg.masterKeyFile
      )
      ++ lib.optionals (cfg.metrics.keyFile != null) (
        keyFileAssertions (opt "metrics.keyFile") cfg.metrics.keyFile
      )
      ++ lib.concatMap (secret: keyFileAssertions (opt secret.option) secret.file) cfg.internal.keyFiles
      ++ lib.concatMap (option: [
        {
          assertion = option.badNames == [ ];
          message = ''
            ${opt option.name}: ${quoted option.badNames} cannot be the name of an environment variable.
            Use letters, digits and underscores, with no digit in front.
          '';
        }
        {
          assertion = option.owned == [ ];
          message = ''
            ${opt option.name}: ${quoted option.owned} set by the module itself.
            Remove it${
              lib.concatMapStrings (
                name: lib.optionalString (owned.${name} != null) "; see ${owned.${name}}"
              ) option.owned
            }.
          '';
        }
      ]) namedVariables
      ++ [
        {
          assertion = declaredTwice == [ ];
          message = ''
            ${opt "environment"}: ${quoted declaredTwice} also declared in ${opt "secrets"}, and the plain value would win.
            Remove one of the two.
          '';
        }
      ]
      ++ map (name: {
        assertion = false;
        message = ''
          ${opt "environment"}.${name} looks like a key, and would be readable by everybody in the Nix store.
          Put it into a file and set ${opt "secrets"}.${name}.file to its path. If this key has been in use, revoke it.
        '';
      }) (lib.attrNames (lib.filterAttrs looksLikeKey cfg.environment))
      ++ map (name: {
        assertion = false;
        message = ''
          virtualisation.oci-containers.containers.${(lib.head instances).name}: ${name} in `environment` or -e looks like a key, and would be readable by everybody in the Nix store.
          Put it into a file and set ${opt "secrets"}.${name}.file to its path. If this key has been in use, revoke it.
        '';
      }) keysOfOthers
      ++ [
        {
          assertion = keysInOptions == [ ];
          message = ''
            virtualisation.oci-containers.containers.${(lib.head instances).name}: ${quoted keysInOptions} holds what looks like a key, and would be readable by everybody in the Nix store.
            Put it into a file and set ${opt "secrets"}.<NAME>.file to its path. If this key has been in use, revoke it.
          '';
        }
        {
          assertion = keysInConfigs == [ ];
          message = ''
            ${opt "configs"}: the file of ${quoted keysInConfigs} holds what looks like a key, and would be readable by everybody in the Nix store.
            Write os.environ/NAME there, and set ${opt "secrets"}.NAME.file. If this key has been in use, revoke it.
          '';
        }
        {
          assertion = replacedByOptions == [ ];
          message = ''
            ${opt "extraOptions"}: -e ${quoted replacedByOptions} replaces what the module or ${opt "secrets"} set.
            Remove it.
          '';
        }
      ];
  };
}
