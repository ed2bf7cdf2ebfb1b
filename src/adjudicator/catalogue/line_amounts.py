"""The arithmetic of one fee line: price times quantity, what is over a ceiling, and the first pay. Scalars only."""

from __future__ import annotations

from adjudicator.catalogue.layout import Handling
from adjudicator.compiled.jit import inlined, int64, uint64
from adjudicator.compiled.rounding import share

LINE_CEILING = int(Handling.LINE_CEILING)


@inlined
def times_fen(price_e4: int, quantity_e4: int) -> int:
    """Return price times quantity in fen, half up, exact; neither is negative, price <= 10**14, quantity <= 10**10.

    The product has 24 digits, so it is formed in two parts: with quantity = whole * 10**4 + rest and price * whole
    = high * 10**4 + low, the fen are high + round((low * 10**4 + price * rest) / 10**8). Bounds: price * whole needs
    price <= 10**12 for a whole of 10**6 (10**18); price * rest < 10**16.
    """
    whole = uint64(quantity_e4) // uint64(10_000)
    rest = uint64(quantity_e4) - whole * uint64(10_000)
    product = uint64(price_e4) * whole
    high = product // uint64(10_000)
    low = product - high * uint64(10_000)
    parts = low * uint64(10_000) + uint64(price_e4) * rest + uint64(50_000_000)
    return int64(high + parts // uint64(100_000_000))


@inlined
def differs(price_e4: int, quantity_e4: int, amount_fen: int) -> bool:
    """Return whether price times quantity, half up, is another amount (L2); small numbers need one product only."""
    if price_e4 | quantity_e4 | (amount_fen >> 5) < 1 << 31:
        distance = price_e4 * quantity_e4 - amount_fen * int64(100_000_000) + int64(50_000_000)
        other = uint64(distance) >= uint64(100_000_000)
    else:
        other = times_fen(price_e4, quantity_e4) != amount_fen
    return other


@inlined
def ceiling_fen(ceiling_e4: int) -> int:
    """Return a ceiling on a line's amount in fen, half up; it is not negative."""
    return int64((uint64(ceiling_e4) + uint64(5_000)) // uint64(10_000))


@inlined
def is_over(price_e4: int, ceiling_e4: int, amount_fen: int, handling: int) -> bool:
    """Return whether a line is over its ceiling: by its price, or by its amount where the ceiling is on the line."""
    over = price_e4 > ceiling_e4
    if handling == LINE_CEILING:
        over = amount_fen > ceiling_fen(ceiling_e4)
    return over


@inlined
def excess_fen(
    price_e4: int, ceiling_e4: int, quantity_e4: int, amount_fen: int, handling: int, amount_less_ceiling: int
) -> int:
    """Return what of an amount is over the ceiling, from 0 to the amount (R22). The price is over the ceiling."""
    if handling == LINE_CEILING:
        excess = amount_fen - ceiling_fen(ceiling_e4)
    elif amount_less_ceiling != 0:
        excess = amount_fen - times_fen(ceiling_e4, quantity_e4)
    else:
        excess = times_fen(price_e4 - ceiling_e4, quantity_e4)
    return min(max(excess, int64(0)), amount_fen)


@inlined
def first_pay_fen(amount_fen: int, over_fen: int, rate_ppm: int, whole_price: int) -> int:
    """Return the first pay of class B: on the rest after the ceiling, or on the whole price, at most the rest (R23)."""
    rest = amount_fen - over_fen
    if whole_price != 0:
        pay = min(share(amount_fen, rate_ppm), rest)
    else:
        pay = share(rest, rate_ppm)
    return pay
