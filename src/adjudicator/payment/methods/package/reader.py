"""Reads and compiles ``[[package]]`` tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import numpy as np

from adjudicator.codes import CareKind
from adjudicator.payment.arrays import Compiling
from adjudicator.payment.conditions import FILE, Codes, PackView, Reading, one_of
from adjudicator.payment.methods.package.terms import PACKAGE_PRICE, PACKAGE_SET, PackageFormula, PackageKey
from adjudicator.rounding import PPM
from adjudicator.rulefile.dated import Source
from adjudicator.rulefile.fields import Member, Percent, Points, Where, Yuan
from adjudicator.rulefile.reader import check_columns, read_csv, read_line, read_struct

NEEDED = {
    PackageFormula.FIXED: "fund_yuan", PackageFormula.POINTS: "points", PackageFormula.DRG_SHARE: "first_rate_percent",
}  # fmt: skip
"""The column that a formula cannot do without; the others need ``price_yuan``."""


class PackageTable(msgspec.Struct, frozen=True, kw_only=True):
    """Prices, quotas or points a case, by one fact of the claim."""

    where: Where
    source: Source
    id: str
    note: str = ""
    formula: Annotated[PackageFormula, Member(PackageFormula)]
    by: Annotated[PackageKey, Member(PackageKey)]
    """The fact of a claim that finds its price."""
    file: str
    """CSV of the prices."""
    reward_percent: Percent = 0
    reward_cap_percent: Percent = PPM
    band_percent: Percent = 0
    band_share_percent: Percent = 0
    above_limit_hospital_bears: bool = False
    per_head: bool = False


class PriceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One price of a table."""

    where: Where
    table: str
    code: str = ""
    payment_class: str = ""
    price_yuan: Yuan | None = None
    fund_yuan: Yuan | None = None
    second_from_yuan: Yuan | None = None
    first_rate_percent: Percent | None = None
    second_rate_percent: Percent | None = None
    points: Points | None = None
    extra_fetus_yuan: Yuan | None = None
    note: str = ""


VALUES = (
    "price_yuan", "fund_yuan", "second_from_yuan", "first_rate_percent", "second_rate_percent", "points",
    "extra_fetus_yuan",
)  # fmt: skip
"""Columns of a price in the order of PACKAGE_PRICE."""


@dataclass(slots=True)
class Package:
    """One ``[[package]]`` table; ``prices`` by key and rank of the payment class (-1 any)."""

    name: str
    key: str
    source: Source
    row: np.ndarray
    prices: dict[tuple[int, int], tuple[int, ...]]
    keys: int


TABLE = PackageTable


def read(reading: Reading, raw: Mapping[str, Any], key: str) -> Package | None:
    """Read one table of package prices."""
    table = read_struct(PackageTable, raw, FILE, key, reading.faults)
    if table is None:
        return None
    source, pack = table.source, reading.pack
    row = np.zeros((), PACKAGE_SET)
    row["formula"], row["key"], row["unverified"] = table.formula, table.by, int(not source.verified)
    row["reward_ppm"], row["reward_cap_ppm"] = table.reward_percent, table.reward_cap_percent
    row["band_ppm"], row["band_share_ppm"] = table.band_percent, table.band_share_percent
    row["above_defined"], row["per_head"] = int(table.above_limit_hospital_bears), int(table.per_head)
    if table.by is PackageKey.DRG and reading.groupings.spans(source):
        remedy = "end it with the scheme, add another"
        reading.fault(table.where, "to", "the grouping scheme changes while this table holds", remedy)
    names = _key_names(table.by, pack, reading.groupings.on(source.from_date))
    result = Package(table.id, key, source, row, {}, len(names))
    row["keys"], row["classes"] = len(names), len(pack.classes)
    file = read_csv(reading.folder, table.file, reading.faults)
    if file is None or not check_columns(PriceRow, file.columns, table.file, reading.faults):
        return result
    for line in (line for line in file.lines if line.cells["table"] == table.id):
        price = read_line(PriceRow, line, reading.faults)
        if price is not None:
            _add_price(reading, price, result, table.formula, names)
    if not result.prices:
        message = f"{table.file} has no price of the table {table.id!r}"
        reading.fault(table.where, "file", message, "add the prices")
    return result


def _key_names(key: PackageKey, pack: PackView, codes: Codes | None) -> dict[str, int]:
    if key == PackageKey.DISEASE:
        return {code: number for number, code in enumerate(pack.diseases)}
    if key == PackageKey.MATERNITY_TYPE:
        return {str(number): number for number in range(10)}
    if key == PackageKey.CARE:
        return {kind.name.lower(): int(kind) for kind in CareKind}
    if key == PackageKey.DRG:
        return dict(codes.drgs) if codes else {}
    return {"": 0}


def _add_price(
    reading: Reading, price: PriceRow, table: Package, formula: PackageFormula, names: Mapping[str, int]
) -> None:
    code, name, classes = price.code, price.payment_class, reading.pack.classes
    if code not in names:
        remedy = one_of(code, names, "write a code of the pack's list")
        reading.fault(price.where, "code", f"{code!r} is not known", remedy)
    if name and name not in classes:
        message = f"{name!r} is not a class of the pack"
        reading.fault(price.where, "payment_class", message, "write one of " + ", ".join(classes))
    needed = NEEDED.get(formula, "price_yuan")
    reading.needed(getattr(price, needed), price.where, needed, f"the formula {formula.name.lower()}")
    place = (names.get(code, 0), classes.index(name) if name in classes else -1)
    if place in table.prices:
        reading.fault(price.where, "code", f"{code} has two prices for {name or 'any class'}", "keep one row")
    table.prices[place] = tuple(getattr(price, value) or 0 for value in VALUES)


def compile_table(compiling: Compiling, table: Package) -> int:
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
