"""Cases that are not about a claim: the fund and quota of a year, what may be reviewed, growth on the year before.

Each goes through the code of the command that a bureau would use; docs/cases.md lists the keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from adjudicator.cases.file import Case, ClaimCase, fen
from adjudicator.codes import Method
from adjudicator.errors import E, refuse
from adjudicator.money import MoneyError, decimal_to_scaled
from adjudicator.payment.methods.drg.terms import SpecialCases
from adjudicator.pooling.cases import CASE, Cases
from adjudicator.pooling.counties.warning import growth_rate
from adjudicator.pooling.heads.capitation import Deductions, members_fund
from adjudicator.pooling.hospitals.applications import applications
from adjudicator.rounding import PPM, divide_half_up

GROUP, HOSPITAL = "GROUP", "HOSPITAL"


@dataclass(slots=True)
class Computed:
    """A case of a period with what came out; the same face as a claim that was settled (``cases.run.Settled``)."""

    case: Case
    outcomes: dict[str, int | str]
    number: int = 0
    steps: tuple[Any, ...] = field(default=())

    def amounts(self) -> dict[str, int | str]:
        """Return every outcome of this kind of case."""
        return self.outcomes

    @property
    def expected(self) -> ClaimCase:
        """What the case expects."""
        return self.case.claims[0]

    def differences(self) -> list[tuple[str, int | str, int | str]]:
        """(outcome, expected, got) of all that is not as the case says; a ``never`` that came out counts too."""
        return self.expected.differences(self.outcomes)


def compute(case: Case) -> Computed:
    """Compute a case of a period. Errors: AdjudicatorError for a value that cannot be read."""
    given = case.period
    where = f"{case.file}:{case.name}.{case.kind_of_period}"
    outcomes = _KINDS[case.kind_of_period](given, where)
    strange = [name for name in (*case.claims[0].expect, *case.claims[0].never) if name not in outcomes]
    if strange:
        detail = f"{where}: {strange[0]} is no outcome of it; expect {', '.join(outcomes)}"
        raise refuse(E.CORRUPT_CASE_FILE, where, detail)
    return Computed(case, outcomes)


def _head_quota(given: Mapping[str, Any], where: str) -> dict[str, int | str]:
    members = _whole(given, "members", where)
    amounts = {
        key: fen(given.get(key, 0), f"{where}.{key}")
        for key in ("financing", "per_head", "personal_per_head", "carried", "interest", "adjustment")
    }
    rates = [_scaled(given, key, 4, where) for key in ("risk_percent", "critical_percent")]
    fund = members_fund(
        members,
        amounts["financing"] or amounts["per_head"] * members,
        amounts["personal_per_head"] * members,
        amounts["carried"],
        amounts["interest"],
        Deductions(rates[0], rates[1], amounts["adjustment"]),
    )
    return {
        "financing": fund.financing_fen, "personal_part": fund.personal_fen, "usable_fund": fund.usable_fen,
        "head_quota": fund.quota_fen,
    }  # fmt: skip


def _review(given: Mapping[str, Any], where: str) -> dict[str, int | str]:
    costs = given.get("costs") or {}
    rows = np.zeros(len(costs), CASE)
    rows["method"], rows["sign"] = int(Method.DRG_POINTS), 1
    rows["total_fen"] = [fen(cost, f"{where}.costs.{name}") for name, cost in costs.items()]
    ids = np.array([str(name) for name in costs], object)
    standing = Cases(rows, ids, [HOSPITAL], [""], [""], [GROUP])
    limit_ppm = _scaled(given, "limit_percent", 4, where) if "limit_percent" in given else PPM
    special = SpecialCases(limit_ppm, {}, str(given.get("rounding", "down")), 0, verified=True)
    average = fen(given.get("average", 0), f"{where}.average")
    found, _ = applications(standing, {GROUP: average}, _scaled(given, "multiple", 6, where), special, {})
    return {
        "may_apply": ", ".join(one.case for one in found),
        "taken": ", ".join(one.case for one in found if one.taken),
    }


def _growth(given: Mapping[str, Any], where: str) -> dict[str, int | str]:
    now, before = (fen(given.get(key, 0), f"{where}.{key}") for key in ("now", "before"))
    rate = (growth_rate(now, before) or Fraction(0)) * PERCENT
    sign = -1 if rate < 0 else 1
    return {"growth_percent": sign * divide_half_up(abs(rate.numerator), rate.denominator)}


PERCENT = 100 * 100
"""Hundredths of a percent in 1."""

_KINDS: dict[str, Callable[[Mapping[str, Any], str], dict[str, int | str]]] = {
    "head_quota": _head_quota, "review": _review, "growth": _growth,
}  # fmt: skip


def _whole(given: Mapping[str, Any], key: str, where: str) -> int:
    return _scaled(given, key, 0, where)


def _scaled(given: Mapping[str, Any], key: str, decimals: int, where: str) -> int:
    try:
        return decimal_to_scaled(str(given.get(key, 0)), decimals)
    except MoneyError as error:
        raise refuse(E.CORRUPT_CASE_FILE, f"{where}.{key}", f"{where}.{key}: {error}") from error
