"""What the slow twins of all payment methods share: rounding, the method table, point values.

Takes rules as read from the pack, one claim at a time, and computes with fractions; nothing is shared with the kernel.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from adjudicator.codes import Filing
from adjudicator.errors import E

HUNDRED_MILLION = 10**8


class Given(NamedTuple):
    """One claim as the payment sees it: the rules of its pack, the facts, and what the benefit paid."""

    rules: Any
    claim: Any
    split: Any
    benefit: Any
    group: Any
    drg: str
    codes: tuple
    """Ids of the diagnoses, the principal one first, and of the procedures."""
    date: int

    @property
    def clearing(self) -> int:
        """What the funds that clearing replaces would pay by item, fen."""
        funds = self.rules.clearing_funds
        tilt = int(self.benefit["tilt_fen"]) if "assistance" in funds else 0
        return sum(int(self.benefit[f"{fund}_fen"]) for fund in funds) + tilt

    @property
    def others(self) -> int:
        """What the person and the other funds pay, fen."""
        return int(self.benefit["personal_total_fen"]) + int(self.benefit["fund_total_fen"]) - self.clearing


def half_up(value: Fraction) -> int:
    """Nearest whole number, half away from zero."""
    sign = -1 if value < 0 else 1
    doubled = abs(value) * 2 + 1
    return sign * (doubled.numerator // (2 * doubled.denominator))


def to_decimals(value: Fraction, decimals: int) -> Fraction:
    return Fraction(half_up(value * 10**decimals), 10**decimals)


class Refused(Exception):
    def __init__(self, number: E):
        self.number = number


def date_of(rules, claim) -> int:
    given = (claim["settlement_date"], claim["discharge_date"], claim["admission_date"])[rules.deciding_date]
    return int(given) or int(claim["settlement_date"])


def holds(entry, date: int) -> bool:
    return entry.source.from_date <= date <= entry.source.to_date


def has_contract(rules, claim, date: int) -> bool:
    return bool(claim["at_signed_institution"]) and any(
        holds(contract, date)
        and claim["hospital"] >= 0
        and rules.view.hospitals[contract.hospital] == rules.view.hospitals[int(claim["hospital"])]
        and contract.scheme == claim["scheme"]
        for contract in rules.contracts
    )


def fits(given: Given, row) -> bool:
    claim, group = given.claim, given.group
    diagnoses, procedures = given.codes
    facts = {
        "care_kind": claim["care_kind"],
        "scheme": claim["scheme"],
        "place": claim["place"],
        "filing": claim["filing"],
        "channel": bool(claim["settled_at_counter"]) or claim["filing"] == Filing.NOT_DIRECT,
        "status": group["status"],
        "maternity_type": claim["maternity_type"],
        "person_type": claim["person_type"],
        "assistance": claim["assistance"],
        "hospital": claim["hospital"],
        "department": claim["department"],
        "disease": claim["disease"],
        "drg": group["drg"],
        "diagnosis": diagnoses[0] if diagnoses else -1,
    }
    for name, fact in facts.items():
        if row.accepts[name] is not None and int(fact) not in row.accepts[name]:
            return False
    if row.accepts["procedure"] is not None and not set(procedures) & row.accepts["procedure"]:
        return False
    if row.contract and (row.contract == 1) != has_contract(given.rules, claim, given.date):
        return False
    if not row.stay_days[0] <= claim["stay_days"] <= row.stay_days[1]:
        return False
    return bool(row.age_years[0] <= claim["age_years"] <= row.age_years[1])


def method_of(given: Given):
    rows = [row for row in given.rules.methods if holds(row, given.date) and fits(given, row)]
    if not rows:
        raise Refused(E.NO_PAYMENT_METHOD)
    return max(rows, key=lambda row: row.priority)


def point_value(given: Given, kind: int) -> Fraction:
    rules, claim = given.rules, given.claim
    date = int(claim["settlement_date"])
    month = date // 100
    for entry in sorted(rules.point_values, key=lambda one: one.source.to_date):  # without an end: last
        same = (entry.scheme, entry.kind) == (claim["scheme"], kind)
        if same and entry.source.from_date // 100 <= month <= entry.source.to_date // 100:
            return Fraction(entry.value_e4, 10**4)
    raise Refused(E.NO_POINT_VALUE)


def highest(given: Given, rows) -> Fraction:
    rates = [row.rate_ppm for row in rows if fits(given, row)]
    return Fraction(max(rates, default=0), 10**6)
