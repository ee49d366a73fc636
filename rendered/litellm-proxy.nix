# services.litellm-proxy: the LiteLLM proxy in a container, with its keys wired
# in when the service starts instead of when the system is built.
#
#   <backend>-litellm-proxy.service   the container (virtualisation.oci-containers)
#   litellm-proxy-secrets.service     checks the key files and assembles what the
#                                     container reads; runs before every start of it
#   litellm-proxy-secrets.path, -2…   watch the key files while the proxy is wanted
#   litellm-proxy-rotate.service      what the watchers start: assembles again and
#                                     restarts the container if the result differs
#   litellm-proxy-failure.service     says why, once systemd has given up
#
# The module needs nothing but this file and works from nixpkgs 24.11 on, with
# and without flakes.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:

let
  cfg = config.services.litellm-proxy;
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

  # What an optional key becomes when its file is missing. A variable that is not
  # set at all makes LiteLLM fall back to OPENAI_API_KEY for many providers, and so
  # hand the OpenAI key to somebody else's server.
  missingKey = "nixcfg-missing-key";

  selected = cfg.configs.${cfg.modelConfig};
  undeclared = lib.subtractLists (lib.attrNames cfg.secrets);

  # The keys which the selected configuration needs, and no other.
  providerSecrets = lib.mapAttrsToList (variable: secret: {
    inherit variable;
    inherit (secret) kind optional encrypted;
    file = toString secret.file;
  }) (lib.getAttrs (lib.subtractLists (undeclared selected.secrets) selected.secrets) cfg.secrets);

  masterKey = lib.optional (cfg.auth == "master-key" && cfg.masterKeyFile != null) {
    variable = "LITELLM_MASTER_KEY";
    kind = "env";
    optional = false;
    encrypted = false;
    file = toString cfg.masterKeyFile;
  };

  wired = providerSecrets ++ masterKey;
  generatesMasterKey = cfg.auth == "master-key" && cfg.masterKeyFile == null;
  fileSecrets = lib.filter (secret: secret.kind == "file") providerSecrets;

  watchedFiles =
    map (secret: secret.file) wired ++ lib.optional generatesMasterKey generatedMasterKey;

  # What to watch: each key file, which a path unit also follows through a symlink,
  # and the directory it is in, because a path unit does not see a symlink turn to
  # another target (`ln -sfn` is a rename inside the directory). sops-nix and agenix
  # turn a symlink higher up, beside the directory where they keep the generations.
  # Directories that are busy for other reasons would wake the watcher for nothing.
  busyDirectories = [
    "/"
    "/etc"
    "/home"
    "/root"
    "/run"
    "/tmp"
    "/var"
    "/var/lib"
    stateDirectory
  ];
  isWatchedBelow = directory: lib.any (lib.hasPrefix "${directory}/") watchedFiles;
  watchedPaths =
    lib.subtractLists busyDirectories (lib.unique (map dirOf watchedFiles))
    ++ lib.optional (options ? sops || isWatchedBelow "/run/secrets") "/run/secrets.d"
    ++ lib.optional (options ? age || isWatchedBelow "/run/agenix") (
      config.age.secretsMountPoint or "/run/agenix.d"
    )
    ++ lib.unique watchedFiles;

  # One path unit for each: when a path does not exist yet, systemd watches its parent,
  # and every event there makes it set up all watches of that unit anew, which loses
  # what the others have seen (measured with systemd 252: half of all renames).
  watchers = lib.listToAttrs (
    lib.imap1 (
      index: path:
      lib.nameValuePair "litellm-proxy-secrets${lib.optionalString (index > 1) "-${toString index}"}" path
    ) watchedPaths
  );

  # systemd expands `%` in unit files, and splits RequiresMountsFor= at spaces.
  unitPath = lib.replaceStrings [ "%" ] [ "%%" ];
  unitWord = path: unitPath (builtins.toJSON path);

  isPath = value: builtins.isPath value;
  inStore = value: lib.hasPrefix "${builtins.storeDir}/" (toString value);
  # A path literal is copied under a name and hash of its own, so that the container
  # restarts when this file changes and not whenever the source tree around it does.
  configFile =
    if isPath selected.file then
      builtins.path {
        path = selected.file;
        name = "litellm-config.yaml";
      }
    else
      toString selected.file;

  isLoopback = lib.hasPrefix "127." cfg.listenAddress || cfg.listenAddress == "::1";
  isWildcard = lib.elem cfg.listenAddress [
    "0.0.0.0"
    "::"
  ];
  isIPv6 = lib.hasInfix ":" cfg.listenAddress;
  isAddress =
    builtins.match "[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+" cfg.listenAddress != null
    || builtins.match "[0-9a-fA-F:.]*:[0-9a-fA-F:.]*" cfg.listenAddress != null;
  publishedAddress = if isIPv6 then "[${cfg.listenAddress}]" else cfg.listenAddress;

  # registry:port/name:tag@digest
  imageDigest = builtins.match ".*@(sha256:[0-9a-f]{64})" cfg.image;
  imageTag = builtins.match ".*/?[^/:@]+:([^/:@]+)(@.*)?" cfg.image;
  tag = if imageTag == null then "" else lib.head imageTag;
  isPinned =
    cfg.imageFile != null
    || imageDigest != null
    || builtins.match ".*[0-9]+[.][0-9]+[.][0-9]+.*" tag != null;
  isMalicious = builtins.match "(.*[^0-9.])?1[.]82[.][78]([^0-9].*)?" tag != null;

  nonRootImage = lib.hasInfix "non_root" cfg.image;

  hasDatabase = lib.elem "DATABASE_URL" selected.secrets || cfg.environment ? DATABASE_URL;

  # LiteLLM's behaviour is fixed by this file alone: no `.env`, no price map from
  # the network, no telemetry of LiteLLM or of the libraries it loads.
  fixedEnvironment = {
    # It wins over --config, and is ignored in silence when the file is not there.
    CONFIG_FILE_PATH = "/app/config.yaml";
    LITELLM_MODE = "PRODUCTION";
  }
  // lib.optionalAttrs (cfg.auth == "open") {
    LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY = "true";
  };
  defaultEnvironment = {
    LITELLM_LOCAL_MODEL_COST_MAP = "True";
    ANONYMIZED_TELEMETRY = "False";
    DO_NOT_TRACK = "True";
    SCARF_NO_ANALYTICS = "True";
    # The pages that answer without a key and serve nobody on a private gateway.
    NO_DOCS = "True";
    NO_OPENAPI = "True";
    NO_REDOC = "True";
    # The root file system is read-only: what is written goes to the tmpfs.
    HOME = "/tmp";
    LITELLM_MIGRATION_DIR = "/tmp/litellm-migrations";
  }
  // lib.optionalAttrs (!hasDatabase) { DISABLE_ADMIN_UI = "True"; };

  # Databases on this machine that LiteLLM may be told to use: it fails without them.
  localServices =
    lib.optionals (config.services.postgresql.enable or false) [
      "postgresql.service"
      "postgresql.target"
    ]
    ++ lib.mapAttrsToList (
      name: _: if name == "" then "redis.service" else "redis-${name}.service"
    ) (lib.filterAttrs (_: server: server.enable) (config.services.redis.servers or { }));

  # Variables that this module owns, and the option that sets each.
  ownedVariables = {
    CONFIG_FILE_PATH = opt "configs.<name>.file";
    HOST = opt "listenAddress";
    LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY = opt "auth";
    LITELLM_MASTER_KEY = opt "masterKeyFile";
    LITELLM_MODE = null;
    PORT = opt "port";
  };

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

  portUsers =
    let
      overlaps =
        address:
        isWildcard
        || address == cfg.listenAddress
        || lib.elem address [
          ""
          "0.0.0.0"
          "::"
        ];
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
        ) (removeAttrs config.virtualisation.oci-containers.containers [ containerName ])
      );
      native =
        lib.optional (options.services ? litellm && config.services.litellm.enable) {
          name = "services.litellm.port";
          address = config.services.litellm.host;
          inherit (config.services.litellm) port;
        };
    in
    map (user: user.name) (
      lib.filter (user: user.port == cfg.port && overlaps user.address) (containers ++ native)
    );

  quoted = lib.concatMapStringsSep ", " (name: "`${name}`");

  # Checks and assembles the keys. systemd has put each of them into a file of
  # $CREDENTIALS_DIRECTORY; what is written goes to $RUNTIME_DIRECTORY and, for the
  # generated master key, $STATE_DIRECTORY. A key is only ever held in a variable of
  # the shell and written by a builtin: the arguments of a program, or a here-string
  # in a temporary file, could be read by others.
  secretsScript = ''
    set -o pipefail
    umask 077
    export LC_ALL=C
    problems=0
    environment=
    files=()

    # <3> and <4> are the journal's priorities "error" and "warning".
    problem() {
      echo "<3>$1" >&2
      problems=$((problems + 1))
    }
    warning() {
      echo "<4>$1" >&2
    }
    # refuse VARIABLE FILE REASON
    refuse() {
      problem "$1: key file $2 $3"
    }

    # is_missing SOURCE: there was no key file, so systemd left its stand-in.
    is_missing() {
      [ ! -f "$1" ] || [ "$(head -c 64 "$1" | tr -d '\0')" = ${missingKey} ]
    }

    # is_placeholder VALUE: the texts that secrets.example and vendors' manuals put
    # where a key belongs. In any case of letters, with - _ or a space between words,
    # with or without "sk-" before them:
    #   replace-me...  change-me...  placeholder  fill-me-in  todo
    #   insert-...-here  paste-...-here  put-...-here  your-...-here
    #   your-key  your-...-key  (also token, secret, password)
    #   <...>  {{...}}  $...  ...  xxx...
    is_placeholder() {
      local text=''${1,,}
      text=''${text//[_ ]/-}
      text=''${text#sk-}
      case $text in
        replace-me* | replaceme* | change-me* | changeme* | placeholder | fill-me-in | todo) ;;
        insert-*-here | paste-*-here | put-*-here | your-*-here) ;;
        your-key | your-*-key | your-token | your-*-token) ;;
        your-secret | your-*-secret | your-password | your-*-password) ;;
        '<'*'>' | '{{'*'}}' | '$'* | ...*) ;;
        xxx*) [ -z "''${text//[x-]/}" ] ;;
        *) return 1 ;;
      esac
    }

    # read_value VARIABLE FILE SOURCE: sets $value to the key, or reports why the
    # file cannot hold one.
    read_value() {
      value=
      if [ ! -s "$3" ]; then
        refuse "$1" "$2" "is empty. Its content must be the key, nothing else."
        return 1
      fi
      if [ "$(tr -d '\n\040-\176\200-\377' < "$3" | wc -c)" -ne 0 ]; then
        refuse "$1" "$2" "holds a control character (tab, carriage return, binary data). Save it as plain text with Unix line ends."
        return 1
      fi
      # $(...) drops the newline that editors and echo put at the end.
      value=$(< "$3")
      if [[ $value == *$'\n'* ]]; then
        refuse "$1" "$2" "holds more than one line. Its content must be the key, nothing else; a document of several lines needs kind = \"file\"."
      elif [ -z "''${value// /}" ]; then
        refuse "$1" "$2" "is empty but for white space. Its content must be the key, nothing else."
      elif [[ $value == ' '* || $value == *' ' ]]; then
        refuse "$1" "$2" "begins or ends with a space."
      elif [[ $value == [\'\"]* ]]; then
        refuse "$1" "$2" "begins with a quote, which would become a part of the key. Write the bare key."
      elif [[ $value == "$1="* || $value == "export "* ]]; then
        refuse "$1" "$2" "holds an assignment. Its content must be the key alone, without $1=."
      elif [[ ''${value,,} == true || ''${value,,} == false ]]; then
        refuse "$1" "$2" "holds the word true or false, which LiteLLM does not take for a key."
      elif is_placeholder "$value"; then
        refuse "$1" "$2" "still holds a placeholder. Replace it by the key."
      elif [ "''${#value}" -gt 65536 ]; then
        refuse "$1" "$2" "is longer than 64 KiB, too long for a variable. A document needs kind = \"file\"."
      else
        return 0
      fi
      return 1
    }

    # wire_value VARIABLE FILE SOURCE
    wire_value() {
      local value
      read_value "$@" || return 0
      if [ "$1" = LITELLM_MASTER_KEY ]; then
        if [ "''${value// /}" = sk-1234 ]; then
          refuse "$1" "$2" "holds sk-1234, which everybody knows and LiteLLM refuses. Write sk- and 32 or more random characters."
        elif [[ $value != sk-* || ''${#value} -lt 20 ]]; then
          warning "$1: key file $2 holds a weak key. A good one is sk- and 32 or more random characters."
        fi
      fi
      environment+=$1=$value$'\n'
    }

    # wire VARIABLE FILE (env|file) (required|optional)
    wire() {
      local source=$CREDENTIALS_DIRECTORY/$1
      if is_missing "$source"; then
        if [ "$4" = required ]; then
          refuse "$1" "$2" "is missing. Create it with the key as its only content; the proxy then starts by itself."
        else
          warning "$1: optional key file $2 is missing. Requests that need this key will fail."
          environment+=$1=${missingKey}$'\n'
        fi
      elif [ "$3" = env ]; then
        wire_value "$1" "$2" "$source"
      elif [ ! -s "$source" ]; then
        refuse "$1" "$2" "is empty."
      elif is_placeholder "$(head -c 256 "$source" | tr -d '\0')"; then
        refuse "$1" "$2" "still holds a placeholder. Replace it by the real document."
      else
        files+=("$1")
        environment+=$1=${secretFiles}/$1$'\n'
      fi
    }

    # The master key is made once, of 256 random bits, and on disk before it is used.
    wire_generated_master_key() {
      local file=$STATE_DIRECTORY/master-key random
      if [ ! -e "$file" ]; then
        random=$(od -An -vtx1 -N32 /dev/urandom | tr -d ' \n')
        [ "''${#random}" -eq 64 ]
        printf 'sk-%s\n' "$random" > "$file.new"
        sync "$file.new"
        mv -fT "$file.new" "$file"
        echo "LITELLM_MASTER_KEY: generated. To read it: sudo cat $file"
      fi
      wire_value LITELLM_MASTER_KEY "$file" "$file"
    }

    # put NAME: makes NAME.new the content of $RUNTIME_DIRECTORY/NAME, whole or not at
    # all. What writes NAME.new is no pipe, in which a killed writer looks like the end.
    put() {
      mv -fT "$RUNTIME_DIRECTORY/$1.new" "$RUNTIME_DIRECTORY/$1"
    }

    # One run at a time, so that a file which is being written is always one's own.
    if ! : > "$RUNTIME_DIRECTORY/lock"; then
      problem "cannot write below $RUNTIME_DIRECTORY; nothing was changed."
      exit 1
    fi
    exec 9< "$RUNTIME_DIRECTORY/lock"
    flock 9

    ${
      lib.concatMapStrings (
        secret:
        lib.escapeShellArgs [
          "wire"
          secret.variable
          secret.file
          secret.kind
          (if secret.optional then "optional" else "required")
        ]
        + "\n"
      ) wired
      + lib.optionalString generatesMasterKey "wire_generated_master_key\n"
    }
    if [ "$problems" -ne 0 ]; then
      echo "<3>$problems of the keys cannot be used; nothing was changed." >&2
      exit 1
    fi

    mkdir -p "$RUNTIME_DIRECTORY/files"
    for variable in "''${files[@]}"; do
      cat "$CREDENTIALS_DIRECTORY/$variable" > "$RUNTIME_DIRECTORY/files/$variable.new"
      put "files/$variable"
    done
    for file in "$RUNTIME_DIRECTORY"/files/*; do
      [[ " ''${files[*]} " == *" ''${file##*/} "* ]] || rm -f "$file"
    done
    ${lib.optionalString nonRootImage ''
      # This image does not run as root; the directory above stays closed to others.
      chown -R 65534 "$RUNTIME_DIRECTORY/files"
    ''}
    printf %s "$environment" > "$RUNTIME_DIRECTORY/environment.new"
    put environment
    cd "$RUNTIME_DIRECTORY"
    sha256sum environment "''${files[@]/#/files/}" > fingerprint.new
    put fingerprint
  '';

  # Started by the watcher, at the first of what may be a row of changes. The loop
  # waits until the files rest, and looks again at the end, because a change that
  # comes in while this runs does not start it anew.
  rotateScript = ''
    state_of_files() {
      stat -L -c '%n %d %i %s %.9Y %.9Z' -- ${lib.escapeShellArgs watchedFiles} 2>&1 || true
    }
    assembled=none
    result=0
    for _ in {1..20}; do
      seen=$(state_of_files)
      sleep 0.5
      if [ "$seen" != "$(state_of_files)" ]; then
        continue
      elif [ "$seen" = "$assembled" ]; then
        break
      fi
      assembled=$seen
      result=0
      systemctl start litellm-proxy-secrets.service || result=$?
    done
    if [ "$assembled" = none ]; then
      echo "<4>The key files kept changing for 10 seconds." >&2
      systemctl start litellm-proxy-secrets.service || result=$?
    fi
    if [ "$result" -ne 0 ]; then
      echo "<3>The keys cannot be used, see the messages of litellm-proxy-secrets.service. A running proxy keeps the old ones." >&2
      exit 1
    fi
    # No file of the second name: nothing runs, because the last start found no keys.
    if ! systemctl is-active --quiet litellm-proxy-secrets.path; then
      echo "${containerUnit}.service was stopped meanwhile; nothing to do."
    elif [ -e ${runtimeDirectory}/started ] &&
      [ "$(< ${runtimeDirectory}/fingerprint)" = "$(< ${runtimeDirectory}/started)" ]; then
      echo "The keys are those that the proxy runs with."
    else
      echo "The keys changed: starting ${containerUnit}.service."
      # A new key deserves a start even after systemd gave up.
      systemctl reset-failed ${containerUnit}.service 2> /dev/null || true
      systemctl restart --no-block ${containerUnit}.service
    fi
  '';

  # systemd starts this when it gives up on the container, and also when the keys did
  # not let it start, in which case the result is still that of an earlier run.
  failureScript = ''
    if systemctl is-failed --quiet litellm-proxy-secrets.service; then
      echo "<3>${containerUnit}.service was not started, because its keys cannot be used: journalctl -u litellm-proxy-secrets.service -n 20. It starts by itself when they can." >&2
      exit 0
    fi
    echo "<3>${containerUnit}.service failed too often and is not started again by itself (last result: ''${MONITOR_SERVICE_RESULT:-unknown}, exit status: ''${MONITOR_EXIT_STATUS:-unknown})." >&2
    case ''${MONITOR_EXIT_STATUS:-} in
      1 | 2 | 3) echo "<3>LiteLLM itself refused to start: its configuration or master key is not accepted." >&2 ;;
      125) echo "<3>${cfg.backend} could not create the container: the image cannot be had, or ${publishedAddress}:${toString cfg.port} is taken." >&2 ;;
      137) echo "<3>The container was killed: by the memory limit (${cfg.resources.memory}), or because its health check failed." >&2 ;;
    esac
    echo "<3>Its last words: journalctl -u ${containerUnit}.service -n 50. Then: systemctl restart ${containerUnit}.service" >&2
  '';

  # Needs no network, no device and no capability, sees no home directory, and can
  # write to the two directories that systemd gives it.
  hardening = {
    CapabilityBoundingSet = if nonRootImage then "CAP_CHOWN" else "";
    IPAddressDeny = "any";
    KeyringMode = "private";
    LimitCORE = 0;
    LockPersonality = true;
    MemoryDenyWriteExecute = true;
    NoNewPrivileges = true;
    PrivateDevices = true;
    PrivateNetwork = true;
    PrivateTmp = true;
    ProcSubset = "pid";
    ProtectClock = true;
    ProtectControlGroups = true;
    ProtectHome = true;
    ProtectHostname = true;
    ProtectKernelLogs = true;
    ProtectKernelModules = true;
    ProtectKernelTunables = true;
    ProtectProc = "invisible";
    ProtectSystem = "strict";
    RemoveIPC = true;
    RestrictAddressFamilies = "none";
    RestrictNamespaces = true;
    RestrictRealtime = true;
    RestrictSUIDSGID = true;
    SystemCallArchitectures = "native";
    SystemCallErrorNumber = "EPERM";
    SystemCallFilter = [
      "@system-service"
      "~@privileged @resources"
    ]
    ++ lib.optional nonRootImage "@chown";
    UMask = "0077";
  };

  isLoopbackURL = value: builtins.match "https?://(127[.][0-9.]+|localhost|\\[::1])([:/].*)?" value != null;

  namedVariables =
    map
      (name: {
        inherit name;
        badNames = lib.filter (variable: builtins.match variableName variable == null) (
          lib.attrNames cfg.${name}
        );
        owned = lib.attrNames (lib.intersectAttrs cfg.${name} ownedVariables);
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

  healthCommand =
    "python3 -c 'import urllib.request; "
    + "urllib.request.urlopen(\"http://127.0.0.1:${toString containerPort}/health/liveliness\", timeout=8)'";

  configOptions = {
    options = {
      file = lib.mkOption {
        type = lib.types.path;
        description = ''
          LiteLLM configuration, mounted read-only at `/app/config.yaml`. It is
          copied to the world-readable Nix store, so it names keys
          (`api_key: os.environ/OPENAI_API_KEY`) and never holds one.
        '';
        example = lib.literalExpression "./litellm/all.yaml";
      };

      secrets = lib.mkOption {
        type = lib.types.listOf lib.types.str;
        default = [ ];
        apply = names: lib.naturalSort (lib.unique names);
        description = ''
          The secrets that this configuration needs, by the names which they have
          in {option}`services.litellm-proxy.secrets`. The container gets these and
          no other.
        '';
        example = [ "ANTHROPIC_API_KEY" ];
      };
    };
  };

  secretOptions = {
    options = {
      file = lib.mkOption {
        type = lib.types.path;
        description = ''
          The file that holds the key and nothing else; a newline at its end does no
          harm. It is read when the service starts, by systemd, as root: any owner
          and mode will do. Written as a string, because a path literal would be
          copied to the world-readable Nix store.
        '';
        example = lib.literalExpression ''config.sops.secrets."anthropic".path'';
      };

      kind = lib.mkOption {
        type = lib.types.enum [
          "env"
          "file"
        ];
        default = "env";
        description = ''
          What the variable of this name holds in the container: the key itself
          (`env`), or the path of a read-only copy of the file (`file`), as for the
          JSON document of a Google service account.
        '';
        example = "file";
      };

      optional = lib.mkOption {
        type = lib.types.bool;
        default = false;
        description = ''
          Whether the proxy starts when the file is missing. The variable is then
          `${missingKey}`, so that requests that need the key fail. It is not left
          unset: for many providers LiteLLM would then send them the key in
          `OPENAI_API_KEY`. A file that is there but cannot be a key is always an
          error.
        '';
        example = true;
      };

      encrypted = lib.mkOption {
        type = lib.types.bool;
        default = false;
        description = ''
          Whether the file is a systemd credential, made by
          `systemd-creds encrypt --name=VARIABLE key.txt FILE`, which systemd
          decrypts when the service starts.
        '';
        example = true;
      };
    };
  };

  declaredConfigs = lib.attrNames cfg.configs;
in
{
  # The flake's module and the copy beside a rendered docker.nix are one module.
  key = "nixcfg/litellm-proxy";

  options.services.litellm-proxy = {
    enable = lib.mkEnableOption "the LiteLLM proxy, an OpenAI-compatible gateway to many LLM providers, in a container";

    backend = lib.mkOption {
      type = lib.types.enum [
        "docker"
        "podman"
      ];
      default = "docker";
      description = ''
        What runs the container. It becomes
        {option}`virtualisation.oci-containers.backend`, which all containers share.
      '';
      example = "podman";
    };

    image = lib.mkOption {
      type = lib.types.str;
      default = "ghcr.io/berriai/litellm:v1.106.2";
      description = ''
        The image to run: a release of LiteLLM, best with its digest. Tags that move
        to other releases get a warning, the two malicious releases are refused.
      '';
      example = "ghcr.io/berriai/litellm:v1.106.2@sha256:…";
    };

    imageFile = lib.mkOption {
      type = lib.types.nullOr lib.types.package;
      default = null;
      description = ''
        An image archive to load before each start, instead of fetching
        {option}`services.litellm-proxy.image`, which must name the image inside.
      '';
      example = lib.literalExpression "pkgs.dockerTools.buildLayeredImage { … }";
    };

    listenAddress = lib.mkOption {
      type = lib.types.str;
      default = "127.0.0.1";
      description = ''
        The host's address on which the proxy is published. docker and podman
        publish past the NixOS firewall: on anything but a loopback address the
        network can reach the proxy, whatever the firewall says.
      '';
      example = "192.168.1.10";
    };

    port = lib.mkOption {
      type = lib.types.port;
      default = 4000;
      description = "The host's port on which the proxy is published.";
      example = 8000;
    };

    openFirewall = lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = ''
        Whether to open {option}`services.litellm-proxy.port` in the firewall. It
        also tells the module that a wide
        {option}`services.litellm-proxy.listenAddress` is meant.
      '';
      example = true;
    };

    modelConfig = lib.mkOption {
      type = lib.types.enum declaredConfigs // {
        description =
          "one of the names in services.litellm-proxy.configs"
          + lib.optionalString (declaredConfigs != [ ]) " (${lib.concatStringsSep ", " declaredConfigs})";
      };
      description = ''
        The configuration that the container loads. Changing this one option moves
        the proxy to another set of providers, with exactly the keys they need.
      '';
      example = "claude";
    };

    configs = lib.mkOption {
      type = lib.types.attrsOf (lib.types.submodule configOptions);
      default = { };
      description = "LiteLLM configurations to choose from, by name.";
      example = lib.literalExpression ''
        {
          claude = {
            file = ./litellm/claude.yaml;
            secrets = [ "ANTHROPIC_API_KEY" ];
          };
        }
      '';
    };

    secrets = lib.mkOption {
      type = lib.types.attrsOf (lib.types.submodule secretOptions);
      default = { };
      description = ''
        Secrets, by the environment variable through which LiteLLM reads them. Their
        values are never part of the configuration, of a unit or of the Nix store.
        When the content of a key file changes, the container restarts by itself
        within seconds.
      '';
      example = lib.literalExpression ''
        {
          ANTHROPIC_API_KEY.file = "/etc/nixcfg/secrets/anthropic_api_key.txt";
          OPENAI_API_KEY = {
            file = config.age.secrets.openai.path;
            optional = true;
          };
        }
      '';
    };

    masterKeyFile = lib.mkOption {
      type = lib.types.nullOr lib.types.path;
      default = null;
      defaultText = lib.literalMD "`null`: generated once, in `${generatedMasterKey}`";
      description = ''
        The file that holds the master key, with which clients authenticate. Without
        one, a key of 256 random bits is generated at the first start and kept in
        `${generatedMasterKey}`, mode 0600:
        `sudo cat ${generatedMasterKey}` shows it.
      '';
      example = "/etc/nixcfg/secrets/litellm_master_key.txt";
    };

    auth = lib.mkOption {
      type = lib.types.enum [
        "master-key"
        "open"
      ];
      default = "master-key";
      description = ''
        Whether clients need the master key. `open` serves everybody who can connect
        and is refused on anything but a loopback address; even there, every user
        and every web page open in a browser on this machine can spend your money.
      '';
      example = "open";
    };

    environment = lib.mkOption {
      type = lib.types.attrsOf lib.types.str;
      default = { };
      description = ''
        Further environment variables of the container. They end up in the
        world-readable Nix store: secrets belong in
        {option}`services.litellm-proxy.secrets`.
      '';
      example = {
        LITELLM_LOG = "ERROR";
        OLLAMA_API_BASE = "http://host.containers.internal:11434";
      };
    };

    health = {
      interval = lib.mkOption {
        type = lib.types.str;
        default = "30s";
        description = "Time between two health checks (`/health/liveliness`, which costs nothing).";
        example = "10s";
      };

      startPeriod = lib.mkOption {
        type = lib.types.str;
        default = "120s";
        description = "Time that LiteLLM has for its start, in which failed checks do not count.";
        example = "5m";
      };

      timeout = lib.mkOption {
        type = lib.types.str;
        default = "10s";
        description = "Time after which a health check has failed.";
        example = "30s";
      };

      retries = lib.mkOption {
        type = lib.types.ints.positive;
        default = 3;
        description = ''
          Failed checks in a row that make the container unhealthy. podman then kills
          it and systemd starts a new one; docker only reports it.
        '';
        example = 5;
      };
    };

    resources = {
      memory = lib.mkOption {
        type = lib.types.strMatching "[1-9][0-9]*[bkmg]";
        default = "2g";
        description = "Most memory that the container may use. LiteLLM needs about 350 MB a worker, and more under load.";
        example = "4g";
      };

      cpus = lib.mkOption {
        type = lib.types.nullOr (lib.types.strMatching "[0-9]+([.][0-9]+)?");
        default = null;
        description = "Most processors that the container may use at a time.";
        example = "1.5";
      };

      pids = lib.mkOption {
        type = lib.types.ints.positive;
        default = 512;
        description = "Most processes and threads that the container may have.";
        example = 1024;
      };

      tmpSize = lib.mkOption {
        type = lib.types.strMatching "[1-9][0-9]*[kmg]";
        default = "256m";
        description = "Size of `/tmp`, the one place in the container that can be written to.";
        example = "1g";
      };
    };

    extraOptions = lib.mkOption {
      type = lib.types.listOf lib.types.str;
      default = [ ];
      description = "Further options for `docker run` or `podman run`, after those of this module.";
      example = [ "--network=backend" ];
    };
  };

  config = lib.mkIf cfg.enable {
    virtualisation.oci-containers = {
      # A default, so that a backend which was chosen for all containers gives the
      # assertion below instead of a conflict.
      backend = lib.mkDefault cfg.backend;

      containers.${containerName} = {
        inherit (cfg) image imageFile;
        cmd = [
          "--config"
          fixedEnvironment.CONFIG_FILE_PATH
          "--port"
          (toString containerPort)
        ];
        environment = defaultEnvironment // cfg.environment // fixedEnvironment;
        environmentFiles = [ environmentFile ];
        log-driver = "journald";
        ports = [ "${publishedAddress}:${toString cfg.port}:${toString containerPort}" ];
        volumes = [
          "${configFile}:${fixedEnvironment.CONFIG_FILE_PATH}:ro"
        ]
        # The directory and not each file: a mount of one file would keep showing
        # what has been replaced.
        ++ lib.optional (fileSecrets != [ ]) "${secretFiles}:${secretFiles}:ro";
        extraOptions = [
          "--cap-drop=ALL"
          "--security-opt=no-new-privileges"
          "--read-only"
          "--tmpfs=/tmp:rw,noexec,nosuid,nodev,mode=1777,size=${cfg.resources.tmpSize}"
          "--pids-limit=${toString cfg.resources.pids}"
          "--memory=${cfg.resources.memory}"
        ]
        ++ lib.optional (cfg.resources.cpus != null) "--cpus=${cfg.resources.cpus}"
        ++ [
          # Time to finish the requests that are being answered. As process 1, LiteLLM
          # does not hear SIGTERM before its server runs, and would be killed in the end.
          "--stop-signal=SIGINT"
          "--stop-timeout=30"
          # There is no curl in the image, and /health would call every model.
          "--health-cmd=${healthCommand}"
          "--health-interval=${cfg.health.interval}"
          "--health-retries=${toString cfg.health.retries}"
          "--health-start-period=${cfg.health.startPeriod}"
          "--health-timeout=${cfg.health.timeout}"
        ]
        ++ (
          if cfg.backend == "podman" then
            [ "--health-on-failure=kill" ]
          else
            # podman's name for the host, so that a configuration works with both.
            [ "--add-host=host.containers.internal:host-gateway" ]
        )
        ++ cfg.extraOptions;
      };
    };

    systemd.services = {
      ${containerUnit} = {
        description = lib.mkDefault "LiteLLM proxy";
        # Every start assembles the keys anew, and does not happen without them. The
        # wiring does not stay active after its work, so that it can run again
        # without touching a container that needs no restart.
        requires = [ "litellm-proxy-secrets.service" ];
        after = [ "litellm-proxy-secrets.service" ] ++ localServices;
        wants = map (name: "${name}.path") (lib.attrNames watchers);
        onFailure = [ "litellm-proxy-failure.service" ];
        restartTriggers = [
          (builtins.toJSON wired)
          (builtins.toJSON watchers)
        ];
        preStart = ''
          cp ${runtimeDirectory}/fingerprint ${runtimeDirectory}/started
        '';
        postStop = lib.mkMerge [
          # Before podman or docker remove the container, which might fail.
          (lib.mkBefore ''
            rm -rf ${environmentFile} ${secretFiles} ${runtimeDirectory}/fingerprint ${runtimeDirectory}/started
          '')
          # podman finds the container by this file, and leaves it behind.
          (lib.mkIf (cfg.backend == "podman") (lib.mkAfter "rm -f /run/${containerUnit}.ctr-id\n"))
        ];
        startLimitIntervalSec = 3600;
        startLimitBurst = 20;
        serviceConfig = {
          # Stopped while it starts, LiteLLM ends with one of these.
          SuccessExitStatus = "130 143";
          RestartSec = 5;
          # 5 s, then ever longer, up to 2 minutes (systemd 254; older ones stay at 5 s).
          RestartSteps = 6;
          RestartMaxDelaySec = 120;
          # Newer oci-containers modules use this very directory for podman.
          RuntimeDirectoryMode = "0700";
          RuntimeDirectoryPreserve = true;
        };
      };

      litellm-proxy-secrets = {
        description = "Assemble the keys of the LiteLLM proxy";
        after = [
          # sops-nix and agenix, where they run as services.
          "sops-install-secrets.service"
          "agenix-install-secrets.service"
        ];
        path = [ pkgs.util-linux ];
        script = secretsScript;
        unitConfig.RequiresMountsFor = map (secret: unitWord secret.file) wired;
        startLimitIntervalSec = 0;
        serviceConfig = hardening // {
          Type = "oneshot";
          LoadCredential = map (secret: "${secret.variable}:${unitPath secret.file}") (
            lib.filter (secret: !secret.encrypted) wired
          );
          LoadCredentialEncrypted = map (secret: "${secret.variable}:${unitPath secret.file}") (
            lib.filter (secret: secret.encrypted) wired
          );
          # Without a stand-in systemd fails before the script runs, with no more to
          # say than "Failed to set up credentials".
          SetCredential = map (secret: "${secret.variable}:${missingKey}") wired;
          RuntimeDirectory = "litellm-proxy";
          RuntimeDirectoryMode = "0700";
          # What is written here is for the container, which starts afterwards.
          RuntimeDirectoryPreserve = true;
          StateDirectory = "litellm-proxy";
          StateDirectoryMode = "0700";
        };
      };

      litellm-proxy-rotate = {
        description = "Restart the LiteLLM proxy if its keys have changed";
        # A start that is under way reads the new keys or is over when this compares.
        after = [ "${containerUnit}.service" ];
        script = rotateScript;
        startLimitIntervalSec = 0;
        serviceConfig = {
          Type = "oneshot";
          NoNewPrivileges = true;
          PrivateNetwork = true;
          ProtectHome = "read-only";
          ProtectSystem = "strict";
          RestrictAddressFamilies = "AF_UNIX";
        };
      };

      litellm-proxy-failure = {
        description = "Say why the LiteLLM proxy has given up";
        script = failureScript;
        serviceConfig.Type = "oneshot";
      };
    };

    systemd.paths = lib.mapAttrs (_: path: {
      description = "Watch ${unitPath path} for the LiteLLM proxy";
      # Watches before the keys are read, so that no change is lost in between.
      before = [ "litellm-proxy-secrets.service" ];
      # And as long as the proxy is wanted: a stop by hand ends it. A restart does not,
      # and a missing key does not, so the proxy starts when the key arrives.
      unitConfig.StopPropagatedFrom = "${containerUnit}.service";
      pathConfig = {
        Unit = "litellm-proxy-rotate.service";
        PathChanged = unitPath path;
        # A burst of changes must not end the watch.
        TriggerLimitIntervalSec = 0;
      };
    }) watchers;

    networking.firewall.allowedTCPPorts = lib.mkIf cfg.openFirewall [ cfg.port ];

    warnings =
      lib.optional (!isPinned) ''
        ${opt "image"} = "${cfg.image}" is not tied to a release: it may be another
        program tomorrow. Name a release, such as "${
          options.services.litellm-proxy.image.default
        }".
      ''
      ++ lib.optional (!isLoopback && !cfg.openFirewall) ''
        ${opt "listenAddress"} = "${cfg.listenAddress}": ${cfg.backend} publishes past the
        NixOS firewall, so the network can reach port ${toString cfg.port} although
        ${opt "openFirewall"} is false. Set it to true if that is meant, or
        ${opt "listenAddress"} = "127.0.0.1".
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
        assertion = !(cfg.openFirewall && isLoopback);
        message = ''
          ${opt "openFirewall"} has no effect while ${opt "listenAddress"} = "${cfg.listenAddress}", which the network cannot reach.
          Set ${opt "listenAddress"} to an address of the network, or ${opt "openFirewall"} = false.
        '';
      }
      {
        assertion = portUsers == [ ];
        message = ''
          ${opt "port"} = ${toString cfg.port} is also taken by ${lib.concatStringsSep " and " portUsers}.
          Choose another ${opt "port"}.
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
              name: lib.optionalString (ownedVariables.${name} != null) "; see ${ownedVariables.${name}}"
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
