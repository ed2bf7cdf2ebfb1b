"""Calibration of points from past costs."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from adjudicator.errors import AdjudicatorError
from adjudicator.pooling.points.calibrate import Calibration, calibrate, variation_ppm
from adjudicator.rounding import divide_half_up

E8 = 10**8
LEVELS = {"H1": "tertiary", "H2": "tertiary", "H3": "secondary"}


def run(costs: list[int], groups: list[int], hospitals: list[int] | None = None, **rules):
    return calibrate(
        np.array(costs, np.int64), np.array(groups), np.array(hospitals or [0] * len(costs)),
        ["A", "B"], ["H1", "H2", "H3"], LEVELS, Calibration(**rules),
    )  # fmt: skip


def test_base_points_are_the_average_over_the_city_s() -> None:
    """DER-01: group average 12,000 over 10,000 of all is 120 points."""
    result = run([1_200_000] * 5 + [800_000] * 5, [0] * 5 + [1] * 5)
    assert [(g.group, g.base_e8, g.average_fen) for g in result.groups] == [
        ("A", 120 * E8, 1_200_000), ("B", 80 * E8, 800_000),
    ]  # fmt: skip
    assert result.all_average_fen == 1_000_000


def test_decimals_and_scale_are_parameters() -> None:
    coarse = run([100, 200], [0, 1], decimals=2, scale_e8=1000 * E8)
    assert [g.base_e8 for g in coarse.groups] == [666_67 * 10**6, 1333_33 * 10**6]
    fine = run([100, 200], [0, 1], decimals=8)
    assert [g.base_e8 for g in fine.groups] == [66_66666667, 133_33333333]


def test_trimming_by_multiples_goes_on_until_the_group_is_even() -> None:
    costs = [1_000] * 20 + [30_000, 5_000, 100]
    plain = run(costs + [1_000] * 6, [0] * 23 + [1] * 6)
    trimmed = run(costs + [1_000] * 6, [0] * 23 + [1] * 6, trim="multiples", upper_ppm=((10**14, 2_000_000),))
    assert plain.groups[0].trimmed == 0 and not plain.groups[0].stable
    assert trimmed.groups[0].stable and trimmed.groups[0].average_fen < plain.groups[0].average_fen


def test_the_dearer_the_group_the_lower_the_multiple() -> None:
    bands = ((100 * E8, 3_000_000), (10**14, 1_500_000))
    result = run(
        [1_000] * 10 + [2_500] + [10_000] * 10 + [25_000], [0] * 11 + [1] * 11, trim="multiples", upper_ppm=bands,
        lower_ppm=0,
    )  # fmt: skip
    assert [g.trimmed for g in result.groups] == [0, 1]


def test_the_middle_interval_drops_both_ends() -> None:
    result = run(list(range(100, 200)), [0] * 100, trim="middle", drop_ppm=50_000)
    assert result.groups[0].trimmed == 10
    assert result.groups[0].average_fen == divide_half_up(sum(range(105, 195)), 90)


def test_few_cases_and_wide_groups_are_unstable() -> None:
    result = run([100] * 4 + [1, 1, 1, 1, 1000], [0] * 4 + [1] * 5, min_cases=5)
    assert [(g.stable, g.reason) for g in result.groups] == [
        (False, "fewer than 5 cases"), (False, "varies too much"),
    ]  # fmt: skip


@pytest.mark.parametrize("costs", [[100, 300], [5], [1, 2, 3, 4, 100], [7] * 9])
def test_variation_is_that_of_the_textbook(costs: list[int]) -> None:
    mean = Fraction(sum(costs), len(costs))
    variance = sum((cost - mean) ** 2 for cost in costs) / len(costs)
    found = variation_ppm(np.array(costs))
    assert abs(Fraction(found, 10**6) ** 2 - variance / mean**2) <= Fraction(found + 1, 10**12)


def test_own_and_same_level_averages_weigh_seven_to_three() -> None:
    """Zhoushan 2023: own-hospital average and same-level average 7 : 3."""
    result = run(
        [1_200, 800, 1_000], [0, 0, 0], [0, 1, 2], own_weight_ppm=700_000, level_weight_ppm=300_000,
        coefficient_decimals=4,
    )  # fmt: skip
    assert result.hospital_e8 == {
        ("H1", "A"): 114 * 10**6, ("H2", "A"): 86 * 10**6, ("H3", "A"): E8,
    }  # fmt: skip
    assert result.level_e8 == {("secondary", "A"): E8, ("tertiary", "A"): E8}


def test_no_cases_a_cost_of_zero_and_a_hospital_without_level_are_refused() -> None:
    with pytest.raises(AdjudicatorError, match="no past cases"):
        run([], [])
    with pytest.raises(AdjudicatorError, match="has no cost"):
        run([100, 0], [0, 0])
    with pytest.raises(AdjudicatorError, match="H9 has no level"):
        calibrate(
            np.array([100]), np.array([0]), np.array([0]), ["A"], ["H9"], {},
            Calibration(own_weight_ppm=700_000, level_weight_ppm=300_000),
        )  # fmt: skip
