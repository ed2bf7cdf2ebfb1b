"""Reads and compiles ``[[drg]]`` tables: base points, hospital coefficients, what becomes of unusual cases.

Nothing falls back to a coefficient of 1: only groups that a document lists as without coefficient, or as new, have 1.
Sources: docs/law.md, section "DRG points".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adjudicator.codes import Method
from adjudicator.payment.conditions import Codes, Condition, PackView, is_drg, read_condition
from adjudicator.payment.exact import E8
from adjudicator.payment.method import Compiling, Reading
from adjudicator.payment.methods.drg.coefficients import (
    Coefficients,
    coefficient_matrix,
    full_points,
    read_coefficients,
    unverified,
)
from adjudicator.payment.methods.drg.terms import (
    DRG_BAND,
    DRG_GROUP,
    DRG_HOSPITAL,
    DRG_TERMS,
    Cap,
    GroupKind,
    High,
    Low,
    Mode,
    RatioTo,
    Ungrouped,
)
from adjudicator.payment.reader import Node, read_csv, read_member
from adjudicator.rounding import PPM, divide_half_up
from adjudicator.rulefile.dated import Source


@dataclass(frozen=True, slots=True)
class GroupPoints:
    """One row of a points table."""

    base_e8: int
    bed_day: bool
    average_fen: int
    class_average_fen: dict[str, int]


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


@dataclass(frozen=True, slots=True)
class Readmission:
    """A second stay within some days in the same group takes points from the earlier one (R31)."""

    days: int
    factor_ppm: int
    exempt_drgs: frozenset[str]
    exempt_diagnoses: tuple[str, ...]
    verified: bool


@dataclass(frozen=True, slots=True)
class SpecialCases:
    """Special-case review (特例单议): how many cases may apply, how fractions round, how many may be swapped."""

    limit_ppm: int
    limit_by_class_ppm: dict[str, int]
    rounding: str
    swap_ppm: int
    verified: bool


def read_drg(reading: Reading, node: Node) -> DrgTerms | None:
    """Read one ``[[drg]]`` table with its CSV files."""
    source, pack = node.source(), reading.pack
    codes = reading.groupings.on(source.from_date)
    if reading.groupings.spans(source):
        node.fault("to", "the grouping scheme changes while this table holds", "end it with the scheme, add another")
    if codes is None:
        node.fault("", "DRG points need a grouping scheme", "name one in pack.toml [[grouping]]")
        return None
    row = np.zeros((), DRG_TERMS)
    decimals = node.integer("decimals", 4, 0, 8)
    row["rounding_unit_e8"] = 10 ** (8 - decimals)
    row["mode"] = read_member(node, "mode", Mode)
    row["scale_e8"] = node.e8("scale", 100 * E8, 1)
    row["all_average_fen"] = node.fen("all_average", 0)
    row["ungrouped"] = read_member(node, "ungrouped", Ungrouped, "undefined")
    if row["ungrouped"] == Ungrouped.COST_POINTS and not row["all_average_fen"]:
        node.fault("all_average", "is missing", "points from cost need the average cost of all groups, in yuan")
    groups = _read_groups(reading, node, row, decimals, codes)
    no_points = frozenset(node.texts("no_points", []))
    if no_points and not node.text("no_points_reason", ""):
        node.fault("no_points_reason", "is missing", "say why these groups have no points")
    _check_groups(node, groups, no_points, codes)
    coefficients = read_coefficients(reading, node, codes, row)
    high_bands = _read_unusual(node, row)
    supports = [_read_support(reading, child) for child in node.children("support")]
    terms = DrgTerms(
        source, node.key, groups, coefficients, row, high_bands, supports, _readmission(node), _special(node, pack)
    )
    row["unverified_points"] = int(not source.verified)
    _check_averages(node, terms, pack)
    node.finish()
    return terms


def _read_groups(reading: Reading, node: Node, row: np.ndarray, decimals: int, codes: Codes) -> dict[str, GroupPoints]:
    groups: dict[str, GroupPoints] = {}
    name = node.text("points")
    if not name:
        return groups
    for line in read_csv(reading.folder, name, ("drg", "base_points"), node.faults):
        drg = line.text("drg")
        bed_day = line.choice("kind", ("case", "bed_day"), "case") == "bed_day"
        average = line.fen("average", 0)
        if line.has("base_points"):
            base = line.e8("base_points")
        elif average and row["all_average_fen"]:
            base = calibrated_base(average, int(row["all_average_fen"]), int(row["scale_e8"]), decimals)
        else:
            base = 0
            line.fault("base_points", "is missing", "write the points, or an average together with all_average")
        class_average = {
            name: line.fen(f"average:{name}", 0) for name in reading.pack.classes if f"average:{name}" in line.data
        }
        line.finish()
        if drg in groups:
            line.fault("drg", f"{drg} is in the table twice", "keep one row")
        if drg not in codes.drgs:
            line.fault("drg", f"{drg} is not a group of the scheme", "correct the code or name the right scheme")
        groups[drg] = GroupPoints(base, bed_day, average, class_average)
    return groups


def calibrated_base(average_fen: int, all_average_fen: int, scale_e8: int, decimals: int) -> int:
    """Return base points = average of the group / average of all groups x scale, rounded half-up (docs/law.md#S-01).

    >>> calibrated_base(1_200_000, 1_000_000, 100 * E8, 4)
    12000000000
    """
    unit: int = 10 ** (8 - decimals)
    return divide_half_up(average_fen * scale_e8, all_average_fen * unit) * unit


def _check_groups(node: Node, groups: dict[str, GroupPoints], no_points: frozenset[str], codes: Codes) -> None:
    missing = [drg for drg in codes.points_needed if drg not in groups and drg not in no_points]
    if missing:
        some = ", ".join(missing[:10]) + (f" and {len(missing) - 10} more" if len(missing) > 10 else "")
        node.fault("points", f"has no points for {some}", "add the groups, or list them in no_points with a reason")
    for drg in sorted(no_points):
        if drg in groups or drg not in codes.drgs:
            node.fault("no_points", f"{drg} has points or is not a group of the scheme", "take it from the list")


def _read_unusual(node: Node, row: np.ndarray) -> list[tuple[int, int]]:
    """Read incomplete stays and the high and low ratios; returns the bands (points up to, multiple)."""
    table = node.child("incomplete")
    if table is not None:
        row["incomplete_ways"] = sum(1 << int(way) for way in table.texts("discharge_ways", []) if way.isdigit())
        row["incomplete_mid_stay"] = int(table.boolean("mid_stay", False))
        row["incomplete_coefficient"] = int(table.boolean("use_coefficient"))
        row["incomplete_cap"] = read_member(table, "cap", Cap)
        row["unverified_incomplete"] = unverified(table)
        table.finish()
    low = node.child("low")
    if low is not None:
        row["low_strategy"] = read_member(low, "strategy", Low)
        row["low_ratio_to"] = read_member(low, "ratio_to", RatioTo)
        row["low_inclusive"] = int(low.boolean("inclusive", False))
        row["low_coefficient"] = int(low.boolean("use_coefficient", False))
        row["low_multiple_ppm"] = low.ppm("multiple", high=50 * PPM)
        row["unverified_low"] = unverified(low)
        low.finish()
    bands: list[tuple[int, int]] = []
    high = node.child("high")
    if high is not None:
        row["high_strategy"] = read_member(high, "strategy", High)
        row["high_ratio_to"] = read_member(high, "ratio_to", RatioTo)
        row["high_inclusive"] = int(high.boolean("inclusive", False))
        row["high_coefficient"] = int(high.boolean("use_coefficient", False))
        row["unverified_high"] = unverified(high)
        for band in high.children("band"):
            bands.append((band.e8("points_up_to", 10**14), band.ppm("multiple", high=50 * PPM)))
            band.finish()
        if not bands or bands[-1][0] != 10**14 or bands != sorted(bands, key=lambda band: band[0]):
            high.fault("band", "bands are missing or out of order", "order by points_up_to; the last band has none")
        high.finish()
    return bands


def _read_support(reading: Reading, node: Node) -> Condition:
    condition = read_condition(node, reading.pack, reading.groupings, Method.NONE)
    if not condition.rate_ppm:
        node.fault("rate", "is missing", 'write the addition as a fraction: "0.10"')
    node.finish()
    return condition


def _readmission(node: Node) -> Readmission | None:
    table = node.child("readmission")
    if table is None:
        return None
    result = Readmission(
        table.integer("days", low=0, high=365),
        table.ppm("factor"),
        frozenset(table.texts("exempt_drgs", [])),
        tuple(table.texts("exempt_diagnoses", [])),
        not unverified(table),
    )
    table.finish()
    return result


def _special(node: Node, pack: PackView) -> SpecialCases | None:
    table = node.child("special_cases")
    if table is None:
        return None
    by_class = table.child("limit_by_class")
    limits = {} if by_class is None else {name: by_class.ppm(name) for name in pack.classes if by_class.has(name)}
    if by_class is not None:
        by_class.finish()
    result = SpecialCases(
        table.ppm("limit", 0),
        limits,
        table.choice("rounding", ("up", "down", "undefined")),
        table.ppm("swap", 0),
        not unverified(table),
    )
    table.finish()
    return result


def _check_averages(node: Node, terms: DrgTerms, pack: PackView) -> None:
    """Add a fault for each missing average that a ratio divides by: it would be a hidden default."""
    row = terms.row
    strategies = [("low", "low_strategy", "low_ratio_to"), ("high", "high_strategy", "high_ratio_to")]
    levels = any(row[strategy] for _, strategy, to in strategies if row[to] == RatioTo.LEVEL_AVERAGE)
    groups = bool(row["incomplete_ways"]) or bool(row["incomplete_mid_stay"]) or any(row[s] for _, s, _ in strategies)
    cases = {drg: points for drg, points in terms.groups.items() if not points.bed_day}
    without = [drg for drg, points in cases.items() if groups and not points.average_fen]
    if without:
        node.fault("points", f"no average cost for {', '.join(without[:10])}", "fill the column average (yuan)")
    lacking = [drg for drg, points in cases.items() if levels and set(pack.classes) - set(points.class_average_fen)]
    if lacking:
        node.fault("points", f"no level average for {', '.join(lacking[:10])}", "fill a column average:CLASS a class")


def compile_drg(compiling: Compiling, terms: DrgTerms) -> int:
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
