# What the container reaches, and who reaches the container.
#
# A network of its own, with a bridge of a fixed name, exists where the shared one does
# not do: to open ports of this machine to the gateway and to no other container, and to
# keep other containers from a gateway that asks no one for a key.
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
    forEachInstance
    hasOwnNetwork
    instances
    isPath
    network
    opt
    runOptions
    selected
    ;

  # 15 characters are the most that Linux takes for an interface.
  bridge = network;
  sharedBridge = if cfg.backend == "podman" then "podman0" else "docker0";
  usedBridge = if hasOwnNetwork then bridge else sharedBridge;

  create =
    if cfg.backend == "podman" then
      # Names are resolved by the host's own servers, as on the default network: podman's
      # would need a port of the firewall. `strict` keeps out networks without that option.
      "--interface-name=${bridge} --disable-dns --opt=isolate=strict"
    else
      "--opt=com.docker.network.bridge.name=${bridge}";

  # At each start, because `system prune` removes a network that nothing runs in. Two
  # instances may do it at once, so a failure counts only if the network is still missing.
  createNetwork = ''
    if ! ${cfg.backend} network inspect ${network} > /dev/null 2>&1; then
      ${cfg.backend} network create ${create} ${network} > /dev/null ||
        ${cfg.backend} network inspect ${network} > /dev/null
    fi
  '';
  # The last instance that stops removes it; the others are refused.
  removeNetwork = ''
    ${cfg.backend} network rm ${network} > /dev/null 2>&1 || true
  '';

  # The networks beside it that the containers are in, no matter who put them there.
  foreign = lib.unique (
    lib.remove network (
      lib.concatMap (
        instance:
        let
          container = config.virtualisation.oci-containers.containers.${instance.name};
        in
        container.networks or [ ]
        ++ map (option: option.value) (
          lib.filter (option: option.name == "network") (runOptions container.extraOptions)
        )
      ) instances
    )
  );

  # --interface-name came with 4.5, `strict` with 4.6.
  podmanVersion = lib.getVersion config.virtualisation.podman.package;

  ## Addresses by which a configuration means this machine.

  address = cidr: lib.head (lib.splitString "/" cidr);
  gateways = [
    (address (config.virtualisation.docker.daemon.settings.bip or "172.17.0.1/16"))
  ]
  ++ map (subnet: subnet.gateway) (
    config.virtualisation.podman.defaultNetwork.settings.subnets or [ { gateway = "10.88.0.1"; } ]
  );
  hostNames = [
    "host.containers.internal"
    "host.docker.internal"
  ]
  ++ gateways;
  isHost = lib.concatMapStringsSep "|" (lib.replaceStrings [ "." ] [ "[.]" ]) hostNames;
  # One word that is an address of this machine: its scheme, and its port.
  addressOfHost = builtins.match "([a-z0-9+]+://)?([^/@]*@)?(${isHost})(:([0-9]+))?(/.*)?";

  # Comments name no address that is asked.
  isComment = line: builtins.match "[[:space:]]*#.*" line != null;
  words = line: lib.filter lib.isString (builtins.split "[^][A-Za-z0-9.:/@%_+-]+" line);
  # hostPortsIn TEXT: the ports of this machine that are addressed in a text.
  hostPortsIn =
    text:
    map (
      found:
      if lib.elemAt found 4 != null then
        lib.toInt (lib.elemAt found 4)
      else if lib.elemAt found 0 == "https://" then
        443
      else
        80
    ) (
      lib.filter (found: found != null) (
        map addressOfHost (
          lib.concatMap words (
            lib.filter (line: !isComment line && lib.any (name: lib.hasInfix name line) hostNames) (
              lib.splitString "\n" text
            )
          )
        )
      )
    );

  mentions =
    lib.mapAttrsToList (name: value: {
      where = "${opt "environment"}.${name}";
      ports = hostPortsIn value;
    }) cfg.environment
    ++
      map
        (server: {
          where = opt "${server}.host";
          ports = lib.optional (lib.elem cfg.${server}.host hostNames) cfg.${server}.port;
        })
        [
          "database"
          "redis"
        ]
    # A file that is made by a build, or is read when the service starts, is not looked into.
    ++ [
      {
        where = "${opt "configs"}.${cfg.modelConfig}.settings";
        ports = hostPortsIn (
          lib.replaceStrings [ "," ] [ "\n" ] (builtins.toJSON selected.settings)
        );
      }
    ]
    ++ lib.optional (isPath selected.file) {
      where = "${opt "configs"}.${cfg.modelConfig}.file";
      ports = hostPortsIn (builtins.readFile selected.file);
    };

  inherit (config.networking) firewall;
  rules = firewall.interfaces.${usedBridge} or { };
  isOpen =
    port:
    lib.elem port (firewall.allowedTCPPorts ++ rules.allowedTCPPorts or [ ])
    || lib.any (range: port >= range.from && port <= range.to) (
      firewall.allowedTCPPortRanges ++ rules.allowedTCPPortRanges or [ ]
    );
  isFiltered = firewall.enable && !lib.elem usedBridge firewall.trustedInterfaces;
  closed = lib.filter (mention: mention.ports != [ ]) (
    map (
      mention:
      mention // { ports = lib.unique (lib.filter (port: isFiltered && !isOpen port) mention.ports); }
    ) mentions
  );
  missing = lib.naturalSort (map toString (lib.unique (lib.concatMap (m: m.ports) closed)));

  # services.ollama listens where nothing but this machine itself gets at, unless told.
  ollama = config.services.ollama;
  ollamaIsHidden =
    options.services ? ollama
    && ollama.enable
    && (lib.hasPrefix "127." ollama.host || ollama.host == "localhost" || ollama.host == "::1")
    && lib.elem ollama.port (cfg.hostPorts ++ lib.concatMap (mention: mention.ports) mentions);
in
{
  options.services.litellm-proxy = {
    hostPorts = lib.mkOption {
      type = lib.types.listOf (
        lib.types.ints.between 1 65535
        // {
          description = "TCP port, 1 to 65535";
        }
      );
      default = [ ];
      apply = ports: lib.sort lib.lessThan (lib.unique ports);
      description = ''
        TCP ports of this machine that the container may reach, as
        `host.containers.internal`: Ollama, vLLM, a database. The NixOS firewall drops
        everything else that containers send to it. The ports are opened to the gateway
        alone, which gets a network of its own for that. What listens there must listen on
        more than 127.0.0.1: for Ollama, `services.ollama.host = "0.0.0.0"`; the firewall
        keeps the network out.
      '';
      example = [ 11434 ];
    };

    dns = lib.mkOption {
      type = lib.types.listOf lib.types.str;
      default = [ ];
      description = ''
        Addresses of the name servers that the container asks. By default it asks those of
        this machine, or public ones where this machine asks a server on a loopback
        address.
      '';
      example = [ "192.168.1.1" ];
    };
  };

  config = lib.mkIf cfg.enable {
    services.litellm-proxy.internal.extraOptions =
      map (server: "--dns=${server}") cfg.dns
      # podman gives its containers this name, too.
      ++ lib.optional (cfg.backend == "docker") "--add-host=host.docker.internal:host-gateway";

    systemd.services = lib.mkIf hasOwnNetwork (
      forEachInstance (instance: instance.unit) (_: {
        preStart = createNetwork;
        postStop = lib.mkAfter removeNetwork;
      })
    );

    networking.firewall.interfaces = lib.mkIf (cfg.hostPorts != [ ] && hasOwnNetwork) {
      ${bridge}.allowedTCPPorts = cfg.hostPorts;
    };

    warnings =
      lib.optional (closed != [ ]) ''
        ${lib.concatMapStringsSep " and " (mention: mention.where) closed}: the address is this
        machine, whose firewall drops what the container sends there. Set
        ${opt "hostPorts"} = [ ${
          toString (map toString cfg.hostPorts ++ lib.subtractLists (map toString cfg.hostPorts) missing)
        } ]; and let the service listen on more than
        127.0.0.1, which services.ollama does with services.ollama.host = "0.0.0.0".
      ''
      ++ lib.optional ollamaIsHidden ''
        services.ollama.host = "${ollama.host}": Ollama does not answer the container there.
        Set services.ollama.host = "0.0.0.0"; the firewall keeps the network out.
      '';

    assertions = [
      {
        assertion = cfg.hostPorts == [ ] || foreign == [ ];
        message = ''
          ${opt "hostPorts"} with a network of your own (--network=${toString foreign}): the module does not know its bridge.
          Remove ${opt "hostPorts"}, and open the ports on that bridge: networking.firewall.interfaces.<bridge>.allowedTCPPorts = [ ${toString cfg.hostPorts} ].
        '';
      }
      {
        assertion = cfg.auth != "open" || foreign == [ ];
        message = ''
          ${opt "auth"} = "open" with a network of your own (--network=${toString foreign}) lets every container in it use your keys.
          Set ${opt "auth"} = "master-key", or remove --network: the gateway then gets a network that nothing else is in.
        '';
      }
      {
        assertion =
          !(hasOwnNetwork && cfg.backend == "podman")
          || podmanVersion == ""
          || lib.versionAtLeast podmanVersion "4.6";
        message = ''
          ${
            opt (if cfg.auth == "open" then "auth" else "hostPorts")
          } with podman ${podmanVersion}, which cannot make the network that this needs: one with a bridge of a fixed name, shut off from other networks.
          Use podman 4.6 or newer (virtualisation.podman.package), or docker.
        '';
      }
      {
        assertion = lib.all common.isAddress cfg.dns;
        message = ''
          ${opt "dns"}: ${common.quoted (lib.filter (each: !common.isAddress each) cfg.dns)} not an IP address.
          Write addresses of name servers, such as "192.168.1.1".
        '';
      }
    ];
  };
}
