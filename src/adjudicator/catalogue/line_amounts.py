"""The arithmetic of one fee line: price times quantity, what is over a ceiling, and the first pay. Scalars only."""

from __future__ import annotations

from adjudicator.catalogue.layout import Handling
from adjudicator.catalogue.settings import OPTIONS
from adjudicator.compiled.jit import inlined, int64, uint64
from adjudicator.compiled.rounding import share

LINE_CEILING = int(Handling.LINE_CEILING)
PRICE_DIFFERENCE = OPTIONS["over_ceiling"].index("price_difference")
FEN_A_UNIT, FEN_A_LINE = OPTIONS["price_rounding"].index("fen_a_unit"), OPTIONS["price_rounding"].index("fen_a_line")


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
def compare(amount_fen: int, price_e4: int, quantity_e4: int) -> int:
    """Return 0 where an amount is price times quantity, half up (L2), else a number with the sign of the difference.

    Above 0 the price of a unit is higher than the stated one. Small numbers need one product and no division.
    """
    if price_e4 | quantity_e4 | (amount_fen >> 5) < 1 << 31:
        distance = amount_fen * int64(100_000_000) - price_e4 * quantity_e4
        sign = int64(distance > int64(50_000_000)) - int64(distance <= int64(-50_000_000))
    else:
        sign = amount_fen - times_fen(price_e4, quantity_e4)
    return sign


@inlined
def rounding_fen(choice: int, quantity_e4: int) -> int:
    """Return how far price times quantity may be from the amount: a fen for each unit begun, a fen, or nothing."""
    fen = (uint64(quantity_e4) + uint64(9_999)) // uint64(10_000)
    if choice != FEN_A_UNIT:
        fen = uint64(1) if choice == FEN_A_LINE else uint64(0)
    return int64(fen)


@inlined
def is_beyond_rounding(choice: int, price_e4: int, quantity_e4: int, amount_fen: int) -> bool:
    """Return whether price times quantity, half up, is further from the amount than rounding explains.

    None of the numbers is negative: of a refund they are taken without their sign.
    """
    beyond = compare(amount_fen, price_e4, quantity_e4) != 0
    if beyond:
        beyond = abs(times_fen(price_e4, quantity_e4) - amount_fen) > rounding_fen(choice, quantity_e4)
    return beyond


@inlined
def ceiling_fen(ceiling_e4: int) -> int:
    """Return a ceiling on a line's amount in fen, half up; it is not negative."""
    return int64((uint64(ceiling_e4) + uint64(5_000)) // uint64(10_000))


@inlined
def is_over(price_e4: int, ceiling_e4: int, quantity_e4: int, amount_fen: int, handling: int) -> bool:
    """Return whether a line is over its ceiling: by its amount where the ceiling is on the line, else by its price.

    The price of a unit is the stated one or amount / quantity, whichever is higher (R22), so that a wrong price does
    not switch the ceiling off; the latter is compared as amount with ceiling times quantity, half up.
    """
    over = price_e4 > ceiling_e4
    if handling == LINE_CEILING:
        over = amount_fen > ceiling_fen(ceiling_e4)
    elif not over and compare(amount_fen, price_e4, quantity_e4) > 0:
        over = amount_fen > times_fen(ceiling_e4, quantity_e4)
    return over


@inlined
def excess_fen(
    price_e4: int, ceiling_e4: int, quantity_e4: int, amount_fen: int, handling: int, over_ceiling: int
) -> int:
    """Return what of an amount is over the ceiling, from 0 to the amount (R22), of a line that ``is_over``.

    ``over_ceiling`` is the pack's choice. By the difference of the prices the excess is half up; where the amount is
    above price times quantity, the price of a unit is amount / quantity and both choices come to the same.
    """
    if handling == LINE_CEILING:
        excess = amount_fen - ceiling_fen(ceiling_e4)
    elif over_ceiling != PRICE_DIFFERENCE or compare(amount_fen, price_e4, quantity_e4) > 0:
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
