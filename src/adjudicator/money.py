"""Money is integer fen: read from text, printed, and split so that the parts add up. Rounding is in ``rounding``."""

from __future__ import annotations

import re
from collections.abc import Sequence

_YUAN = re.compile(r"([+-]?)(\d{1,16})(?:\.(\d+))?\Z")


class MoneyError(ValueError):
    """Text that is not an amount of money, or has more decimals than a fen allows."""


def yuan_to_fen(text: str | int) -> int:
    """Read an amount in yuan, with at most two decimals, as fen. Errors: MoneyError.

    >>> yuan_to_fen("24564.51")
    2456451
    >>> yuan_to_fen("0.005")
    Traceback (most recent call last):
    ...
    adjudicator.money.MoneyError: 0.005 has a third decimal: money is in whole fen, write at most two decimals
    """
    return decimal_to_scaled(str(text), 2, "money is in whole fen, write at most two decimals")


def decimal_to_scaled(text: str, decimals: int, advice: str = "") -> int:
    """Read a decimal number exactly as an integer of ``10**-decimals`` units, never by a float. Errors: MoneyError.

    >>> decimal_to_scaled("0.82", 6)
    820000
    """
    match = _YUAN.fullmatch(text.strip())
    if match is None:
        raise MoneyError(f"{text!r} is not a decimal number such as 1234.56")
    sign, whole, fraction = match[1], match[2], (match[3] or "").rstrip("0")
    if len(fraction) > decimals:
        ordinal = {2: "a third decimal", 6: "a seventh decimal"}.get(decimals, f"more than {decimals} decimals")
        raise MoneyError(f"{text.strip()} has {ordinal}" + (f": {advice}" if advice else ""))
    value: int = int(whole) * 10**decimals + int(fraction.ljust(decimals, "0") or "0")
    return -value if sign == "-" else value


def fen_to_yuan(fen: int) -> str:
    """Return fen as yuan with two decimals.

    >>> fen_to_yuan(-1453123)
    '-14531.23'
    """
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def split_by_weight(total: int, weights: Sequence[int]) -> list[int]:
    """Split a total by largest remainder (最大余数法); the parts always add up to it.

    Equal remainders go to the earlier part, a negative total is mirrored (reading R32).

    >>> split_by_weight(100, [1, 1, 1])
    [34, 33, 33]
    >>> split_by_weight(-100, [1, 1, 1])
    [-34, -33, -33]
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("weights must not be negative and at least one must be positive")
    magnitude = abs(total)
    parts = [magnitude * weight // whole for weight in weights]
    remainders = [magnitude * weight % whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-remainders[i], i))
    for i in by_remainder[: magnitude - sum(parts)]:
        parts[i] += 1
    return [-part for part in parts] if total < 0 else parts
