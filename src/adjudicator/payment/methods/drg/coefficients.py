"""Hospital coefficients of DRG points: families 1 to 3, missing levels, groups without coefficient (docs/law.md,
section "DRG points").

Nothing falls back to 1: only groups that a document lists as without coefficient, or as new, have 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from adjudicator.payment.conditions import Codes, PackView
from adjudicator.payment.exact import E8
from adjudicator.payment.method import Reading
from adjudicator.payment.reader import Node, read_csv
from adjudicator.rounding import PPM, divide_half_up

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


def unverified(node: Node) -> int:
    """Read the evidence of a block inside a dated table; return 1 where it is not verified."""
    return int(not node.verified())


def read_coefficients(reading: Reading, node: Node, codes: Codes, row: np.ndarray) -> Coefficients:
    """Read ``[drg.coefficient]`` with its file; note in ``row`` (DRG_TERMS) whether it is verified."""
    result = Coefficients()
    table = node.child("coefficient", required=True)
    if table is None:
        return result
    result.family = table.integer("family", low=1, high=3)
    weights = table.child("weights")
    if weights is None:
        if result.family != 1:
            table.fault("weights", "is missing", "write the weight of each component; together they make 1")
    else:
        result.weights_ppm = {name: weights.ppm(name) for name in COMPONENTS if weights.has(name)}
        weights.finish()
        if sum(result.weights_ppm.values()) != PPM:
            table.fault("weights", "do not add up to 1", "write weights that add up to 1")
        extra = set(result.weights_ppm) - FAMILIES[result.family]
        if extra:
            table.fault("weights", f"{', '.join(sorted(extra))} is not part of family {result.family}", "use family 3")
    result.missing_up_ppm = table.ppm("missing_up", -1, 10 * PPM)
    result.missing_down_ppm = table.ppm("missing_down", -1, 10 * PPM)
    result.missing_hospital = table.choice("missing_hospital", ("error", "level"), "error")
    result.floor_e8 = table.e8("floor", 0)
    result.cap_e8 = table.e8("cap", 10**14)
    result.decimals = table.integer("decimals", 8, 0, 8)
    result.no_coefficient = frozenset(table.texts("no_coefficient", []))
    result.new_groups = frozenset(table.texts("new_groups", []))
    for drg in sorted((result.no_coefficient | result.new_groups) - set(codes.drgs)):
        table.fault("no_coefficient", f"{drg} is not a group of the scheme", "correct the code")
    row["unverified_coefficient"] = unverified(table)
    name = table.text("file", "")
    if name:
        for line in read_csv(reading.folder, name, ("component", "subject", "drg", "value"), node.faults):
            _read_coefficient(line, result, reading.pack, codes)
    table.finish()
    return result


def _read_coefficient(line: Node, result: Coefficients, pack: PackView, codes: Codes) -> None:
    component = line.choice("component", COMPONENTS)
    subject, drg, value = line.text("subject"), line.text("drg", ""), line.e8("value")
    line.finish()
    known = pack.classes if component == "level" else pack.hospitals
    if subject not in known:
        line.fault("subject", f"{subject!r} is not known", "write a hospital code, or a payment class for level")
    if drg and drg not in codes.drgs:
        line.fault("drg", f"{drg} is not a group of the scheme", "correct the code, or leave it empty for all groups")
    if value == 0:
        line.fault("value", "is zero", "write the coefficient")
    if (component, subject, drg) in result.values_e8:
        line.fault("subject", "has two values", "keep one row")
    result.values_e8[component, subject, drg] = value


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
