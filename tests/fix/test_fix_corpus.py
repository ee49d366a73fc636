"""Real configurations of other people, if they are on this machine: fixed, and never damaged.

The folder is $NIXCFG_CORPUS, or shared/corpus beside the checkout.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from expected import alike, exact, wanted

from nixcfg import check, fixing
from nixcfg.problems.problem import MoveKey, Problem
from nixcfg.project.standalone import Configuration, Part
from nixcfg.yamltext import reader
from nixcfg.yamltext.document import Document

ROOT = Path(__file__).parents[2]
CORPUS = Path(os.environ.get("NIXCFG_CORPUS", ROOT.parent / "shared" / "corpus"))
MOST_LOADS = 40
"""Each load by the real proxy takes a tenth of a second or a few, depending on the file."""


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    found = sorted(CORPUS.rglob("*.yaml"))
    if not found:
        pytest.skip(f"no configurations in {CORPUS}; set NIXCFG_CORPUS")
    read = [reader.read(path, str(path.relative_to(CORPUS))) for path in found]
    return [document for document in read if document.data is not None]


def problems(document: Document) -> tuple[Problem, ...]:
    return check.standalone([Configuration((Part(document),))]).problems


def fix_all(document: Document, *, unsafe: bool) -> fixing.Result:
    name = document.name
    return fixing.fix({name: document}, lambda files: problems(files[name]), unsafe=unsafe)


def comments(text: str) -> Counter[str]:
    """The lines that are comments, without their indentation."""
    return Counter(line.strip() for line in text.splitlines() if line.lstrip().startswith("#"))


def needs_redis(after: Document, error: str | None) -> bool:
    """`cache: "true"` let the proxy start and then failed every request; `cache: true` is what
    was meant, and says at once, as `nixcfg validate` does, that there is no Redis."""
    told = "Either 'host' or 'url' must be specified for redis" in (error or "")
    return told and "NX214" in {problem.code for problem in problems(after)}


def meant(before: Document, result: fixing.Result) -> Any:
    """The data that the fixes are meant to give."""
    data = before.data
    for problem in result.fixed:
        for edit in problem.fix.edits if problem.fix else ():
            edits = [replace(edit, path=path) for path in alike(before.text, edit)]
            data = wanted(data, edits)
    return data


@pytest.mark.parametrize("unsafe", [False, True])
def test_nothing_is_damaged(unsafe: bool, documents: list[Document], tell: Callable[[str], None]):
    changed = 0
    fixed: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for before in documents:
        result = fix_all(before, unsafe=unsafe)
        after = result.documents[before.name]
        changed += after.text != before.text
        fixed.update(problem.code for problem in result.fixed)
        refused.update(left.reason for left in result.left)

        assert exact(after.data) == exact(meant(before, result)), before.name
        assert not comments(before.text) - comments(after.text), before.name
        edits = [e for problem in result.fixed if problem.fix for e in problem.fix.edits]
        if not any(isinstance(edit, MoveKey) for edit in edits):
            assert len(before.text.splitlines()) == len(after.text.splitlines()), before.name
        assert ("\r" in before.text) == ("\r" in after.text), before.name

        again = fix_all(after, unsafe=unsafe)
        assert (again.fixed, again.documents[before.name].text) == ((), after.text), before.name
        left = {(each.problem.code, each.reason) for each in result.left}
        assert {p.code for p in problems(after) if p.fix and p.fix.safe} <= {c for c, _ in left}
        errors = {p.code for p in problems(before) if p.is_error}
        assert {p.code for p in problems(after) if p.is_error} <= errors, before.name
    tell(
        f"\n{len(documents)} files, unsafe={unsafe}: {changed} changed, {fixed.total()} problems "
        f"fixed {dict(sorted(fixed.items()))}, {refused.total()} refused {dict(refused)}"
    )
    assert changed


@pytest.mark.slow
def test_the_real_proxy_loads_no_deployment_less(
    documents: list[Document], tell: Callable[[str], None]
):
    if find_spec("litellm") is None:
        pytest.skip("LiteLLM is not installed for this interpreter")
    results = ((before, fix_all(before, unsafe=False)) for before in documents)
    pairs = [(b, r.documents[b.name]) for b, r in results if r.documents[b.name].text != b.text]
    pairs = pairs[:: -(-len(pairs) // MOST_LOADS)]
    environment = {"OPENAI_API_KEY": "none", "ANTHROPIC_API_KEY": "none"}
    questions = [{"text": d.text, "env": environment} for pair in pairs for d in pair]
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "oracle.py"],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(questions)
    before, after = answers[::2], answers[1::2]
    worse = [
        (pair[0].name, was["error"], now["error"])
        for pair, was, now in zip(pairs, before, after, strict=True)
        if (now["error"] and not was["error"]) or now.get("loaded", 0) < was.get("loaded", 0)
        if not needs_redis(pair[1], now["error"])
    ]
    assert worse == []
    loaded = sum(answer.get("loaded", 0) for answer in before)
    more = sum(answer.get("loaded", 0) for answer in after) - loaded
    more_load = sum(bool(b["error"]) and not a["error"] for b, a in zip(before, after, strict=True))
    tell(
        f"\nthe real proxy: {len(pairs)} fixed files, {loaded} deployments as before, "
        f"{more} more, {more_load} files that load now"
    )
