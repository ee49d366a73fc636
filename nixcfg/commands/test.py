"""`nixcfg test`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, PROBLEMS
from nixcfg.commands.context import config_of, find_root, host_option, valid_project
from nixcfg.commands.output import report, wants_color
from nixcfg.commands.reached import key_file_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nixcfg.project.model import Project
    from nixcfg.trial.case import Case
    from nixcfg.trial.run import Result

_FORMATS = ("text", "json", "junit", "github")


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@click.option("-k", "part", metavar="TEXT", default="", help="Only cases with TEXT in their name.")
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    default="text",
    show_default=True,
    help="How to print the results.",
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1, 64),
    default=len(os.sched_getaffinity(0)),
    help="How many cases run at a time.  [default: one for each processor]",
)
@click.option(
    "--record", "url", metavar="URL", help="Ask the gateway at URL, and print its answers as cases."
)
@click.option("--prompt", metavar="TEXT", help="What --record asks; it is written into the cases.")
@key_file_option
@host_option
@click.pass_obj
def command(  # noqa: PLR0917 (click passes them by name)
    base: Path,
    files: tuple[Path, ...],
    part: str,
    form: str,
    jobs: int,
    url: str | None,
    prompt: str | None,
    key_file: Path | None,
    host: str | None,
) -> int:
    """Ask the gateway what tests/ says; stand-ins answer.

    Each case runs on a LiteLLM of its own, with exactly what would be rendered. Stand-ins take the
    place of every vendor and behave as the case says: fail, hang, break off. No key is read, and
    nothing leaves this machine. Without a case, LiteLLM is started once, and what it drops of the
    configuration is reported.

    --record asks a running gateway for each chat model of the project, once, and prints a case for
    each good answer: real vendors answer then.

    \b
    Examples:
      nixcfg test
      nixcfg test tests/fallbacks.yaml -k timeout
      nixcfg test --format junit > report.xml
      nixcfg test --record http://127.0.0.1:4000 > tests/recorded.yaml
    """
    from nixcfg.gateway import process

    root = find_root(base)
    project = valid_project(root, host)
    if url:
        if files:
            raise click.UsageError("--record takes no file; it prints one")
        return _record(project, url, key_file, part, prompt)
    if prompt:
        raise click.UsageError("--prompt is for --record; a case has its own prompt")
    found = _cases(root, project, base, files)
    if not found:
        return _rehearsed(project)
    cases = [each for each in found if part in each.name]
    if not cases:
        raise click.UsageError(f"no case has {part!r} in its name")
    if lacking := process.absent():
        raise click.ClickException(process.not_installed(lacking))
    results: list[Result] = []
    for name, of_config in _by_config(cases, project).items():
        if form == "text":
            report(f"{name}: starting LiteLLM {process.version()} ...")
        results += _run(project, name, of_config, form, jobs)
    results.sort(key=lambda each: cases.index(each.case))
    _print(results, form)
    return PROBLEMS if any(each.has_failed for each in results) else OK


def _cases(root: Path, project: "Project", base: Path, files: "Sequence[Path]") -> "list[Case]":
    """The cases of these files, or of all there are; ends the command where they are not right."""
    from nixcfg.commands.output import print_problems
    from nixcfg.problems.problem import Problem
    from nixcfg.trial import case, mistakes
    from nixcfg.trial.deployment import deployments
    from nixcfg.yamltext import reader

    folder = root / case.FOLDER
    every = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
    found = [base / each for each in files] or every
    configs = {each.name: each for each in project.machine.configs}
    behind = {name: deployments(project, each) for name, each in configs.items()}
    if not found:
        report(f"No case in {case.FOLDER}/, so LiteLLM is only started (docs/testing.md).")
        return []
    cases, problems = [], []
    for path in found:
        document = reader.read(path, os.path.relpath(path, root))
        read, wrong = case.read(document)
        problems += wrong
        for each in read:
            problems += mistakes.names(each, configs, behind, project.machine.model_config)
        cases += read
    if problems:
        print_problems(sorted(set(problems), key=Problem.sort_key), len(found))
        raise click.exceptions.Exit(PROBLEMS)
    return cases


def _rehearsed(project: "Project") -> int:
    """What can be seen without a case: what LiteLLM drops of what it loads, and complains about."""
    from nixcfg.commands.rehearse import went_well

    return OK if went_well(project) else PROBLEMS


def _record(
    project: "Project", url: str, key_file: Path | None, part: str, prompt: str | None
) -> int:
    """Print the cases; says on stderr of what none is made, and why."""
    from nixcfg.commands import reached
    from nixcfg.gateway import errors, targets
    from nixcfg.trial import record

    config = config_of(project, None)
    gateway = reached.gateway(project, url, key_file)
    served = reached.served(gateway, project)
    names = []
    for target in targets.wanted(project, config, (), everything=True):
        why = target.skipped.partition(";")[0]
        if part in target.name and not why and target.name not in served:
            why = "the gateway does not serve it"
        if part in target.name and why:
            report(f"{target.name}: {why}, so it is not asked.")
        elif part in target.name:
            names.append(target.name)
    if not names:
        raise click.ClickException(f"{gateway.url}: there is no model to ask")
    report(f"{gateway.url}: one request to each of {', '.join(names)}.")
    found = []
    for each in record.record(gateway, names, prompt or record.PROMPT):
        found.append(each)
        if not each.is_good:
            said = errors.vendor_message(each.answered.error or each.answered.broken)
            report(f"{each.model}: {each.answered.status or 'no answer'} {said}: no case is made.")
    deployments: dict[str, list[str]] = {}
    for entry in config.litellm["model_list"]:
        deployments.setdefault(entry["model_name"], []).append(entry["litellm_params"]["model"])
    if any(each.is_good for each in found):
        heading = "What a gateway answered, as cases: nixcfg test --record"
        click.echo(record.text(found, deployments, heading), nl=False)
    return OK if all(each.is_good for each in found) else PROBLEMS


def _by_config(cases: "Sequence[Case]", project: "Project") -> "dict[str, list[Case]]":
    by_config: dict[str, list[Case]] = {}
    for each in cases:
        by_config.setdefault(each.config or project.machine.model_config, []).append(each)
    return by_config


def _run(
    project: "Project", name: str, cases: "Sequence[Case]", form: str, jobs: int
) -> "list[Result]":
    from nixcfg.gateway.process import StartError
    from nixcfg.trial.alone import alone
    from nixcfg.trial.run import run

    def tick(result: "Result") -> None:
        if form == "text":
            mark = "FAIL" if result.has_failed else "ok  "
            case = result.case
            click.echo(f"{mark} {case.document.name}: {case.name} ({result.seconds:.1f} s)")

    config, changes = alone(config_of(project, name))
    if changes and form == "text":
        report(f"{name}: {'; '.join(changes)}: each case is alone.")
    try:
        return run(project, config, cases, tick, jobs=jobs)
    except StartError as error:
        for line in error.log:
            report(f"  {line}")
        raise click.ClickException(f"{error}") from None


def _print(results: "Sequence[Result]", form: str) -> None:
    from nixcfg.problems.plain import as_github
    from nixcfg.problems.text import as_text
    from nixcfg.trial import report as told

    match form:
        case "json":
            click.echo(told.as_json(results))
        case "junit":
            click.echo(told.as_junit(results))
        case "github":
            click.echo(as_github(told.problems(results)))
        case _:
            if found := told.problems(results):
                text = as_text(found, 0, color=wants_color(sys.stdout))
                click.echo("\n" + text.rpartition("\n\n")[0] + "\n")
            failed = sum(each.has_failed for each in results)
            click.echo(f"{len(results) - failed} passed, {failed} failed.")
