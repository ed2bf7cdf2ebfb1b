"""Clearing: point values in both modes, every fen placed, surplus and overspend, quality, readmission, reviews."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from adjudicator.codes import Method
from adjudicator.errors import AdjudicatorError, E
from adjudicator.payers import Fund
from adjudicator.payment.methods.drg.terms import Readmission, SpecialCases
from adjudicator.pooling.cases import net
from adjudicator.pooling.hospitals.clearing import FUND_ONLY, Terms, cells, clear, prepayments, year_fund
from adjudicator.pooling.hospitals.review import Decision, check_swaps
from adjudicator.pooling.hospitals.settlement import Rules, case_lines, settle
from adjudicator.rounding import divide_half_up
from tests.pooling.made import case, cases, random_cases

BUDGET = {"310": 12_345_678_901, "390": 9_876_543_211}
READMISSION = Readmission(15, 500_000, frozenset(), (), True)


def rules(terms: Terms = Terms(), **given) -> Rules:  # noqa: B008
    return Rules({"310": terms, "390": terms}, **given)


@pytest.mark.parametrize("terms", [
    Terms(),
    Terms(mode=FUND_ONLY, reserve_ppm=50_000),
    Terms(year_total="shared", surplus_kept_ppm=850_000, overspend_borne_ppm=850_000, reserve_ppm=30_000),
    Terms(deposit_ppm=100_000, deposit_bands=((0, 0), (60, 333_333), (85, 1_000_000)), forfeited="redistribute"),
])  # fmt: skip
@pytest.mark.parametrize("period", [202503, 2025])
def test_every_fen_is_placed(terms: Terms, period: int) -> None:
    made = random_cases(500, seed=3)
    result = settle(made, period, BUDGET, rules(terms), scores={"H1": 70, "H2": 90})
    for code, clearing in result.clearings.items():
        assert sum(clearing.hospital_fen().values()) == sum(clearing.county_fen().values()) == clearing.fund_fen
        money = clearing.value * clearing.points_e8 / 10**8
        rows = made.rows[made.rows["scheme"] == made.schemes.index(code)]
        brought = int(rows["patient_fen"].sum() + rows["others_fen"].sum()) if terms.mode != FUND_ONLY else 0
        expected = BUDGET[code] - clearing.reserve_fen
        if period == 2025 and terms.year_total == "shared":
            expected, _ = year_fund(BUDGET[code], int(rows["fund_fen"].sum()), clearing.reserve_fen, terms)
        assert money == expected + brought
        assert clearing.fund_fen == expected  # a redistributed deposit stays among the hospitals


def test_a_hospital_gets_its_points_worth_within_a_fen() -> None:
    made = random_cases(300, seed=5)
    clearing = settle(made, 202503, BUDGET, rules()).clearings["310"]
    for name in ("H1", "H2"):
        lines = [line for line in clearing.lines if line.hospital == name]
        exact = clearing.value * sum(line.points_e8 for line in lines) / 10**8
        assert abs(exact - sum(line.gross_fen for line in lines)) < 1


def test_a_negative_case_is_netted_in_the_hospital() -> None:
    """A patient who paid more than the points are worth lowers what the fund owes; nothing is clamped at 0."""
    dear = case("dear", points_e8=10**8, patient_fen=900_000, hospital=0)
    usual = case("usual", hospital=0, patient_fen=100_000)
    clearing = settle(cases(dear, usual), 202503, {"310": 1_000_000}, rules()).clearings["310"]
    lines = case_lines(settle(cases(dear, usual), 202503, {"310": 1_000_000}, rules()), "H1")
    assert lines[0][-1] < 0
    assert clearing.hospital_fen() == {"H1": 1_000_000} == {"H1": sum(line[-1] for line in lines)}


def test_the_report_of_a_hospital_adds_up_to_its_money() -> None:
    made = random_cases(400, seed=8)
    result = settle(made, 202503, BUDGET, rules(readmission=READMISSION))
    for name in ("H1", "H2"):
        total = sum(line[-1] for line in case_lines(result, name))
        assert total == sum(clearing.hospital_fen()[name] for clearing in result.clearings.values())
        assert all(abs(line[-1]) < 400 for line in case_lines(result, name) if line[0] == "rounding and quality")
    with pytest.raises(AdjudicatorError):
        case_lines(result, "H9")


def test_prepayment_is_a_share_of_what_is_owed_and_never_negative() -> None:
    made = cases(case("a", hospital=0), case("b", hospital=1, points_e8=10**6, patient_fen=5_000_000))
    clearing = settle(made, 202503, {"310": 1_000_000}, rules()).clearings["310"]
    owed = {line.hospital: line.fund_fen for line in clearing.lines}
    assert owed["H2"] < 0
    advance = prepayments(clearing, 850_000)
    assert advance == {("H1", "990001"): divide_half_up(owed["H1"] * 85, 100), ("H2", "990001"): 0}


@pytest.mark.parametrize(
    ("spent", "fund", "from_reserve"), [(900, 985, 0), (1_000, 1_000, 0), (1_100, 1_015, 15), (1_500, 1_075, 50)]
)
def test_surplus_is_kept_and_overspend_shared(spent: int, fund: int, from_reserve: int) -> None:
    terms = Terms(year_total="shared", surplus_kept_ppm=850_000, overspend_borne_ppm=850_000)
    assert year_fund(1_000, spent, 50, terms) == (fund, from_reserve)


def test_forfeited_deposits_stay_with_the_fund_or_go_to_the_others() -> None:
    made = cases(case("a", hospital=0), case("b", hospital=1))
    bands = ((0, 0), (60, 500_000), (85, 1_000_000))
    kept = {}
    for forfeited in ("fund", "redistribute"):
        terms = Terms(deposit_ppm=100_000, deposit_bands=bands, forfeited=forfeited)
        clearing = settle(made, 2025, {"310": 2_000_000}, rules(terms), scores={"H1": 70, "H2": 90}).clearings["310"]
        kept[forfeited] = clearing.hospital_fen()
    assert kept["fund"] == {"H1": 950_000, "H2": 1_000_000}
    assert kept["redistribute"] == {"H1": 975_000, "H2": 1_025_000}
    with pytest.raises(AdjudicatorError, match="H2 has no quality score"):
        settle(made, 2025, {"310": 2_000_000}, rules(terms), scores={"H1": 70})


class TestReadmission:
    def points(self, *rows: dict) -> list[int]:
        result = settle(cases(*rows), 202503, {"310": 10**9}, rules(readmission=READMISSION))
        kept = dict(zip(result.cases.ids.tolist(), result.points_e8.tolist(), strict=True))
        return [kept[row["case"]] // 10**8 for row in rows]

    def test_each_stay_is_halved_at_most_once_and_chains_go_on(self) -> None:
        stays = [
            case("a", person=1, admission_date=20250301, discharge_date=20250303),
            case("b", person=1, admission_date=20250303, discharge_date=20250306, hospital=1),
            case("c", person=1, admission_date=20250320, discharge_date=20250325),
        ]
        assert self.points(*stays) == [50, 50, 100]

    def test_other_stays_between_and_other_people_do_not_matter(self) -> None:
        stays = [
            case("a", person=1, admission_date=20250301, discharge_date=20250303),
            case("x", person=1, admission_date=20250304, discharge_date=20250306, group=1),
            case("y", person=2, admission_date=20250304, discharge_date=20250306),
            case("b", person=1, admission_date=20250318, discharge_date=20250320),
        ]
        assert self.points(*stays) == [50, 100, 100, 100]

    def test_the_next_stay_may_be_in_the_next_month(self) -> None:
        """R31 over the month's end: the earlier stay changes although its month was settled."""
        first = case("a", person=1, admission_date=20250325, discharge_date=20250331)
        later = case("b", person=1, admission_date=20250410, discharge_date=20250412, month=202504)
        alone = settle(cases(first), 202503, {"310": 10**9}, rules(readmission=READMISSION))
        both = settle(cases(first, later), 202503, {"310": 10**9}, rules(readmission=READMISSION))
        assert alone.points_e8.tolist() == [100 * 10**8]
        assert both.points_e8.tolist() == [50 * 10**8]
        assert len(both.cases) == 1


class TestReview:
    def test_a_decision_replaces_points_or_converts_cost(self) -> None:
        made = cases(case("a"), case("b"), case("c"))
        decisions = {"a": Decision(points_e8=250 * 10**8), "b": Decision(reasonable_cost_fen=3_000_000)}
        result = settle(made, 202503, {"310": 10**9}, rules(all_average_fen=1_000_000), decisions)
        assert [points // 10**8 for points in result.points_e8.tolist()] == [250, 300, 100]

    def test_a_fifth_of_the_applied_cases_may_be_swapped(self) -> None:
        check_swaps(10, 2, 200_000, "H1")
        with pytest.raises(AdjudicatorError, match="3 of 10"):
            check_swaps(10, 3, 200_000, "H1")


class TestRefusals:
    @pytest.mark.parametrize("budget", [0, -1])
    def test_a_budget_of_zero(self, budget: int) -> None:
        with pytest.raises(AdjudicatorError, match="scheme 310 has the budget") as refused:
            settle(cases(case("a")), 202503, {"310": budget}, rules())
        assert refused.value.problems[0].number == E.CANNOT_CLEAR

    def test_no_budget_at_all(self) -> None:
        with pytest.raises(AdjudicatorError, match="scheme 310 has cases but no budget"):
            settle(cases(case("a")), 202503, {}, rules())

    def test_points_that_add_up_to_nothing(self) -> None:
        with pytest.raises(AdjudicatorError, match="0 points"):
            settle(cases(case("a", points_e8=0)), 202503, {"310": 10**6}, rules())

    def test_negative_total_points(self) -> None:
        with pytest.raises(AdjudicatorError, match="has -100 points in all"):
            listed = cells(cases(case("a")), np.array([-(10**10)]), np.array([True]))
            clear("310", listed, 10**6, Terms(), False)

    def test_no_terms_for_a_scheme(self) -> None:
        with pytest.raises(AdjudicatorError, match="no clearing terms for scheme 310"):
            settle(cases(case("a")), 202503, {"310": 10**6}, Rules({}))

    def test_a_case_twice_and_a_reversal_of_nothing(self) -> None:
        with pytest.raises(AdjudicatorError, match="case a is there twice"):
            net(cases(case("a"), case("a")))
        with pytest.raises(AdjudicatorError, match="case b is taken back but not settled"):
            net(cases(case("a"), case("b", sign=-1)))

    def test_a_decision_on_an_unknown_case_changes_nothing_elsewhere(self) -> None:
        result = settle(cases(case("a")), 202503, {"310": 10**9}, rules(), {"zzz": Decision(points_e8=1)})
        assert result.points_e8.tolist() == [100 * 10**8]


def test_the_value_is_exact_and_not_rounded() -> None:
    made = cases(case("a", points_e8=3 * 10**8, patient_fen=0), case("b", points_e8=4 * 10**8, patient_fen=0))
    clearing = settle(made, 202503, {"310": 1_000}, rules()).clearings["310"]
    assert clearing.value == Fraction(1_000, 7)
    assert clearing.value_yuan == "1.428571"


class TestOtherMethods:
    def test_cases_without_points_keep_what_they_were_priced_at(self) -> None:
        """By item, bed-day tariff, single disease, capitation: owed as priced, outside the pot."""
        drg = case("a")
        bed_day = case("b", method=int(Method.BED_DAY), points_e8=0, due_fen=123_456, patient_fen=9_999_999)
        by_item = case("c", method=int(Method.BY_ITEM), points_e8=0, due_fen=70_000, hospital=1, county=1)
        result = settle(cases(drg, bed_day, by_item), 202503, {"310": 500_000}, rules())
        assert result.clearings["310"].fund_fen == 500_000
        assert result.clearings["310"].value == Fraction(500_000 + 300_000, 100)
        assert result.kept == {("310", "H1", "990001"): 123_456, ("310", "H2", "990002"): 70_000}
        assert result.hospital_fen() == {"H1": 623_456, "H2": 70_000}
        final = {place[0]: v for place, v in result.targets().items() if place[2] == Fund.PROVIDER_FINAL}
        assert final == {990001: 623_456, 990002: 70_000}
        assert sum(line[-1] for line in case_lines(result, "H1")) == 623_456

    def test_bed_day_points_share_the_inpatient_value(self) -> None:
        bed_day = case("b", method=int(Method.BED_DAY), points_e8=300 * 10**8, hospital=1)
        clearing = settle(cases(case("a"), bed_day), 202503, {"310": 400_000}, rules()).clearings["310"]
        assert [line.gross_fen for line in clearing.lines] == [250_000, 750_000]

    def test_outpatient_points_have_a_value_of_their_own(self) -> None:
        visit = case("v", method=int(Method.OUTPATIENT_POINTS), points_e8=2 * 10**8, due_fen=125)
        terms = Rules({"310": Terms(), "310/outpatient": Terms(mode=FUND_ONLY)})
        both = settle(cases(case("a"), visit), 202503, {"310": 10**6, "310/outpatient": 5_000}, terms)
        assert both.clearings["310/outpatient"].value == 2_500
        assert not both.kept
        without = settle(cases(case("a"), visit), 202503, {"310": 10**6}, rules())
        assert without.kept == {("310", "H1", "990001"): 125}

    def test_only_drg_cases_are_readmissions(self) -> None:
        visits = [
            case(name, method=int(Method.OUTPATIENT_POINTS), person=1, admission_date=day, discharge_date=day)
            for name, day in (("v1", 20250301), ("v2", 20250302))
        ]
        result = settle(cases(*visits), 202503, {}, rules(readmission=READMISSION))
        assert result.points_e8.tolist() == [100 * 10**8] * 2


class TestReviewQuota:
    def many(self, count: int = 1_500) -> list[dict]:
        return [case(f"c{number}", person=number) for number in range(count)]

    def special(self, rounding: str = "up", **given) -> SpecialCases:
        return SpecialCases(given.pop("limit_ppm", 1_000), given.pop("by_class", {}), rounding, 200_000, True)

    def settle(self, reviewed: int, special: SpecialCases):
        decisions = {f"c{number}": Decision(points_e8=10**8) for number in range(reviewed)}
        given = rules(special=special, classes={"H1": "tertiary", "H2": "secondary"})
        return settle(cases(*self.many()), 202503, {"310": 10**9}, given, decisions)

    def test_the_limit_holds_for_the_period(self) -> None:
        """0.1 % of 1,500 cases is 1.5: two with fractions up (Yancheng), one with fractions down."""
        self.settle(2, self.special("up"))
        with pytest.raises(AdjudicatorError, match="3 cases reviewed, 2 of 1500 may be"):
            self.settle(3, self.special("up"))
        with pytest.raises(AdjudicatorError, match="2 cases reviewed, 1 of 1500 may be"):
            self.settle(2, self.special("down"))

    def test_a_fraction_without_rule_is_refused_only_where_it_matters(self) -> None:
        self.settle(1, self.special("undefined"))
        with pytest.raises(AdjudicatorError, match="not say how the quota is rounded"):
            self.settle(2, self.special("undefined"))

    def test_limits_by_class_of_hospital(self) -> None:
        """Weihai: each class has its own share."""
        by_class = {"tertiary": 2_000, "secondary": 0}
        self.settle(3, self.special("down", by_class=by_class))
        with pytest.raises(AdjudicatorError, match="4 cases reviewed, 3 of 1500"):
            self.settle(4, self.special("down", by_class=by_class))


def test_listed_diagnoses_are_not_halved() -> None:
    rule = Readmission(15, 500_000, frozenset(), ("Z51.1*",), True)
    stays = cases(
        case("a", person=1, admission_date=20250301, discharge_date=20250303),
        case("b", person=1, admission_date=20250310, discharge_date=20250312),
    )
    plain = settle(stays, 202503, {"310": 10**9}, rules(readmission=rule))
    stays.diagnoses = np.array(["Z51.102", "Z51.102"], object)
    exempt = settle(stays, 202503, {"310": 10**9}, rules(readmission=rule))
    assert plain.points_e8.tolist() == [50 * 10**8, 100 * 10**8]
    assert exempt.points_e8.tolist() == [100 * 10**8, 100 * 10**8]
