# The machine of test_database_url.py: a database elsewhere, whose names are as odd as its
# password may be.
{
  services.litellm-proxy = {
    enable = true;
    modelConfig = "all";
    configs.all.file = ./database.nix;
    masterKeyFile = "/keys/master.txt";
    database = {
      host = "db.example.org";
      port = 6432;
      name = "gate/way?x=1";
      user = "us:er@röle";
      passwordFile = "/keys/it's 100%/database.txt";
      sslMode = "verify-full";
    };
    redis = {
      host = "redis.example.org";
      passwordFile = "/keys/redis.txt";
    };
  };
}
