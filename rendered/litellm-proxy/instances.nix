# Several containers of the proxy, and a switch between two configurations or two sets
# of keys that loses no request: one container after the other, each taken out of nginx
# first and put back when it is ready.
#
#   litellm-proxy.target          all of them; stopping it stops them
#   litellm-proxy-roll.service    brings every instance up to date, one at a time; a
#                                 switch starts it when something about them has changed
#
# Nothing here exists with one container, which a switch simply restarts.
{
  config,
  lib,
  pkgs,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    cacheService
    cfg
    environmentFile
    hasDatabase
    image
    instances
    isFleet
    opt
    outDirectory
    runtimeDirectory
    secretFiles
    target
    ;
  inherit (import ./bytecode.nix args) compileImage;
  inherit (import ./revision.nix args)
    fetchImage
    isCurrent
    revision
    writeStarted
    ;

  out = instance: "${outDirectory}/${toString instance.index}";
  service = instance: "${instance.unit}.service";
  services = map service instances;

  takeOut = instance: ''
    install -d -m 0755 ${outDirectory}
    : > ${out instance}
  '';

  startSeconds = 900;

  # LiteLLM listens before it can answer when it has several workers, and docker accepts
  # connections for it at any time, so only an answer says that it is there. systemd does
  # not look after the container while this runs.
  awaitReady = instance: ''
    for _ in {1..${toString startSeconds}}; do
      if curl --silent --fail --max-time 10 --output /dev/null http://${instance.address}:${toString instance.port}${image.readyPath}; then
        rm -f ${out instance}
        exit 0
      fi
      kill -0 "$MAINPID" || exit 1
      sleep 1
    done
    echo "<3>${instance.name} has not answered ${image.readyPath} for ${toString startSeconds} seconds." >&2
    exit 1
  '';

  # The keys and this go together, so only the last instance that stops removes them.
  forget = instance: ''
    ${takeOut instance}
    rm -f ${instance.started}
    if [ -z "$(ls -d ${runtimeDirectory}/started-* 2> /dev/null)" ]; then
      rm -rf ${environmentFile} ${secretFiles} ${runtimeDirectory}/fingerprint
    fi
  '';

  rollScript = ''
    names=(${lib.concatMapStringsSep " " (instance: instance.name) instances})
    units=(${lib.concatStringsSep " " services})
    revisions=(${lib.concatMapStringsSep " " revision instances})
    started=(${lib.concatMapStringsSep " " (instance: instance.started) instances})
    out=(${lib.concatMapStringsSep " " out instances})

    # An instance that is active has been ready: its start waits for that.
    serves() {
      systemctl is-active --quiet "''${units[$1]}" && [ ! -e "''${out[$1]}" ]
    }
    ${isCurrent}

    # another_serves INDEX: whether requests find an instance beside this one. One that
    # is starting gets the time for it.
    another_serves() {
      local index
      for _ in {1..120}; do
        for index in "''${!units[@]}"; do
          if [ "$index" != "$1" ] && serves "$index"; then
            return
          fi
        done
        sleep 1
      done
      echo "<3>No instance but ''${names[$1]} serves requests, so it was not restarted." >&2
      return 1
    }

    # renew INDEX: out of nginx, stopped when it has finished its requests, started,
    # and back in nginx when it is ready. systemd tries again what may have failed in
    # passing, and would never say that it does so for the third time.
    renew() {
      local unit=''${units[$1]} state
      echo "''${names[$1]}: restarting."
      : > "''${out[$1]}"
      # What nginx has sent to it by now is on its way and will be answered.
      sleep 1
      systemctl reset-failed "$unit" 2> /dev/null || true
      systemctl restart --no-block "$unit"
      for _ in {1..${toString (cfg.drainSeconds + 2 * startSeconds)}}; do
        sleep 1
        if serves "$1"; then
          echo "''${names[$1]}: ready."
          return
        fi
        state=$(systemctl show --property=NRestarts,ActiveState,Job "$unit")
        case $state in
          *NRestarts=[01]*) ;;
          *) break ;;
        esac
        case $state in
          *ActiveState=failed*Job= | *ActiveState=inactive*Job=) break ;;
        esac
      done
      echo "<3>''${names[$1]} does not start and gets no requests: journalctl -u $unit -n 50. The instances after it were left as they are." >&2
      exit 1
    }

    roll() {
      local index
      install -d -m 0755 ${outDirectory}
      (umask 077 && : >> ${outDirectory}/lock)
      exec 8< ${outDirectory}/lock
      flock 8
      # A start finds out too, but after the stop.
      if ! systemctl start litellm-proxy-secrets.service; then
        echo "<3>The keys cannot be used, see the messages of litellm-proxy-secrets.service. No instance was restarted." >&2
        exit 1
      fi
      # First those that serve no one: to restart them costs nothing, and the others go
      # on meanwhile.
      for index in "''${!units[@]}"; do
        if ! serves "$index"; then
          renew "$index"
        fi
      done
      for index in "''${!units[@]}"; do
        if ! is_current "''${started[$index]}" "''${revisions[$index]}"; then
          another_serves "$index"
          renew "$index"
        fi
      done
      echo "Every instance runs with this configuration and these keys."
    }
  '';
in
{
  options.services.litellm-proxy = {
    instances = lib.mkOption {
      type = lib.types.ints.between 1 100;
      default = 1;
      description = ''
        Containers of the proxy. Several share the load behind nginx
        ({option}`services.litellm-proxy.nginx`) and their state through Redis, without
        which they are refused: each would count limits and failures for itself. A
        changed configuration or key restarts them one after the other, so that no
        request is lost; one container alone is gone for the seconds of a restart.
      '';
      example = 2;
    };

    instancePort = lib.mkOption {
      type = lib.types.port;
      default = 4041;
      description = ''
        Behind nginx, the port of 127.0.0.1 on which the first instance is published;
        the others have the ports after it.
      '';
      example = 5000;
    };

    workers = lib.mkOption {
      type = lib.types.ints.between 1 100;
      default = 1;
      description = ''
        Processes of LiteLLM in each container. One keeps about one processor busy and
        needs about 350 MB, for which {option}`services.litellm-proxy.resources.memory`
        must have room.
      '';
      example = 4;
    };

    drainSeconds = lib.mkOption {
      type = lib.types.ints.between 1 86400;
      default = if isFleet then 300 else 30;
      defaultText = lib.literalMD "`300` with several instances, which meanwhile answer new requests; `30` with one";
      description = ''
        Time in which a container that stops may finish the requests that it has begun
        to answer. What takes longer breaks off. LiteLLM gets five seconds less, so that
        it still writes what was spent.
      '';
      example = 600;
    };

    internal.roll = lib.mkOption {
      internal = true;
      type = lib.types.lines;
      default = "";
      description = "Shell functions, of which `roll` brings every instance up to date.";
    };
  };

  config = lib.mkMerge [
    (lib.mkIf (cfg.enable && cfg.workers > 1) {
      virtualisation.oci-containers.containers = lib.listToAttrs (
        map (
          instance: lib.nameValuePair instance.name { environment = image.workers cfg.workers; }
        ) instances
      );
    })

    (lib.mkIf (cfg.enable && isFleet) {
      services.litellm-proxy.internal.roll = rollScript;

      virtualisation.oci-containers.containers = lib.listToAttrs (
        map (
          instance:
          lib.nameValuePair instance.name {
            # The target starts it.
            autoStart = false;
            # The first instance brings the tables of a new LiteLLM up to date.
            environment = lib.mkIf (hasDatabase && instance.index > 1) image.keepTables;
          }
        ) instances
      );

      systemd.services =
        lib.listToAttrs (
          map (
            instance:
            lib.nameValuePair instance.unit {
              description = "LiteLLM proxy, instance ${toString instance.index} of ${toString cfg.instances}";
              wantedBy = [ target ];
              partOf = [ target ];
              after = lib.optional (hasDatabase && instance.index > 1) (service (lib.head instances));
              # litellm-proxy-roll does it, one after the other.
              restartIfChanged = false;
              path = [ pkgs.curl ];
              preStart = lib.mkBefore (takeOut instance + writeStarted instance);
              # Only then is it active.
              postStart = awaitReady instance;
              postStop = lib.mkBefore (forget instance);
            }
          ) instances
        )
        // {
          litellm-proxy-roll = {
            description = "Bring every instance of the LiteLLM proxy up to date";
            wantedBy = [ target ];
            partOf = [ target ];
            # When the machine starts, they start by themselves.
            after = services;
            # A switch stops and starts nothing else.
            stopIfChanged = false;
            path = [
              config.virtualisation.${cfg.backend}.package
              pkgs.util-linux
            ];
            script = ''
              ${fetchImage}
              ${compileImage}
              # An image that cannot be had costs nothing.
              if systemctl is-active --quiet ${target}; then
                fetch_image
                compile_image
              fi
              ${rollScript}
              roll
            '';
            startLimitIntervalSec = 0;
            serviceConfig = cacheService // {
              Type = "oneshot";
              RemainAfterExit = true;
              TimeoutStartSec = "infinity";
            };
          };
        };

      systemd.targets.litellm-proxy = {
        description = "All instances of the LiteLLM proxy";
        wantedBy = [ "multi-user.target" ];
        # Not to be waited for when the machine starts: instances wait until they are
        # ready, and a target for all that it wants, unless told otherwise.
        unitConfig.DefaultDependencies = false;
        conflicts = [ "shutdown.target" ];
        before = [ "shutdown.target" ];
      };
    })
  ];
}
