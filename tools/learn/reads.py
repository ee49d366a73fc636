"""Which keys LiteLLM reads off a mapping such as general_settings.

A mapping is known by its name. It is followed through other names (imports, assignments, views
made of it) and into the functions that take it as an argument; a key may be a string, a constant,
one of a list that is gone through, or an argument of a helper.
"""

import ast
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from learn.package import Function, Module, Package, constant, strings_in

# Calls that take a mapping and give something else.
NO_VIEW = {"len", "bool", "str", "list", "set", "sorted", "isinstance", "type", "id", "any", "all"}


class Read(NamedTuple):
    """A mapping and the expression of the key, with the default where there is one."""

    mapping: ast.expr
    key: ast.expr
    default: ast.expr | None = None


def read(node: ast.AST) -> Read | None:
    """``m["k"]``, ``m.get("k")``, ``m.pop("k")`` and ``"k" in m``."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        if node.func.attr in ("get", "pop"):
            default = node.args[1] if len(node.args) > 1 else None
            return Read(node.func.value, node.args[0], default)
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        return Read(node.value, node.slice)
    elif isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.In, ast.NotIn)):
        return Read(node.comparators[0], node.left)
    return None


def reads_of(nodes: Iterable[ast.AST], names: frozenset[str]) -> set[str]:
    """Keys that are strings, read off mappings that have these names where they are read."""
    return {
        key
        for node in nodes
        if (each := read(node)) and denotes(each.mapping, names)
        if (key := constant(each.key))
    }


def denotes(node: ast.AST | None, names: frozenset[str]) -> bool:
    """Whether an expression is one of the mappings, or a view of one."""
    if isinstance(node, (ast.Name, ast.Attribute)):
        name = node.id if isinstance(node, ast.Name) else node.attr
        # `resolved_general_settings` is general settings; `cache_config` is not the config.
        return name.lstrip("_") in names or any(
            name.endswith(f"_{each}") for each in names if each.endswith("_settings")
        )
    if isinstance(node, ast.BoolOp):
        return any(denotes(value, names) for value in node.values)
    if isinstance(node, ast.IfExp):
        return denotes(node.body, names) or denotes(node.orelse, names)
    if isinstance(node, (ast.NamedExpr, ast.Await)):
        return denotes(node.value, names)
    if isinstance(node, ast.Subscript):
        return constant(node.slice) in names
    if isinstance(node, ast.Call):
        return _view(node, names)
    return False


def _view(node: ast.Call, names: frozenset[str]) -> bool:
    """``x.get("settings")``, ``dict(settings)``, ``cast(T, settings)``, ``T.check(settings)``."""
    called = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
    if called in ("get", "pop"):
        return bool(node.args) and constant(node.args[0]) in names
    if called == "copy" and isinstance(node.func, ast.Attribute) and not node.args:
        return denotes(node.func.value, names)
    if not node.args and not node.keywords:
        return denotes(node.func, names)  # proxy_general_settings()
    if called == "cast":
        return bool(node.args) and denotes(node.args[-1], names)
    return len(node.args) == 1 and called not in NO_VIEW and denotes(node.args[0], names)


class Reader:
    """Follows one mapping through the package."""

    def __init__(self, package: Package, name: str) -> None:
        self.package = package
        self.name = name
        self.found: dict[str, str] = {}
        # Parameters that are the mapping, and parameters that are keys of it, by function.
        self.mappings: dict[int, set[str]] = {}
        self.keys: dict[int, set[str]] = {}
        self.helpers: set[str] = set()
        self.modules = {m.file: m for m in package.mentioning([name])}
        self.changed = True

    def read(self) -> Mapping[str, str]:
        """The keys, each with its type as far as a default says it (``bool`` or ``any``)."""
        while self.changed:
            self.changed = False
            for module in list(self.modules.values()):
                self._module(module)
        return self.found

    def _module(self, module: Module) -> None:
        for function, nodes in module.scopes:
            self._scope(module, nodes, function)

    def _scope(self, module: Module, nodes: list[ast.AST], function: Function | None) -> None:
        names = self._names(module, nodes, function)
        loops = _loops(nodes, module)
        parameters = {a.arg for a in _parameters(function)} if function else set()
        for node in nodes:
            each = read(node)
            if each and denotes(each.mapping, names):
                if isinstance(each.key, ast.Name) and each.key.id in parameters and function:
                    self._mark(self.keys, function, each.key.id)
                    self.helpers.add(function.name)
                for key in self._strings(each.key, module, loops):
                    self._note(key, each.default)
            if isinstance(node, ast.Call):
                self._call(node, module, names, loops)

    def _names(
        self, module: Module, nodes: list[ast.AST], function: Function | None
    ) -> frozenset[str]:
        """The mapping's names in a scope."""
        names = {self.name}
        names |= {alias for node in [*nodes, *module.scopes[0][1]] for alias in self._aliases(node)}
        names |= self.mappings.get(id(function), set())
        for _ in range(2):
            for node in nodes:
                target = _target(node)
                if target and denotes(getattr(node, "value", None), frozenset(names)):
                    names.add(target.lstrip("_"))
        return frozenset(names)

    def _aliases(self, node: ast.AST) -> list[str]:
        names = node.names if isinstance(node, ast.ImportFrom) else []
        return [alias.asname or alias.name for alias in names if alias.name == self.name]

    def _call(
        self,
        node: ast.Call,
        module: Module,
        names: frozenset[str],
        loops: Mapping[str, frozenset[str]],
    ) -> None:
        """Follow the mapping into a function, and a key into a helper."""
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        called = node.func.id if isinstance(node.func, ast.Name) else called
        if called not in self.helpers and not any(denotes(each, names) for each in given):
            return
        found = self._callee(node, module)
        if found is None:
            return
        home, function = found
        for parameter, value in _bound(node, function):
            if denotes(value, names):
                self._mark(self.mappings, function, parameter)
                if home.file not in self.modules:
                    self.modules[home.file] = home
            if parameter in self.keys.get(id(function), ()):
                for key in self._strings(value, module, loops):
                    self._note(key, None)

    def _callee(self, node: ast.Call, module: Module) -> tuple[Module, Function] | None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else None
        if isinstance(node.func, ast.Name):
            name = node.func.id
            if name in module.imports:
                dotted, original = module.imports[name]
                home = self.package.imported(dotted)
                function = home.functions.get(original) if home else None
                return (home, function) if home and function else None
        elif not (isinstance(node.func, ast.Attribute) and _is_own(node.func.value)):
            return None
        function = module.functions.get(name or "")
        return (module, function) if function else None

    def _strings(
        self, node: ast.expr, module: Module, loops: Mapping[str, frozenset[str]]
    ) -> frozenset[str]:
        if isinstance(node, ast.Name):
            if node.id in loops:
                return loops[node.id]
            if node.id in module.imports:
                dotted, original = module.imports[node.id]
                home = self.package.imported(dotted)
                return home.constants.get(original, frozenset()) if home else frozenset()
            found = module.constants.get(node.id, frozenset())
            return found if len(found) == 1 else frozenset()
        text = constant(node)
        return frozenset({text}) if text else frozenset()

    def _note(self, key: str, default: ast.expr | None) -> None:
        told = isinstance(default, ast.Constant) and isinstance(default.value, bool)
        if key not in self.found or (told and self.found[key] == "any"):
            self.found[key] = "bool" if told else "any"

    def _mark(self, where: dict[int, set[str]], function: Function, parameter: str) -> None:
        known = where.setdefault(id(function), set())
        if parameter not in known:
            known.add(parameter)
            self.changed = True


def _target(node: ast.AST) -> str | None:
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target: ast.expr = node.targets[0]
    elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)):
        target = node.target
    else:
        return None
    return target.id if isinstance(target, ast.Name) else None


def _loops(nodes: Iterable[ast.AST], module: Module) -> dict[str, frozenset[str]]:
    """Names that go through strings: ``for name in ("a", "b")``, or through a constant."""
    found = {}
    for node in nodes:
        if isinstance(node, (ast.For, ast.comprehension)) and isinstance(node.target, ast.Name):
            over = node.iter
            strings = (
                module.constants.get(over.id, frozenset())
                if isinstance(over, ast.Name)
                else strings_in(over)
            )
            if strings:
                found[node.target.id] = strings
    return found


def _parameters(function: Function) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def _bound(node: ast.Call, function: Function) -> Iterable[tuple[str, ast.expr]]:
    """Each argument of a call with the parameter that takes it."""
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    if names[:1] in (["self"], ["cls"]):
        names = names[1:]
    yield from zip(names, node.args, strict=False)
    yield from ((k.arg, k.value) for k in node.keywords if k.arg)


def _is_own(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")
