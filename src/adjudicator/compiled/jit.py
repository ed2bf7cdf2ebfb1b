"""How kernels are compiled: the options of Numba in one place, with types that a checker understands.

Compiled code holds no lock (``nogil``) and divides as NumPy does. A kernel that is *uncounted* is compiled without
reference counts, so it must not create an array (docs/adr/0007-kernels-without-reference-counts.md).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import config, njit

F = TypeVar("F", bound=Callable[..., Any])

int64 = cast("Callable[[Any], int]", np.int64)
"""``np.int64`` as compiled code sees it: a conversion whose result is a plain integer."""
uint64 = cast("Callable[[Any], int]", np.uint64)
"""``np.uint64``, likewise; as an index it spares the test for a negative number."""
uint32 = cast("Callable[[Any], int]", np.uint32)
int32 = cast("Callable[[Any], int]", np.int32)

_HOT = {"nogil": True, "error_model": "numpy"}


def _compiled(function: F, **options: bool) -> F:
    if config.DISABLE_JIT:  # type: ignore[attr-defined]  # set by Numba as it is imported
        return interpreted(function)
    compiled: F = njit(**_HOT, **options)(function)  # type: ignore[call-overload]
    return compiled


def interpreted(function: F) -> F:
    """Return the Python source itself, for coverage and debugging: rows of record arrays get attributes as compiled."""

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        with np.errstate(over="ignore"):  # hashes wrap around, as compiled
            return function(*map(_with_attributes, arguments))

    return cast(F, call)


class _Records(np.ndarray[Any, Any]):
    """A record array whose rows have the fields as attributes, as in compiled code."""

    def __getitem__(self, index: Any) -> Any:
        return _with_attributes(super().__getitem__(index))


class _Row:
    """A row of a record array; a field may have any name, also that of an attribute of an array."""

    __slots__ = ("_row",)

    def __init__(self, row: np.void) -> None:
        object.__setattr__(self, "_row", row)

    def __getattr__(self, name: str) -> Any:
        return _with_attributes(self._row[name])

    def __setattr__(self, name: str, value: Any) -> None:
        below = type(value) is int and value < 0  # -1 wraps around in an unsigned field, as compiled
        self._row[name] = np.int64(value) if below else value

    __getitem__, __setitem__ = __getattr__, __setattr__


def _with_attributes(value: Any) -> Any:
    if isinstance(value, np.void) and value.dtype.names:
        return _Row(value)
    if isinstance(value, np.ndarray) and value.dtype.names:
        return value.view(_Records)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(_with_attributes, value))
    return value


def kernel(function: F) -> F:
    """Compile a kernel that Python calls, and keep its machine code (``compiled.cache``)."""
    return _compiled(function, cache=True)


def uncounted_kernel(function: F) -> F:
    """Compile a kernel that Python calls, keep its machine code, and leave reference counts out."""
    return _compiled(function, cache=True, _nrt=False)


def inlined(function: F) -> F:
    """Compile a helper into each kernel that calls it."""
    return _compiled(function, forceinline=True)


def uncounted_inlined(function: F) -> F:
    """Compile a helper into each kernel that calls it, and leave reference counts out."""
    return _compiled(function, forceinline=True, _nrt=False)
