"""Names that LiteLLM keeps in lists of its own."""

import ast
from importlib.metadata import version as installed

from learn.package import Package, constant


def version() -> str:
    return installed("litellm")


def blocked_variables() -> list[str]:
    from litellm.proxy.proxy_server import ProxyConfig

    return sorted(ProxyConfig._BLOCKED_ENV_KEYS)  # noqa: SLF001


def callbacks(source: Package) -> dict[str, list[str]]:
    """By setting: the names it knows. All others have to be ``module.attribute``."""
    import litellm
    from litellm.integrations.generic_api.generic_api_callback import (
        load_compatible_callbacks,
    )

    shared = set(litellm._known_custom_logger_compatible_callbacks)  # noqa: SLF001
    shared |= set(load_compatible_callbacks())
    on_proxy = compared(source.tree("proxy/common_utils/callback_utils.py"))
    logging = compared(source.tree("litellm_core_utils/litellm_logging.py"))
    return {
        "callbacks": sorted(shared | on_proxy),
        "failure_callback": sorted(shared | logging),
        "success_callback": sorted(shared | logging),
    }


def compared(tree: ast.Module) -> set[str]:
    """Strings that a variable called ``callback`` is compared with."""
    return {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq)
        if ast.unparse(node.left) == "callback"
        if (name := constant(node.comparators[0])) is not None
    }
