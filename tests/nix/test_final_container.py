"""The container as it is in the end, no matter who added to it, and where its keys come from."""

from typing import Any

import pytest

BASE = """
  services.litellm-proxy = {
    enable = true;
    backend = lib.mkDefault "docker";
    modelConfig = "claude";
    configs.claude = { file = ./claude.yaml; secrets = [ "ANTHROPIC_API_KEY" ]; };
    secrets.ANTHROPIC_API_KEY.file = "/etc/nixcfg/secrets/key.txt";
  };
"""
KEY = "sk-ant-0123456789abcdef"

# name: options of docker run that do no harm
HARMLESS = {
    "nothing": "",
    "network": '"--network=backend"',
    "label": '"-l" "team=a"',
    "capability": '"--cap-add=NET_BIND_SERVICE"',
    "not-privileged": '"--privileged=false"',
    "folder": '"-v" "/srv/plugins:/plugins:ro"',
    "mount": '"--mount=type=bind,source=/srv/plugins,target=/plugins,readonly"',
    "loopback-port": '"-p" "127.0.0.1:9000:9000"',
    "loopback6-port": '"-p[::1]:9000:9000"',
    "variable": '"-e" "TEAM=a"',
    "cluster": '"-it" "-dp" "127.0.0.1:9000:9000"',
    "passed-on": '"-e" "HTTPS_PROXY"',
    "profile": '"--security-opt=seccomp=/etc/seccomp.json"',
}

# name: (options of docker run, what the message says, the fix)
OPTIONS = {
    "host-network": ('"--network=host"', "--network=host puts", "Remove --network=host"),
    "host-network-in-two-words": ('"--net" "host"', "--network=host puts", "Remove"),
    "host-network-after-others": ('"-v/a:/b" "--net=host"', "--network=host puts", "Remove"),
    "network-of-another": ('"--network=container:web"', "--network=container:web", "Remove"),
    "host-processes": ('"--pid=host"', "`--pid=host` shows", "Remove"),
    "host-ipc": ('"--ipc" "host"', "`--ipc=host` shows", "Remove"),
    "privileged": ('"--privileged"', "--privileged makes", "Remove --privileged"),
    "privileged-at-length": ('"--privileged=true"', "--privileged makes", "Remove"),
    "all-capabilities": ('"--cap-add=ALL"', "`ALL` are as good as root", "Remove --cap-add=ALL"),
    "small-letters": ('"--cap-add" "all"', "`ALL` are as good as root", "Remove"),
    "one-capability": ('"--cap-add=CAP_SYS_ADMIN,CHOWN"', "`SYS_ADMIN`", "Remove"),
    "seccomp": ('"--security-opt=seccomp=unconfined"', "seccomp=unconfined", "Remove"),
    "new-privileges": ('"--security-opt" "no-new-privileges=false"', "takes away", "Remove"),
    "apparmor": ('"--security-opt=apparmor:unconfined"', "takes away", "Remove"),
    "root": ('"-v" "/:/host"', "`/` mounted", "Mount the one folder"),
    "socket": ('"-v/var/run/docker.sock:/docker.sock"', "docker.sock` mounted", "Mount"),
    "mount-of-the-root": ('"--mount=type=bind,src=/,dst=/host"', "`/` mounted", "Mount"),
    "port": ('"-p" "8080:4040"', "`8080:4040` publishes", "services.litellm-proxy.openFirewall"),
    "port-attached": ('"-p8080:4040"', "`8080:4040` publishes", "Remove"),
    "port-on-an-address": ('"--publish=192.168.1.1:80:4040"', "publishes a port", "Remove"),
    "port-on-all6": ('"-p" "[::]:80:4040"', "publishes a port", "Remove"),
    "all-ports": ('"-P"', "--publish-all", "Remove"),
    "port-in-a-cluster": ('"-itp" "8080:4040"', "`8080:4040` publishes", "Remove"),
    "port-attached-to-a-cluster": ('"-dp8080:4040"', "`8080:4040` publishes", "Remove"),
    "all-ports-in-a-cluster": ('"-dP"', "--publish-all", "Remove"),
    "pod": ('"--pod=web"', "pod:web puts", "Remove"),
    "writable": ('"--read-only=false"', "`--read-only=false` lets", "Remove it"),
    "core-dumps": ('"--ulimit" "core=-1"', "`--ulimit=core=-1` lets", "Remove it"),
    "swap": ('"--memory-swap=-1"', "`--memory-swap=-1` lets", "services.litellm-proxy.resources"),
    "label-of-selinux": ('"--security-opt=label:disable"', "takes away", "Remove"),
    "key-in-a-label": (f'"-l" "owner={KEY}"', "`--label` holds what looks like", "revoke it"),
    "key-in-an-annotation": (f'"--annotation=a={KEY}"', "`--annotation` holds", "revoke it"),
    "key-in-a-cluster": (f'"-dite" "GROQ={KEY}"', "GROQ in `environment` or -e", "revoke it"),
    "environment-file": ('"--env-file=/etc/keys.env"', "keeps the content", "secrets.<NAME>.file"),
    "stored-file": ('"--env-file" "${./claude.yaml}"', "the Nix store shows it", "Remove"),
    "key": (f'"-e" "GROQ={KEY}"', "GROQ in `environment` or -e looks like a key", "revoke it"),
    "key-attached": (f'"-eGROQ={KEY}"', "GROQ in `environment` or -e", "secrets.GROQ.file"),
    "key-at-length": (f'"--env=GROQ={KEY}"', "GROQ in `environment` or -e", "revoke it"),
    "own-variable": ('"-e" "CONFIG_FILE_PATH=/x"', "-e `CONFIG_FILE_PATH` replaces", "Remove"),
    "declared-secret": ('"-e" "ANTHROPIC_API_KEY=none"', "-e `ANTHROPIC_API_KEY`", "Remove"),
}

OTHERS = "virtualisation.oci-containers.containers.litellm-proxy"
FILE = "services.litellm-proxy.secrets.ANTHROPIC_API_KEY.file"

# name: (what is added to BASE, what the message says, the fix)
ELSEWHERE = {
    "options-of-others": (
        f'{OTHERS}.extraOptions = [ "--privileged" ];',
        "virtualisation.oci-containers.containers.litellm-proxy (or",
        "Remove --privileged",
    ),
    "ports-of-others": (f'{OTHERS}.ports = [ "9000:4040" ];', "`9000:4040`", "Remove"),
    "volumes-of-others": (f'{OTHERS}.volumes = [ "/:/host:ro" ];', "`/` mounted", "Mount"),
    "files-of-others": (
        f'{OTHERS}.environmentFiles = [ "/etc/keys.env" ];',
        "`/etc/keys.env`",
        "secrets.<NAME>.file",
    ),
    "environment-of-others": (
        f'{OTHERS}.environment.GROQ = "{KEY}";',
        "GROQ in `environment` or -e looks like a key",
        "services.litellm-proxy.secrets.GROQ.file",
    ),
    "labels-of-others": (
        f'{OTHERS}.labels.owner = "{KEY}";',
        "`labels` holds what looks like a key",
        "revoke it",
    ),
    "arguments-of-others": (
        f'{OTHERS}.cmd = [ "--api_key={KEY}" ];',
        "`cmd` holds what looks like a key",
        "revoke it",
    ),
    "key-in-the-configuration": (
        "services.litellm-proxy.configs.claude.file = lib.mkForce ./literal.yaml;",
        "services.litellm-proxy.configs: the file of `claude` holds",
        "Write os.environ/NAME there",
    ),
    "key-in-another-configuration": (
        "services.litellm-proxy.configs.other.file = ./password.yaml;",
        "services.litellm-proxy.configs: the file of `other` holds",
        "revoke it",
    ),
    "environment-of-the-unit": (
        f'systemd.services.docker-litellm-proxy.environment.GROQ = "{KEY}";',
        "GROQ in `environment` or -e looks like a key",
        "revoke it",
    ),
    "second-instance": (
        """services.litellm-proxy = { instances = 2; redis.createLocally = true; };
        virtualisation.oci-containers.containers.litellm-proxy-2.extraOptions = [ "--net=host" ];
        """,
        "--network=host puts",
        "Remove --network=host",
    ),
    "key-file-of-etc": (
        'environment.etc."nixcfg/secrets/key.txt".text = "a";',
        FILE,
        "sops-nix or agenix",
    ),
    "key-file-of-etc-by-path": (
        'environment.etc."nixcfg/secrets/key.txt".source = ./claude.yaml;',
        FILE,
        "If it has been in the store, revoke it.",
    ),
    "key-folder-of-etc": ('environment.etc."nixcfg/secrets".source = ./.;', FILE, "revoke it"),
    "key-file-of-tmpfiles": (
        'systemd.tmpfiles.rules = [ "L+ /etc/nixcfg/secrets/key.txt - - - - ${./claude.yaml}" ];',
        FILE,
        "systemd.tmpfiles",
    ),
    "key-in-tmpfiles": (
        'systemd.tmpfiles.rules = [ "f /etc/nixcfg/secrets/key.txt 0600 root root - abc" ];',
        FILE,
        "revoke it",
    ),
    "key-in-settings-of-tmpfiles": (
        """systemd.tmpfiles.settings.keys."/etc/nixcfg/secrets/key.txt".f.argument = "abc";""",
        FILE,
        "revoke it",
    ),
    "key-file-in-settings-of-tmpfiles": (
        """systemd.tmpfiles.settings.keys."/etc/nixcfg/secrets/key.txt"."L+".argument =
          "${./claude.yaml}";""",
        FILE,
        "systemd.tmpfiles",
    ),
    "key-folder-of-tmpfiles": (
        'systemd.tmpfiles.rules = [ "C /etc/nixcfg/secrets 0700 root root - ${./.}" ];',
        FILE,
        "systemd.tmpfiles",
    ),
}

SOUND = {
    "model-like-a-key": "services.litellm-proxy.configs.claude.file = lib.mkForce ./xai.yaml;",
    "etc-of-others": 'environment.etc."nixcfg/other.txt".text = "a";',
    "etc-link": 'environment.etc."nixcfg/secrets/key.txt".source = "/run/secrets/key";',
    "empty-file-for-a-key": """systemd.tmpfiles.rules = [
      "f /etc/nixcfg/secrets/key.txt 0600 root root -" ];""",
    "folder-for-keys": 'systemd.tmpfiles.rules = [ "d /etc/nixcfg/secrets 0700 root root -" ];',
}

REFUSED = {
    **{
        f"option-{name}": (f"services.litellm-proxy.extraOptions = [ {words} ];", said, fix)
        for name, (words, said, fix) in OPTIONS.items()
    },
    **ELSEWHERE,
}

Case = dict[str, Any]


@pytest.fixture(scope="module")
def evaluated(nix, tree, tmp_path_factory) -> dict[str, Case]:
    """Every case of this file, evaluated."""
    folder = tmp_path_factory.mktemp("final")
    (folder / "claude.yaml").write_text("model_list: []\n")
    (folder / "xai.yaml").write_text(
        "model_list:\n- model_name: xai-grok-4-fast-reasoning\n"
        "  litellm_params: {model: xai/grok-4-fast, api_key: os.environ/XAI_API_KEY}\n"
    )
    (folder / "literal.yaml").write_text(
        f"model_list: [{{litellm_params: {{api_key: '{KEY}'}}}}]\n"
    )
    (folder / "password.yaml").write_text(
        "general_settings:\n  database_url: pg://u:hunter2@db/x\n"
    )
    snippets = {
        **SOUND,
        **{
            f"harmless-{name}": f"services.litellm-proxy.extraOptions = [ {words} ];"
            for name, words in HARMLESS.items()
        },
        **{name: text for name, (text, _, _) in REFUSED.items()},
    }
    (folder / "cases.nix").write_text(
        "let base = { lib, ... }: {"
        + BASE
        + "}; in {\n"
        + "\n".join(
            f'"{name}" = {{ lib, ... }}: {{ imports = [ base {{ {text} }} ]; }};'
            for name, text in snippets.items()
        )
        + "\n}\n"
    )
    return nix("cases.nix", cases=str(folder / "cases.nix"), **tree)


@pytest.mark.parametrize("name", [*SOUND, *(f"harmless-{name}" for name in HARMLESS)])
def test_harmless(evaluated, name):
    assert evaluated[name]["assertions"] == []
    assert evaluated[name]["warnings"] == []


@pytest.mark.parametrize("name", REFUSED)
def test_refused(evaluated, name):
    _, said, fix = REFUSED[name]
    (refusal,) = evaluated[name]["assertions"]
    assert said in refusal
    assert fix in refusal
    assert KEY not in refusal
