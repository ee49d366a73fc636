# Python's bytecode of LiteLLM, which its images come without, because uv builds them and makes
# none unless it is told to. The container's file system is read-only, so each start, and each
# worker, would compile four thousand files again: half of the time to the first answer
# (docs/scale.md).
#
# So the image is compiled once, before anything is restarted, in a container that has neither
# network nor keys (bytecode.py), and the others read what it has made. None of them can write it.
{
  config,
  lib,
  ...
}@args:

let
  inherit (import ./common.nix args)
    bytecodeFolder
    cacheDirectory
    cfg
    image
    makeBytecodeFolder
    ownFile
    ;
  name = "litellm-proxy-bytecode";
  program = "${dirOf image.startFile}/bytecode.py";

  run = [
    "run"
    "--rm"
    "--name=${name}"
    "--log-driver=none"
    "--pull=never"
    "--network=none"
    "--read-only"
    "--cap-drop=all"
    "--security-opt=no-new-privileges"
    "--tmpfs=${image.writable}:rw,noexec,nosuid,nodev,mode=1777,size=${cfg.resources.tmpSize}"
    "--pids-limit=${toString cfg.resources.pids}"
    "--memory=${cfg.resources.memory}"
    "--user=${toString image.user}:${toString image.user}"
    "--entrypoint=${image.entrypoint}"
  ]
  ++ lib.mapAttrsToList (variable: value: "--env=${variable}=${value}") (
    image.defaultEnvironment // image.fixedEnvironment
  )
  ++ [
    "--volume=${ownFile "bytecode.py"}:${program}:ro"
    "--volume=${bytecodeFolder}:${image.bytecode}"
    cfg.image
    "-I"
    program
    image.bytecode
  ];
in
{
  # compile_image: once for each image. Without it LiteLLM starts as well, only later.
  compileImage = ''
    compile_image() {
      local id
      id=$(${cfg.backend} image inspect --format '{{.Id}}' ${lib.escapeShellArg cfg.image}) || return 0
      if [ -z "$id" ] || [ "$id" = "$(cat ${cacheDirectory}/image 2> /dev/null)" ]; then
        return 0
      fi
      echo "Compiling the Python files of ${cfg.image}."
      rm -f ${cacheDirectory}/image
      ${makeBytecodeFolder}
      if timeout 600 ${cfg.backend} ${lib.escapeShellArgs run}; then
        echo "$id" > ${cacheDirectory}/image
      else
        ${cfg.backend} rm --force ${name} > /dev/null 2>&1 || true
        echo "<4>The Python files of ${cfg.image} could not be compiled, so LiteLLM takes some seconds longer to start." >&2
      fi
    }
  '';
}
