"""Hold a document against its JSON Schema, and say what is wrong in a person's words."""

import difflib
import functools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from nixcfg import resources
from nixcfg.problem import Problem, Rule, Severity
from nixcfg.source import Document, describe

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

UNKNOWN_KEY = Rule("NX101", Severity.ERROR, "nixcfg.yaml has no such key")
MISSING_KEY = Rule("NX102", Severity.ERROR, "a required key is missing")
WRONG_TYPE = Rule("NX103", Severity.ERROR, "a value has the wrong type")
WRONG_VALUE = Rule("NX104", Severity.ERROR, "a value is not one of those allowed")

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


def check(document: Document, kind: str) -> list[Problem]:
    """The problems of a `project` or `provider` document; none for one that could not be read."""
    if document.data is None:
        return []
    return [
        problem
        for error in _validator(kind).iter_errors(document.data)
        for problem in _explain(document, error)
    ]


def nearest(word: str, known: Iterable[str]) -> str:
    """The word a typo was meant to be, or "" when none is near."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.7)), "")


@functools.cache
def _validator(kind: str) -> "Draft202012Validator":
    from jsonschema import Draft202012Validator  # noqa: PLC0415 (80 ms that --help need not pay)

    return Draft202012Validator(resources.schema(kind))


def _explain(document: Document, error: "ValidationError") -> Iterator[Problem]:
    path = list(error.absolute_path)
    about = str(error.schema.get("description", ""))
    if "propertyNames" in error.absolute_schema_path:
        key = error.instance
        yield document.problem(
            WRONG_VALUE, [*path, key], f"{key} cannot be a key here", help=f"Use {about}.", key=True
        )
        return
    match error.validator:
        case "additionalProperties":
            yield from _unknown_keys(document, path, error)
        case "required":
            yield _missing_key(document, path, error)
        case "type":
            yield _wrong_type(document, path, error, about)
        case "enum":
            allowed = error.validator_value
            guess = nearest(str(error.instance), allowed)
            yield document.problem(
                WRONG_VALUE,
                path,
                f"{_name(path)} must be {' or '.join(allowed)}, not {describe(error.instance)}",
                help=f"Did you mean {guess}?" if guess else about,
            )
        case "uniqueItems":
            yield document.problem(
                WRONG_VALUE, path, f"{_name(path)} names something twice", help="Remove one."
            )
        case "minItems" | "minLength":
            yield document.problem(WRONG_VALUE, path, f"{_name(path)} is empty", help=about)
        case _:
            wrong = f"{_name(path)} cannot be {describe(error.instance)}"
            yield document.problem(WRONG_VALUE, path, wrong, help=f"It is {about}." if about else "")


def _unknown_keys(
    document: Document, path: list[str | int], error: "ValidationError"
) -> Iterator[Problem]:
    known = list(error.schema["properties"])
    for key in error.instance:
        if key not in known:
            guess = nearest(key, known)
            mend = f"Did you mean {guess}?" if guess else f"Known here: {', '.join(known)}."
            yield document.problem(
                UNKNOWN_KEY, [*path, key], f"unknown key {key}", help=mend, key=True
            )


def _missing_key(document: Document, path: list[str | int], error: "ValidationError") -> Problem:
    # jsonschema reports each missing key by itself, but says which only in its message.
    key = next(key for key in error.validator_value if error.message.startswith(f"{key!r} "))
    schema = error.schema.get("properties", {})
    guess = nearest(key, [other for other in error.instance if other not in schema])
    if guess:
        mend = f"Did you mean {key} where it says {guess}?"
        return document.problem(MISSING_KEY, [*path, guess], f"{key} is missing", help=mend, key=True)
    about = schema.get(key, {}).get("description", "")
    return document.problem(MISSING_KEY, path, f"{key} is missing", help=about)


def _wrong_type(
    document: Document, path: list[str | int], error: "ValidationError", about: str
) -> Problem:
    expected = error.validator_value
    types = [expected] if isinstance(expected, str) else expected
    words = " or ".join(_TYPES[name] for name in types if name != "null")
    value: Any = error.instance
    is_scalar = not isinstance(value, dict | list | type(None))
    mend = f'Quote it: "{document.source(path)}".' if "string" in types and is_scalar else about
    wrong = f"{_name(path)} must be {words}, not {describe(value)}"
    return document.problem(WRONG_TYPE, path, wrong, help=mend)


def _name(path: list[str | int]) -> str:
    """The last key of a path, with the indices after it: `model_list[2]`."""
    name = ""
    for step in reversed(path):
        if isinstance(step, str):
            return step + name
        name = f"[{step}]" + name
    return f"entry {name}" if name else "the file"
