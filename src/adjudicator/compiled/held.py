"""A tuple of arrays that a kernel is given as one thing.

Unpacking a tuple costs a fifth of a microsecond an array and call, and the rules of a pack are a hundred arrays. Held,
they are unpacked once and handed over as one pointer.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from numba import types
from numba.experimental import structref

from adjudicator.compiled.jit import interpreted, kernel
from adjudicator.compiled.unowned import INTERPRETED, itself


@structref.register
class HeldType(types.StructRef):
    """The type of ``Held`` in compiled code."""


class Held(structref.StructRefProxy):
    """Arrays that stay where they are; ``it`` in a kernel is the tuple."""

    it: Any


structref.define_proxy(Held, HeldType, ["it"])  # type: ignore[no-untyped-call]  # Numba has no types


class _Plain(NamedTuple):
    """The same where nothing is compiled."""

    it: Any


@kernel
def _hold(it: Any) -> Any:
    return Held(it)  # type: ignore[no-untyped-call]


def hold(it: Any) -> Held:
    """Return a tuple of arrays as one thing for kernels; whoever holds it keeps the arrays alive."""
    held: Held = interpreted(itself)(_Plain(it)) if INTERPRETED else _hold(it)
    return held
