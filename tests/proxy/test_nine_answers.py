"""The rendered files in front of the real LiteLLM proxy, vendors replaced on loopback."""

import json
import re
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import yaml
from gateway import MISSING_KEY, Gateway, key_environment
from vendor import Vendor
from vendors import OpenAI

Render = Callable[[Path], Path]
Start = Callable[..., AbstractContextManager[dict[str, Gateway]]]

MASTER_KEY = f"sk-{secrets.token_hex(24)}"

QUESTION = "What is the meaning of life?"
SYSTEM = "You are a helpful assistant that gives concise answers."
POEM = "Write a short poem about coding."


def variables_in(config: Path) -> set[str]:
    """The variables that a rendered LiteLLM file refers to, but for the proxy's own key."""
    references = re.findall(r"os\.environ/(\w+)", config.read_text())
    return set(references) - {"LITELLM_MASTER_KEY"}


def public_names(config: Path) -> list[str]:
    return [entry["model_name"] for entry in yaml.safe_load(config.read_text())["model_list"]]


def base_urls(vendors: dict[str, Vendor]) -> dict[str, str]:
    return {
        name: value for vendor in vendors.values() for name, value in vendor.environment.items()
    }


CONFIGS = ("claude", "openai", "gemini", "all")


@pytest.fixture(scope="module")
def proxies(
    start: Start,
    litellm: Path,
    vendors: dict[str, Vendor],
    secrets_dir: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Gateway]]:
    """The proxy on each rendered file, each with the keys of its own providers and no others."""
    starts = {}
    for config in CONFIGS:
        file = litellm / f"{config}.yaml"
        keys = key_environment(variables_in(file), secrets_dir)
        starts[config] = (file, keys | base_urls(vendors))
    with start(starts, MASTER_KEY, tmp_path_factory.mktemp("proxies")) as running:
        yield running


@pytest.mark.parametrize("config", CONFIGS)
def test_every_provider_answers_the_three_requests_with_its_own_key_only(
    config: str, proxies: dict[str, Gateway], litellm: Path, vendors: dict[str, Vendor]
):
    proxy = proxies[config]
    asked = ["claude", "openai", "gemini"] if config == "all" else [config]
    for vendor in vendors.values():
        vendor.forget()

    answers = 0
    for provider in asked:
        for model in public_names(litellm / f"{provider}.yaml"):
            answers += three_answers(proxy, model, vendors[provider])

    assert answers == 3 * len(asked)
    keys = {vendor.key for vendor in vendors.values()} | {MASTER_KEY}
    for provider, vendor in vendors.items():
        assert len(vendor.seen) == (3 if provider in asked else 0)
        for seen in vendor.seen:
            assert vendor.key_in(seen) == vendor.key
            assert seen.everything().count(vendor.key.encode()) == 1
            assert not [k for k in keys - {vendor.key} if k.encode() in seen.everything()]
    log = proxy.log.read_text()
    assert not [key for key in keys if key in log]


def three_answers(proxy: Gateway, model: str, vendor: Vendor) -> int:
    """The README's requests, and what the vendor must have been asked; how many were answered."""
    plain = proxy.chat(model, QUESTION)
    system = proxy.chat(model, QUESTION, system=SYSTEM)
    for answer in (plain, system):
        assert answer.status == 200, answer.body
        assert answer.text() == vendor.text
        assert answer.json()["model"] == model

    stream = proxy.chat(model, POEM, stream=True)
    assert stream.status == 200, stream.body
    assert stream.content_type.startswith("text/event-stream")
    assert stream.data()[-1] == "[DONE]"
    assert stream.data().count("[DONE]") == 1
    assert stream.streamed_text() == vendor.text

    one, two, three = vendor.seen
    assert QUESTION in one.body.decode()
    assert SYSTEM not in one.body.decode()
    assert SYSTEM in two.body.decode()
    assert POEM in three.body.decode()
    assert [vendor.wants_stream(seen) for seen in vendor.seen] == [False, False, True]
    return 3


def test_nobody_is_served_without_the_master_key(
    proxies: dict[str, Gateway], litellm: Path, vendors: dict[str, Vendor]
):
    """401 where prisma is importable, as in the image; 500 where only litellm[proxy] is there."""
    for vendor in vendors.values():
        vendor.forget()
    for config, proxy in proxies.items():
        model = public_names(litellm / f"{config}.yaml")[0]
        assert proxy.chat(model, QUESTION, authorized=False).status in (401, 500)
    assert not any(vendor.seen for vendor in vendors.values())


def test_docker_nix_hands_each_config_just_the_keys_it_refers_to(litellm: Path):
    if not shutil.which("nix-instantiate"):
        pytest.skip("nix is not installed here")
    program = "f: (import f { lib.mkDefault = v: v; config = { }; }).services.litellm-proxy"
    expression = (
        f"let c = ({program}) {litellm.parent}/docker.nix; in "
        "{ configs = builtins.mapAttrs (_: v: v.secrets) c.configs; "
        "files = builtins.mapAttrs (_: v: baseNameOf v.file) c.secrets; }"
    )
    command = ["nix-instantiate", "--eval", "--strict", "--json", "-E", expression]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    declared = json.loads(done.stdout)

    rendered = {file.stem: sorted(variables_in(file)) for file in litellm.iterdir()}
    assert {name: sorted(keys) for name, keys in declared["configs"].items()} == rendered
    assert len(rendered["all"]) == 3
    assert declared["files"] == {name: f"{name.lower()}.txt" for name in rendered["all"]}


OPENAI_COMPATIBLE = """\
model_list:
  - model_name: open-model-at-{name}
    litellm_params:
      model: {name}/open-model
environment_variables:
  {variable}: ${{{variable}}}
"""


def test_a_missing_key_file_brings_no_other_vendors_key_to_that_vendor(
    start: Start, render: Render, project: Path, vendors: dict[str, Vendor], tmp_path: Path
):
    """deepinfra and novita are two of the vendors for which LiteLLM, left without a key, sends
    the OpenAI key. deepinfra's variable is set as the wiring sets it; novita's is left out, which
    proves that the danger is real and that this test would see it."""
    shutil.copytree(project, tmp_path / "project")
    for name in ("deepinfra", "novita"):
        text = OPENAI_COMPATIBLE.format(name=name, variable=f"{name.upper()}_API_KEY")
        (tmp_path / "project" / "providers" / f"{name}.yaml").write_text(text)
    file = render(tmp_path / "project") / "all.yaml"

    only_openai = tmp_path / "secrets"
    only_openai.mkdir()
    openai = vendors["openai"]
    (only_openai / "openai_api_key.txt").write_text(openai.key)
    environment = key_environment(variables_in(file), only_openai) | base_urls(vendors)
    del environment["NOVITA_API_KEY"]
    for vendor in vendors.values():
        vendor.forget()

    with OpenAI("sk-deepinfra") as deepinfra, OpenAI("sk-novita") as novita:
        environment["DEEPINFRA_API_BASE"] = f"{deepinfra.url}/v1"
        environment["NOVITA_API_BASE"] = f"{novita.url}/v1"
        with start({"all": (file, environment)}, MASTER_KEY, tmp_path) as running:
            answers = {model: running["all"].chat(model, QUESTION) for model in public_names(file)}

    answered = [model for model, answer in answers.items() if answer.status == 200]
    assert answered == public_names(file.with_name("openai.yaml"))
    assert {openai.key_in(seen) for seen in openai.seen} == {openai.key}
    for vendor in (vendors["claude"], vendors["gemini"], deepinfra):
        assert vendor.seen, f"{vendor.name} was not asked"
        assert {vendor.key_in(seen) for seen in vendor.seen} == {MISSING_KEY}
        assert not [seen for seen in vendor.seen if openai.key.encode() in seen.everything()]
    assert {novita.key_in(seen) for seen in novita.seen} == {openai.key}


#: The shape of the original's provider files. `routing_strategy` is not the default here, so that
#: its effect can be seen; nothing is retried, so that failures can be counted; of two deployments,
#: because one alone never cools down; and a cooldown lasts longer than this test on a slow machine.
MISPLACED = """\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o-2024-11-20
environment_variables:
  OPENAI_API_KEY: ${OPENAI_API_KEY}
litellm_settings:
  drop_params: True
  num_retries: 0
  routing_strategy: least-busy
  allowed_fails: 1
router_settings:
  cooldown_time: 300
"""

ROUTER_KEYS = ("routing_strategy", "allowed_fails")


def test_misplaced_router_settings_take_effect_once_rendered(
    start: Start, render: Render, project: Path, vendors: dict[str, Vendor], tmp_path: Path
):
    """The same settings left where the original has them do nothing: the second half."""
    shutil.copytree(project, tmp_path / "project")
    for provider in ("claude", "gemini"):
        (tmp_path / "project" / "providers" / f"{provider}.yaml").unlink()
    (tmp_path / "project" / "providers" / "openai.yaml").write_text(MISPLACED)
    nixcfg_yaml = tmp_path / "project" / "nixcfg.yaml"
    nixcfg_yaml.write_text("model_config: openai\n")
    file = render(tmp_path / "project") / "openai.yaml"
    openai = vendors["openai"]
    environment = {"OPENAI_API_KEY": openai.key} | openai.environment

    original = yaml.safe_load(file.read_text())
    router_settings = original["router_settings"]
    original["litellm_settings"] |= {key: router_settings.pop(key) for key in ROUTER_KEYS}
    misplaced = tmp_path / "misplaced.yaml"
    misplaced.write_text(yaml.safe_dump(original))

    def strategy_and_failures_until_cooldown(proxy: Gateway) -> tuple[str, list[int], int]:
        openai.forget()
        openai.behave_as(*[openai.refusal(500)] * 5)
        settings = proxy.request("GET", "/get/config/callbacks").json()["router_settings"]
        statuses = [proxy.chat("gpt-4o", QUESTION).status for _ in range(5)]
        return settings["routing_strategy"], statuses, len(openai.seen)

    starts = {"rendered": (file, environment), "misplaced": (misplaced, environment)}
    with start(starts, MASTER_KEY, tmp_path) as running:
        rendered = strategy_and_failures_until_cooldown(running["rendered"])
        left = strategy_and_failures_until_cooldown(running["misplaced"])
    assert rendered == ("least-busy", [500, 500, 500, 500, 429], 4)
    assert left == ("simple-shuffle", [500] * 5, 5)
