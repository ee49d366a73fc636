"""Words that people type: commands and options that there are not, help, short forms, -q."""

import shlex
from pathlib import Path

import pytest

from nixcfg import cli
from nixcfg.knowledge import LITELLM_VERSION
from program import ROOT, Run


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("rendr", "render"),
        ("add-providor", "add-provider"),
        ("add_provider", "add-provider"),
        ("set-keys", "set-key"),
        ("Render", "render"),
        ("remove", "remove-provider"),
        ("delete", "remove-provider"),
        ("list", "status"),
        ("run", "try"),
        ("lint", "validate"),
        ("update", "upgrade"),
        ("lsit", "models"),
        ("doctr", "doctor"),
    ],
)
def test_a_mistyped_command_gets_a_suggestion(typed: str, meant: str, nixcfg: Run) -> None:
    done = nixcfg(typed)
    assert done.returncode == 2
    assert f"No such command '{typed}'. Did you mean" in done.stderr
    assert meant in done.stderr.partition("Did you mean")[2]


def test_a_word_that_means_nothing_leads_to_the_list(nixcfg: Run) -> None:
    done = nixcfg("qqqq")
    assert done.returncode == 2
    assert "Did you mean" not in done.stderr
    assert "nixcfg --help" in done.stderr


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("render --chekc", "Did you mean --check?"),
        ("render -C /tmp", "-C goes before the command: nixcfg -C DIR render"),
        ("validate --version", "nixcfg -V"),
        ("--check render", "It goes after the command: nixcfg render --check"),
        ("--json models", "It goes after the command: nixcfg models --json"),
        ("--verison", "Did you mean --version?"),
        ("use -y all", "use asks nothing"),
        ("pin --diff", "Did you mean --dry-run?"),
        ("probe --preview", "Did you mean --dry-run?"),
        ("validate --wat", "nixcfg validate --help"),
    ],
)
def test_an_option_that_there_is_not_gets_a_suggestion(typed: str, said: str, nixcfg: Run) -> None:
    done = nixcfg(*typed.split())
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("plan --users many", "'--users': 'many' is not a whole number from 1 to 10,000,000."),
        ("test -j 0", "'-j' / '--jobs': 0 is not a whole number from 1 to 64."),
        ("models --limit -1", "'--limit': -1 is not a whole number of 1 or more."),
        ("models --limit ''", "'--limit': '' is not a whole number of 1 or more."),
        ("probe --timeout soon", "'--timeout': 'soon' is not a number from 0.1 to 86,400."),
        ("ask --timeout 0 hello", "'--timeout': 0.0 is not a number from 0.1 to 86,400."),
        ("ask --timeout inf hello", "'--timeout': inf is not a number from 0.1 to 86,400."),
        ("probe --timeout nan", "'--timeout': nan is not a number from 0.1 to 86,400."),
    ],
)
def test_a_number_that_cannot_be_leads_to_what_can(typed: str, said: str, nixcfg: Run) -> None:
    done = nixcfg(*shlex.split(typed))
    assert done.returncode == 2
    assert f"Error: Invalid value for {said}\n" in done.stderr


def test_help_is_grouped_by_the_day_and_says_where_to_start(nixcfg: Run) -> None:
    shown = nixcfg().stderr + nixcfg("help").stdout
    titles = [shown.index(f"\n{title}:\n") for title in ("Set up", "Change", "Check", "Run")]
    assert titles == sorted(titles)
    assert "Start here:" in shown
    assert nixcfg("help").stdout == nixcfg("--help").stdout
    assert len(cli.COMMANDS) <= 24


def test_help_explains_a_command(nixcfg: Run) -> None:
    assert nixcfg("help", "render").stdout == nixcfg("render", "--help").stdout
    wrong = nixcfg("help", "rendr")
    assert wrong.returncode == 2
    assert "Did you mean render?" in wrong.stderr


def test_what_help_does_not_list_works(nixcfg: Run) -> None:
    for name in cli.HIDDEN:
        assert nixcfg(name, "--help").returncode == 0
        assert f"\n  {name} " not in nixcfg("--help").stdout


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_the_version_has_the_litellm_release(option: str, nixcfg: Run) -> None:
    assert f"(LiteLLM {LITELLM_VERSION})" in nixcfg(option).stdout


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("render", ("-n", "--dry-run", "--diff")),
        ("fix", ("-n", "--dry-run", "--diff")),
        ("import", ("-n",)),
        ("pin", ("-n",)),
        ("upgrade", ("-n",)),
        ("probe", ("-n", "-y")),
        ("remove-provider", ("-y",)),
    ],
)
def test_short_forms(command: str, options: tuple[str, ...]) -> None:
    found = cli.nixcfg.get_command(None, command)  # type: ignore[arg-type]
    assert found is not None
    names = {name for parameter in found.params for name in parameter.opts}
    assert {*options} <= names


def test_n_writes_nothing(tmp_path: Path, nixcfg: Run) -> None:
    assert nixcfg("init", cwd=tmp_path).returncode == 0
    done = nixcfg("-C", tmp_path, "render", "-n")
    assert "+++ b/rendered/docker.nix" in done.stdout
    assert not (tmp_path / "rendered").exists()


def test_q_leaves_the_advice_out_on_either_side_of_the_command(tmp_path: Path, nixcfg: Run) -> None:
    assert "Next: " in nixcfg("init", "one", cwd=tmp_path).stderr
    for number, arguments in enumerate((("-q", "init"), ("init", "-q"))):
        done = nixcfg(*arguments, f"quiet{number}", cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    folder = tmp_path / "one"
    quiet = nixcfg("-C", folder, "render", "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    (folder / "providers" / "claude.yaml").write_text("model_list: 3\n")
    refused = nixcfg("-q", "-C", folder, "render")
    assert refused.returncode == 1
    assert "Nothing was rendered" in refused.stderr
    assert nixcfg("-q", "-C", ROOT, "use", "nowhere").stderr
