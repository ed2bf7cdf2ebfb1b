"""DRG points that are missing: a fault when the pack is loaded, or a number in the result; nothing becomes 1."""

from __future__ import annotations

from adjudicator.errors import E
from tests.payment import toy
from tests.payment.bad import only


class TestPoints:
    def test_a_group_that_occurs_has_no_points(self, tmp_path) -> None:
        short = "\n".join(line for line in toy.POINTS.splitlines() if not line.startswith("GB25"))
        fault = only(tmp_path, toy.THIN, points=short)
        assert fault == (
            "payment.toml: drg[0].file: points.csv has no points for GB25 — "
            "add the groups to the file, or list them in no_points with a reason"
        )

    def test_listed_without_points_is_refused_when_it_occurs(self, tmp_path) -> None:
        short = "\n".join(line for line in toy.POINTS.splitlines() if not line.startswith("GB25"))
        toml = toy.THIN.replace('file = "points.csv"', 'file = "points.csv"\nno_points = ["GB25"]')
        assert "say why these groups have no points" in only(tmp_path, toml, points=short)
        toml = toml.replace('["GB25"]', '["GB25"]\nno_points_reason = "closed"')
        b = toy.batch(1)
        b.groups["drg"] = 2
        out = toy.paid(toy.bundle(tmp_path, toml, points=short), b)
        assert (out["error"][0], out["due_fen"][0], out["method"][0]) == (E.GROUP_WITHOUT_POINTS, 0, 0)

    def test_a_hospital_without_level_or_coefficient(self, tmp_path) -> None:
        b = toy.batch(1)
        b.claims["hospital"] = 3
        out = toy.paid(toy.bundle(tmp_path, toy.THIN), b)
        assert (out["error"][0], out["due_fen"][0]) == (E.HOSPITAL_WITHOUT_COEFFICIENT, 0)

    def test_a_month_without_value(self, tmp_path) -> None:
        b = toy.batch(2)
        b.claims["settlement_date"] = [20250310, 20250310]
        b.claims["scheme"] = [1, 3]
        out = toy.paid(toy.bundle(tmp_path, toy.THIN), b)
        assert out["error"].tolist() == [0, E.NO_POINT_VALUE]

    def test_an_ungrouped_case_without_rule(self, tmp_path) -> None:
        b = toy.batch(1)
        b.groups["status"], b.groups["drg"] = 2, -1
        out = toy.paid(toy.bundle(tmp_path, toy.THIN.replace('ungrouped = "cost_points"', "")), b)
        assert out["error"][0] == E.PAYMENT_RULE_UNDEFINED
