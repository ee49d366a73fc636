# What every machine of this fleet is. A real one has its hardware-configuration.nix here.
{
  boot.loader.systemd-boot.enable = true;
  fileSystems."/" = {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };

  services.openssh.enable = true;
  services.litellm-proxy.openFirewall = true;

  system.stateVersion = "25.05";
}
