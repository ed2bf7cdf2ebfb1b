"""Hospital coefficients of DRG points: families 1 to 3, missing levels, groups without coefficient (docs/law.md,
section "DRG points").

Nothing falls back to 1: only groups that a document lists as without coefficient, or as new, have 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from adjudicator.payment.conditions import Codes, PackView, Reading, one_of
from adjudicator.payment.exact import E8
from adjudicator.payment.methods.drg.written import CoefficientRow, CoefficientTable
from adjudicator.rounding import PPM, divide_half_up
from adjudicator.rulefile.reader import read_rows

COMPONENTS = ("hospital", "level", "burden", "cmi", "visits")
FAMILIES = {1: {"hospital"}, 2: {"hospital", "level"}, 3: set(COMPONENTS)}


@dataclass(slots=True)
class Coefficients:
    """How the hospital coefficient of a group comes about (families 1 to 3)."""

    family: int = 1
    weights_ppm: dict[str, int] = field(default_factory=lambda: {"hospital": PPM})
    values_e8: dict[tuple[str, str, str], int] = field(default_factory=dict)
    missing_up_ppm: int = -1
    missing_down_ppm: int = -1
    missing_hospital: str = "error"
    floor_e8: int = 0
    cap_e8: int = 10**14
    decimals: int = 8
    no_coefficient: frozenset[str] = frozenset()
    new_groups: frozenset[str] = frozenset()


def coefficients_of(reading: Reading, table: CoefficientTable, codes: Codes) -> Coefficients:
    """Return the rules of ``[drg.coefficient]`` with the values of its file."""
    _check_table(reading, table, codes)
    weights = {name: value for name in COMPONENTS if (value := getattr(table.weights, name, None)) is not None}
    return Coefficients(
        family=table.family,
        weights_ppm=weights or {"hospital": PPM},
        values_e8=read_values(reading, table.file, codes) if table.file else {},
        missing_up_ppm=-1 if table.missing_up_percent is None else table.missing_up_percent,
        missing_down_ppm=-1 if table.missing_down_percent is None else table.missing_down_percent,
        missing_hospital=table.missing_hospital,
        floor_e8=table.floor,
        cap_e8=table.cap,
        decimals=table.decimals,
        no_coefficient=frozenset(table.no_coefficient),
        new_groups=frozenset(table.new_groups),
    )


def _check_table(reading: Reading, table: CoefficientTable, codes: Codes) -> None:
    where, weights = table.where, {name: getattr(table.weights, name, None) or 0 for name in COMPONENTS}
    if table.weights is None and table.family != 1:
        reading.fault(where, "weights", "is missing", "write the weight of each component; together they make 1")
    if table.weights is not None and sum(weights.values()) != PPM:
        reading.fault(where, "weights", "do not add up to 1", "write weights that add up to 1")
    extra = {name for name, weight in weights.items() if weight} - FAMILIES[table.family]
    if table.weights is not None and extra:
        message = f"{', '.join(sorted(extra))} is not part of family {table.family}"
        reading.fault(where, "weights", message, "use family 3")
    for name in ("no_coefficient", "new_groups"):
        for drg in getattr(table, name):
            if drg not in codes.drgs:
                remedy = one_of(drg, codes.drgs, "correct the code")
                reading.fault(where, name, f"{drg} is not a group of the scheme", remedy)


def read_values(reading: Reading, file: str, codes: Codes) -> dict[tuple[str, str, str], int]:
    """Return the coefficients of a file by component, subject and group ("" for all groups)."""
    pack, values = reading.pack, dict[tuple[str, str, str], int]()
    for row in read_rows(CoefficientRow, reading.folder, file, reading.faults):
        known = pack.classes if row.component == "level" else pack.hospitals
        if row.subject not in known:
            remedy = one_of(row.subject, known, "write a hospital code, or a payment class for level")
            reading.fault(row.where, "subject", f"{row.subject!r} is not known", remedy)
        if row.drg and row.drg not in codes.drgs:
            remedy = one_of(row.drg, codes.drgs, "correct the code") + "; leave it empty for all groups"
            reading.fault(row.where, "drg", f"{row.drg} is not a group of the scheme", remedy)
        if (row.component, row.subject, row.drg) in values:
            reading.fault(row.where, "subject", "has two values", "keep one row")
        values[row.component, row.subject, row.drg] = row.value
    return values


def fill_levels(values: list[int | None], up_ppm: int, down_ppm: int) -> list[int | None]:
    """Fill levels without a value: a share of the next higher level, else of the next lower one (R30: filled fill on).

    ``values`` are ordered from the highest level down, in 1e-8; a rate below 0 means that the rule is not there.

    >>> fill_levels([200_000_000, None, None], 900_000, 1_100_000)
    [200000000, 180000000, 162000000]
    >>> fill_levels([None, 100_000_000], 900_000, 1_100_000)
    [110000000, 100000000]
    """
    filled = list(values)
    for position in range(1, len(filled)):
        higher = filled[position - 1]
        if filled[position] is None and higher is not None and up_ppm >= 0:
            filled[position] = divide_half_up(higher * up_ppm, PPM)
    for position in range(len(filled) - 2, -1, -1):
        lower = filled[position + 1]
        if filled[position] is None and lower is not None and down_ppm >= 0:
            filled[position] = divide_half_up(lower * down_ppm, PPM)
    return filled


def coefficient_matrix(rules: Coefficients, pack: PackView, drgs: list[str]) -> np.ndarray:
    """Return the coefficient of each hospital (row) and group (column) in 1e-8; -1 where the rules give none."""
    matrix = np.full((len(pack.hospitals), len(drgs)), -1, np.int64)
    for column, drg in enumerate(drgs):
        if drg in rules.no_coefficient or drg in rules.new_groups:
            matrix[:, column] = E8
            continue
        levels = fill_levels(
            [_value(rules, "level", name, drg) for name in pack.classes], rules.missing_up_ppm, rules.missing_down_ppm
        )
        level_of = dict(zip(pack.classes, levels, strict=True))
        for row, hospital in enumerate(pack.hospitals):
            level = level_of.get(pack.hospital_classes[row])
            matrix[row, column] = _coefficient(rules, hospital, drg, level)
    return matrix


def _value(rules: Coefficients, component: str, subject: str, drg: str) -> int | None:
    own = rules.values_e8.get((component, subject, drg))
    return own if own is not None else rules.values_e8.get((component, subject, ""))


def _coefficient(rules: Coefficients, hospital: str, drg: str, level: int | None) -> int:
    own = _value(rules, "hospital", hospital, drg)
    if own is None and rules.missing_hospital == "level":
        own = level
    if own is None:
        return -1
    total = 0
    for component, weight in rules.weights_ppm.items():
        if component == "hospital":
            value: int | None = own
        elif component == "level":
            value = level
        else:
            value = _value(rules, component, hospital, drg)
        if value is None:
            return -1
        total += value * weight
    unit: int = 10 ** (8 - rules.decimals)
    rounded = divide_half_up(total, PPM * unit) * unit
    return min(max(rounded, rules.floor_e8), rules.cap_e8)


def full_points(base_e8: np.ndarray, matrix: np.ndarray, rounding_unit_e8: int) -> np.ndarray:
    """Return the points of a complete stay, base x coefficient rounded half-up; -1 where either is missing."""
    result = np.full(matrix.shape, -1, np.int64)
    divisor = E8 * rounding_unit_e8
    bases = base_e8.tolist()
    for row in range(matrix.shape[0]):
        values = matrix[row].tolist()
        result[row] = [
            divide_half_up(base * value, divisor) * rounding_unit_e8 if base >= 0 and value >= 0 else -1
            for base, value in zip(bases, values, strict=True)
        ]
    return result
