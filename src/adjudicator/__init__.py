"""Settles Chinese basic medical insurance claims and pays hospitals by DRG points."""

import os
import sys

__version__ = "0.1.0"

# Where compiled kernels are kept and when they are stale: adjudicator.compiled.cache. Numba reads this variable anew
# each time it compiles, so it is set before the first kernel is imported. The locator of this package comes first,
# whatever the environment says, because no other one notices that a helper in another file has changed; it serves the
# kernels of this package only, so that other packages keep the locators that the operator chose.
_LOCATOR = "adjudicator.compiled.cache.KernelCacheLocator"
_OTHERS = "UserProvidedCacheLocator,InTreeCacheLocator,UserWideCacheLocator,IPythonCacheLocator,ZipCacheLocator"
_named = os.environ.get("NUMBA_CACHE_LOCATOR_CLASSES") or _OTHERS
if _named.split(",")[0] != _LOCATOR:
    os.environ["NUMBA_CACHE_LOCATOR_CLASSES"] = f"{_LOCATOR},{_named}"
if "numba" in sys.modules:
    sys.modules["numba"].config.reload_config()
