"""Arrays that a kernel's helpers can pass around for free.

A helper that takes an array counts a reference, atomically, for each array and call; in a cascade of some forty helpers
that is most of the time. ``unowned`` gives the same array without its counter: the caller of the kernel keeps it alive
for as long as the kernel runs, so nothing needs to be counted. Use it only on arguments of the outermost kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

INTERPRETED = config.DISABLE_JIT  # type: ignore[attr-defined]  # set by Numba as it is imported


def _unowned(typing_context: Any, array: Any) -> Any:
    """Return the same array without its reference counter."""
    if not isinstance(array, types.Array):
        return None

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        proxy: Any = cgutils.create_struct_proxy
        given = proxy(array)(context, builder, value=arguments[0])
        view = proxy(array)(context, builder)
        for name in ("nitems", "itemsize", "data", "shape", "strides"):
            setattr(view, name, getattr(given, name))
        view.meminfo = given.meminfo.type(None)
        view.parent = given.parent.type(None)
        return view._getvalue()

    return array(array), code


def itself(array: Any) -> Any:
    return array


unowned: Callable[[Any], Any] = itself if INTERPRETED else cast(Any, intrinsic(_unowned))
"""The same array without its reference counter; called in kernels only. With the compiler off nothing counts."""
