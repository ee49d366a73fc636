"""remove-provider: a provider goes from all that names it, with its comments and no others."""

import json
from pathlib import Path

import pytest
from roster import Run, Snapshot, data


def test_removing_undoes_adding(run: Run, project: Path, snapshot: Snapshot) -> None:
    before = snapshot(project)
    run("add-provider", "groq", "--profile", "fast", "--key-file", "/run/groq")
    run("use", "fast")
    done = run("remove-provider", "groq", "--yes", "--json")
    assert [c["path"] for c in json.loads(done.stdout)["changes"]] == [
        "nixcfg.yaml",
        "secrets.example/groq_api_key.txt",
        "providers/groq.yaml",
    ]
    assert snapshot(project) == before


def test_a_shared_secret_stays_when_one_provider_goes(run: Run, project: Path) -> None:
    file = project / "nixcfg.yaml"
    file.write_text(file.read_text() + "secrets:\n  ANTHROPIC_API_KEY: /run/claude\n")
    run("add-provider", "second", "--provider", "anthropic", "--key-file", "/run/claude")
    run("remove-provider", "second", "--yes")
    assert data(file)["secrets"] == {"ANTHROPIC_API_KEY": "/run/claude"}
    assert (project / "secrets.example" / "anthropic_api_key.txt").exists()


def test_a_provider_goes_from_all_that_names_it(run: Run, project: Path) -> None:
    run("add-provider", "groq")
    (project / "nixcfg.yaml").write_text(
        """\
model_config: one
profiles:
  one: [groq]
  two: [claude, groq]
  three: [claude]
hosts:
  alpha: {model_config: groq, port: 4001}
  beta: {port: 4002, secrets: {GROQ_API_KEY: /run/groq}}
  gamma:
    port: 4003
    secrets:
      GROQ_API_KEY: /run/groq
      ANTHROPIC_API_KEY: /run/claude
"""
    )
    run("remove-provider", "groq", "--yes")
    assert data(project / "nixcfg.yaml") == {
        "model_config": "all",
        "profiles": {"two": ["claude"], "three": ["claude"]},
        "hosts": {
            "alpha": {"model_config": "all", "port": 4001},
            "beta": {"port": 4002},
            "gamma": {"port": 4003, "secrets": {"ANTHROPIC_API_KEY": "/run/claude"}},
        },
    }
    run("validate")


COMMENTED = """\
# The file's.

model_config: fast  # the quick ones
# Where they are kept.
secrets:
  # For the team.
  ANTHROPIC_API_KEY: /run/claude
  # groq's
  # and more of it
  GROQ_API_KEY: /run/groq  # rotated in May

profiles:
  # The quick ones.
  fast:
  - claude
  # groq, since May
  - groq
  # Only groq.
  groq-only: [groq]  # for the tests
  # Both.
  both: [groq, claude]  # in this order

hosts:
  alpha:
    # alpha's port
    port: 4001
  beta: {port: 4002}  # small
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["unix", "windows"])
@pytest.mark.parametrize("start", ["", "---\n"])
def test_comments_go_with_what_they_are_about(
    newline: str, start: str, run: Run, project: Path
) -> None:
    run("add-provider", "groq")
    file = project / "nixcfg.yaml"
    file.write_bytes((start + COMMENTED).replace("\n", newline).encode())
    run("remove-provider", "groq", "--yes")
    gone = (
        *("  # groq's\n", "  # and more of it\n", "  GROQ_API_KEY: /run/groq  # rotated in May\n"),
        *("  # groq, since May\n", "  - groq\n"),
        *("  # Only groq.\n", "  groq-only: [groq]  # for the tests\n", "groq, "),
    )
    left = COMMENTED
    for each in gone:
        assert left.count(each) == 1
        left = left.replace(each, "")
    assert file.read_bytes().decode() == (start + left).replace("\n", newline)
    run("use", "claude", "--host", "alpha")
    run("use", "claude", "--host", "beta")
    left = left.replace("    # alpha's", "    model_config: claude\n    # alpha's")
    left = left.replace("{port: 4002}", "{model_config: claude, port: 4002}")
    assert file.read_bytes().decode() == (start + left).replace("\n", newline)
    run("validate")


def test_adding_and_removing_leaves_every_byte(run: Run, project: Path) -> None:
    file = project / "nixcfg.yaml"
    text = COMMENTED.replace("  # groq, since May\n  - groq\n", "").replace("groq, ", "")
    text = text.replace("  # Only groq.\n  groq-only: [groq]  # for the tests\n", "")
    begin = text.index("  # groq's")
    file.write_text(text[:begin] + text[text.index("\nprofiles:") :])
    before = file.read_bytes()
    run("add-provider", "groq", "--profile", "fast", "--profile", "both", "--key-file", "/run/g")
    assert b"both: [claude, groq]  # in this order" in file.read_bytes()
    assert b"  GROQ_API_KEY: /run/g\n\nprofiles:" in file.read_bytes()
    run("remove-provider", "groq", "--yes")
    assert file.read_bytes() == before
