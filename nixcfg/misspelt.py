"""What is wrong with a project beside a misspelt key of its nixcfg.yaml. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from nixcfg.problems.problem import Problem, RenameKey
from nixcfg.project import shape
from nixcfg.yamltext import editor
from nixcfg.yamltext.data import without
from nixcfg.yamltext.document import Document
from nixcfg.yamltext.edits import RefusedError

Check = Callable[[Document, Document], Sequence[Problem]]
"""Finds what is wrong with a nixcfg.yaml, which is read from the second document."""


def certain(document: Document, check: Check) -> list[Problem]:
    """What `check` finds in a nixcfg.yaml both without its unknown keys and with those that they
    resemble: `redsi: local` must not bring a word about missing Redis. Nothing where a value is
    wrong, or a key resembles none, because what was meant is not known then."""
    keys = shape.misspelt("project", document.data)
    if not keys or any(problem.is_error for problem in document.problems):
        return []
    try:
        meant = editor.rewrite(document, [RenameKey(path, key) for path, key in keys.items()])
    except RefusedError:
        return []
    if meant.problems or not shape.is_valid("project", meant.data):
        return []
    also = {(each.file, each.span, each.code, each.message) for each in check(meant, meant)}
    less = check(document, replace(document, data=without(document.data, keys)))
    return [each for each in less if (each.file, each.span, each.code, each.message) in also]
