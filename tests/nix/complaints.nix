# What our module, and no other, complains of in an evaluated system.
system:

let
  inherit (system) lib options;
  ours =
    option:
    lib.concatMap (definition: definition.value) (
      lib.filter (
        definition: lib.hasInfix "/litellm-proxy/" (toString definition.file)
      ) option.definitionsWithLocations
    );
in
{
  assertions = map (assertion: assertion.message) (
    lib.filter (assertion: !assertion.assertion) (ours options.assertions)
  );
  warnings = ours options.warnings;
}
