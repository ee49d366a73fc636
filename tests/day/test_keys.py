"""The rules for key files are those of the wiring script, which test_wiring.py runs for real."""

import pytest
from test_wiring import PLACEHOLDERS, REAL, REFUSED

from nixcfg import keys, wiring


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_what_the_service_refuses(name: str):
    content, reason = REFUSED[name]
    said = keys.refusal("FIRST_KEY", content)
    assert said.startswith(reason)
    assert "secret" not in said


@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_refuses_placeholders(text: str):
    assert keys.refusal("FIRST_KEY", f"{text}\n".encode()).startswith("still holds a placeholder")


@pytest.mark.parametrize("text", REAL)
def test_takes_what_the_service_takes(text: str):
    assert keys.refusal("FIRST_KEY", f"{text}\n".encode()) == ""


def test_the_words_and_names_are_those_of_the_module():
    from nixcfg.resources import module_text

    module = module_text()
    assert f'missingKey = "{wiring.MISSING_KEY}";' in module
    for content, _ in REFUSED.values():
        first = keys.refusal("FIRST_KEY", content).split(".")[0].replace("; a document", "")
        assert first.split(" of several lines")[0].replace("FIRST_KEY", "$1") in module
    assert f'CONFIG_FILE_PATH = "{wiring.CONTAINER_CONFIG}";' in module
