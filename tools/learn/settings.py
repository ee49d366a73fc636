"""Keys that the proxy reads off its configuration, general_settings and litellm_settings."""

import ast
import enum
import re
import types
import typing
from collections.abc import Sequence
from typing import Any, get_args, get_origin

import typing_extensions

from learn.annotations import entry, kinds, of_model, spell
from learn.package import Module, Package, constant
from learn.reads import Reader, denotes, reads_of
from learn.reviewed import OBJECTS


def top_level(source: Package) -> dict[str, Any]:
    """What ProxyConfig reads off the configuration, and its include mechanism."""
    from litellm.proxy._types import ConfigYAML

    server = source.tree("proxy/proxy_server.py")
    loader = next(
        node
        for node in server.body
        if isinstance(node, ast.ClassDef) and node.name == "ProxyConfig"
    )
    found: set[str] = set()
    for method in loader.body:
        if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)) and takes_config(method):
            found |= reads_of(ast.walk(method), frozenset({"config"}))
    found -= {"enable_jwt_auth", "litellm_jwtauth"}  # read only to warn that they are ignored
    includes = source.tree("proxy/common_utils/config_includes.py")
    found |= {name for node in ast.walk(includes) if (name := constant(node)) == "include"}
    documented = of_model(ConfigYAML)
    return {
        name: {"type": documented.get(name, {}).get("type") or used_as(loader, name)}
        for name in found
    }


def takes_config(method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether ``config`` in this method is the configuration file, not some other mapping."""
    names = {argument.arg for argument in method.args.args + method.args.kwonlyargs}
    if "config" in names:
        return True
    return any(
        isinstance(node, ast.Attribute) and node.attr == "get_config" for node in ast.walk(method)
    )


def used_as(loader: ast.ClassDef, name: str) -> str:
    """list or map, from the parameter that takes ``config.get(name)`` or from its use."""
    variables = {
        node.target.id
        for node in ast.walk(loader)
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(node.value, ast.Call)
        and denotes(node.value, frozenset({name}))
    } | {name}
    for node in ast.walk(loader):
        if isinstance(node, (ast.For, ast.comprehension)):
            if isinstance(node.iter, ast.Name) and node.iter.id in variables:
                return "list"
            if isinstance(node.iter, ast.Call) and isinstance(node.iter.func, ast.Attribute):
                method = node.iter.func
                if method.attr == "items" and denotes(method.value, frozenset(variables)):
                    return "map"
    return "any"


def litellm_settings(source: Package) -> dict[str, Any]:
    """Keys with a branch of their own, keys read elsewhere, and attributes of the module."""
    import litellm

    branches = litellm_settings_branches(source)
    names = set(branches)
    names |= Reader(source, "litellm_settings").read().keys()
    attributes = module_attributes(source)
    names |= {name for name, facts in attributes.items() if facts}
    found = {}
    for name in names:
        facts = attributes.get(name) or attribute_type(litellm, name, None)
        kind = branches.get(name)
        found[name] = {"type": kind} if kind else facts
    # A key whose branch only says so in the log stays what its attribute says.
    return found


def litellm_settings_branches(source: Package) -> dict[str, str | None]:
    """Keys compared with ``key`` in load_config, with the type that their branch asks for."""
    server = source.module(source.root / "proxy/proxy_server.py")
    loops = [
        node
        for node in ast.walk(server.tree)
        if isinstance(node, ast.For)
        and isinstance(node.iter, ast.Call)
        and isinstance(node.iter.func, ast.Attribute)
        and node.iter.func.attr == "items"
        and denotes(node.iter.func.value, frozenset({"litellm_settings"}))
    ]
    if not loops:
        raise SystemExit("no loop over litellm_settings in proxy_server.py: review settings.py")
    found: dict[str, str | None] = {}
    for node in (node for loop in loops for node in ast.walk(loop)):
        if not isinstance(node, ast.If):
            continue
        for name in compared_with_key(node.test):
            kind = branch_type(node, server)
            found[name] = found.get(name) or kind
    return found


def compared_with_key(test: ast.expr) -> list[str]:
    found: list[str] = []
    for node in ast.walk(test):
        if isinstance(node, ast.Compare) and ast.unparse(node.left) == "key":
            right = node.comparators[0]
            items = right.elts if isinstance(right, (ast.Set, ast.Tuple, ast.List)) else [right]
            found += [name for item in items if (name := constant(item)) is not None]
    return found


def branch_type(branch: ast.If, server: Module) -> str | None:
    """The type that a branch for one key asks of ``value``."""
    test = ast.unparse(branch.test)
    for sign, kind in (
        ("value is True", "bool"),
        ("value is False", "bool"),
        ("isinstance(value, dict)", "map"),
    ):
        if sign in test:
            return kind
    return use_of("value", branch.body, server)


def use_of(name: str, body: Sequence[ast.AST], server: Module, depth: int = 2) -> str | None:
    """The type that code asks of what is in ``name``, and the functions that it is given to."""
    text = "\n".join(ast.unparse(node) for node in body)
    for signs, kind in (
        (("in {}:", "in {}]", "in enumerate({})"), "list"),
        (("**{}", "{}.get(", "{}.items()"), "map"),
        (("get_instance_fn(value={}", "pattern({})"), "str"),
        (("float({})",), "float"),
    ):
        if any(re.search(rf"(?<!\w){re.escape(sign.format(name))}", text) for sign in signs):
            return kind
    for node in (each for part in body for each in ast.walk(part)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and depth:
            function = server.functions.get(node.func.id)
            if function and node.args and ast.unparse(node.args[0]) == name and function.args.args:
                if function.returns and re.search(
                    r"Mapping\[|dict\[", ast.unparse(function.returns)
                ):
                    return "map"
                found = use_of(function.args.args[0].arg, function.body, server, depth - 1)
                if found:
                    return found
    return None


def module_attributes(source: Package) -> dict[str, dict[str, Any]]:
    """Attributes that some code reads as ``litellm.X`` and that __init__ assigns, with types."""
    import litellm

    assigned: dict[str, ast.expr | None] = {}
    for statement in source.tree("__init__.py").body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            assigned[statement.target.id] = statement.annotation
        elif isinstance(statement, ast.Assign):
            names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
            assigned.update(dict.fromkeys(names))
        elif isinstance(statement, ast.ImportFrom):
            # set_verbose comes from _logging; code reads it as litellm.set_verbose all the same.
            names = [alias.asname or alias.name for alias in statement.names]
            assigned.update((name, None) for name in names if is_plain(litellm, name))
    wanted = {name for name in assigned if settable(litellm, name)}
    attributes = {
        name: attribute_type(litellm, name, assigned[name])
        for name in source.read_attributes(wanted)
    }
    # Some exist only when litellm_settings sets them: getattr(litellm, "timezone", None).
    unset = {name for name in source.attributes_with_default() if not hasattr(litellm, name)}
    return attributes | {name: {"type": "any"} for name in unset}


def is_plain(module: Any, name: str) -> bool:
    """Whether an imported name is a value such as YAML can give, not a function or a class."""
    return isinstance(getattr(module, name, None), bool | int | float | str)


def attribute_type(module: Any, name: str, annotation: ast.expr | None) -> dict[str, Any]:
    if annotation is not None:
        try:
            hint = eval(ast.unparse(annotation), {**vars(typing), **vars(module)})  # noqa: S307
            return entry(resolved(hint)) if from_yaml(hint) else {}
        except (NameError, TypeError, SyntaxError):
            return {"type": "any"}
    value = getattr(module, name, None)
    return {"type": spell(kinds(type(value))) if value is not None else "any"}


def resolved(hint: Any) -> Any:
    """A hint with a name in quotes anywhere in a union says nothing that can be checked."""
    if get_origin(hint) in (typing.Union, types.UnionType) and any(
        isinstance(part, (typing.ForwardRef, str)) for part in get_args(hint)
    ):
        return Any
    return hint


def from_yaml(hint: Any) -> bool:
    """Whether YAML can give such a value: not for callables, clients and other objects."""
    if get_origin(hint) in (typing.Union, types.UnionType):
        return any(from_yaml(part) for part in get_args(hint) if part is not type(None))
    if get_origin(hint) is list:
        return all(from_yaml(part) for part in get_args(hint))
    kind = get_origin(hint) or hint
    if kind is typing.Callable or getattr(kind, "__name__", "") == "Callable":
        return False
    # Of classes, those that a scalar, a list or a mapping makes.
    return not isinstance(kind, type) or bool(
        issubclass(kind, (bool, int, float, str, list, tuple, set, frozenset, dict, enum.Enum))
        or hasattr(kind, "model_fields")
        or typing_extensions.is_typeddict(kind)
        or kind.__module__ in ("collections.abc", "typing")
    )


def settable(module: Any, name: str) -> bool:
    """Settings, as against the registries and machinery that live in the same module."""
    if name.startswith("_") or name.endswith("_models") or name in OBJECTS:
        return False
    value = getattr(module, name, None)
    # A constant too can be set, where code reads it as litellm.NAME whenever it needs it.
    if name != name.lower() and not is_plain(module, name):
        return False
    if callable(value) or isinstance(value, types.ModuleType):
        return False
    # Registries are filled when the module is loaded; settings start empty or as plain values.
    return not (isinstance(value, (dict, list, set)) and value)


def general_settings(source: Package) -> dict[str, Any]:
    from litellm.proxy._types import ConfigGeneralSettings

    read = Reader(source, "general_settings").read()
    documented = of_model(ConfigGeneralSettings)
    # A documented field that is read in some other way leaves its name somewhere in the code.
    unread = {name for name in documented.keys() - read.keys() if source.mentions(name)}
    return {
        name: documented.get(name) or {"type": read[name]} for name in sorted(read.keys() | unread)
    }
