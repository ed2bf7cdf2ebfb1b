"""One case for each point where cities differ (V01–V19) and for the readings, on the smallest plan that shows it."""

from __future__ import annotations

import numpy as np
import pytest

from adjudicator.errors import E
from adjudicator.rulefile.faults import PackError
from adjudicator.rules.inline import inline_bundle
from tests.benefit.desk import Desk, yuan

LEVELS = [{"id": "low", "hosp_lv": ["09"]}, {"id": "high", "hosp_lv": ["02"]}]
TWO = {"levels": LEVELS, "deductible_yuan": {"low": 300, "high": 800}, "rate_percent": 80}
SOURCE = {"from": "2000-01-01", "document": "example", "evidence": "demonstration"}


def deductibles(plan: dict, *stays: tuple[int, str], **claim) -> list:
    """Deductible of each of some stays (in scope, level)."""
    desk = Desk({**plan, "counts_admission": True}, **claim)
    return [desk.settle(in_scope, level=level)["deductible"] for in_scope, level in stays]


# ---------------------------------------------------------------- V01: how the deductible is counted


def test_v01_each_stay() -> None:
    assert deductibles(TWO, (5000, "high"), (5000, "high")) == [800, 800]


def test_v01_nth_stay_over_all_levels_or_at_the_same_level() -> None:
    nth = {**TWO, "deductible_nth_percent": [100, 50, 0]}
    assert deductibles(nth, (5000, "high"), (5000, "low"), (5000, "high")) == [800, 150, 0]
    same = {**nth, "deductible_nth_over": "same_level"}
    assert deductibles(same, (5000, "high"), (5000, "low"), (5000, "high")) == [800, 300, 400]


def test_v01_yearly_ceiling() -> None:
    capped = {**TWO, "deductible_year_ceiling_yuan": 1000}
    assert deductibles(capped, (5000, "high"), (5000, "high"), (5000, "high")) == [800, 200, 0]
    level = {**TWO, "deductible_level_ceiling_yuan": {"low": 400}}
    assert deductibles(level, (5000, "low"), (5000, "low"), (5000, "high")) == [300, 100, 800]


@pytest.mark.parametrize(
    ("reading", "later"),
    [("highest_less_charged", 300), ("unused_is_lost", 0), ("own_less_charged", 0)],
)
def test_v01_once_a_year_at_the_highest_level_after_a_small_stay(reading: str, later: int) -> None:
    # R01: tertiary with only 500 in scope, then community.
    plan = {**TWO, "deductible_counting": "year_highest", "deductible_reading": reading}
    assert deductibles(plan, (500, "high"), (5000, "low")) == [500, later]


def test_v01_readings_differ_going_up_too() -> None:
    plan = {**TWO, "deductible_counting": "year_highest"}
    for reading, later in (("highest_less_charged", 700), ("unused_is_lost", 500), ("own_less_charged", 700)):
        assert deductibles({**plan, "deductible_reading": reading}, (100, "low"), (5000, "high")) == [100, later]


def test_v01_a_yearly_amount_for_each_level() -> None:
    plan = {**TWO, "deductible_counting": "year_per_level", "deductible_year_ceiling_yuan": 1000}
    assert deductibles(plan, (100, "low"), (5000, "low"), (5000, "high"), (5000, "low")) == [100, 200, 700, 0]


@pytest.mark.parametrize(("days", "periods"), [(0, 1), (1, 1), (90, 1), (91, 2), (180, 2), (181, 3)])
def test_v01_long_stay_day_90_in_the_first_period(days: int, periods: int) -> None:
    desk = Desk({**TWO, "deductible_period_days": 90})
    assert desk.settle(50_000, stay_days=days)["deductible"] == 300 * periods


def test_r37_a_stay_without_in_scope_cost_counts_as_an_admission() -> None:
    plan = {**TWO, "deductible_nth_percent": [100, 50]}
    assert deductibles(plan, (0, "high"), (5000, "high")) == [0, 400]


# ---------------------------------------------------------------- V02–V05


def test_v02_shortfall_of_the_first_stay_is_carried_once() -> None:
    plan = {**TWO, "deductible_carried": True}
    assert deductibles(plan, (500, "high"), (5000, "high"), (5000, "high")) == [500, 1100, 800]
    assert deductibles(plan, (5000, "high"), (100, "high"), (5000, "high")) == [800, 100, 800]


@pytest.mark.parametrize(
    ("referral", "option", "chain_paid", "due"),
    [
        ("up", "less_charged", 300, 500), ("up", "less_standard", 0, 500), ("up", "normal", 300, 800),
        ("same", "less_charged", 800, 0), ("down", "less_charged", 0, 0), ("missing", "less_charged", 300, 800),
    ],
)  # fmt: skip
def test_v03_referral_pays_the_difference_or_nothing(referral, option, chain_paid, due) -> None:
    desk = Desk({**TWO, "deductible_referral": option, "counts_admission": True})
    desk.settle(5000, level="low")
    moved = desk.settle(5000, level="high", referral=referral, chain=1, chain_paid=chain_paid)
    assert moved["deductible"] == due
    # R27: a chain is one episode, no new admission.
    one_episode = option != "normal" and referral != "missing"
    assert desk.used("stays") * 100 == (1 if one_episode else 2)


def test_v04_deductible_after_the_rate_ben_13() -> None:
    desk = Desk({"deductible_yuan": 100, "rate_percent": 75, "deductible_position": "after_rate"})
    assert desk.settle(200)["pooled"] == 50
    # R28: the deductible charged is min(deductible, in scope), also when the fund pays nothing.
    small = Desk({"deductible_yuan": 100, "rate_percent": 75, "deductible_position": "after_rate"}).settle(80)
    assert (small["pooled"], small["deductible"]) == (0, 80)


def test_v05_half_for_the_poor_and_less_or_fixed_when_signed() -> None:
    poor = {**TWO, "assistance": ["poor"], "deductible_category_percent": {"ordinary": 100, "poor": 50}}
    assert deductibles(poor, (5000, "high"), category="poor") == [400]
    signed = {"family_doctor": 1, "at_signed_institution": 1}
    assert deductibles({**TWO, "deductible_signed_less_yuan": 300}, (5000, "high"), **signed) == [500]
    assert deductibles({**TWO, "deductible_signed_less_yuan": 300}, (5000, "high"), family_doctor=1) == [800]
    assert deductibles({**TWO, "deductible_signed_yuan": {"high": 500}}, (5000, "high"), **signed) == [500]


# ---------------------------------------------------------------- V06–V08: tiers and caps

TIERS = {"deductible_yuan": 1000, "tier_from_yuan": [0, 10_000], "rate_percent": [50, 90]}


@pytest.mark.parametrize(
    ("measure", "first", "second"),
    [
        # 8,000 then 8,000; the deductible of 1,000 each time.
        ("year_cost", "3500", "5900"),  # second: 8,000 to 16,000 on the scale, 9,000-10,000 at 50, 6,000 at 90
        ("year_after_deductible", "3500", "5100"),  # second: 7,000 to 14,000: 3,000 at 50, 4,000 at 90
        ("stay_cost", "3500", "3500"), ("stay_after_deductible", "3500", "3500"),
    ],
)  # fmt: skip
def test_v06_tier_measure(measure: str, first: str, second: str) -> None:
    desk = Desk({**TIERS, "tier_measure": measure})
    assert desk.settle(8_000)["pooled"] == yuan(first)
    assert desk.settle(8_000)["pooled"] == yuan(second)


def test_v06_each_stay_with_and_without_the_deductible_inside() -> None:
    assert Desk({**TIERS, "tier_measure": "stay_cost"}).settle(15_000)["pooled"] == yuan("9000")  # 9,000 / 5,000
    assert Desk({**TIERS, "tier_measure": "stay_after_deductible"}).settle(15_000)["pooled"] == yuan("8600")


def test_v07_cap_on_paid_turned_back_into_cost_ben_19() -> None:
    desk = Desk(
        {
            "deductible_yuan": 1200, "rate_percent": 91, "cap_yuan": 65_000, "above_cap_percent": 95,
            "catastrophic_base": ["in_scope", "above_cap"], "catastrophic_from_yuan": [0],
            "catastrophic_percent": 60, "catastrophic_threshold_yuan": 14_370,
        }
    )  # fmt: skip
    paid = desk.settle(300_000)
    assert paid["pooled"] == 65_000 and paid["large_sum"] == yuan("216002.86")
    assert paid["catastrophic"] == yuan("2056.28") and paid["personal_total"] == yuan("16940.86")


def test_v07_cap_on_cost_and_a_stay_above_it_still_has_its_deductible() -> None:
    desk = Desk({"deductible_yuan": 1000, "rate_percent": 80, "cap_measure": "cost", "cap_yuan": 20_000,
                 "above_cap_percent": 90})  # fmt: skip
    assert desk.settle(15_000)["pooled"] == yuan("11200")
    second = desk.settle(10_000)  # 15,000 to 25,000: 4,000 below the cap after the deductible, 5,000 above
    assert (second["pooled"], second["large_sum"]) == (3_200, 4_500)
    third = desk.settle(2_000)
    assert (third["deductible"], third["pooled"], third["large_sum"]) == (1_000, 0, 900)


def test_v07_a_cap_on_paid_that_ends_inside_the_second_tier() -> None:
    desk = Desk({"rate_percent": [50, 80], "tier_from_yuan": [0, 1_000], "cap_yuan": 900, "above_cap_percent": 100})
    paid = desk.settle(2_000)  # 500 + 400 of 800; the cap leaves 500 of cost
    assert (paid["pooled"], paid["large_sum"]) == (900, 500)


def test_v08_year_and_rule_by_discharge_settlement_or_admission() -> None:
    from tests.benefit.deciding import decide_dates

    for option, rule, year in (
        ("discharge", 20240102, 2024),
        ("settlement", 20240205, 2024),
        ("admission", 20231230, 2023),
    ):
        desk = Desk({"rate_percent": 80, "options": {"rule_date": option, "benefit_year": option}})
        row, _ = desk.columns(100)
        row["admission_date"], row["discharge_date"], row["settlement_date"] = 20231230, 20240102, 20240205
        decide_dates(desk.bundle.benefit, row)
        assert (row["rule_date"][0], row["benefit_year"][0]) == (rule, year)
    july = Desk({"rate_percent": 80, "options": {"benefit_year_begins": "07-01"}})
    row, _ = july.columns(100, date=20240630)
    assert row["benefit_year"][0] == 2023


# ---------------------------------------------------------------- V09, V10: catastrophic insurance

CII = {
    "rate_percent": 0, "catastrophic_base": ["in_scope", "deductible"], "catastrophic_threshold_yuan": 12_000,
    "catastrophic_from_yuan": [0, 30_000, 100_000], "catastrophic_percent": [60, 65, 75],
}  # fmt: skip


def test_v10_bands_from_zero_ben_03_and_after_the_threshold_ben_29() -> None:
    assert Desk(CII).settle(150_000)["catastrophic"] == 93_800
    after = {**CII, "catastrophic_origin": "threshold", "catastrophic_threshold_yuan": 20_000,
             "catastrophic_from_yuan": [0, 20_000], "catastrophic_percent": [30, 40]}  # fmt: skip
    assert Desk(after).settle(50_000)["catastrophic"] == 10_000


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        (["in_scope"], 9_000), (["in_scope", "deductible"], 10_000), (["in_scope", "first_pay"], 9_500),
        (["in_scope", "over_ceiling"], 9_300), (["special_drugs"], 4_000), (["in_scope", "special_drugs"], 9_000),
    ],
)  # fmt: skip
def test_v09_what_counts(base: list[str], expected: int) -> None:
    desk = Desk({"rate_percent": 0, "deductible_yuan": 1_000, "catastrophic_base": base,
                 "catastrophic_threshold_yuan": 0,
                 "catastrophic_from_yuan": [0], "catastrophic_percent": 100})  # fmt: skip
    desk.settle(10_000, first_pay=500, over_ceiling=300, special_drug=4_000)
    assert desk.used("catastrophic_base_fen") == expected


def test_v09_extra_first_pay_and_cost_above_the_cap() -> None:
    plan = {
        "rate_percent": 50, "cap_measure": "cost", "cap_yuan": 1_000, "catastrophic_threshold_yuan": 0,
        "catastrophic_from_yuan": [0], "catastrophic_percent": 0,
        "cross_region": [{"place": "outside", "filing": "any", "extra_first_pay_percent": 20}],
    }  # fmt: skip
    for base, expected in ((["extra_first_pay"], 1_000), (["above_cap"], 3_000), (["in_scope"], 500)):
        desk = Desk({**plan, "catastrophic_base": base}, place="outside", filing="none")
        desk.settle(5_000)
        assert desk.used("catastrophic_base_fen") == expected


def test_r07_r34_increments_over_the_year() -> None:
    plan = {**CII, "catastrophic_from_yuan": [0], "catastrophic_percent": 33.3333, "catastrophic_threshold_yuan": 0}
    thirds = {
        "rounded_difference": ["0.33", "0.33", "0.33"],
        "difference_of_rounded": ["0.33", "0.34", "0.33"],
        "year_less_paid": ["0.33", "0.34", "0.33"],
    }
    for option, expected in thirds.items():
        desk = Desk({**plan, "catastrophic_increment": option})
        assert [desk.settle(1)["catastrophic"] for _ in range(3)] == [yuan(text) for text in expected], option


def test_r34_when_the_category_changes_the_increment_or_the_year() -> None:
    plan = {**CII, "assistance": ["poor"], "catastrophic_from_yuan": [0], "catastrophic_percent": 60,
            "catastrophic_threshold_yuan": {"ordinary": 10_000, "poor": 5_000}}  # fmt: skip
    for option, second in (("rounded_difference", 600), ("year_less_paid", 1_000)):
        desk = Desk({**plan, "catastrophic_increment": option})
        assert desk.settle(20_000)["catastrophic"] == 6_000
        # The year anew would give 9,600: 3,600 more than was paid, but a claim is never paid more than its burden.
        assert desk.settle(1_000, category="poor")["catastrophic"] == second


@pytest.mark.parametrize(("option", "assistance"), [("in_scope_first", 4_500), ("pro_rata", 6_000)])
def test_r09_from_what_catastrophic_insurance_is_taken(option: str, assistance: int) -> None:
    plan = {
        "rate_percent": 0, "assistance": ["poor"], "assistance_percent": {"poor": 100},
        "catastrophic_base": ["in_scope", "deductible", "first_pay"], "catastrophic_from_yuan": [0],
        "catastrophic_percent": 40, "catastrophic_threshold_yuan": 0, "catastrophic_taken_from": option,
    }  # fmt: skip
    desk = Desk(plan, category="poor")
    paid = desk.settle(10_000, first_pay=3_750)
    assert paid["catastrophic"] == 5_500 and paid["assistance"] == assistance


# ---------------------------------------------------------------- V11: care elsewhere


@pytest.mark.parametrize(
    ("entry", "pooled", "first_pay"),
    [
        ({"extra_first_pay_percent": 10}, "6560", 1_000), ({"minus_points": 5}, "6900", 0),
        ({"factor_percent": 90}, "6624", 0), ({"deductible_yuan": 1_500}, "6800", 0),
        ({"deductible_percent": 30, "deductible_at_least_yuan": 2_000, "deductible_at_most_yuan": 10_000}, "5600", 0),
        ({"deductible_percent": 10, "deductible_at_least_yuan": 2_000}, "6400", 0),
    ],
)  # fmt: skip
def test_v11_every_form(entry: dict, pooled: str, first_pay: int) -> None:
    plan = {
        "deductible_yuan": 800,
        "rate_percent": 80,
        "cross_region": [{"place": "outside", "filing": "any", **entry}],
    }
    result = Desk(plan, place="outside", filing="referred").settle(10_000)
    assert (result["pooled"], result["first_pay"]) == (yuan(pooled), first_pay)


def test_v11_a_table_of_its_own_is_a_plan_of_its_own_and_no_entry_is_undefined() -> None:
    plan = {"rate_percent": 80, "cross_region": [{"place": "province", "filing": "any"}]}
    assert Desk(plan).settle(100, place="province", filing="none")["pooled"] == 80
    assert Desk(plan).settle(100, place="outside", filing="none")["error"] == E.RULE_UNDEFINED
    # Outside the city no filing means not filed.
    none = {"rate_percent": 80, "cross_region": [{"place": "outside", "filing": "none", "minus_points": 20}]}
    assert Desk(none).settle(100, place="outside")["pooled"] == 60


def test_v11_without_referral_the_heavier_reduction_once() -> None:
    plan = {"rate_percent": 80, "unreferred_points": 15,
            "cross_region": [{"place": "outside", "filing": "any", "minus_points": 10}]}  # fmt: skip
    assert Desk(plan).settle(1_000, referral="missing")["pooled"] == 650
    assert Desk(plan).settle(1_000, referral="missing", place="outside", filing="none")["pooled"] == 650


def test_r25_extra_first_pay_on_the_claim_or_line_by_line() -> None:
    cross = [{"place": "outside", "filing": "any", "extra_first_pay_percent": 10}]
    lines = np.array([5, 5, 5, -5], np.int64)  # 0.05 each, one taken back: each line gives 0.5 fen, rounded to 1
    plan = {"rate_percent": 80, "cross_region": cross}
    away = {"place": "outside", "filing": "none", "lines": lines}
    assert Desk(plan).settle("0.10", **away)["first_pay"] == yuan("0.01")
    assert Desk({**plan, "extra_position": "lines"}).settle("0.10", **away)["first_pay"] == yuan("0.02")


# ---------------------------------------------------------------- V12–V19


def test_v12_v13_what_an_account_may_pay() -> None:
    plan = {"rate_percent": 50, "account_current_pays": ["in_catalogue"]}
    claim = {"first_pay": 10, "over_ceiling": 20, "self_paid": 40, "current": 1_000}
    outside = Desk(plan).settle(100, **claim)
    assert (outside["account_current"], outside["cash"]) == (60, 60)
    inside = Desk({**plan, "ceiling_excess": "inside"}).settle(100, **claim)
    assert (inside["account_current"], inside["cash"]) == (80, 40)
    assert Desk({**plan, "account_current_pays": ["everything"]}).settle(100, **claim)["cash"] == 0


def test_v13_account_before_the_deductible_ben_07() -> None:
    old = Desk({"deductible_yuan": 2_000, "rate_percent": 90, "account_position": "before_deductible"})
    paid = old.settle(8_000, current=1_530)
    assert (paid["account_current"], paid["pooled"], paid["cash"]) == (1_530, 4_023, 2_447)
    new = Desk({"deductible_yuan": 2_000, "rate_percent": 90}).settle(8_000, current=1_530)
    assert (new["account_current"], new["pooled"]) == (1_530, 5_400)


def test_v14_retired_by_points_or_by_share_of_the_active_person_s_part() -> None:
    groups = [{"id": "active", "person_types": ["11"]}, {"id": "retired", "person_types": ["12"]}]
    plan = {"person_groups": groups, "rate_percent": {"active": 85}}
    plus = {**plan, "rate_derived": {"retired": {"of": "active", "plus_points": 3}}}
    assert Desk(plus, type="12").settle(1_000)["pooled"] == 880
    share = {**plan, "rate_derived": {"retired": {"of": "active", "patient_share_percent": 60}}}
    assert Desk(share, type="12").settle(1_000)["pooled"] == 910


@pytest.mark.parametrize(("age", "fund"), [(39, 780), (40, 830), (49, 830), (50, 850), (-1, 780)])
def test_v15_rate_grows_with_age(age: int, fund: int) -> None:
    plan = {"rate_percent": 78, "age_from_years": [0, 40, 50], "age_points": [0, 5, 7]}
    assert Desk(plan, age=age).settle(1_000)["pooled"] == fund


def test_v16_floor_of_in_scope_or_total() -> None:
    plan = {"deductible_yuan": 900, "rate_percent": 50, "floor_percent": 45}
    assert Desk(plan).settle(1_000, self_paid=1_000)["pooled"] == 450
    assert Desk({**plan, "floor_base": "total"}).settle(1_000, self_paid=1_000)["pooled"] == 900
    assert Desk({**plan, "floor_base": "total"}).settle(1_000, self_paid=9_000)["pooled"] == 1_000
    assert Desk({**plan, "cap_yuan": 200}).settle(1_000)["pooled"] == 200


def test_v17_limits_inside_or_outside_the_yearly_cap() -> None:
    plan = {"rate_percent": 100, "cap_yuan": 1_000, "cap_counts": ["inpatient", "outpatient"],
            "paid_category": "outpatient",
            "limit_yuan": 800, "limit_counts": ["outpatient"]}  # fmt: skip
    desk = Desk(plan)
    assert [desk.settle(500)["pooled"] for _ in range(3)] == [500, 300, 0]
    signed = Desk({**plan, "limit_signed_yuan": 900, "limit_disease_extra_yuan": 50}, family_doctor=1)
    assert signed.settle(5_000)["pooled"] == 900


def test_v18_civil_servant_part_of_deductible_and_copay_after_or_before_catastrophic() -> None:
    plan = {**CII, "deductible_yuan": 1_000, "civil_servant_deductible_percent": 20, "civil_servant_percent": 85,
            "catastrophic_from_yuan": [0], "catastrophic_percent": 60,
            "catastrophic_threshold_yuan": 1_000}  # fmt: skip
    after = Desk(plan, civil_servant=1).settle(11_000)
    assert (after["catastrophic"], after["civil_servant"]) == (6_000, 200 + 3_400)
    before = Desk({**plan, "civil_servant_position": "before_catastrophic"}, civil_servant=1).settle(11_000)
    assert (before["civil_servant"], before["catastrophic"]) == (8_700, 780)
    assert Desk(plan).settle(11_000)["civil_servant"] == 0
    own = Desk({**plan, "civil_servant_own_deductible_yuan": 1_000, "civil_servant_cap_yuan": 2_000}, civil_servant=1)
    assert own.settle(11_000)["civil_servant"] == 2_000


@pytest.mark.parametrize(
    "supplement",
    [
        {"civil_servant_percent": 50, "civil_servant_position": "before_catastrophic"},
        {"enterprise_percent": 50, "enterprise_position": "before_catastrophic"},
    ],
    ids=["civil servant", "enterprise"],
)
def test_r35_a_supplement_that_pays_before_has_paid_its_share_of_the_cost_above_the_cap(supplement: dict) -> None:
    plan = {
        **CII, **supplement, "rate_percent": 50, "catastrophic_base": ["in_scope"], "catastrophic_threshold_yuan": 0,
        "catastrophic_from_yuan": [0], "catastrophic_percent": 60, "cap_measure": "cost", "cap_yuan": 10_000,
    }  # fmt: skip
    # Of 5,000 below the cap a half is left and counts; what lies above the cap does not, whoever pays a part of it.
    for in_scope in (10_000, 10_100, 20_000):
        assert Desk(plan, civil_servant=1).settle(in_scope)["catastrophic"] == 1_500


def test_enterprise_supplement() -> None:
    plan = {"rate_percent": 80, "enterprise_percent": 50, "enterprise_cap_yuan": 120}
    desk = Desk(plan)
    assert [desk.settle(1_000)["enterprise"] for _ in range(2)] == [100, 20]


def test_v19_r06_each_tier_rounded_or_the_fund_once() -> None:
    plan = {"rate_percent": [50, 50], "tier_from_yuan": [0, 0.01]}
    assert Desk(plan).settle("0.02")["pooled"] == yuan("0.01")
    assert Desk({**plan, "fund_rounding": "each_tier"}).settle("0.02")["pooled"] == yuan("0.02")


def test_r36_co_pay_free_lines_ben_11() -> None:
    # In scope 34,000 + 16,380 + 1,400 less the deductible at 88.8%, and 25,000 of an implant paid in full.
    plan = {"deductible_yuan": 800, "rate_percent": 88.8}
    paid = Desk(plan).settle(52_580 + 25_000, copay_free=25_000, first_pay=1_820 + 600 + 25_000, self_paid=5_000)
    assert paid["pooled"] == yuan("70980.64") and paid["personal_total"] == yuan("39019.36")


# ---------------------------------------------------------------- assistance, quotas, payers


def test_three_layers_ben_01_with_tilt() -> None:
    plan = {"deductible_yuan": 300, "rate_percent": 70, "assistance": ["low_edge"],
            "assistance_percent": {"low_edge": 70},
            "tilt_percent": {"low_edge": 60}, "tilt_threshold_yuan": 3_000, "tilt_cap_yuan": 20_000}  # fmt: skip
    paid = Desk(plan, category="low_edge").settle(50_000, self_paid=2_000)
    assert (paid["pooled"], paid["assistance"], paid["tilt"]) == (34_790, 10_647, yuan("937.80"))
    assert paid["fund_total"] == yuan("46374.80")


def test_r11_assistance_base_also_over_ceiling_and_first_pay() -> None:
    plan = {"rate_percent": 50, "assistance": ["poor"], "assistance_percent": {"poor": 100}}
    claim = {"first_pay": 20, "over_ceiling": 10, "self_paid": 5}
    for base, expected in ((["in_scope"], 50), (["in_scope", "over_ceiling"], 60),
                           (["in_scope", "over_ceiling", "first_pay"], 80)):  # fmt: skip
        assert Desk({**plan, "assistance_base": base}, category="poor").settle(100, **claim)["assistance"] == expected


def test_assistance_threshold_and_limits_over_the_year() -> None:
    plan = {"rate_percent": 0, "assistance": ["edge"], "assistance_percent": {"edge": 50},
            "assistance_threshold_yuan": 1_000, "assistance_cap_yuan": 500,
            "assistance_outpatient_cap_yuan": 150, "assistance_account": "outpatient"}  # fmt: skip
    desk = Desk(plan, category="edge")
    assert [desk.settle(600)["assistance"] for _ in range(3)] == [0, 100, 50]
    inpatient = Desk({**plan, "assistance_account": "inpatient"}, category="edge")
    assert [inpatient.settle(1_000)["assistance"] for _ in range(3)] == [0, 500, 0]


def disease(**values) -> list[dict]:
    return [{"code": "D1", "name": "d", "name_zh": "病", "period": "month", **values}]


def test_quota_of_a_disease() -> None:
    plan = {"rate_percent": 80, "diseases": disease(quota=[{**SOURCE, "value_yuan": 100}]), "requires_disease": True}
    desk = Desk(plan, disease="D1")
    assert [desk.settle(100, care="chronic")["pooled"] for _ in range(2)] == [80, 20]
    assert desk.settle(1_000)["pooled"] == 800  # a stay is none of the quota's care
    assert desk.quotas["used_fen"][0] == 10_000
    assert Desk(plan).settle(100)["error"] == E.CARE_NOT_COVERED


def test_fixed_price_of_a_disease_the_hospital_bears_the_rest() -> None:
    plan = {"rate_percent": 80, "diseases": disease(fixed_price=[{**SOURCE, "value_yuan": 5_000}]),
            "fixed_price": "share_of_price"}  # fmt: skip
    paid = Desk(plan, disease="D1").settle(6_500)
    assert (paid["pooled"], paid["personal_total"], paid["hospital_borne"]) == (4_000, 1_000, 1_500)


def test_maternity_quota_fixed_banded_and_more_children() -> None:
    plan = {"quota_mode": "cost_up_to_quota", "maternity_quota_yuan": {"normal": 4_000, "caesarean": 6_000},
            "maternity_child_yuan": 1_000}  # fmt: skip
    assert Desk(plan, maternity=1).settle(5_000)["pooled"] == 4_000
    assert Desk(plan, maternity=1).settle(3_000)["pooled"] == 3_000
    assert Desk(plan, maternity=3, fetuses=3).settle(9_000)["pooled"] == 8_000
    assert Desk({**plan, "quota_excess_percent": 50}, maternity=1).settle(5_000)["pooled"] == 4_500
    assert Desk(plan, maternity=6).settle(5_000)["error"] == E.RULE_UNDEFINED
    ended = {"rate_percent": 80, "quota_mode": "payment_up_to_quota", "maternity_quota_yuan": {"prenatal": 300}}
    assert Desk(ended, maternity=7).settle(1_000)["pooled"] == 300


def test_other_payers_and_the_hospital_never_pay_more_than_is_left() -> None:
    paid = Desk({"rate_percent": 80}).settle(1_000, self_paid=100, other_payer=250, waived=400)
    assert (paid["other"], paid["hospital_borne"], paid["personal_total"]) == (250, 50, 0)


def test_the_hospital_bears_ceiling_excess_and_it_counts_for_nobody() -> None:
    plan = {**CII, "catastrophic_base": ["over_ceiling"], "catastrophic_threshold_yuan": 0}
    paid = Desk(plan).settle(0, over_ceiling=100, borne=60)
    assert paid["hospital_borne"] == 60 and paid["personal_total"] + paid["catastrophic"] == 40


def test_suspended_enrolment_pays_nothing_and_counts_nothing() -> None:
    desk = Desk({**TWO, "counts_admission": True}, suspended=1)
    paid = desk.settle(5_000, level="high", current=100)
    assert paid["fund_total"] == 0 and paid["personal_total"] == 5_000 and not desk.states.any()


@pytest.mark.parametrize(
    ("key", "word"),
    [
        ("catastrophic_base", "self_paid"),
        ("catastrophic_base", "everything"),
        ("assistance_base", "self_paid"),
        ("assistance_base", "special_drugs"),
        ("account_family_pays", "deductible"),
    ],
)
def test_a_part_that_a_key_does_not_read_is_a_fault(key: str, word: str) -> None:
    """Written and without effect would be worse than refused."""
    with pytest.raises(PackError, match=f"'{word}' is not a name of {key} — write some of in_scope"):
        inline_bundle({"rate_percent": 80, key: [word]})
