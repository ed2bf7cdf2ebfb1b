"""A variant of a kernel is its own source with other globals; the kernel itself stays as it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjudicator.compiled.interpret import helpers, variant
from adjudicator.compiled.jit import inlined, kernel
from adjudicator.compiled.unowned import unowned

LOUD = False
HEARD: Any = None


@inlined
def doubled(row: Any) -> int:
    twice = row.amount * 2
    if LOUD:
        HEARD.append(int(twice))
    return twice


@kernel
def double(rows: np.ndarray) -> None:
    rows = unowned(rows)
    for i in range(rows.shape[0]):
        row = rows[np.uint64(i)]
        row.amount = doubled(row)


def rows() -> np.ndarray:
    made = np.zeros(2, np.dtype([("amount", "i8")]))
    made["amount"] = [3, 5]
    return made


def test_a_variant_computes_the_same_and_speaks() -> None:
    heard: list[int] = []
    compiled, interpreted = rows(), rows()
    double(compiled)
    variant(double, LOUD=True, HEARD=heard)(interpreted)
    assert compiled["amount"].tolist() == interpreted["amount"].tolist() == [6, 10]
    assert heard == [6, 10] and not LOUD and HEARD is None


def test_a_helper_may_be_another() -> None:
    changed = rows()
    variant(double, doubled=lambda row: 1)(changed)
    assert changed["amount"].tolist() == [1, 1]
    assert [function.__name__ for function in helpers(double)] == ["double", "doubled"]
