# The machine of test_stores.py: a database and a Redis of its own.
{ lib, ... }:
{
  services.litellm-proxy = {
    enable = true;
    backend = "podman";
    modelConfig = "all";
    configs.all.file = ./stores.nix;
    database.createLocally = true;
    redis.createLocally = true;
  };
  services.postgresql = {
    dataDir = "/srv/postgresql";
    # The network is that of this machine, which may have a server of its own.
    settings.listen_addresses = lib.mkForce "";
  };
}
