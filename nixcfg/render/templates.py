"""The templates of templates/, which decide how what they print is encoded.

In docker.nix every `{{ value }}` is encoded as a Nix literal by Jinja's finalize hook, unless it
is a nix.Expression; in the LiteLLM files the `yaml` filter writes the data.
"""

import functools

import jinja2

from nixcfg.disk import shipped
from nixcfg.render import nix
from nixcfg.yamltext import emit


@functools.cache
def template(name: str) -> jinja2.Template:
    is_nix = name.endswith(".nix.j2")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(shipped.folder("templates")),
        undefined=jinja2.StrictUndefined,
        finalize=nix.literal if is_nix else None,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["yaml"] = emit.block
    return environment.get_template(name)
