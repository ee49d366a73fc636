# The machine of test_wiring.py: a key of each kind, and one of each need.
{
  services.litellm-proxy = {
    enable = true;
    backend = "podman";
    modelConfig = "all";
    configs.all = {
      file = ./wiring.nix;
      secrets = [
        "ACCOUNT"
        "FIRST_KEY"
        "SECOND_KEY"
      ];
    };
    secrets = {
      FIRST_KEY = {
        file = "/keys/first.txt";
        required = true;
      };
      SECOND_KEY = {
        file = "/keys/second.txt";
        optional = true;
      };
      ACCOUNT = {
        file = "/keys/account.json";
        kind = "file";
        required = true;
      };
    };
  };
}
