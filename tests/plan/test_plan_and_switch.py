"""What `nixcfg plan` predicts of a switch, beside what the switch does: on a real systemd, with the
module's own units. The engine is a stand-in, and tests/scale has several instances under load."""

import os
from collections.abc import Iterator

import booting
import pytest
from switching import ACCESS, Switched, became

from program import Run

pytestmark = pytest.mark.slow

UNIT = "podman-litellm-proxy.service"
KEYS = "etc/nixcfg/secrets"
OPENAI = """\
model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt-5.6, api_key: os.environ/OPENAI_API_KEY}
environment_variables: {OPENAI_API_KEY: "${OPENAI_API_KEY}"}
"""
GEMINI = """\
model_list:
  - model_name: gemini
    litellm_params: {model: gemini/gemini-2.5-flash, api_key: os.environ/GEMINI_API_KEY}
environment_variables: {GEMINI_API_KEY: "${GEMINI_API_KEY}"}
"""
SETTINGS = "model_config: all\nbackend: podman\n"
BASE = {"nixcfg.yaml": SETTINGS, "providers/openai.yaml": OPENAI}


@pytest.fixture(scope="module")
def switched(nix: Run, nixcfg: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switched]:
    if os.geteuid() != 0:
        pytest.skip("needs root, for a systemd in namespaces")
    folder = tmp_path_factory.mktemp("switched")
    made = Switched(folder, nix, nixcfg, {"/usr/bin/podman": booting.PODMAN})
    with made.booted(BASE) as machine:
        for name in ("openai", "gemini", "elsewhere"):
            machine.write(f"{KEYS}/{name}_api_key.txt", f"sk-{name}-0123456789abcdef\n")
        done = machine.run("systemctl", "start", UNIT, "litellm-proxy-image.service")
        assert done.returncode == 0, machine.run("journalctl", "-n", "40").stdout
        machine.settle()
        yield made


def settings(more: str) -> dict[str, str]:
    return {**BASE, "nixcfg.yaml": SETTINGS + more}


URL = 'environment: {DATABASE_URL: "postgresql:///none"}\n'
ACCESS_MADE = f"{URL}teams: {{research: {{models: [gpt]}}}}\nkeys: {{web: {{team: research}}}}\n"
ACCESS_CHANGED = ACCESS_MADE.replace("{models: [gpt]}", "{models: [gpt], max_budget: 5}")

SWITCHES: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ("nothing", BASE, {}),
    ("words", settings("# said otherwise\n"), {}),
    ("a provider added", {**BASE, "providers/gemini.yaml": GEMINI}, {UNIT: "restarts"}),
    ("a provider removed", BASE, {UNIT: "restarts"}),
    ("a provider that is not loaded", {
        **BASE, "providers/gemini.yaml": GEMINI,
        "nixcfg.yaml": SETTINGS.replace("all", "openai"),
    }, {}),
    ("an image", settings("image: ghcr.io/berriai/litellm:v1.110.2\n"), {UNIT: "restarts"}),
    ("a key elsewhere", settings(f"secrets: {{OPENAI_API_KEY: /{KEYS}/elsewhere_api_key.txt}}\n"),
     {UNIT: "restarts"}),
    ("a port", settings("port: 4001\n"), {UNIT: "restarts"}),
    ("a database", settings(URL), {UNIT: "restarts"}),
    ("teams and keys", settings(ACCESS_MADE), {ACCESS: "runs"}),
    ("another budget", settings(ACCESS_CHANGED), {ACCESS: "runs"}),
    ("no keys any more", settings(URL), {ACCESS: "stops"}),
]  # fmt: skip
"""One after the other: the sources, and what becomes of the units."""


@pytest.mark.parametrize(("files", "becomes"), [each[1:] for each in SWITCHES],
                         ids=[each[0] for each in SWITCHES])  # fmt: skip
def test_plan_knows_what_the_switch_does(
    switched: Switched, files: dict[str, str], becomes: dict[str, str]
):
    switched.write(files)
    code, planned = switched.planned()
    before = switched.states(UNIT, ACCESS)
    did = switched.switch()
    switched.running.settle()
    after = switched.states(UNIT, ACCESS)
    did |= became({UNIT: before[UNIT]}, {UNIT: after[UNIT]})
    assert {each["unit"]: each["does"] for each in planned["units"]} == did == becomes
    # The one container is all that answers.
    assert planned["loses_requests"] == (UNIT in did)
    if did.get(ACCESS) == "runs":
        assert before[ACCESS] != after[ACCESS]
    assert code == (2 if planned["changes"] or planned["access"] or did else 0)
    code, planned = switched.planned()
    assert (code, planned["changes"], planned["units"], planned["drift"]) == (0, [], [], [])


def test_a_key_rotated_is_no_change(switched: Switched):
    before = switched.states(UNIT)
    switched.running.write(f"{KEYS}/elsewhere_api_key.txt", "sk-elsewhere-rotated-0123456789\n")
    switched.running.write(f"{KEYS}/openai_api_key.txt", "sk-openai-rotated-0123456789\n")
    switched.running.until(lambda: switched.states(UNIT) != before, 60)
    switched.running.settle()
    before = switched.states(UNIT)
    code, planned = switched.planned()
    assert (code, planned["units"]) == (0, [])
    assert switched.switch() == {}
    switched.running.settle()
    assert switched.states(UNIT) == before
