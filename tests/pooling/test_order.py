"""The order of the lines of a file changes nothing: not a fen, not a line of a hospital's report."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudicator.cli.main import main
from adjudicator.errors import AdjudicatorError
from adjudicator.payment.methods.drg.terms import Readmission
from adjudicator.pooling.cases import net
from adjudicator.pooling.heads.visit_packages import Visits, settle_packages
from adjudicator.pooling.hospitals.clearing import Terms
from adjudicator.pooling.hospitals.settlement import Rules, case_lines, settle
from adjudicator.pooling.points.calibrate import Calibration, calibrate
from tests.pooling.made import case, cases
from tests.pooling.test_commands import case_file

RULES = Rules({"310": Terms(reserve_ppm=50_000), "390": Terms()}, Readmission(15, 500_000, frozenset(), (), True))


@st.composite
def stays(draw: st.DrawFn) -> list[dict]:
    """Stays of two persons in two hospitals on a few days, so that many begin and end alike; some are taken back."""
    rows = []
    for number in range(draw(st.integers(1, 8))):
        begin, days = draw(st.integers(1, 4)), draw(st.integers(0, 2))
        row = case(
            f"c{number}", hospital=draw(st.integers(0, 1)), county=draw(st.integers(0, 1)),
            scheme=draw(st.sampled_from([0, 0, 1])), person=draw(st.integers(1, 2)), admission_date=20250300 + begin,
            discharge_date=20250300 + begin + days, points_e8=draw(st.integers(1, 3)) * 10**8,
            method=draw(st.sampled_from([4, 4, 4, 1])),
        )  # fmt: skip
        rows.append(row)
        if draw(st.integers(0, 4)) == 0:
            rows.append(row | {"sign": -1})
    return rows


@given(data=st.data(), rows=stays())
def test_a_month_is_the_same_in_any_order(data: st.DataObject, rows: list[dict]) -> None:
    def month(ordered: list[dict]) -> tuple:
        result = settle(cases(*ordered), 202503, {"310": 10_007, "390": 999}, RULES)
        lines = {name: case_lines(result, name) for name in result.hospital_fen()}
        return result.targets(), result.hospital_fen(), result.prepaid, result.kept, lines

    assert month(rows) == month(data.draw(st.permutations(rows)))


def test_stays_on_the_same_day_are_halved_by_their_case_id(tmp_path, capsys) -> None:
    """Two stays of a person on one day in one group: the case id decides, not the line."""
    day = {"admission_date": 20250305, "discharge_date": 20250305, "month": 202501}
    rows = [{"case": "x"} | day, {"case": "y", "hospital": "H99000200001"} | day]
    shown = []
    for ordered in (rows, rows[::-1]):
        path = case_file(tmp_path / "cases.csv", ordered)
        words = ["settle-month", "--pack", "taohuayuan", "--month", "202501", "--cases", str(path)]
        assert main([*words, "--budget", "310=7500000", "--json"]) == 0
        shown.append(json.loads(capsys.readouterr().out))
    assert shown[0] == shown[1]
    paid = shown[0]["schemes"]["310"]["hospitals"]
    assert paid["H99000100001"] < paid["H99000200001"]


@pytest.mark.parametrize(
    ("signs", "message"),
    [((1, -1, 1), "is there twice"), ((1, 1, -1), "is there twice"), ((1, -1, -1), "is taken back twice"),
     ((-1,), "is taken back but not settled")],
)  # fmt: skip
def test_what_is_settled_or_taken_back_twice_is_refused_in_any_order(signs: tuple[int, ...], message: str) -> None:
    rows = [case("a", sign=sign) for sign in signs]
    for ordered in (rows, rows[::-1]):
        with pytest.raises(AdjudicatorError, match=f"case a {message}"):
            net(cases(*ordered))


visit = st.builds(
    Visits, st.sampled_from(["A", "B"]), st.sampled_from(["A", "B", "C"]), st.integers(1, 5).map(lambda n: n * 10**8),
    st.just("310"),
)  # fmt: skip


@given(data=st.data(), visits=st.lists(visit, min_size=1, max_size=6), total=st.integers(1, 100))
def test_packages_are_the_same_in_any_order_and_for_rows_in_parts(
    data: st.DataObject, visits: list[Visits], total: int
) -> None:
    packages = {"A": total, "B": total + 1}
    whole = settle_packages(packages, visits)
    assert settle_packages(packages, data.draw(st.permutations(visits))) == whole
    halves = [Visits(one.signed_with, one.provider, one.points_e8 // 2, "310") for one in visits for _ in range(2)]
    assert settle_packages(packages, halves) == whole


@given(data=st.data(), costs=st.lists(st.tuples(st.integers(1, 3), st.integers(0, 1)), min_size=1, max_size=8))
def test_points_are_the_same_in_any_order(data: st.DataObject, costs: list[tuple[int, int]]) -> None:
    """Also where cases of equal cost lie on either side of what is trimmed."""
    rules = Calibration(trim="middle", drop_ppm=200_000)

    def points(ordered: list[tuple[int, int]]):
        fen, hospitals = np.array(ordered, np.int64).T
        return calibrate(fen * 100, np.zeros(len(fen), int), hospitals, ["G"], ["H1", "H2"], {}, rules)

    assert points(costs) == points(data.draw(st.permutations(costs)))
