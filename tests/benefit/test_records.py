"""The records of the kernel: a year by name is the same memory as its slots, and no index leaves its table."""

from __future__ import annotations

import numpy as np
import pytest

from adjudicator.benefit.records import YEAR, years_of
from adjudicator.columns import ACCUMULATOR_COUNT, SLOT
from adjudicator.errors import E
from tests.benefit.desk import Desk

PLAN = {"rate_percent": 80, "cap_yuan": "none"}


def test_a_year_by_name_is_the_same_memory_as_its_slots() -> None:
    slots = np.arange(2 * ACCUMULATOR_COUNT, dtype=np.int64).reshape(2, ACCUMULATOR_COUNT)
    year = years_of(slots)[1]
    assert year["tilt_fen"] == slots[1, SLOT["tilt_fen"]]
    for level in range(8):
        assert year["stays_level"][level] == slots[1, SLOT[f"stays_level_{level}"]]
        assert year["deductible_charged_level_fen"][level] == slots[1, SLOT[f"deductible_charged_level_{level}_fen"]]
    assert year["supplementary_base_fen"].tolist() == [slots[1, SLOT[f"supplementary_base_{n}_fen"]] for n in (1, 2, 3)]
    year["cost_inpatient_fen"] = -7
    assert slots[1, SLOT["cost_inpatient_fen"]] == -7
    assert YEAR.itemsize == 8 * ACCUMULATOR_COUNT


@pytest.mark.parametrize(("column", "number"), [("assistance", 12), ("assistance", -1), ("filing", 9), ("filing", -1)])
def test_a_number_outside_its_table_is_refused(column: str, number: int) -> None:
    desk = Desk(PLAN)
    row, split = desk.columns(1_000)
    row[column] = number
    assert desk.pay(row, split)["error"] == E.INVALID_CODE_VALUE


def test_more_children_than_the_limit_are_refused() -> None:
    desk = Desk(PLAN)
    assert desk.settle(1_000, fetuses=20)["error"] == E.NONE
    assert desk.settle(1_000, fetuses=21)["error"] == E.INVALID_CODE_VALUE
