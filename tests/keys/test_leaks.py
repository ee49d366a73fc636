"""No key that is written into a file shows in what nixcfg says of it, whatever its shape.

A key of a known shape is hidden anywhere, also pasted one line off. A key of no shape is hidden
where its name says what it is, and in every message about it.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from in_process import call
from rules_support import by_itself, in_project, write

from nixcfg.gateway import launch
from nixcfg.keys.mask import masked
from nixcfg.keys.shapes import prefixes
from nixcfg.problems import FORMATS, report

BODY = "Ab9dEf1123x56789ghIJklMNopQRw7"
SHAPED = {
    **{prefix: prefix + BODY for prefix in prefixes()},
    "openai project": f"sk-proj-{BODY}-{BODY[::-1]}_{BODY}",
    "anthropic": f"sk-ant-api03-{BODY}-{BODY[::-1]}AA",
    "jwt": f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{BODY}",
    "mistral, cohere": "b7Zk2PqL9sXv4NcR8tYw1MdF6hJg3QaE",
    "azure": "0a1b9c8d7e6f5a4b3c2d1e0f9a8b7c6d",
    "together": "7f3e2d1c0b9a8f7e6d5c4b3a2f1e0d9c8b7a6f5e4d3c2b1a0f9e8d7c6b5a4f3e",
    "aws secret": "wJ4lrXU7nFEM1/K7MD3NG+bPxRf2CYz9qLm5Ks8T",
}
NO_SHAPE = {
    "with slashes": "ab/cd+efgh12345/zz",
    "with a slash before": "/ab+cd/efgh12345==",
    "words": "correct-horse-battery-staple",
    "short": "hunter2",
    "odd": "Tr0ub4dor&3;x!",
    "digits": "90817263544536",
    "dots": "v2.local.zzyyxx",
}
MODEL = "model_list:\n  - model_name: a\n    litellm_params:\n"
GOOD = f"{MODEL}      model: openai/gpt-4o\n"

NAMED = {
    "api_key": f"{MODEL}      model: opnai/gpt-4o\n      api_key: KEY\n",
    "the line above": f"{MODEL}      api_key: KEY\n      model: opnai/gpt-4o\n",
    "flow": "model_list: [{model_name: a, litellm_params: {api_key: 'KEY', model: opnai/x}}]\n",
    "json": '{"model_list": [{"model_name": "a", "litellm_params": {"api_key": "KEY", "m": 1}}]}\n',
    "twice": f"{GOOD}      api_key: KEY\n      api_key: none\n",
    "list": f"{GOOD}      api_key: [KEY]\n",
    "mapping": f"{GOOD}      vertex_credentials: {{type: x, private: KEY}}\n      modl: x\n",
    "aws": f"{GOOD}      aws_access_key_id: KEY\n",
    "misspelt": f"{GOOD}      aip_key: KEY\n",
    "header": f"{GOOD}      extra_headers: {{x-token-v2: KEY, n: [}}\n",
    "headers": f"{GOOD}      extra_headers: {{x-token-v2: KEY}}\n      api_bas: http://h\n",
    "bearer": f"{GOOD}      extra_headers: {{Authorization: Bearer KEY}}\n      tmeout: 1\n",
    "licence": f"{GOOD}general_settings: {{litellm_license: KEY, mastr_key: x}}\n",
    "master": f"{GOOD}general_settings:\n  master_key: KEY\n",
    "variable": f"{GOOD}environment_variables:\n  OTHER_SECRET: KEY\n  PORT: 1\n",
    "moved": f"{GOOD}litellm_settings: {{redis_password: KEY, routing_strategy: least-busy}}\n",
    "global": f"{GOOD}litellm_settings:\n  api_key: KEY\n",
    "partial": f"{GOOD}      api_key: KEY os.environ/X\n",
    "dollar": f"{GOOD}      api_key: KEY${{X}}\n",
    "block": f"{GOOD}      api_key: |\n        KEY\n      modl: x\n",
    "folded": f"{GOOD}      api_key: >-\n        KEY\n        KEY\n      tmeout: 1\n",
    "on the next line": f"{GOOD}      api_key:\n        KEY\n      tmeout: 1\n",
    "anchor": f"{GOOD}      api_version: &it KEY\n      api_key: *it\n      tmeout: 1\n",
    "anchor before": f"x-it: &it KEY\n{GOOD}      api_key: *it\n      tmeout: 1\n",
    "comment": f"{MODEL}      model: opnai/gpt-4o  # api_key: KEY\n",
    "ignored": f"{GOOD}      api_key: |\n        KEY # nixcfg: ignore NX201\n",
    "no yaml": f"{GOOD}      api_key: KEY\n   x: [\n",
    "no yaml here": f"{GOOD}      api_key: KEY: x: [\n",
    "open quote": f'{GOOD}      api_key: "KEY\n      x: y\n',
    "control character": f"{GOOD}      api_key: KEY\x01\n",
    "callback": f"{GOOD}litellm_settings:\n  langfuse_secret: KEY\n  sucess_callback: [x]\n",
    "credential": f"{GOOD}credential_list:\n- credential_name: t\n  credential_values:\n"
    "    api_key: KEY\n  credential_inf: {}\n",
    "two": f"{GOOD}      api_key: KEY\n  - model_name: a\n    litellm_params: {{model: openai/x, "
    "api_key: KEY}\n",
}
IN_URL = {
    "password": f"{GOOD}      api_base: http://u:KEY@h/v1\n",
    "parameter": f"{GOOD}      api_base: https://h/v1?api_key=KEY&x=1\n      tmeout: 1\n",
    "database": f"{GOOD}general_settings: {{database_url: 'postgresql://u:KEY@h/db', x: 1}}\n",
}
PASTED = {
    "model": f"{MODEL}      model: KEY\n",
    "model with prefix": f"{MODEL}      model: KEY/x\n",
    "model_name": "model_list:\n  - model_name: KEY\n    litellm_params: {model: opnai/x}\n",
    "key": f"{GOOD}      KEY: x\n",
    "alone": f"{GOOD}KEY\n",
    "setting": f"{GOOD}router_settings:\n  routing_strategy: KEY\n",
    "fallback": f"{GOOD}litellm_settings:\n  fallbacks: [{{a: [KEY]}}]\n",
    "number": f"{GOOD}      rpm: KEY\n",
    "section": f"{GOOD}litellm_settings: KEY\n",
    "include": f"{GOOD}include: [KEY]\n",
}
MACHINE = {
    "secrets": "secrets: {OPENAI_TOKEN: KEY}\n",
    "file of a secret": "secrets: {OPENAI_TOKEN: {file: KEY, kind: env}}\n",
    "environment": "environment: {X_TOKEN: KEY}\nprot: 1\n",
    "master_key_file": "master_key_file: KEY\n",
    "password_file": "database: {host: h, password_file: KEY}\n",
    "salt_key_file": "salt_key_file: KEY\n",
    "settings": "general_settings: {master_key: KEY, x: 1}\n",
    "host": "hosts: {a: {environment: {X_TOKEN: KEY}, prot: 1}}\n",
}
SOME = ["nvapi-", "csk-", "AQ.", "mistral, cohere", "aws secret", "azure"]
PLACES = [
    *((place, text, name, {**SHAPED, **NO_SHAPE}[name])
      for place, text in NAMED.items() for name in (*SOME, *NO_SHAPE)),
    *((place, text, name, {**SHAPED, **NO_SHAPE}[name])
      for place, text in IN_URL.items() for name in (*SOME[:4], "words", "short", "dots")),
    *((place, text, name, SHAPED[name]) for place, text in PASTED.items() for name in SOME),
    *(("model", PASTED["model"], name, key) for name, key in SHAPED.items()),
    *(("aws", NAMED["aws"], name, key) for name, key in SHAPED.items()),
]  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
def test_reports_on_nixcfg_yaml(form: str, tmp_path: Path):
    names = (*SOME, "dots", "odd")
    keys = {name: {**SHAPED, **NO_SHAPE, "dots": "v2local7zzyyxx"}[name] for name in names}
    places = [(place, text, name) for place, text in MACHINE.items() for name in names]
    found = set()
    for number, (place, text, name) in enumerate(places):
        files = {"nixcfg.yaml": text.replace("KEY", keys[name]), "providers/one.yaml": GOOD}
        told = in_project(tmp_path / str(number), files)
        if shows(report(form, told.problems, told.files), keys[name]):
            found.add((place, name))
    assert found == set()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", ["redis_password", "langfuse_secret", "x"])
def test_two_files_that_disagree(form: str, name: str, tmp_path: Path):
    """A message about one file quotes the other."""
    keys = ["first-Ab9dEf1123x", "other-Zz8eFg2234y"]
    setting = {"x": "callback_settings: {x: {token: KEY}}"}.get(name, f"{name}: KEY")
    texts = [f"{GOOD}litellm_settings: {{{setting.replace('KEY', key)}}}\n" for key in keys]
    files = {f"providers/{number}.yaml": text for number, text in enumerate(texts)}
    told = in_project(tmp_path, {"nixcfg.yaml": "model_config: all\n", **files})
    assert told.problems
    said = report(form, told.problems, told.files)
    assert not any(shows(said, key) for key in keys)


def test_the_log_of_try(tmp_path: Path):
    """What key files hold, whatever the variable is called, and what the configuration says."""
    here = in_project(tmp_path, {"nixcfg.yaml": "model_config: all\n", "providers/one.yaml": GOOD})
    assert here.project is not None
    machine = here.project.machine
    found = launch.Keys({}, {}, (), ())
    text = "litellm_settings: {redis_password: hunter2-in-the-file}\n"
    start = launch.real(machine, machine.loaded, text, found, 4000)
    start = replace(
        start, from_files=("plain-words",), environment={"X_URL": "http://u:pw-7788@h/"}
    )
    line = "redis hunter2-in-the-file, plain-words at http://u:pw-7788@h/ with pw-7788"
    log = masked(line, start.hidden)
    assert log.replace("*", "") == "redis ,  at http://u:@h/ with "


def shows(text: str, key: str) -> bool:
    """Whether seven characters of the key in a row are in a text; its prefix may be."""
    start = next((len(prefix) for prefix in prefixes() if key.startswith(prefix)), 0)
    body = key[start:] if len(key) > start + 12 else key
    return any(body[at : at + 7] in text for at in range(max(1, len(body) - 6)))


def files_of(text: str, key: str) -> dict[str, str]:
    return {"nixcfg.yaml": "model_config: all\n", "providers/one.yaml": text.replace("KEY", key)}


@pytest.mark.parametrize("form", FORMATS)
def test_reports(form: str, tmp_path: Path):
    found, told_of = set(), set()
    for number, (place, text, name, key) in enumerate(PLACES):
        files = files_of(text, key)
        told = in_project(tmp_path / f"{number}p", files)
        alone = by_itself(tmp_path / f"{number}a", {"config.yaml": files["providers/one.yaml"]})
        for each in (told, alone):
            if shows(report(form, each.problems, each.files), key):
                found.add((place, name))
        if told.problems:
            told_of.add(place)
    assert found == set()
    assert told_of == {place for place, *_ in PLACES}, "where nothing is said, nothing is proved"


def test_the_search_finds_a_key(tmp_path: Path):
    """A control: the same problems, with their texts as the rules wrote them."""
    shown = set()
    for number, (place, text, _, key) in enumerate(PLACES):
        told = in_project(tmp_path / str(number), files_of(text, key))
        raw = "".join(p.message + p.help + p.line_text for p in told.problems)
        if shows(raw, key):
            shown.add(place)
    assert len(shown) > 0.7 * len({place for place, *_ in PLACES})


COMMANDS = (
    *(("validate", "--format", form) for form in FORMATS),
    ("validate", "providers/one.yaml"),
    ("render",),
    ("render", "--diff"),
    ("fix", "--diff", "--unsafe"),
    ("fix", "--check"),
    ("fix", "--diff", "--unsafe", "alone.yaml"),
    ("import", "alone.yaml", "--dry-run", "--json", "--out", "new"),
    ("import", "alone.yaml", "--out", "new"),
    ("import", "compose.yaml", "--dry-run", "--out", "other"),
    ("import", "module.nix", "--dry-run", "--out", "other"),
    ("providers",),
    ("models", "openai"),
    ("add-provider", "groq", "--model", "llama-3.3-70b-versatile"),
    ("add-model", "groq", "llama-4"),
    ("rename", "one", "two"),
    ("remove-provider", "groq"),
    ("use", "one"),
    ("set-key", "one"),
    ("doctor",),
    ("fix", "--unsafe"),
)


def everything_said(folder: Path) -> Iterator[tuple[tuple[str, ...], str]]:
    for command in COMMANDS:
        done = call(*command, cwd=folder)
        yield command, done.stdout + done.stderr
    for path in (folder / "new").rglob("*") if (folder / "new").exists() else ():
        if path.is_file():
            yield ("import", str(path)), path.read_text()


@pytest.mark.parametrize("place", [*NAMED, *IN_URL])
@pytest.mark.parametrize("name", ["aws secret", "dots"])
def test_commands(place: str, name: str, tmp_path: Path):
    key = {**SHAPED, **NO_SHAPE}[name]
    text = {**NAMED, **IN_URL}[place]
    write(tmp_path, files_of(text, key))
    write(tmp_path, {"alone.yaml": text.replace("KEY", key), "rendered/docker.nix": f'x = "{key}"'})
    write(tmp_path, {"compose.yaml": compose(key), "module.nix": module(key)})
    leaks = {command for command, said in everything_said(tmp_path) if shows(said, key)}
    # A hand in rendered/ that gives a key no name is beyond knowing; so is a comment.
    allowed = {("render", "--diff")} if name == "dots" else set()
    assert {leak for leak in leaks if "comment" not in place} <= allowed


def compose(key: str) -> str:
    return json.dumps(
        {
            "services": {
                "litellm": {
                    "image": "ghcr.io/berriai/litellm:v1.80.0",
                    "command": ["--config", "/app/config.yaml", "--api_key", key],
                    "environment": {"OPENAI_API_KEY": key, "X_URL": f"http://u:{key}@h/"},
                    "volumes": ["./alone.yaml:/app/config.yaml"],
                }
            }
        }
    )


def module(key: str) -> str:
    return f"""{{
      virtualisation.oci-containers.containers.litellm = {{
        image = "ghcr.io/berriai/litellm:v1.80.0";
        cmd = [ "--config" "/app/config.yaml" "--api_key" "{key}" ];
        environment = {{ OPENAI_API_KEY = "{key}"; MORE = builtins.foo "{key}"; }};
        volumes = [ "./alone.yaml:/app/config.yaml" ];
      }};
    }}"""
