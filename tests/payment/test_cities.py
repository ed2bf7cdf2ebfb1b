"""The ways of payment that the plans of the cities name, each with a claim; the values are demonstration values."""

from __future__ import annotations

from pathlib import Path

import pytest

from adjudicator.cases.file import read_cases
from adjudicator.cases.run import run_case
from adjudicator.codes import Method

A, TOWNSHIP = "H43020400001", "H43022500001"
SIGNED = "at_signed_institution: true"


def paid(tmp_path: Path, city: str, claim: str, person: str = ""):
    """What the institution is owed for one claim, and the warnings about it."""
    file = tmp_path / "case.yaml"
    file.write_text(f"- case: one\n  pack: {city}\n  person: {{{person}}}\n  claim: {{{claim}}}\n", "utf-8")
    (case,) = read_cases([file])
    (settled,) = run_case(case)
    assert not settled.error, settled.answer.problems
    return settled.answer.payment


@pytest.mark.parametrize(
    ("claim", "method", "difference_yuan"),
    [
        # Price less cost: surplus and overspend are the hospital's.
        (f"care: single_disease, disease: K35.900, hospital: {A}, amounts: {{in_scope: 10000}}",
         Method.SINGLE_DISEASE, 9_800 - 10_000),
        ("care: single_disease, disease: K35.900, hospital: H43020300001, amounts: {in_scope: 7000}",
         Method.SINGLE_DISEASE, 7_200 - 7_000),
        # 90 days at 230 and 10 at 200.
        (f"care: bed_day_inpatient, hospital: {A}, stay_days: 100, amounts: {{in_scope: 20000}}",
         Method.BED_DAY, 90 * 230 + 10 * 200 - 20_000),
        (f"care: day_surgery, hospital: {A}, diagnoses: [H25.900], procedures: ['13.4100x001'], "
         "amounts: {in_scope: 5000}", Method.DAY_SURGERY, 5_200 - 5_000),
        # Below the ceiling 30 % of the saving, above it the hospital bears it.
        (f"care: chronic, disease: M00500, hospital: {A}, amounts: {{in_scope: 500}}", Method.QUOTA, 120),
        (f"care: chronic, disease: M00500, hospital: {A}, amounts: {{in_scope: 1200}}", Method.QUOTA, -300),
        (f"care: inpatient, hospital: {A}, amounts: {{in_scope: 10000}}", Method.BY_ITEM, 0),
        (f"care: outpatient, hospital: {TOWNSHIP}, amounts: {{in_scope: 100}}", Method.BY_ITEM, 0),
    ],
)  # fmt: skip
def test_zhuzhou(tmp_path: Path, claim: str, method: Method, difference_yuan: int) -> None:
    payment = paid(tmp_path, "zhuzhou", f"{claim}, date: 2025-04-01")
    assert (Method(payment.method), payment.difference_fen) == (method, difference_yuan * 100)


@pytest.mark.parametrize(
    ("city", "hospital", "scheme"),
    [("zhuzhou", TOWNSHIP, "employee"), ("zhuzhou", TOWNSHIP, "resident"), ("hangzhou", "H33010800001", "employee"),
     ("hangzhou", "H33012700001", "resident"), ("huzhou", "H33052300001", "resident")],
)  # fmt: skip
def test_outpatients_by_the_head(tmp_path: Path, city: str, hospital: str, scheme: str) -> None:
    """The contract pays a quota for each signed person and nothing for the visit."""
    claim = f"care: outpatient, hospital: {hospital}, date: 2025-04-01, amounts: {{in_scope: 200}}"
    payment = paid(tmp_path, city, f"{claim}, {SIGNED}", f"scheme: {scheme}, family_doctor: true")
    assert (Method(payment.method), payment.due_fen) == (Method.CAPITATION, 0)
    assert Method(paid(tmp_path, city, claim, f"scheme: {scheme}").method) is Method.BY_ITEM


def test_chronic_visits_by_the_head_in_huzhou(tmp_path: Path) -> None:
    claim = f"care: chronic, hospital: H33052300001, date: 2025-04-01, amounts: {{in_scope: 200}}, {SIGNED}"
    assert Method(paid(tmp_path, "huzhou", claim, "scheme: resident").method) is Method.CAPITATION


@pytest.mark.parametrize(("city", "hospital"), [("hangzhou", "H33010200001"), ("huzhou", "H33050200001")])
def test_long_chronic_stays_by_bed_day(tmp_path: Path, city: str, hospital: str) -> None:
    """At 4.2 points a day; up to 60 days a stay is a DRG case, and care reported as bed-day care never is."""
    stay = f"hospital: {hospital}, date: 2025-04-01, diagnoses: [I50.900], amounts: {{in_scope: 30000}}"
    for claim, days in ((f"{stay}, stay_days: 70", 70), (f"{stay}, stay_days: 30, care: bed_day_inpatient", 30)):
        payment = paid(tmp_path, city, claim)
        assert (Method(payment.method), payment.points_e8) == (Method.BED_DAY, days * 420_000_000)
        assert payment.difference_fen == days * 42 * 950 - 3_000_000, "points x 95 yuan, less the cost"
    assert Method(paid(tmp_path, city, f"{stay}, stay_days: 60").method) is Method.DRG_POINTS
