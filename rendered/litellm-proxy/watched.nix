# What a path unit has to watch for files whose content may be replaced in any way: the
# directory of each, because a path unit does not see a symlink turn to another target
# (`ln -sfn` is a rename inside the directory). sops-nix and agenix turn a symlink higher
# up, beside the directory where they keep the generations. Directories that are busy for
# other reasons would wake the watcher for nothing.
{
  config,
  lib,
  options,
  ...
}@args:

files:

let
  inherit (import ./common.nix args) stateDirectory;
  busyDirectories = [
    "/"
    "/etc"
    "/home"
    "/root"
    "/run"
    "/tmp"
    "/var"
    "/var/lib"
    stateDirectory
  ];
  sopsLink = config.sops.defaultSymlinkPath or "/run/secrets";
  isBelow = directory: lib.any (lib.hasPrefix "${directory}/") files;
in
lib.subtractLists busyDirectories (lib.unique (map dirOf files))
++ lib.optional (options ? sops || isBelow sopsLink) (
  config.sops.defaultSecretsMountPoint or "/run/secrets.d"
)
++ lib.optional (isBelow "/run/secrets-for-users") "/run/secrets-for-users.d"
++ lib.optional (options ? age || isBelow "/run/agenix") (
  config.age.secretsMountPoint or "/run/agenix.d"
)
