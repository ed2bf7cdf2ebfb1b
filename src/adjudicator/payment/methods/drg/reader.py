"""Reads and compiles ``[[drg]]`` tables: base points, hospital coefficients, what becomes of unusual cases.

Nothing falls back to a coefficient of 1: only groups that a document lists as without coefficient, or as new, have 1.
Sources: docs/law.md, section "DRG points".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from adjudicator.payment.arrays import Compiling
from adjudicator.payment.conditions import FILE, Codes, Condition, Reading, condition_of, is_drg, one_of
from adjudicator.payment.exact import E8
from adjudicator.payment.methods.drg.base_points import GroupPoints, Scale, read_groups
from adjudicator.payment.methods.drg.coefficients import (
    Coefficients,
    coefficient_matrix,
    coefficients_of,
    full_points,
    read_values,
)
from adjudicator.payment.methods.drg.terms import (
    DRG_BAND,
    DRG_GROUP,
    DRG_HOSPITAL,
    DRG_TERMS,
    GroupKind,
    RatioTo,
    Readmission,
    SpecialCases,
    Ungrouped,
)
from adjudicator.payment.methods.drg.written import (
    ALL_POINTS,
    DrgTable,
    HighTable,
    IncompleteTable,
    ReadmissionTable,
    SpecialCasesTable,
)
from adjudicator.rulefile.dated import Source
from adjudicator.rulefile.evidence import read_date
from adjudicator.rulefile.faults import Faults
from adjudicator.rulefile.fields import Where
from adjudicator.rulefile.reader import read_struct

SOME = 10
"""So many groups a fault names."""


@dataclass(slots=True)
class DrgTerms:
    """One ``[[drg]]`` table of payment.toml, read and checked; the one that holds on the day prices a case."""

    source: Source
    key: str
    groups: dict[str, GroupPoints]
    coefficients: Coefficients
    row: np.ndarray
    high_bands: list[tuple[int, int]]
    supports: list[Condition]
    readmission: Readmission | None
    special: SpecialCases | None
    name: str = ""


TABLE = DrgTable


def read(reading: Reading, raw: Mapping[str, Any], key: str) -> DrgTerms | None:
    """Read one ``[[drg]]`` table with its CSV files."""
    table = read_struct(DrgTable, raw, FILE, key, reading.faults)
    source = None if table is None else table.source
    codes = reading.groupings.on(_first_day(raw) if source is None else source.from_date)
    if codes is None:
        reading.fault(Where(FILE, key), "", "DRG points need a grouping scheme", "name one in pack.toml [[grouping]]")
        return None
    if table is None or source is None:
        _read_files(reading, raw, codes)
        return None
    if reading.groupings.spans(source):
        remedy = "end it with the scheme, add another"
        reading.fault(table.where, "to", "the grouping scheme changes while this table holds", remedy)
    if table.ungrouped == Ungrouped.COST_POINTS and not table.all_average_yuan:
        remedy = "points from cost need the average cost of all groups, in yuan"
        reading.fault(table.where, "all_average_yuan", "is missing", remedy)
    terms = DrgTerms(
        source=source,
        key=key,
        groups=read_groups(reading, table.file, codes, scale_of(table)),
        coefficients=coefficients_of(reading, table.coefficient, codes),
        row=_compiled_row(table),
        high_bands=_bands(reading, table.high),
        supports=[condition_of(reading, entry, rate_ppm=entry.rate_percent) for entry in table.support],
        readmission=_readmission(table.readmission),
        special=_special(reading, table.special_cases),
    )
    _check_groups(reading, table, terms.groups, codes)
    _check_incomplete(reading, table.incomplete)
    _check_averages(reading, table.where, terms)
    return terms


def _first_day(raw: Mapping[str, Any]) -> int:
    return read_date(raw.get("from"), FILE, "from", Faults())


def _read_files(reading: Reading, raw: Mapping[str, Any], codes: Codes) -> None:
    """Read the CSV files of a table that has a fault, so that one run names the faults of its rows too."""
    file, block = raw.get("file"), raw.get("coefficient")
    values = block.get("file") if isinstance(block, Mapping) else None
    if isinstance(file, str):
        read_groups(reading, file, codes, Scale(E8, E8, 0))
    if isinstance(values, str):
        read_values(reading, values, codes)


def scale_of(table: DrgTable) -> Scale:
    """Return the scale of a table."""
    return Scale(table.scale_points, table.all_average_yuan, table.decimals)


def _check_groups(reading: Reading, table: DrgTable, groups: Mapping[str, GroupPoints], codes: Codes) -> None:
    where, no_points = table.where, frozenset(table.no_points)
    if no_points and not table.no_points_reason:
        reading.fault(where, "no_points_reason", "is missing", "say why these groups have no points")
    missing = [drg for drg in codes.points_needed if drg not in groups and drg not in no_points]
    if missing and groups:
        some = ", ".join(missing[:SOME]) + (f" and {len(missing) - SOME} more" if len(missing) > SOME else "")
        remedy = "add the groups to the file, or list them in no_points with a reason"
        reading.fault(where, "file", f"{table.file} has no points for {some}", remedy)
    for drg in sorted(no_points):
        if drg in groups or drg not in codes.drgs:
            message = f"{drg} has points or is not a group of the scheme"
            reading.fault(where, "no_points", message, "take it from the list")


def _check_incomplete(reading: Reading, table: IncompleteTable | None) -> None:
    for way in () if table is None else table.discharge_way:
        if table is not None and not (way.isdigit() and len(way) == 1):
            reading.fault(table.where, "discharge_way", f"{way!r} is no code", "write national codes such as 2 or 4")


def _compiled_row(table: DrgTable) -> np.ndarray:
    """Return the row of DRG_TERMS, without the places of its tables."""
    row = np.zeros((), DRG_TERMS)
    row["rounding_unit_e8"] = 10 ** (8 - table.decimals)
    row["mode"], row["scale_e8"], row["all_average_fen"] = table.mode, table.scale_points, table.all_average_yuan
    row["ungrouped"], row["unverified_points"] = table.ungrouped, int(not table.source.verified)
    row["unverified_coefficient"] = table.coefficient.unverified
    if (stay := table.incomplete) is not None:
        row["incomplete_ways"] = sum(1 << int(way) for way in set(stay.discharge_way) if way.isdigit())
        row["incomplete_mid_stay"], row["incomplete_coefficient"] = int(stay.mid_stay), int(stay.use_coefficient)
        row["incomplete_cap"], row["unverified_incomplete"] = stay.cap, stay.unverified
    for name, cost in (("low", table.low), ("high", table.high)):
        if cost is not None:
            row[f"{name}_strategy"], row[f"{name}_ratio_to"] = cost.strategy, cost.ratio_to
            row[f"{name}_inclusive"], row[f"{name}_coefficient"] = int(cost.inclusive), int(cost.use_coefficient)
            row[f"unverified_{name}"] = cost.unverified
    if table.low is not None:
        row["low_multiple_ppm"] = table.low.multiple
    return row


def _bands(reading: Reading, high: HighTable | None) -> list[tuple[int, int]]:
    """Return the bands of high cost: points up to, multiple."""
    if high is None:
        return []
    bands = [(band.up_to_points, band.multiple) for band in high.band]
    if not bands or bands[-1][0] != ALL_POINTS or bands != sorted(bands, key=lambda band: band[0]):
        remedy = "order by up_to_points; the last band has none"
        reading.fault(high.where, "band", "bands are missing or out of order", remedy)
    return bands


def _readmission(table: ReadmissionTable | None) -> Readmission | None:
    if table is None:
        return None
    drgs, verified = frozenset(table.exempt_drg), not table.unverified
    return Readmission(table.days, table.factor_percent, drgs, table.exempt_diagnosis, verified)


def _special(reading: Reading, table: SpecialCasesTable | None) -> SpecialCases | None:
    if table is None:
        return None
    for name in table.limit_class_percent:
        if name not in reading.pack.classes:
            remedy = one_of(name, reading.pack.classes, "write a class of payment_classes")
            reading.fault(table.where, f"limit_class_percent.{name}", "is not a class of the pack", remedy)
    limits, verified = dict(table.limit_class_percent), not table.unverified
    return SpecialCases(table.limit_percent, limits, table.rounding, table.swap_percent, verified)


def _check_averages(reading: Reading, where: Where, terms: DrgTerms) -> None:
    """Add a fault for each missing average that a ratio divides by: it would be a hidden default."""
    row, classes = terms.row, set(reading.pack.classes)
    strategies = [("low_strategy", "low_ratio_to"), ("high_strategy", "high_ratio_to")]
    levels = any(row[strategy] for strategy, to in strategies if row[to] == RatioTo.LEVEL_AVERAGE)
    groups = bool(row["incomplete_ways"]) or bool(row["incomplete_mid_stay"]) or any(row[s] for s, _ in strategies)
    cases = {drg: points for drg, points in terms.groups.items() if not points.bed_day}
    without = [drg for drg, points in cases.items() if groups and not points.average_fen]
    if without:
        message = f"no average cost for {', '.join(without[:SOME])}"
        reading.fault(where, "file", message, "fill the column average_yuan")
    lacking = [drg for drg, points in cases.items() if levels and classes - set(points.class_average_fen)]
    if lacking:
        message = f"no level average for {', '.join(lacking[:SOME])}"
        reading.fault(where, "file", message, "fill a column average_CLASS_yuan a payment class")


def compile_table(compiling: Compiling, terms: DrgTerms) -> int:
    """Return the row of ``drg_terms`` of a table; equal tables of several periods are stored once."""
    arrays, key, codes = compiling.arrays, (compiling.number, terms.key), compiling.codes
    known = arrays.known("drg_terms", key)
    if codes is None:
        return -1
    if known is not None:
        return known
    row, pack = terms.row.copy(), compiling.pack
    drgs = sorted(codes.drgs, key=codes.drgs.__getitem__)
    points = [terms.groups.get(drg) for drg in drgs]
    groups = np.zeros(len(drgs), DRG_GROUP)
    groups["base_e8"] = [entry.base_e8 if entry else -1 for entry in points]
    groups["average_fen"] = [entry.average_fen if entry else 0 for entry in points]
    groups["kind"] = [_kind(drg, entry) for drg, entry in zip(drgs, points, strict=True)]
    by_level = [[entry.class_average_fen.get(name, 0) if entry else 0 for name in pack.classes] for entry in points]
    matrix = coefficient_matrix(terms.coefficients, pack, drgs)
    hospitals = np.zeros(matrix.shape, DRG_HOSPITAL)
    hospitals["coefficient_e8"] = matrix
    hospitals["full_e8"] = full_points(groups["base_e8"], matrix, int(row["rounding_unit_e8"]))
    row["groups"], row["hospitals"], row["classes"] = len(drgs), len(pack.hospitals), len(pack.classes)
    row["group_start"] = arrays.add("drg_groups", groups)
    row["hospital_start"] = arrays.add("drg_hospitals", hospitals)
    row["level_start"] = arrays.add("drg_level_average_fen", np.array(by_level, np.int64))
    row["band_start"] = arrays.add("drg_high_bands", np.array(terms.high_bands, DRG_BAND))
    row["band_end"] = row["band_start"] + len(terms.high_bands)
    _, row["support_start"], row["support_end"] = compiling.conditions(terms.supports)
    return arrays.add("drg_terms", row, key)


def _kind(drg: str, points: GroupPoints | None) -> GroupKind:
    if points is None:
        return GroupKind.CASE if is_drg(drg) else GroupKind.NO_DRG
    return GroupKind.BED_DAY if points.bed_day else GroupKind.CASE
