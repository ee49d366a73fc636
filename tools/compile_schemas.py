"""Write nixcfg/schema/*.py, which tell whether data fits: `python tools/compile_schemas.py`.

Compiling takes longer than checking a project of three providers, so it is done here and not at
every start. fastjsonschema writes the code; its errors are not used, because jsonschema explains.
"""

import hashlib
import json
import re
from pathlib import Path

import fastjsonschema

FOLDER = Path(__file__).parents[1] / "nixcfg" / "schema"
HEAD = '''\
"""Whether data fits {name}. Written by tools/compile_schemas.py from it: change that, not this."""

SCHEMA = "{digest}"
'''
# No messages, so nothing is called by its place; YAML's readers give no Decimal.
_LESS = {
    r"^(VERSION =|from ).*\n": "",
    r", Decimal": "",
    r"raise JsonSchemaValueException\(.*\)$": "raise ValueError",
    r"\(JsonSchemaValueException, JsonSchemaValuesException\)": "ValueError",
    r"\(data, custom_formats={}, name_prefix=None\)": "(data)",
    r", custom_formats, .*\)$": ")",
}


def digest(schema: Path) -> str:
    """What tells one version of a schema from another."""
    return "sha256:" + hashlib.sha256(schema.read_bytes()).hexdigest()


def code(schema: Path) -> str:
    """The module whose function `check` raises ValueError for what does not fit the schema."""
    compiled = fastjsonschema.compile_to_code(
        json.loads(schema.read_bytes()), use_default=False, detailed_exceptions=False
    )
    entry = re.findall(r"def (\w+)\(", compiled)[0]  # the schema itself stands first
    for pattern, replacement in _LESS.items():
        compiled = re.sub(pattern, replacement, compiled, flags=re.MULTILINE)
    head = HEAD.format(name=schema.name, digest=digest(schema))
    return f"{head}\n{compiled.strip()}\n\n\ncheck = {entry}\n"


if __name__ == "__main__":
    for path in sorted(FOLDER.glob("*.schema.json")):
        FOLDER.joinpath(path.name.replace(".schema.json", ".py")).write_text(code(path))
