"""Work out what an expression says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nixcfg.importing import NotImportableError
from nixcfg.importing.nix.functions import FUNCTIONS
from nixcfg.importing.nix.parse import first_error, parse, text_of
from nixcfg.importing.nix.values import (
    Attributes,
    Content,
    Function,
    Mixed,
    Opaque,
    Path,
    Scope,
    Thunk,
    both,
    joined,
    known,
    unindented,
)
from nixcfg.problems.problem import Span

if TYPE_CHECKING:
    from tree_sitter import Node


MAX_DEPTH = 120


MAX_STEPS = 200_000


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
        root = parse(self._raw)
        wrong = first_error(root)
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
        return int(text_of(node))

    def _float_expression(self, node: "Node", _scope: Scope) -> Any:
        return float(text_of(node))

    def _uri_expression(self, node: "Node", _scope: Scope) -> Any:
        return text_of(node)

    def _parenthesized_expression(self, node: "Node", scope: Scope) -> Any:
        return self.eval(self._field(node, "expression"), scope)

    def _variable_expression(self, node: "Node", scope: Scope) -> Any:
        name = text_of(node)
        found = scope.find(name)
        if found is not None:
            return found.force()
        return {"true": True, "false": False, "null": None}.get(name, Opaque((name,)))

    def _path_expression(self, node: "Node", scope: Scope) -> Any:
        value = joined([Path(""), *self._parts(node, scope)])
        return value if isinstance(value, Path) else Opaque(("path",))

    _hpath_expression = _path_expression

    def _string_expression(self, node: "Node", scope: Scope) -> Any:
        return joined(self._parts(node, scope))

    def _indented_string_expression(self, node: "Node", scope: Scope) -> Any:
        return joined(unindented(self._parts(node, scope)))

    def _parts(self, node: "Node", scope: Scope) -> list[Any]:
        parts: list[Any] = []
        for child in node.named_children:
            text = text_of(child)
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
        operator = text_of(self._field(node, "operator"))
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
                return joined([left, right])
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
                            into[text_of(child)] = self._inherited(child, outer)
                    case "inherit_from":
                        base = self.thunk(self._field(binding, "expression"), scope)
                        for child in self._field(binding, "attrs").named_children:
                            into[text_of(child)] = self._selected(child, base)
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
            name = text_of(node)
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
        into[name] = new if old is None else both(old, new)

    def _attrpath(self, node: "Node", scope: Scope) -> Iterator[tuple[str, "Node"]]:
        for child in node.children_by_field_name("attr"):
            if child.type == "identifier":
                yield text_of(child), child
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
        arity, implementation = FUNCTIONS.get(name, (1, None))
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
            names[text_of(universal)] = argument
        for formal in formals.children_by_field_name("formal") if formals is not None else ():
            name = text_of(self._field(formal, "name"))
            default = formal.child_by_field_name("default")
            given = argument.force()
            if isinstance(given, dict) and name in given:
                names[name] = given[name]
            elif default is not None:
                names[name] = self.thunk(default, scope)
            else:
                names[name] = known(Opaque((name,)))
        return self.eval(self._field(node, "body"), scope)
