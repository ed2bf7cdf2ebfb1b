"""Which past cases count for the calibration of points: those of DRGs, in hospitals of the register."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adjudicator.codes import Method
from adjudicator.payment.conditions import is_drg
from adjudicator.payment.registry import NAMES_ZH
from adjudicator.pooling.cases import Cases


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Cases that do not count, and why."""

    reason: str
    reason_zh: str
    cases: int
    names: tuple[str, ...] = ()
    """Methods, groups or institutions of these cases."""


def choose(
    cases: Cases, periods: Collection[int], register: Mapping[str, str], kinds: Mapping[str, bool]
) -> tuple[Cases, list[LeftOut]]:
    """Return the cases that count, and what was left out, each case once.

    cases: that stand (``cases.net``). ``periods``: months YYYYMM and years YYYY that count, empty: all. ``register``:
    payment class by hospital. ``kinds``: of each DRG of the scheme whether it is paid by bed-day, so that its tariff
    is not calibrated. A case of a DRG without a price counts: its cost is known, and without it a group that has no
    points would never get any.
    """
    rows = cases.rows
    months = rows["month"]
    counts = np.isin(months, list(periods)) | np.isin(months // 100, list(periods)) | (not periods)
    left = []
    named = np.array([is_drg(group) for group in cases.groups], bool)[rows["group"]]
    by_points = (rows["method"] == Method.DRG_POINTS) | ((rows["method"] == Method.NONE) & named)
    others = np.flatnonzero(counts & ~by_points)
    if len(others):
        methods = [Method(number) for number in np.unique(rows["method"][others]).tolist()]
        names, zh = [method.name.lower() for method in methods], [NAMES_ZH.get(method, "未计价") for method in methods]
        left.append(LeftOut(f"paid by {', '.join(names)}", f"付费方式为{'、'.join(zh)}", len(others), tuple(names)))
    counts &= by_points
    by_case = {drg for drg, bed_day in kinds.items() if not bed_day}
    for column, listed, good, reason, reason_zh in (
        ("group", cases.groups, set(kinds), "of no DRG of the scheme", "未入组或病组不在分组方案中"),
        ("group", cases.groups, by_case, "of a bed-day group, whose tariff stays", "属床日病组，标准不变"),
        ("hospital", cases.hospitals, set(register), "of an institution outside the register", "机构不在名册"),
    ):
        known = np.array([name in good for name in listed], bool)[rows[column]]
        left += _left(counts & ~known, rows[column], listed, reason, reason_zh)
        counts &= known
    costless = counts & (rows["total_fen"] <= 0)
    left += _left(costless, rows["hospital"], cases.hospitals, "without cost", "没有费用")
    return cases.select(np.flatnonzero(counts & ~costless)), left


def _left(chosen: np.ndarray, numbers: np.ndarray, names: Sequence[str], reason: str, reason_zh: str) -> list[LeftOut]:
    if not chosen.any():
        return []
    found = tuple(names[number] for number in np.unique(numbers[chosen]).tolist())
    return [LeftOut(reason, reason_zh, int(chosen.sum()), found)]
