# Which copy of this module it is: the release of nixcfg that it came with, and a digest of
# its files, so that two of one release are still told apart.
let
  files = builtins.readDir ./.;
  digest = builtins.hashString "sha256" (
    builtins.concatStringsSep "\n" (
      map (name: "${name}:${builtins.hashFile "sha256" (./. + "/${name}")}") (builtins.attrNames files)
    )
  );
in
"0.1.0 (${builtins.substring 0 12 digest})"
