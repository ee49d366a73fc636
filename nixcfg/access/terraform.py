"""Teams, users and keys out of files of Terraform's LiteLLM provider. Pure.

Literals and references between resources are carried over. What is computed (variables, functions)
is left out and named, and so is every value of a key.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from nixcfg.access.importing import named
from nixcfg.importing import NotImportableError
from nixcfg.knowledge import Knowledge

if TYPE_CHECKING:
    from tree_sitter import Node

_KINDS = {"litellm_team": "teams", "litellm_user": "users", "litellm_key": "keys"}
_NAMES = {"teams": "team_alias", "users": "user_id", "keys": "key_alias"}
_BELONGS = {"team_id": ("team", "teams"), "user_id": ("user", "users")}
_MEMBER = "litellm_team_member"


class Resource(NamedTuple):
    """`resource "litellm_team" "research" {…}`: type, label and attributes."""

    kind: str
    label: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Reference:
    """`litellm_team.research.id`: another resource, by type and label."""

    kind: str
    label: str


@dataclass(frozen=True)
class Computed:
    """An expression that only Terraform can work out."""


@dataclass
class Found:
    """The sections, and what was left out, a line each."""

    sections: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def sections(files: Mapping[str, str], knowledge: Knowledge) -> Found:
    """What the files have, by name of the file. Raises NotImportableError."""
    resources = [each for name, text in files.items() for each in _resources(name, text)]
    found = Found({section: {} for section in _KINDS.values()})
    names = {
        section: named(
            (label, attributes.get(_NAMES[section], label))
            for kind, label, attributes in resources
            if _KINDS.get(kind) == section
        )
        for section in _KINDS.values()
    }
    for kind, label, attributes in resources:
        section = _KINDS.get(kind)
        if section:
            entry = dict(_entry(found, names, Resource(section, label, attributes), knowledge))
            found.sections[section][names[section][label]] = entry
        elif kind != _MEMBER:
            found.notes.append(f"{kind}.{label}: is no team, user or key")
    for kind, label, attributes in resources:
        if kind == _MEMBER:
            _join(found, names, label, attributes)
    return found


def _entry(
    found: Found,
    names: Mapping[str, Mapping[str, str]],
    resource: Resource,
    knowledge: Knowledge,
) -> Iterator[tuple[str, Any]]:
    section, label, attributes = resource
    known = knowledge.access(section.removesuffix("s"))
    for name, value in attributes.items():
        if name == _NAMES[section]:
            continue
        if section == "keys" and name in _BELONGS:
            ours, theirs = _BELONGS[name]
            target = _named(names[theirs], value)
            if target:
                yield ours, target
                continue
        if name not in known:
            found.notes.append(f"{section} {label}: {name} is nothing that nixcfg.yaml says")
        elif _is_whole(value):
            yield name, value
        else:
            found.notes.append(f"{section} {label}: {name} is computed; write it yourself")


def _named(names: Mapping[str, str], value: Any) -> str | None:
    """The name of what a value refers to, by its label or as a text."""
    if isinstance(value, Reference):
        return names.get(value.label)
    return value if isinstance(value, str) and value in names.values() else None


def _join(
    found: Found,
    names: Mapping[str, Mapping[str, str]],
    label: str,
    attributes: Mapping[str, Any],
) -> None:
    team = _named(names["teams"], attributes.get("team_id"))
    user = _named(names["users"], attributes.get("user_id"))
    if team and user:
        teams = found.sections["users"][user].setdefault("teams", [])
        teams.append(team)
    else:
        found.notes.append(f"{_MEMBER}.{label}: names a team or a user that is not in these files")


def _is_whole(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_is_whole, value.values()))
    if isinstance(value, list):
        return all(map(_is_whole, value))
    return not isinstance(value, Reference | Computed)


def _resources(name: str, text: str) -> Iterator[Resource]:
    """The resources of LiteLLM's provider."""
    try:
        import tree_sitter
        import tree_sitter_hcl
    except ImportError:
        raise NotImportableError(
            f"{name}: Terraform files take tree-sitter-hcl: pip install 'nixcfg[import]'"
        ) from None
    language = tree_sitter.Language(tree_sitter_hcl.language())
    root = tree_sitter.Parser(language).parse(text.encode()).root_node
    if root.has_error:
        raise NotImportableError(f"{name}: is no HCL that can be read")
    for body in _children(root, "body"):
        for block in _children(body, "block"):
            words = [_text(each).strip('"') for each in block.named_children[:3]]
            if len(words) == 3 and words[0] == "resource" and words[1].startswith("litellm_"):
                inner = next(_children(block, "body"), None)
                yield Resource(words[1], words[2], dict(_attributes(inner)) if inner else {})


def _attributes(body: "Node") -> Iterator[tuple[str, Any]]:
    for attribute in _children(body, "attribute"):
        key, value = attribute.named_children[:2]
        yield _text(key), _value(value)


def _value(node: "Node") -> Any:
    """A literal as it is, a reference to a resource, or Computed."""
    inner = node.named_children
    match node.type:
        case "expression" if len(inner) == 3 and inner[0].type == "variable_expr":
            label = _text(inner[1]).strip(".")
            is_id = _text(inner[0]).startswith("litellm_")
            return Reference(_text(inner[0]), label) if is_id else Computed()
        case "expression" | "literal_value" | "collection_value" if len(inner) == 1:
            return _value(inner[0])
        case "string_lit":
            return "".join(_text(each) for each in _children(node, "template_literal"))
        case "numeric_lit":
            number = float(_text(node))
            return int(number) if number.is_integer() else number
        case "bool_lit":
            return _text(node) == "true"
        case "tuple":
            return [_value(each) for each in _children(node, "expression")]
        case "object":
            pairs = [each.named_children[:2] for each in _children(node, "object_elem")]
            return {_text(key).strip('"'): _value(value) for key, value in pairs}
    return Computed()


def _children(node: "Node", kind: str) -> Iterator["Node"]:
    return (each for each in node.named_children if each.type == kind)


def _text(node: "Node") -> str:
    return (node.text or b"").decode()
