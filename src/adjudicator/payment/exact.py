"""Exact products of points, coefficients, amounts and rates: integers of up to 192 bits in limbs of 64 bits.

A product of three columns does not fit 64 bits, and a float would lose fen. Rounding is half-up, once (R38).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjudicator.compiled.jit import uncounted_kernel

E8 = 100_000_000
"""Points and coefficients are integers of 1e-8."""
POINTS_TIMES_VALUE = 10**12
"""Points (1e-8) x value (1/10000 fen a point) in fen."""

_U0, _U1, _U2 = np.uint64(0), np.uint64(1), np.uint64(2)
_U32, _U64 = np.uint64(32), np.uint64(64)
_LOW32 = np.uint64(0xFFFFFFFF)
_BASE32 = np.uint64(1 << 32)
_TOP = np.uint64(1 << 63)


@uncounted_kernel
def multiply_wide(a: Any, b: Any) -> tuple[Any, Any]:
    """Return the product of two uint64 as high and low limb."""
    a_low, a_high = a & _LOW32, a >> _U32
    b_low, b_high = b & _LOW32, b >> _U32
    low = a_low * b_low
    middle = a_high * b_low + (low >> _U32)
    other = a_low * b_high + (middle & _LOW32)
    return a_high * b_high + (middle >> _U32) + (other >> _U32), (other << _U32) | (low & _LOW32)


@uncounted_kernel
def divide_wide(high: Any, low: Any, divisor: Any) -> tuple[Any, Any]:
    """Return quotient and remainder of a two-limb number by a divisor greater than ``high`` (Knuth's algorithm D)."""
    if high == _U0:
        return low // divisor, low % divisor
    shift = _U0
    while divisor & _TOP == _U0:
        divisor <<= _U1
        shift += _U1
    if shift > _U0:
        high = (high << shift) | (low >> (_U64 - shift))
        low <<= shift
    v1, v0 = divisor >> _U32, divisor & _LOW32
    u1, u0 = low >> _U32, low & _LOW32
    q1 = high // v1
    rest = high - q1 * v1
    while q1 >= _BASE32 or q1 * v0 > ((rest << _U32) | u1):
        q1 -= _U1
        rest += v1
        if rest >= _BASE32:
            break
    middle = (high << _U32) + u1 - q1 * divisor
    q0 = middle // v1
    rest = middle - q0 * v1
    while q0 >= _BASE32 or q0 * v0 > ((rest << _U32) | u0):
        q0 -= _U1
        rest += v1
        if rest >= _BASE32:
            break
    return (q1 << _U32) + q0, ((middle << _U32) + u0 - q0 * divisor) >> shift


@uncounted_kernel
def scaled_product(a: int, b: int, c: int, d1: int, d2: int) -> Any:
    """Return a x b x c / (d1 x d2), rounded half-up, exact.

    Bounds: each argument is not negative, d1 >= 1, 1 <= d2 < 2**62, c < 2**62, the result is below 2**63. Money up to
    10**12 fen, points up to 10**14, coefficients up to 10**10: the numerator stays below 2**192.
    """
    high, low = multiply_wide(np.uint64(a), np.uint64(b))
    twice = np.uint64(c) * _U2
    n1, n0 = multiply_wide(low, twice)
    n2, part = multiply_wide(high, twice)
    n1 += part
    if n1 < part:
        n2 += _U1
    half_high, half_low = multiply_wide(np.uint64(d1), np.uint64(d2))
    n0 += half_low
    if n0 < half_low:
        n1 += _U1
        if n1 == _U0:
            n2 += _U1
    n1 += half_high
    if n1 < half_high:
        n2 += _U1
    first = np.uint64(d1)
    q2, rest = n2 // first, n2 % first
    q1, rest = divide_wide(rest, n1, first)
    q0, rest = divide_wide(rest, n0, first)
    second = np.uint64(d2) * _U2
    rest = q2 % second
    _, rest = divide_wide(rest, q1, second)
    q0, rest = divide_wide(rest, q0, second)
    return np.int64(q0)


@uncounted_kernel
def product_compare(a: int, b: int, c: int, d: int) -> int:
    """Return the sign of a x b - c x d for non-negative integers, exact."""
    left_high, left_low = multiply_wide(np.uint64(a), np.uint64(b))
    right_high, right_low = multiply_wide(np.uint64(c), np.uint64(d))
    result = 0
    if left_high != right_high:
        result = 1 if left_high > right_high else -1
    elif left_low != right_low:
        result = 1 if left_low > right_low else -1
    return result


@uncounted_kernel
def points_value_fen(points_e8: int, value_e4: int) -> Any:
    """Return the worth of points in fen, half-up (R38); negative points mirror."""
    magnitude = points_e8 if points_e8 >= 0 else -points_e8
    result = scaled_product(magnitude, value_e4, 1, POINTS_TIMES_VALUE, 1)
    return result if points_e8 >= 0 else -result
