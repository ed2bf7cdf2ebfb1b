"""One table of payers: what it says is so elsewhere, and no other module keeps a list of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from adjudicator import columns, payers
from adjudicator.cases.outcomes import OUTCOME_ZH
from adjudicator.codes import SCHEMES, Scheme
from adjudicator.errors import AdjudicatorError, E
from adjudicator.ledger.names import fund_text, parse_total_field, total_field
from adjudicator.payers import ACCOUNTS, LEDGER, PAYERS, Fund, Identity, Origin
from adjudicator.v1 import settlement_pb2

SOURCE = Path(payers.__file__).parent
RECORDS = {Origin.BENEFIT: columns.BENEFIT, Origin.PAYMENT: columns.PAYMENT, Origin.CLAIM: columns.CLAIM}


def test_stored_numbers_never_move():
    assert [payer.id for payer in LEDGER] == [
        "pooled", "large_sum", "catastrophic", "civil_servant", "enterprise", "assistance", "other", "account",
        "hospital_borne", "provider_due", "claims", "total_cost", "family_account", "provider_final",
        "provider_prepaid", "provider_year", "provider_capitation", "provider_prior",
    ]  # fmt: skip


def test_names_codes_and_fields_are_unique():
    for values in (
        [payer.id for payer in PAYERS + ACCOUNTS],
        [payer.zh_short for payer in PAYERS + ACCOUNTS],
        [code for payer in LEDGER for code in payer.codes],
        [payer.field for payer in PAYERS],
        [payer.national for payer in PAYERS],
        [column for payer in PAYERS for column in payer.columns],
    ):
        assert all(values)
        assert len(values) == len(set(values))


@pytest.mark.parametrize("payer", PAYERS + ACCOUNTS, ids=lambda payer: payer.id)
def test_a_row_names_columns_fields_and_accumulators_that_exist(payer):
    assert set(payer.columns) <= set(RECORDS[payer.origin].names if payer.origin in RECORDS else ())
    assert set(payer.accumulators) <= set(columns.SLOT)
    if payer in PAYERS:
        assert payer.field in settlement_pb2.Settlement.DESCRIPTOR.fields_by_name
        assert len(payer.columns_zh) == (len(payer.columns) if len(payer.columns) > 1 else 0)
        assert payer.is_liability == (payer.identity is Identity.FUND)
        assert payer.has_row == (payer.identity is not Identity.CASH)


def test_every_payment_of_the_benefit_belongs_to_one_payer():
    paid = {name for payer in PAYERS for name in payer.columns}
    other = {"first_pay_fen", "in_scope_fen", "deductible_standard_fen", "deductible_due_fen", "deductible_fen"}
    totals = {"fund_total_fen", "personal_total_fen"}
    assert {name for name in columns.BENEFIT.names if name.endswith("_fen")} == paid | other | totals


def test_each_scheme_has_a_pooled_fund_and_no_other_scheme_does():
    assert {scheme for scheme in Scheme if payers.of(Fund.POOLED).exists_in(scheme)} == {one.scheme for one in SCHEMES}


def test_what_no_scheme_owes_is_refused_and_not_posted_to_the_fund_of_another():
    with pytest.raises(ValueError, match="unknown has no fund"):
        payers.fund_type(Scheme.UNKNOWN, Fund.POOLED)
    with pytest.raises(AdjudicatorError) as refused:
        fund_text(Scheme.UNKNOWN, Fund.POOLED)
    assert refused.value.problems[0].number == E.UNKNOWN_SCHEME


def test_a_field_of_the_totals_leads_back_to_scheme_and_fund():
    for fund in Fund:
        for entry in SCHEMES:
            assert parse_total_field(total_field(330102, entry.scheme, fund)) == (330102, entry.scheme, fund)


def test_the_names_of_a_case_are_no_column_twice():
    named = [name for payer in PAYERS for name in payer.outcomes]
    assert len(named) == len(set(named))
    assert set(named) <= set(OUTCOME_ZH)


OF_A_PAYER = re.compile(
    r"Fund\.(?:LARGE_SUM|CATASTROPHIC|CIVIL_SERVANT|ENTERPRISE|OTHER|FAMILY_ACCOUNT)\b"
    r"|\b(?:hifp|hifob|hifmi|cvlserv|hifes|maf|oth|acct|acct_mulaid|psn_cash)_pay\b"
    r"|[\"'](?:320100|370100|390200|610100|999996|999997)[\"']"
    r"|企业补充|公务员(?:医疗)?补助"
)
RULES = ("benefit", "options.py")
"""Where each payer has a stage and a formula of its own."""


def test_no_other_module_lists_payers_by_hand():
    listed = {}
    for file in SOURCE.rglob("*.py"):
        name = file.relative_to(SOURCE).as_posix()
        if name != "payers.py" and not name.startswith((*RULES, "v1/")):
            found = OF_A_PAYER.findall(file.read_text("utf-8"))
            if found:
                listed[name] = found
    assert not listed, "take payers from adjudicator.payers"


NEW_PAYER = '''
import importlib.util, sys
from pathlib import Path

def load(name, text, changes):
    source = Path(text).read_text("utf-8")
    for old, new in changes.items():
        assert source.count(old) == 1
        source = source.replace(old, new)
    spec = importlib.util.spec_from_file_location(name, text)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    exec(compile(source, text, "exec"), module.__dict__)
    setattr(sys.modules["adjudicator"], name.rpartition(".")[2], module)

import adjudicator
where = Path(adjudicator.__file__).parent
load("adjudicator.payers", str(where / "payers.py"), {
    "    PROVIDER_PRIOR = 17\\n": "    PROVIDER_PRIOR = 17\\n    CHARITY = 18\\n",
    "PAYERS: tuple[Payer, ...] = (\\n": """PAYERS: tuple[Payer, ...] = (
    Payer("charity", Fund.CHARITY, "charity", "慈善救助", "慈善", Identity.FUND, "380100", "account_balance_fen",
          "charity_pay", "慈善救助支出", columns=("charity_fen",), is_liability=True, has_row=True),
""",
})
'''


def test_one_row_more_reaches_every_list():
    check = NEW_PAYER + textwrap.dedent(
        """
        import numpy as np
        from adjudicator import columns, payers
        from adjudicator.cases.file import OUTCOMES
        from adjudicator.cli.reports.tables import county_table, settlement_lines
        from adjudicator.codes import Scheme
        from adjudicator.interop.national import write_setlinfo
        from adjudicator.ledger import statement_kernel
        from tests.ledger.made import fund_amounts
        from adjudicator.ledger.names import fund_text
        from adjudicator.service.explaining import explain
        from adjudicator.v1 import pooling_pb2, settlement_pb2

        benefit = np.zeros(1, columns.BENEFIT)
        benefit["charity_fen"] = 7
        assert fund_amounts(np.zeros(1, columns.CLAIM), benefit, np.zeros(1, columns.PAYMENT))[0, 18] == 7
        assert fund_text(Scheme.RESIDENT, 18) == "380100"
        assert 18 in statement_kernel.FUNDS and payers.ROWS[-1].id == "charity"
        totals = pooling_pb2.CountyTotals(pool="330100")
        totals.rows.add(county="330102", scheme="390", fund="380100", amount_fen=7)
        assert "慈善" in county_table(totals)[0] and "0.07" in county_table(totals)[-1]
        answer = settlement_pb2.Settlement(total_fen=7, account_balance_fen=7)
        assert any("慈善救助支出" in line and "charity_pay" in line for line in settlement_lines(answer))
        assert write_setlinfo(answer)["setlinfo"]["charity_pay"] == "0.07"
        assert [step.stage_zh for step in explain(settlement_pb2.SettlementKey(), answer).steps][-1] == "慈善"
        assert "account_balance" in OUTCOMES
        """
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
