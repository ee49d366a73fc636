# colmena apply
{
  nixpkgs ? <nixpkgs>,
}:
{
  meta = { inherit nixpkgs; };

  defaults =
    { name, ... }:
    {
      deployment.targetHost = "${name}.example.org";
    };
}
// import ./hosts.nix
