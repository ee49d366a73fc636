"""Load LiteLLM files into the real Router with the network cut, and say what became of them.

Reads `{"name": {"config": PATH, "environment": {...}}}` on stdin; writes, by name, how many
deployments were loaded, and the parameters of each as LiteLLM resolved them.
"""

import json
import logging
import os
import socket
import sys
from pathlib import Path
from typing import NoReturn


def refuse(*_: object, **__: object) -> NoReturn:
    raise OSError("the network is cut")


socket.socket.connect = refuse  # type: ignore[method-assign]
socket.getaddrinfo = refuse
os.environ.update(
    LITELLM_LOCAL_MODEL_COST_MAP="True", LITELLM_MODE="PRODUCTION", LITELLM_LOG="ERROR"
)

import litellm  # noqa: E402 (only after the network is cut)
import yaml  # noqa: E402
from litellm import Router  # noqa: E402

logging.disable(logging.CRITICAL)
litellm.suppress_debug_info = True

wanted = json.load(sys.stdin)
found = {}
for name, each in wanted.items():
    added = set(each["environment"]) - set(os.environ)
    os.environ.update(each["environment"])
    config = yaml.safe_load(Path(each["config"]).read_text(encoding="utf-8"))
    try:
        # As the proxy does it: what cannot be loaded is left out, and the others run.
        router = Router(model_list=config["model_list"], ignore_invalid_deployments=True)
        found[name] = {
            "written": len(config["model_list"]),
            "loaded": [
                {"model_name": d["model_name"], **d["litellm_params"]} for d in router.model_list
            ],
        }
    except Exception as error:  # noqa: BLE001 (told, and judged by the test)
        found[name] = {"error": f"{type(error).__name__}: {error}"}
    for variable in added:
        del os.environ[variable]
json.dump(found, sys.stdout, default=str)
