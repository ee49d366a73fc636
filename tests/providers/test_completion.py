"""What Tab offers, and what it costs."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from in_process import Done

HEAVY = (
    "jsonschema",
    "jinja2",
    "referencing",
    "nixcfg.rules",
    "nixcfg.check",
    "nixcfg.render.files",
)


@pytest.fixture
def tab(program: list[str], project: Path) -> Callable[[str], list[str]]:
    """What bash is offered for a line whose last word is being typed."""

    def press(line: str) -> list[str]:
        words = line.split(" ")
        done = subprocess.run(
            program,
            cwd=project,
            env={
                **os.environ,
                "_NIXCFG_COMPLETE": "bash_complete",
                "COMP_WORDS": line,
                "COMP_CWORD": str(len(words) - 1),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stderr == ""
        return [entry.partition(",")[2] for entry in done.stdout.split()]

    return press


def test_names_are_completed(tab: Callable[[str], list[str]], run: Callable[..., Done]) -> None:
    run("add-provider", "groq", "--profile", "fast")
    assert "add-provider" in tab("nixcfg add")
    assert tab("nixcfg add-provider anthr") == ["anthropic", "anthropic_text"]
    assert tab("nixcfg add-provider clau") == ["claude"]
    assert tab("nixcfg remove-provider ") == ["claude", "groq"]
    assert tab("nixcfg use ") == ["all", "claude", "fast", "groq"]
    assert tab("nixcfg set-key GR") == ["GROQ_API_KEY"]
    assert tab("nixcfg completion ") == ["bash", "zsh", "fish"]
    assert "openai/gpt-oss-20b" in tab("nixcfg add-provider groq --model openai/")
    assert "anthropic/claude-opus-5" in tab("nixcfg models anthropic/claude-op")
    assert tab("nixcfg add-provider mistral --profile f") == ["fast"]
    assert tab("nixcfg add-provider gro") == ["grok", "groq"]
    assert tab("nixcfg add-model ") == ["claude", "groq"]
    assert "claude-opus-5-5" in tab("nixcfg add-model claude claude-op")
    assert tab("nixcfg rename claude-s") == ["claude-sonnet"]
    assert tab("nixcfg use claude gr") == ["groq"]
    assert "moonshot" in tab("nixcfg models --provider moon")


@pytest.mark.parametrize(
    "line",
    [
        "nixcfg add-provider g",
        "nixcfg use ",
        "nixcfg add-provider groq --model o",
        "nixcfg set-key ",
    ],
)
def test_completing_imports_nothing_heavy(line: str, program: list[str], project: Path) -> None:
    if "-m" not in program:
        pytest.skip("imports are watched in the interpreter, not in an installed program")
    at = program.index("-m")
    done = subprocess.run(
        [*program[:at], "-X", "importtime", *program[at:]],
        cwd=project,
        env={
            **os.environ,
            "_NIXCFG_COMPLETE": "bash_complete",
            "COMP_WORDS": line,
            "COMP_CWORD": str(line.count(" ")),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    imported = {row.rpartition("|")[2].strip() for row in done.stderr.splitlines()}
    assert "nixcfg.commands.complete" in imported
    assert imported.isdisjoint(HEAVY)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_takes(shell: str, run: Callable[..., Done]) -> None:
    script = run("completion", shell).stdout
    assert "_NIXCFG_COMPLETE" in script
    found = shutil.which(shell)
    if not found:
        pytest.skip(f"{shell} is not installed here")
    done = subprocess.run([found, "-n"], input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


#: What each shell is told to do, and what it then offers for `nixcfg use `.
WHOLE_WAY = {
    "bash": """
        eval "$(nixcfg completion bash)"
        COMP_WORDS=(nixcfg use "") COMP_CWORD=2
        _nixcfg_completion nixcfg
        printf '%s\\n' "${COMPREPLY[@]}"
    """,
    "fish": """
        nixcfg completion fish | source
        complete -C "nixcfg use "
    """,
}


@pytest.mark.parametrize("shell", WHOLE_WAY)
def test_a_shell_completes_with_it(
    shell: str, program: list[str], project: Path, tmp_path: Path
) -> None:
    """The whole way: the shell loads the script, and asks the program what to offer."""
    found = shutil.which(shell)
    if not found:
        pytest.skip(f"{shell} is not installed here")
    (tmp_path / "bin").mkdir()
    stub = tmp_path / "bin" / "nixcfg"
    stub.write_text("#!/bin/sh\nexec " + " ".join(program) + ' "$@"\n')
    stub.chmod(0o755)
    done = subprocess.run(
        [found, "-c", WHOLE_WAY[shell]],
        cwd=project,
        env={**os.environ, "PATH": f"{stub.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["all", "claude"], done.stderr


def test_a_comment_holds_no_variable(tab: Callable[[str], list[str]], project: Path) -> None:
    """The starter's own comment says `KEY: ${KEY} declares a secret`."""
    assert "${KEY}" in (project / "providers" / "claude.yaml").read_text()
    assert tab("nixcfg set-key K") == []
    assert "ANTHROPIC_API_KEY" in tab("nixcfg set-key A")
    (project / "providers" / "claude.yaml").write_text("a: [")
    assert tab("nixcfg set-key c") == ["claude"]


def test_codes_are_completed(tab: Callable[[str], list[str]]) -> None:
    found = tab("nixcfg explain NX3")
    assert "NX301" in found
    assert all(code.startswith("NX3") for code in found)
    assert tab("nixcfg explain nx201") == ["NX201"]


@pytest.fixture
def programs(tmp_path: Path, program: list[str]) -> dict[str, str]:
    """An environment in which `nixcfg` is the program under test."""
    shim = tmp_path / "bin" / "nixcfg"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {" ".join(program)} "$@"\n')
    shim.chmod(0o755)
    return {**os.environ, "PATH": f"{shim.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}


def test_fish_shows_a_summary_with_a_comma_whole(programs: dict[str, str], project: Path) -> None:
    if not shutil.which("fish"):
        pytest.skip("fish is not installed")
    script = 'nixcfg completion fish | source; complete -C "nixcfg val"'
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        cwd=project,
        env=programs,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "validate\tReport all that is wrong with the project, in one run." in done.stdout


def test_zsh_needs_nothing_before_it(programs: dict[str, str], project: Path) -> None:
    if not shutil.which("zsh"):
        pytest.skip("zsh is not installed")
    script = 'eval "$(nixcfg completion zsh)" && print -r -- $_comps[nixcfg]'
    done = subprocess.run(
        ["zsh", "-f", "-c", script],
        cwd=project,
        env=programs,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.strip() == "_nixcfg_completion"
