# The keys: declared by path, read when the service starts, and watched from then on.
#
#   litellm-proxy-secrets.service     checks the key files and assembles what the
#                                     container reads; runs before every start of it
#   litellm-proxy-secrets.path, -2…   watch the key files while the proxy is wanted
#   litellm-proxy-rotate.service      what the watchers start: assembles again and
#                                     restarts the container if the result differs
{
  config,
  lib,
  options,
  pkgs,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    cfg
    instances
    isFleet
    mainUnit
    target
    generatedMasterKey
    missingKey
    nonRootImage
    runtimeDirectory
    secretFiles
    selected
    stateDirectory
    undeclared
    unitPath
    unitWord
    ;

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

  wired = providerSecrets ++ masterKey ++ otherSecrets;
  otherSecrets = map (secret: {
    optional = false;
    encrypted = false;
    inherit (secret) variable kind;
    file = toString secret.file;
  }) cfg.internal.keyFiles;
  inherit (lib.head instances) started;
  generatesMasterKey = cfg.auth == "master-key" && cfg.masterKeyFile == null;
  fileSecrets = lib.filter (secret: secret.kind == "file") providerSecrets;

  watchedFiles =
    map (secret: secret.file) wired
    ++ lib.optional generatesMasterKey generatedMasterKey
    ++ cfg.internal.generated;

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
    #   <...>  {{...}}  $NAME  ''${NAME}  $(...)  ...  xxx...
    is_placeholder() {
      local text=''${1,,} name='[a-z0-9{}$-]'
      text=''${text//[_ ]/-}
      text=''${text#sk-}
      case $text in
        replace-me* | replaceme* | change-me* | changeme* | placeholder | fill-me-in | todo) ;;
        insert-*-here | paste-*-here | put-*-here | your-*-here) ;;
        your-key | your-*-key | your-token | your-*-token) ;;
        your-secret | your-*-secret | your-password | your-*-password) ;;
        '<'*'>' | '{{'*'}}' | '$'\(*\) | ...*) ;;
        # A password may well begin with it.
        '$'*) [ -z "''${text//$name/}" ] ;;
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

    # wire_generated VARIABLE NAME: a key that is made once, of 256 random bits, and on
    # disk before it is used.
    wire_generated() {
      local file=$STATE_DIRECTORY/$2 random
      if [ ! -e "$file" ]; then
        random=$(od -An -vtx1 -N32 /dev/urandom | tr -d ' \n')
        [ "''${#random}" -eq 64 ]
        printf 'sk-%s\n' "$random" > "$file.new"
        sync "$file.new"
        mv -fT "$file.new" "$file"
        echo "$1: generated. To read it: sudo cat $file"
      fi
      wire_value "$1" "$file" "$file"
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
      ) (lib.filter (secret: secret.kind != "part") wired)
      + lib.optionalString generatesMasterKey "wire_generated LITELLM_MASTER_KEY master-key\n"
      + cfg.internal.wiring
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

  restartIfChanged = ''
    # No file of the second name: nothing runs, because the last start found no keys.
    if ! systemctl is-active --quiet litellm-proxy-secrets.path; then
      echo "${mainUnit} was stopped meanwhile; nothing to do."
    elif [ -e ${started} ] && [ "$(< ${runtimeDirectory}/fingerprint)" = "$(< ${started})" ]; then
      echo "The keys are those that the proxy runs with."
    else
      echo "The keys changed: starting ${mainUnit}."
      # A new key deserves a start even after systemd gave up.
      systemctl reset-failed ${mainUnit} 2> /dev/null || true
      systemctl restart --no-block ${mainUnit}
    fi
  '';

  # It takes minutes, in which a key may change once more.
  rollIfChanged = ''
    ${cfg.internal.roll}
    if ! systemctl is-active --quiet ${target}; then
      echo "${target} was stopped meanwhile; nothing to do."
    else
      roll
      if [ "$(state_of_files)" != "$assembled" ]; then
        exec "$0"
      fi
    fi
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
    ${if isFleet then rollIfChanged else restartIfChanged}
    ${cfg.internal.rotation}
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
in
{
  options.services.litellm-proxy = {
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
  };

  config = lib.mkIf cfg.enable {
    services.litellm-proxy.internal = {
      # The directory and not each file: a mount of one file would keep showing
      # what has been replaced.
      volumes = lib.optional (fileSecrets != [ ]) "${secretFiles}:${secretFiles}:ro";
      wants = map (name: "${name}.path") (lib.attrNames watchers);
      restartTriggers = [
        (builtins.toJSON wired)
        (builtins.toJSON watchers)
      ];
    };

    systemd.services = {
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
        after = map (instance: "${instance.unit}.service") instances;
        script = rotateScript;
        path = lib.mkIf isFleet [ pkgs.util-linux ];
        # A switch in the middle of it would leave it half done.
        restartIfChanged = !isFleet;
        startLimitIntervalSec = 0;
        serviceConfig = {
          Type = "oneshot";
          NoNewPrivileges = true;
          PrivateNetwork = true;
          ProtectHome = "read-only";
          # The files below /run by which the instances are brought up to date.
          ProtectSystem = if isFleet then "full" else "strict";
          RestrictAddressFamilies = "AF_UNIX";
        };
      };
    };

    systemd.paths = lib.mapAttrs (_: path: {
      description = "Watch ${unitPath path} for the LiteLLM proxy";
      # Watches before the keys are read, so that no change is lost in between.
      before = [ "litellm-proxy-secrets.service" ];
      # And as long as the proxy is wanted: a stop by hand ends it. A restart does not,
      # and a missing key does not, so the proxy starts when the key arrives.
      unitConfig.StopPropagatedFrom = mainUnit;
      pathConfig = {
        Unit = "litellm-proxy-rotate.service";
        PathChanged = unitPath path;
        # A burst of changes must not end the watch.
        TriggerLimitIntervalSec = 0;
      };
    }) watchers;
  };
}
