# Whether a plain variable holds a key: NAME: VALUE: bool. What `nixcfg validate` says of it,
# by the patterns that tools/write_key_shapes.py writes.
lib:

let
  shapes = lib.importJSON ./key-shapes.json;
  # Words in small letters, with _ around each.
  wordsOf = name: "_${lib.replaceStrings [ "-" ] [ "_" ] (lib.toLower name)}_";
  has = pattern: text: builtins.match ".*(${pattern}).*" text != null;
  isSecret =
    name:
    let
      words = wordsOf name;
    in
    has shapes.sensitiveWords words && !has shapes.harmlessWords words;
  # Dummy keys for local servers ("none", "EMPTY"), paths, addresses, numbers and
  # flags are no secrets; what is left under a secret's name most likely is.
  isPlain =
    value: lib.stringLength value < 12 || builtins.match "(${shapes.plainValue})" value != null;
in
name: value: builtins.match shapes.key value != null || (isSecret name && !isPlain value)
