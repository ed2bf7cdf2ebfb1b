"""Reads and compiles ``[[package]]`` tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adjudicator.codes import CareKind
from adjudicator.payment.conditions import Codes, PackView
from adjudicator.payment.method import Compiling, Reading
from adjudicator.payment.methods.package.terms import PACKAGE_PRICE, PACKAGE_SET, PackageFormula, PackageKey
from adjudicator.payment.reader import Node, read_csv, read_member
from adjudicator.rounding import PPM
from adjudicator.rulefile.dated import Source

NEEDED = {PackageFormula.FIXED: "fund", PackageFormula.POINTS: "points", PackageFormula.DRG_SHARE: "first_rate"}
"""The column that a formula cannot do without; the others need ``price``."""


@dataclass(slots=True)
class Package:
    """One ``[[package]]`` table; ``prices`` by key and rank of the payment class (-1 any)."""

    name: str
    key: str
    source: Source
    row: np.ndarray
    prices: dict[tuple[int, int], tuple[int, ...]]
    keys: int


def read_package(reading: Reading, node: Node) -> Package:
    """Read one table of package prices."""
    source, pack, groupings = node.source(), reading.pack, reading.groupings
    row = np.zeros((), PACKAGE_SET)
    formula, key = read_member(node, "formula", PackageFormula), read_member(node, "by", PackageKey)
    row["formula"], row["key"] = formula, key
    row["reward_ppm"], row["reward_cap_ppm"] = node.ppm("reward", 0), node.ppm("reward_cap", PPM)
    row["band_ppm"], row["band_share_ppm"] = node.ppm("band", 0), node.ppm("band_share", 0)
    row["above_defined"] = int(node.boolean("above_limit_hospital_bears", False))
    row["per_head"] = int(node.boolean("per_head", False))
    row["unverified"] = int(not source.verified)
    if key == PackageKey.DRG and groupings.spans(source):
        node.fault("to", "the grouping scheme changes while this table holds", "end it with the scheme, add another")
    names = _key_names(key, pack, groupings.on(source.from_date))
    result = Package(node.text("id"), node.key, source, row, {}, len(names))
    row["keys"], row["classes"] = len(names), len(pack.classes)
    for line in read_csv(reading.folder, node.text("file"), ("set", "code", "payment_class"), node.faults):
        if line.text("set") == result.name:
            _read_price(line, result, formula, names, pack)
    if not result.prices:
        node.fault("file", f"has no price of the set {result.name!r}", "add the prices")
    node.finish()
    return result


def _key_names(key: PackageKey, pack: PackView, codes: Codes | None) -> dict[str, int]:
    if key == PackageKey.DISEASE:
        return {code: number for number, code in enumerate(pack.diseases)}
    if key == PackageKey.MATERNITY_TYPE:
        return {str(number): number for number in range(10)}
    if key == PackageKey.CARE_KIND:
        return {kind.name.lower(): int(kind) for kind in CareKind}
    if key == PackageKey.DRG:
        return dict(codes.drgs) if codes else {}
    return {"": 0}


def _read_price(line: Node, table: Package, formula: PackageFormula, names: dict[str, int], pack: PackView) -> None:
    code, name = line.text("code", ""), line.text("payment_class", "")
    if code not in names:
        line.fault("code", f"{code!r} is not known", "write a code of the pack's list")
    if name and name not in pack.classes:
        line.fault("payment_class", f"{name!r} is not a class of the pack", "write one of " + ", ".join(pack.classes))
    values = (
        line.fen("price", 0),
        line.fen("fund", 0),
        line.fen("second", 0),
        line.ppm("first_rate", 0),
        line.ppm("second_rate", 0),
        line.e8("points", 0),
        line.fen("extra_fetus", 0),
    )
    needed = NEEDED.get(formula, "price")
    if not line.has(needed):
        line.fault(needed, "is missing", f"the formula {formula.name.lower()} needs it")
    line.text("note", "")
    line.finish()
    place = (names.get(code, 0), pack.classes.index(name) if name in pack.classes else -1)
    if place in table.prices:
        line.fault("code", f"{code} has two prices for {name or 'any class'}", "keep one row")
    table.prices[place] = values


def compile_package(compiling: Compiling, table: Package) -> int:
    """Return the row of ``package_sets`` of a table, with its dense index [key][class + 1]."""
    arrays, key = compiling.arrays, (compiling.number, table.key)
    known = arrays.known("package_sets", key)
    if known is not None:
        return known
    row = table.row.copy()
    rows = np.zeros(len(table.prices), PACKAGE_PRICE)
    start = arrays.size("package_prices")
    index = np.full((table.keys, int(row["classes"]) + 1), -1, np.int64)
    for position, ((code, rank), values) in enumerate(table.prices.items()):
        rows[position] = (*values, int(not table.source.verified))
        index[code, rank + 1] = start + position
    arrays.add("package_prices", rows)
    row["index_start"] = arrays.add("package_index", index)
    return arrays.add("package_sets", row, key)
