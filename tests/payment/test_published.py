"""Published payment examples (PUB), wrong ones (NEG) and derived ones (DER) that are not about one claim.

Point values of a month and what they make of a case at clearing, the quota of a review, readmission across cases. The
others are case files: ``payment.yaml`` and ``periods.yaml`` in ``tests/golden/published``, ``wrong`` and ``derived``.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from adjudicator.money import fen_to_yuan, yuan_to_fen
from adjudicator.payment.methods.drg.terms import Readmission
from adjudicator.pooling.cases import CASE, Cases
from adjudicator.pooling.hospitals.clearing import FUND_ONLY, Terms, case_due_fen, point_value, year_fund
from adjudicator.pooling.hospitals.review import halve_readmissions, review_quota

E8 = 10**8


class TestPublished:
    def test_pub_03_point_value_from_budget_and_points(self) -> None:
        """jiusongjiankang.com 5993906: 30 亿 over 30 亿 points is 1 yuan; 1,000 points treated at 800 leave 200."""
        value = point_value(yuan_to_fen("3000000000"), 0, 0, 3_000_000_000 * E8, FUND_ONLY)
        assert value == 100
        assert case_due_fen(1000 * E8, value, 0, 0, FUND_ONLY) - yuan_to_fen("800") == yuan_to_fen("200")


class TestWrong:
    """Published answers that are wrong; the right arithmetic must not reproduce them."""

    def test_neg_01_point_value_off_by_ten(self) -> None:
        value = point_value(yuan_to_fen("50000000"), 0, 0, 100_000 * E8, FUND_ONLY)
        assert value == yuan_to_fen("500") != yuan_to_fen("50")

    def test_neg_02_the_coefficient_counts_at_clearing(self) -> None:
        """2.56 x 1.15 x 10,500; the same for one claim: tests/golden/wrong/payment.yaml."""
        full = (2 * E8 + 56_000_000) * 115 // 100
        due_fen = case_due_fen(full, Fraction(yuan_to_fen("10500")), 0, 0, FUND_ONLY)
        assert fen_to_yuan(due_fen) == "30912.00" != "26880.00"

    def test_neg_03_only_a_bound_is_known(self) -> None:
        unreserved = point_value(yuan_to_fen("1000000000"), 0, 0, 10_000_000 * E8, FUND_ONLY)
        fund, _ = year_fund(yuan_to_fen("1000000000"), 0, yuan_to_fen("50000000"), Terms())
        assert point_value(fund, 0, 0, 10_000_000 * E8, FUND_ONLY) <= unreserved == yuan_to_fen("100")


class TestDerived:
    @pytest.mark.parametrize(("day", "exempt", "points"), [(25, 0, 63), (26, 0, 126), (25, 1, 126)])
    def test_der_01_readmission(self, day: int, exempt: int, points: int) -> None:
        """Discharged on the 10th: day 15 halves the earlier stay, day 16 and chemotherapy do not."""
        rows = np.zeros(2, CASE)
        rows["points_e8"], rows["sign"], rows["exempt"] = 126 * E8, 1, exempt
        rows["admission_date"], rows["discharge_date"] = [20250301, 20250300 + day], [20250310, 20250330]
        cases = Cases(rows, np.array(["a", "b"], object), ["h"], ["c"], ["310"], ["FR21"])
        kept = halve_readmissions(cases, Readmission(15, 500_000, frozenset(), (), True), 10_000)
        assert kept.tolist() == [points * E8, 126 * E8]

    def test_der_08_method_2_at_clearing(self) -> None:
        """M 20,000, standard 16,000, patient 5,550 by item: the fund pays 10,450."""
        value = Fraction(yuan_to_fen("16000"))
        assert fen_to_yuan(case_due_fen(E8, value, yuan_to_fen("5550"), 0, "total_cost")) == "10450.00"

    def test_der_15_special_case_quota(self) -> None:
        assert review_quota(1529, 1_000, "up") == 2
        assert review_quota(1529, 5_000, "down") == 7
        from adjudicator.errors import AdjudicatorError

        with pytest.raises(AdjudicatorError, match="not say how the quota is rounded"):
            review_quota(1529, 5_000, "undefined")
