# Options of `docker run` and `podman run`, as those programs read them: a list of words
# becomes a list of { name, value }, whichever way each was written.
#
#   --network=host   --network host   --net host   -p 80:80   -p80:80   -itp 80:80   --privileged
{ lib }:

let
  long = {
    c = "cpu-shares";
    e = "env";
    h = "hostname";
    l = "label";
    m = "memory";
    net = "network";
    p = "publish";
    P = "publish-all";
    u = "user";
    v = "volume";
    w = "workdir";
  };
  named = name: value: {
    name = long.${name} or name;
    inherit value;
  };
  # Without a value of its own an option takes the next word, and one that takes none, such
  # as --privileged, gets a value that no one reads.
  option =
    word: next:
    let
      equals = builtins.match "--([A-Za-z][A-Za-z0-9-]*)=(.*)" word;
      whole = builtins.match "--([A-Za-z][A-Za-z0-9-]*)|-([A-Za-z])" word;
      # Letters that take no value may stand in one word with one that does: -dp 80:80.
      cluster = builtins.match "-([ditqP]+)([A-Za-z].*)?" word;
      last = lib.last cluster;
      attached = builtins.match "-([A-Za-z])=?(.+)" word;
    in
    if equals != null then
      [ (named (lib.head equals) (lib.last equals)) ]
    else if whole != null then
      [ (named (lib.findFirst (name: name != null) "" whole) next) ]
    else if cluster != null then
      map (letter: named letter "") (lib.stringToCharacters (lib.head cluster))
      ++ lib.optionals (last != null) (option "-${last}" next)
    else if attached != null then
      [ (named (lib.head attached) (lib.last attached)) ]
    else
      [ ];
in
words:
lib.concatLists (lib.zipListsWith option words (lib.drop 1 words ++ [ "" ]))
