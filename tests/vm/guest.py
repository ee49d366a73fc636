"""The deployed proxy in the VM, as its administrator and its users meet it."""

import json
from dataclasses import dataclass
from pathlib import Path

from image import IMAGE_NAME
from machine import Machine, MachineError

from nixcfg.project.wiring import DEFAULT_IMAGE

SECRETS = "/etc/nixcfg/secrets"
MASTER_KEY = "/var/lib/litellm-proxy/master-key"
RECORD = "/root/upstream/record"  # what the stand-in vendor was shown
IMAGE = DEFAULT_IMAGE

#: What sops-nix does at boot: a directory a generation, and a symlink to the newest.
REVEAL = """\
#!/bin/sh
set -eu
umask 077
number=$(($(find /run/secrets.d -mindepth 1 -maxdepth 1 2>/dev/null | wc -l) + 1))
mkdir -p "/run/secrets.d/$number"
chmod 0751 /run/secrets.d "/run/secrets.d/$number"
cp /root/sealed/* "/run/secrets.d/$number/"
ln -s "/run/secrets.d/$number" /run/secrets.new
mv -T /run/secrets.new /run/secrets
"""
REVEAL_UNIT = """\
[Unit]
DefaultDependencies=no
Before=sysinit.target shutdown.target
RequiresMountsFor=/root /run

[Service]
Type=oneshot
RemainAfterExit=true
ExecStart=/usr/local/sbin/reveal
"""
#: Prints a line for each place that holds a line of /root/keys; see Gateway.found.
SEARCH = f"""\
find /var /run /etc/docker /etc/containers /etc/systemd /nix /nixos-scripts -xdev -type f \\
  ! -path '/run/secrets.d/*' ! -path '/run/litellm-proxy/files/*' \\
  ! -path /run/litellm-proxy/environment ! -path {MASTER_KEY} ! -path /run/wait-said \\
  -print0 2> /dev/null > /root/files
findmnt -rno TARGET -t tmpfs,ramfs | grep '^/\\(run\\|var\\)/' | while read -r mount; do
  case $mount in /run/secrets*) ;; *) find "$mount" -xdev -type f -print0 >> /root/files ;; esac
done
tr '\\0' '\\n' < /root/files | wc -l | sed 's/^/searched files: /'
xargs -0r grep -laFf /root/keys < /root/files
has() {{ if grep -qaFf /root/keys; then echo "$1"; fi; }}
journalctl -o export | has "the journal"
systemctl show '*' | has "systemctl show"
for engine in podman docker; do
  systemctl -q is-active docker || [ $engine = podman ] || continue
  for id in $($engine ps -aq); do $engine inspect "$id" | has "$engine inspect"; done
done
for process in /proc/[0-9]*; do
  cat "$process/cmdline" 2> /dev/null | has "arguments of $process"
done
"""
UPSTREAM_UNIT = f"""\
[Unit]
Description=Stand-in for the vendors

[Service]
ExecStart=/usr/bin/python3 /upstream.py 9000 {RECORD}
"""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: status, content type, body."""

    status: int
    kind: str
    body: str


class Gateway:
    """The proxy under `backend` ("podman" or "docker") in a running VM."""

    def __init__(self, vm: Machine, backend: str) -> None:
        self.vm = vm
        self.backend = backend
        self.unit = f"{backend}-litellm-proxy.service"
        self.wired: dict[str, str] = {}  # the key that each variable should hold now
        self.keys: list[str] = []  # every key that ever was in use

    def install(self, produced: Path) -> None:
        """What `nixos-rebuild switch` does with the files, and the world around the proxy."""
        self.vm.put_tree(produced)
        system = "/etc/systemd/system"
        self.vm.put("/usr/local/sbin/reveal", REVEAL, 0o755)
        self.vm.put("/root/search", SEARCH, 0o755)
        self.vm.put(f"{system}/sops-install-secrets.service", REVEAL_UNIT)
        self.vm.put(f"{system}/upstream.service", UPSTREAM_UNIT)
        self.vm.run(
            f"install -d -m 0700 /root/sealed {Path(RECORD).parent} && install -d {SECRETS}"
            f" && mkdir -p {system}/sysinit.target.wants {system}/multi-user.target.wants"
            f" && ln -sf ../sops-install-secrets.service {system}/sysinit.target.wants/"
            f" && ln -sf ../upstream.service {system}/multi-user.target.wants/"
            f" && {self.backend} tag {IMAGE_NAME} {IMAGE}"
            " && systemctl daemon-reload && systemctl start upstream"
        )

    # -- the administrator ------------------------------------------------------------------------

    def secret(self, variable: str, key: str) -> float:
        """Write a key file in place, as an editor that keeps the inode; returns when, as `now`."""
        self._remember(variable, key)
        path = f"{SECRETS}/{variable.lower()}.txt"
        return self._timed(f"cat > {path} && chmod 600 {path}", f"{key}\n")

    def replace(self, variable: str, key: str) -> float:
        """Put a new file in a key file's place, as most editors do; returns when, as `now`."""
        self._remember(variable, key)
        return self._timed(
            f"cat > {SECRETS}/.new && chmod 600 {SECRETS}/.new"
            f" && mv {SECRETS}/.new {SECRETS}/{variable.lower()}.txt",
            f"{key}\n",
        )

    def reveal(self, key: str) -> float:
        """Turn to a new generation of sops-nix's secrets; returns when, as `now`."""
        self._remember("OPENAI_API_KEY", key)
        self.vm.put("/root/sealed/openai", key, 0o600)
        return self._timed("reveal", "")

    def _remember(self, variable: str, key: str) -> None:
        self.wired[variable] = key
        self.keys.append(key)

    def _timed(self, command: str, stdin: str) -> float:
        return float(self.vm.run(f"cut -d' ' -f1 /proc/uptime && {command}", stdin=stdin).out)

    def seal(self, variable: str, path: str, key: str) -> None:
        """Write a systemd credential."""
        self._remember(variable, key)
        self.vm.run(
            f"mkdir -p $(dirname {path}) && systemd-creds encrypt --name={variable} - {path}",
            stdin=key,
        )

    def show(self, unit: str, *names: str) -> dict[str, str]:
        """Properties of a unit."""
        shown = self.vm.run(f"systemctl show -p {','.join(names)} {unit}").out
        return dict(line.split("=", 1) for line in shown.splitlines())

    def active(self) -> str:
        return self.show(self.unit, "ActiveState")["ActiveState"]

    def watchers(self) -> list[str]:
        """The path units that watch key files now."""
        listed = self.vm.run(
            "systemctl list-units --plain --no-legend --state=active 'litellm-proxy-*.path'"
        ).out
        return sorted(line.split()[0] for line in listed.splitlines())

    def failed_units(self) -> str:
        """The module's units that have failed.

        podman 4 checks the health at once and calls its own transient unit, which is named by
        the container's id, failed until the next check; that is no unit of the module.
        """
        return self.vm.run("systemctl --failed --plain --no-legend list-units '*litellm*'").out

    def now(self) -> float:
        """The VM's clock that systemd's monotonic time stamps use, in seconds."""
        return float(self.vm.read("/proc/uptime").split()[0])

    def entered(self) -> float:
        """When the container's unit became active, in seconds of `now`; 0 when it never did."""
        name = "ActiveEnterTimestampMonotonic"
        return int(self.show(self.unit, name)[name]) / 1e6

    def until_restarted(self, since: float, limit: float = 60) -> float:
        """Seconds from `since` until the container's unit became active again.

        The time is systemd's own, however seldom it is asked for.
        """
        name = "ActiveEnterTimestampMonotonic"
        self.vm.wait(
            f"test $(systemctl show --value -p {name} {self.unit}) -gt {int(since * 1e6)}",
            limit=limit,
        )
        return self.entered() - since

    def until_healthy(self, limit: float = 600) -> float:
        """Seconds until the proxy says that it is alive."""
        try:
            return self.vm.wait(
                "curl -fsS -m 5 http://127.0.0.1:4000/health/liveliness",
                limit=limit,
                every=3,  # more often would take the processor from LiteLLM
            )
        except MachineError as error:
            raise MachineError(f"{error}\n{self.journal(self.unit)}") from None

    def journal(self, unit: str, since: float = 0) -> str:
        """The journal of a unit in this boot, from `since` (seconds of `now`) on."""
        lines = self.vm.run(f"journalctl -b -o short-monotonic --no-hostname -q -u {unit}").out
        return "\n".join(
            line
            for line in lines.splitlines()
            if float(line.partition("[")[2].partition("]")[0] or 0) >= since
        )

    # -- the container ----------------------------------------------------------------------------

    def container(self) -> str:
        """Id of the container, empty when there is none (running or not)."""
        every = (
            f"{self.backend} ps -a --no-trunc --filter name=litellm-proxy --format '{{{{.ID}}}}'"
        )
        return self.vm.run(every).out.strip()

    def environment(self) -> dict[str, str]:
        """The environment of the process in the container, which start.py has set."""
        # docker's unit counts as active before the container exists, and its process is
        # start.py before it is LiteLLM.
        process = f"/proc/$({self.backend} inspect -f '{{{{.State.Pid}}}}' litellm-proxy)"
        self.vm.wait(
            f"grep -qa litellm {process}/cmdline && ! grep -qa start.py {process}/cmdline",
            limit=120,
        )
        pairs = self.vm.run(f"tr '\\0' '\\n' < {process}/environ").out.splitlines()
        return dict(pair.split("=", 1) for pair in pairs if "=" in pair)

    def found(self, keys: list[str]) -> list[str]:
        """Where a byte-for-byte search of the machine finds one of `keys`.

        In every file of /var, /run and the engine's other folders, in the journal, in what the
        engine and systemd show, in units and the store, and in the arguments of every process.
        Left out are the key files themselves, the assembled file and the copies of documents
        beside it: those are where the keys belong.
        """
        self.vm.put("/root/keys", "\n".join(keys) + "\n", 0o600)
        return self.vm.run("sh /root/search", limit=900, check=False).out.splitlines()

    # -- the user ---------------------------------------------------------------------------------

    def master_key(self) -> str:
        return self.vm.read(MASTER_KEY).strip()

    def chat(self, request: dict[str, object], key: str | None, limit: float = 60) -> Answer:
        """One POST to /chat/completions, with curl as in the README."""
        # curl reads keys from its standard input: arguments are seen by everybody, and the guest
        # agent logs them.
        headers = ["Content-Type: application/json"]
        if key is not None:
            headers.append(f"Authorization: Bearer {key}")
        lines = [f"header = {json.dumps(header)}" for header in headers]
        lines.append(f"data = {json.dumps(json.dumps(request))}")
        said = self.vm.run(
            "curl -sS -X POST http://127.0.0.1:4000/chat/completions -K -"
            " -w '\\n%{http_code} %{content_type}'",
            stdin="\n".join(lines),
            limit=limit,
        ).out
        body, _, last = said.rpartition("\n")
        status, _, kind = last.partition(" ")
        return Answer(int(status), kind, body)

    def shown_to_vendor(self, model: str) -> str:
        """The Authorization header of the last request for `model` that reached the vendor."""
        lines = self.vm.read(RECORD).splitlines()
        return next(
            line.split("\t")[1] for line in reversed(lines) if line.startswith(f"{model}\t")
        )
