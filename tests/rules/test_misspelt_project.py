"""A misspelt key in nixcfg.yaml hides nothing that is wrong whichever key was meant."""

from pathlib import Path

import pytest
from rules_support import in_project

from nixcfg.yamltext import reader

FLEET = Path(__file__).parents[2] / "examples" / "fleet"
OWN = ("vendors", "alpha", "beta", "gamma", "maximum_spend_logs_retention_period")
"""Names that the user makes up, and a setting of LiteLLM's, which has findings of its own."""
PROVIDER = "model_list:\n  - model_name: a\n    litellm_params: {model: ollama/a}\n"


def found(folder: Path, own: str) -> list[tuple[str, int]]:
    report = in_project(folder, {"nixcfg.yaml": own, "providers/a.yaml": PROVIDER})
    assert report.project is None
    return [(each.code, each.span.line) for each in report.problems]


@pytest.mark.parametrize(
    ("own", "also"),
    [
        ("bckend: docker\ninstances: 2\n", [("NX513", 2)]),
        ("bckend: docker\nmodel_config: b\nport: 4000\n", [("NX501", 2)]),
        ("bckend: docker\nsalt_key_file: /k\n", [("NX516", 2)]),
        ("bckend: docker\nhosts: {x: {instnces: 3,\n  model_config: b}}\n", [("NX501", 3)]),
        ("bckend: docker\nseverities: {NX514: off}\nworkers: 2\n", []),
        # Redis may be meant, its host, or the instances.
        ("redsi: local\ninstances: 2\n", []),
        ("instnces: 2\nmodel_config: all\n", []),
        ("bckend: docker\ninstances: 2\nredsi: local\n", []),
        # Nothing is known of what was meant.
        ("zzzzzz: local\ninstances: 2\n", []),
        ("bckend: dokcer\ninstances: 2\n", []),
        ("bckend: docker\nbackend: podman\ninstances: 2\n", []),
        ("bckend: docker\nport: many\ninstances: 2\n", []),
    ],
)
def test_what_is_wrong_in_both_readings_is_reported(
    own: str, also: list[tuple[str, int]], tmp_path: Path
):
    assert [each for each in found(tmp_path, own) if each[0] > "NX5"] == also
    assert ("NX013", 3) not in found(tmp_path, own + "workers: 2 # nixcfg: ignore NX514")


def test_no_misspelt_key_brings_another_finding(tmp_path: Path):
    """Each key of a project in which nothing is wrong, on any level."""
    text = (FLEET / "nixcfg.yaml").read_text()
    files = {f"providers/{each.name}": each.read_text() for each in FLEET.glob("providers/*.yaml")}
    lines = text.splitlines(keepends=True)
    tried = 0
    for number, line in enumerate(lines):
        key = line.strip().partition(":")[0]
        if ":" not in line or key.startswith("#") or key in OWN:
            continue
        wrong = line.replace(key, f"{key[:-2]}{key[-1]}{key[-2]}", 1)
        own = "".join([*lines[:number], wrong, *lines[number + 1 :]])
        assert reader.parse(own, "nixcfg.yaml").problems == ()
        codes = {each.code for each in in_project(tmp_path, {**files, "nixcfg.yaml": own}).problems}
        assert codes <= {"NX101", "NX102"}, wrong
        tried += 1
    assert tried >= 15
