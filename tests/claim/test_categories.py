"""Persons of several assistance categories (R11): the one that pays most counts, once."""

from __future__ import annotations

import pytest

from adjudicator.errors import E
from adjudicator.v1 import claim_pb2, settlement_pb2
from tests.claim.claims import settle
from tests.claim.test_years import stay


def assisted(*categories: str) -> claim_pb2.Claim:
    """A stay of a person with some categories; the first is the one that the claim names first."""
    claim = stay(1, amount_fen=5_000_000)
    claim.assistance_category = categories[0] if categories else ""
    claim.other_assistance_categories.extend(categories[1:])
    return claim


@pytest.mark.parametrize(
    ("categories", "as_if"),
    [
        (("low_edge", "low_income"), "low_income"),
        (("low_income", "low_edge"), "low_income"),
        (("low_edge", "low_income", "destitute"), "destitute"),
        (("", "low_edge"), "low_edge"),
        (("low_edge", "low_edge"), "low_edge"),
    ],
)
def test_the_category_that_pays_most_counts_once(categories: tuple[str, ...], as_if: str) -> None:
    (several,) = settle(assisted(*categories))
    (alone,) = settle(assisted(as_if))
    assert several.outcome == settlement_pb2.OUTCOME_TRIAL and several.assistance_fen > 0
    assert several == alone


def test_an_unknown_further_category_is_refused() -> None:
    (answer,) = settle(assisted("low_edge", "rich"))
    assert [problem.code for problem in answer.problems] == [f"ADJ-{E.UNKNOWN_ASSISTANCE_CATEGORY:04d}"]
