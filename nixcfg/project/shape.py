"""Check a document against its JSON Schema, and say what is wrong in plain words.

The compiled schema (nixcfg/schema/*.py) says whether anything is wrong, in a tenth of the time.
Only then is jsonschema imported, to say what.
"""

import functools
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nixcfg.disk import shipped
from nixcfg.problems.problem import Problem, Rule, Severity, Steps
from nixcfg.project.nearest import nearest
from nixcfg.yamltext import builder, limits
from nixcfg.yamltext.document import Document
from nixcfg.yamltext.scalars import describe

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


def check(document: Document, kind: str, *, standalone: bool = False) -> list[Problem]:
    """The problems of a `project` or `provider` document; none for one that could not be read.

    `standalone`: what LiteLLM accepts in its own files, as the schema's `x-accepted` says by
    keyword, is a warning; `empty` means what Python takes for empty.
    """
    if document.data is None or is_valid(kind, document.data):
        return []
    found = (
        replace(problem, level=Severity.WARNING) if standalone and failure.is_accepted else problem
        for error in _validator(kind).iter_errors(document.data)
        for failure in (_Failure.of(error),)
        for problem in _explain(document, failure)
    )
    problems: list[Problem] = []
    errors = 0
    for problem in found:
        if errors == limits.MAX_PROBLEMS:
            # jsonschema searches lazily: what it has not found yet has cost nothing.
            wrong, remedy = limits.TOO_MANY
            return [
                *problems,
                document.problem_at(builder.TOO_LARGE, problem.span, wrong, help=remedy),
            ]
        errors += problem.is_error
        problems.append(problem)
    return problems


@dataclass(frozen=True, slots=True)
class _Failure:
    """The parts of a jsonschema error that a message is made of."""

    keyword: str
    expected: Any
    value: Any
    schema: Mapping[str, Any]
    path: list[str | int]
    is_key: bool
    message: str

    @classmethod
    def of(cls, error: Any) -> "_Failure":
        return cls(
            keyword=error.validator,
            expected=error.validator_value,
            value=error.instance,
            schema=error.schema,
            path=list(error.absolute_path),
            is_key="propertyNames" in error.absolute_schema_path,
            message=error.message,
        )

    @property
    def is_accepted(self) -> bool:
        """Whether LiteLLM takes this without a word."""
        accepted = self.schema.get("x-accepted", ())
        return self.keyword in accepted or ("empty" in accepted and not self.value)

    @property
    def about(self) -> str:
        return str(self.schema.get("description", ""))

    @property
    def name(self) -> str:
        """The last key of the path, with the indices after it: `model_list[2]`."""
        name = ""
        for step in reversed(self.path):
            if isinstance(step, str):
                return step + name
            name = f"[{step}]{name}"
        return f"entry {name}" if name else "the file"


def is_valid(kind: str, data: Any) -> bool:
    """Whether data fits a schema; what is wrong, `check` says."""
    try:
        importlib.import_module(f"nixcfg.schema.{kind}").check(data)
    except ValueError:
        return False
    return True


def refused(kind: str, data: Any) -> Iterator[Steps]:
    """The paths of all that a schema refuses in data, and of what it misses there."""
    for error in _validator(kind).iter_errors(data):
        failure = _Failure.of(error)
        match failure.keyword:
            case _ if failure.is_key:
                yield (*failure.path, failure.value)
            case "additionalProperties":
                yield from ((*failure.path, key) for key, _ in _unknown(failure))
            case "required":
                yield (*failure.path, _missing(failure))
            case _:
                yield tuple(failure.path)


def misspelt(kind: str, data: Any) -> dict[Steps, str]:
    """The path of each unknown key, and the key that it resembles; {} where a value is wrong, or a
    key resembles none."""
    found: dict[Steps, str] = {}
    for error in _validator(kind).iter_errors(data):
        failure = _Failure.of(error)
        if failure.is_key or failure.keyword != "additionalProperties":
            return {}
        found |= {(*failure.path, key): guess for key, guess in _unknown(failure)}
    return found if all(found.values()) else {}


@functools.cache
def _validator(kind: str) -> "Draft202012Validator":
    from jsonschema import Draft202012Validator

    return Draft202012Validator(shipped.schema(kind))


WRONG_VALUE = Rule("NX104", Severity.ERROR)


def _explain(document: Document, failure: _Failure) -> Iterator[Problem]:
    path, about = failure.path, failure.about
    if failure.is_key:
        wrong = f"{failure.value} cannot be a key here"
        remedy = f"Use {about}."
        yield document.problem(WRONG_VALUE, [*path, failure.value], wrong, help=remedy, key=True)
        return
    match failure.keyword:
        case "additionalProperties":
            yield from _unknown_keys(document, failure)
        case "required":
            yield _missing_key(document, failure)
        case "type":
            yield _wrong_type(document, failure)
        case "enum":
            guess = nearest(str(failure.value), filter(_is_text, failure.expected))
            choices = " or ".join(filter(_is_text, failure.expected))
            wrong = f"{failure.name} must be {choices}, not {describe(failure.value)}"
            remedy = f"Did you mean {guess}?" if guess else about
            yield document.problem(WRONG_VALUE, path, wrong, help=remedy)
        case "uniqueItems":
            wrong = f"{failure.name} names something twice"
            yield document.problem(WRONG_VALUE, path, wrong, help="Remove one.")
        case "minItems" | "minLength":
            yield document.problem(WRONG_VALUE, path, f"{failure.name} is empty", help=about)
        case _:
            wrong = f"{failure.name} cannot be {describe(failure.value)}"
            remedy = f"Use {about}." if about[:1].islower() else about
            yield document.problem(WRONG_VALUE, path, wrong, help=remedy)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


UNKNOWN_KEY = Rule("NX101", Severity.ERROR)


def _unknown_keys(document: Document, failure: _Failure) -> Iterator[Problem]:
    known = failure.schema["properties"]
    for key, guess in _unknown(failure):
        remedy = f"Did you mean {guess}?" if guess else f"Known here: {', '.join(known)}."
        wrong = f"unknown key {key}"
        yield document.problem(UNKNOWN_KEY, [*failure.path, key], wrong, help=remedy, key=True)


def _unknown(failure: _Failure) -> Iterator[tuple[str, str]]:
    """Each key that there is not, and the one that it resembles, "" for none."""
    known = list(failure.schema["properties"])
    return ((key, nearest(key, known)) for key in failure.value if key not in known)


def _missing(failure: _Failure) -> str:
    # jsonschema reports each missing key by itself, but says which only in its message.
    keys: list[str] = failure.expected
    return next(key for key in keys if failure.message.startswith(f"{key!r} "))


MISSING_KEY = Rule("NX102", Severity.ERROR)


def _missing_key(document: Document, failure: _Failure) -> Problem:
    key = _missing(failure)
    known = failure.schema.get("properties", {})
    wrong = f"{key} is missing"
    guess = nearest(key, [other for other in failure.value if other not in known])
    if guess:
        remedy = f"Did you mean {key} where it says {guess}?"
        where = [*failure.path, guess]
        return document.problem(MISSING_KEY, where, wrong, help=remedy, key=True)
    about = known.get(key, {}).get("description", "")
    return document.problem(MISSING_KEY, failure.path, wrong, help=about)


WRONG_TYPE = Rule("NX103", Severity.ERROR)


def _wrong_type(document: Document, failure: _Failure) -> Problem:
    expected = failure.expected
    types = [expected] if isinstance(expected, str) else expected
    words = " or ".join(_TYPES[name] for name in types if name != "null")
    is_scalar = not isinstance(failure.value, dict | list | type(None))
    remedy = failure.about
    if "string" in types and is_scalar:
        remedy = f'Quote it: "{document.source(failure.path)}".'
    wrong = f"{failure.name} must be {words}, not {describe(failure.value)}"
    return document.problem(WRONG_TYPE, failure.path, wrong, help=remedy)
