# What is refused or warned of: key files, and the names and values of variables.
{
  lib,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    cfg
    inStore
    isPath
    opt
    quoted
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
  isSecretName =
    name:
    builtins.match ".*(API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIALS).*" (
      lib.toUpper name
    ) != null;
  # Dummy keys for local servers ("none", "EMPTY"), paths, addresses, numbers and
  # flags are no secrets; what is left under a secret's name most likely is.
  isHarmless =
    value:
    lib.stringLength value < 12
    || lib.hasPrefix "/" value
    || lib.hasPrefix "os.environ/" value
    || builtins.match "https?://[^@]*" value != null
    || builtins.match "[0-9.]+" value != null;
  looksLikeKey =
    name: value:
    (isSecretName name && !isHarmless value)
    || builtins.match "(sk-|AIza|gsk_|xai-|hf_|ghp_|pplx-|r8_|AKIA)[A-Za-z0-9_-]{12,}" value != null
    || builtins.match "-----BEGIN .*" value != null
    || builtins.match "[a-z0-9+]+://[^/@:]*:[^/@]+@.*" value != null;

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
      }) (lib.attrNames (lib.filterAttrs looksLikeKey cfg.environment));
  };
}
