"""Which protocol a request speaks."""

from urllib.parse import urlsplit

from nixcfg.trial.exchange import Request
from nixcfg.trial.vendors import anthropic, bedrock, cohere, google, media, ollama, openai
from nixcfg.trial.vendors.base import Protocol, protocol

_FAMILIES = (openai, media, anthropic, google, bedrock, ollama, cohere)

UNKNOWN = protocol("", openai.no_answer, openai.openai_error)
"""What a host speaks that no stand-in knows: errors, and what a case gives as a body."""


def of(request: Request) -> Protocol | None:
    """The protocol of a request, by its path; None where the stand-ins do not speak it."""
    path = urlsplit(request.path).path
    every = (each for family in _FAMILIES for each in family.PROTOCOLS)
    return next((each for each in every if each.path.search(path)), None)
