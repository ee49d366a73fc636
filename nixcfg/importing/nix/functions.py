"""The functions of `lib` and `builtins` that modules use."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nixcfg.importing.nix.values import Content, Generated, Opaque, Thunk, known, merged

if TYPE_CHECKING:
    from nixcfg.importing.nix.evaluate import File


def _read_file(_file: "File", path: Thunk) -> Any:
    return Content(path.force())


def _kept(_file: "File", *arguments: Thunk) -> Any:
    return arguments[-1].force()


def _mk_if(_file: "File", condition: Thunk, value: Thunk) -> Any:
    return {} if condition.force() is False else value.force()


def _optional(empty: Any) -> Callable[..., Any]:
    def choose(_file: "File", condition: Thunk, value: Thunk) -> Any:
        return empty if condition.force() is False else value.force()

    return choose


def _optional_item(_file: "File", condition: Thunk, value: Thunk) -> Any:
    return [] if condition.force() is False else [value]


def _stripped(_file: "File", *arguments: Thunk) -> Any:
    value = arguments[-1].force()
    given = arguments[0].force()
    if isinstance(value, str) and isinstance(given, str) and len(arguments) == 2:
        return value.removesuffix(given)
    return value.strip() if isinstance(value, str) else value


def _to_string(_file: "File", value: Thunk) -> Any:
    given = value.force()
    if isinstance(given, bool) or given is None:
        return "1" if given else ""
    return str(given) if isinstance(given, int) else given


def _generated(_file: "File", *arguments: Thunk) -> Any:
    return Generated(arguments[-1].force())


def _generated_text(_file: "File", attributes: Thunk) -> Any:
    given = attributes.force()
    return Generated(given["text"].force() if isinstance(given, dict) and "text" in given else None)


def _merge(_file: "File", values: Thunk) -> Any:
    given = values.force()
    return merged([each.force() for each in given]) if isinstance(given, list) else given


def _map_attributes(file: "File", function: Thunk, attributes: Thunk) -> Any:
    given = attributes.force()
    if not isinstance(given, dict):
        return Opaque(("mapAttrs",))

    def call(name: str, value: Thunk) -> Any:
        return file.apply(file.apply(function.force(), known(name)), value)

    return {
        name: Thunk(lambda n=name, v=value: call(n, v), value.span, value.key_span)  # type: ignore[misc]
        for name, value in given.items()
    }


FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "readFile": (1, _read_file),
    "fileContents": (1, _read_file),
    "toString": (1, _to_string),
    "mkIf": (2, _mk_if),
    "mkMerge": (1, _merge),
    "mkForce": (1, _kept),
    "mkDefault": (1, _kept),
    "mkBefore": (1, _kept),
    "mkAfter": (1, _kept),
    "mkOverride": (2, _kept),
    "mkOrder": (2, _kept),
    "optionalAttrs": (2, _optional({})),
    "optionals": (2, _optional([])),
    "optional": (2, _optional_item),
    "optionalString": (2, _optional("")),
    "removeSuffix": (2, _stripped),
    "removePrefix": (2, _kept),
    "trim": (1, _stripped),
    "replaceStrings": (3, _kept),
    "escapeShellArg": (1, _kept),
    "writeText": (2, _generated),
    "toFile": (2, _generated),
    "generate": (2, _generated),
    "writeTextFile": (1, _generated_text),
    "toJSON": (1, _kept),
    "toYAML": (2, _kept),
    "mapAttrs": (2, _map_attributes),
}
