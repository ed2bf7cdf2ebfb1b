"""Zero bits of a word, each one instruction of the processor that Python has no word for."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

_CERTAIN = ir.Constant(ir.IntType(1), 1)
"""The instruction may take for granted that the number is not 0."""


@intrinsic
def leading_zeros(_: Any, number: Any) -> Any:
    """Return the zero bits above the highest one of a uint64; the number is not 0."""
    return types.uint64(types.uint64), lambda _, builder, __, given: builder.ctlz(given[0], _CERTAIN)


@intrinsic
def trailing_zeros(_: Any, number: Any) -> Any:
    """Return the zero bits below the lowest one of a uint64; the number is not 0."""
    return types.uint64(types.uint64), lambda _, builder, __, given: builder.cttz(given[0], _CERTAIN)


if config.DISABLE_JIT:  # type: ignore[attr-defined]  # set by Numba as it is imported

    def leading_zeros(number: int) -> np.uint64:  # type: ignore[misc]  # takes the place of the intrinsic
        """Return the zero bits above the highest one, with the compiler off."""
        return np.uint64(64 - int(number).bit_length())

    def trailing_zeros(number: int) -> np.uint64:  # type: ignore[misc]  # takes the place of the intrinsic
        """Return the zero bits below the lowest one, with the compiler off."""
        return np.uint64((int(number) & -int(number)).bit_length() - 1)
