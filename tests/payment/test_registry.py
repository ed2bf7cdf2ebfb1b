"""What follows from the registration of the methods and from the table of payers."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from adjudicator.codes import Method, Scheme
from adjudicator.columns import BENEFIT
from adjudicator.compiled.cache import PACKAGE, _sources
from adjudicator.payers import FUNDS
from adjudicator.payment.funds import clearing_fund_fen, funds_mask
from adjudicator.payment.point_values import PointKind
from adjudicator.payment.readers import reader_of
from adjudicator.payment.registry import CLEARING_WAYS, METHODS, TABLE_KINDS, point_kind_of
from adjudicator.payment.value_tables import dense_point_values


def test_clearing_ways_of_the_national_interface() -> None:
    assert {method.name: int(CLEARING_WAYS[method]) for method in Method} == {
        "NONE": 9, "BY_ITEM": 1, "SINGLE_DISEASE": 2, "OUTPATIENT_POINTS": 3, "DRG_POINTS": 4, "BED_DAY": 5,
        "CAPITATION": 6, "DAY_SURGERY": 2, "QUOTA": 9,
    }  # fmt: skip


def test_bed_days_and_day_surgery_share_only_where_they_have_points() -> None:
    with_points = point_kind_of(np.arange(len(METHODS)), np.ones(len(METHODS), np.int64))
    without = point_kind_of(np.arange(len(METHODS)), np.zeros(len(METHODS), np.int64))
    drg, outpatient = int(PointKind.DRG), int(PointKind.OUTPATIENT)
    assert dict(zip(Method, with_points.tolist(), strict=True)) == {method: -1 for method in Method} | {
        Method.DRG_POINTS: drg, Method.BED_DAY: drg, Method.DAY_SURGERY: drg, Method.OUTPATIENT_POINTS: outpatient,
    }  # fmt: skip
    assert np.flatnonzero(without >= 0).tolist() == [Method.OUTPATIENT_POINTS, Method.DRG_POINTS]


@pytest.mark.parametrize("payer", FUNDS, ids=lambda payer: payer.id)
def test_a_clearing_fund_counts_its_own_columns(payer) -> None:
    benefits = np.zeros(1, BENEFIT)
    for place, column in enumerate(column for each in FUNDS for column in each.columns):
        benefits[column] = 10**place
    own = sum(int(benefits[column][0]) for column in payer.columns)
    assert clearing_fund_fen(np.uint64(funds_mask([payer.id])), benefits[0]) == own


def test_point_values_have_a_place_for_every_scheme_and_kind() -> None:
    assert dense_point_values([])[1].shape == (0, len(Scheme), len(PointKind))


def test_a_change_of_a_reader_compiles_no_kernel_again() -> None:
    """The stamp of a kernel follows its imports: none of them reads rule files."""
    sources = {path.relative_to(PACKAGE).as_posix() for path in _sources(PACKAGE / "payment" / "kernel.py")}
    assert {"payment/registry.py", "payment/methods/drg/formula.py", "payment/methods/drg/terms.py"} <= sources
    assert not [name for name in sources if name.startswith("rulefile/") or name.endswith(("reader.py", "written.py"))]


def test_each_kind_of_table_has_its_reader() -> None:
    for kind in TABLE_KINDS.values():
        assert issubclass(reader_of(kind).TABLE, msgspec.Struct)
