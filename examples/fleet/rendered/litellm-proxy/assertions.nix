# What is refused when the configuration is evaluated, and what is only warned of.
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
    hasTLS
    inStore
    instances
    isFleet
    isLoopback
    isPath
    opt
    quoted
    selected
    undeclared
    usesRedis
    ;

  isWildcard = lib.elem cfg.listenAddress [
    "0.0.0.0"
    "::"
  ];
  isAddress =
    builtins.match "[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+" cfg.listenAddress != null
    || builtins.match "[0-9a-fA-F:.]*:[0-9a-fA-F:.]*" cfg.listenAddress != null;

  # registry:port/name:tag@digest
  imageDigest = builtins.match ".*@(sha256:[0-9a-f]{64})" cfg.image;
  imageTag = builtins.match ".*/?[^/:@]+:([^/:@]+)(@.*)?" cfg.image;
  tag = if imageTag == null then "" else lib.head imageTag;
  isPinned =
    cfg.imageFile != null
    || imageDigest != null
    || builtins.match ".*[0-9]+[.][0-9]+[.][0-9]+.*" tag != null;
  isMalicious = builtins.match "(.*[^0-9.])?1[.]82[.][78]([^0-9].*)?" tag != null;

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

  # Options that make podman or docker ignore `-p`, so that LiteLLM would listen on
  # every interface of the host.
  sharesHostNetwork =
    lib.any (
      argument: builtins.match "--net(work)?=host" argument != null
    ) cfg.extraOptions
    || builtins.match ".*--net(work)? host( .*)?" (lib.concatStringsSep " " cfg.extraOptions) != null;

  # Who else listens where this module does.
  portUsers =
    let
      published = builtins.match "((.*):)?([0-9]+):[0-9]+(/tcp)?";
      taken = mapping: {
        address = lib.removePrefix "[" (lib.removeSuffix "]" (
          let
            address = lib.elemAt (published mapping) 1;
          in
          if address == null then "" else address
        ));
        port = lib.toInt (lib.elemAt (published mapping) 2);
      };
      containers = lib.concatLists (
        lib.mapAttrsToList (
          name: container:
          map (mapping: taken mapping // { name = "virtualisation.oci-containers.containers.${name}.ports"; }) (
            lib.filter (mapping: published mapping != null) container.ports
          )
        ) (removeAttrs config.virtualisation.oci-containers.containers (map (i: i.name) instances))
      );
      native =
        lib.optional (options.services ? litellm && config.services.litellm.enable) {
          name = "services.litellm.port";
          address = config.services.litellm.host;
          inherit (config.services.litellm) port;
        };
      wildcards = [
        ""
        "0.0.0.0"
        "::"
      ];
    in
    address: first: last:
    map (user: user.name) (
      lib.filter (
        user:
        user.port >= first
        && user.port <= last
        && (
          user.address == address || lib.elem user.address wildcards || lib.elem address wildcards
        )
      ) (containers ++ native)
    );
  # Where it listens itself: in nginx with TLS, not at all with an address of the network.
  ownPortUsers = lib.optionals (!hasTLS || isLoopback) (portUsers cfg.listenAddress cfg.port cfg.port);
  lastInstancePort = cfg.instancePort + cfg.instances - 1;
  instancePortUsers = lib.optionals cfg.nginx.enable (
    portUsers "127.0.0.1" cfg.instancePort lastInstancePort
  );
  hidesInstance =
    cfg.nginx.enable
    && cfg.port >= cfg.instancePort
    && cfg.port <= lastInstancePort
    && (isWildcard || cfg.listenAddress == "127.0.0.1");

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
      lib.optional (!isPinned) ''
        ${opt "image"} = "${cfg.image}" is not tied to a release: it may be another
        program tomorrow. Name a release, such as "${
          options.services.litellm-proxy.image.default
        }".
      ''
      ++ lib.optional (!isLoopback && !cfg.openFirewall && !cfg.nginx.enable) ''
        ${opt "listenAddress"} = "${cfg.listenAddress}": ${cfg.backend} publishes past the
        NixOS firewall, so the network can reach port ${toString cfg.port} although
        ${opt "openFirewall"} is false. Set it to true if that is meant, or
        ${opt "listenAddress"} = "127.0.0.1".
      ''
      ++ lib.optional (cfg.workers > 1 && !usesRedis) ''
        ${opt "workers"} = ${toString cfg.workers} without Redis: each worker counts rate
        limits, budgets and failing deployments for itself. Where that matters, set
        ${opt "redis.createLocally"} = true.
      ''
      ++ lib.mapAttrsToList (name: value: ''
        ${opt "environment"}.${name} = "${value}": in the container this address is the
        container itself. The host is http://host.containers.internal, and its service
        must listen on more than 127.0.0.1.
      '') (lib.filterAttrs (_: isLoopbackURL) cfg.environment)
      ++ lib.optional (!isPath selected.file && !inStore selected.file) ''
        ${opt "configs"}.${cfg.modelConfig}.file = "${toString selected.file}" is read when
        the container starts, and a change to it does not restart anything. Write a path
        without quotes, such as ./litellm/${cfg.modelConfig}.yaml.
      '';

    assertions = [
      {
        assertion = config.virtualisation.oci-containers.backend == cfg.backend;
        message = ''
          ${opt "backend"} = "${cfg.backend}", but virtualisation.oci-containers.backend = "${config.virtualisation.oci-containers.backend}", and all containers share one backend.
          Set ${opt "backend"} = "${config.virtualisation.oci-containers.backend}".
        '';
      }
      {
        assertion = cfg.auth != "open" || !hasTLS;
        message = ''
          ${opt "auth"} = "open" with TLS on services.nginx.virtualHosts."${cfg.nginx.virtualHost}" lets everybody on the network use your keys.
          Set ${opt "auth"} = "master-key", or have that host without TLS.
        '';
      }
      {
        assertion = cfg.auth != "open" || isLoopback;
        message = ''
          ${opt "auth"} = "open" with ${opt "listenAddress"} = "${cfg.listenAddress}" lets everybody on the network use your keys.
          Set ${opt "auth"} = "master-key", or ${opt "listenAddress"} = "127.0.0.1".
        '';
      }
      {
        assertion = isAddress;
        message = ''
          ${opt "listenAddress"} = "${cfg.listenAddress}" is not an IP address, and ${cfg.backend} takes no names here.
          Write an address, such as "127.0.0.1" or "::1", without brackets and without port.
        '';
      }
      {
        assertion = !(cfg.openFirewall && isLoopback && !hasTLS);
        message = ''
          ${opt "openFirewall"} has no effect while ${opt "listenAddress"} = "${cfg.listenAddress}", which the network cannot reach.
          Set ${opt "listenAddress"} to an address of the network, or ${opt "openFirewall"} = false.
        '';
      }
      {
        assertion = ownPortUsers == [ ];
        message = ''
          ${opt "port"} = ${toString cfg.port} is also taken by ${lib.concatStringsSep " and " ownPortUsers}.
          Choose another ${opt "port"}.
        '';
      }
      {
        assertion = instancePortUsers == [ ];
        message = ''
          ${opt "instancePort"} = ${toString cfg.instancePort}: of the ports ${toString cfg.instancePort} to ${toString lastInstancePort} of ${opt "instances"}, one is also taken by ${lib.concatStringsSep " and " instancePortUsers}.
          Choose another ${opt "instancePort"}.
        '';
      }
      {
        assertion = !hidesInstance;
        message = ''
          ${opt "port"} = ${toString cfg.port} is one of the ports ${toString cfg.instancePort} to ${toString lastInstancePort} on which ${opt "instances"} are published behind nginx.
          Choose another ${opt "port"} or ${opt "instancePort"}.
        '';
      }
      {
        assertion = !cfg.nginx.enable || lastInstancePort <= 65535;
        message = ''
          ${opt "instancePort"} = ${toString cfg.instancePort} with ${opt "instances"} = ${toString cfg.instances} goes beyond port 65535.
          Choose a smaller ${opt "instancePort"}.
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
        assertion = !isMalicious;
        message = ''
          ${opt "image"} = "${cfg.image}": LiteLLM 1.82.7 and 1.82.8 were published with code that steals credentials.
          Use another release, such as "${options.services.litellm-proxy.image.default}".
        '';
      }
      {
        assertion = !sharesHostNetwork;
        message = ''
          ${opt "extraOptions"} puts the container into the host's network, where LiteLLM listens on every interface and ${opt "listenAddress"} means nothing.
          Remove --network=host; the container reaches the host as host.containers.internal.
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
    }) cfg.configs
    ++ lib.concatLists (
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
