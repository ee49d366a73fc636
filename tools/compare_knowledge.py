"""Compare two sets of knowledge, and refuse the new one where it is poorer.

    python tools/compare_knowledge.py BEFORE AFTER

Both are folders as generate_knowledge.py writes them. Run it with the Python that has the new
LiteLLM: a name that is gone from the set is looked for in its code. Exit status 1: something was
lost that is not in learn/reviewed.py under ACCEPTED.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from learn.floor import losses
from learn.package import Package
from learn.reviewed import ACCEPTED
from learn.settings import from_yaml


def read(folder: Path) -> dict[str, Any]:
    names = ("litellm", "models", "bare_models")
    return {name: json.loads((folder / f"{name}.json").read_bytes()) for name in names}


def is_object(name: str) -> bool:
    """Whether the annotation of ``litellm.name`` says that YAML cannot give its value."""
    import litellm

    hint = getattr(litellm, "__annotations__", {}).get(name)
    return hint is not None and not from_yaml(hint)


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What a person wants to know of a release, a line each."""
    found = []
    old, new = before["litellm"], after["litellm"]
    for section in sorted({*old["sections"], *new["sections"]}):
        keys = [each["sections"].get(section, {"keys": {}})["keys"] for each in (old, new)]
        found += [f"+ {section}.{key}" for key in sorted(keys[1].keys() - keys[0].keys())]
        found += [f"- {section}.{key}" for key in sorted(keys[0].keys() - keys[1].keys())]
        found += [
            f"~ {section}.{key}: {keys[0][key]['type']} -> {keys[1][key]['type']}"
            for key in sorted(keys[0].keys() & keys[1].keys())
            if keys[0][key]["type"] != keys[1][key]["type"]
        ]
    names = [each["providers"] for each in (old, new)]
    found += [f"+ provider {name}" for name in sorted(names[1].keys() - names[0].keys())]
    found += [f"- provider {name}" for name in sorted(names[0].keys() - names[1].keys())]
    for name in sorted(names[0].keys() & names[1].keys()):
        parts = {*names[0][name], *names[1][name]}
        differ = [part for part in parts if names[0][name].get(part) != names[1][name].get(part)]
        if differ:
            found.append(f"~ provider {name}: {', '.join(sorted(differ))}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    options = parser.parse_args()
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or it asks the network for prices
    import litellm

    before, after = read(options.before), read(options.after)
    package = Package(Path(litellm.__file__).parent)
    print("\n".join(changes(before, after)))
    version = after["litellm"]["litellm_version"]
    poorer = losses(before, after, package.mentions, is_object)
    accepted = ACCEPTED.get(version, {})
    for loss in poorer:
        reason = accepted.get(loss.where)
        print(f"accepted: {loss} ({reason})" if reason else f"LOST: {loss}")
    return 1 if any(loss.where not in accepted for loss in poorer) else 0


if __name__ == "__main__":
    sys.exit(main())
