"""Write nixcfg/knowledge/*.json from the LiteLLM that is installed beside this Python.

    python tools/generate_knowledge.py [--output DIRECTORY]

Every fact is read off the package (signatures, pydantic models, its syntax tree, its own data
files) or off its behaviour (tools/probe_providers.py runs real completions with the network cut).
What can be had in neither way is in OVERRIDES below, each line with its reason and a test.

The result depends on the installed LiteLLM alone: the work is done in a second process with an
environment of its own, without a network, in an empty directory.
"""

import argparse
import ast
import collections.abc
import contextlib
import enum
import functools
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin
from urllib.parse import urlsplit

import typing_extensions

TARGET = Path(__file__).resolve().parent.parent / "nixcfg" / "knowledge"

# Keys that LiteLLM reads in a section and which nevertheless have no effect there. A reading
# cannot show this; tests/knowledge/test_behaviour.py shows it with a running router.
WITHOUT_EFFECT = {
    # The router takes its cooldown threshold from its own argument only when that differs from
    # litellm.allowed_fails, and this section sets both to the same value.
    ("litellm_settings", "allowed_fails"),
}

# Attributes of the litellm module that code reads, but which hold objects that YAML cannot make:
# set from litellm_settings they replace the real ones with plain data.
OBJECTS = {
    "credential_list",  # CredentialItem; belongs at the top level
    "guardrail_name_config_map",  # GuardrailItem, made from `guardrails`
    "in_memory_llm_clients_cache",
    "initialized_langfuse_clients",  # a counter
    "secret_manager_client",
    "vector_store_index_registry",
    "vector_store_registry",  # belongs at the top level
}

# Types that no annotation tells.
TYPES = {
    # initialize_callbacks_on_proxy takes one `module.attribute` or a list of names.
    ("litellm_settings", "callbacks"): "str|list",
    # load_config updates an empty mapping with it.
    ("litellm_settings", "cache_params"): "map",
    # drop_params_flag reads "true" and "false" too; os.environ/X may give either.
    ("litellm_settings", "drop_params"): "bool|str",
}

# LiteLLM's masker goes by words in a name. These it hides although they are no secrets, or does
# not hide although they are.
NOT_SECRET = {
    "bos_token",  # markers of a prompt template
    "eos_token",
    "cache_key",  # names of cache entries
    "preset_cache_key",
    "prompt_cache_key",
    "langfuse_public_key",
    "key",  # model_info.key: the catalogue's name of the model
}
SECRET = {
    "database_url",  # holds the database's password
    "litellm_license",
}

# Settings of the proxy that do nothing, or are refused, as long as no database is connected.
# LiteLLM says so in prose only; each was followed to its one reader, which needs prisma_client.
NEEDS_DATABASE = {
    "general_settings": (
        "database_connection_pool_limit",
        "database_connection_timeout",
        "disable_prisma_schema_update",
        "disable_reset_budget",
        "disable_spend_logs",
        "disable_spend_updates",
        "maximum_spend_logs_retention_period",
        "proxy_batch_write_at",
        "store_model_in_db",
        "store_prompts_in_spend_logs",
        "use_redis_transaction_buffer",
    ),
    "litellm_settings": (
        "default_internal_user_params",
        "default_team_settings",
        "max_budget",
        "max_internal_user_budget",
        "store_audit_logs",
        "upperbound_key_generate_params",
    ),
}


# Fewer catalogue entries than this say that LiteLLM keeps samples rather than a list.
FEW = 5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=TARGET, help="folder of the two files")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        generate(options.output)
        return 0
    with tempfile.TemporaryDirectory() as empty:
        command = [sys.executable, "-I", __file__, "--inside"]
        command += ["--output", str(options.output.resolve())]
        # -I ignores PYTHON* variables, so the hash seed is left random: what is written must be
        # sorted, not lucky.
        done = subprocess.run(  # noqa: S603 - this very program
            command, env=environment(empty), cwd=empty, check=False
        )
        return done.returncode


def environment(home: str) -> dict[str, str]:
    """Nothing of the caller's: a key in it would be taken for a fact."""
    return {
        "PATH": os.defpath,
        "HOME": home,
        "TMPDIR": home,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOG": "CRITICAL",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def generate(output: Path) -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    import probe_providers

    probe_providers.cut_network()
    import litellm

    litellm.suppress_debug_info = True
    params = sorted(litellm_params())
    with probing(params) as probe:
        source = Package(Path(litellm.__file__).parent)
        names = frozenset(probe_providers.provider_names())
        catalogue, verdicts = models(names)
        facts: dict[str, Any] = {
            "litellm_version": version(),
            "blocked_variables": blocked_variables(),
            "callbacks": callbacks(source),
            "routing": routing(names, verdicts),
            "sections": sections(source),
        }
        facts["providers"] = with_catalogue(finished(probe), catalogue)
    facts["routing"]["shares_catalogue"] = shares_catalogue(facts["providers"], catalogue)
    depths = {"sections": 3, "providers": 1, "routing": 2, "callbacks": 1, "blocked_variables": 0}
    write(output / "litellm.json", facts, depths)
    write(output / "bare_models.json", dict(sorted(catalogue.pop("bare").items())), {})
    write(output / "models.json", catalogue, {"models": 2, "columns": 0})


@contextlib.contextmanager
def probing(params: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """Another process that probes the providers while this one reads the package.

    Not only to save time: probing changes LiteLLM, its HTTP clients and its clock, for good.
    """
    command = [sys.executable, "-I", str(Path(__file__).with_name("probe_providers.py"))]
    with tempfile.TemporaryFile("w+") as question:
        json.dump({"params": list(params)}, question)
        question.seek(0)
        process = subprocess.Popen(  # noqa: S603 - the program beside this one
            command, stdin=question, stdout=subprocess.PIPE, text=True
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, _ = process.communicate(timeout=900)
    if process.returncode != 0:
        raise SystemExit(f"probe_providers.py ended with {process.returncode}")
    found: dict[str, Any] = json.loads(output)
    return found


def with_catalogue(providers: dict[str, Any], catalogue: Mapping[str, Any]) -> dict[str, Any]:
    """Mark the providers whose models LiteLLM cannot know."""
    openai = providers["openai"]["api_base"]
    for name, facts in providers.items():
        base = facts["api_base"]
        if "default" not in base and base.get("appends") == openai["appends"]:
            # A server of one's own that is spoken to as OpenAI is.
            base["path"] = openai["path"]
        models = catalogue["models"].get(name, {})
        hosted = sum("/" in model for model in models)
        default = facts["api_base"].get("default") or ""
        facts["open_catalogue"] = (
            len(models) < FEW
            or facts["api_base"].get("required", False)
            or urlsplit(default).hostname in ("localhost", "127.0.0.1")
            # Names such as `meta-llama/Llama-3` are those of models made elsewhere, which a
            # hosting service adds at will.
            or hosted * 2 > len(models)
        )
        if not facts["open_catalogue"]:
            del facts["open_catalogue"]
    return providers


def version() -> str:
    from importlib.metadata import version as installed

    return installed("litellm")


def write(path: Path, data: Mapping[str, Any], depth: Mapping[str, int]) -> None:
    """One entry a line, so that a diff between two releases can be read."""
    path.write_text(layout(dict(data), depth) + "\n", encoding="utf-8")


def layout(data: Any, depth: Mapping[str, int] | int, indent: str = "") -> str:
    """JSON with line breaks down to ``depth`` levels, compact below."""
    if not isinstance(data, (dict, list)) or depth == 0 or not data:
        return json.dumps(data, ensure_ascii=False, sort_keys=True)
    inner = indent + " "
    if isinstance(data, list):
        lines = [inner + layout(item, lower(depth, ""), inner) for item in data]
        return "[\n" + ",\n".join(lines) + f"\n{indent}]"
    # The top level keeps its order (version first); everything below is sorted.
    items = data.items() if isinstance(depth, Mapping) else sorted(data.items())
    lines = [f"{inner}{json.dumps(k)}: {layout(v, lower(depth, k), inner)}" for k, v in items]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def lower(depth: Mapping[str, int] | int, key: str) -> int:
    return depth.get(key, 1) if isinstance(depth, Mapping) else depth - 1


# --- the package as text -------------------------------------------------------------------------


class Package:
    """The text of the installed LiteLLM (and of its enterprise part), parsed where needed.

    There are 37 MB of it, of which a good half has nothing to do with settings.
    """

    READERS = (ast.Call, ast.Subscript, ast.Compare, ast.Attribute)

    def __init__(self, root: Path) -> None:
        self.root = root
        folders = (root, root.parent / "litellm_enterprise")
        files = [file for folder in folders for file in sorted(folder.rglob("*.py"))]
        self.texts = {file: file.read_bytes() for file in files}

    def tree(self, name: str) -> ast.Module:
        return ast.parse(self.texts[self.root / name])

    def readers(self, file: Path) -> list[ast.AST]:
        """The nodes of a file that can read a setting."""
        return [n for n in ast.walk(ast.parse(self.texts[file])) if isinstance(n, self.READERS)]

    @functools.cached_property
    def of_settings(self) -> list[ast.AST]:
        """Readers in the files that mention general_settings or litellm_settings."""
        mention = re.compile(rb"general_settings|litellm_settings")
        files = [file for file, text in self.texts.items() if mention.search(text)]
        return [node for file in files for node in self.readers(file)]

    def read_attributes(self, wanted: Iterable[str]) -> set[str]:
        """Those of the names that some code reads as ``litellm.name``, comments left aside."""
        mention = re.compile(rb"litellm\.(\w+)|getattr\(\s*litellm,\s*\"(\w+)")
        missing, found = set(wanted), set[str]()
        candidates = {
            file: {(a or b).decode() for a, b in mention.findall(text)} & missing
            for file, text in self.texts.items()
        }
        # Small files first: one proof a name is enough.
        for file in sorted(self.texts, key=lambda file: (len(self.texts[file]), file)):
            if candidates[file] & missing:
                found |= {name for node in self.readers(file) if (name := attribute_read(node))}
                missing -= found
        return found & set(wanted)

    def attributes_with_default(self) -> set[str]:
        """Names that some code reads as ``getattr(litellm, "name", default)``."""
        mention = re.compile(rb"getattr\(\s*litellm,")
        files = [file for file, text in self.texts.items() if mention.search(text)]
        return {
            name
            for file in files
            for node in self.readers(file)
            if isinstance(node, ast.Call) and len(node.args) == 3
            if (name := attribute_read(node)) and not name.startswith("_")
        }

    def mentions(self, name: str) -> bool:
        """Whether a name is a string or an attribute outside the models, which name everything."""
        word = re.compile(rb"[\"'.]" + name.encode() + rb"\b")
        models = self.root / "proxy/_types.py"
        return any(word.search(text) for file, text in self.texts.items() if file != models)


def attribute_read(node: ast.AST) -> str | None:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        if node.value.id == "litellm" and isinstance(node.ctx, ast.Load):
            return node.attr
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "getattr"
        and ast.unparse(node.args[0]) == "litellm"
    ):
        return constant(node.args[1])
    return None


def constant(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def reads_of(nodes: Iterable[ast.AST], variables: frozenset[str]) -> set[str]:
    """String keys read off mappings with these names: ``v["k"]``, ``v.get("k")``, ``"k" in v``.

    A name may be behind attributes, calls and ``or``: ``(config.get("v") or {}).get("k")``.
    """
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            if node.func.attr in ("get", "pop") and denotes(node.func.value, variables):
                found.add(constant(node.args[0]) or "")
        elif isinstance(node, ast.Subscript) and denotes(node.value, variables):
            if isinstance(node.ctx, ast.Load):
                found.add(constant(node.slice) or "")
        elif (
            isinstance(node, ast.Compare)
            and isinstance(node.ops[0], (ast.In, ast.NotIn))
            and denotes(node.comparators[0], variables)
        ):
            found.add(constant(node.left) or "")
    return found - {""}


def denotes(node: ast.AST, variables: frozenset[str]) -> bool:
    if isinstance(node, (ast.Name, ast.Attribute)):
        name = node.id if isinstance(node, ast.Name) else node.attr
        # `resolved_general_settings` is general settings; `cache_config` is not the config.
        return name.lstrip("_") in variables or any(
            name.endswith(f"_{variable}") for variable in variables if variable.endswith("settings")
        )
    if isinstance(node, ast.BoolOp):
        return any(denotes(value, variables) for value in node.values)
    if isinstance(node, ast.Subscript):
        return constant(node.slice) in variables
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
            return constant(node.args[0]) in variables
        if isinstance(node.func, ast.Name) and node.func.id == "dict" and node.args:
            return denotes(node.args[0], variables)
        if isinstance(node.func, ast.Name) and node.func.id == "cast" and node.args:
            return denotes(node.args[-1], variables)
    return False


# --- types ---------------------------------------------------------------------------------------

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
        return {type(a).__name__ for a in get_args(annotation) if a is not None}
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
            found += [str(a) for a in get_args(part)]
        elif isinstance(part, type) and issubclass(part, str) and issubclass(part, enum.Enum):
            found += [str(member.value) for member in part]
        elif part is bool:
            continue
        else:
            return []
    return sorted(set(found))


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
            for name, hint in typing.get_type_hints(model).items()
        }
    hints = typing.get_type_hints(model)
    return {
        name: entry(hints.get(name, Any))
        for name, parameter in inspect.signature(model).parameters.items()
        if name != "self"
        and not name.startswith("_")
        and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    }


# --- sections ------------------------------------------------------------------------------------


def sections(source: Package) -> dict[str, Any]:
    from litellm.caching.caching import Cache
    from litellm.models.credentials import CredentialItem
    from litellm.proxy._types import CoordinationRedisParams
    from litellm.types.guardrails import Guardrail, LitellmParams
    from litellm.types.router import (
        AllowedFailsPolicy,
        RetryPolicy,
        RouterModelGroupAliasItem,
    )

    params = litellm_params()
    found: dict[str, Any] = {
        "top_level": section("ignored", top_level(source)),
        "litellm_settings": section("attribute", litellm_settings(source)),
        "router_settings": section("warned", router_settings()),
        "general_settings": section("ignored", general_settings(source)),
        "deployment": section("ignored", deployment(), coerced=True),
        "litellm_params": section("sent", params, coerced=True),
        "model_info": section("kept", model_info(), coerced=True),
        "credential": section("ignored", credential(CredentialItem), coerced=True),
        "guardrail": section("ignored", of_model(Guardrail)),
        "guardrail_params": section("kept", of_model(LitellmParams), coerced=True),
        "cache_params": section("kept", of_model(Cache.__init__)),
        "coordination_redis": section("ignored", of_model(CoordinationRedisParams), coerced=True),
        "retry_policy": section("ignored", of_model(RetryPolicy), coerced=True),
        "allowed_fails_policy": section("ignored", of_model(AllowedFailsPolicy), coerced=True),
        "model_group_alias": section("ignored", of_model(RouterModelGroupAliasItem)),
    }
    for name, facts in found.items():
        for key, value in facts["keys"].items():
            if is_secret(key, value["type"]):
                value["secret"] = True
            if key in NEEDS_DATABASE.get(name, ()):
                value["database"] = True
    for (name, key), kind in TYPES.items():
        found[name]["keys"][key]["type"] = kind
    for name, key in sorted(WITHOUT_EFFECT):
        del found[name]["keys"][key]
    for name, names in NEEDS_DATABASE.items():
        stale = set(names) - found[name]["keys"].keys()
        if stale:
            raise SystemExit(f"NEEDS_DATABASE: {name} has no {sorted(stale)} in this LiteLLM")
    return found


def section(unknown: str, keys: Mapping[str, Any], *, coerced: bool = False) -> dict[str, Any]:
    return {"unknown": unknown, "coerced": coerced, "keys": dict(sorted(keys.items()))}


def is_secret(key: str, kind: str) -> bool:
    """LiteLLM's own rule for what it hides in logs, without what only points at a secret."""
    from litellm.litellm_core_utils.sensitive_data_masker import (
        SensitiveDataMasker,
    )
    from litellm.types.router import holds_secret_pointer

    if key in SECRET:
        return True
    if not {"str", "any"} & set(kind.split("|")) or holds_secret_pointer(key) or key in NOT_SECRET:
        return False
    # What the name ends in is what the value is: `client_secret` is one, `key_generation_settings`
    # and `secret_manager_client` only have to do with one.
    if not re.search(r"(?:^|_)(?:password|secret|key|token|credentials?)(?:_id)?$", key):
        return False
    return bool(SensitiveDataMasker().is_sensitive_key(key))


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
    names |= reads_of(source.of_settings, frozenset({"litellm_settings"}))
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
    server = source.tree("proxy/proxy_server.py")
    load = next(
        node
        for node in ast.walk(server)
        if isinstance(node, ast.AsyncFunctionDef) and node.name == "load_config"
    )
    loop = next(
        node
        for node in ast.walk(load)
        if isinstance(node, ast.For) and ast.unparse(node.iter) == "litellm_settings.items()"
    )
    found: dict[str, str | None] = {}
    for node in ast.walk(loop):
        if not isinstance(node, ast.If):
            continue
        for name in compared_with_key(node.test):
            kind = branch_type(node)
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


def branch_type(branch: ast.If) -> str | None:
    test = ast.unparse(branch.test)
    body = "\n".join(ast.unparse(node) for node in branch.body)
    for sign, kind in (
        ("value is True", "bool"),
        ("value is False", "bool"),
        ("isinstance(value, dict)", "map"),
    ):
        if sign in test:
            return kind
    if "in value:" in body or "in value]" in body or "in enumerate(value)" in body:
        return "list"
    if "**value" in body or "value.get(" in body or "value.items()" in body:
        return "map"
    if "get_instance_fn(value=value" in body or "pattern(value)" in body:
        return "str"
    if "float(value)" in body:
        return "float"
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
    """Whether YAML can give such a value: not for callables and clients."""
    if get_origin(hint) in (typing.Union, types.UnionType):
        return any(from_yaml(part) for part in get_args(hint) if part is not type(None))
    if get_origin(hint) is collections.abc.Callable or hint is typing.Callable:
        return False
    if get_origin(hint) is list:
        return all(from_yaml(part) for part in get_args(hint))
    return getattr(hint, "__module__", "").partition(".")[0] != "httpx"


def settable(module: Any, name: str) -> bool:
    """Settings, as against the registries and machinery that live in the same module."""
    if name.startswith("_") or name != name.lower() or name.endswith("_models"):
        return False
    if name in OBJECTS:
        return False
    value = getattr(module, name, None)
    if callable(value) or isinstance(value, types.ModuleType):
        return False
    # Registries are filled when the module is loaded; settings start empty or as plain values.
    return not (isinstance(value, (dict, list, set)) and value)


def router_settings() -> dict[str, Any]:
    import litellm
    from litellm.constants import ROUTER_SETTINGS_MANAGED_OUTSIDE_CONFIG

    valid = set(litellm.Router.get_valid_args()) - ROUTER_SETTINGS_MANAGED_OUTSIDE_CONFIG
    facts = of_model(litellm.Router.__init__)
    found = {name: facts[name] for name in valid}
    found["routing_strategy"]["values"] = strategies()
    return found


def strategies() -> list[str]:
    """The names that the running router accepts: its own message lists more than its Literal."""
    import litellm

    try:
        litellm.Router(model_list=[], routing_strategy="nixcfg-probe")  # type: ignore[arg-type]
    except ValueError as refusal:
        listed = str(refusal).partition("[")[2].partition("]")[0]
        return sorted(name.strip(" '\"") for name in listed.split(","))
    raise SystemExit(
        "the router no longer refuses an unknown routing_strategy: review strategies()"
    )


def general_settings(source: Package) -> dict[str, Any]:
    from litellm.proxy._types import ConfigGeneralSettings

    variables = frozenset({"general_settings"})
    read = reads_of(source.of_settings, variables)
    documented = of_model(ConfigGeneralSettings)
    unread = set(documented) - read
    # A documented field that is read in some other way leaves its name somewhere in the code.
    unread = {name for name in unread if source.mentions(name)}
    defaults = default_types(source, variables)
    return {
        name: documented.get(name) or {"type": defaults.get(name, "any")} for name in read | unread
    }


def default_types(source: Package, variables: frozenset[str]) -> dict[str, str]:
    """Types of keys from ``settings.get("key", default)``."""
    found: dict[str, str] = {}
    for node in source.of_settings:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr == "get" and len(node.args) == 2 and denotes(node.func.value, variables):
            name, default = constant(node.args[0]), node.args[1]
            if name and isinstance(default, ast.Constant) and isinstance(default.value, bool):
                found[name] = "bool"
    return found


def deployment() -> dict[str, Any]:
    """An entry of model_list; rpm and tpm are copied from there into litellm_params."""
    from litellm.types.router import Deployment

    found = of_model(Deployment)
    found["model_info"].pop("required", None)  # __init__ makes one
    router = ast.parse(inspect.getsource(sys.modules["litellm.router"]))
    for node in ast.walk(router):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "getattr"
            and ast.unparse(node.args[0]) == "deployment"
            and (name := constant(node.args[1])) is not None
        ):
            found.setdefault(name, {"type": "int"})
    return found


def litellm_params() -> dict[str, Any]:
    """The model's fields, and what LiteLLM takes out of or passes on from the same mapping."""
    import litellm
    from litellm.constants import (
        DEFAULT_CHAT_COMPLETION_PARAM_VALUES,
        OPENAI_CHAT_COMPLETION_PARAMS,
    )
    from litellm.types.router import LiteLLM_Params
    from litellm.types.utils import all_litellm_params

    found: dict[str, Any] = {}
    names = {*all_litellm_params, *OPENAI_CHAT_COMPLETION_PARAMS, *form_fields()}
    for name in names | set(DEFAULT_CHAT_COMPLETION_PARAM_VALUES):
        found[name] = {"type": "any"}
    for name, facts in of_model(litellm.completion).items():
        if facts["type"] != "any" or name in found:
            found[name] = facts
    found.update(of_model(LiteLLM_Params))
    found["model"]["required"] = True
    return found


def form_fields() -> set[str]:
    """Fields of the forms in which LiteLLM's own interface asks for a provider's credentials."""
    import litellm

    file = Path(litellm.__file__).parent / "proxy/public_endpoints/provider_create_fields.json"
    return {
        field["key"]
        for form in json.loads(file.read_text(encoding="utf-8"))
        for field in form.get("credential_fields", ())
    }


def model_info() -> dict[str, Any]:
    from litellm.types.router import ModelInfo
    from litellm.types.utils import ModelInfo as Catalogue

    router = ast.parse(inspect.getsource(sys.modules["litellm.router"]))
    found = {name: {"type": facts["type"]} for name, facts in of_model(Catalogue).items()}
    for name in reads_of(ast.walk(router), frozenset({"model_info"})):
        found.setdefault(name, {"type": "any"})
    found.update(of_model(ModelInfo))
    found["id"].pop("required", None)
    return found


def credential(model: Any) -> dict[str, Any]:
    """Without the fields that the loader fills in itself."""
    own = {"credential_name", "credential_values", "credential_info"}
    return {name: facts for name, facts in of_model(model).items() if name in own}


# --- names ---------------------------------------------------------------------------------------


def blocked_variables() -> list[str]:
    from litellm.proxy.proxy_server import ProxyConfig

    return sorted(ProxyConfig._BLOCKED_ENV_KEYS)  # noqa: SLF001


def callbacks(source: Package) -> dict[str, list[str]]:
    """By setting: the names it knows. All others have to be ``module.attribute``."""
    import litellm
    from litellm.integrations.generic_api.generic_api_callback import (
        load_compatible_callbacks,
    )

    shared = set(litellm._known_custom_logger_compatible_callbacks)  # noqa: SLF001
    shared |= set(load_compatible_callbacks())
    on_proxy = compared(source.tree("proxy/common_utils/callback_utils.py"))
    logging = compared(source.tree("litellm_core_utils/litellm_logging.py"))
    return {
        "callbacks": sorted(shared | on_proxy),
        "failure_callback": sorted(shared | logging),
        "success_callback": sorted(shared | logging),
    }


def compared(tree: ast.Module) -> set[str]:
    """Strings that a variable called ``callback`` is compared with."""
    return {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq)
        if ast.unparse(node.left) == "callback"
        if (name := constant(node.comparators[0])) is not None
    }


# --- models --------------------------------------------------------------------------------------

COLUMNS = (
    "mode",
    "max_input_tokens",
    "max_output_tokens",
    "input_cost_per_token",
    "output_cost_per_token",
    "deprecation_date",
)


def resolve(model: str, provider: str | None = None, base: str | None = None) -> list[str] | None:
    """What litellm.get_llm_provider says: [provider, name], None where it refuses."""
    import litellm
    from litellm.constants import (
        PROVIDERS_THAT_AUTHENTICATE_ON_PROVIDER_INFO as ASKING,
    )

    prefix, slash, rest = model.partition("/")
    if (provider or (prefix if slash else None)) in ASKING:
        # Asking LiteLLM would start a device login; its answer is the declaration itself.
        return [prefix, rest] if slash and provider in (None, prefix) else [str(provider), model]
    try:
        name, found, _, _ = litellm.get_llm_provider(model, provider, base)
    except litellm.BadRequestError:
        return None
    return [found, name]


def models(names: frozenset[str]) -> tuple[dict[str, Any], dict[str, list[str] | None]]:
    """The catalogue, and LiteLLM's verdict on each name that it mentions."""
    import litellm

    verdicts: dict[str, list[str] | None] = {}
    catalogue: dict[str, dict[str, list[Any]]] = {}
    # Longer keys last: `openai/gpt-4o` may correct what the bare `gpt-4o` said, never the reverse.
    for key in sorted(litellm.model_cost, key=lambda name: (name.count("/"), name)):
        facts = litellm.model_cost[key]
        if key == "sample_spec" or not isinstance(facts, dict):
            continue
        verdicts[key] = resolve(key)
        owner = facts.get("litellm_provider") or ""
        provider, name = verdicts[key] or (owner, key)
        if not same_vendor(owner, provider):
            provider, name = owner, key.removeprefix(owner + "/")
        if provider in names:
            row = [facts.get(column) for column in COLUMNS]
            catalogue.setdefault(provider, {})[name] = row
    for name in sorted(mentioned_models() | crossed_models(names)):
        if name not in verdicts:
            verdicts[name] = resolve(name)
    bare = {
        name: verdict[0]
        for name, verdict in verdicts.items()
        if verdict is not None and name.partition("/")[0] not in names and verdict[1] == name
    }
    return {"columns": list(COLUMNS), "bare": bare, "models": catalogue}, verdicts


def mentioned_models() -> set[str]:
    """Names in the module's own lists, a few of which are in no catalogue."""
    import litellm

    found = set(litellm.model_list_set)
    for name, value in vars(litellm).items():
        if name.endswith("_models") and isinstance(value, (set, list)):
            found |= {model for model in value if isinstance(model, str)}
    return found


def crossed_models(names: frozenset[str]) -> set[str]:
    """Any prefix before any model of the lists that the helpers of get_llm_provider look into.

    ``azure/command-r-plus`` goes to openai, ``cohere/command-r-plus`` to cohere_chat.
    """
    import litellm
    from litellm.litellm_core_utils import get_llm_provider_logic as logic

    tree = ast.parse(inspect.getsource(logic))
    tails: set[str] = set()
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.name != "get_llm_provider":
            for node in ast.walk(function):
                if isinstance(node, ast.Attribute) and node.attr.endswith("_models"):
                    models = getattr(litellm, node.attr)
                    tails |= {model.rpartition("/")[2] for model in models}
    return {f"{prefix}/{tail}" for prefix in names for tail in tails}


def same_vendor(owner: str, provider: str) -> bool:
    """Whether LiteLLM prices this provider's models with the entries of that owner."""
    from litellm.utils import _check_provider_match

    return bool(_check_provider_match({"litellm_provider": owner}, provider))


# --- routing -------------------------------------------------------------------------------------


def routing(  # noqa: C901 - one pass over the names finds all rules
    names: frozenset[str], verdicts: Mapping[str, list[str] | None]
) -> dict[str, Any]:
    """The rules by which a model name finds its provider, beside the plain prefix."""
    import litellm
    from litellm.llms.bedrock_mantle.common_utils import BEDROCK_REGIONS

    keeps, keeps_own, drops_region, shapes = [], [], [], {}
    for name in sorted(names):
        sample = f"{name}/nixcfg/probe"
        if resolve(sample) is None:
            shapes[name], sample = shape_of(name)
        if resolve(sample) == [name, sample]:
            keeps.append(name)
        if resolve(f"{name}/probe", name) == [name, f"{name}/probe"]:
            keeps_own.append(name)
        if resolve(f"{name}/{min(BEDROCK_REGIONS)}/probe") == [name, "probe"]:
            drops_region.append(name)
    keeps_own = [name for name in keeps_own if name not in keeps]
    renamed: dict[str, list[str | None]] = {}
    undeclared: set[str] = set()
    for model, verdict in sorted(verdicts.items()):
        prefix, slash, rest = model.partition("/")
        if slash and prefix in names:
            if prefix in drops_region and rest.partition("/")[0] in BEDROCK_REGIONS:
                rest = rest.partition("/")[2]
            plain = [prefix, model if prefix in keeps else rest]
            if verdict != plain:
                renamed[model] = [*verdict] if verdict else [None, model]
                if resolve(rest, prefix) != verdict:
                    undeclared.add(prefix)
    endpoints = []
    for endpoint in litellm.openai_compatible_endpoints:
        base = endpoint if "://" in endpoint else f"https://{endpoint}"
        verdict = resolve("nixcfg-probe", None, base)
        if verdict is not None:
            endpoints.append([endpoint, verdict[0]])
    return {
        "drops_region": drops_region,
        "endpoints": endpoints,
        "keeps_own_prefix": keeps_own,
        "keeps_prefix": keeps,
        "patterns": patterns(),
        "regions": sorted(BEDROCK_REGIONS),
        "renamed": renamed,
        "renamed_in_name_only": sorted(undeclared),
        "shapes": shapes,
    }


def shape_of(name: str) -> tuple[str, str]:
    """The form a provider demands of its model names, from the message that refuses another.

    As a regular expression, with a sample that fits.
    """
    import litellm

    try:
        litellm.get_llm_provider(f"{name}/nixcfg")
    except litellm.BadRequestError as refusal:
        forms = str(refusal).partition("Expected format: ")[2].partition("\n")[0].split(" or ")
    expression = "|".join(
        "/".join(".*" if part[0] == "{" else re.escape(part) for part in form.strip().split("/"))
        for form in forms
    )
    sample = re.sub(r"{(\w+)}", r"\1", forms[0].strip())
    if resolve(sample) is None or not re.fullmatch(expression, sample):
        raise SystemExit(f"cannot tell what {name} demands of a model name: {forms}")
    return expression, sample


def shares_catalogue(
    providers: Mapping[str, Any], catalogue: Mapping[str, Any]
) -> dict[str, list[str]]:
    """Other providers whose entries hold for a provider's models too.

    Those that LiteLLM itself prices it with, and those that are the same service under another
    prefix: same key, same host (openai and text-completion-openai, cohere and cohere_chat).
    """
    owners = catalogue["models"].keys()

    def service(name: str) -> tuple[str, str] | None:
        facts = providers[name]
        keys = [item["variable"] for item in facts["credentials"] if item.get("secret")]
        host = urlsplit(facts["api_base"].get("default") or "").hostname
        return (keys[0], host or "") if keys else None

    found = {}
    for name in sorted(providers):
        priced = {owner for owner in owners if same_vendor(owner, name)}
        if len(priced) > len(owners) // 2:  # takes anybody's prices
            priced = set()
        same = {owner for owner in owners if service(owner) and service(owner) == service(name)}
        shared = sorted((priced | same) - {name})
        if shared:
            found[name] = shared
    return found


def patterns() -> list[list[str]]:
    """Regular expressions for bare names that are in no list, in LiteLLM's order."""
    from litellm.constants import REPLICATE_MODEL_NAME_WITH_ID_LENGTH as SIZE
    from litellm.litellm_core_utils import (
        fallback_generalizations,
        get_llm_provider_logic,
    )

    found: list[list[str]] = []
    tree = ast.parse(inspect.getsource(get_llm_provider_logic.get_llm_provider))
    for branch in ast.walk(tree):
        if not isinstance(branch, ast.If):
            continue
        names = [
            constant(node.value)
            for node in branch.body
            if isinstance(node, ast.Assign)
            and ast.unparse(node.targets[0]) == "custom_llm_provider"
        ]
        if len(names) != 1 or names[0] is None:
            continue
        tests = branch.test.values if isinstance(branch.test, ast.BoolOp) else [branch.test]
        found += [[rule, names[0]] for test in tests if (rule := pattern_of(test))]
    # A colon, then a version id of this length: the one rule that is code rather than a test.
    found.append([rf"^[^:]*:[^:]{{{SIZE}}}(?::|$)", "replicate"])
    rules = fallback_generalizations._registry.routing_rules  # noqa: SLF001
    found += [[f"(?i:{rule.pattern.pattern})", rule.provider] for rule in rules]
    return [rule for number, rule in enumerate(found) if rule not in found[:number]]


def pattern_of(test: ast.expr) -> str | None:
    """``"x" in model``, ``model == "x"`` and ``model.startswith("x")`` as regular expressions."""
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.In):
        text = constant(test.left)
        right = ast.unparse(test.comparators[0])
        return re.escape(text) if text and right == "model" else None
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq):
        text = constant(test.comparators[0])
        return f"^{re.escape(text)}$" if text and ast.unparse(test.left) == "model" else None
    if isinstance(test, ast.Call) and ast.unparse(test.func) == "model.startswith":
        text = constant(test.args[0])
        return f"^{re.escape(text)}" if text and not text.endswith("/") else None
    return None


if __name__ == "__main__":
    sys.exit(main())
