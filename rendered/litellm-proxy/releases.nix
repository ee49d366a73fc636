# What is known of the release that an image names: compromised, exploited, or with other
# known holes. releases.json is read by `nixcfg validate` too (nixcfg/knowledge/releases.py),
# which judges by the same steps.
{ lib }:

image:
let
  data = lib.importJSON ./releases.json;

  # registry:port/path/name:tag@sha256:digest
  parts = lib.splitString "@" image;
  digest = lib.toLower (lib.removePrefix "sha256:" (lib.concatStringsSep "@" (lib.tail parts)));
  path = lib.splitString "/" (lib.head parts);
  hasRegistry =
    lib.length path > 1
    && (lib.head path == "localhost" || builtins.match ".*[.:].*" (lib.head path) != null);
  named = lib.splitString ":" (lib.last path);
  repository = (if hasRegistry then lib.tail (lib.init path) else lib.init path) ++ [ (lib.head named) ];
  isLiteLLM = lib.any (
    part: builtins.match "(.*[-_.])?litellm([-_.].*)?" (lib.toLower part) != null
  ) repository;
  tag = lib.concatStringsSep ":" (lib.tail named);

  # The release in a tag or in the data: numbers, and whether it came before the final one.
  release =
    text:
    let
      found = builtins.match "(.*[-_])?[vV]?([0-9]+)[.]([0-9]+)[.]([0-9]+)([^0-9].*)?" text;
      rest = if lib.elemAt found 4 == null then "" else lib.toLower (lib.elemAt found 4);
    in
    if found == null then
      null
    else
      {
        numbers = lib.concatStringsSep "." (lib.sublist 1 3 found);
        isFinal =
          builtins.match "[ab][0-9].*" rest == null
          && builtins.match "(.*[^a-z])?(${lib.concatStringsSep "|" data.prerelease})([^a-z].*)?" rest == null;
      };
  compare =
    a: b:
    let
      order = builtins.compareVersions a.numbers b.numbers;
    in
    if order != 0 || a.isFinal == b.isFinal then
      order
    else if a.isFinal then
      1
    else
      -1;

  ours = release tag;
  inRange =
    range:
    (range.introduced == "0" || compare ours (release range.introduced) >= 0)
    && (!range ? fixed || compare ours (release range.fixed) < 0)
    && (!range ? last_affected || compare ours (release range.last_affected) <= 0);
  byTag =
    entry:
    ours != null
    && (
      lib.any (version: compare ours (release version) == 0) (entry.versions or [ ])
      || lib.any inRange (entry.ranges or [ ])
    );
  byDigest =
    entry:
    digest != ""
    && (
      lib.elem digest (entry.digests or [ ])
      || lib.any (start: lib.hasPrefix start digest) (entry.digest_prefixes or [ ])
    );

  ofLevel = level: lib.filter (entry: entry.level == level);
  known = lib.filter (entry: byDigest entry || (isLiteLLM && byTag entry)) data.releases;
in
{
  inherit tag;
  # "1.108.14", whether before the final one or not; null for what is not known to be LiteLLM.
  release = if isLiteLLM && ours != null then ours.numbers else null;
  compromised = ofLevel "compromised" known;
  exploited = ofLevel "error" known;
  holes = ofLevel "warning" known;
  # Only the tag's number is that of a compromised release: neither the name nor a digest says
  # whether this is LiteLLM.
  suspected = lib.optionals (!isLiteLLM && digest == "") (
    ofLevel "compromised" (lib.filter byTag data.releases)
  );
  # As a sentence has them: `CVE-1 (what it is; fixed in 1.2.3), CVE-2 (...)`.
  describe = lib.concatMapStringsSep ", " (
    entry:
    "${entry.id} (${entry.what}${lib.optionalString (entry.fixed != "") "; fixed in ${entry.fixed}"})"
  );
}
