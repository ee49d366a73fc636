"""Write docs/catalogues.md: what each of LiteLLM's lists of models is worth, and by which evidence.

python tools/write_catalogues.py
"""

from collections.abc import Iterator
from pathlib import Path

from nixcfg import knowledge
from nixcfg.knowledge.listing import Listing

PAGE = Path(__file__).resolve().parents[1] / "docs" / "catalogues.md"
HEAD = """# What LiteLLM's lists of models are worth

<!-- Written by tools/write_catalogues.py: edit that instead. -->
LiteLLM ships a list of models for {with_models} of {all} providers. What it means that a model is
not in it depends on how complete the list is. That is decided by evidence that the sets of
knowledge hold, here for LiteLLM {release}:

- **closed**: the vendor serves its own models, and LiteLLM lists five or more of them, most without
  another maker's name before it. A model that is not there is a warning (NX411).
- **partial**: a choice of what a vendor hosts. Either most entries have another maker's name before
  them, and LiteLLM looks after the list, so that some have a retirement date; or the list has
  models of three or more of the families that are found everywhere, none is half of it, and none is
  dated. A model that is not there is a note (NX434).
- **open**: fewer than five, or a server or account of one's own, or a long list that no one dates:
  samples. Nothing is said.

*Dated* are the entries with a retirement date; *gone* those of LiteLLM {oldest} that {newest} no
longer lists, which shows whether what a vendor removes is removed here too.

| Provider | Listed | Dated | Gone | Other makers' | Judged |
|---|---|---|---|---|---|
"""


def rows() -> Iterator[str]:
    """A row for each provider with a list, the longest first."""
    releases = sorted(knowledge.known(), key=lambda text: tuple(map(int, text.split("."))))
    oldest, newest = knowledge.of(releases[0]), knowledge.of(releases[-1])
    known = knowledge.default()
    names = [name for name in known.providers() if known.models(name)]
    for name in sorted(names, key=lambda each: (-len(known.models(each)), each)):
        models = known.models(name)
        dated = sum(1 for each in models.values() if each.deprecation_date)
        gone = len(oldest.models(name).keys() - newest.models(name).keys())
        others = sum("/" in each for each in models)
        judged = known.listing(name)
        word = judged if judged is Listing.OPEN else f"**{judged}**"
        yield f"| {name} | {len(models)} | {dated} | {gone} | {others} | {word} |"


def page() -> str:
    releases = sorted(knowledge.known(), key=lambda text: tuple(map(int, text.split("."))))
    known = knowledge.default()
    table = list(rows())
    head = HEAD.format(
        with_models=len(table),
        all=len(known.providers()),
        release=known.version,
        oldest=releases[0],
        newest=releases[-1],
    )
    return head + "\n".join(table) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
