"""Many configurations, evaluated by one start of nix: each is `BASE` and what a case adds to it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

BASE = """
  services.litellm-proxy = {
    enable = true;
    modelConfig = lib.mkDefault "claude";
    configs = {
      claude = { file = ./claude.yaml; secrets = [ "ANTHROPIC_API_KEY" ]; };
      all = { file = ./all.yaml;
        secrets = [ "OPENAI_API_KEY" "ANTHROPIC_API_KEY" "SERVICE_ACCOUNT" ]; };
    };
    secrets = {
      ANTHROPIC_API_KEY.file = "/etc/nixcfg/secrets/anthropic_api_key.txt";
      OPENAI_API_KEY = { file = "/run/secrets/openai"; optional = true; };
      SERVICE_ACCOUNT = { file = "/run/agenix/account"; kind = "file"; encrypted = true; };
    };
  };
"""

BACKEND = {
    "docker": 'services.litellm-proxy.backend = "docker";',
    "podman": 'services.litellm-proxy.backend = "podman";',
}

DATABASE_URL = """services.litellm-proxy = {
      configs.claude.secrets = [ "DATABASE_URL" ]; secrets.DATABASE_URL.file = "/etc/db"; };"""

Case = dict[str, Any]


def evaluate(
    nix: Callable[..., Any], folder: Path, cases: Mapping[str, list[str]], **arguments: str
) -> dict[str, Case]:
    """What cases.nix says of each case, by its name: BASE and the bodies of the case's modules.

    claude.yaml, all.yaml and key.txt are beside them in `folder`.
    """
    (folder / "claude.yaml").write_text("model_list: []\n")
    (folder / "all.yaml").write_text("model_list: [] # all\n")
    (folder / "key.txt").write_text("sk-key-of-the-path-literal\n")
    file = folder / "cases.nix"
    file.write_text(
        "let base = { lib, pkgs, ... }: {"
        + BASE
        + "}; in {\n"
        + "\n".join(
            f"{json.dumps(name)} = {{ lib, pkgs, ... }}: {{ imports = [ base "
            + " ".join(f"{{ {body} }}" for body in bodies)
            + " ]; };"
            for name, bodies in cases.items()
        )
        + "\n}\n"
    )
    return nix("cases.nix", cases=str(file), **arguments)
