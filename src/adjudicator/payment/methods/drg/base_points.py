"""Reads the CSV of base points of a ``[[drg]]`` table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from adjudicator.payment.conditions import Codes, Reading, one_of
from adjudicator.payment.methods.drg.written import GroupRow
from adjudicator.rounding import divide_half_up
from adjudicator.rulefile.fields import Yuan
from adjudicator.rulefile.reader import check_columns, read_csv, read_line, read_value


@dataclass(frozen=True, slots=True)
class GroupPoints:
    """One row of a points table."""

    base_e8: int
    bed_day: bool
    average_fen: int
    class_average_fen: dict[str, int]


class Scale(NamedTuple):
    """What turns the average of a group into its base points."""

    scale_e8: int
    all_average_fen: int
    """0: not known, so every group needs its base points."""
    decimals: int


def read_groups(reading: Reading, file: str, codes: Codes, scale: Scale) -> dict[str, GroupPoints]:
    """Return the groups of a CSV of base points; a group without points takes them from its average."""
    groups: dict[str, GroupPoints] = {}
    table = read_csv(reading.folder, file, reading.faults)
    if table is None:
        return groups
    levels = {f"average_{name}_yuan": name for name in reading.pack.classes}
    if not check_columns(GroupRow, [name for name in table.columns if name not in levels], file, reading.faults):
        return groups
    for line in table.lines:
        averages = {levels[name]: line.cells.pop(name) for name in list(line.cells) if name in levels}
        row = read_line(GroupRow, line, reading.faults)
        if row is None:
            continue
        by_class = {
            name: read_value(Yuan, cell, line.where, f"average_{name}_yuan", reading.faults) or 0
            for name, cell in averages.items()
        }
        if row.drg in groups:
            reading.fault(row.where, "drg", f"{row.drg} is in the table twice", "keep one row")
        if row.drg not in codes.drgs:
            remedy = one_of(row.drg, codes.drgs, "correct the code or name the right scheme")
            reading.fault(row.where, "drg", f"{row.drg} is not a group of the scheme", remedy)
        groups[row.drg] = GroupPoints(_base_e8(reading, row, scale), row.kind == "bed_day", row.average_yuan, by_class)
    return groups


def _base_e8(reading: Reading, row: GroupRow, scale: Scale) -> int:
    if row.base_points is not None:
        return row.base_points
    if row.average_yuan and scale.all_average_fen:
        return calibrated_base(row.average_yuan, scale.all_average_fen, scale.scale_e8, scale.decimals)
    remedy = "write the points, or average_yuan together with all_average_yuan of the table"
    reading.fault(row.where, "base_points", "is missing", remedy)
    return 0


def calibrated_base(average_fen: int, all_average_fen: int, scale_e8: int, decimals: int) -> int:
    """Return base points = average of the group / average of all groups x scale, rounded half-up (docs/law.md#S-01).

    >>> calibrated_base(1_200_000, 1_000_000, 100 * 10**8, 4)
    12000000000
    """
    unit: int = 10 ** (8 - decimals)
    return divide_half_up(average_fen * scale_e8, all_average_fen * unit) * unit
