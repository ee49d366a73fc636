"""The extractors see through what LiteLLM did to its code, on small packages that do the same."""

import ast
import functools
import inspect
from pathlib import Path
from typing import Any

import pytest

from tool import load

load("compare_knowledge")
from learn import annotations  # noqa: E402 - beside the program
from learn.at_import import texts  # noqa: E402
from learn.package import Package  # noqa: E402
from learn.reads import Reader  # noqa: E402


def keys(folder: Path, files: dict[str, str]) -> dict[str, str]:
    root = folder / "site-packages" / "litellm"
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return dict(Reader(Package(root), "general_settings").read())


@pytest.mark.parametrize(
    "code",
    [
        'general_settings["wanted"]',
        'general_settings.get("wanted")',
        '"wanted" in general_settings',
        '(config.get("general_settings") or {}).get("wanted")',
        'NAME = "wanted"\ngeneral_settings.get(NAME)',
        'NAME: Final = "wanted"\ndef f():\n    return general_settings.get(NAME)',
        'view = adapter(general_settings)\nview.get("wanted")',
        ('def f():\n    view: Final = cast(Mapping[str, object], general_settings)\n'
         '    return view.get("wanted", True)'),
        'ADAPTER.check(ADAPTER.check(config).get("general_settings") or {}).get("wanted")',
        ('def enabled(name):\n    return name in general_settings and general_settings[name]\n'
         'enabled("wanted")'),
        ('NAME = "wanted"\ndef read(settings, key):\n    return settings.get(key)\n'
         'read(general_settings, NAME)'),
        'def read(settings):\n    return settings["wanted"]\nread(general_settings)',
        'for name in ("wanted", "other"):\n    general_settings.get(name)',
        'NAMES = frozenset({"wanted", "other"})\n[general_settings.get(n) for n in NAMES]',
        'def f():\n    from litellm.proxy import general_settings as ours\n    ours.get("wanted")',
        'current_general_settings().get("wanted")',
    ],
)  # fmt: skip
def test_a_key_is_found_wherever_it_is_read(tmp_path: Path, code: str):
    assert "wanted" in keys(tmp_path, {"proxy/server.py": code})


def test_a_key_is_found_across_files(tmp_path: Path):
    files = {
        "proxy/server.py": (
            "from litellm.proxy.names import NAME\n"
            "from litellm.proxy.helper import read\n"
            "read(general_settings, NAME)\n"
        ),
        "proxy/names.py": 'NAME = "wanted"\n',
        "proxy/helper.py": "def read(settings, key):\n    return settings.get(key)\n",
    }
    assert keys(tmp_path, files) == {"wanted": "any"}


def test_a_default_says_the_type(tmp_path: Path):
    assert keys(tmp_path, {"a.py": 'general_settings.get("wanted", False)'}) == {"wanted": "bool"}


@pytest.mark.parametrize(
    "code",
    [
        'other.get("stray")',
        'len(general_settings).get("stray")',
        'def f(settings):\n    settings.get("stray")\nf(other)\ng(general_settings)',
        'general_settings["written"] = 1',
        ('def f():\n    from litellm.proxy import general_settings as ours\n'
         'def g(ours):\n    ours.get("stray")'),
    ],
)  # fmt: skip
def test_no_key_is_made_up(tmp_path: Path, code: str):
    assert keys(tmp_path, {"proxy/server.py": code}) == {}


def documented(self: object, retries: int | None = None, names: "list[str]" = ()) -> None:
    """Never called: it says what the class takes."""


def test_a_signature_speaks_for_code_that_takes_anything():
    class Facade:
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    Facade.__init__.__signature__ = inspect.signature(documented)  # type: ignore[attr-defined]
    found = annotations.of_model(Facade.__init__)
    assert {name: each["type"] for name, each in found.items()} == {
        "retries": "int",
        "names": "list[str]",
    }


def test_a_wrapper_speaks_for_what_it_wraps():
    @functools.wraps(documented)
    def wrapper(*args: Any, **kwargs: Any) -> None: ...

    assert annotations.of_model(wrapper)["retries"]["type"] == "int"


@pytest.mark.parametrize(
    ("code", "is_late"),
    [
        ('LIMIT = os.getenv("NAME", "5")', False),
        ('class Settings:\n    limit = os.environ["NAME"]', False),
        ('def f(limit=os.getenv("NAME")):\n    return limit', False),
        ('def f():\n    return os.getenv("NAME")', True),
        ('class A:\n    async def f(self):\n        return get_secret("NAME")', True),
        ('limit = lambda: os.getenv("NAME")', True),
        ('def f():\n    def g(limit=os.getenv("NAME")):\n        return limit', True),
    ],
)
def test_what_is_read_while_a_module_is_imported(code: str, is_late: bool):
    assert list(texts(ast.parse(code))) == [("NAME", is_late)]
