# What more than one file of this module goes by: names, places, checks of a value, and
# what follows from the options. No options and no units: those are in the files that
# default.nix imports.
{
  config,
  lib,
  options ? { },
  ...
}:

let
  cfg = config.services.litellm-proxy;
in
rec {
  inherit cfg;
  opt = name: "services.litellm-proxy.${name}";

  # One container with the name of the service, or several with a number each.
  isFleet = cfg.instances > 1;
  instances = map (
    index:
    let
      name = "litellm-proxy${lib.optionalString isFleet "-${toString index}"}";
    in
    {
      inherit index name;
      unit = "${cfg.backend}-${name}";
      address = if cfg.nginx.enable then "127.0.0.1" else publishedAddress;
      port = if cfg.nginx.enable then cfg.instancePort + index - 1 else cfg.port;
      # What the container was started with: see container.nix and instances.nix.
      started = "${runtimeDirectory}/started${lib.optionalString isFleet "-${toString index}"}";
    }
  ) (lib.range 1 cfg.instances);
  target = "litellm-proxy.target";
  # The unit with which all of it starts and stops.
  mainUnit = if isFleet then target else "${(lib.head instances).unit}.service";

  # nginx sends nothing to an instance while the file of its number is here. nginx is
  # not root, and looks for each request, so nothing has to be reloaded.
  outDirectory = "/run/litellm-proxy-out";

  image = import ./image.nix { inherit cfg lib milliseconds; };

  runtimeDirectory = "/run/litellm-proxy";
  stateDirectory = "/var/lib/litellm-proxy";
  # Root's alone, so that no one on this machine runs what a container has written below it.
  cacheDirectory = "/var/cache/litellm-proxy";
  cacheService = {
    CacheDirectory = "litellm-proxy";
    CacheDirectoryMode = "0700";
  };
  bytecodeFolder = "${cacheDirectory}/bytecode";
  makeBytecodeFolder = "install -d -m 0755 -o ${toString cfg.containerUid} ${bytecodeFolder}";
  environmentFile = "${runtimeDirectory}/environment";
  secretFiles = "${runtimeDirectory}/files";
  generatedMasterKey = "${stateDirectory}/master-key";
  generatedSaltKey = "${stateDirectory}/salt-key";

  # forEachInstance NAME VALUE: an attribute for each, both made by a function.
  forEachInstance =
    name: value:
    lib.listToAttrs (map (instance: lib.nameValuePair (name instance) (value instance)) instances);

  runOptions = import ./run-options.nix { inherit lib; };
  usersNetwork = lib.any (option: option.name == "network") (runOptions cfg.extraOptions);
  network = "litellm-proxy";
  # Otherwise the container is on the bridge that all containers share.
  hasOwnNetwork = !usersNetwork && (cfg.auth == "open" || cfg.hostPorts != [ ]);

  # What an optional key becomes when its file is missing. A variable that is not
  # set at all makes LiteLLM fall back to OPENAI_API_KEY for many providers, and so
  # hand the OpenAI key to somebody else's server.
  missingKey = "nixcfg-missing-key";

  selected = cfg.configs.${cfg.modelConfig};

  # A path literal is copied under a name and hash of its own, so that the container
  # restarts when this file changes and not whenever the source tree around it does.
  configFile =
    if selected.settings != { } then
      toString cfg.internal.mergedConfig
    else if isPath selected.file then
      builtins.path {
        path = selected.file;
        name = "litellm-config.yaml";
      }
    else
      toString selected.file;

  # A file of this module under a name and hash of its own, as the configuration.
  ownFile =
    name:
    builtins.path {
      path = ./. + "/${name}";
      inherit name;
    };

  # The same of teams, users and keys; "" where there are none.
  accessFile =
    if isPath cfg.access.file then
      builtins.path {
        path = cfg.access.file;
        name = "access.json";
      }
    else
      toString cfg.access.file;

  undeclared = lib.subtractLists (lib.attrNames cfg.secrets);

  # Without these LiteLLM does not start, whatever its models need.
  infrastructure = [
    "DATABASE_URL"
    "DIRECT_URL"
    "LITELLM_SALT_KEY"
    "REDIS_PASSWORD"
    "REDIS_URL"
  ];

  # The keys which the selected configuration needs, and no other.
  providerSecrets = lib.mapAttrsToList (variable: secret: {
    inherit variable;
    inherit (secret) kind encrypted;
    optional =
      !secret.required
      && (secret.optional || !lib.elem variable (selected.requiredSecrets ++ infrastructure));
    file = toString secret.file;
  }) (lib.getAttrs (lib.subtractLists (undeclared selected.secrets) selected.secrets) cfg.secrets);

  masterKey = lib.optional (cfg.auth == "master-key" && cfg.masterKeyFile != null) {
    variable = "LITELLM_MASTER_KEY";
    kind = "env";
    optional = false;
    encrypted = false;
    file = toString cfg.masterKeyFile;
  };

  wired = providerSecrets ++ masterKey ++ otherSecrets;
  otherSecrets = map (secret: {
    optional = false;
    encrypted = false;
    inherit (secret) variable kind;
    file = toString secret.file;
  }) cfg.internal.keyFiles;
  generatesMasterKey = cfg.auth == "master-key" && cfg.masterKeyFile == null;
  fileSecrets = lib.filter (secret: secret.kind == "file") providerSecrets;

  # Elsewhere: the user gives the whole URL as a secret, as without these options.
  usesDatabase = cfg.database.createLocally || cfg.database.host != null;
  hasDatabase =
    usesDatabase || lib.elem "DATABASE_URL" selected.secrets || cfg.environment ? DATABASE_URL;
  usesRedis = cfg.redis.createLocally || cfg.redis.host != null;

  # What an option for a service elsewhere takes: a name or address, and no URL.
  hostAssertions =
    {
      option,
      example,
      instead,
    }:
    host:
    lib.optionals (host != null) [
      {
        assertion =
          builtins.match "[A-Za-z0-9._-]+|[0-9a-fA-F]*:[0-9a-fA-F.]*:[0-9a-fA-F:.]*" host != null;
        message = ''
          ${opt "${option}.host"} = ${builtins.toJSON host} is not the name or address of a machine.
          Write it without scheme, port and slashes, such as "${example}", and set ${opt "${option}.port"}${instead}.
        '';
      }
      {
        assertion = !(lib.hasPrefix "127." host || host == "localhost" || host == "::1");
        message = ''
          ${opt "${option}.host"} = "${host}" is the container itself, in which nothing answers.
          Set ${opt "${option}.createLocally"}, or the address by which the service on this machine listens to others.
        '';
      }
    ];

  # 192.168.1.10, without leading zeros, which some programs take for octal.
  isIPv4 =
    text:
    let
      byte = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
    in
    builtins.match "${byte}([.]${byte}){3}" text != null;
  # 2001:db8::1, without brackets and without zone.
  isIPv6 =
    text:
    let
      halves = lib.splitString "::" text;
      groups = lib.concatMap (half: lib.optionals (half != "") (lib.splitString ":" half)) halves;
      isShort = lib.length halves == 2;
    in
    lib.hasInfix ":" text
    && lib.length halves <= 2
    && lib.all (group: builtins.match "[0-9a-fA-F]{1,4}" group != null) groups
    && (if isShort then lib.length groups <= 7 else lib.length groups == 8);
  isAddress = text: isIPv4 text || isIPv6 text;

  isLoopback = lib.hasPrefix "127." cfg.listenAddress || cfg.listenAddress == "::1";
  # The virtual host has certificates, and then listens where NixOS has nginx listen.
  hasTLS =
    cfg.nginx.enable
    && (
      let
        host = config.services.nginx.virtualHosts.${cfg.nginx.virtualHost};
      in
      host.addSSL || host.onlySSL || host.forceSSL
    );
  publishedAddress =
    if lib.hasInfix ":" cfg.listenAddress then "[${cfg.listenAddress}]" else cfg.listenAddress;

  # Where each instance answers on this machine.
  instanceAddresses = map (
    instance:
    let
      reachable =
        {
          "0.0.0.0" = "127.0.0.1";
          "[::]" = "[::1]";
        }
        .${instance.address} or instance.address;
    in
    "${reachable}:${toString instance.port}"
  ) instances;

  # Whether oci-containers has an option of its own for something.
  native =
    name:
    let
      oci = options.virtualisation.oci-containers.containers or null;
    in
    oci != null && oci.type.getSubOptions [ ] ? ${name};

  # The image comes from the Nix store and not from a registry.
  isLoaded = cfg.imageFile != null || cfg.imageStream != null;

  # Durations as docker and podman read them, such as 1m30s; null for what is none.
  milliseconds =
    text:
    let
      factors = {
        ms = 1;
        s = 1000;
        m = 60 * 1000;
        h = 60 * 60 * 1000;
      };
      parts = lib.filter lib.isList (builtins.split "([0-9]+)(ms|s|m|h)" text);
      factor = part: lib.toIntBase10 (lib.head part) * factors.${lib.last part};
    in
    if builtins.match "([0-9]+(ms|s|m|h))+" text == null then
      null
    else
      lib.foldl' (sum: part: sum + factor part) 0 parts;

  isPath = value: builtins.isPath value;
  inStore = value: lib.hasPrefix "${builtins.storeDir}/" (toString value);

  # systemd expands `%` in unit files, and splits RequiresMountsFor= at spaces.
  unitPath = lib.replaceStrings [ "%" ] [ "%%" ];
  unitWord = path: unitPath (builtins.toJSON path);

  quoted = lib.concatMapStringsSep ", " (name: "`${name}`");
}
