"""What is known of the keys, providers and models of one LiteLLM release, as frozen values."""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple


class Key(NamedTuple):
    """One key that LiteLLM really reads in a section.

    ``type`` is a union, joined with ``|``, of ``str int float bool list[str] list map any``.
    ``float`` takes an integer too. ``values`` are the only strings accepted, empty when any goes.
    ``required`` means that LiteLLM fails, or drops the entry, without it.
    ``database``: no effect, or refused, without a Postgres database. ``licence``: refused without
    LiteLLM's enterprise licence.
    """

    name: str
    type: str
    secret: bool = False
    required: bool = False
    database: bool = False
    values: tuple[str, ...] = ()
    licence: bool = False

    @property
    def types(self) -> frozenset[str]:
        return _types(self.type)


@cache
def _types(union: str) -> frozenset[str]:
    return frozenset(union.split("|"))


class Section(NamedTuple):
    """A section and what becomes of a key that LiteLLM does not know there.

    ``unknown`` is ``ignored`` (in silence), ``warned`` (ignored, with one line in the log),
    ``attribute`` (set on the litellm module, whatever it is called), ``sent`` (goes to the vendor
    in the request body), ``kept`` (free-form data) or ``refused``.
    ``coerced``: values pass through a pydantic model, so that ``"100"`` counts as 100.
    """

    name: str
    unknown: str
    coerced: bool
    keys: Mapping[str, Key]


class Credential(NamedTuple):
    """An environment variable that authenticates, or addresses, a provider.

    ``param`` is the ``litellm_params`` key that takes the same value, None when LiteLLM reads
    only the variable. ``file``: the value is the path of a credentials file.
    """

    variable: str
    param: str | None
    secret: bool
    file: bool
    required: bool


class ApiBase(NamedTuple):
    """How a provider's base URL is made.

    ``default`` is the base that LiteLLM uses when none is given; ``appends`` what it puts behind
    a base that is given; ``path`` how such a base has to end (``/v1``; empty for a bare host; None
    when unknown). ``slash``: a trailing slash does no harm. ``also`` are further endings that
    LiteLLM recognises and does not add again, and ``full`` says that the whole URL is one of them.
    ``{model}`` stands for the model's name, ``{VARIABLE}`` for a value. ``sent_to`` is another
    vendor's host, where prompts go when a provider that has no default of its own gets no base.
    """

    required: bool
    variable: str | None
    default: str | None
    appends: str | None
    path: str | None
    slash: bool
    also: tuple[str, ...]
    sent_to: str | None

    @property
    def full(self) -> bool:
        return self.appends is not None and self.appends in self.also


class ProviderFacts(NamedTuple):
    """One provider, by the prefix used in ``model: prefix/name``.

    ``credentials`` in the order to show them, required ones first. ``alternatives`` are other
    complete sets of variables that authenticate instead. ``competing`` are pairs (winner, loser)
    of variables: when both are set the winner is used. ``falls_back_to`` is another vendor's key
    variable, whose value is sent to this provider's host when its own is missing.
    ``sends_without_key``: requests leave without any key rather than failing.
    ``open_catalogue``: LiteLLM cannot know this provider's models.
    ``interactive_login``: asks for a device login in a browser, useless in a service.
    """

    name: str
    chat: bool
    credentials: tuple[Credential, ...]
    alternatives: tuple[tuple[str, ...], ...]
    competing: tuple[tuple[str, str], ...]
    api_base: ApiBase
    falls_back_to: str | None
    sends_without_key: bool
    open_catalogue: bool
    interactive_login: bool

    @property
    def key(self) -> Credential | None:
        """The credential that authenticates first, None for providers that need none."""
        return next((c for c in self.credentials if c.secret), None)


class ModelFacts(NamedTuple):
    """A catalogue entry. Costs in US dollars a token, dates as ``YYYY-MM-DD``, None = not told."""

    name: str
    provider: str
    mode: str | None
    max_input_tokens: int | None
    max_output_tokens: int | None
    input_cost_per_token: float | None
    output_cost_per_token: float | None
    deprecation_date: str | None
