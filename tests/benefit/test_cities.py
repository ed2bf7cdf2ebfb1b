"""The derived cases (DER) of the four cities, and the corrected NEG-02, to the fen."""

from __future__ import annotations

import pytest

from adjudicator.errors import E
from tests.benefit.desk import Desk, yuan
from tests.benefit.made import benefit_bundle

EMPLOYEE, RETIRED, RESIDENT = (
    {"scheme": "employee", "type": "11"}, {"scheme": "employee", "type": "12"}, {"scheme": "resident", "type": "15"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("case", "city", "person", "claim", "fund"),
    [
        ("DER-01", "hangzhou", EMPLOYEE, {"in_scope": 100_000, "level": "tertiary", "date": 20210601}, "84944"),
        ("DER-02", "hangzhou", RETIRED, {"in_scope": 100_000, "level": "tertiary", "date": 20210601}, "88912"),
        ("DER-04", "hangzhou", EMPLOYEE,
         {"in_scope": 50_000, "level": "tertiary", "place": "outside", "filing": "temporary", "date": 20210601},
         "32144"),
        ("DER-05", "hangzhou", RESIDENT, {"in_scope": 20_000, "level": "secondary", "date": 20210601}, "14625"),
        ("NEG-02", "hangzhou", RETIRED, {"in_scope": 9_000, "self_paid": 1_000, "level": "tertiary", "date": 20210601},
         "7052"),
        ("DER-07", "taizhou", RESIDENT,
         {"in_scope": 20_000, "level": "tertiary", "place": "outside", "filing": "referred"}, "9500"),
        ("DER-10", "zhuzhou", RESIDENT, {"in_scope": 30_000, "level": "tertiary", "date": 20230601}, "18720"),
        ("DER-14a", "zhuzhou", EMPLOYEE,
         {"in_scope": 20_000, "level": "tertiary", "place": "outside", "filing": "referred"}, "15120"),
        ("DER-14b", "zhuzhou", EMPLOYEE,
         {"in_scope": 20_000, "level": "tertiary", "place": "outside", "filing": "none"}, "14175"),
        ("DER-16a", "huzhou", EMPLOYEE, {"in_scope": 10_500, "level": "secondary", "date": 20231231}, "8200"),
        ("DER-16b", "huzhou", EMPLOYEE, {"in_scope": 10_500, "level": "secondary", "date": 20240101}, "8500"),
    ],
)  # fmt: skip
def test_derived_case(case: str, city: str, person: dict, claim: dict, fund: str) -> None:
    assert Desk(benefit_bundle(city), **person).settle(**claim)["pooled"] == yuan(fund), case


def test_der_12_one_deductible_of_300_for_all_levels() -> None:
    desk = Desk(benefit_bundle("zhuzhou"), **EMPLOYEE, care="outpatient", date=20221015)
    assert desk.settle(300, level="secondary")["pooled"] == 60
    assert desk.settle(500, level="tertiary")["pooled"] == 240


def test_zhuzhou_from_june_2023_each_visit_and_the_accumulators_go_on() -> None:
    desk = Desk(benefit_bundle("zhuzhou"), **EMPLOYEE, care="outpatient", level="tertiary")
    assert desk.settle(500, date=20230531)["deductible"] == 300
    assert desk.settle(500, date=20230601)["deductible"] == 0
    fresh = Desk(benefit_bundle("zhuzhou"), **EMPLOYEE, care="outpatient", level="tertiary", date=20230601)
    assert [fresh.settle(500)["deductible"] for _ in range(4)] == [100, 100, 100, 0]


def test_r18_a_visit_above_the_limit_still_uses_up_the_deductible() -> None:
    desk = Desk(benefit_bundle("zhuzhou"), **EMPLOYEE, care="outpatient", date=20240105)
    assert desk.settle(10_000, level="level_1")["pooled"] == 1_500
    above = desk.settle(200, level="tertiary")
    assert (above["pooled"], above["deductible"]) == (0, 100)


def test_hangzhou_one_deductible_a_year_whatever_the_order() -> None:
    up = Desk(benefit_bundle("hangzhou"), **EMPLOYEE, date=20210601)
    assert [up.settle(5_000, level=level)["deductible"] for level in ("community", "tertiary")] == [300, 500]
    down = Desk(benefit_bundle("hangzhou"), **EMPLOYEE, date=20210601)
    assert [down.settle(5_000, level=level)["deductible"] for level in ("tertiary", "community")] == [800, 0]


def test_hangzhou_signed_doctor_300_less_and_three_points_more() -> None:
    desk = Desk(benefit_bundle("hangzhou"), **EMPLOYEE, date=20210601, family_doctor=1, at_signed_institution=1)
    assert desk.settle(1_000, level="community")["pooled"] == yuan("910")
    assert desk.settle(10_000, level="tertiary")["deductible"] == 500


def test_hangzhou_above_the_top_and_catastrophic_insurance() -> None:
    desk = Desk(benefit_bundle("hangzhou"), **EMPLOYEE, level="tertiary", date=20210601)
    paid = desk.settle(500_000)
    assert paid["pooled"] == yuan("348944")  # 39,200 x 82% + 360,000 x 88%
    left = yuan("500000") - paid["pooled"] - 90_000
    assert paid["large_sum"] == 90_000 + ((left - 25_000) * yuan("0.7")).quantize(yuan("0.01"))
    assert paid["catastrophic"] == 0 and paid["unverified"] == 1


def test_hangzhou_assistance_by_category() -> None:
    for category, share in (("destitute", "1"), ("low_income", "0.8"), ("low_edge", "0.7")):
        paid = Desk(benefit_bundle("hangzhou"), **RESIDENT, category=category, date=20220601).settle(
            10_000, level="tertiary"
        )
        left = 10_000 - paid["pooled"]
        assert paid["assistance"] == left * yuan(share)


def test_hangzhou_pots_current_for_outpatient_past_for_everything_family_last() -> None:
    desk = Desk(benefit_bundle("hangzhou"), **EMPLOYEE, date=20220601, current=100, past=50, family=1_000)
    visit = desk.settle(500, first_pay=20, self_paid=30, care="outpatient", level="tertiary")
    assert (visit["account_current"], visit["account_past"], visit["account_family"]) == (100, 50, 400)
    stay = desk.settle(5_000, level="tertiary")
    assert (stay["account_current"], stay["account_past"], stay["account_family"]) == (0, 50, 0)


@pytest.mark.parametrize(
    ("city", "person", "claim", "error"),
    [
        ("hangzhou", EMPLOYEE, {"place": "outside", "filing": "none"}, E.RULE_UNDEFINED),
        ("hangzhou", EMPLOYEE, {"date": 20200301}, E.NO_RULE_ON_DATE),
        ("hangzhou", EMPLOYEE, {"care": "chronic"}, E.NO_PLAN),
        ("huzhou", RETIRED, {"level": "primary"}, E.RULE_UNDEFINED),
        ("huzhou", EMPLOYEE, {"level": "tertiary", "place": "province", "filing": "long_term"}, E.RULE_UNDEFINED),
        ("huzhou", EMPLOYEE, {"care": "outpatient"}, E.RULE_UNDEFINED),
        ("taizhou", EMPLOYEE, {"date": 20230601}, E.NO_RULE_ON_DATE),
        ("zhuzhou", RESIDENT, {"care": "two_diseases"}, E.CARE_NOT_COVERED),
        ("zhuzhou", {"scheme": "maternity", "type": "11"},
         {"care": "maternity_inpatient", "maternity": 6, "date": 20250601}, E.RULE_UNDEFINED),
        ("hangzhou", {"scheme": "resident", "type": "15", "tier": 5}, {}, E.CARE_NOT_COVERED),
        ("hangzhou", EMPLOYEE, {"programme": "epidemic", "date": 20230401}, E.UNKNOWN_PROGRAMME),
    ],
)  # fmt: skip
def test_what_the_documents_do_not_give_is_an_error_never_a_guess(city, person, claim, error) -> None:
    desk = Desk(benefit_bundle(city), **person)
    result = desk.settle(10_000, **claim)
    assert result["error"] == error and result["fund_total"] == 0
    assert not desk.states.any()


def test_taizhou_second_half_third_none_and_the_outside_table() -> None:
    desk = Desk(benefit_bundle("taizhou"), **EMPLOYEE, level="tertiary")
    assert [desk.settle(5_000)["deductible"] for _ in range(3)] == [800, 400, 0]
    outside = Desk(benefit_bundle("taizhou"), **EMPLOYEE, level="tertiary", place="outside", filing="none")
    paid = outside.settle(10_000)
    assert paid["first_pay"] == 1_000 and paid["pooled"] == 8_000 * yuan("0.7")


def test_zhuzhou_cap_150_000_and_mutual_aid() -> None:
    desk = Desk(benefit_bundle("zhuzhou"), **EMPLOYEE, level="tertiary")
    paid = desk.settle(400_000)
    assert paid["pooled"] == 150_000
    assert paid["large_sum"] == (250_000 - 16_000) * yuan("0.9")


def test_epidemic_programme_takes_the_personal_share_without_reduction() -> None:
    desk = Desk(benefit_bundle("zhuzhou"), **EMPLOYEE, level="tertiary", date=20230201, place="outside", filing="none")
    paid = desk.settle(20_000, first_pay=500, programme="epidemic")
    assert paid["pooled"] == 18_900 * yuan("0.85") and paid["personal_total"] == 0
    assert paid["other"] == 20_500 - paid["pooled"]
