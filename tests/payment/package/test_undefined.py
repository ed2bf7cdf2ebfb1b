"""What the document of a package leaves open is an error, not an amount."""

from __future__ import annotations

from adjudicator.errors import E
from tests.payment import toy
from tests.payment.bad import method


def test_fund_on_the_limit_above_the_limit_is_undefined(tmp_path) -> None:
    """Hainan 2011 (docs/law.md#S-62): what the fund does above the limit could not be read."""
    toml = (
        toy.HEAD + toy.BY_ITEM + method("a", "single_disease", 'table = "p"\ncare = ["inpatient"]')
        + f'[[package]]\nid = "p"\n{toy.SOURCE}file = "package.csv"\nformula = "fund_on_limit"\nby = "none"\n'
    )  # fmt: skip
    b = toy.batch(2)
    b.claims["total_fen"] = [900_000, 1_100_000]
    out = toy.paid(toy.bundle(tmp_path, toml, package="table,code,payment_class,price_yuan\np,,,10000.00"), b)
    assert out["error"].tolist() == [0, E.PAYMENT_RULE_UNDEFINED]
    assert out["due_fen"][0] == 1_000_000 - 300_000
