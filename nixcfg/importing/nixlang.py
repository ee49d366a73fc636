"""Understand a Nix expression without running it: as much of the language as modules are made of.

The text is parsed by tree-sitter. What the expression says is then worked out by the rules of Nix:
let, rec, with, inherit, functions, `//`, `++`, if, string interpolation and the few functions of
`lib` and `builtins` that modules use. No file is read and nothing is built: the content of a file
is the value `Content`, the result of whatever is not known here is `Opaque`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nixcfg.importing import NotImportableError
from nixcfg.problems.problem import START, Span

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_DEPTH = 120
MAX_STEPS = 200_000


@dataclass(frozen=True, slots=True)
class Path:
    """A path literal: relative to the file, which Nix would copy into the store."""

    text: str


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value that only the real evaluation knows, by how it is reached: config.sops.secrets.x.

    `arguments` are thunks of what a function that is not known here was given.
    """

    steps: tuple[str, ...]
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds; `optional` where the expression does without it."""

    file: Any
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Generated:
    """A file that Nix would write: its text, or the data that it is made from."""

    value: Any


@dataclass(frozen=True, slots=True)
class Mixed:
    """A text with parts that are no text: paths, contents, opaque values."""

    parts: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A lambda with the scope that it was made in."""

    node: "Node"
    scope: "Scope"


@dataclass(slots=True)
class Thunk:
    """A value to be worked out when it is needed, once; `span` is where it is written."""

    compute: Callable[[], Any]
    span: Span = START
    key_span: Span = START
    value: Any = None
    state: str = "new"

    def force(self) -> Any:
        if self.state == "new":
            self.state = "running"
            self.value = self.compute()
            self.state = "done"
        return self.value if self.state == "done" else Opaque(("recursion",))


Attributes = dict[str, Thunk]


@dataclass(frozen=True, slots=True)
class Scope:
    """Names in reach, from the inside out; `withs` are asked when no name is found."""

    names: Mapping[str, Thunk]
    parent: "Scope | None" = None
    withs: tuple[Thunk, ...] = ()

    def find(self, name: str) -> Thunk | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        scope = self
        while scope is not None:
            for each in scope.withs:
                attributes = each.force()
                if isinstance(attributes, dict) and name in attributes:
                    found: Thunk = attributes[name]
                    return found
            scope = scope.parent
        return None


def known(value: Any) -> Thunk:
    """A thunk of what is there already."""
    return Thunk(lambda: value, state="done", value=value)


@dataclass
class File:
    """One Nix file. `overrides` give let-bound names another value than the one written."""

    name: str
    text: str
    overrides: Mapping[str, str] = field(default_factory=dict)
    bound: dict[str, Thunk] = field(default_factory=dict)
    _depth: int = 0
    _steps: int = 0

    def __post_init__(self) -> None:
        self._raw = self.text.encode()
        self._lines = self._raw.split(b"\n")

    def value(self) -> Any:
        """What the file evaluates to; the function of a module is applied to opaque arguments.

        Raises NotImportableError for a file that is not Nix, or where the parser is missing.
        """
        root = _parse(self._raw)
        wrong = _first_error(root)
        if wrong is not None:
            line, column, _ = self.span(wrong)
            raise NotImportableError(f"{self.name}:{line}:{column}: this is not valid Nix")
        body = root.child_by_field_name("expression")
        value = self.eval(body, Scope({})) if body is not None else None
        while isinstance(value, Function):
            value = self.apply(value, known(Opaque(())))
        return value

    def span(self, node: "Node") -> Span:
        row, column = node.start_point
        end_row, end_column = node.end_point
        line = self._lines[row]
        start = len(line[:column].decode("utf-8", "replace"))
        end = len(line[:end_column].decode("utf-8", "replace")) if end_row == row else start + 1
        return Span(row + 1, start + 1, max(end - start, 1))

    # --- Expressions.

    def eval(self, node: "Node", scope: Scope) -> Any:
        self._steps += 1
        self._depth += 1
        try:
            if self._depth > MAX_DEPTH or self._steps > MAX_STEPS:
                return Opaque(("too deep",))
            method = getattr(self, f"_{node.type}", None)
            return method(node, scope) if method else Opaque((node.type,))
        finally:
            self._depth -= 1

    def thunk(self, node: "Node", scope: Scope, key: "Node | None" = None) -> Thunk:
        key_span = self.span(key) if key is not None else self.span(node)
        return Thunk(lambda: self.eval(node, scope), self.span(node), key_span)

    def _field(self, node: "Node", name: str) -> "Node":
        child = node.child_by_field_name(name)
        assert child is not None  # noqa: S101 (the grammar has it; broken files were refused)
        return child

    def _integer_expression(self, node: "Node", _scope: Scope) -> Any:
        return int(_text(node))

    def _float_expression(self, node: "Node", _scope: Scope) -> Any:
        return float(_text(node))

    def _uri_expression(self, node: "Node", _scope: Scope) -> Any:
        return _text(node)

    def _parenthesized_expression(self, node: "Node", scope: Scope) -> Any:
        return self.eval(self._field(node, "expression"), scope)

    def _variable_expression(self, node: "Node", scope: Scope) -> Any:
        name = _text(node)
        found = scope.find(name)
        if found is not None:
            return found.force()
        return {"true": True, "false": False, "null": None}.get(name, Opaque((name,)))

    def _path_expression(self, node: "Node", scope: Scope) -> Any:
        value = _joined([Path(""), *self._parts(node, scope)])
        return value if isinstance(value, Path) else Opaque(("path",))

    _hpath_expression = _path_expression

    def _string_expression(self, node: "Node", scope: Scope) -> Any:
        return _joined(self._parts(node, scope))

    def _indented_string_expression(self, node: "Node", scope: Scope) -> Any:
        return _joined(_unindented(self._parts(node, scope)))

    def _parts(self, node: "Node", scope: Scope) -> list[Any]:
        parts: list[Any] = []
        for child in node.named_children:
            text = _text(child)
            match child.type:
                case "interpolation":
                    parts.append(self.eval(self._field(child, "expression"), scope))
                case "string_fragment" | "path_fragment":
                    parts.append(text)
                case "escape_sequence" if node.type == "string_expression":
                    parts.append({"n": "\n", "r": "\r", "t": "\t"}.get(text[1:], text[1:]))
                case "escape_sequence":
                    escaped = {"''\\n": "\n", "''\\r": "\r", "''\\t": "\t", "'''": "''"}
                    parts.append(escaped.get(text, text[3:]))
                case "dollar_escape":
                    parts.append("$" if text.endswith("$") else "")
        return parts

    def _list_expression(self, node: "Node", scope: Scope) -> Any:
        return [self.thunk(child, scope) for child in node.children_by_field_name("element")]

    def _attrset_expression(self, node: "Node", scope: Scope) -> Any:
        attributes: Attributes = {}
        self._bind(node, scope, attributes, scope)
        return attributes

    def _rec_attrset_expression(self, node: "Node", scope: Scope) -> Any:
        attributes: Attributes = {}
        self._bind(node, Scope(attributes, scope), attributes, scope)
        return attributes

    def _let_expression(self, node: "Node", scope: Scope) -> Any:
        names: Attributes = {}
        inner = Scope(names, scope)
        self._bind(node, inner, names, scope)
        for name, value in self.overrides.items():
            if name in names:
                names[name] = known(value)
        self.bound.update(names)
        return self.eval(self._field(node, "body"), inner)

    def _with_expression(self, node: "Node", scope: Scope) -> Any:
        environment = self.thunk(self._field(node, "environment"), scope)
        return self.eval(self._field(node, "body"), Scope({}, scope, (environment,)))

    def _assert_expression(self, node: "Node", scope: Scope) -> Any:
        return self.eval(self._field(node, "body"), scope)

    def _if_expression(self, node: "Node", scope: Scope) -> Any:
        condition = self.eval(self._field(node, "condition"), scope)
        if isinstance(condition, bool):
            branch = "consequence" if condition else "alternative"
            return self.eval(self._field(node, branch), scope)
        yes = self.eval(self._field(node, "consequence"), scope)
        no = self.eval(self._field(node, "alternative"), scope)
        one, other = (no, yes) if yes in ("", None, {}, []) else (yes, no)
        if other in ("", None, {}, []):
            return Content(one.file, optional=True) if isinstance(one, Content) else one
        return Opaque(("if",))

    def _function_expression(self, node: "Node", scope: Scope) -> Any:
        return Function(node, scope)

    def _apply_expression(self, node: "Node", scope: Scope) -> Any:
        function = self.eval(self._field(node, "function"), scope)
        return self.apply(function, self.thunk(self._field(node, "argument"), scope))

    def _select_expression(self, node: "Node", scope: Scope) -> Any:
        value = self.eval(self._field(node, "expression"), scope)
        for name, _ in self._attrpath(self._field(node, "attrpath"), scope):
            if isinstance(value, dict) and name in value:
                value = value[name].force()
            elif isinstance(value, Opaque):
                value = Opaque((*value.steps, name))
            else:
                default = node.child_by_field_name("default")
                return Opaque((name,)) if default is None else self.eval(default, scope)
        return value

    def _has_attr_expression(self, _node: "Node", _scope: Scope) -> Any:
        return Opaque(("?",))

    def _unary_expression(self, node: "Node", scope: Scope) -> Any:
        value = self.eval(self._field(node, "argument"), scope)
        if isinstance(value, bool):
            return not value
        return -value if isinstance(value, int | float) else Opaque(("unary",))

    def _binary_expression(self, node: "Node", scope: Scope) -> Any:
        operator = _text(self._field(node, "operator"))
        left = self.eval(self._field(node, "left"), scope)
        right = self.eval(self._field(node, "right"), scope)
        match operator:
            case "//" if isinstance(left, dict) and isinstance(right, dict):
                return {**left, **right}
            case "//":
                return right if isinstance(right, dict) else left
            case "++" if isinstance(left, list) and isinstance(right, list):
                return left + right
            case "+" if isinstance(left, int) and isinstance(right, int):
                return left + right
            case "+" if isinstance(left, str | Path | Mixed | Opaque | Content):
                return _joined([left, right])
            case "==" | "!=" if isinstance(left, str | int) and isinstance(right, str | int):
                return (left == right) == (operator == "==")
            case "&&" if isinstance(left, bool) and isinstance(right, bool):
                return left and right
            case "||" if isinstance(left, bool) and isinstance(right, bool):
                return left or right
        return Opaque((operator,))

    # --- Bindings.

    def _bind(self, node: "Node", scope: Scope, into: Attributes, outer: Scope) -> None:
        for group in (child for child in node.named_children if child.type == "binding_set"):
            for binding in group.children_by_field_name("binding"):
                match binding.type:
                    case "inherit":
                        for child in self._field(binding, "attrs").named_children:
                            into[_text(child)] = self._inherited(child, outer)
                    case "inherit_from":
                        base = self.thunk(self._field(binding, "expression"), scope)
                        for child in self._field(binding, "attrs").named_children:
                            into[_text(child)] = self._selected(child, base)
                    case "binding":
                        path = list(self._attrpath(self._field(binding, "attrpath"), scope))
                        value = self._field(binding, "expression")
                        self._put(into, path, value, scope)

    def _inherited(self, node: "Node", scope: Scope) -> Thunk:
        span = self.span(node)
        return Thunk(lambda: self._variable_expression(node, scope), span, span)

    def _selected(self, node: "Node", base: Thunk) -> Thunk:
        def select() -> Any:
            value = base.force()
            name = _text(node)
            if isinstance(value, dict) and name in value:
                return value[name].force()
            return Opaque((*(value.steps if isinstance(value, Opaque) else ()), name))

        return Thunk(select, self.span(node), self.span(node))

    def _put(
        self, into: Attributes, path: list[tuple[str, "Node"]], node: "Node", scope: Scope
    ) -> None:
        (name, key), rest = path[0], path[1:]
        if not rest:
            new = self.thunk(node, scope, key)
        else:
            inner: Attributes = {}
            self._put(inner, rest, node, scope)
            new = Thunk(lambda: inner, self.span(node), self.span(key), inner, "done")
        old = into.get(name)
        into[name] = new if old is None else _both(old, new)

    def _attrpath(self, node: "Node", scope: Scope) -> Iterator[tuple[str, "Node"]]:
        for child in node.children_by_field_name("attr"):
            if child.type == "identifier":
                yield _text(child), child
            else:
                value = self.eval(child, scope)
                yield value if isinstance(value, str) else "?", child

    def _interpolation(self, node: "Node", scope: Scope) -> Any:
        return self.eval(self._field(node, "expression"), scope)

    # --- Functions.

    def apply(self, function: Any, argument: Thunk) -> Any:
        if isinstance(function, Function):
            return self._call(function, argument)
        if not isinstance(function, Opaque) or not function.steps:
            return Opaque(("apply",))
        name = function.steps[-1]
        arguments = (*function.arguments, argument)
        arity, implementation = _FUNCTIONS.get(name, (1, None))
        if len(arguments) < arity:
            return Opaque(function.steps, arguments)
        if implementation is None:
            return Opaque(function.steps, (argument,))
        return implementation(self, *arguments)

    def _call(self, function: Function, argument: Thunk) -> Any:
        node = function.node
        names: dict[str, Thunk] = {}
        scope = Scope(names, function.scope)
        universal = node.child_by_field_name("universal")
        formals = node.child_by_field_name("formals")
        if universal is not None:
            names[_text(universal)] = argument
        for formal in formals.children_by_field_name("formal") if formals is not None else ():
            name = _text(self._field(formal, "name"))
            default = formal.child_by_field_name("default")
            given = argument.force()
            if isinstance(given, dict) and name in given:
                names[name] = given[name]
            elif default is not None:
                names[name] = self.thunk(default, scope)
            else:
                names[name] = known(Opaque((name,)))
        return self.eval(self._field(node, "body"), scope)


def _parse(raw: bytes) -> "Node":
    try:
        import tree_sitter
        import tree_sitter_nix
    except ImportError:
        raise NotImportableError(
            "reading Nix files needs the packages tree-sitter and tree-sitter-nix: "
            "pip install 'nixcfg[import]'"
        ) from None
    language = tree_sitter.Language(tree_sitter_nix.language())
    return tree_sitter.Parser(language).parse(raw).root_node


def _first_error(root: "Node") -> "Node | None":
    node = root
    if not node.has_error:
        return None
    while not (node.is_error or node.is_missing):
        node = next((child for child in node.children if child.has_error or child.is_missing), root)
        if node is root:
            break
    return node


def _text(node: "Node") -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _both(old: Thunk, new: Thunk) -> Thunk:
    """Two definitions of one attribute, as `a.b = 1; a.c = 2;` makes them."""

    def merge() -> Any:
        return merged([old.force(), new.force()])

    return Thunk(merge, old.span, old.key_span)


def merged(values: list[Any]) -> Any:
    """Definitions of one option put together, as the module system does."""
    result: Any = None
    for value in values:
        if isinstance(result, dict) and isinstance(value, dict):
            result = {
                key: _both(result[key], value[key])
                if key in result and key in value
                else result.get(key, value.get(key))
                for key in {**result, **value}
            }
        elif isinstance(result, list) and isinstance(value, list):
            result = result + value
        elif result is None or isinstance(result, Opaque):
            result = value
    return result


def _joined(parts: list[Any]) -> Any:
    """A text put together, or a path where the first part is one."""
    flat: list[Any] = []
    for part in parts:
        flat += part.parts if isinstance(part, Mixed) else [part]
    texts = [str(part) if isinstance(part, int) else part for part in flat]
    if texts and isinstance(texts[0], Path) and len(texts) > 1 and texts[0].text == "":
        rest = [part.text if isinstance(part, Path) else part for part in texts[1:]]
        if all(isinstance(part, str) for part in rest):
            return Path("".join(rest))
    joined: list[Any] = []
    for part in texts:
        if part == "":
            continue
        if joined and isinstance(part, str) and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    if not joined:
        return ""
    return joined[0] if len(joined) == 1 else Mixed(tuple(joined))


def _unindented(parts: list[Any]) -> list[Any]:
    """The parts of a '' string without the indentation that all lines share."""
    marker = "\0"
    text = "".join(part if isinstance(part, str) else marker for part in parts)
    others = iter([part for part in parts if not isinstance(part, str)])
    lines = text.split("\n")
    if not lines[0].strip(" "):
        lines = lines[1:]
    indents = [len(line) - len(line.lstrip(" ")) for line in lines if line.strip(" ")]
    cut = min(indents, default=0)
    lines = [line[cut:] for line in lines]
    if lines and not lines[-1].strip(" "):
        lines[-1] = ""
    result: list[Any] = []
    for number, piece in enumerate("\n".join(lines).split(marker)):
        result += [next(others)] if number else []
        result.append(piece)
    return result


# --- What `lib`, `builtins` and `pkgs` do, as far as modules need it.


def _read_file(_file: File, path: Thunk) -> Any:
    return Content(path.force())


def _kept(_file: File, *arguments: Thunk) -> Any:
    return arguments[-1].force()


def _mk_if(_file: File, condition: Thunk, value: Thunk) -> Any:
    return {} if condition.force() is False else value.force()


def _optional(empty: Any) -> Callable[..., Any]:
    def choose(_file: File, condition: Thunk, value: Thunk) -> Any:
        return empty if condition.force() is False else value.force()

    return choose


def _optional_item(_file: File, condition: Thunk, value: Thunk) -> Any:
    return [] if condition.force() is False else [value]


def _stripped(_file: File, *arguments: Thunk) -> Any:
    value = arguments[-1].force()
    given = arguments[0].force()
    if isinstance(value, str) and isinstance(given, str) and len(arguments) == 2:
        return value.removesuffix(given)
    return value.strip() if isinstance(value, str) else value


def _to_string(_file: File, value: Thunk) -> Any:
    given = value.force()
    if isinstance(given, bool) or given is None:
        return "1" if given else ""
    return str(given) if isinstance(given, int) else given


def _generated(_file: File, *arguments: Thunk) -> Any:
    return Generated(arguments[-1].force())


def _generated_text(_file: File, attributes: Thunk) -> Any:
    given = attributes.force()
    return Generated(given["text"].force() if isinstance(given, dict) and "text" in given else None)


def _merge(_file: File, values: Thunk) -> Any:
    given = values.force()
    return merged([each.force() for each in given]) if isinstance(given, list) else given


def _map_attributes(file: File, function: Thunk, attributes: Thunk) -> Any:
    given = attributes.force()
    if not isinstance(given, dict):
        return Opaque(("mapAttrs",))

    def call(name: str, value: Thunk) -> Any:
        return file.apply(file.apply(function.force(), known(name)), value)

    return {
        name: Thunk(lambda n=name, v=value: call(n, v), value.span, value.key_span)  # type: ignore[misc]
        for name, value in given.items()
    }


_FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
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
