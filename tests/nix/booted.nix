# The machine of test_systemd.py: key files in each place where people keep them.
{
  services.litellm-proxy = {
    enable = true;
    backend = "podman";
    modelConfig = "all";
    configs.all = {
      file = ./booted.nix;
      secrets = [
        "DOCUMENT"
        "LINKED_KEY"
        "MANAGED_KEY"
        "ODD_KEY"
        "OPTIONAL_KEY"
        "PLAIN_KEY"
      ];
    };
    secrets = {
      PLAIN_KEY = {
        file = "/etc/nixcfg/secrets/plain_key.txt";
        required = true;
      };
      OPTIONAL_KEY = {
        file = "/etc/nixcfg/secrets/optional_key.txt";
        optional = true;
      };
      LINKED_KEY.file = "/srv/keys/linked";
      MANAGED_KEY.file = "/run/secrets/managed";
      ODD_KEY.file = "/srv/keys of 100%/it's $HOME.txt";
      DOCUMENT = {
        file = "/srv/keys/document.json";
        kind = "file";
      };
    };
  };
}
