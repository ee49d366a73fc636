# What more than one file of this module goes by: names, places, checks of a value, and
# what follows from the options. No options and no units: those are in the files that
# default.nix imports.
{
  config,
  lib,
  ...
}:

let
  cfg = config.services.litellm-proxy;
in
rec {
  inherit cfg;
  opt = name: "services.litellm-proxy.${name}";

  containerName = "litellm-proxy";
  containerUnit = "${cfg.backend}-${containerName}";

  # LiteLLM moves to a random port, without a word, when it finds 4000 taken. On
  # any other port it fails, so 4000 is never used inside the container.
  containerPort = 4040;

  runtimeDirectory = "/run/litellm-proxy";
  stateDirectory = "/var/lib/litellm-proxy";
  environmentFile = "${runtimeDirectory}/environment";
  secretFiles = "${runtimeDirectory}/files";
  generatedMasterKey = "${stateDirectory}/master-key";
  generatedSaltKey = "${stateDirectory}/salt-key";

  # What an optional key becomes when its file is missing. A variable that is not
  # set at all makes LiteLLM fall back to OPENAI_API_KEY for many providers, and so
  # hand the OpenAI key to somebody else's server.
  missingKey = "nixcfg-missing-key";

  selected = cfg.configs.${cfg.modelConfig};
  undeclared = lib.subtractLists (lib.attrNames cfg.secrets);

  # Elsewhere: the user gives the whole URL as a secret, as without these options.
  usesDatabase = cfg.database.createLocally || cfg.database.host != null;
  hasDatabase =
    usesDatabase || lib.elem "DATABASE_URL" selected.secrets || cfg.environment ? DATABASE_URL;
  usesRedis = cfg.redis.createLocally || cfg.redis.host != null;

  # Options for a service elsewhere take its name or address, and no URL.
  isHost = host: builtins.match "[A-Za-z0-9._-]+|[0-9a-fA-F]*:[0-9a-fA-F.]*:[0-9a-fA-F:.]*" host != null;

  isLoopback = lib.hasPrefix "127." cfg.listenAddress || cfg.listenAddress == "::1";
  publishedAddress =
    if lib.hasInfix ":" cfg.listenAddress then "[${cfg.listenAddress}]" else cfg.listenAddress;

  # Where each instance answers on this machine.
  instanceAddresses =
    let
      reachable =
        {
          "0.0.0.0" = "127.0.0.1";
          "::" = "[::1]";
        }
        .${cfg.listenAddress} or publishedAddress;
    in
    [ "${reachable}:${toString cfg.port}" ];

  nonRootImage = lib.hasInfix "non_root" cfg.image;

  isPath = value: builtins.isPath value;
  inStore = value: lib.hasPrefix "${builtins.storeDir}/" (toString value);

  # systemd expands `%` in unit files, and splits RequiresMountsFor= at spaces.
  unitPath = lib.replaceStrings [ "%" ] [ "%%" ];
  unitWord = path: unitPath (builtins.toJSON path);

  quoted = lib.concatMapStringsSep ", " (name: "`${name}`");
}
