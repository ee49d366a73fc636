"""The real Neovim, without a screen: it attaches, types, asks, and applies a fix."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from program import HERE

TEXT = """\
model_list:
- model_name: gpt
  litellm_params:
    model: openai/gpt-4o
environment_variables:
  OPENAI_API_KEY: ${OPENAI_API_KEY}
litellm_settings:
  routing_strategy: least-busy
"""


@pytest.mark.slow
def test_neovim_shows_offers_and_fixes(tmp_path: Path) -> None:
    if not shutil.which("nvim"):
        pytest.skip("neovim is not installed")
    (tmp_path / "nixcfg.yaml").write_text("model_config: all\n")
    file = tmp_path / "providers" / "openai.yaml"
    file.parent.mkdir()
    file.write_text(TEXT)
    out = tmp_path / "out.json"
    done = subprocess.run(
        ["nvim", "--headless", "-u", HERE / "lsp" / "neovim.lua", "providers/openai.yaml"],
        cwd=tmp_path,
        env={
            **os.environ,
            "XDG_STATE_HOME": str(tmp_path / "state"),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "NIXCFG_TEST_OUT": str(out),
            "NIXCFG_TEST_PROGRAM": f"{sys.executable} -P -m nixcfg lsp",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    seen = json.loads(out.read_text()) if out.exists() else {}
    assert done.returncode == 0, (done.stderr, seen)
    assert seen["opened"] == ["NX201"]
    assert "NX402" in seen["typed"]
    assert "reads it in router_settings" in seen["hover"]
    assert seen["fixed"][-2:] == ["router_settings:", "  routing_strategy: least-busy"]
    assert "litellm_settings:" not in seen["fixed"]
    assert seen["offers"][0] == "master_key"
    assert "\n".join(seen["saved"]) + "\n" == TEXT  # nothing was saved
