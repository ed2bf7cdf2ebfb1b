"""Each kind of rule once, on the shipped scheme: who, what, and the group."""

from __future__ import annotations

from typing import Any

import pytest

from tests.grouping.conftest import Pair
from tests.grouping.naive import Record
from tests.grouping.support import answers

MAN, WOMAN = {"sex": 1, "age_years": 50}, {"sex": 2, "age_years": 30}
NEWBORN = {"sex": 1, "age_years": 0, "age_days": 5, "birth_weight_g": 3200}
INFANT = {"sex": 1, "age_years": 0, "age_days": 40}

CASES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    # gates
    "a transplant is tried before the organ": (MAN, "I50.900", "37.5100", "AA19"),
    "ventilation opens MDC A although it is no operation": (MAN, "J18.900", "96.7201", "AH19"),
    "HIV as a secondary diagnosis": (MAN, "J18.900|B22.700", "", "YR15"),
    "injuries of two regions": (MAN, "S06.500|S72.000", "", "ZZ15"),
    "injuries of one region stay with their organ": (MAN, "S72.000|S72.000", "", "IR15"),
    "prostate of a man": (MAN, "N40.x00", "", "MZ15"),
    "prostate of a woman": (WOMAN, "N40.x00", "", "0000"),
    "uterus of a woman": (WOMAN, "D25.900", "", "NZ19"),
    "a newborn's diagnosis in the first year": (INFANT, "P59.801", "", "PV15"),
    "a newborn's diagnosis later": (MAN, "P59.801", "", "0000"),
    # ambiguous groups
    "an operation of the eye that fits no rule, as main procedure": (MAN, "H26.900", "38.5901", "CQY"),
    "the same as a further procedure": (MAN, "H26.900", "87.0300|38.5901", "CZ19"),
    "an operation of the nose that fits no rule, at any place": (MAN, "J03.900", "87.0300|38.5901", "DQY"),
    # atoms on diagnoses and procedures
    "main procedure": (MAN, "K80.002", "51.2300", "HC25"),
    "the same at second place is not the main one": (MAN, "K80.002", "38.5901|51.2300", "HU15"),
    "principal diagnosis": (MAN, "I63.900", "", "BR25"),
    "principal diagnosis and main procedure": (MAN, "K35.200", "47.0100", "GD19"),
    "the same procedure for another diagnosis": (MAN, "K35.800x001", "47.0100", "GD25"),
    "some procedure at any place": (MAN, "J18.900", "87.0300|33.2403", "EJ15"),
    "some operation at any place": (MAN, "I50.900", "87.0300|38.5901", "FP15"),
    "main procedure is no operation": (MAN, "K56.700", "87.0300", "GV15"),
    "main procedure is an operation, and nothing fits": (MAN, "K56.700", "38.5901", "0000"),
    "any operation in MDC S": (MAN, "A41.900", "38.5901", "SB15"),
    "secondary diagnosis, the second rule of its ADRG": (WOMAN, "O80.000|Z37.000", "", "OR15"),
    "principal diagnosis not in the list": (MAN, "Z51.103", "99.2503", "RE19"),
    "principal diagnosis in the list": (MAN, "C91.000", "99.2503", "RB15"),
    # combinations
    "lists 1 and 2, in any order": (MAN, "N18.500", "55.6901|52.8000", "AC19"),
    "list 1 alone": (MAN, "N18.500", "52.8000", "LR15"),
    "1 or 2 and 3, by the first": (WOMAN, "C53.900", "68.6101", "NA15"),
    "1 or 2 and 3, by both others": (WOMAN, "C53.900", "68.4101|40.5000", "NA15"),
    "only one of the others": (WOMAN, "C53.900", "68.4101", "NA25"),
    "1 and 2 or 1 and 3 and 4": (WOMAN, "C50.900", "85.7000x001|85.2200|40.5100", "JA19"),
    "without the reconstruction": (WOMAN, "C50.900", "85.2200|40.5100", "JA25"),
    # limits of rules
    "an operation of the newborn": (NEWBORN, "P59.801", "54.1100", "PC15"),
    "the same operation at 29 days": ({**NEWBORN, "age_days": 29}, "P59.801", "54.1100", "PV15"),
    "below 1,500 g": ({**NEWBORN, "birth_weight_g": 1499}, "P59.801|P07.300", "", "PS15"),
    "1,500 g": ({**NEWBORN, "birth_weight_g": 1500}, "P59.801|P07.300", "", "PS35"),
    "2,500 g": ({**NEWBORN, "birth_weight_g": 2500}, "P59.801|P07.300", "", "PU15"),
    # severity
    "MCC": (MAN, "I21.003|J96.000", "", "FR11"),
    "CC": (MAN, "I21.003|E87.200", "", "FR13"),
    "neither": (MAN, "I21.003|H26.900", "", "FR15"),
    "MCC struck out by its exclusion table": (MAN, "I50.907|I50.900", "", "FR25"),
    "the principal diagnosis is no complication of itself": (MAN, "J96.000", "", "0000"),
    "MCC or CC": (MAN, "I20.000|J96.000", "", "FR33"),
    "CC alone, of two": (MAN, "I61.002|E87.200", "", "BR14"),
    "MCC before CC": (MAN, "I61.002|E87.200|J96.000", "", "BR11"),
    # conditions of DRGs
    "14 years old": ({**MAN, "age_years": 14}, "J06.900", "", "DT15A"),
    "15 years old": ({**MAN, "age_years": 15}, "J06.900", "", "DT15B"),
    "16 years old": ({**MAN, "age_years": 16}, "K40.200x001", "53.1000", "GE10"),
    "below 1,000 g": ({**NEWBORN, "birth_weight_g": 999}, "P59.801|P07.300", "", "PS10"),
    "a stay of 13 days": ({**MAN, "stay_days": 13}, "M54.500", "", "IU24"),
    "a stay of 14 days": ({**MAN, "stay_days": 14}, "M54.500", "", "IU22"),
    "an unknown stay": (MAN, "M54.500", "", "IU29"),
    "died within five days": ({**MAN, "stay_days": 4, "discharge_way": 5}, "I61.002", "", "BR17"),
    "went home within five days": ({**MAN, "stay_days": 4, "discharge_way": 1}, "I61.002", "", "BR15"),
    "120 hours of intensive care": ({**MAN, "icu_hours": 120}, "N17.900", "39.9500x007", "LL16"),
    "121 hours of intensive care": ({**MAN, "icu_hours": 121}, "N17.900", "39.9500x007", "LL10"),
    "discharged from intensive care": ({**MAN, "department": "ICU"}, "J18.900", "", "ES30"),
    "own procedure list of a DRG": (MAN, "J18.900", "96.7201|39.6500", "AH11"),
    "two own lists of a DRG": (MAN, "J18.900", "96.7201|39.9500x007", "AH13"),
    "a further procedure": (MAN, "S06.500|S72.000", "79.6500|96.0400", "ZC14"),
    # no DRG fits
    "no DRG fits: the ADRG alone": (MAN, "F84.000", "", "TU1"),
    "no DRG fits: the next ADRG": (MAN, "Z50.101", "", "XS19"),
    "the department that it asks for": ({**MAN, "department": "REHAB"}, "Z50.101", "", "XR21"),
}


@pytest.mark.parametrize("name", CASES)
def test_rule(name: str, demo: Pair) -> None:
    person, diagnoses, procedures, expected = CASES[name]
    record = Record(**person, diagnoses=diagnoses.split("|"), procedures=procedures.split("|") if procedures else [])
    assert answers(demo.scheme, [record])[0][3] == expected
    assert demo.naive.group(record)[3] == expected


INVALID = {
    "sex unknown": {"sex": 0, "age_years": 50},
    "sex 9": {"sex": 9, "age_years": 50},
    "age unknown": {"sex": 1, "age_years": None},
    "age 0 without days": {"sex": 1, "age_years": 0},
    "28 days without weight": {"sex": 1, "age_years": 0, "age_days": 28},
}


@pytest.mark.parametrize("name", INVALID)
def test_invalid_record(name: str, demo: Pair) -> None:
    record = Record(**INVALID[name], diagnoses=["J18.900"])
    assert answers(demo.scheme, [record]) == [("invalid", "0000", "00", "0000")]


def test_no_diagnosis_is_invalid(demo: Pair) -> None:
    assert answers(demo.scheme, [Record(**MAN)]) == [("invalid", "0000", "00", "0000")]


def test_29_days_without_weight_is_valid(demo: Pair) -> None:
    assert answers(demo.scheme, [Record(1, 0, 29, diagnoses=["P59.801"])])[0][3] == "PV15"


def test_codes_of_the_clinical_edition_are_mapped(demo: Pair) -> None:
    clinical = Record(**MAN, diagnoses=["I21.000x001"], procedures=["36.0700x003"])
    assert answers(demo.scheme, [clinical])[0][0] == "ungrouped"
    assert answers(demo.scheme, [clinical], translate=True)[0][3] == "FM15"


def test_a_code_without_translation_makes_the_record_unmappable(demo: Pair) -> None:
    record = Record(**MAN, diagnoses=["I21.003", "Q99.999"])
    assert answers(demo.scheme, [record], translate=True) == [("unmappable", "0000", "00", "0000")]
    assert answers(demo.scheme, [record])[0][3] == "FR15"
