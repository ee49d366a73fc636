"""Names that LiteLLM keeps in lists of its own."""

import ast
import re
from importlib.metadata import PackageNotFoundError, requires
from importlib.metadata import version as installed
from pathlib import Path

from learn.package import Package, constant

_PIN = re.compile(r"litellm-proxy-extras==([0-9.]+[0-9])(?:\.post[0-9]+)?(?![0-9.])")


def version() -> str:
    return installed("litellm")


def migrations() -> int | None:
    """How many migrations this release applies; None where its own build of them is not here."""
    pins = (found[1] for each in requires("litellm") or () if (found := _PIN.match(each)))
    try:
        if next(pins, "") != installed("litellm-proxy-extras").partition(".post")[0]:
            return None
    except PackageNotFoundError:
        return None
    import litellm_proxy_extras

    folder = Path(litellm_proxy_extras.__file__).parent / "migrations"
    return sum(1 for each in folder.iterdir() if (each / "migration.sql").is_file())


def environments() -> list[str]:
    """What LITELLM_ENVIRONMENT and supported_environments of a deployment may be."""
    from litellm.types.router import VALID_LITELLM_ENVIRONMENTS

    return sorted(VALID_LITELLM_ENVIRONMENTS)


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
