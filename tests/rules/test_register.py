"""A register with dates: an institution is what it was on the rule date of the claim."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from adjudicator import AdjudicatorError, load_bundle, price_columns
from adjudicator.cases.file import read_cases
from adjudicator.cases.run import run_case
from adjudicator.errors import E
from adjudicator.pooling.periods.context import load_context
from adjudicator.rulefile.faults import Weight
from adjudicator.rules.as_on import load_rules
from adjudicator.rules.check import check_pack
from adjudicator.rules.diff import diff_packs
from adjudicator.rules.load import PACKS, read_pack

TODAY = 20261128
HOSPITAL = "H99000200001"
ROW = "H99000200001,桃源县医院,990002,05,secondary,secondary,secondary,invented"
BEFORE = "H99000200001,桃源县医院,990002,05,secondary,secondary,secondary,invented,,2025-06-30"
AFTER = "H99000200001,桃源县医院,990002,03,tertiary,tertiary,tertiary,promoted,2025-07-01,"


def city(folder: Path, *rows: str) -> Path:
    """Taohuayuan with other rows of one hospital, and columns for dates."""
    shutil.copytree(PACKS / "taohuayuan", folder)
    register = folder / "hospitals.csv"
    head, *lines = register.read_text("utf-8").splitlines()
    assert ROW in lines
    kept = [f"{line},," for line in lines if line != ROW]
    register.write_text("\n".join([f"{head},from,to", *rows, *kept]) + "\n", "utf-8")
    return folder


CASE = """
- case: stay
  pack: {folder}
  claim: {{hospital: {hospital}, discharge: {discharge}, settlement: {settlement}, stay_days: 9,
           diagnoses: [I50.900], amounts: {{in_scope: 20000}}}}
"""


def settled(tmp_path: Path, folder: Path, discharge: str, settlement: str, hospital: str = HOSPITAL):
    file = tmp_path / "case.yaml"
    text = CASE.format(folder=folder, discharge=discharge, settlement=settlement, hospital=hospital)
    file.write_text(text, "utf-8")
    (case,) = read_cases([file])
    return run_case(case)[0]


def test_a_late_claim_of_before_is_settled_under_the_level_and_class_of_its_day(tmp_path: Path) -> None:
    dated = city(tmp_path / "dated", BEFORE, AFTER)
    plain, promoted = city(tmp_path / "plain", f"{ROW},,"), city(tmp_path / "promoted", AFTER.replace("2025-07-01", ""))
    late = ("2025-06-30", "2025-09-01")
    new = ("2025-07-01", "2025-09-01")
    for days, same, other in ((late, plain, promoted), (new, promoted, plain)):
        got, right, wrong = (settled(tmp_path, folder, *days).answer for folder in (dated, same, other))
        assert (got.deductible_standard_fen, got.payment) == (right.deductible_standard_fen, right.payment)
        assert got.deductible_standard_fen != wrong.deductible_standard_fen
        assert got.payment.points_e8 != wrong.payment.points_e8 > 0


def test_an_institution_is_unknown_outside_its_days(tmp_path: Path) -> None:
    folder = city(tmp_path / "city", AFTER)
    assert settled(tmp_path, folder, "2025-06-30", "2025-09-01").error is E.UNKNOWN_INSTITUTION
    assert settled(tmp_path, folder, "2025-07-01", "2025-09-01").answer.total_fen == 2_000_000


@pytest.mark.parametrize(
    ("rows", "weight", "text", "text_zh"),
    [
        (
            (BEFORE, AFTER.replace("2025-07-01", "2025-06-30")), Weight.FAULT,
            "hospitals.csv: line 3: H99000200001 is given twice: two rows hold on 2025-06-30",
            "H99000200001 重复给出：2025-06-30 有两行同时有效",
        ),
        (
            (BEFORE, AFTER.replace("2025-07-01", "2025-08-01")), Weight.WARNING,
            "hospitals.csv: H99000200001: is in no row from 2025-07-01 to 2025-07-31: its claims of these days are",
            "2025-07-01 至 2025-07-31 没有登记",
        ),
        (
            (AFTER.replace("2025-07-01", "2025-07-32"),), Weight.FAULT,
            "hospitals.csv: line 2.from: is missing or not a date", "缺失或不是日期",
        ),
        (
            (AFTER.replace("2025-07-01,", "2025-07-01,2025-06-30"),), Weight.FAULT,
            "hospitals.csv: line 2.to: ends before it begins (2025-06-30 < 2025-07-01)", "结束早于开始",
        ),
        (
            (BEFORE.replace("2025-06-30", "2019-12-31"),), Weight.WARNING,
            "payment.toml: drg[0].coefficient: a coefficient names H99000200001 from 2020-01-01 to 2024-12-31, but "
            "hospitals.csv has it from 1990-01-01 to 2019-12-31", "登记为 1990-01-01 至 2019-12-31",
        ),
    ],
)  # fmt: skip
def test_rules_check_names_periods_that_do_not_fit(
    tmp_path: Path, rows: tuple[str, ...], weight: Weight, text: str, text_zh: str
) -> None:
    found = check_pack(city(tmp_path / "city", *rows), TODAY)
    (one,) = [fault for fault in found if fault.text().startswith(text)]
    assert one.weight is weight and text_zh in one.text("zh")


def test_consecutive_periods_are_no_finding(tmp_path: Path) -> None:
    assert check_pack(city(tmp_path / "city", BEFORE, AFTER), TODAY) == check_pack(PACKS / "taohuayuan", TODAY)


def test_a_contract_outside_the_days_of_its_institution(tmp_path: Path) -> None:
    folder = city(tmp_path / "city", f"{ROW},,")
    register = folder / "hospitals.csv"
    text = register.read_text("utf-8")
    line = "09,primary,primary,primary,invented,,"
    assert line in text
    register.write_text(text.replace(line, "09,primary,primary,primary,invented,2024-03-01,"), "utf-8")
    found = [fault.text() for fault in check_pack(folder, TODAY)]
    assert [text for text in found if "contract" in text] == [
        f"payment.toml: contract[{number}].hospital: contract contract-{number + 1} names H99000400002 from 2024-01-01 "
        "to 2099-12-31, but hospitals.csv has it from 2024-03-01 to 2099-12-31 — correct the days here, or from and to "
        "in hospitals.csv"
        for number in (0, 1)
    ]


def test_the_rules_of_a_day_have_the_register_of_that_day(tmp_path: Path) -> None:
    folder = city(tmp_path / "city", BEFORE, AFTER)
    by_day = {day: load_rules([f"{folder}@{day}"]) for day in ("2025-06-30", "2025-07-01")}
    for day, bundle in by_day.items():
        code = bundle.lookup.hospital_codes.index(HOSPITAL)
        first, end = bundle.lookup.hospital_first[code : code + 2]
        rows = bundle.lookup.hospitals[first:end]
        always = rows[rows["from_date"] == 0]
        assert len(rows) == 2 and len(always) == 1
        level = bundle.packs[0].levels[always[0]["deductible_level"]].id
        assert level == ("tertiary" if day == "2025-07-01" else "secondary")


def test_a_diff_of_two_days_shows_level_and_class(tmp_path: Path) -> None:
    pack = read_pack(city(tmp_path / "city", BEFORE, AFTER))
    changes = diff_packs(pack, 20250630, pack, 20250701)
    found = {(one.key, one.old, one.new) for one in changes if one.plan == HOSPITAL}
    assert found == {
        ("deductible_level", "二级医院", "三级医院"), ("price_level", "二级医院", "三级医院"),
        ("payment_class", "secondary", "tertiary"),
    }  # fmt: skip


def test_a_table_of_amounts_names_what_it_cannot_tell(tmp_path: Path) -> None:
    """A column of institutions stands for their levels, which here depend on the day."""
    bundle = load_bundle([city(tmp_path / "city", BEFORE, AFTER)])
    table = {
        "insured_area": "990002", "scheme": "310", "person_type": "11", "care_type": "21", "in_scope_fen": [1_000_000],
        "settlement_date": 20250701, "admission_date": 20250620,
    }  # fmt: skip
    with pytest.raises(AdjudicatorError, match="changes with the day; give level instead of institution_code"):
        price_columns(bundle, table | {"institution_code": HOSPITAL}, ("pooled_fund_fen",))
    assert price_columns(bundle, table | {"institution_code": "H99000400001"}, ("error",))["error"].tolist() == [0]


def test_clearing_takes_the_class_of_the_period(tmp_path: Path) -> None:
    context = load_context(str(city(tmp_path / "city", AFTER, BEFORE)))
    classes = {day: context.rules(day).classes[HOSPITAL] for day in (20250630, 20250731)}
    assert classes == {20250630: "secondary", 20250731: "tertiary"}
