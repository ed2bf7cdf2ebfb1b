"""Published payment examples (PUB), wrong ones that must not come out (NEG), derived ones as regression (DER)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from adjudicator.money import fen_to_yuan, yuan_to_fen
from adjudicator.payment.methods.drg.reader import Readmission, calibrated_base
from adjudicator.pooling.cases import CASE, Cases
from adjudicator.pooling.clearing import FUND_ONLY, Terms, case_due_fen, point_value, year_fund
from adjudicator.pooling.review import halve_readmissions, is_above, review_quota
from adjudicator.rounding import PPM, share
from tests.payment import toy

E8 = 10**8


def pay_one(tmp_path, toml: str, drg: int = 0, status: int = 1, files: dict | None = None, **claim):
    """Pays one claim of the toy town; ``fund`` and ``personal`` set the benefit, the rest are claim columns."""
    b = toy.batch(1)
    fund, personal = claim.pop("fund", 0), claim.pop("personal", 0)
    b.benefits["pooled_fen"] = b.benefits["fund_total_fen"] = fund
    b.benefits["personal_total_fen"] = personal
    b.groups["drg"], b.groups["status"] = drg, status
    for column, value in claim.items():
        b.claims[column] = value
    row = toy.paid(toy.bundle(tmp_path, toml, **(files or {})), b)[0]
    assert row["error"] == 0
    return row


def package(formula: str, **keys: str) -> str:
    lines = "\n".join(f'{key} = "{value}"' for key, value in keys.items())
    return (
        toy.HEAD + toy.BY_ITEM + f'[[method]]\nid = "package"\n{toy.SOURCE}method = "single_disease"\ntable = "p"\n'
        'care_kinds = ["inpatient"]\n' + f'[[package]]\nid = "p"\n{toy.SOURCE}file = "package.csv"\nby = "disease"\n'
        f'formula = "{formula}"\n{lines}\n'
    )  # fmt: skip


def prices(*rows: str) -> dict[str, str]:
    header = "set,code,payment_class,price,fund,second,first_rate,second_rate"
    return {"package": "\n".join([header, *rows])}


class TestPublished:
    def test_pub_03_point_value_from_budget_and_points(self) -> None:
        """jiusongjiankang.com 5993906: 30 亿 over 30 亿 points is 1 yuan; 1,000 points treated at 800 leave 200."""
        value = point_value(yuan_to_fen("3000000000"), 0, 0, 3_000_000_000 * E8, FUND_ONLY)
        assert value == 100
        assert case_due_fen(1000 * E8, value, 0, 0, FUND_ONLY) - yuan_to_fen("800") == yuan_to_fen("200")

    @pytest.mark.parametrize(
        ("disease", "cost", "kept"), [(0, "3500", "500.00"), (0, "4500", "-500.00"), (1, "5500", "500.00")]
    )
    def test_pub_04_package_price(self, tmp_path, disease: int, cost: str, kept: str) -> None:
        """xunmei365.com 898378: simple appendicitis 4,000, complex 6,000; surplus and overspend are the hospital's."""
        row = pay_one(
            tmp_path, package("package"), files=prices("p,M01,,4000.00,,,,", "p,M02,,6000.00,,,,"),
            disease=disease, total_fen=yuan_to_fen(cost),
        )  # fmt: skip
        assert fen_to_yuan(int(row["due_fen"]) - yuan_to_fen(cost)) == kept

    def test_pub_05_high_ratio_flag(self) -> None:
        """360doc 1073798118: above 3 x 10,000 is high; 30,000 itself is not."""
        assert not is_above(yuan_to_fen("30000"), yuan_to_fen("10000"), 3 * PPM)
        assert is_above(yuan_to_fen("30000.01"), yuan_to_fen("10000"), 3 * PPM)

    def test_pub_06_special_case_threshold(self) -> None:
        """docs/law.md#S-33 (Fuxin 2025): group average 20,000, multiple 3: above 60,000 may be filed."""
        assert not is_above(yuan_to_fen("60000"), yuan_to_fen("20000"), 3 * PPM)
        assert is_above(yuan_to_fen("60000.01"), yuan_to_fen("20000"), 3 * PPM)

    def test_pub_08_bed_day_patient_part(self) -> None:
        """docs/law.md#S-19: 380 a bed-day, the patient about 30 %: 114 a day."""
        assert fen_to_yuan(share(yuan_to_fen("380"), 300_000)) == "114.00"

    def test_pub_14_bed_day_points_tariff(self, tmp_path) -> None:
        """docs/law.md#S-20 (Hezhou): 2.36182972 points a bed-day; DER-03: 30 days 70.8548916, 60 days 141.7097832."""
        toml = (
            toy.HEAD + toy.BY_ITEM + f'[[method]]\nid = "psychiatric"\n{toy.SOURCE}method = "bed_day"\n'
            'table = "hezhou"\ncare_kinds = ["inpatient"]\n' + toy.VALUE
            + f'[[bed_day]]\nid = "hezhou"\n{toy.SOURCE}file = "bed_day.csv"\nformula = "points"\n'
        )  # fmt: skip
        rates = {"bed_day": "set,payment_class,day_from,day_to,rate\nhezhou,tertiary,1,,2.36182972"}
        assert pay_one(tmp_path, toml, files=rates, stay_days=30)["points_e8"] == 7085489160
        assert pay_one(tmp_path, toml, files=rates, stay_days=60)["points_e8"] == 14170978320

    def test_pub_15_fund_method_1(self) -> None:
        """docs/law.md#S-39: G1 = r M (1 - t1 - t2) K, symbolic; the instance is DER-08."""
        m, r, t1, t2, k = yuan_to_fen("20000"), 800_000, 100_000, 50_000, 850_000
        g1 = share(share(share(m, r), PPM - t1 - t2), k)
        assert fen_to_yuan(g1) == "11560.00"
        by_item = share(share(m, PPM - t1 - t2), k)
        assert fen_to_yuan(by_item) == "14450.00"
        assert fen_to_yuan(m - by_item) == "5550.00"


class TestWrong:
    """Published answers that are wrong; the right arithmetic must not reproduce them."""

    def test_neg_01_point_value_off_by_ten(self) -> None:
        value = point_value(yuan_to_fen("50000000"), 0, 0, 100_000 * E8, FUND_ONLY)
        assert value == yuan_to_fen("500") != yuan_to_fen("50")

    def test_neg_02_placeholder_without_coefficient(self) -> None:
        points = 2 * E8 + 56_000_000
        full = points * 115 // 100
        assert fen_to_yuan(case_due_fen(full, Fraction(yuan_to_fen("10500")), 0, 0, FUND_ONLY)) == "30912.00"
        assert fen_to_yuan(case_due_fen(full, Fraction(yuan_to_fen("10500")), 0, 0, FUND_ONLY)) != "26880.00"

    def test_neg_03_only_a_bound_is_known(self) -> None:
        unreserved = point_value(yuan_to_fen("1000000000"), 0, 0, 10_000_000 * E8, FUND_ONLY)
        fund, _ = year_fund(yuan_to_fen("1000000000"), 0, yuan_to_fen("50000000"), Terms())
        assert point_value(fund, 0, 0, 10_000_000 * E8, FUND_ONLY) <= unreserved == yuan_to_fen("100")

    def test_neg_04_the_area_s_average_divides(self) -> None:
        own_average, area_average = 1_500_000, 1_000_000
        assert calibrated_base(1_200_000, area_average, 100 * E8, 4) == 120 * E8
        assert calibrated_base(1_200_000, own_average, 100 * E8, 4) != 120 * E8


ZHEJIANG = toy.THIN
JINHUA = toy.THIN.replace("use_coefficient = true", "use_coefficient = false")


class TestDerived:
    @pytest.mark.parametrize(
        ("rules", "way", "cost", "points"),
        [
            (ZHEJIANG, 1, "5000", "126"), (ZHEJIANG, 2, "5000", "52.5"), (ZHEJIANG, 2, "11900", "120"),
            (JINHUA, 1, "5000", "126"), (JINHUA, 2, "5000", "50"), (JINHUA, 2, "13000", "120"),
        ],
    )  # fmt: skip
    def test_der_01_and_02_points_of_a_case(self, tmp_path, rules: str, way: int, cost: str, points: str) -> None:
        row = pay_one(tmp_path, rules, discharge_way=way, total_fen=yuan_to_fen(cost))
        assert Fraction(int(row["points_e8"]), E8) == Fraction(points)

    def test_der_02_a_new_group_has_coefficient_1(self, tmp_path) -> None:
        toml = toy.THIN.replace('no_coefficient = ["FR23"]', 'no_coefficient = ["FR23"]\nnew_groups = ["FR21"]')
        assert pay_one(tmp_path, toml)["points_e8"] == 120 * E8

    @pytest.mark.parametrize(("day", "exempt", "points"), [(25, 0, 63), (26, 0, 126), (25, 1, 126)])
    def test_der_01_readmission(self, day: int, exempt: int, points: int) -> None:
        """Discharged on the 10th: day 15 halves the earlier stay, day 16 and chemotherapy do not."""
        rows = np.zeros(2, CASE)
        rows["points_e8"], rows["sign"], rows["exempt"] = 126 * E8, 1, exempt
        rows["admission_date"], rows["discharge_date"] = [20250301, 20250300 + day], [20250310, 20250330]
        cases = Cases(rows, np.array(["a", "b"], object), ["h"], ["c"], ["310"], ["FR21"])
        kept = halve_readmissions(cases, Readmission(15, 500_000, frozenset(), (), True), 10_000)
        assert kept.tolist() == [points * E8, 126 * E8]

    def test_der_03_bed_day_points(self, tmp_path) -> None:
        assert calibrated_base(40_000, 1_000_000, 100 * E8, 4) == 4 * E8
        assert pay_one(tmp_path, ZHEJIANG, drg=3, stay_days=75)["points_e8"] == 300 * E8

    @pytest.mark.parametrize(
        ("cost", "points"),
        [(500, 500), (660, 660), (661, 1100), (1649, 1100), (1650, 1100), (2000, 1450)],
    )
    def test_der_04_dip_city(self, tmp_path, cost: int, points: int) -> None:
        """docs/law.md#S-29: score 1,000, hospital 1.1; low up to 0.6, high from 1.5, both inclusive, continuous."""
        toml = toy.HEAD + toy.BY_ITEM + toy.INPATIENT_DRG + toy.DRG + toy.VALUE
        toml = toml.replace("[drg.incomplete]", DIP + "[drg.incomplete]")
        files = {
            "points": "drg,base_points,average\nFR21,1000,1000.00\nFR23,1,1.00\nGB25,1,1.00\nTR19,1,1.00",
            "coefficients": "component,subject,drg,value\nhospital,H00000000001,,1.1",
        }
        assert pay_one(tmp_path, toml, files=files, total_fen=cost * 100)["points_e8"] == points * E8

    def test_der_04_support_and_assessment(self, tmp_path) -> None:
        toml = (
            toy.HEAD
            + toy.BY_ITEM
            + toy.INPATIENT_DRG
            + toy.DRG
            + "".join(
                f'[[drg.support]]\nid = "{name}"\n{toy.SOURCE}rate = "{rate}"\n'
                for name, rate in [("a", "0.10"), ("b", "0.05")]
            )
            + toy.VALUE
        )
        files = {
            "points": "drg,base_points,average\nFR21,1000,1000.00\nFR23,1,1.00\nGB25,1,1.00\nTR19,1,1.00",
            "coefficients": "component,subject,drg,value\nhospital,H00000000001,,1.1",
        }
        row = pay_one(tmp_path, toml, files=files)
        assert row["points_e8"] == 1210 * E8
        assert Fraction(int(row["points_e8"]), E8) * Fraction(98, 100) == Fraction("1185.80")

    @pytest.mark.parametrize(
        ("multiple", "points"),
        [("0.30", "0.30"), ("0.49", "0.49"), ("0.50", "1"), ("1", "1"), ("2.00", "1"), ("2.01", "1.01"), ("2.5", "1.5"),
         ("3", "2")],
    )  # fmt: skip
    def test_der_05_guangzhou(self, tmp_path, multiple: str, points: str) -> None:
        toml = toy.HEAD + toy.BY_ITEM + toy.INPATIENT_DRG + toy.DRG + toy.VALUE
        toml = toml.replace("[drg.incomplete]", GUANGZHOU + "[drg.incomplete]")
        files = {
            "points": "drg,base_points,average,average:tertiary,average:secondary,average:primary\n"
            + "\n".join(f"{drg},100,100.00,100.00,100.00,100.00" for drg in toy.CODES.drgs),
            "coefficients": "component,subject,drg,value\nhospital,H00000000001,,1",
        }
        row = pay_one(tmp_path, toml, files=files, total_fen=int(Fraction(multiple) * 10_000))
        assert Fraction(int(row["points_e8"]), 100 * E8) == Fraction(points)

    def test_der_08_method_2_is_total_cost_mode(self) -> None:
        """M 20,000, standard 16,000, patient 5,550 by item: the fund pays 10,450."""
        value = Fraction(yuan_to_fen("16000"))
        assert fen_to_yuan(case_due_fen(E8, value, yuan_to_fen("5550"), 0, "total_cost")) == "10450.00"

    def test_rate_form_of_the_national_text(self, tmp_path) -> None:
        """docs/law.md#S-37: (standard - fully self-paid - first pay - deductible) x rate, floor 0."""
        rules = toy.bundle(tmp_path, toy.THIN.replace('"total_cost"', '"rate"'))
        b = toy.batch(2)
        b.splits["wholly_self_paid_fen"], b.benefits["first_pay_fen"] = [100_000, 2_000_000], 50_000
        b.benefits["deductible_fen"], b.benefits["pooled_rate_ppm"] = 80_000, 850_000
        standard = yuan_to_fen("12033")
        assert toy.paid(rules, b)["due_fen"].tolist() == [share(standard - 230_000, 850_000), 0]

    @pytest.mark.parametrize(("hospital", "fund"), [(0, "6625.00"), (1, "7000.00")])
    def test_der_14_nanjing_delivery(self, tmp_path, hospital: int, fund: str) -> None:
        toml = (
            toy.HEAD + toy.BY_ITEM + f'[[method]]\nid = "birth"\n{toy.SOURCE}method = "quota"\ntable = "p"\n'
            'maternity_types = ["3"]\ncare_kinds = ["maternity_inpatient"]\n'
            f'[[package]]\nid = "p"\n{toy.SOURCE}file = "package.csv"\nby = "maternity_type"\nformula = "cost_bands"\n'
        )  # fmt: skip
        files = prices("p,3,tertiary,3500.00,,6000.00,0.05,0.25", "p,3,,3500.00,,6000.00,0,0")
        row = pay_one(
            tmp_path,
            toml,
            files=files,
            care_kind=10,
            maternity_type=3,
            hospital=hospital,
            total_fen=yuan_to_fen("7000"),
        )
        assert fen_to_yuan(int(row["due_fen"])) == fund

    def test_der_15_special_case_quota(self) -> None:
        assert review_quota(1529, 1_000, "up") == 2
        assert review_quota(1529, 5_000, "down") == 7
        from adjudicator.errors import AdjudicatorError

        with pytest.raises(AdjudicatorError, match="not say how the quota is rounded"):
            review_quota(1529, 5_000, "undefined")

    def test_negative_fund_payment_is_real(self, tmp_path) -> None:
        """docs/law.md#S-27: a case may cost the hospital money; the amount is not clamped at 0."""
        row = pay_one(tmp_path, ZHEJIANG, personal=yuan_to_fen("26564.23"), total_fen=yuan_to_fen("30000"))
        assert fen_to_yuan(int(row["due_fen"])) == fen_to_yuan(yuan_to_fen("12033") - yuan_to_fen("26564.23"))
        assert row["due_fen"] < 0


DIP = (
    '[drg.low]\nstrategy = "actual"\nratio_to = "standard_points"\nmultiple = "0.6"\ninclusive = true\n' + toy.MARK
    + '[drg.high]\nstrategy = "continuous"\nratio_to = "standard_points"\ninclusive = true\n' + toy.MARK
    + '[[drg.high.band]]\nmultiple = "1.5"\n'
)  # fmt: skip
GUANGZHOU = (
    '[drg.low]\nstrategy = "actual"\nratio_to = "level_average"\nmultiple = "0.5"\n' + toy.MARK
    + '[drg.high]\nstrategy = "excess"\nratio_to = "level_average"\n' + toy.MARK
    + '[[drg.high.band]]\nmultiple = "2"\n'
)  # fmt: skip
