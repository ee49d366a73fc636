# This module, as `nixcfg render` sets it up.
{
  services.litellm-proxy = {
    enable = true;
    modelConfig = "claude";
    configs.claude = {
      file = ./litellm.yaml;
      secrets = [ "ANTHROPIC_API_KEY" ];
    };
    secrets.ANTHROPIC_API_KEY.file = "/etc/nixcfg/secrets/anthropic_api_key.txt";
  };
}
