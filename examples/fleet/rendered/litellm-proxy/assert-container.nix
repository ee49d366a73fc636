# What is refused of the containers as they are in the end, no matter who added to them: what
# would undo that they are shut in, or that the network gets at them where it should.
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
    opt
    quoted
    runOptions
    ;

  # What every container says, options and native settings of a newer nixpkgs alike.
  finals = map (
    instance:
    let
      container = config.virtualisation.oci-containers.containers.${instance.name};
      given = runOptions container.extraOptions;
      valuesOf = name: map (each: each.value) (lib.filter (each: each.name == name) given);
    in
    {
      inherit container valuesOf;
      own = "${instance.address}:${toString instance.port}:${toString common.image.containerPort}";
      has = name: lib.any (each: each.name == name && each.value != "false") given;
      networks = valuesOf "network" ++ container.networks or [ ];
      capabilities =
        map (lib.removePrefix "CAP_") (
          lib.concatMap (lib.splitString ",") (map lib.toUpper (valuesOf "cap-add"))
        )
        ++ lib.attrNames (lib.filterAttrs (_: value: value == true) (container.capabilities or { }));
      mounts =
        map (volume: lib.head (lib.splitString ":" volume)) (container.volumes ++ valuesOf "volume")
        ++ lib.concatMap (
          mount:
          map lib.last (
            lib.filter (pair: pair != null) (
              map (builtins.match "(source|src)=(.*)") (lib.splitString "," mount)
            )
          )
        ) (valuesOf "mount");
      ports = container.ports ++ valuesOf "publish";
      environmentFiles = container.environmentFiles ++ valuesOf "env-file";
    }
  ) instances;
  # among SELECT: what any container has, each once.
  among = select: lib.unique (lib.concatMap select finals);

  where =
    if lib.length instances == 1 then
      "virtualisation.oci-containers.containers.litellm-proxy (or ${opt "extraOptions"})"
    else
      "virtualisation.oci-containers.containers.litellm-proxy-1 (or ${opt "extraOptions"})";

  # The namespaces of this machine, or of another container.
  isShared = value: value == "host" || lib.hasPrefix "container:" value || lib.hasPrefix "ns:" value;
  sharedNetworks = among (
    final: lib.filter isShared final.networks ++ map (pod: "pod:${pod}") (final.valuesOf "pod")
  );
  sharedNamespaces = among (
    final:
    lib.concatMap
      (name: map (value: "--${name}=${value}") (lib.filter isShared (final.valuesOf name)))
      [
        "cgroupns"
        "ipc"
        "pid"
        "uts"
      ]
  );

  # With each of these a process in the container can become root of the machine.
  powers = [
    "ALL"
    "BPF"
    "DAC_READ_SEARCH"
    "NET_ADMIN"
    "SYS_ADMIN"
    "SYS_BOOT"
    "SYS_MODULE"
    "SYS_PTRACE"
    "SYS_RAWIO"
  ];
  addedPowers = among (final: lib.intersectLists powers final.capabilities);
  isPrivileged = lib.any (final: final.has "privileged" || final.container.privileged or false) finals;

  isUnconfined =
    value:
    builtins.match "(apparmor|seccomp|systempaths)[=:]unconfined|label[=:]disable|unmask[=:].*|no-new-privileges[=:]false" value
    != null;
  unconfined = among (final: lib.filter isUnconfined (final.valuesOf "security-opt"));

  # What keeps keys off the disk and the image as it is; the engine takes the last word.
  undone = among (
    final:
    lib.optional (lib.any (value: value == "false") (final.valuesOf "read-only")) "--read-only=false"
    ++ map (value: "--ulimit=${value}") (
      lib.filter (value: lib.hasPrefix "core=" value && value != "core=0") (final.valuesOf "ulimit")
    )
    ++ map (value: "--memory-swap=${value}") (
      lib.subtractLists [ cfg.resources.memory ] (final.valuesOf "memory-swap")
    )
  );

  isWholeMachine =
    source:
    source == "/"
    || builtins.match ".*/(docker|podman|containerd|crio)[.]sock" source != null
    || lib.elem source [
      "/run"
      "/run/podman"
      "/run/containerd"
      "/var/run"
      "/var/lib/docker"
      "/var/lib/containers"
    ];
  wholeMachine = among (final: lib.filter isWholeMachine final.mounts);

  # ADDRESS:PORT:PORT; a mapping without an address is published on all of them.
  isWide =
    mapping:
    let
      parts = builtins.match "(\\[[^]]*]|[^:]*):[^:]*:[^:]*" mapping;
      address = if parts == null then "" else lib.head parts;
    in
    !(lib.hasPrefix "127." address || address == "[::1]");
  widePorts = among (
    final:
    lib.filter (mapping: mapping != final.own && isWide mapping) final.ports
    ++ lib.optional (final.has "publish-all") "--publish-all"
  );

  # The engine keeps what such a file holds, on the disk.
  environmentFiles = among (final: map toString final.environmentFiles);
in
{
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = sharedNetworks == [ ];
        message = ''
          ${where}: --network=${toString sharedNetworks} puts the container into a network of another, where LiteLLM listens on every interface and ${opt "listenAddress"} means nothing.
          Remove --network=${lib.head sharedNetworks}; the container reaches the host as host.containers.internal.
        '';
      }
      {
        assertion = sharedNamespaces == [ ];
        message = ''
          ${where}: ${quoted sharedNamespaces} shows the container processes that are not its own.
          Remove it.
        '';
      }
      {
        assertion = !isPrivileged;
        message = ''
          ${where}: --privileged makes the container's root the root of this machine, and LiteLLM needs nothing of it.
          Remove --privileged.
        '';
      }
      {
        assertion = addedPowers == [ ];
        message = ''
          ${where}: the capabilities ${quoted addedPowers} are as good as root of this machine, and LiteLLM needs none.
          Remove ${lib.concatMapStringsSep " and " (name: "--cap-add=${name}") addedPowers}.
        '';
      }
      {
        assertion = unconfined == [ ];
        message = ''
          ${where}: ${quoted (map (value: "--security-opt=${value}") unconfined)} takes away what the container is shut in by.
          Remove it.
        '';
      }
      {
        assertion = undone == [ ];
        message = ''
          ${where}: ${quoted undone} lets the container write where it must not, or put keys on the disk by swap or a core dump.
          Remove it; sizes are set by ${opt "resources"}.
        '';
      }
      {
        assertion = wholeMachine == [ ];
        message = ''
          ${where}: with ${quoted wholeMachine} mounted, a process in the container is as good as root of this machine.
          Mount the one folder that is needed.
        '';
      }
      {
        assertion = widePorts == [ ];
        message = ''
          ${where}: ${quoted widePorts} publishes a port past the firewall, on an address that ${opt "listenAddress"} does not name.
          Remove it, and set ${opt "listenAddress"}, ${opt "port"} and ${opt "openFirewall"}.
        '';
      }
      {
        assertion = environmentFiles == [ ];
        message = ''
          ${where}: ${quoted environmentFiles}: ${cfg.backend} keeps the content of such a file on the disk${
            lib.optionalString (lib.any inStore environmentFiles) ", and the Nix store shows it to everyone"
          }.
          Remove it, and set ${opt "secrets"}.<NAME>.file for each key.
        '';
      }
    ];
  };
}
