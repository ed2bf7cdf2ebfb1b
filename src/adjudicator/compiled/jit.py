"""How kernels are compiled: the options of Numba in one place, with types that a checker understands.

Compiled code holds no lock (``nogil``) and divides as NumPy does. A kernel that is *uncounted* is compiled without
reference counts, so it must not create an array (docs/adr/0007-kernels-without-reference-counts.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

F = TypeVar("F", bound=Callable[..., Any])

int64 = cast("Callable[[Any], int]", np.int64)
"""``np.int64`` as compiled code sees it: a conversion whose result is a plain integer."""
uint64 = cast("Callable[[Any], int]", np.uint64)
"""``np.uint64``, likewise; as an index it spares the test for a negative number."""
uint32 = cast("Callable[[Any], int]", np.uint32)
int32 = cast("Callable[[Any], int]", np.int32)

_HOT = {"nogil": True, "error_model": "numpy"}


def _compiled(function: F, **options: bool) -> F:
    compiled: F = njit(**_HOT, **options)(function)  # type: ignore[call-overload]
    return compiled


def kernel(function: F) -> F:
    """Compile a kernel that Python calls, and keep its machine code (``compiled.cache``)."""
    return _compiled(function, cache=True)


def uncounted_kernel(function: F) -> F:
    """Compile a kernel that Python calls, keep its machine code, and leave reference counts out."""
    return _compiled(function, cache=True, _nrt=False)


def inlined_kernel(function: F) -> F:
    """Compile a kernel that Python calls and that each kernel calling it takes into its own code."""
    return _compiled(function, cache=True, forceinline=True)


def inlined(function: F) -> F:
    """Compile a helper into each kernel that calls it."""
    return _compiled(function, forceinline=True)


def uncounted_inlined(function: F) -> F:
    """Compile a helper into each kernel that calls it, and leave reference counts out."""
    return _compiled(function, forceinline=True, _nrt=False)
