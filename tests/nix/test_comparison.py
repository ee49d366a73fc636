"""The table of docs/comparison.md says what evaluation says.

The three ways are the files of tests/nix/comparison. Each fact is taken from the evaluated
system, or from the difference between two: the same files with another configuration, another
key, or no key. The column of services.litellm is checked where this nixpkgs has that service.
"""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "comparison.md"
KEY = (HERE / "comparison" / "secrets" / "anthropic_api_key.txt").read_text().strip()

COLUMNS = ["by-hand", "services-litellm", "litellm-proxy"]

Facts = dict[str, dict[str, Any] | None]


@pytest.fixture(scope="module")
def evaluated(nix, tmp_path_factory) -> dict[str, Facts]:
    """The three ways, as they are and changed in one point."""

    def changed(name: str) -> Path:
        folder = tmp_path_factory.mktemp("comparison") / name
        shutil.copytree(HERE / "comparison", folder)
        return folder

    folders = {name: changed(name) for name in ("as-they-are", "config", "key", "no-key")}
    for file in ("litellm.yaml", "services-litellm.nix"):
        path = folders["config"] / file
        path.write_text(path.read_text().replace("claude-3-7-sonnet-20250219", "claude-sonnet-4-5"))
    (folders["key"] / "secrets" / "anthropic_api_key.txt").write_text("another-key\n")
    shutil.rmtree(folders["no-key"] / "secrets")
    return {name: nix("comparison.nix", folder=str(path)) for name, path in folders.items()}


def lines(name: str) -> int:
    """Lines that a user writes: neither blank nor comment."""
    text = (HERE / "comparison" / f"{name}.nix").read_text().splitlines()
    return sum(1 for line in text if line.strip() and not line.strip().startswith("#"))


def differ(evaluated: dict[str, Facts], name: str, change: str) -> bool:
    """Whether the unit that runs LiteLLM is another one, so that a switch restarts it."""
    before, after = evaluated["as-they-are"][name], evaluated[change][name]
    assert before is not None
    assert after is not None
    return (before["service"], before["restartTriggers"]) != (
        after["service"],
        after["restartTriggers"],
    )


def published(facts: dict[str, Any]) -> str:
    (address,) = facts["published"]
    host = address.split(":")[0]
    return f"`{host}`" if "." in host else "every address of the machine"


def authentication(facts: dict[str, Any]) -> str:
    if "LITELLM_MASTER_KEY" in facts["environment"]:
        return "yes, in the Nix store"
    if "\nwire_generated LITELLM_MASTER_KEY " in facts["text"]:
        return "yes, generated"
    return "in the environment file, if there" if "EnvironmentFile" in facts["service"] else "no"


def confinement(facts: dict[str, Any]) -> str:
    if facts["service"].get("DynamicUser"):
        return "systemd sandbox, own user"
    if "--cap-drop=ALL" in facts["options"] and "--read-only" in facts["options"]:
        return "no capabilities, read-only root, limits"
    return "the engine's defaults"


def missing_key(evaluated: dict[str, Facts], name: str) -> str:
    facts = evaluated["no-key"][name]
    assert facts is not None
    if facts["environment"].get("ANTHROPIC_API_KEY") == "":
        return "an empty key, in silence"
    if "wire ANTHROPIC_API_KEY" in facts["text"]:
        return "the journal names variable and file"
    (file,) = facts["service"]["EnvironmentFile"]
    assert not file.startswith("-")
    return "systemd names the environment file"


def version(facts: dict[str, Any]) -> str:
    if facts["image"] is None:
        return "nixpkgs' package"
    return f"`{facts['image'].rsplit(':', 1)[1]}`"


def crash(facts: dict[str, Any]) -> str:
    if facts["service"].get("Restart", "no") == "no":
        return "no"
    return "with a growing pause" if "RestartSteps" in facts["service"] else "at once"


def yes(value: object) -> str:
    return "yes" if value else "no"


ROWS = {
    "Lines that you write": lambda _, n: str(lines(n)),
    "LiteLLM is": lambda e, n: version(e["as-they-are"][n]),
    "Published on": lambda e, n: published(e["as-they-are"][n]),
    "Clients need a key": lambda e, n: authentication(e["as-they-are"][n]),
    "Key in the world-readable store": lambda e, n: yes(KEY in e["as-they-are"][n]["text"]),
    "A key file that is missing": missing_key,
    "Confined by": lambda e, n: confinement(e["as-they-are"][n]),
    "Price map from the network": lambda e, n: yes(
        "LITELLM_LOCAL_MODEL_COST_MAP" not in e["as-they-are"][n]["environment"]
    ),
    "Health check": lambda e, n: yes(
        [o for o in e["as-they-are"][n]["options"] if o.startswith("--health-cmd=")]
    ),
    "New configuration: restart at the switch": lambda e, n: yes(differ(e, n, "config")),
    "New key: needs a rebuild": lambda e, n: yes(differ(e, n, "key")),
    "New key: restart by itself": lambda e, n: yes(e["as-they-are"][n]["watched"]),
    "Restart after a crash": lambda e, n: crash(e["as-they-are"][n]),
}


def table() -> dict[str, list[str]]:
    """The cells of the page's table, by the text of the first column."""
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in PAGE.read_text().splitlines()
        if line.startswith("| ")
    ]
    return {row[0]: row[1:] for row in rows[1:]}


def test_page_has_exactly_the_facts_that_are_checked():
    assert list(table()) == list(ROWS)


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("column", COLUMNS)
def test_cell_is_what_evaluation_says(evaluated, column, row):
    if evaluated["as-they-are"][column] is None:
        pytest.skip("this nixpkgs has no services.litellm")
    assert table()[row][COLUMNS.index(column)] == ROWS[row](evaluated, column)


@pytest.mark.parametrize("column", COLUMNS)
def test_page_shows_the_files_that_are_evaluated(column):
    text = (HERE / "comparison" / f"{column}.nix").read_text()
    shown = re.findall(r"```nix\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert text in shown
