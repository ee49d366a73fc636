# What the module says of each of several rendered projects, for `nixcfg plan`: the containers'
# units, and of each other unit that plan speaks of what a switch goes by.
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
        lib
        ;
      plain = text: builtins.hashString "sha256" (builtins.unsafeDiscardStringContext text);
      units = config.systemd.units;
    in
    {
      deployed = config.environment.etc."nixcfg/litellm-proxy.json".text;
      units = builtins.filter (
        name: builtins.match "(podman|docker)-litellm-proxy(-[0-9]+)?" name != null
      ) (builtins.attrNames config.systemd.services);
      others =
        lib.mapAttrs (name: _: plain units.${name}.text) (
          lib.filterAttrs (
            name: _:
            lib.elem name [
              "litellm-proxy-access.service"
              "postgresql.service"
              "redis-litellm-proxy.service"
            ]
          ) units
        )
        # Its unit stays, and the file is what it reloads for.
        // lib.optionalAttrs config.services.nginx.enable {
          "nginx.service" = plain (
            builtins.readFile config.environment.etc."nginx/nginx.conf".source
          );
        };
    };
in
builtins.mapAttrs (_: folder: evaluate folder) projects
