# What the module says of each of several rendered projects, for `nixcfg plan`, and the
# containers' units.
{
  # By name: a folder that `nixcfg render` wrote.
  projects,
  nixpkgs ? <nixpkgs>,
}:

let
  evaluate =
    folder:
    let
      inherit
        (import ../nix/system.nix {
          inherit nixpkgs;
          quick = true;
          modules = [ (folder + "/docker.nix") ];
        })
        config
        ;
    in
    {
      deployed = config.environment.etc."nixcfg/litellm-proxy.json".text;
      units = builtins.filter (
        name: builtins.match "(podman|docker)-litellm-proxy(-[0-9]+)?" name != null
      ) (builtins.attrNames config.systemd.services);
    };
in
builtins.mapAttrs (_: folder: evaluate folder) projects
