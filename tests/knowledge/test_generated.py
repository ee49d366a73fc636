"""The files in the package are what the generator makes of the LiteLLM installed here."""

import json
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from nixcfg import knowledge

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "nixcfg" / "knowledge"


@pytest.mark.slow
def test_regenerating_changes_nothing(litellm_python: str, tmp_path: Path):
    if version("litellm") != knowledge.LITELLM_VERSION:
        pytest.skip(f"LiteLLM {version('litellm')} is installed, the data is of another release")
    program = ROOT / "tools" / "generate_knowledge.py"
    # A key in the caller's environment must not find its way into the facts, and neither must
    # the folder it is started in.
    subprocess.run(
        [litellm_python, str(program), "--output", str(tmp_path)],
        env={"PATH": "/usr/bin:/bin", "OPENAI_API_KEY": "sk-of-the-caller", "PYTHONHASHSEED": "7"},
        cwd=tmp_path,
        timeout=600,
        check=True,
    )
    for name in ("litellm.json", "models.json", "bare_models.json", "access.json", "defaults.json"):
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes(), name


def test_one_entry_a_line():
    lines = (DATA / "litellm.json").read_text(encoding="utf-8").splitlines()
    for name in json.loads((DATA / "litellm.json").read_bytes())["providers"]:
        assert sum(line.startswith(f'  "{name}": {{') for line in lines) == 1, name
