"""Each payer of a claim has its field and its row in the answer, and the rows add up (D1)."""

from __future__ import annotations

import pytest

from adjudicator.cases.file import read_cases
from adjudicator.cases.run import run_case
from adjudicator.interop.national import write_setlinfo


@pytest.fixture(scope="module")
def family(root):
    """The answer of a case that a family account pays a part of."""
    cases = read_cases([root / "tests" / "golden" / "toy" / "account.yaml"])
    settled = [one for case in cases for one in run_case(case)]
    return next(one.answer for one in settled if one.answer.family_account_fen)


def test_a_family_account_has_a_row_and_the_rows_leave_only_cash(family):
    amounts = {fund.fund_type: fund.amount_fen for fund in family.funds}
    assert amounts["family_account"] == family.family_account_fen > 0
    assert sum(amounts.values()) == family.total_fen - family.cash_fen


def test_the_national_detail_names_no_payer_without_a_national_code(family):
    written = write_setlinfo(family)
    assert all(row["fund_pay_type"].isdigit() for row in written["setldetail"])
    assert written["setlinfo"]["acct_mulaid_pay"] == f"{family.family_account_fen / 100:.2f}"
