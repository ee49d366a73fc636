# What is refused or warned of: where the proxy listens, and who else does.
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
    instances
    isIPv6
    isLoopback
    opt
    ;

  isWildcard = lib.elem cfg.listenAddress [
    "0.0.0.0"
    "::"
  ];

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
in
{
  config = lib.mkIf cfg.enable {
    warnings = lib.optional (!isLoopback && !cfg.openFirewall && !cfg.nginx.enable) ''
        ${opt "listenAddress"} = "${cfg.listenAddress}": ${cfg.backend} publishes past the
        NixOS firewall, so the network can reach port ${toString cfg.port} although
        ${opt "openFirewall"} is false. Set it to true if that is meant, or
        ${opt "listenAddress"} = "127.0.0.1".
      '';

    assertions = [
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
        assertion = common.isAddress cfg.listenAddress;
        message = ''
          ${opt "listenAddress"} = "${cfg.listenAddress}" is not an IP address, and ${cfg.backend} takes no names here.
          Write an address, such as "127.0.0.1" or "::1", without brackets and without port.
        '';
      }
      {
        assertion = !(cfg.backend == "podman" && isIPv6 cfg.listenAddress && !cfg.nginx.enable);
        message = ''
          ${opt "listenAddress"} = "${cfg.listenAddress}" with podman, whose networks have no IPv6: the port is bound, and every connection dies.
          Set ${opt "nginx.enable"} = true, which listens there and hands requests to the container, or ${opt "listenAddress"} to an IPv4 address.
        '';
      }
      {
        assertion = cfg.port > 0 && cfg.instancePort > 0;
        message = ''
          ${opt (if cfg.port > 0 then "instancePort" else "port")} = 0 is a random port, which no client would know.
          Write a port from 1 to 65535, such as ${if cfg.port > 0 then "4041" else "4000"}.
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
    ];
  };
}
