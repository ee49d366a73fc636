# configs.<name>.settings: what is changed of a configuration in Nix, merged into its file
# and judged by nixcfg when the system is built.
{
  lib,
  pkgs,
  ...
}@args:

let
  common = import ./common.nix args;
  inherit (common)
    cfg
    opt
    quoted
    selected
    ;
  looksLikeKey = import ./looks-like-key.nix lib;
  where = "${opt "configs"}.${cfg.modelConfig}.settings";

  # Every text in the settings, with the name that it is given.
  texts =
    name: value:
    if lib.isAttrs value then
      lib.concatLists (lib.mapAttrsToList texts value)
    else if lib.isList value then
      lib.concatMap (texts name) value
    else
      lib.optional (lib.isString value) { inherit name value; };
  all = texts "settings" selected.settings;
  keys = lib.unique (
    map (text: text.name) (lib.filter (text: looksLikeKey text.name text.value) all)
  );
  referenced = lib.concatMap (
    text: lib.concatLists (lib.filter lib.isList (builtins.split "os[.]environ/([A-Za-z0-9_]+)" text.value))
  ) all;
  unknown = lib.subtractLists (
    selected.secrets
    ++ lib.attrNames (cfg.environment // cfg.internal.environment // cfg.internal.variables)
  ) (lib.unique referenced);

  merged = pkgs.runCommand "litellm-config.yaml" {
    nativeBuildInputs = [
      (pkgs.python3.withPackages (packages: [ packages.pyyaml ]))
      cfg.package
    ];
  } ''
    python3 ${./merge.py} ${
      if selected.file == null then "/dev/null" else "${selected.file}"
    } ${pkgs.writeText "litellm-settings.json" (builtins.toJSON selected.settings)} > litellm-config.yaml
    nixcfg validate litellm-config.yaml
    cp litellm-config.yaml "$out"
  '';
in
{
  options.services.litellm-proxy = {
    package = lib.mkOption {
      type = lib.types.nullOr lib.types.package;
      default = pkgs.nixcfg or null;
      defaultText = lib.literalExpression "pkgs.nixcfg or null";
      description = ''
        nixcfg, which judges a configuration with
        {option}`services.litellm-proxy.configs.<name>.settings` when the system is built.
        The overlay of its flake makes it `pkgs.nixcfg`.
      '';
      example = lib.literalExpression "nixcfg.packages.\${pkgs.system}.default";
    };

    internal.mergedConfig = lib.mkOption {
      internal = true;
      type = lib.types.unspecified;
      default = merged;
      description = "The selected configuration with its settings.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = selected.file != null || selected.settings != { };
        message = ''
          ${opt "configs"}.${cfg.modelConfig} has neither file nor settings.
          Set ${opt "configs"}.${cfg.modelConfig}.file to a LiteLLM configuration.
        '';
      }
      {
        assertion = selected.settings == { } || cfg.package != null;
        message = ''
          ${where} without ${opt "package"}: nothing would judge the configuration.
          Add the overlay of nixcfg's flake to nixpkgs.overlays, or set ${opt "package"}.
        '';
      }
      {
        assertion =
          selected.settings == { }
          || selected.file == null
          || common.isPath selected.file
          || common.inStore selected.file;
        message = ''
          ${where} with file = "${toString selected.file}", which is read when the container starts: there is nothing to merge into when the system is built.
          Write a path without quotes, such as ./litellm/${cfg.modelConfig}.yaml.
        '';
      }
      {
        assertion = keys == [ ];
        message = ''
          ${where}: ${quoted keys} looks like a key, and would be readable by everybody in the Nix store.
          Write "os.environ/NAME", and set ${opt "secrets"}.NAME.file. If this key has been in use, revoke it.
        '';
      }
      {
        assertion = unknown == [ ];
        message = ''
          ${where}: ${quoted unknown} not given to the container.
          Add it to ${opt "configs"}.${cfg.modelConfig}.secrets, or to ${opt "environment"}.
        '';
      }
    ];
  };
}
