# What is known about the inside of LiteLLM's images, and nowhere else in this module: how
# it is started, stopped and asked for its health, as whom it runs, where things are, and
# from which release on. The variables of a feature are in its own file (database.nix).
{
  cfg,
  lib,
  milliseconds,
  ...
}:

rec {
  # That of the image's tag, "1.108.14"; null where there is only a digest, a tag that moves,
  # or a name that may be another program's.
  inherit (import ./releases.nix { inherit lib; } cfg.image) release;

  # The first release with what this module needs. A release that is not known has all of it.
  since = {
    # It makes the tables of its database with HOME on a tmpfs: BerriAI/litellm#33853.
    tables = "1.90.6";
  };
  has = fact: release == null || builtins.compareVersions release since.${fact} >= 0;

  # LiteLLM moves to a random port, without a word, when it finds 4000 taken. On
  # any other port it fails, so 4000 is never used inside the container.
  containerPort = 4040;

  configFile = "/app/config.yaml";
  startFile = "/app/start.py";
  # Beside start.py, which looks for it there.
  bytecode = "${dirOf startFile}/bytecode";

  # The images have Python, and no curl. Isolated: neither PYTHONPATH nor the working
  # directory decide what start.py imports.
  entrypoint = "python3";

  # What an image of any release would have run itself, the newest first: each of these ends
  # as `litellm ARGUMENTS`, after what that release prepares for it. start.py takes the first
  # that the image has, for a digest does not say which release it is.
  programs = [
    "/app/docker-entrypoint.sh"
    "/app/docker/prod_entrypoint.sh"
    "litellm"
  ];

  command = keys: [
    "-I"
    startFile
    keys
    (lib.concatStringsSep ":" programs)
    "--config"
    configFile
    "--port"
    (toString containerPort)
  ];

  # As process 1, LiteLLM does not hear SIGTERM before its server runs, and would be
  # killed in the end.
  stopSignal = "SIGINT";

  # As long as the engine waits for the check itself, in whole seconds.
  healthSeconds =
    let
      given = milliseconds cfg.health.timeout;
    in
    if given == null then 8 else (given + 999) / 1000;

  # /health would call every model.
  alivePath = "/health/liveliness";
  # What a new instance has to answer before requests are sent to it.
  readyPath = "/health/readiness";
  healthCommand =
    "python3 -c 'import urllib.request; "
    + "urllib.request.urlopen(\"http://127.0.0.1:${toString containerPort}${alivePath}\", timeout=${toString healthSeconds})'";

  # How it ends when it does not accept its configuration, its master key or its database, as
  # a pattern of the shell.
  refusals = "1 | 2 | 3";

  # LiteLLM's behaviour is fixed by this file alone: no `.env`, no price map from
  # the network, no telemetry of LiteLLM or of the libraries it loads.
  fixedEnvironment = {
    # It wins over --config, and is ignored in silence when the file is not there.
    CONFIG_FILE_PATH = configFile;
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
    # The pages that answer without a key and serve no one on a private gateway.
    NO_DOCS = "True";
    NO_OPENAPI = "True";
    NO_REDOC = "True";
    # Python looks for garbage less often: each time that it looks at everything, no request
    # goes on for half a second (measured; docs/scale.md).
    PYTHON_GC_THRESHOLD = "50000,20,20";
    # The root file system is read-only: what is written goes to the tmpfs.
    HOME = writable;
    LITELLM_MIGRATION_DIR = "${writable}/litellm-migrations";
  };
  writable = "/tmp";
  # What only some containers are told.
  withoutPages.DISABLE_ADMIN_UI = "True";
  keepTables.DISABLE_SCHEMA_UPDATE = "True";
  workers = count: { NUM_WORKERS = toString count; };
  # uvicorn kills a worker that does not answer it for 5 seconds. On a busy machine none that
  # starts does, and so there is none.
  patience.TIMEOUT_WORKER_HEALTHCHECK = "60";
  # LiteLLM breaks off what it answers after 30 seconds, however long the engine waits. The
  # last ones are for what it does then: it writes what was spent.
  drain = seconds: { GRACEFUL_SHUTDOWN_TIMEOUT = toString (lib.max 1 (seconds - 5)); };

  # As whom it runs, whatever the image says: the keys belong to this user alone, and
  # the container has no capability to read what belongs to others.
  user = if cfg.nonRootImage then nobody else 0;
  nobody = 65534;
  # On this machine, where the engine maps no users.
  userName = if cfg.nonRootImage then "nobody" else "root";
}
