# The block that people write by hand: keys read from files while the system is
# evaluated, and handed to the container.
{ config, ... }:
let
  modelConfig = "litellm";
  secretsDir = ./secrets;
  readFileIfExists = file: if builtins.pathExists file then builtins.readFile file else "";
  anthropicKey = readFileIfExists (secretsDir + "/anthropic_api_key.txt");
in
{
  virtualisation.oci-containers = {
    backend = "docker";
    containers.litellm-proxy = {
      image = "ghcr.io/berriai/litellm:main-latest";
      ports = [ "4000:4000" ];
      volumes = [ "${./. + "/${modelConfig}.yaml"}:/app/config.yaml" ];
      environment = {
        ANTHROPIC_API_KEY = anthropicKey;
      };
      cmd = [
        "--config"
        "/app/config.yaml"
      ];
    };
  };
}
