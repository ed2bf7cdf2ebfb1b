"""Settles Chinese basic medical insurance claims and pays hospitals by DRG points."""

import os
import sys
from importlib import import_module

__version__ = "0.1.0"

__all__ = ["AdjudicatorError", "Bundle", "Client", "Engine", "Problem", "load_bundle", "price_columns", "price_message"]

_PUBLIC = {
    "AdjudicatorError": "errors",
    "Bundle": "rules.bundle",
    "Client": "client",
    "Engine": "claim.engine",
    "Problem": "errors",
    "load_bundle": "rules.bundle",
    "price_columns": "amounts.price",
    "price_message": "claim.local",
}
"""Where each public name is defined. It is imported when it is first asked for: a caller needs no Numba.

Type checkers read the same names from ``__init__.pyi``.
"""


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"adjudicator.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


# Where compiled kernels are kept and when they are stale: adjudicator.compiled.cache. Numba reads this variable anew
# each time it compiles, so it is set before the first kernel is imported. The locator of this package comes first,
# whatever the environment says, because no other one notices that a helper in another file has changed; it serves the
# kernels of this package only, so that other packages keep the locators that the operator chose.
_LOCATOR = "adjudicator.compiled.cache.KernelCacheLocator"
_OTHERS = "UserProvidedCacheLocator,InTreeCacheLocator,UserWideCacheLocator,IPythonCacheLocator,ZipCacheLocator"
_named = os.environ.get("NUMBA_CACHE_LOCATOR_CLASSES") or _OTHERS
if _named.split(",")[0] != _LOCATOR:
    os.environ["NUMBA_CACHE_LOCATOR_CLASSES"] = f"{_LOCATOR},{_named}"
if sys.modules.get("numba"):
    sys.modules["numba"].config.reload_config()
