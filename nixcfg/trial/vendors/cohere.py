"""Cohere: /embed and /rerank. Source of the shapes: docs.cohere.com/reference."""

from nixcfg.trial.exchange import Reply, Request
from nixcfg.trial.vendors.base import VECTOR, Data, Good, json_reply, protocol


def _cohere_embed(request: Request, good: Good) -> Reply:
    texts = request.json().get("texts") or [""]
    units = {"input_tokens": good.prompt_tokens}
    return json_reply(
        {
            "id": "1",
            "texts": texts,
            "embeddings": {"float": [VECTOR] * len(texts)},
            "meta": {"api_version": {"version": "2"}, "billed_units": units},
        }
    )


def _rerank(request: Request, _good: Good) -> Reply:
    documents = request.json().get("documents") or [""]
    scores = [
        {"index": index, "relevance_score": round(1 / (index + 1), 3)}
        for index in range(len(documents))
    ]
    meta = {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}
    return json_reply({"id": "1", "results": scores, "meta": meta})


def _cohere_error(_status: int, message: str) -> Data:
    return {"message": message}


_TOO_LONG = (
    "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 9000"
)
_REFUSALS = {"context_window": (400, _cohere_error(400, _TOO_LONG))}
PROTOCOLS = (
    protocol("/v[12]/embed$", _cohere_embed, _cohere_error, refusals=_REFUSALS),
    protocol("/rerank$", _rerank, _cohere_error),
)
