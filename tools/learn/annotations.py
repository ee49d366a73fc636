"""Annotations, signatures and models as the simple types that YAML has."""

import enum
import inspect
import sys
import types
import typing
from collections.abc import Callable
from typing import Any, get_args, get_origin

import typing_extensions

ORDER = ("bool", "int", "float", "str", "list[str]", "list", "map", "any")


def kinds(annotation: Any) -> set[str]:  # noqa: C901 - one line a kind of annotation
    """Simple types of an annotation, without None."""
    origin = get_origin(annotation)
    if origin in (typing.Annotated, typing.Required, typing.NotRequired, typing.Final):
        return kinds(get_args(annotation)[0])
    if getattr(origin, "__name__", "") in ("ReadOnly", "Required", "NotRequired"):
        return kinds(get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return set().union(*(kinds(a) for a in get_args(annotation)))
    if annotation is None or annotation is type(None):
        return set()
    if origin is typing.Literal:
        return {type(_plain(a)).__name__ for a in get_args(annotation) if a is not None}
    if isinstance(annotation, typing.TypeVar) or not isinstance(origin or annotation, type):
        return {"any"}
    kind = origin or annotation
    for simple in (bool, int, float, str):
        if issubclass(kind, simple):
            return {simple.__name__}
    if issubclass(kind, enum.Enum):
        return {"str"}
    if issubclass(kind, (list, tuple, set, frozenset)) or (
        kind.__module__ == "collections.abc" and kind.__name__ in ("Sequence", "Set", "Iterable")
    ):
        items = get_args(annotation)
        return {"list[str]"} if items and kinds(items[0]) == {"str"} else {"list"}
    if issubclass(kind, dict) or hasattr(kind, "model_fields") or kind.__name__ == "Mapping":
        return {"map"}
    if typing_extensions.is_typeddict(kind):
        return {"map"}
    return {"any"}


def values_of(annotation: Any) -> list[str]:
    """The strings of a Literal or of a string enum, when nothing else is allowed beside None."""
    parts = [annotation]
    if get_origin(annotation) in (typing.Union, types.UnionType):
        parts = [a for a in get_args(annotation) if a is not type(None)]
    found: list[str] = []
    for part in parts:
        if get_origin(part) is typing.Literal:
            found += [str(_plain(a)) for a in get_args(part) if a is not None]
        elif isinstance(part, type) and issubclass(part, str) and issubclass(part, enum.Enum):
            found += [str(member.value) for member in part]
        elif part is bool:
            continue
        else:
            return []
    return sorted(set(found))


def _plain(value: Any) -> Any:
    """What stands in YAML for a member of an enum: its value."""
    return value.value if isinstance(value, enum.Enum) else value


def spell(found: set[str]) -> str:
    if not found or "any" in found:
        return "any"
    return "|".join(kind for kind in ORDER if kind in found)


def entry(annotation: Any, *, required: bool = False) -> dict[str, Any]:
    facts: dict[str, Any] = {"type": spell(kinds(annotation))}
    values = values_of(annotation)
    if values:
        facts["values"] = values
    if required:
        facts["required"] = True
    return facts


def of_model(model: Any) -> dict[str, dict[str, Any]]:
    """Fields of a pydantic model, a TypedDict or a signature."""
    if hasattr(model, "model_fields"):
        return {
            name: entry(field.annotation, required=field.is_required())
            for name, field in model.model_fields.items()
        }
    if typing_extensions.is_typeddict(model):
        return {
            name: entry(hint, required=name in model.__required_keys__)
            for name, hint in _hints(model).items()
        }
    return {
        name: entry(hint)
        for name, hint in parameters(model).items()
        if name != "self" and not name.startswith("_")
    }


def _hints(model: Any) -> dict[str, Any]:
    """Annotations of a TypedDict, Any where one names what was only imported for type checking."""
    try:
        return typing.get_type_hints(model)
    except NameError:
        return {
            name: Any if isinstance(hint, (str, typing.ForwardRef)) else hint
            for name, hint in model.__annotations__.items()
        }


def parameters(function: Callable[..., Any]) -> dict[str, Any]:
    """Annotations by parameter, as ``inspect.signature`` sees them.

    It follows ``__wrapped__`` and ``__signature__``, so that a function whose own code takes
    ``*args, **kwargs`` still says what it takes.
    """
    space = vars(sys.modules[inspect.unwrap(function).__module__])
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        hint = Any if parameter.annotation is parameter.empty else parameter.annotation
        found[name] = evaluated(hint, space)
    return found


def evaluated(hint: Any, space: dict[str, Any]) -> Any:
    """An annotation in quotes as what it names, Any where that cannot be found."""
    if not isinstance(hint, str):
        return hint
    try:
        return eval(hint, {**vars(typing), **space})  # noqa: S307 - LiteLLM's own annotation
    except (NameError, TypeError, SyntaxError, AttributeError):
        return Any
