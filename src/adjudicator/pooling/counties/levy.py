"""Levies: what each county pays into a fund of the city in a year (上解调剂金、归集基金).

Sources: docs/law.md, "Pooling"; readings R41 (the cap) and R47 (how a levy is booked).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adjudicator.errors import AdjudicatorError, E, Problem, refuse
from adjudicator.money import split_by_weight
from adjudicator.pooling.counties.figures import CountyYear, figure
from adjudicator.rounding import divide_half_up, share

SPENDING, BALANCE = "spending", "balance"
"""How a levy is booked: as spending of the year, or as a transfer of the county's accumulated balance."""


@dataclass(frozen=True, slots=True)
class Levy:
    """How a fund is filled: a rate of a basis each year up to a share of the financing, or months of payments."""

    fund: str
    basis: str = "last_financing"
    """last_financing, financing or months"""
    rate_ppm: int = 0
    months_e2: int = 0
    cap_ppm: int = -1
    """Stops when the balance has reached this share of this year's financing; -1 never."""
    cut_at_cap: bool = False
    booked_as: str = BALANCE

    @property
    def needs_balance(self) -> bool:
        """Whether the levy depends on what the fund holds."""
        return self.cap_ppm >= 0 or self.basis == "months"


def levies_fen(levy: Levy, counties: Sequence[CountyYear], balances_fen: Mapping[str, int]) -> list[int | Problem]:
    """Return what each county owes a fund for the year, or why that is not known.

    A county whose own balance in the fund is given (``reserve@330102``) is measured by itself, all others together by
    the fund's balance and the financing of all. ``counties`` are those of one scheme, in a fixed order: the last fen
    of a levy that is cut goes by it. A missing figure never counts as 0.
    """
    dues: list[int | Problem] = [0] * len(counties)
    together = []
    for place, county in enumerate(counties):
        own = balances_fen.get(f"{levy.fund}@{county.county}")
        if own is None:
            together.append(place)
        else:
            dues[place] = _fill(levy, [county], [county], own)[0]
    others = [counties[place] for place in together]
    found = _fill(levy, others, counties, balances_fen.get(levy.fund))
    for place, due in zip(together, found, strict=True):
        dues[place] = due
    return dues


def _fill(
    levy: Levy, counties: Sequence[CountyYear], measured: Sequence[CountyYear], balance_fen: int | None
) -> list[int | Problem]:
    """Return the levies of counties that fill one balance; ``measured`` are those whose financing sets the cap."""
    amounts = [_amount(levy, county) for county in counties]
    if not counties or not levy.needs_balance:
        return amounts
    try:
        if balance_fen is None:
            raise no_balance(levy.fund, counties[0].scheme)
        room = _room(levy, measured, balance_fen)
        if room is not None and room <= 0:
            return [0] * len(counties)
        if levy.basis == "months" and balance_fen > 0:
            amounts = _cut(amounts, max(0, sum(_known(amounts)) - balance_fen))
        if levy.cut_at_cap and room is not None and sum(_known(amounts)) > room:
            _needs_financing(measured)
            amounts = _cut(amounts, room)
    except AdjudicatorError as error:
        return [amount if isinstance(amount, Problem) else error.problems[0] for amount in amounts]
    return amounts


def _amount(levy: Levy, county: CountyYear) -> int | Problem:
    """Return the levy of one county before any cap."""
    try:
        if levy.basis == "months":
            return divide_half_up(figure(county, "last_expenditure") * levy.months_e2, 1200)
        return share(figure(county, levy.basis), levy.rate_ppm)
    except AdjudicatorError as error:
        return error.problems[0]


def _room(levy: Levy, measured: Sequence[CountyYear], balance_fen: int) -> int | None:
    """Return how much the fund may still take, 0 or less where the levy has stopped; ``None`` for one without cap.

    A county without financing makes the cap larger than what is known of it: below that, the levy goes on for sure.
    """
    if levy.cap_ppm < 0:
        return None
    known = share(sum(county.financing_fen for county in measured if county.financing_fen >= 0), levy.cap_ppm)
    if balance_fen >= known:
        _needs_financing(measured)
    return known - balance_fen


def _needs_financing(measured: Sequence[CountyYear]) -> None:
    for county in measured:
        figure(county, "financing")


def _known(amounts: Sequence[int | Problem]) -> list[int]:
    """Return the amounts; one that is not known makes their sum unknown, and its reason is the refusal."""
    unknown = [amount for amount in amounts if isinstance(amount, Problem)]
    if unknown:
        raise AdjudicatorError(unknown[0])
    return [amount for amount in amounts if not isinstance(amount, Problem)]


def _cut(amounts: Sequence[int | Problem], total_fen: int) -> list[int | Problem]:
    """Cut levies to a total in proportion (largest remainder, R32)."""
    known = _known(amounts)
    return list(split_by_weight(total_fen, known)) if sum(known) else list(known)


def no_balance(fund: str, scheme: str, rule: str = "") -> AdjudicatorError:
    """Return the refusal of a figure that depends on a balance which was not given."""
    of, of_zh = (f"the rule {rule}", f"规则 {rule}") if rule else ("the levy", "上解规则")
    return refuse(
        E.CANNOT_CLEAR, "fund", f"{of} needs the balance of the fund {fund}; give it with --fund {scheme}:{fund}=YUAN",
        f"{of_zh}需要基金 {fund} 的余额，请用 --fund {scheme}:{fund}=金额（元）给出",
    )  # fmt: skip
