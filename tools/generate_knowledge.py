"""Write what the LiteLLM that is installed beside this Python does with a configuration.

    python tools/generate_knowledge.py --output DIRECTORY

Every fact is read off the package (signatures, pydantic models, its syntax tree, its own data
files) or off its behaviour (tools/learn/probe.py makes real calls with the network cut). What can
be had in neither way is in tools/learn/reviewed.py, each entry with its reason and a test.

The result depends on the installed LiteLLM alone: the work is done in a second process with an
environment of its own, without a network, in an empty folder.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="folder of the four files")
    parser.add_argument("--inside", choices=("read", "probe"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        sys.path.insert(0, str(HERE))
        from learn import wire

        wire.cut_network()
        (generate if options.inside == "read" else probe)(options.output)
        return 0
    with tempfile.TemporaryDirectory() as empty:
        command = [sys.executable, "-I", __file__, "--inside", "read"]
        command += ["--output", str(options.output.resolve())]
        # -I ignores PYTHON* variables, so the hash seed is left random: what is written must be
        # sorted, not lucky.
        done = subprocess.run(  # noqa: S603 - this very program
            command, env=environment(empty), cwd=empty, check=False
        )
        return done.returncode


def environment(home: str) -> dict[str, str]:
    """Nothing of the caller's: a key in it would be taken for a fact."""
    return {
        "PATH": os.defpath,
        "HOME": home,
        "TMPDIR": home,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOG": "CRITICAL",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def generate(output: Path) -> None:
    import litellm
    from learn import layout, models, names, providers, routing
    from learn.access import access
    from learn.defaults import defaults
    from learn.package import Package
    from learn.params import litellm_params
    from learn.probe import provider_names
    from learn.sections import sections

    litellm.suppress_debug_info = True
    with probing(sorted(litellm_params())) as process:
        source = Package(Path(litellm.__file__).parent)
        known = frozenset(provider_names())
        catalogue, verdicts = models.models(known)
        facts: dict[str, Any] = {
            "litellm_version": names.version(),
            "blocked_variables": names.blocked_variables(),
            "environments": names.environments(),
            "callbacks": names.callbacks(source),
            "routing": routing.routing(known, verdicts),
            "sections": sections(source),
        }
        if (count := names.migrations()) is not None:
            facts["migrations"] = count
        set_by_default = defaults(facts["sections"])
        facts["providers"] = providers.with_catalogue(finished(process), catalogue)
    facts["routing"]["shares_catalogue"] = providers.shares_catalogue(facts["providers"], catalogue)
    bare = dict(sorted(catalogue.pop("bare").items()))
    files = {"litellm": facts, "models": catalogue, "bare_models": bare, "access": access()}
    files["defaults"] = set_by_default
    layout.write(output, files)


@contextlib.contextmanager
def probing(params: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """Another process that probes the providers while this one reads the package.

    Not only to save time: probing changes LiteLLM, its HTTP clients and its clock, for good.
    """
    command = [sys.executable, "-I", __file__, "--inside", "probe", "--output", os.devnull]
    with tempfile.TemporaryFile("w+") as question:
        json.dump({"params": list(params)}, question)
        question.seek(0)
        process = subprocess.Popen(  # noqa: S603 - this very program
            command, stdin=question, stdout=subprocess.PIPE, text=True
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, _ = process.communicate(timeout=1800)
    if process.returncode != 0:
        raise SystemExit(f"probing the providers ended with {process.returncode}")
    found: dict[str, Any] = json.loads(output)
    return found


def probe(_: Path) -> None:
    """Answer the question on standard input, on standard output."""
    from learn.probe import probe as answer

    question = json.load(sys.stdin)
    json.dump(answer(question["params"], frozenset(question.get("only", ()))), sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
