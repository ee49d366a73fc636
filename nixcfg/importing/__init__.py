"""Make a project of what runs LiteLLM already. Pure but for `sources`: documents in, texts out.

`sources` reads the files that import is given, and those that they name.
`litellm` reads a LiteLLM configuration, `compose` and `nixos` what a container definition says
around it; `nix` understands the expressions of the latter. `assemble` puts both together: `split`
makes provider files, `variables` wires what was in the environment, `attempt` validates the result.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from nixcfg.problems.problem import Span
from nixcfg.yamltext.document import Document


class Kind(StrEnum):
    """What became of a thing that is not simply carried over."""

    SECRET = "secret"  # noqa: S105 (a literal key: replaced by the name of a variable)
    LEFT_OUT = "left-out"
    CHANGED = "changed"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Note:
    """Something of the source that a person should know about. Never holds a key.

    `variable` is what takes the place of a key that was written out.
    """

    kind: Kind
    file: str
    span: Span
    message: str
    variable: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """Where a container gets its LiteLLM configuration from.

    `path` is on this machine, relative to the file that says so or absolute; `siblings` is the
    pattern that it is one choice of (`configs/*.yaml`). `document` is the configuration itself
    where it is written inside the container definition.
    """

    path: str = ""
    siblings: str = ""
    document: Document | None = None


@dataclass(slots=True)
class Container:
    """What a container definition says about the gateway; None where it says nothing.

    `environment` are plain values. `secrets` are the variables that hold keys, each with where
    its file is on the machine ("" when the definition does not say): an absolute path,
    `config.sops.secrets.NAME.path` or `config.age.secrets.NAME.path`; those in `optional` may be
    missing, those in `files` hold the path of a file. `places` are where variables are named.
    """

    file: str
    image: str | None = None
    backend: str | None = None
    listen_address: str | None = None
    port: int | None = None
    workers: int | None = None
    config: Config | None = None
    environment: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    optional: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    places: dict[str, Span] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def note(self, kind: Kind, span: Span, message: str, variable: str = "") -> None:
        self.notes.append(Note(kind, self.file, span, message, variable))


class NotImportableError(Exception):
    """The sources cannot be made a project of; the message names the place and the reason."""
