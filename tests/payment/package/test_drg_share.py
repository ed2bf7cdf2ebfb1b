"""A package that is a share of the DRG points."""

from __future__ import annotations

import pytest

from tests.payment import toy
from tests.payment.bad import method


@pytest.mark.parametrize(
    ("percent", "points", "due_fen"),
    [("90", 11_340_000_000, 1_082_970 - 300_000), ("100", 12_600_000_000, 1_203_300 - 300_000), ("0", 0, -300_000)],
)
def test_share_of_the_points(tmp_path, percent: str, points: int, due_fen: int) -> None:
    """120 x 1.05 = 126 points x share x 95.50, less 3,000 that the patient pays; nothing is also a share."""
    toml = (
        toy.HEAD + toy.BY_ITEM + method("a", "day_surgery", 'table = "p"\ncare = ["inpatient"]')
        + f'[[package]]\nid = "p"\n{toy.SOURCE}file = "package.csv"\nformula = "drg_share"\nby = "none"\n'
        + toy.DRG + toy.VALUE
    )  # fmt: skip
    rules = toy.bundle(tmp_path, toml, package=f"table,code,payment_class,first_rate_percent\np,,,{percent}")
    out = toy.paid(rules, toy.batch(1))
    assert (out["error"][0], out["points_e8"][0], out["due_fen"][0]) == (0, points, due_fen)
