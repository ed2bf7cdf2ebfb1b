"""A case takes a settlement back by the ledger's own reversal, and the year is as before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from adjudicator.cases.file import read_cases
from adjudicator.cases.run import Settled, run_case
from adjudicator.errors import AdjudicatorError
from adjudicator.ledger.reversal import negate_settlement
from adjudicator.v1 import settlement_pb2

YEARLY = "case: X\nplan: {deductible_yuan: 100, deductible_counting: year_highest, rate_percent: 50}\nclaims:\n"


def settle(folder: Path, text: str) -> list[Settled]:
    path = folder / "case.yaml"
    path.write_text(text, "utf-8")
    (case,) = read_cases([path])
    return run_case(case)


def test_every_amount_is_negative_and_the_next_claim_is_priced_as_the_first_was(tmp_path: Path) -> None:
    first, reversal, again = settle(
        tmp_path,
        YEARLY + "- {date: 2024-02-01, account: {current: 30, past: 10}, amounts: {in_scope: 300, first_pay: 7.77}}\n"
        "- {reverse: 1}\n"
        "- {date: 2024-02-01, account: {current: 30, past: 10}, amounts: {in_scope: 300, first_pay: 7.77}}\n",
    )
    words = ("drg", "group_status", "method", "warning", "error", "error_field")
    was, negative, then = (settled.amounts() for settled in (first, reversal, again))
    assert was == then and was["deductible"] == 10_000
    for name, value in was.items():
        assert negative[name] == (value if name in words else -int(value)), name
    whole = negate_settlement(first.answer.SerializeToString(deterministic=True), reversal.answer.settlement_id)
    assert reversal.answer == settlement_pb2.Settlement.FromString(whole)
    assert first.steps and not reversal.steps


def test_a_quota_of_the_month_is_restored(tmp_path: Path) -> None:
    """The quota of Taohuayuan is 150 a month: 55 are used, 95 are left, and 95 are left again after the reversal."""
    claim = "- {care: chronic, disease: M03900, date: 2024-05-02, amounts: {in_scope: %d}, expect: {pooled_fund: %d}}\n"
    settled = settle(
        tmp_path,
        "case: X\npack: taohuayuan\nclaims:\n" + claim % (100, 55) + claim % (160, 95)
        + "- {reverse: 2, expect: {pooled_fund: -95}}\n" + claim % (160, 95) + claim % (160, 0),
    )  # fmt: skip
    assert [one.differences() for one in settled] == [[]] * 5


def test_accumulators_that_the_case_states_are_restored(tmp_path: Path) -> None:
    given = "year_to_date: {deductible_charged: 60}, amounts: {in_scope: 100}"
    settled = settle(
        tmp_path,
        YEARLY
        + f"- {{{given}, expect: {{deductible: 40}}}}\n- {{amounts: {{in_scope: 100}}, expect: {{deductible: 0}}}}\n"
        "- {reverse: 2}\n- {reverse: 1, expect: {deductible: -40}}\n"
        "- {amounts: {in_scope: 100}, expect: {deductible: 40}}\n",
    )
    assert [one.differences() for one in settled] == [[]] * 5


def test_refusals_are_those_of_the_service(tmp_path: Path) -> None:
    settled = settle(
        tmp_path,
        YEARLY + "- {amounts: {in_scope: 300}}\n- {amounts: {in_scope: 300}}\n"
        "- {reverse: 1, expect: {error: NOT_LATEST_SETTLEMENT, total: 0}}\n"
        "- {reverse: 2, settlement: 2024-05-01, expect: {error: DATE_ORDER, error_field: reversal_date}}\n"
        "- {reverse: 2, settlement: 2024-07-01, expect: {total: -300}}\n"
        "- {reverse: 2, expect: {total: -300}}\n"
        "- {reverse: 2, settlement: 2024-08-01, expect: {error: ALREADY_REVERSED}}\n"
        "- {reverse: 1, expect: {deductible: -100}}\n"
        "- {discharge: 2024-05-01, amounts: {in_scope: 1}, expect: {error: DATE_ORDER, error_field: discharge_date}}\n"
        "- {reverse: 9, expect: {error: SETTLEMENT_NOT_FOUND}}\n",
    )
    assert [one.differences() for one in settled] == [[]] * 10


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ("- {reverse: 1}\n", "names no earlier claim"),
        ("- {amounts: {in_scope: 1}}\n- {reverse: 2}\n", "names no earlier claim"),
        ("- {amounts: {in_scope: 1}}\n- {reverse: one}\n", "names no earlier claim"),
        ("- {amounts: {in_scope: 1}}\n- {reverse: 1}\n- {reverse: 2}\n", "names no earlier claim"),
        ("- {amounts: {in_scope: 1}}\n- {reverse: 1, amounts: {in_scope: 1}}\n", "unknown key 'amounts'"),
    ],
)
def test_faults(tmp_path: Path, claims: str, says: str) -> None:
    with pytest.raises(AdjudicatorError, match=says):
        settle(tmp_path, YEARLY + claims)
