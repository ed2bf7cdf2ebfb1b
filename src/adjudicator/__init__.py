"""Settles Chinese basic medical insurance claims and pays hospitals by DRG points."""

import os
import sys

__version__ = "0.1.0"

# Where compiled kernels are kept (adjudicator.kernels.cache). Numba reads this variable anew each time it compiles, so
# it is set before the first kernel is imported; a value that is there already is left alone.
os.environ.setdefault(
    "NUMBA_CACHE_LOCATOR_CLASSES",
    "UserProvidedCacheLocator,adjudicator.kernels.cache.KernelCacheLocator,"
    "InTreeCacheLocator,UserWideCacheLocator,IPythonCacheLocator,ZipCacheLocator",
)
if "numba" in sys.modules:
    sys.modules["numba"].config.reload_config()
