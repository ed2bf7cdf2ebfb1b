"""Slow twins of the budget's arithmetic, written from docs/budget.md with fractions and one step at a time."""

from __future__ import annotations

from fractions import Fraction

HALF = Fraction(1, 2)


def half_up(value: Fraction) -> int:
    """Round half away from zero."""
    return int(value + HALF) if value >= 0 else -int(-value + HALF)


def year_spending(rows, county: str, scheme: str, fund: str, year: int, clearing: set[str]) -> int:
    """What a fund of a county spent in a year: sums over the accounts of the year as a whole, not month by month."""
    own = [row for row in rows if (row.county, row.scheme_code) == (county, scheme) and row.month // 100 == year]

    def of(name: str, months=None) -> int:
        return sum(row.amount_fen for row in own if row.fund.name == name and (months is None or row.month in months))

    if fund != "pooled":
        return of(fund.upper())
    cleared = any(row.fund.name == "PROVIDER_YEAR" and row.amount_fen and row.month // 100 == year for row in rows)
    settled = {row.month for row in rows if row.fund.name == "PROVIDER_FINAL" and row.amount_fen}
    unsettled = {row.month for row in rows} - settled
    owed = of("PROVIDER_FINAL") + of("PROVIDER_YEAR") + of("PROVIDER_CAPITATION")
    owed += 0 if cleared else of("PROVIDER_DUE", unsettled)
    return (
        owed
        - sum(of(name.upper()) for name in clearing if name != "pooled")
        + (0 if "pooled" in clearing else of("POOLED"))
    )


def transfers(plan: int, spent: list[int], float_months: Fraction, every: int) -> tuple[list[int], int]:
    """Transfers of a year, and what its end settles, by keeping the agency's cash month by month."""
    share, rest = divmod(plan, 12)
    months = [share + (number < rest) for number in range(12)]
    months[: len(spent)] = spent
    target = half_up(Fraction(plan) * float_months / 12)
    cash, found = 0, []
    for number, paid in enumerate(months):
        if number % every == 0:
            found.append(max(target - cash, 0))
            cash += found[-1]
        cash -= paid
    return found, -cash


def weighted(scores: list[int], weights: list[int]) -> Fraction:
    """Total of scores in hundredths by weights in ppm."""
    pairs = zip(scores, weights, strict=True)
    return sum((Fraction(score, 100) * Fraction(weight, 10**6) for score, weight in pairs), Fraction(0))
