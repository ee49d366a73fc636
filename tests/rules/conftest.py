import importlib.util

import pytest
from rules_support import Oracle


@pytest.fixture(scope="session")
def oracle() -> type[Oracle]:
    """The real LiteLLM, asked in one process for as many configurations as there are."""
    if not importlib.util.find_spec("litellm"):
        pytest.skip("litellm[proxy] is not installed (pip install nixcfg[proxy])")
    return Oracle
