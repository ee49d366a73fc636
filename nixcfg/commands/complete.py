"""What the shell offers after Tab. Reads as little as it can: no validator, no templates.

Each function has the form that click asks for: context, parameter, and what is typed so far.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixcfg.project import wiring

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from nixcfg.knowledge import Knowledge


def new_providers(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """Providers that LiteLLM knows, and the names that lead to one."""
    from nixcfg.providers import names

    return _starting(typed, names.known())


def providers(ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """The provider files of the project."""
    return _starting(typed, _providers(ctx))


def configs(ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """What model_config may name."""
    return _starting(typed, [wiring.ALL, *_profiles(ctx), *_providers(ctx)])


def hosts(ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """The hosts of nixcfg.yaml."""
    return _starting(typed, _names(ctx, "hosts"))


def profiles(ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """The profiles of nixcfg.yaml."""
    return _starting(typed, _profiles(ctx))


def models(ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """The models of the provider that is being added, or all of them as `provider/model`."""
    from nixcfg.providers import names

    knowledge = _known(ctx)
    # An option without its value ends click's parsing: arguments are then left where they stood.
    name = ctx.params.get("name") or next(iter(ctx.args), "")
    prefix = names.provider_of(ctx.params.get("provider") or name)
    if prefix is not None:
        return _starting(typed, knowledge.models(prefix))
    every = knowledge.providers()
    if "/" not in typed:
        return _starting(typed, (f"{name}/" for name in every if knowledge.models(name)))
    provider = typed.partition("/")[0]
    return _starting(typed, (f"{provider}/{model}" for model in knowledge.models(provider)))


def models_of_file(ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """The models of the vendor that a provider file of the project reaches."""
    import re

    knowledge = _known(ctx)
    name = ctx.params.get("provider") or next(iter(ctx.args), "")
    text = ""
    for path in (_root(ctx) / wiring.PROVIDERS_DIR).glob(f"{name}.y*ml"):
        text += path.read_text("utf-8", "replace")
    prefixes = set(re.findall(r"model:\s*[\"']?([\w-]+)/", text))
    return _starting(typed, (model for each in prefixes for model in knowledge.models(each)))


def renamable(ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """What rename takes: providers of the project, and what clients ask for."""
    import re

    found = set(_providers(ctx))
    for path in (_root(ctx) / wiring.PROVIDERS_DIR).glob("*.y*ml"):
        text = path.read_text("utf-8", "replace")
        found.update(re.findall(r"model_name:\s*[\"']?([^\s\"'#,}]+)", text))
    return _starting(typed, found)


def secrets(ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """What set-key takes: providers of the project, and the variables that they declare."""
    import re

    from nixcfg.yamltext import reader

    found = set(_providers(ctx))
    root = _root(ctx)
    paths = [*(root / wiring.PROVIDERS_DIR).glob("*.y*ml"), root / wiring.PROJECT_FILE]
    for path in filter(Path.is_file, paths):
        for text in _texts(reader.read(path, path.name).data):
            found.update(re.findall(r"(?<=\$\{)\w+(?=\})|(?<=os\.environ/)\w+", text))
    return _starting(typed, found)


def clients(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """The programs whose settings `client` knows."""
    from nixcfg.gateway.clients import CLIENTS

    return _starting(typed, CLIENTS)


def served(ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """What clients may ask for: the model_name of each deployment."""
    from nixcfg.yamltext import reader

    found = []
    for path in (_root(ctx) / wiring.PROVIDERS_DIR).glob("*.y*ml"):
        data = reader.read(path, path.name).data
        entries = data.get("model_list") if isinstance(data, dict) else None
        for each in entries if isinstance(entries, list) else ():
            name = each.get("model_name") if isinstance(each, dict) else None
            found += [name] if isinstance(name, str) else []
    return _starting(typed, found)


def codes(_ctx: click.Context, _param: click.Parameter, typed: str) -> "list[CompletionItem]":
    """The codes that explain takes, with their titles, from the names of the pages alone."""
    from click.shell_completion import CompletionItem

    from nixcfg.problems import pages

    found = [code for code in pages.codes() if code.startswith(typed.upper())]
    return [CompletionItem(code, help=pages.title(code)) for code in found]


def _texts(data: object) -> Iterable[str]:
    """The texts in a document; comments are none of them."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        yield from (text for value in data.values() for text in _texts(value))
    elif isinstance(data, list):
        yield from (text for value in data for text in _texts(value))


def _starting(typed: str, words: Iterable[str]) -> list[str]:
    return sorted({word for word in words if word.startswith(typed)})


def _root(ctx: click.Context) -> Path:
    base = Path(ctx.find_root().params.get("directory") or ".").absolute()
    found = (each for each in (base, *base.parents) if (each / wiring.PROJECT_FILE).is_file())
    return next(found, base)


def _known(ctx: click.Context) -> "Knowledge":
    """What is known of the release of the project, or of the default one."""
    from nixcfg.knowledge import judge
    from nixcfg.yamltext import reader

    data = reader.read(_root(ctx) / wiring.PROJECT_FILE, wiring.PROJECT_FILE).data
    return judge(str(data.get("image", "") if isinstance(data, dict) else "")).knowledge


def _providers(ctx: click.Context) -> list[str]:
    folder = _root(ctx) / wiring.PROVIDERS_DIR
    names = os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208 (names only)
    return [name.rpartition(".")[0] for name in names if wiring.is_provider_file(name)]


def _profiles(ctx: click.Context) -> list[str]:
    return _names(ctx, "profiles")


def _names(ctx: click.Context, section: str) -> list[str]:
    from nixcfg.yamltext import reader

    data = reader.read(_root(ctx) / wiring.PROJECT_FILE, wiring.PROJECT_FILE).data
    found = data.get(section) if isinstance(data, dict) else None
    return list(found) if isinstance(found, dict) else []
