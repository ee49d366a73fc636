# nginx in front of the instances: the one address that clients know.
#
# Which instance may get requests is said by files (see instances.nix), not by a
# configuration: a reload of nginx closes connections which clients keep open, and a
# client that sends its next request at that moment gets no answer.
{
  config,
  lib,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    cfg
    hasTLS
    instances
    isFleet
    isLoopback
    opt
    outDirectory
    publishedAddress
    ;

  pool = "litellm-proxy";
  poolWithout = instance: "${pool}-without-${toString instance.index}";

  upstream = name: members: {
    servers = lib.listToAttrs (
      map (
        instance:
        # nginx would not ask an instance that has failed for some time, and answer 502 by
        # itself when that leaves none. One that is down refuses at once, which costs
        # nothing, and is taken out by systemd.
        lib.nameValuePair "${instance.address}:${toString instance.port}" { max_fails = 0; }
      ) members
    );
    extraConfig = ''
      zone ${name} 128k;
      least_conn;
      keepalive 32;
      # Shorter than that of LiteLLM, 5 s, which would otherwise close a connection
      # when a request is on its way.
      keepalive_timeout 3s;
    '';
  };

  # One container alone is never taken out.
  removable = lib.optionals isFleet instances;
  others = instance: lib.filter (other: other.index != instance.index) instances;

  # Two instances out at a time are one that fails while another is renewed: then all are
  # tried in turn.
  choice = ''
    set $litellm_proxy_out "";
    ${lib.concatMapStrings (instance: ''
      if (-f ${outDirectory}/${toString instance.index}) {
        set $litellm_proxy_out "''${litellm_proxy_out}-${toString instance.index}";
      }
    '') removable}
  '';

  location = ''
    proxy_pass http://$litellm_proxy_pool;
    proxy_http_version 1.1;
    # With its port: LiteLLM sends a browser on to addresses that it makes of this.
    proxy_set_header Host $http_host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $litellm_proxy_connection;

    # Each piece of a stream as it comes.
    proxy_buffering off;
    # A request has to be here as a whole, so that another instance can be asked.
    proxy_request_buffering on;
    # As large as the files that OpenAI takes.
    client_max_body_size 512m;

    # LiteLLM gives a vendor 6000 seconds; it answers when that is over, not nginx.
    proxy_connect_timeout 5s;
    proxy_send_timeout 300s;
    proxy_read_timeout 6600s;

    # An instance that dies before it has answered: another one is asked, once, so that
    # a request which kills takes no more than two of them (docs/endurance.md). Never for
    # what LiteLLM answers itself, a vendor's 503 for one.
    proxy_next_upstream error timeout non_idempotent;
    proxy_next_upstream_tries 2;
  '';
in
{
  options.services.litellm-proxy.nginx = {
    enable = lib.mkOption {
      type = lib.types.bool;
      default = isFleet;
      defaultText = lib.literalMD "whether there are several {option}`services.litellm-proxy.instances`";
      description = ''
        Whether nginx ({option}`services.nginx`) takes the requests and hands them to
        the containers, which are then published on 127.0.0.1 only. Needed with several
        instances; with one it brings TLS.
      '';
      example = true;
    };

    virtualHost = lib.mkOption {
      type = lib.types.str;
      default = "litellm-proxy";
      description = ''
        The virtual host of nginx, in {option}`services.nginx.virtualHosts`. It listens
        on {option}`services.litellm-proxy.listenAddress` and
        {option}`services.litellm-proxy.port`, without TLS. With TLS, which is
        `services.nginx.virtualHosts."llm.example.org" = { enableACME = true; forceSSL = true; }`
        for a host of that name here, it listens where all hosts with TLS do; a loopback
        {option}`services.litellm-proxy.listenAddress` stays for this machine.
      '';
      example = "llm.example.org";
    };
  };

  config = lib.mkIf (cfg.enable && cfg.nginx.enable) {
    services.nginx = {
      enable = true;
      # Otherwise a changed configuration restarts nginx, which breaks off every stream.
      enableReload = lib.mkDefault true;
      upstreams = {
        ${pool} = upstream pool instances;
      }
      // lib.listToAttrs (
        map (
          instance:
          lib.nameValuePair (poolWithout instance) (upstream (poolWithout instance) (others instance))
        ) removable
      );
      virtualHosts.${cfg.nginx.virtualHost} = {
        listen = lib.mkIf (!hasTLS) [
          {
            addr = publishedAddress;
            inherit (cfg) port;
          }
        ];
        extraConfig = choice;
        locations."/".extraConfig = location;
      };
      appendHttpConfig = ''
        map $http_upgrade $litellm_proxy_connection {
          default upgrade;
          "" "";
        }
        map $litellm_proxy_out $litellm_proxy_pool {
          default ${pool};
          ${lib.concatMapStrings (instance: ''
            -${toString instance.index} ${poolWithout instance};
          '') removable}
        }
        ${lib.optionalString (hasTLS && isLoopback) ''
          server {
            listen ${publishedAddress}:${toString cfg.port};
            ${choice}
            location / {
              ${location}
            }
          }
        ''}
      '';
    };

    networking.firewall.allowedTCPPorts = lib.mkIf (cfg.openFirewall && hasTLS) [
      80
      443
    ];
  };
}
