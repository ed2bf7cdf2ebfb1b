"""Rounding of money and rates: one function a mode, exact on integers. Each use names the clause that orders it.

The functions are plain Python over integers of any size. Kernels use the same source compiled
(``adjudicator.compiled.rounding``); there the product of the arguments must stay below 2**63.
"""

from __future__ import annotations

PPM = 1_000_000
"""Base of a rate: parts per million."""


def divide_half_up(numerator: int, denominator: int) -> int:
    """Return the quotient rounded half away from zero, the rule of V19 (四舍五入). Errors: ValueError.

    >>> divide_half_up(226, 10), divide_half_up(225, 10), divide_half_up(-225, 10)
    (23, 23, -23)
    """
    if denominator <= 0:
        raise ValueError("the denominator must be positive")
    half = denominator // 2
    return (numerator + half) // denominator if numerator >= 0 else -((half - numerator) // denominator)


def divide_up(numerator: int, denominator: int) -> int:
    """Return the quotient rounded towards plus infinity (进一法).

    >>> divide_up(1529, 1000)
    2
    """
    return -((-numerator) // denominator)


def per_million(exact: int) -> int:
    """Return a sum of amounts times rates in parts per million as fen, half away from zero.

    Rounding once after the sum and rounding each product differ; which of them holds is the clause's choice.

    >>> per_million(4_970_000 * 700_000), per_million(-500_000), per_million(499_999)
    (3479000, -1, 0)
    """
    return (exact + 500_000) // 1_000_000 if exact >= 0 else -((500_000 - exact) // 1_000_000)


def share(amount_fen: int, rate_ppm: int) -> int:
    """Return the part of an amount that a rate gives, half away from zero to the fen.

    >>> share(4970000, 700000), share(-1, 500_000)
    (3479000, -1)
    """
    exact = amount_fen * rate_ppm
    return (exact + 500_000) // 1_000_000 if exact >= 0 else -((500_000 - exact) // 1_000_000)
