# The same system with the other container engine.
{
  imports = [ ./proxy.nix ];
  services.litellm-proxy.backend = "docker";
}
