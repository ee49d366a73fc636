# The options of the module, as nixpkgs' own documentation sees them: a list of
# { name, description, type, default, example, … }.
#
#   nix-instantiate --eval --strict --json nix/options.nix --arg lib 'import <nixpkgs/lib>'
{ lib }:

let
  evaluated = lib.evalModules {
    modules = [
      ../modules/litellm-proxy
      {
        # No NixOS around it: options are declared without it.
        _module.check = false;
        _module.args.pkgs = { };
      }
    ];
  };
  described = lib.optionAttrSetToDocList { inherit (evaluated.options.services) litellm-proxy; };
  text = value: value.text or null;
in
map (option: {
  inherit (option) name type;
  description = option.description.text or option.description;
  default = text (option.default or { });
  example = text (option.example or { });
}) (lib.filter (option: option.visible && !option.internal) described)
