# The machine of test_stores.py: a database and a Redis of its own.
{
  services.litellm-proxy = {
    enable = true;
    backend = "podman";
    modelConfig = "all";
    configs.all.file = ./stores.nix;
    database.createLocally = true;
    redis.createLocally = true;
  };
  services.postgresql.dataDir = "/srv/postgresql";
}
