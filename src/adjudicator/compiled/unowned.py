"""Arrays that a kernel's helpers can pass around for free.

A helper that takes an array counts a reference, atomically, for each array and call; in a cascade of some forty helpers
that is most of the time. ``unowned`` gives the same array without its counter: the caller of the kernel keeps it alive
for as long as the kernel runs, so nothing needs to be counted. Use it only on arguments of the outermost kernel.
"""

from __future__ import annotations

from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic


@intrinsic
def unowned(typing_context, array):
    """The same array without its reference counter."""
    if not isinstance(array, types.Array):
        return None

    def code(context, builder, signature, arguments):
        given = cgutils.create_struct_proxy(array)(context, builder, value=arguments[0])
        view = cgutils.create_struct_proxy(array)(context, builder)
        for name in ("nitems", "itemsize", "data", "shape", "strides"):
            setattr(view, name, getattr(given, name))
        view.meminfo = given.meminfo.type(None)
        view.parent = given.parent.type(None)
        return view._getvalue()

    return array(array), code


if config.DISABLE_JIT:

    def unowned(array):
        """Return the array itself: with the compiler off nothing counts."""
        return array
