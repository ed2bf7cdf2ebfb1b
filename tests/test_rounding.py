"""Each rounding mode against fractions, in Python and compiled."""

from __future__ import annotations

import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from adjudicator import rounding
from adjudicator.compiled import rounding as compiled

AMOUNTS = st.integers(-(10**12), 10**12)
RATES = st.integers(0, 10**6)


def half_up(exact: Fraction) -> int:
    """Half away from zero."""
    magnitude = math.floor(abs(exact) + Fraction(1, 2))
    return magnitude if exact >= 0 else -magnitude


@given(AMOUNTS, RATES)
def test_a_share_of_an_amount(amount, rate):
    expected = half_up(Fraction(amount * rate, 10**6))
    assert rounding.share(amount, rate) == rounding.per_million(amount * rate) == expected
    assert compiled.share(amount, rate) == compiled.per_million(amount * rate) == expected


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**15))
def test_a_quotient_half_up_and_up(numerator, denominator):
    exact = Fraction(numerator, denominator)
    assert rounding.divide_half_up(numerator, denominator) == half_up(exact)
    assert rounding.divide_up(numerator, denominator) == math.ceil(exact)


def test_halves_go_away_from_zero_for_odd_and_even_denominators():
    for denominator in range(1, 12):
        for numerator in range(-40, 41):
            assert rounding.divide_half_up(numerator, denominator) == half_up(Fraction(numerator, denominator))


@given(st.integers(0, 2**41), st.integers(1, 2**41 - 1), st.data())
def test_a_part_of_an_amount_whose_product_does_not_fit(amount, whole, data):
    part = data.draw(st.integers(0, whole))
    assert compiled.part_of(amount, part, whole) == rounding.divide_half_up(amount * part, whole)
