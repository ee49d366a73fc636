"""Golden cases: `before.yaml`, the edits that problems ask for, `after.yaml`, byte for byte.

`edits.json` is a list of [kind, path, value]; `refused.txt` says what is not done, and why.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from nixcfg import fixing
from nixcfg.problems.problem import (
    START,
    Fix,
    MoveKey,
    Problem,
    RenameKey,
    Rule,
    SetValue,
    Severity,
)
from nixcfg.yamltext import editor, reader
from nixcfg.yamltext.edits import Edit

CASES = sorted(path.parent for path in Path(__file__).parent.glob("cases/*/before.yaml"))
KINDS = {"move": MoveKey, "set": SetValue, "rename": RenameKey}
BOM = b"\xef\xbb\xbf"


def problem(number: int, *edits: Edit, safe: bool = True) -> Problem:
    rule = Rule(f"NX9{number:02}", Severity.WARNING)
    return Problem(rule, "before.yaml", START, "planted", fix=Fix(edits, safe=safe))


def fixed(case: Path) -> tuple[bytes, str]:
    """What becomes of a case, and what was refused: `EDIT: reason` in lines."""
    raw = (case / "before.yaml").read_bytes()
    edits = [
        KINDS[kind](tuple(path), value)
        for kind, path, value in json.loads((case / "edits.json").read_text("utf-8"))
    ]
    problems = [problem(number, edit) for number, edit in enumerate(edits)]
    document = reader.parse(raw.removeprefix(BOM).decode(), "before.yaml")
    result = fixing.fix({"before.yaml": document}, lambda _: problems)
    refused = [f"{editor.described(edit(each.problem))}: {each.reason}\n" for each in result.left]
    after = result.documents["before.yaml"].text.encode()
    return (BOM if raw.startswith(BOM) else b"") + after, "".join(refused)


def edit(problem: Problem) -> Edit:
    assert problem.fix
    return problem.fix.edits[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Path):
    after, refused = fixed(case)
    assert after.decode() == (case / "after.yaml").read_bytes().decode()
    told = case / "refused.txt"
    assert refused == (told.read_text("utf-8") if told.exists() else "")


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_lines_that_no_edit_is_about_stay(case: Path):
    """Independent of the golden: no word is lost but what an edit replaces, no comment at all."""
    before = (case / "before.yaml").read_bytes().decode("utf-8-sig")
    after, refused = fixed(case)
    after = after.decode("utf-8-sig")
    assert after != before or refused
    document = reader.parse(before, "before.yaml")
    replaced: Counter[str] = Counter()
    for kind, path, value in json.loads((case / "edits.json").read_text("utf-8")):
        replaced += words(str(path[0]))  # a section goes with its last entry
        if kind == "set":
            replaced += words(document.source(path))
            replaced += words(str(document.data[path[0]])) if len(path) == 1 else Counter()
        elif kind == "rename":
            replaced += words(str(path[-1]))
        elif value in document.data:  # `null`, or the same entry
            there = document.source((value,)), document.source((value, path[-1])), str(path[-1])
            replaced += words(" ".join(there))
    assert words(before) - words(after) <= replaced
    for line in before.splitlines():
        code, mark, comment = line.partition(" # ")
        if mark and "'" not in code + comment and '"' not in code + comment:
            assert comment.strip() in after


def run(text: str, problems: Sequence[Problem], *, unsafe: bool = False) -> fixing.Result:
    document = reader.parse(text, "before.yaml")
    return fixing.fix({"before.yaml": document}, lambda _: problems, unsafe=unsafe)


def test_a_guess_waits_for_unsafe():
    text = "litellm_settings:\n  drop_param: true\n"
    path = ("litellm_settings", "drop_param")
    guess = problem(1, RenameKey(path, "drop_params"), safe=False)
    careful = run(text, [guess])
    assert careful.documents["before.yaml"].text == text
    assert (careful.fixed, careful.left, careful.unsafe) == ((), (), (guess,))
    bold = run(text, [guess], unsafe=True)
    assert bold.documents["before.yaml"].text == text.replace("drop_param", "drop_params")
    assert (bold.fixed, bold.left, bold.unsafe) == ((guess,), (), ())


def test_the_edits_of_one_fix_follow_each_other_and_are_made_together_or_not_at_all():
    text = "litellm_settings:\n  routing_strateg: 'x'\n  a: '1'\n"
    typo = RenameKey(("litellm_settings", "routing_strateg"), "routing_strategy")
    move = MoveKey(("litellm_settings", "routing_strategy"), "router_settings")
    impossible = SetValue(("litellm_settings",), 3)
    both = run(text, [problem(1, typo, move)])
    after = "litellm_settings:\n  a: '1'\nrouter_settings:\n  routing_strategy: 'x'\n"
    assert both.documents["before.yaml"].text == after
    none = run(text, [problem(1, typo, impossible), problem(2, typo, move, impossible)])
    assert none.documents["before.yaml"].text == text
    assert len(none.left) == 2


def test_rules_that_disagree_come_to_an_end():
    def check(files):
        value = files["before.yaml"].data["a"]
        yield problem(1 if value == 1 else 2, SetValue(("a",), 2 if value == 1 else 1))

    document = reader.parse("a: 1\n", "before.yaml")
    result = fixing.fix({"before.yaml": document}, check)
    assert len(result.fixed) == 2
    assert result.documents["before.yaml"].text == "a: 1\n"


def test_a_rule_that_is_never_satisfied_comes_to_an_end():
    def check(files):
        yield problem(1, SetValue(("a",), files["before.yaml"].data["a"] + 1))

    result = fixing.fix({"before.yaml": reader.parse("a: 1\n", "before.yaml")}, check)
    assert len(result.fixed) == fixing.MAX_ROUNDS


def error(code: str) -> Problem:
    return Problem(Rule(code, Severity.ERROR), "before.yaml", START, "it got worse")


def test_a_warning_is_not_fixed_into_an_error():
    """The others of the same round are."""

    def check(files):
        data = files["before.yaml"].data
        for number, key in enumerate("abcdef"):
            if isinstance(data[key], str):
                yield problem(number, SetValue((key,), int(data[key])))
        if data["d"] == 4:
            yield error("NX998")

    text = "".join(f"{key}: '{number}'\n" for number, key in enumerate("abcdef", 1))
    result = fixing.fix({"before.yaml": reader.parse(text, "before.yaml")}, check)
    after = "a: 1\nb: 2\nc: 3\nd: '4'\ne: 5\nf: 6\n"
    assert result.documents["before.yaml"].text == after
    assert [each.reason for each in result.left] == ["it would bring an error, NX998: it got worse"]
    assert len(result.fixed) == 5


def test_an_error_that_hid_another_is_fixed():
    def check(files):
        broken = files["before.yaml"].data["a"] == "1"
        yield error("NX997") if broken else error("NX998")
        if broken:
            rule = Rule("NX997", Severity.ERROR)
            remedy = Fix((SetValue(("a",), 1),))
            yield Problem(rule, "before.yaml", START, "hides", fix=remedy)

    result = fixing.fix({"before.yaml": reader.parse("a: '1'\n", "before.yaml")}, check)
    assert result.documents["before.yaml"].text == "a: 1\n"


def test_a_value_that_is_so_already_is_not_told_as_fixed():
    result = run("a: x\n", [problem(1, SetValue(("a",), "x"))])
    assert (result.fixed, result.left[0].reason) == ((), "it is so already")


def test_aliases_in_aliases():
    """Data that is deep without a deep text must not exhaust the stack."""
    chain = "".join(f"a{n}: &a{n} {{x: *a{n - 1}}}\n" for n in range(1, 600))
    text = f'a0: &a0 {{n: "1"}}\n{chain}litellm_settings: {{n: "2"}}\n'
    result = run(
        text,
        [
            problem(1, SetValue(("a599", *("x",) * 599, "n"), 1)),
            problem(2, MoveKey(("litellm_settings", "n"), "router_settings")),
        ],
    )
    after = text.replace('{n: "1"}', "{n: 1}").replace("litellm_settings", "router_settings")
    assert result.documents["before.yaml"].text == after


def test_two_thousand_values_at_once():
    """One pass over the file for all of them, not one for each."""
    count = 2_000
    text = "model_list:\n" + "".join(f'  - {{rpm: "{n}"}}  # c{n}\n' for n in range(count))
    problems = [problem(1, SetValue(("model_list", n, "rpm"), n)) for n in range(count)]
    result = run(text, problems)
    assert len(result.fixed) == count
    assert result.documents["before.yaml"].text == text.replace('"', "")
