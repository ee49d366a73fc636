"""A LiteLLM configuration as a source: what of it can be carried over, and under which names."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nixcfg import knowledge
from nixcfg.importing import Kind, Note
from nixcfg.importing.rest import rewritten
from nixcfg.importing.written import is_key, is_reference, is_secret_field, texts
from nixcfg.problems.problem import Span, Steps
from nixcfg.project import wiring
from nixcfg.project.credentials import credentials
from nixcfg.project.merge import honouring_section
from nixcfg.project.model import ENVIRONMENT, MODELS, SETTINGS
from nixcfg.project.values import dollar, reference, referenced
from nixcfg.yamltext.data import at, walk
from nixcfg.yamltext.document import Document

_GENERAL = "general_settings"
_MASTER_KEY: Steps = (_GENERAL, "master_key")
_DEFAULTED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*):?-[^}]*\}")
_PLACE = re.compile(r" \((?:configs\..+|line \d+)\)$")
"""Where in another file a configuration is written; a file's own name may end in " (1)"."""
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
# The settings that name Python code: LiteLLM imports `module.attribute` from beside its file.
_CODE_LISTS = ("callbacks", "success_callback", "failure_callback", "audit_log_callbacks")
_CODE = ("custom_provider_map", "post_call_rules", "pre_call_rules")


@dataclass(slots=True)
class Names:
    """Variables for keys that were written out: one for each key, under all files together."""

    taken: set[str] = field(default_factory=set)
    _by_key: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)

    def of(self, wanted: str, key: str) -> str:
        """The variable for a key that would best be called `wanted`."""
        name = self._by_key.get((wanted, key))
        number = 1
        while name is None:
            name = wanted if number == 1 else f"{wanted}_{number}"
            if name in self.taken:
                name, number = None, number + 1
        self.taken.add(name)
        self._by_key[(wanted, key)] = name
        return name


@dataclass(slots=True)
class Litellm:
    """One configuration. `document` holds no key any more; `gone` are the paths left out of it.

    `groups` are the indices of the deployments by the LiteLLM provider that answers them.
    `has_master_key`: it had a master key written out, which is to come from a file from now on.
    `is_dumped`: keys stood where a text cannot be changed without losing its comments.
    """

    document: Document
    gone: set[Steps] = field(default_factory=set)
    groups: dict[str, list[int]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    has_master_key: bool = False
    is_dumped: bool = False

    @property
    def sections(self) -> list[str]:
        """The sections that are carried over, but for the models."""
        return [s for s in self.document.data if (s,) not in self.gone and s != MODELS]

    @property
    def is_inline(self) -> bool:
        """Whether it is written in another file, which may put in the variables by itself."""
        return _PLACE.search(self.document.name) is not None

    @property
    def file_name(self) -> str:
        """The name of the file that it is written in."""
        return _PLACE.sub("", self.document.name)

    def note(
        self, kind: Kind, path: Steps, message: str, *, key: bool = False, variable: str = ""
    ) -> None:
        span = self.document.span(path, key=key)
        self.notes.append(Note(kind, self.document.name, span, message, variable))

    def drop(self, index: int) -> None:
        """Forget the deployment at `index`."""
        for name, indices in list(self.groups.items()):
            self.groups[name] = [each for each in indices if each != index]
            if not self.groups[name]:
                del self.groups[name]

    def path_at(self, span: Span) -> Steps | None:
        """The path to what is at a place, as far down as possible."""
        found: Steps | None = None
        for path, _ in walk(self.document.data):
            if span in (self.document.span(path), self.document.span(path, key=True)):
                found = path
        return found

    def leave_out(self, path: Steps, why: str) -> None:
        self.gone.add(path)
        self.note(Kind.LEFT_OUT, path, why, key=True)


def names_in_use(documents: Iterable[Document], given: Iterable[str]) -> Names:
    """The variables that the configurations read already, and those that are `given`."""
    names = Names({wiring.MASTER_KEY_VARIABLE, *given})
    for document in documents:
        for _, _, text in texts(document.data):
            names.taken |= {each for each in (referenced(text), dollar(text)) if each}
        for entry in document.data.get(MODELS) or ():
            needed = credentials(entry["litellm_params"], (), knowledge.current())
            names.taken |= {credential.variable for credential in needed}
    return names


def read(document: Document, names: Names) -> Litellm:
    """What of a document that passed the schema of a provider file can be carried over."""
    found = Litellm(document)
    _leave_out_code(found)
    _leave_out_sections(found)
    _ignored(found)
    _leave_out_deployments(found)
    _replace_keys(found, names)
    return found


def is_config(data: Any) -> bool:
    """Whether a YAML document is a LiteLLM configuration."""
    return isinstance(data, dict) and any(section in data for section in (MODELS, *SETTINGS))


def _leave_out_code(found: Litellm) -> None:
    data = found.document.data
    for section in SETTINGS:
        settings = data.get(section) or {}
        for key, value in settings.items():
            names_code = isinstance(value, str) and _MODULE.fullmatch(value)
            if value and (key in _CODE or (key.startswith("custom_") and names_code)):
                found.leave_out(
                    (section, key), f"{key} needs Python code that is not part of a project"
                )
        for key in _CODE_LISTS:
            value = settings.get(key)
            if isinstance(value, str) and _MODULE.fullmatch(value):
                found.leave_out((section, key), f"{key} needs the Python module of {value}")
            for index, item in enumerate(value if isinstance(value, list) else ()):
                if isinstance(item, str) and _MODULE.fullmatch(item):
                    found.leave_out((section, key, index), f"{key} needs the Python module {item}")
    for index, entry in enumerate(data.get("guardrails") or ()):
        kind = entry.get("litellm_params", {}).get("guardrail") if isinstance(entry, dict) else None
        if isinstance(kind, str) and _MODULE.fullmatch(kind):
            found.leave_out(("guardrails", index), f"a guardrail needs the Python module of {kind}")


def _leave_out_sections(found: Litellm) -> None:
    known = {*SETTINGS, MODELS, ENVIRONMENT, *knowledge.keys("top_level")}
    for section, value in found.document.data.items():
        path: Steps = (section,)
        if section == "include":
            found.leave_out(path, "include: name the included files on the command line as well")
        elif section not in known:
            found.leave_out(path, f"LiteLLM ignores a top-level {section}")
        elif value is None and section != MODELS:
            found.gone.add(path)
        elif section == ENVIRONMENT:
            for name in set(value) & knowledge.current().blocked_variables:
                found.leave_out((section, name), f"LiteLLM does not let a file set {name}")


def _ignored(found: Litellm) -> None:
    """Settings that LiteLLM ignores where they are.

    Beside the same one where it is honoured they never counted. Any other is rendered where it is
    honoured, and so takes effect for the first time.
    """
    data = found.document.data
    for section in SETTINGS:
        for key in data.get(section) or ():
            home = honouring_section(knowledge.current(), section, key)
            if not home or home == section:
                continue
            if key in (data.get(home) or ()):
                why = f"{key} has no effect in {section}, and {home} has it too"
                found.leave_out((section, key), why)
            elif (section, key) not in found.gone:
                what = f"{key} had no effect in {section}; it takes effect now, in {home}"
                found.note(Kind.CHANGED, (section, key), what, key=True)


def _leave_out_deployments(found: Litellm) -> None:
    for index, entry in enumerate(found.document.data.get(MODELS) or ()):
        provider = provider_of(entry["litellm_params"])
        if provider is None:
            name = entry["litellm_params"]["model"]
            found.leave_out((MODELS, index), f"LiteLLM drops it: no provider for {name}")
        else:
            found.groups.setdefault(provider, []).append(index)


def provider_of(params: Mapping[str, Any]) -> str | None:
    """The LiteLLM provider that answers a deployment; None for one that LiteLLM drops."""
    given = params.get("custom_llm_provider")
    name, _ = knowledge.split_model(params["model"], given, params.get("api_base"))
    if name is not None:
        return name if knowledge.provider(name) else None
    return "from-environment" if referenced(params["model"]) else None


def _replace_keys(found: Litellm, names: Names) -> None:
    """Write a reference in place of every key; what cannot hold a reference is left out."""
    edits: dict[Steps, str] = {}
    kept = []
    read_now: set[str] = set()
    for path, key, text in texts(found.document.data):
        if any(path[: len(gone)] == gone for gone in found.gone):
            continue
        defaulted = _DEFAULTED.fullmatch(text)
        if path == _MASTER_KEY and not is_reference(text):
            found.gone.add(path)
            found.has_master_key = True
            found.note(Kind.SECRET, path, "a master key is written out; it comes from a file now")
        elif defaulted and path[0] != ENVIRONMENT:
            edits[path] = reference(defaulted[1])
            found.note(
                Kind.CHANGED,
                path,
                f"LiteLLM expands no ${{{defaulted[1]}:-...}}; it is {edits[path]} now",
            )
        elif (variable := dollar(text)) and variable not in read_now and not found.is_inline:
            read_now.add(variable)
            what = f"LiteLLM took ${{{variable}}} as it is; it is the variable now"
            found.note(Kind.CHANGED, path, what)
        elif is_key(found.document, path, key, text):
            _replace_key(found, path, names, edits)
        elif text and is_secret_field(path, key) and not is_reference(text):
            kept.append(path)
    if kept:
        places = ", ".join(str(found.document.span(path).line) for path in kept)
        found.note(
            Kind.CHECK, kept[0], f"looks like a placeholder, not a key; kept in line {places}"
        )
    if edits:
        found.document, found.is_dumped = rewritten(found.document, edits)


def _replace_key(found: Litellm, path: Steps, names: Names, edits: dict[Steps, str]) -> None:
    data = found.document.data
    if isinstance(path[-1], int):
        while not isinstance(path[-1], str):
            path = path[:-1]
        if path not in found.gone:
            found.leave_out(path, f"{path[-1]} has a key in a list, where none can be referred to")
        return
    value = at(data, path)
    name = names.of(_variable(data, path), value)
    edits[path] = f"${{{name}}}" if path[0] == ENVIRONMENT else reference(name)
    found.note(
        Kind.SECRET,
        path,
        f"{path[-1]} is written out (********); it is {name} now. Replace it where it was issued",
        variable=name,
    )


def _variable(data: Mapping[str, Any], path: Steps) -> str:
    """What the variable for the key at `path` is best called."""
    key = str(path[-1])
    if path[0] == ENVIRONMENT:
        return key
    if path[0] == MODELS:
        params = data[MODELS][path[1]]["litellm_params"]
        provider = provider_of(params) or ""
        facts = knowledge.provider(provider)
        for credential in facts.credentials if facts else ():
            if credential.param == key:
                return credential.variable
        return _upper(f"{provider}_{key}")
    words = [str(step) for step in path[1:] if isinstance(step, str)]
    if path[0] == "credential_list":
        words = [str(data["credential_list"][path[1]]["credential_name"]), key]
    words = [word.removesuffix("_params") for word in words[-2:]]
    return _upper("_".join(words))


def _upper(name: str) -> str:
    name = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").upper()
    return name if not name[:1].isdigit() else f"KEY_{name}"
