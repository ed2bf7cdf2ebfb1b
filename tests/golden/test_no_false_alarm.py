"""A golden case is in order: it raises no alarm but the one that it expects."""

from __future__ import annotations

from adjudicator.errors import E
from tests.golden.test_golden import CASES, settled_case

LEAST_RIGHT_CLAIMS = 40
CONTRADICTORY = frozenset({"V11-own-table"})
"""Cases whose plan has no hospital elsewhere: the claim names one of the pool in another city, and is told so."""
OF_FIELDS = frozenset(
    {
        E.CONTRADICTS_REGISTER, E.STAY_CONTRADICTS_DATES, E.LATE_SETTLEMENT, E.FIELDS_CONTRADICT, E.UNLIKELY_VALUE,
        E.FEE_OUTSIDE_STAY, E.PRICE_TIMES_QUANTITY, E.UNKNOWN_CODE, E.SAME_STAY,
        E.OVERLAPPING_STAYS, E.VISIT_IN_STAY,
    }
)  # fmt: skip
"""Warnings that say a field of the claim is doubtful."""


def test_no_golden_claim_raises_an_alarm_that_its_case_does_not_expect() -> None:
    right, alarms = 0, []
    for case in CASES:
        for settled in settled_case(case):
            expected = settled.expected.expect.get("warning", "")
            told = [E(int(one.code.removeprefix("ADJ-"))) for one in settled.answer.problems if one.warning]
            doubts = [number for number in told if number in OF_FIELDS and number.name != expected]
            right += not doubts
            alarms += [(case.name, number.name) for number in doubts if case.name not in CONTRADICTORY]
    assert not alarms
    assert right >= LEAST_RIGHT_CLAIMS
