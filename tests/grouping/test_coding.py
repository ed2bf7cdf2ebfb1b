"""Coding checks (病案审核): what is found, where, and how much it matters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adjudicator.errors import E
from adjudicator.grouping import coding
from adjudicator.grouping.coding_checks import CodingChecks, load_checks
from adjudicator.rulefile.faults import PackError
from tests.grouping.conftest import Pair
from tests.grouping.naive import Record
from tests.grouping.naive_coding import naive_findings
from tests.grouping.support import columns_of, random_records

MAN, WOMAN = {"sex": 1, "age_years": 50}, {"sex": 2, "age_years": 30}

CASES = {
    "a prostate of a woman": (WOMAN, "N40.x00", "", {("diagnoses[0]", "male-only")}),
    "a caesarean section of a man": (
        MAN, "I10.x05", "74.1x01", {("procedures[0]", "female-only"), ("procedures[0]", "caesarean-without-birth")},
    ),
    "a caesarean section with its birth": (WOMAN, "O34.201|Z37.000", "74.1x01", set()),
    "a newborn's diagnosis at 50": (MAN, "J18.900|P22.000", "", {("diagnoses[1]", "newborn-only")}),
    "pregnant at 61": (
        {"sex": 2, "age_years": 61}, "O14.900", "", {("diagnoses[0]", "pregnancy-age")},
    ),
    "an external cause as principal diagnosis": (MAN, "W19.900x001|S72.000", "", {("diagnoses[0]", "not-principal")}),
    "the same as a secondary one": (MAN, "S72.000|W19.900x001", "", set()),
    "a diagnosis twice": (MAN, "J18.900|E11.900|J18.900", "", {("diagnoses[2]", "duplicate-diagnosis")}),
    "a procedure twice": (MAN, "K35.300", "47.0100|47.0100", {("procedures[1]", "duplicate-procedure")}),
    "an appendectomy for gallstones": (
        MAN, "K80.002", "51.2300|47.0100", {("procedures[1]", "appendectomy-without-appendix-disease")},
    ),
    "a newborn without weight": (
        {"sex": 1, "age_years": 0, "age_days": 3}, "P22.000", "", {("birth_weight_g", "newborn-weight")},
    ),
    "a newborn with weight": (
        {"sex": 1, "age_years": 0, "age_days": 3, "birth_weight_g": 3000}, "P22.000", "", set(),
    ),
    "an unknown sex tells nothing": ({"sex": 0, "age_years": 50}, "N40.x00", "", set()),
}  # fmt: skip


def checked(rules: CodingChecks, pair: Pair, records: list[Record]) -> list[tuple[int, str, str]]:
    """Record, field and check of every finding."""
    columns = columns_of(pair.scheme, records)
    texts = coding.texts_of([r.diagnoses for r in records], [r.procedures for r in records])
    findings = coding.check(rules, columns, texts)
    return [
        (int(finding["record"]), coding.field_of(finding), rules.checks[finding["check"]].id) for finding in findings
    ]


@pytest.mark.parametrize("name", CASES)
def test_check(name: str, demo: Pair) -> None:
    person, diagnoses, procedures, expected = CASES[name]
    record = Record(**person, diagnoses=diagnoses.split("|"), procedures=procedures.split("|") if procedures else [])
    assert {finding[1:] for finding in checked(load_checks(), demo, [record])} == expected


def test_every_finding_of_random_records(demo: Pair) -> None:
    rules = load_checks()
    records = random_records(demo.naive, 2_000, seed=51)
    for record in records[::3]:
        record.diagnoses += record.diagnoses[:1]
    expected = [(row, *found) for row, record in enumerate(records) for found in naive_findings(rules.checks, record)]
    assert sorted(checked(rules, demo, records)) == sorted(expected)
    assert len({finding[2] for finding in expected}) >= 8


def test_a_problem_names_field_code_and_check(demo: Pair) -> None:
    rules = load_checks()
    records = [Record(**WOMAN, diagnoses=["J18.900", "N40.x00"])]
    columns, texts = columns_of(demo.scheme, records), coding.texts_of([records[0].diagnoses], [[]])
    (problem,) = coding.problems(rules, coding.check(rules, columns, texts), columns, texts)
    assert (problem.number, problem.field, problem.warning) == (E.CODING_CHECK_FAILED, "diagnoses[1]", True)
    assert problem.detail == "N40.x00: only of male patients / 诊断或手术操作仅适用于男性 (male-only)"


def test_a_pack_changes_severities_and_adds_checks(tmp_path: Path, demo: Pair) -> None:
    (tmp_path / "coding_checks.toml").write_text(
        """
        [severity]
        male-only = "refuse"
        duplicate-diagnosis = "off"
        [[check]]
        id = "no-flu"
        kind = "not_principal"
        severity = "note"
        diagnoses = ["J10"]
        text = "not here"
        text_zh = "不适用"
        """,
        "utf-8",
    )
    rules = load_checks(tmp_path)
    records = [Record(**WOMAN, diagnoses=["N40.x00", "N40.x00"]), Record(**MAN, diagnoses=["J10.101"])]
    assert checked(rules, demo, records) == [
        (0, "diagnoses[0]", "male-only"), (0, "diagnoses[1]", "male-only"), (1, "diagnoses[0]", "no-flu"),
    ]  # fmt: skip
    columns = columns_of(demo.scheme, records)
    texts = coding.texts_of([r.diagnoses for r in records], [[], []])
    problems = coding.problems(rules, coding.check(rules, columns, texts), columns, texts)
    assert [problem.warning for problem in problems] == [False, False, True]


def test_faults_of_a_pack_s_checks_come_together(tmp_path: Path) -> None:
    (tmp_path / "coding_checks.toml").write_text(
        """
        colour = "red"
        [severity]
        nobody = "note"
        [[check]]
        id = "x"
        kind = "smell"
        severity = "loud"
        diagnoses = "A"
        """
    )
    with pytest.raises(PackError) as caught:
        load_checks(tmp_path)
    found = str(caught.value)
    for expected in (
        "colour",
        "severity.nobody",
        "'smell' is not a choice",
        "'loud' is not a choice",
        "check[0].diagnoses: Expected",
        "is missing",
    ):
        assert expected in found


def test_codes_that_stand_in_a_decoded_batch(demo: Pair) -> None:
    record = Record(**WOMAN, diagnoses=["J18.900", "N40.x00"], procedures=["60.2902"])
    heap = np.frombuffer(b"..J18.900N40.x0060.2902", "u1")
    table = np.dtype([("start", "i8"), ("size", "i4")])
    texts = coding.texts_of_wire(heap, np.array([(2, 7), (9, 7)], table), np.array([(16, 7)], table))
    rules, columns = load_checks(), columns_of(demo.scheme, [record])
    found = [coding.describe(rules, finding, columns, texts) for finding in coding.check(rules, columns, texts)]
    assert found == ["N40.x00: only of male patients (male-only)", "60.2902: only of male patients (male-only)"]
