# nixpkgs' own service, with its keys in an environment file.
{
  services.litellm = {
    enable = true;
    port = 4000;
    environmentFile = "/etc/nixcfg/secrets/litellm.env";
    settings.model_list = [
      {
        model_name = "claude-3-7-sonnet";
        litellm_params = {
          model = "anthropic/claude-3-7-sonnet-20250219";
          api_key = "os.environ/ANTHROPIC_API_KEY";
        };
      }
    ];
  };
}
