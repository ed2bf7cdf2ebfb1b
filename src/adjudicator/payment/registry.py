"""The payment methods: one row a method, from which everything else follows.

The words of payment.toml, the folders and arrays of its tables, the formula that the kernel calls, the clearing way and
the Chinese name of an answer, and the kind of points that cases share a budget by. How to add one: docs/payment.md.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from adjudicator.codes import Method
from adjudicator.payment.case import no_method
from adjudicator.payment.method import PaymentMethod, TableKind, YearLimit
from adjudicator.payment.methods.bed_day import terms as bed_day_terms
from adjudicator.payment.methods.bed_day.formulas import bed_days
from adjudicator.payment.methods.by_item import what_the_funds_pay
from adjudicator.payment.methods.capitation.formula import nothing_for_the_claim
from adjudicator.payment.methods.drg import terms as drg_terms
from adjudicator.payment.methods.drg.formula import drg_points
from adjudicator.payment.methods.package import terms as package_terms
from adjudicator.payment.methods.package.formulas import package
from adjudicator.payment.point_values import PointKind

DRG = TableKind("drg", drg_terms.ARRAYS, named=False)
BED_DAY = TableKind("bed_day", bed_day_terms.ARRAYS)
PACKAGE = TableKind("package", package_terms.ARRAYS)

METHODS: tuple[PaymentMethod, ...] = (
    PaymentMethod(Method.NONE, 9, "无", no_method),
    PaymentMethod(Method.BY_ITEM, 1, "按项目付费", what_the_funds_pay),
    PaymentMethod(Method.SINGLE_DISEASE, 2, "单病种付费", package, PACKAGE, year_limit=YearLimit.AVERAGE),
    PaymentMethod(
        Method.OUTPATIENT_POINTS, 3, "门诊点数付费", package, PACKAGE, PointKind.OUTPATIENT, always_points=True
    ),
    PaymentMethod(Method.DRG_POINTS, 4, "DRG 点数付费", drg_points, DRG, PointKind.DRG, always_points=True),
    PaymentMethod(Method.BED_DAY, 5, "床日付费", bed_days, BED_DAY, PointKind.DRG),
    PaymentMethod(Method.CAPITATION, 6, "按人头付费", nothing_for_the_claim, needs_contracts=True),
    PaymentMethod(Method.DAY_SURGERY, 2, "日间手术付费", package, PACKAGE, PointKind.DRG),
    PaymentMethod(Method.QUOTA, 9, "定额付费", package, PACKAGE, year_limit=YearLimit.QUOTA),
)
assert [entry.method for entry in METHODS] == list(Method), "each method is registered once, in the order of its number"

BY_WORD: Mapping[str, PaymentMethod] = {entry.word: entry for entry in METHODS if entry.method is not Method.NONE}
"""Methods by their word in payment.toml."""
TABLE_KINDS: Mapping[str, TableKind] = {entry.table.key: entry.table for entry in METHODS if entry.table is not None}
"""Kinds of tables by their key in payment.toml."""
YEAR_LIMITS: Mapping[str, Method] = {str(entry.year_limit): entry.method for entry in METHODS if entry.year_limit}
"""The method whose cases each kind of yearly limit takes."""
CLEARING_WAYS = np.array([entry.clearing_way for entry in METHODS], np.uint32)
"""uint32[method]: the clearing way of each method."""
NAMES_ZH: Mapping[Method, str] = {entry.method: entry.name_zh for entry in METHODS}


def point_kind_of(method: np.ndarray, points_e8: np.ndarray) -> np.ndarray:
    """Return the kind of points that each case shares a budget by, int64[n] of PointKind, -1 none.

    A case shares where its method always does, or where it has points.
    """
    kinds = np.array([-1 if entry.point_kind is None else int(entry.point_kind) for entry in METHODS])
    always = np.array([entry.always_points for entry in METHODS])
    return np.where(always[method] | (points_e8 > 0), kinds[method], -1)
