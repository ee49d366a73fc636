"""What nixcfg calls valid, the module takes: no mistake waits for `nixos-rebuild`."""

import json
import re
from pathlib import Path

from nixcfg import project, render, validate, wiring
from nixcfg.rules.secrets import is_refused_as_key

MODULE = Path(__file__).parents[2] / "modules" / "litellm-proxy" / "assertions.nix"

PROVIDER = """\
model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt-4o}
"""

# Lines of nixcfg.yaml: sound ones, and ones that the module refuses for a reason of its own.
LINES = [
    "port: 4000",
    "listen_address: 0.0.0.0",
    "listen_address: 127.0.0.2\nauth: open",
    "listen_address: ::1\nauth: open",
    "listen_address: 0.0.0.0\nauth: open",
    "listen_address: 10.0.0.256",
    "image: ghcr.io/berriai/litellm:v1.82.7",
    "image: ghcr.io/berriai/litellm:main-v1.82.8-stable",
    "image: ghcr.io/berriai/litellm:main-latest",
    "secrets_dir: /keys/",
    "secrets_dir: /keys/../keys",
    "secrets: {OPENAI_API_KEY: /nix/store/x}",
    "secrets: {OPENAI_API_KEY: /keys//x}",
    "secrets: {OPENAI_API_KEY: /keys/./x}",
    "secrets: {OPENAI_API_KEY: /keys/x/}",
    "secrets: {OPENAI_API_KEY: '/keys/a b%c'}",
    "master_key_file: /keys/../x",
    "master_key_file: /keys/master",
    *(f"environment: {{{name}: 'x'}}" for name in wiring.OWNED_VARIABLES),
    *(f"secrets: {{{name}: /keys/x}}" for name in wiring.OWNED_VARIABLES),
    "environment: {OPENAI_API_KEY: none}\nsecrets: {OPENAI_API_KEY: /keys/x}",
]

VALUES = [
    *("", "none", "sk-local", "sk-1234567890", "sk-123456789012345", "abcdefghijk", "abcdefghijkl"),
    *(
        "/path/to/some/file",
        "http://host:80/x",
        "https://user:pw@host/x",
        "1234567890.1234",
        "true",
    ),
    *("postgresql://u:p@host/db", "postgresql://u@host/db", "-----BEGIN KEY", "AKIA0123456789ABC"),
    *("gsk_0123456789abcdef", "a b c d e f g h", "os.environ/SOME_OTHER_NAME", "é" * 6, "line"),
]
NAMES = [
    "FOO",
    "OPENAI_API_KEY",
    "LANGFUSE_PUBLIC_KEY",
    "X_TOKEN",
    "DB_PASSWORD",
    "AWS_ACCESS_KEY_ID",
]


def test_what_validates_evaluates_without_complaint(nix, tmp_path: Path) -> None:
    cases, valid = [], {}
    for number, lines in enumerate(LINES):
        folder = tmp_path / str(number)
        (folder / "providers").mkdir(parents=True)
        (folder / "nixcfg.yaml").write_text(lines + "\n")
        (folder / "providers" / "openai.yaml").write_text(PROVIDER)
        report = validate.validate(project.read(folder))
        if report.project is None:
            continue
        valid[str(number)] = lines
        for path, content in render.files(report.project).items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_bytes(content)
        cases.append(f"{json.dumps(str(number))} = {folder}/docker.nix;")
    assert 5 < len(valid) < len(LINES) - 5
    file = tmp_path / "cases.nix"
    file.write_text("{\n" + "\n".join(cases) + "\n}\n")
    for number, found in nix("cases.nix", cases=str(file)).items():
        assert found["assertions"] == [], valid[number]


def test_a_plain_variable_is_a_key_for_both_or_for_none(nix, tmp_path: Path) -> None:
    pairs = [(name, value) for name in NAMES for value in VALUES]
    system = tmp_path / "cases.nix"
    system.write_text(
        "builtins.listToAttrs (map (pair: { name = toString pair.number; value = {\n"
        "  services.litellm-proxy = {\n"
        '    enable = true; modelConfig = "a"; configs.a.file = ./cases.nix;\n'
        "    environment.${pair.name} = pair.value; };\n"
        "}; }) (builtins.fromJSON (builtins.readFile ./pairs.json)))\n"
    )
    listed = [{"number": n, "name": name, "value": v} for n, (name, v) in enumerate(pairs)]
    (tmp_path / "pairs.json").write_text(json.dumps(listed))
    found = nix("cases.nix", cases=str(system))
    for number, (name, value) in enumerate(pairs):
        refused = any("looks like a key" in text for text in found[str(number)]["assertions"])
        assert is_refused_as_key(name, value) == refused, (name, value)


def test_both_know_the_same_variables_as_their_own() -> None:
    owned = re.search(r"ownedVariables = \{(.*?)\};", MODULE.read_text(), re.DOTALL)
    assert owned
    assert set(re.findall(r"^\s*(\w+) =", owned[1], re.MULTILINE)) == set(wiring.OWNED_VARIABLES)
