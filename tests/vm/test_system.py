"""services.litellm-proxy on a real systemd: a Debian VM, podman and docker, the real LiteLLM.

The tests share one VM and run in the order of this file, because a start of LiteLLM takes
minutes on an emulated processor; each leaves the proxy running with the keys it found. The times
at the end of the run are measured, emulation included.
"""

import json
import time
from pathlib import Path

import pytest
from guest import MASTER_KEY, SECRETS, Gateway
from hidden import assert_keys_are_hidden, assert_the_search_finds_the_old_way
from machine import MachineError, stopwatch
from questions import ANSWER, PLAIN, QUESTION, STREAMING, SYSTEM_MESSAGE
from watching import Figures, rotated, rotation_ended

# -- keys that are missing ------------------------------------------------------------------------


def test_a_missing_required_key_is_named_and_nothing_starts(gateway: Gateway):
    gateway.secret("GOOGLE_APPLICATION_CREDENTIALS", '{"private_key": "google-1st"}')
    gateway.reveal("sk-openai-1st")
    gateway.seal("MISTRAL_API_KEY", "/etc/credstore.encrypted/mistral", "mistral-1st")

    started = gateway.vm.run(f"systemctl start {gateway.unit}", check=False)

    assert started.code != 0
    said = gateway.journal("litellm-proxy-secrets.service")
    assert f"ANTHROPIC_API_KEY: key file {SECRETS}/anthropic_api_key.txt is missing" in said
    assert gateway.container() == ""
    assert gateway.vm.run("ls /run/litellm-proxy").out.split() == ["lock"]


def test_what_is_said_about_a_missing_key_is_true(gateway: Gateway):
    rotation_ended(gateway, 0)  # the watcher looks once more as soon as it watches
    said = gateway.journal("litellm-proxy-failure.service")

    assert "failed too often" not in said


def test_the_proxy_starts_by_itself_when_the_key_arrives(gateway: Gateway, figures: Figures):
    since = gateway.secret("ANTHROPIC_API_KEY", "sk-ant-1st")

    rotated(gateway, since, "a missing key arrives", figures)

    environment = gateway.environment()
    assert environment["ANTHROPIC_API_KEY"] == "sk-ant-1st"  # without the newline of the file
    assert environment["OPENAI_API_KEY"] == "sk-openai-1st"
    assert environment["MISTRAL_API_KEY"] == "mistral-1st"
    assert environment["DEEPINFRA_API_KEY"] == "nixcfg-missing-key"
    document = environment["GOOGLE_APPLICATION_CREDENTIALS"]
    assert document == "/run/litellm-proxy/files/GOOGLE_APPLICATION_CREDENTIALS"


def test_a_missing_optional_key_is_a_warning(gateway: Gateway):
    said = gateway.vm.run("journalctl -b -p warning..warning -u litellm-proxy-secrets -o cat").out

    assert f"DEEPINFRA_API_KEY: optional key file {SECRETS}/deepinfra_api_key.txt" in said


# -- the proxy at work ----------------------------------------------------------------------------


def test_the_proxy_becomes_healthy(gateway: Gateway, figures: Figures):
    gateway.until_healthy()
    figures["LiteLLM: from the container's start to its first answer"] = (
        gateway.now() - gateway.entered()
    )
    # Its own check works in this image, and is what the engine goes by.
    gateway.vm.run(f"{gateway.backend} healthcheck run litellm-proxy", limit=120)
    state = gateway.vm.run(f"{gateway.backend} inspect litellm-proxy").out
    assert '"Status": "healthy"' in state


@pytest.mark.parametrize("request_body", [PLAIN, SYSTEM_MESSAGE], ids=["plain", "system message"])
def test_a_request_of_the_readme_is_answered(gateway: Gateway, request_body: dict[str, object]):
    answer = gateway.chat(request_body, gateway.master_key())

    assert answer.status == 200, answer
    assert json.loads(answer.body)["choices"][0]["message"]["content"] == ANSWER
    assert json.loads(answer.body)["model"] == "claude-3-7-sonnet"


def test_a_streaming_request_of_the_readme_is_answered(gateway: Gateway):
    answer = gateway.chat(STREAMING, gateway.master_key())

    assert answer.status == 200, answer
    assert answer.kind.startswith("text/event-stream")
    events = [line.removeprefix("data: ") for line in answer.body.splitlines() if line]
    assert events.pop() == "[DONE]"
    deltas = [json.loads(event)["choices"][0]["delta"] for event in events]
    assert len(deltas) > 2
    assert "".join(delta.get("content") or "" for delta in deltas) == ANSWER


@pytest.mark.parametrize("body", [PLAIN, SYSTEM_MESSAGE, STREAMING], ids=["plain", "system", "sse"])
def test_nothing_is_answered_without_the_master_key(gateway: Gateway, body: dict[str, object]):
    for key in (None, "sk-1234", gateway.master_key()[:-1]):
        answer = gateway.chat(body, key)

        assert answer.status in {400, 401}, answer
        assert ANSWER not in answer.body


def test_each_vendor_is_shown_its_own_key(gateway: Gateway):
    for model, key in {"gpt-4o": "sk-openai-1st", "mistral": "mistral-1st"}.items():
        answer = gateway.chat({"model": model, "messages": [QUESTION]}, gateway.master_key())

        assert answer.status == 200, answer
        vendors_name = {"mistral": "mistral-small-latest"}.get(model, model)
        assert gateway.shown_to_vendor(vendors_name) == f"Bearer {key}"


def test_a_model_without_its_key_says_so_and_asks_no_vendor(gateway: Gateway):
    body = {"model": "llama", "messages": [QUESTION]}

    answer = gateway.chat(body, gateway.master_key())

    assert answer.status == 403, answer
    assert "DEEPINFRA_API_KEY" in answer.body


# -- what is exposed ------------------------------------------------------------------------------


def test_the_container_has_no_rights(gateway: Gateway):
    inside = gateway.vm.run(
        f"{gateway.backend} exec litellm-proxy sh -c 'cat /proc/1/status;"
        " for place in / /app /etc /usr /run/litellm-proxy/files; do"
        ' touch "$place/probe" 2>/dev/null && echo "writable: $place"; done;'
        " cat /run/litellm-proxy/files/GOOGLE_APPLICATION_CREDENTIALS'"
    ).out

    for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert f"{capabilities}:\t0000000000000000" in inside
    assert "NoNewPrivs:\t1" in inside
    assert "writable:" not in inside
    assert inside.endswith('{"private_key": "google-1st"}\n')


def test_only_loopback_is_published(gateway: Gateway):
    listening = gateway.vm.run("ss -Hltn").out
    addresses = [line.split()[3] for line in listening.splitlines()]

    assert [address for address in addresses if address.endswith((":4000", ":4040"))] == [
        "127.0.0.1:4000"
    ]


def test_a_key_is_where_it_belongs_and_nowhere_else(gateway: Gateway):
    modes = gateway.vm.run(
        "stat -c '%a %U %n' /run/litellm-proxy /run/litellm-proxy/environment"
        f" /run/litellm-proxy/files /run/litellm-proxy/files/* {MASTER_KEY} $(dirname {MASTER_KEY})"
    ).out
    assert sorted(modes.splitlines()) == sorted(
        [
            "700 root /run/litellm-proxy",
            "600 root /run/litellm-proxy/environment",
            "700 root /run/litellm-proxy/files",
            "600 root /run/litellm-proxy/files/GOOGLE_APPLICATION_CREDENTIALS",
            f"600 root {MASTER_KEY}",
            f"700 root {Path(MASTER_KEY).parent}",
        ]
    )
    assert gateway.master_key().startswith("sk-")
    assert len(gateway.master_key()) == len("sk-") + 64

    assert_keys_are_hidden(gateway)


# -- rotation -------------------------------------------------------------------------------------


def test_a_new_generation_of_sops_nix_is_in_use(gateway: Gateway, figures: Figures):
    before = gateway.container()
    since = gateway.reveal("sk-openai-2nd")

    rotated(gateway, since, "a symlink turns to a new generation", figures)

    assert gateway.container() != before
    assert gateway.environment()["OPENAI_API_KEY"] == "sk-openai-2nd"
    gateway.until_healthy()
    figures["a symlink turns to a new generation: until requests are answered"] = (
        gateway.now() - since
    )
    answer = gateway.chat({"model": "gpt-4o", "messages": [QUESTION]}, gateway.master_key())
    assert answer.status == 200, answer
    assert gateway.shown_to_vendor("gpt-4o") == "Bearer sk-openai-2nd"


def test_a_key_that_was_edited_in_place_is_in_use(gateway: Gateway, figures: Figures):
    since = gateway.secret("ANTHROPIC_API_KEY", "sk-ant-2nd")

    rotated(gateway, since, "an edit in place", figures)

    assert gateway.environment()["ANTHROPIC_API_KEY"] == "sk-ant-2nd"


def test_a_key_that_was_replaced_is_in_use_even_while_litellm_starts(
    gateway: Gateway, figures: Figures
):
    since = gateway.replace("ANTHROPIC_API_KEY", "sk-ant-3rd")

    rotated(gateway, since, "a rename, while LiteLLM still starts", figures)

    assert gateway.environment()["ANTHROPIC_API_KEY"] == "sk-ant-3rd"
    # As process 1, a Python that has not set its handlers yet does not hear SIGTERM.
    assert "resorting to SIGKILL" not in gateway.journal(gateway.unit, since)


def test_the_same_content_is_no_reason_to_restart(gateway: Gateway):
    before = gateway.container()
    since = gateway.secret("ANTHROPIC_API_KEY", "sk-ant-3rd")

    said = rotation_ended(gateway, since)

    assert "The keys are those that the proxy runs with" in said
    assert gateway.container() == before
    assert gateway.entered() < since


def test_a_key_that_cannot_be_used_leaves_the_proxy_running(gateway: Gateway):
    before = gateway.container()
    since = gateway.now()
    gateway.vm.put(f"{SECRETS}/anthropic_api_key.txt", "\n", 0o600)

    rotation_ended(gateway, since)

    said = gateway.journal("litellm-proxy-secrets.service", since)
    assert f"ANTHROPIC_API_KEY: key file {SECRETS}/anthropic_api_key.txt is empty" in said
    assert gateway.container() == before
    since = gateway.secret("ANTHROPIC_API_KEY", "sk-ant-3rd")
    assert "The keys are those that the proxy runs with" in rotation_ended(gateway, since)
    assert gateway.container() == before


def test_an_optional_key_that_arrives_is_in_use(gateway: Gateway, figures: Figures):
    since = gateway.secret("DEEPINFRA_API_KEY", "deepinfra-1st")

    rotated(gateway, since, "an optional key arrives, while LiteLLM still starts", figures)

    assert gateway.environment()["DEEPINFRA_API_KEY"] == "deepinfra-1st"


# -- a crash, a stop, a reboot --------------------------------------------------------------------


def test_a_container_that_died_comes_back(gateway: Gateway):
    since = gateway.now()
    gateway.vm.run(f"{gateway.backend} kill litellm-proxy")

    gateway.until_restarted(since, limit=240)

    assert gateway.environment()["ANTHROPIC_API_KEY"] == "sk-ant-3rd"


def test_a_stop_leaves_nothing_behind(gateway: Gateway, figures: Figures):
    container = gateway.container()
    assert gateway.watchers()
    with stopwatch(figures, "a stop, while LiteLLM still starts"):
        gateway.vm.run(f"systemctl stop {gateway.unit}", limit=150)

    assert gateway.container() == ""
    assert gateway.watchers() == []
    assert gateway.vm.run("ls -A /run/litellm-proxy").out.split() == ["lock"]
    assert gateway.vm.run("ss -Hltn | grep :4000", check=False).out == ""
    assert gateway.vm.run("ls /run/*.ctr-id", check=False).out == ""
    assert container[:12] not in gateway.vm.run("systemctl list-units --all --plain").out
    assert gateway.vm.run("nft list ruleset 2>&1 | grep -w 4040", check=False).out == ""
    assert gateway.active() == "inactive"
    assert gateway.failed_units() == ""
    assert_keys_are_hidden(gateway)


def test_after_a_stop_a_new_key_starts_nothing(gateway: Gateway):
    since = gateway.secret("ANTHROPIC_API_KEY", "sk-ant-4th")
    time.sleep(5)

    assert gateway.active() != "active"
    assert gateway.container() == ""
    assert gateway.journal("litellm-proxy-rotate.service", since) == ""


def test_a_reboot_brings_everything_back(gateway: Gateway, figures: Figures):
    master_key = gateway.master_key()

    figures["reboot of the VM"] = gateway.vm.reboot()
    gateway.until_restarted(0, limit=240)
    figures["boot to the start of the container"] = gateway.entered()
    gateway.until_healthy()
    figures["boot to the first answer"] = gateway.now()

    assert gateway.master_key() == master_key
    environment = gateway.environment()
    for variable in gateway.wired.keys() - {"GOOGLE_APPLICATION_CREDENTIALS"}:
        assert environment[variable] == gateway.wired[variable]
    assert gateway.chat(PLAIN, master_key).status == 200
    answer = gateway.chat({"model": "gpt-4o", "messages": [QUESTION]}, master_key)
    assert answer.status == 200, answer
    assert gateway.shown_to_vendor("gpt-4o") == f"Bearer {gateway.wired['OPENAI_API_KEY']}"
    assert "litellm-proxy-secrets.path" in gateway.watchers()


def test_after_rotations_and_a_reboot_every_key_is_still_hidden(gateway: Gateway):
    assert_keys_are_hidden(gateway)
    assert gateway.failed_units() == ""


def test_the_search_finds_what_podman_is_given(gateway: Gateway):
    assert_the_search_finds_the_old_way(gateway)


# -- the other engine -----------------------------------------------------------------------------


def test_docker_does_the_same(dockered: Gateway, figures: Figures):
    with stopwatch(figures, "docker: start of the unit, docker's daemon included"):
        dockered.vm.run(f"systemctl start {dockered.unit}", limit=240)
    dockered.until_healthy()
    master_key = dockered.master_key()

    assert dockered.chat(PLAIN, master_key).status == 200
    assert dockered.chat(PLAIN, None).status == 401
    answer = dockered.chat({"model": "gpt-4o", "messages": [QUESTION]}, master_key)
    assert answer.status == 200, answer
    assert dockered.shown_to_vendor("gpt-4o") == f"Bearer {dockered.wired['OPENAI_API_KEY']}"
    since = dockered.secret("ANTHROPIC_API_KEY", "sk-ant-5th")
    rotated(dockered, since, "docker: an edit in place", figures)
    assert dockered.environment()["ANTHROPIC_API_KEY"] == "sk-ant-5th"
    assert_keys_are_hidden(dockered)
    assert_the_search_finds_the_old_way(dockered)
    dockered.vm.run(f"systemctl stop {dockered.unit}", limit=150)
    assert dockered.container() == ""
    assert dockered.vm.run("ls -A /run/litellm-proxy").out.split() == ["lock"]
    assert_keys_are_hidden(dockered)


def test_no_wait_in_the_vm_is_endless(gateway: Gateway):
    with pytest.raises(MachineError, match="not so within 1 s: false"):
        gateway.vm.wait("false", limit=1)
    assert gateway.vm.run("sleep 60", limit=1, check=False).code == 124
