# The hand-written form that this project began with: keys read at evaluation time.
{ config, pkgs, lib, ... }:

let
  secretsDir = "/home/ada/dotfiles/secrets";
  configsDir = ../configs;

  readFileIfExists = path:
    if builtins.pathExists path
    then lib.removeSuffix "\n" (builtins.readFile path)
    else "";

  # Change it to use different config files (openai, gemini)
  modelConfig = "claude";

  anthropicKeyFile = "${secretsDir}/anthropic_api_key.txt";
  openaiKeyFile = "${secretsDir}/openai_api_key.txt";
  geminiKeyFile = "${secretsDir}/gemini_api_key.txt";

  anthropicKey = readFileIfExists anthropicKeyFile;
  openaiKey = readFileIfExists openaiKeyFile;
  geminiKey = readFileIfExists geminiKeyFile;
in
{
  virtualisation.docker.enable = true;

  virtualisation.oci-containers = {
    backend = "docker";
    containers.litellm-proxy = {
      image = "ghcr.io/berriai/litellm:main-latest";
      ports = [ "127.0.0.1:4000:4000" ];
      environment = {
        ANTHROPIC_API_KEY = anthropicKey;
        OPENAI_API_KEY = openaiKey;
        GEMINI_API_KEY = geminiKey;
        LITELLM_LOG = "INFO";
      };
      volumes = [
        "${configsDir}/${modelConfig}.yaml:/app/config.yaml:ro"
        "/var/log/litellm:/var/log/litellm"
      ];
      cmd = [ "--config" "/app/config.yaml" "--port" "4000" "--num_workers" "2" ];
      extraOptions = [ "--network=host" ];
      autoStart = true;
    };
  };

  networking.firewall.allowedTCPPorts = [ 4000 ];
}
