"""Add, remove and choose providers: the texts that a project would have afterwards. Pure.

An amendment is made in memory and validated as a whole project, so that what is written never
leaves one that does not validate.
"""

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from nixcfg import knowledge, validate
from nixcfg.knowledge import Credential, ProviderFacts
from nixcfg.problems.problem import Problem, SetValue, Steps
from nixcfg.project import project, shape, wiring
from nixcfg.project.model import ENVIRONMENT, MODELS, Project
from nixcfg.project.project import Sources
from nixcfg.project.wiring import KeyFile
from nixcfg.render import render
from nixcfg.rules import secrets
from nixcfg.validate import Report
from nixcfg.yamltext import editor, source
from nixcfg.yamltext.data import at
from nixcfg.yamltext.edits import AddItem, AddKey, RefusedError, Remove
from nixcfg.yamltext.source import Document

PLACEHOLDER = "replace-me\n"
NO_KEY = "none"
"""What a server that asks for no key gets: with nothing, LiteLLM would send another vendor's."""

_SCHEMA = re.compile(r"yaml-language-server: \$schema=(\S*)project\.schema\.json")


class AmendError(Exception):
    """It cannot be done; the message says why and how to mend it. `problems` are those of the
    project as it would be (or already is)."""

    def __init__(self, message: str, problems: Iterable[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A provider to add. `models` without prefix, `aliases` one for each or none.

    `settings` are variables that are no secrets, with their values. `named` are variables that
    hold secrets: one of the provider's own chooses that way to authenticate, another takes the
    place of its usual key. `key_files` are files for variables, "" stands for the provider's key.
    `keyless`: the server asks for no key.
    """

    name: str
    prefix: str
    models: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    api_base: str = ""
    named: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    key_files: Mapping[str, str] = field(default_factory=dict)
    profiles: tuple[str, ...] = ()
    keyless: bool = False

    def base(self, facts: ProviderFacts) -> str:
        """The address, also where it was given by the name of its variable; "" for none."""
        named = (c.variable for c in facts.credentials if _is_address(c, facts))
        return self.api_base or next((self.settings[n] for n in named if n in self.settings), "")

    @property
    def variables(self) -> frozenset[str]:
        """Every variable that was named: they decide between several ways to authenticate."""
        return frozenset({*self.settings, *self.key_files, *self.named} - {""})


@dataclass(frozen=True, slots=True)
class Amendment:
    """Texts by path in the project, None for a file that goes, in the order to write them.

    The project validates after each of them. `report` is that of the amended project.
    """

    texts: Mapping[str, str | None]
    report: Report

    @property
    def project(self) -> Project:
        assert self.report.project is not None  # noqa: S101 (an invalid one is never built)
        return self.report.project


def add(sources: Sources, wish: Wish, examples: Collection[str], today: dt.date) -> Amendment:
    """The project with one more provider. `examples` are the files of secrets.example/.

    `today` is what the report goes by when it tells which models are retired.

    Raises AmendError.
    """
    path = wiring.provider_path(wish.name)
    check_name(sources, wish.name)
    facts = provider_facts(wish.prefix)
    data = provider_data(wish, facts)
    _check_model_names(sources, wish, data)
    text = render.provider_yaml(data, _schema(sources.project))
    document = source.parse(text, path)
    providers = {**sources.providers, wish.name: document}
    with_file = _report(sources, sources.project, providers, today)
    key_files = _key_files(wish, facts, sources.project)
    _refuse_other_file(with_file, wish, key_files)
    machine = _machine(sources.project, wish, key_files)
    report = _report(sources, machine, providers, today)
    _refuse_invalid(report, f"{wish.name} was not added: the project would not validate")
    _refuse_invalid(with_file, f"{wish.name} was not added: it needs more than one step")
    _refuse_shared_key(report, wish, facts)
    old = sources.providers.get(wish.name)
    if old is not None and (old.data != document.data or machine is sources.project):
        raise AmendError(f"{path} exists already; choose another name, with --provider PREFIX")
    texts: dict[str, str | None] = {}
    for variable in _secrets(report, wish.name):
        example = _example(variable)
        if example.rpartition("/")[2] not in examples:
            texts[example] = PLACEHOLDER
    if old is None:
        texts[path] = text
    if machine is not sources.project:
        texts[wiring.PROJECT_FILE] = machine.text
    return Amendment(texts, report)


def remove(sources: Sources, name: str, examples: Mapping[str, str], today: dt.date) -> Amendment:
    """The project without a provider, its profile memberships, and secrets nobody else uses.

    `examples` are the files of secrets.example/ with their texts. Raises AmendError.
    """
    if name not in sources.providers:
        raise AmendError(f"there is no {wiring.provider_path(name)}")
    if len(sources.providers) == 1:
        raise AmendError(f"{name} is the only provider; a gateway needs one")
    _refuse_unreadable(sources)
    before = validate.validate(sources, today)
    rest = {each: document for each, document in sources.providers.items() if each != name}
    machine = sources.project
    # Of a project with errors nobody can tell what its providers share.
    orphans = (
        set(_secrets(before, name)).difference(*(_secrets(before, each) for each in rest))
        if before.project
        else set()
    )
    try:
        machine = _without_provider(machine, name, orphans)
    except RefusedError as error:
        raise AmendError(
            f"{name} is named in {machine.name}: {error}. Take it out there."
        ) from None
    report = _report(sources, machine, rest, today)
    _refuse_invalid(report, f"{name} was not removed: the project would not validate")
    texts: dict[str, str | None] = {}
    if machine is not sources.project:
        texts[wiring.PROJECT_FILE] = machine.text
    for variable in sorted(orphans):
        example = _example(variable)
        if examples.get(example.rpartition("/")[2]) == PLACEHOLDER:
            texts[example] = None
    texts[sources.providers[name].name] = None  # last: until then the command can be run again
    return Amendment(texts, report)


def use(sources: Sources, config: str, today: dt.date, host: str | None = None) -> Amendment:
    """The project, or one of its hosts, with another `model_config`. Raises AmendError."""
    _refuse_unreadable(sources)
    machine = sources.project
    hosts = machine.data.get("hosts", {})
    if host is not None and host not in hosts:
        there = f"there are {', '.join(hosts)}" if hosts else "it has no hosts"
        raise AmendError(f"{machine.name} has no host {host}; {there}")
    try:
        machine = _with_value(machine, _model_config(host or ""), config)
    except RefusedError as error:
        where = f"for {host} there" if host else "there"
        raise AmendError(f"{machine.name}: {error}. Set model_config: {config} {where}.") from None
    report = _report(sources, machine, sources.providers, today)
    _refuse_invalid(report, "nothing was changed")
    changed = machine.text != sources.project.text
    return Amendment({wiring.PROJECT_FILE: machine.text} if changed else {}, report)


def _model_config(host: str) -> Steps:
    return ("hosts", host, "model_config") if host else ("model_config",)


def overview(whole: Project) -> list[dict[str, Any]]:
    """A row for each provider: `{name, models, secrets: [{variable, file}], configs}`."""
    secrets_of = {config.name: config.secrets for config in whole.machine.configs}
    return [
        {
            "name": each.name,
            "models": list(each.model_names),
            "secrets": [
                {"variable": variable, "file": whole.machine.key_files[variable].file}
                for variable in secrets_of[each.name]
            ],
            "configs": [
                config.name for config in whole.machine.configs if each.name in config.providers
            ],
        }
        for each in whole.providers
    ]


def keys_of(whole: Project, what: str) -> list[KeyFile]:
    """The key files of a provider, or that of a variable. Raises AmendError where there is none."""
    if what in whole.machine.key_files:
        return [whole.machine.key_files[what]]
    if what == wiring.MASTER_KEY_VARIABLE and whole.machine.master_key_file:
        return [KeyFile(what, whole.machine.master_key_file)]
    found = next((each for each in whole.machine.configs if each.providers == (what,)), None)
    if found is None or found.name != what:
        known = [*(each.name for each in whole.providers), *whole.machine.key_files]
        guess = shape.nearest(what, known)
        mend = f"did you mean {guess}?" if guess else f"there are {', '.join(known)}"
        raise AmendError(f"no provider and no secret is called {what}; {mend}")
    if not found.secrets:
        raise AmendError(f"{what} needs no key")
    return [whole.machine.key_files[variable] for variable in found.secrets]


def needs(facts: ProviderFacts, named: Collection[str]) -> tuple[Credential, ...]:
    """The credentials that a provider is reached with.

    Where there are several ways, the variables that a user has `named` decide.
    """
    usual = tuple(c for c in facts.credentials if c.required)
    if set(named) & {c.variable for c in usual}:
        return usual
    known = {credential.variable: credential for credential in facts.credentials}
    for variables in facts.alternatives:
        if set(named) & set(variables):
            # LiteLLM reads those that it has no parameter for from the environment only.
            return tuple(
                known.get(v) or Credential(v, None, _is_secret(v), False, True) for v in variables
            )
    return usual


def _is_secret(variable: str) -> bool:
    return re.search(r"(BASE|URL|ENDPOINT|_ID|REGION|LOCATION|USER|TENANCY)$", variable) is None


def provider_data(wish: Wish, facts: ProviderFacts) -> dict[str, Any]:
    """What the provider's file holds. Raises AmendError where something is missing or unsafe."""
    base = _base(wish, facts)
    key = key_variable(wish, facts)
    wanted = _wanted(wish, facts)
    params: dict[str, Any] = {"api_base": base} if base else {}
    variables: dict[str, Any] = {}
    for credential in wanted:
        name = credential.variable
        if name in wish.settings or (base and _is_address(credential, facts)):
            continue
        if credential is _main(wanted) and key != name:
            params[credential.param or "api_key"] = wiring.reference(key) if key else NO_KEY
        elif credential.param and credential.secret and not credential.required:
            params[credential.param] = wiring.reference(name)  # rendered for required ones only
        else:
            variables[name] = f"${{{name}}}"
    if not any(credential.secret for credential in wanted):
        if key:
            params["api_key"] = wiring.reference(key)
        elif facts.falls_back_to or wish.keyless:
            params["api_key"] = NO_KEY
    _add_settings(wish, facts, params, variables)
    return {
        MODELS: [
            {"model_name": alias, "litellm_params": {"model": f"{wish.prefix}/{model}", **params}}
            for model, alias in zip(wish.models, aliases(wish), strict=True)
        ],
        ENVIRONMENT: variables,
    }


def _add_settings(
    wish: Wish, facts: ProviderFacts, params: dict[str, Any], variables: dict[str, Any]
) -> None:
    """What is no secret: as a parameter where LiteLLM has one, so that providers cannot clash."""
    known = {c.variable: c for c in (*facts.credentials, *_wanted(wish, facts))}
    for name, value in wish.settings.items():
        param = known[name].param if name in known else None
        if name in known and _is_address(known[name], facts):
            continue
        if (name in known and known[name].secret) or secrets.names_secret(name):
            raise AmendError(
                f"{name} is a secret, and a command line is no place for one: write --env {name} "
                "alone, and store it with nixcfg set-key"
            )
        refuse_key(name, value)
        (params if param else variables)[param or name] = value


def key_variable(wish: Wish, facts: ProviderFacts) -> str:
    """The variable that holds the provider's key, "" for a server without one.

    At another address than the vendor's own the key is another too: the usual one must not go
    there. Raises AmendError.
    """
    wanted = _wanted(wish, facts)
    main = _main(wanted)
    if wish.keyless:
        if main is None and any(credential.secret for credential in wanted):
            raise AmendError(f"{wish.prefix} cannot do without its keys")
        return ""
    known = {credential.variable for credential in (*facts.credentials, *wanted)}
    others = [name for name in wish.named if name not in known]
    if len(others) > 1:
        raise AmendError(f"{others[0]} and {others[1]} cannot both hold the key of {wish.name}")
    if others:
        return others[0]
    if main is None:
        return ""
    is_named = main.variable in wish.variables
    return main.variable if is_named or not _is_elsewhere(wish, facts) else own_variable(wish.name)


def _wanted(wish: Wish, facts: ProviderFacts) -> tuple[Credential, ...]:
    """The credentials that the provider's file declares: what is needed, and what was named."""
    named = (credential for credential in facts.credentials if credential.variable in wish.named)
    return tuple(dict.fromkeys((*needs(facts, wish.variables), *named)))


def _main(required: Iterable[Credential]) -> Credential | None:
    """The secret that can be read from another variable: a provider's only one."""
    secret = [credential for credential in required if credential.secret]
    return secret[0] if len(secret) == 1 else None


def aliases(wish: Wish) -> tuple[str, ...]:
    """What clients ask for: as told, or the last part of the model's name.

    Raises AmendError.
    """
    if wish.aliases:
        if len(wish.aliases) != len(wish.models):
            raise AmendError("give as many --alias as --model, in the same order")
        chosen = wish.aliases
    else:
        short = tuple(model.rpartition("/")[2] for model in wish.models)
        plain = "*" not in "".join(wish.models) and len(set(short)) == len(short)
        chosen = (
            short
            if plain
            else tuple(f"{wish.prefix}/{model}" if "*" in model else model for model in wish.models)
        )
    twice = next((alias for alias in chosen if chosen.count(alias) > 1), None)
    if twice is not None:
        raise AmendError(f"{twice} would stand for two models; give each an --alias of its own")
    return chosen


def bare(prefix: str, model: str) -> str:
    """A model as a user may write it, with the provider's prefix or without, without it."""
    return model.removeprefix(f"{prefix}/")


def reachable(base: str, facts: ProviderFacts) -> str:
    """A base URL as the container has to call it.

    localhost would be the container itself, and an OpenAI-compatible address without its /v1 is a
    mistake that LiteLLM takes in silence (404s). Raises AmendError for what is no such URL.
    """
    url = urlsplit(base)
    if url.scheme not in ("http", "https") or not url.hostname or re.search(r"\s", base):
        raise AmendError(f"--api-base {base} is no address; write it as https://host/v1")
    if url.username or url.password:
        raise AmendError("--api-base holds a password; a key belongs in a key file")
    path = url.path.rstrip("/")
    usual = facts.api_base.path or ""
    if not path and "{" not in usual:
        path = usual.rstrip("/")
    host = url.netloc
    if wiring.is_loopback(base):
        host = wiring.HOST + (f":{url.port}" if url.port else "")
    return url._replace(netloc=host, path=path).geturl()


def _base(wish: Wish, facts: ProviderFacts) -> str:
    given = wish.base(facts)
    if given:
        return reachable(given, facts)
    default = facts.api_base.default
    if default and wiring.is_loopback(default):
        return reachable(default, facts)
    if facts.api_base.required:
        raise AmendError(_no_base(wish, facts))
    return ""


def _is_address(credential: Credential, facts: ProviderFacts) -> bool:
    return credential.param == "api_base" or credential.variable == facts.api_base.variable


def _no_base(wish: Wish, facts: ProviderFacts) -> str:
    lost = facts.api_base.sent_to
    why = f"; without one LiteLLM would send prompts to {lost}" if lost else ""
    return f"{wish.prefix} needs an address{why}: --api-base https://host/v1"


def _is_elsewhere(wish: Wish, facts: ProviderFacts) -> bool:
    """Whether the vendor's usual key would go to somebody else's host."""
    usual = facts.api_base.default
    base = wish.base(facts)
    if not base or not usual or wiring.is_loopback(usual):
        return False
    return urlsplit(base).hostname != urlsplit(usual).hostname


def own_variable(name: str) -> str:
    """The variable for the key of a server that is nobody else's: `box` has BOX_API_KEY."""
    variable = re.sub(r"[^A-Z0-9]+", "_", name.upper())
    return f"{variable if variable[0].isalpha() else f'KEY_{variable}'}_API_KEY"


def refuse_key(name: str, value: str) -> None:
    """Raises AmendError, without the value, for a setting that has the shape of a key."""
    if secrets.looks_like_key(value) and "://" not in value and "/" not in value:
        raise AmendError(
            f"the value of {name} looks like a key, and files of this project are no place for "
            f"one: write --env {name} alone, and store it with nixcfg set-key"
        )


def check_name(sources: Sources, name: str) -> None:
    """Raises AmendError for a name that no provider can have in this project."""
    _refuse_unreadable(sources)
    if not project.is_name(name):
        raise AmendError(f"{name} cannot be a name: use letters, digits, - and _")
    if name == wiring.ALL or name in sources.project.data.get("profiles", {}):
        taken = "built in" if name == wiring.ALL else "a profile"
        raise AmendError(f"{name} is {taken}; choose another name, with --provider PREFIX")


def provider_facts(prefix: str) -> ProviderFacts:
    """What is known of a provider that can be added. Raises AmendError."""
    facts = knowledge.provider(prefix)
    if facts is None:
        raise AmendError(f"LiteLLM has no provider {prefix}")
    if facts.interactive_login:
        raise AmendError(f"{prefix} asks for a login in a browser, which a service cannot do")
    return facts


def model_names(sources: Sources, name: str) -> dict[str, str]:
    """The model names that other providers than `name` offer, and which of them does."""
    return {
        entry["model_name"]: other
        for other, document in sources.providers.items()
        if other != name and isinstance(document.data, Mapping)
        for entry in document.data.get(MODELS) or ()
        if isinstance(entry, Mapping) and isinstance(entry.get("model_name"), str)
    }


def _check_model_names(sources: Sources, wish: Wish, data: Mapping[str, Any]) -> None:
    taken = model_names(sources, wish.name)
    for deployment in data[MODELS]:
        name = deployment["model_name"]
        if name in taken:
            raise AmendError(
                f"{taken[name]} offers {name} already, and LiteLLM would take turns between the "
                f"two; try --alias {wish.name}-{name}"
            )


def _refuse_shared_key(report: Report, wish: Wish, facts: ProviderFacts) -> None:
    """A variable that was made up for a server must not be that of another one already."""
    key = key_variable(wish, facts)
    if key in wish.variables or key in {c.variable for c in _wanted(wish, facts)}:
        return
    for each in report.project.providers if report.project else ():
        if each.name != wish.name and key in each.variables:
            raise AmendError(
                f"{each.name} keeps its key in {key} too; name another variable with --env NAME"
            )


def _key_files(
    wish: Wish, facts: ProviderFacts, document: Document
) -> dict[str, str | dict[str, str]]:
    """The entries of `secrets` that a wish needs."""
    key = key_variable(wish, facts)
    if "" in wish.key_files and not key:
        raise AmendError(
            f"{wish.name} has not one key but several or none: --key-file VARIABLE=PATH"
        )
    files: dict[str, str | dict[str, str]] = {
        variable or key: file for variable, file in wish.key_files.items()
    }
    main = _main(_wanted(wish, facts))
    if main and main.file and key != main.variable:
        # Which of the provider's own variables hold a path is known; of another it is said here.
        folder = document.data.get("secrets_dir", wiring.DEFAULT_SECRETS_DIR)
        files[key] = {"file": wish.key_files.get("", wiring.key_file(key, folder)), "kind": "file"}
    return files


def _refuse_other_file(
    before: Report, wish: Wish, files: Mapping[str, str | Mapping[str, str]]
) -> None:
    """Where a provider's key is kept must not change because another one is added."""
    for each in before.project.providers if before.project else ():
        for variable in sorted(each.variables & set(files)) if each.name != wish.name else ():
            old = before.project.machine.key_files[variable].file if before.project else ""
            if files[variable] != old:
                raise AmendError(
                    f"{each.name} has its {variable} in {old}; for another key, name a variable "
                    "of its own: --env NAME"
                )


def _machine(
    document: Document, wish: Wish, key_files: Mapping[str, str | Mapping[str, str]]
) -> Document:
    """nixcfg.yaml with the key files and the profiles of a wish."""
    try:
        for variable, file in key_files.items():
            if document.data.get("secrets", {}).get(variable) != file:
                document = _with_value(document, ("secrets", variable), file)
        for profile in wish.profiles:
            path = ("profiles", profile)
            members = document.data.get("profiles", {}).get(profile)
            if members is None:
                document = editor.apply(document, [AddKey(path, [wish.name])])
            elif wish.name not in members:
                document = editor.apply(document, [AddItem(path, wish.name)])
    except RefusedError as error:
        raise AmendError(f"{document.name}: {error}; nothing was changed") from None
    return document


def _with_value(document: Document, path: Steps, value: str | Mapping[str, str]) -> Document:
    """nixcfg.yaml with a value, in place of another or as a new entry. Raises RefusedError."""
    there = at(document.data, path[:-1]) if path[0] in document.data else {}
    if isinstance(value, str) and path[-1] in there:
        return editor.apply(document, [SetValue(path, value)])
    return editor.apply(document, [AddKey(path, value)])


def _without_provider(document: Document, name: str, orphans: Iterable[str]) -> Document:
    gone = {name}
    for profile, members in document.data.get("profiles", {}).items():
        if name not in members:
            continue
        if set(members) == {name}:
            document = editor.apply(document, [Remove(("profiles", profile))])
            gone.add(profile)
        else:
            path = ("profiles", profile, members.index(name))
            document = editor.apply(document, [Remove(path)])
    for host in ("", *document.data.get("hosts", {})):
        given = document.data["hosts"][host] if host else document.data
        if given.get("model_config") in gone:
            document = _with_value(document, _model_config(host), wiring.ALL)
        for variable in sorted(orphans):
            if variable in given.get("secrets", {}):
                if host and [*given] == ["secrets"] and len(given["secrets"]) == 1:
                    raise RefusedError(f"hosts.{host} gives nothing but its {variable}")
                above = ("hosts", host) if host else ()
                document = editor.apply(document, [Remove((*above, "secrets", variable))])
                given = document.data["hosts"][host] if host else document.data
    return document


def _schema(document: Document) -> str:
    found = _SCHEMA.search(document.text)
    if not found:
        return ""
    return (
        f"{found[1]}provider.schema.json"
        if ":" in found[1]
        else f"../{found[1]}provider.schema.json"
    )


def _report(
    sources: Sources, machine: Document, providers: Mapping[str, Document], today: dt.date
) -> Report:
    """The project as it would be. That it has had no provider yet is no problem any more."""
    problems = tuple(p for p in sources.problems if p.file != wiring.PROVIDERS_DIR)
    return validate.validate(Sources(sources.root, machine, dict(providers), problems), today)


def _refuse_unreadable(sources: Sources) -> None:
    """A nixcfg.yaml that cannot be understood cannot be edited either."""
    document = sources.project
    problems = [*document.problems, *shape.check(document, "project")]
    errors = [problem for problem in problems if problem.is_error]
    if errors:
        raise AmendError(f"nothing was changed: {document.name} has errors", errors)


def _refuse_invalid(report: Report, message: str) -> None:
    if not report.is_valid:
        raise AmendError(message, (p for p in report.problems if p.is_error))


def _secrets(report: Report, provider: str) -> tuple[str, ...]:
    assert report.project is not None  # noqa: S101 (asked of valid projects only)
    return next(c.secrets for c in report.project.machine.configs if c.name == provider)


def _example(variable: str) -> str:
    return wiring.key_file(variable, wiring.EXAMPLES_DIR)
