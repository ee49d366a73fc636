# What the files of this module tell each other; nothing here is for users.
{ lib, ... }:

{
  options.services.litellm-proxy.internal = {
    environment = lib.mkOption {
      internal = true;
      type = lib.types.attrsOf lib.types.str;
      default = { };
      description = "Variables of the container that are no secrets; the user's cannot replace them.";
    };

    variables = lib.mkOption {
      internal = true;
      type = lib.types.attrsOf lib.types.str;
      default = { };
      description = "Variables that the user may set nowhere else, and the option that sets each.";
    };

    keyFiles = lib.mkOption {
      internal = true;
      type = lib.types.listOf (lib.types.attrsOf lib.types.anything);
      default = [ ];
      description = ''
        Secrets beside those of the configuration: `option` and `file`, and `variable`, which names
        the systemd credential. With `kind` "env" it is a variable of the container as well, with
        `kind` "part" what becomes of it is said by `wiring`.
      '';
    };

    wiring = lib.mkOption {
      internal = true;
      type = lib.types.lines;
      default = "";
      description = "What the wiring script does after it has read the keys, in its own words.";
    };

    rotation = lib.mkOption {
      internal = true;
      type = lib.types.lines;
      default = "";
      description = "What the rotation does when a key file has changed, after the container.";
    };

    rotationCapabilities = lib.mkOption {
      internal = true;
      type = lib.types.listOf lib.types.str;
      default = [ ];
      description = "Capabilities that `rotation` needs.";
    };

    generated = lib.mkOption {
      internal = true;
      type = lib.types.listOf lib.types.str;
      default = [ ];
      description = "Files that the wiring script makes when they are not there.";
    };

    volumes = lib.mkOption {
      internal = true;
      type = lib.types.listOf lib.types.str;
      default = [ ];
      description = "What is mounted into the container beside its configuration.";
    };

    extraOptions = lib.mkOption {
      internal = true;
      type = lib.types.listOf lib.types.str;
      default = [ ];
      description = "Options for `docker run` or `podman run` beside those of every container.";
    };

    wants = lib.mkOption {
      internal = true;
      type = lib.types.listOf lib.types.str;
      default = [ ];
      description = "Units that run while the container does.";
    };

    restartTriggers = lib.mkOption {
      internal = true;
      type = lib.types.listOf lib.types.str;
      default = [ ];
      description = "What a switch restarts the container for when it has changed.";
    };

    versions = lib.mkOption {
      internal = true;
      type = lib.types.listOf lib.types.str;
      default = [ ];
      description = "Every copy of this module that is imported.";
    };
  };
}
