"""Which protocol a request speaks."""

from urllib.parse import urlsplit

from nixcfg.trial.exchange import Request
from nixcfg.trial.vendors import anthropic, bedrock, cohere, google, ollama, openai
from nixcfg.trial.vendors.base import Protocol

_FAMILIES = (openai, anthropic, google, bedrock, ollama, cohere)


def of(request: Request) -> Protocol | None:
    """The protocol of a request, by its path; None where the stand-ins do not speak it."""
    path = urlsplit(request.path).path
    every = (each for family in _FAMILIES for each in family.PROTOCOLS)
    return next((each for each in every if each.path.search(path)), None)
