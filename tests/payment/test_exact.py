"""The wide arithmetic of the payment kernel against whole numbers of any size, up to its stated bounds."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest

from adjudicator.compiled.rounding import share as share_fen
from adjudicator.payment.exact import (
    divide_wide,
    multiply_wide,
    points_value_fen,
    product_compare,
    scaled_product,
)
from tests.payment import toy
from tests.payment.test_twin import BED_DAY, PACKAGE, RULES, random_batch

EDGES = [0, 1, 2, 3, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**53, 2**62 - 1, 2**63 - 1, 10**12, 10**14]


def half_up(value: Fraction) -> int:
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def draw(random_: random.Random, highest: int) -> int:
    """A number of any length up to a bound, an edge now and then."""
    if random_.random() < 0.2:
        return min(random_.choice(EDGES), highest)
    return random_.randrange(1 << random_.randint(1, highest.bit_length())) % (highest + 1)


def test_products_and_quotients_of_two_limbs() -> None:
    random_ = random.Random(1)
    for _ in range(3000):
        a, b = draw(random_, 2**64 - 1), draw(random_, 2**64 - 1)
        high, low = multiply_wide(np.uint64(a), np.uint64(b))
        assert int(high) * 2**64 + int(low) == a * b
        divisor = max(1, draw(random_, 2**64 - 1))
        top = draw(random_, 2**64 - 1) % divisor
        quotient, rest = divide_wide(np.uint64(top), np.uint64(b), np.uint64(divisor))
        assert divmod(top * 2**64 + b, divisor) == (int(quotient), int(rest))


def test_three_factors_over_two_divisors_round_half_up() -> None:
    random_ = random.Random(2)
    checked = 0
    while checked < 3000:
        a, b, c = draw(random_, 10**14), draw(random_, 10**14), draw(random_, 2**62 - 1)
        d1, d2 = max(1, draw(random_, 2**63 - 1)), max(1, draw(random_, 2**62 - 1))
        exact = Fraction(a * b * c, d1 * d2)
        if exact < 2**63 - 1:
            assert scaled_product(a, b, c, d1, d2) == half_up(exact)
            checked += 1


@pytest.mark.parametrize("k", range(1, 40))
def test_exact_halves_round_up(k: int) -> None:
    assert scaled_product(2 * k + 1, 1, 1, 2, 1) == k + 1
    assert scaled_product(2 * k + 1, 10**8, 3, 2 * 10**8, 3) == k + 1


def test_comparison_of_products_at_equality() -> None:
    random_ = random.Random(3)
    for _ in range(1000):
        a, b = draw(random_, 2**62), draw(random_, 2**62)
        assert product_compare(a, b, b, a) == 0
        c, d = draw(random_, 2**62), draw(random_, 2**62)
        assert product_compare(a, b, c, d) == (a * b > c * d) - (a * b < c * d)


def test_worth_of_points_at_the_bounds() -> None:
    """Ten million points at a million yuan a point; negative points mirror (R38)."""
    assert points_value_fen(10**15, 10**9) == 10**12
    assert points_value_fen(5 * 10**7, 10_000) == 1
    assert points_value_fen(-5 * 10**7, 10_000) == -1
    assert points_value_fen(49_999_999, 10_000) == 0


def test_shares_of_the_largest_amount() -> None:
    assert share_fen(10**12, 10**6) == 10**12
    assert share_fen(10**12 - 1, 999_999) == half_up(Fraction((10**12 - 1) * 999_999, 10**6))


def test_a_claim_is_paid_alike_in_any_batch(tmp_path) -> None:
    """Alone, in another order, in a larger batch: the same row."""
    rules = toy.bundle(tmp_path, RULES["plain"], bed_day=BED_DAY, package=PACKAGE)
    b, codes = random_batch(np.random.default_rng(11), 400)
    whole = toy.paid(rules, b, codes).copy()
    order = np.random.default_rng(12).permutation(400)
    for chosen in (order, order[:1], order[100:150]):
        part = toy.batch(len(chosen))
        for name in ("claims", "splits", "benefits", "groups"):
            getattr(part, name)[:] = getattr(b, name)[chosen]
        codes_part = type(codes)(
            diagnosis_offsets=np.arange(len(chosen) + 1), diagnoses=codes.diagnoses[chosen],
            procedure_offsets=np.arange(len(chosen) + 1), procedures=codes.procedures[chosen],
        )  # fmt: skip
        assert (toy.paid(rules, part, codes_part) == whole[chosen]).all()


def test_the_output_is_overwritten(tmp_path) -> None:
    rules = toy.bundle(tmp_path, toy.THIN)
    b = toy.batch(3)
    clean = toy.paid(rules, b).copy()
    b.out[:] = np.array([tuple(range(99, 99 + len(b.out.dtype.names)))] * 3, b.out.dtype)
    assert (toy.paid(rules, b) == clean).all()
