# A package set that is just enough to evaluate NixOS modules.
#
# Real evaluation of the real modules needs a `pkgs`, but not a compiler: unit
# texts, ports, assertions and the rest depend on what packages are called and not on
# how they are built. So every tool is a package at `root` ("/usr" unless told
# otherwise): `${pkgs.coreutils}/bin/cat` is then /usr/bin/cat, and a script that the
# module writes runs as it is on any Linux system that has the tools. Texts and
# scripts are real store files, made by builtins.toFile and therefore without a build;
# toFile takes no text that refers to a derivation, and none here does.
{
  lib,
  root ? "/usr",
}:

let
  tool = name: {
    inherit name;
    pname = name;
    version = "99";
    type = "derivation";
    outPath = root;
    drvPath = "${root}/${name}.drv";
    outputName = "out";
    outputs = [ "out" ];
    out = tool name;
    bin = tool name;
    man = tool name;
    dev = tool name;
    lib = tool name;
    system = "x86_64-linux";
    meta.mainProgram = name;
    shellPath = "/bin/${name}";
    passthru = { };
    override = _: tool name;
    overrideAttrs = _: tool name;
    withPackages = _: tool name;
  };

  # A store file of one text.
  file =
    name: text:
    tool name // { outPath = builtins.toFile (lib.strings.sanitizeDerivationName name) text; };

  # ${program}/bin/NAME has to exist without a build, so a program is at a path below
  # /nixos-scripts. The path carries the store file of its text as string context,
  # where units.nix finds it again.
  digest = text: builtins.hashString "sha256" (builtins.unsafeDiscardStringContext text);
  program =
    name: text:
    tool name
    // {
      outPath = lib.addContextFrom text (
        lib.addContextFrom (builtins.toFile name text) "/nixos-scripts/${digest text}"
      );
      overrideAttrs = _: program name text;
    };

  shell = "${root}/bin/bash";
  platform = lib.systems.elaborate "x86_64-linux";

  # What the modules mention when they are evaluated. A newer nixpkgs may ask for more:
  # an absent name fails with "attribute 'name' missing".
  tools =
    lib.genAttrs [
      "bash"
      "bashInteractive"
      "coreutils"
      "curl"
      "dhcpcd"
      "docker"
      "findutils"
      "glibcLocales"
      "grafana"
      "gnugrep"
      "gnused"
      "gzip"
      "kexec-tools"
      "kmod"
      "litellm"
      "logrotate"
      "mailcap"
      "makeInitrdNGTool"
      "nix"
      "nsncd"
      "openresolv"
      "openresty"
      "podman"
      "prometheus"
      "python3"
      "redis"
      "shadow"
      "sudo"
      "tengine"
      "tzdata"
      "util-linux"
      "zstd"
    ] tool
    # nix compares packages by their path, and users.nix compares shells.
    // lib.genAttrs [ "fish" "xonsh" "zsh" ] (name: tool name // { outPath = "${root}/share/${name}"; });

  # Its module asks what it was built with, and writes for its release: here, Debian's.
  nginx = tool "nginx" // {
    version = "1.22.1";
    modules = [ ];
    override = _: nginx;
  };

  # Where Debian has the programs of one release.
  postgresql = tool "postgresql" // {
    outPath = "${root}/lib/postgresql/15";
    bin = postgresql;
    version = "15.0";
    psqlSchema = "15";
    withJIT = postgresql;
    withoutJIT = postgresql;
    withPackages = _: postgresql;
  };

  set = tools // {
    _type = "pkgs";
    __splicedPackages = set;
    pkgsStatic = set;
    inherit lib;
    path = <nixpkgs>;
    config = { };
    overlays = [ ];
    appendOverlays = _: set;
    runtimeShell = shell;
    writeText = file;
    writeTextFile = { name, text, ... }: file name text;
    writeTextDir = name: file (baseNameOf name);
    writeScript = file;
    writeShellScript = name: text: file name "#!${shell}\n${text}";
    writeShellScriptBin = name: text: program name "#!${shell}\n${text}\n";
    writeScriptBin = program;
    writeShellApplication =
      { name, text, ... }:
      program name "#!${shell}\nset -o errexit\nset -o nounset\nset -o pipefail\n\n${text}\n";
    writers.writeNginxConfig = file;
    runCommand = name: _: file name;
    runCommandLocal = name: _: file name;
    callPackage = _: _: tool "package";
    formats = lib.genAttrs [ "json" "yaml" "toml" "ini" "keyValue" ] (
      _: _: {
        type = lib.types.attrsOf lib.types.anything;
        generate = name: value: file name (builtins.toJSON value);
      }
    );
    stdenv = platform // {
      hostPlatform = platform;
      buildPlatform = platform;
      # ldso.nix names a file of /etc by it.
      cc.bintools.dynamicLinker = "/lib64/ld-linux-x86-64.so.2";
    };
    linuxPackages = {
      kernel = tool "linux";
      extend = _: set.linuxPackages;
    };
    nginxStable = nginx;
    inherit postgresql;
    postgresql_15 = postgresql;
    systemd = tool "systemd" // {
      withMachined = true;
      interfaceVersion = 2;
    };
  };
in
set
