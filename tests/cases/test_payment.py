"""A case brings its own payment rules and its own groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from adjudicator.cases.file import read_cases
from adjudicator.cases.run import Settled, run_case
from adjudicator.codes import Method
from adjudicator.errors import AdjudicatorError
from adjudicator.grouping.scheme.load import scheme_folder
from adjudicator.rulefile.faults import PackError


def settle(folder: Path, text: str) -> list[Settled]:
    path = folder / "case.yaml"
    path.write_text(text, "utf-8")
    (case,) = read_cases([path])
    return run_case(case)


PACKAGE = """
case: X
plan: {rate_percent: 70, levels: [tertiary, secondary]}
payment:
  method: [{id: all, method: single_disease, table: p, care: [inpatient]}]
  package:
    - id: p
      by: none
      formula: package
      file: |
        table,code,payment_class,price_yuan
        p,,tertiary,4000.00
        p,,secondary,3000.00
claims:
- {level: tertiary, amounts: {in_scope: 3500}, expect: {method: single_disease, due: 2950}}
- {level: secondary, amounts: {in_scope: 3500}, expect: {method: single_disease, due: 1950}}
- {care: outpatient, amounts: {in_scope: 100}, expect: {method: by_item, due: 70}}
"""


def test_tables_stand_in_the_case_and_the_rest_is_paid_by_item(tmp_path: Path) -> None:
    """4,000 or 3,000 by the hospital's class, less 30 % of 3,500 that the person pays."""
    settled = settle(tmp_path, PACKAGE)
    assert [one.differences() for one in settled] == [[], [], []]
    assert settled[0].answer.payment.method == Method.SINGLE_DISEASE


def test_the_hash_of_the_rules_covers_payment_and_groups(tmp_path: Path) -> None:
    other = PACKAGE.replace("4000.00", "4100.00")
    grouped = PACKAGE.replace("payment:", "grouping: {FR21: [I50.900]}\npayment:")
    hashes = [settle(tmp_path, text)[0].answer.rules_hash for text in (PACKAGE, PACKAGE, other, grouped)]
    assert hashes[0] == hashes[1] and len(set(hashes)) == 3


def test_a_wrong_amount_due_is_noticed(tmp_path: Path) -> None:
    wrong = settle(tmp_path, PACKAGE.replace("due: 2950", "due: 2950.01"))[0]
    assert wrong.differences() == [("due", 295_001, 295_000)]


def test_faults_of_the_payment_are_named(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="formula"):
        settle(tmp_path, PACKAGE.replace("formula: package", "formula: parcel"))


def test_a_pack_has_its_own_payment(tmp_path: Path) -> None:
    with pytest.raises(AdjudicatorError, match="payment needs a plan"):
        settle(tmp_path, PACKAGE.replace("plan: {rate_percent: 70, levels: [tertiary, secondary]}", "pack: taohuayuan"))


def test_groups_of_the_case(tmp_path: Path) -> None:
    """Two groups of one ADRG, one of another MDC; a diagnosis that none has is no group."""
    settled = settle(
        tmp_path,
        "case: X\nplan: {rate_percent: 70}\n"
        "grouping: {FR21: [I50.900, I50.902], FR23: [I50.100], TR19: [F20.900]}\nclaims:\n"
        "- {diagnoses: [I50.902, F20.900], expect: {drg: FR21, group_status: grouped}}\n"
        "- {diagnoses: [I50.100], expect: {drg: FR23}}\n"
        "- {diagnoses: [F20.900], expect: {drg: TR19}}\n"
        "- {diagnoses: [Z00.000], expect: {drg: '', group_status: ungrouped}}\n"
        "- {care: outpatient, expect: {drg: '', group_status: not_asked}}\n",
    )
    assert [one.differences() for one in settled] == [[]] * 5
    assert settled[0].answer.grouping.scheme == "case"


def test_a_shipped_scheme_groups_by_procedures_age_and_weight(tmp_path: Path) -> None:
    settled = settle(
        tmp_path,
        "case: X\nplan: {rate_percent: 70}\ngrouping: chs-demo\nclaims:\n"
        "- {diagnoses: [I50.900], procedures: ['37.5100'], expect: {drg: AA19}}\n"
        "- {diagnoses: [I50.900], expect: {group_status: grouped}}\n",
    )
    assert [one.differences() for one in settled] == [[], []]


def test_a_scheme_in_a_folder(tmp_path: Path) -> None:
    (settled,) = settle(
        tmp_path,
        f"case: X\nplan: {{rate_percent: 70}}\ngrouping: {scheme_folder('chs-demo')}\n"
        "claim: {diagnoses: [I50.900], procedures: ['37.5100'], expect: {drg: AA19}}\n",
    )
    assert settled.differences() == [] and settled.answer.grouping.scheme == "chs-demo"


@pytest.mark.parametrize("grouping", ["[FR21]", "5"])
def test_groups_are_named_with_their_diagnoses(tmp_path: Path, grouping: str) -> None:
    with pytest.raises(AdjudicatorError, match="principal diagnoses"):
        settle(tmp_path, f"case: X\nplan: {{rate_percent: 70}}\ngrouping: {grouping}\n")


def test_a_claim_that_its_table_does_not_price_is_settled_with_a_warning(tmp_path: Path) -> None:
    rules = PACKAGE.replace("        p,,secondary,3000.00\n", "").replace(
        "expect: {method: single_disease, due: 1950}", ""
    )
    warned = settle(tmp_path, rules)[1].amounts()
    assert (warned["method"], warned["due"], warned["warning"]) == ("none", 0, "PAYMENT_RULE_UNDEFINED")
    assert warned["error"] == "NONE" and warned["pooled_fund"] == 245_000
