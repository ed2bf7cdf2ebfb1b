"""Compiles the payment rules of all packs of a bundle to arrays, one epoch for each period in which nothing changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from adjudicator.codes import CareKind, Method
from adjudicator.limits import LAST_DATE
from adjudicator.payment.coefficients import coefficient_matrix, full_points
from adjudicator.payment.conditions import (
    CONDITION,
    Codes,
    Condition,
    Groupings,
    PackView,
    SetPool,
    compile_condition,
    is_drg,
)
from adjudicator.payment.drg import TERMS, DrgTerms
from adjudicator.payment.reader import next_day
from adjudicator.payment.tables import (
    BED_DAY_RATE,
    BED_DAY_SET,
    PACKAGE_ROW,
    PACKAGE_SET,
    BedDays,
    Contract,
    Package,
    PointValue,
    dense_point_values,
)

PACK = np.dtype(
    [
        ("epoch_start", "i8"), ("epoch_end", "i8"), ("deciding_date", "i8"), ("clearing_funds", "u8"),
        ("first_month", "i8"), ("months", "i8"), ("value_start", "i8"),
        ("class_start", "i8"), ("classes", "i8"), ("hospitals", "i8"),
        ("contract_start", "i8"), ("contract_end", "i8"),
    ],
    align=True,
)  # fmt: skip
"""One pack: its epochs, point values, hospital classes and contracts."""

EPOCH = np.dtype(
    [
        ("from_date", "i8"), ("to_date", "i8"), ("by_kind", "i8"), ("terms", "i8"),
        ("drgs", "i8"),
        ("group_start", "i8"), ("matrix_start", "i8"), ("level_start", "i8"), ("high_start", "i8"), ("high_end", "i8"),
    ],
    align=True,
)  # fmt: skip
"""Rules of one pack from one day to another; ``matrix_start`` finds points and coefficient of [hospital][group].

``by_kind``: first of the places in ``kind_rows`` where the rows for each kind of care begin, highest priority first."""

CONTRACT = np.dtype([("hospital", "i8"), ("scheme", "i8"), ("from_date", "i8"), ("to_date", "i8")], align=True)

KINDS = max(CareKind) + 1
NO_DRG = 2
"""In ``bed_day_group``: the result is no DRG and is paid as an ungrouped case (0 case, 1 bed-day group)."""
DECIDING_DATES = ("settlement", "discharge", "admission")
FUNDS = ("pooled", "large_sum", "catastrophic", "civil_servant", "enterprise", "assistance", "other")


@dataclass(slots=True)
class PackPayment:
    """Payment rules of one pack, read and checked, before compilation."""

    view: PackView
    groupings: Groupings
    deciding_date: int = 1
    clearing_funds: tuple[str, ...] = ("pooled",)
    methods: list[Condition] = field(default_factory=list)
    drg: list[DrgTerms] = field(default_factory=list)
    bed_days: list[BedDays] = field(default_factory=list)
    packages: list[Package] = field(default_factory=list)
    point_values: list[PointValue] = field(default_factory=list)
    contracts: list[Contract] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PaymentRules:
    """Compiled payment rules of a bundle; immutable. Arrays are described at their dtypes."""

    packs: np.ndarray
    epochs: np.ndarray
    conditions: np.ndarray
    kind_starts: np.ndarray
    kind_rows: np.ndarray
    set_starts: np.ndarray
    set_members: np.ndarray
    terms: np.ndarray
    base_e8: np.ndarray
    average_fen: np.ndarray
    level_average_fen: np.ndarray
    bed_day_group: np.ndarray
    coefficient_e8: np.ndarray
    full_e8: np.ndarray
    high_bands: np.ndarray
    hospital_class: np.ndarray
    bed_day_sets: np.ndarray
    bed_day_rates: np.ndarray
    package_sets: np.ndarray
    package_rows: np.ndarray
    package_index: np.ndarray
    point_value_e4: np.ndarray
    point_value_unverified: np.ndarray
    contracts: np.ndarray
    sources: tuple[PackPayment, ...]
    needs_codes: bool
    """True where some condition asks for diagnoses or procedures."""

    def hash_parts(self) -> list[bytes]:
        """Bytes of every array, for the bundle's hash."""
        return [
            value.tobytes()
            for value in (getattr(self, entry.name) for entry in fields(self))
            if isinstance(value, np.ndarray)
        ]


class _Flat:
    """A growing flat array whose equal parts are stored once."""

    def __init__(self, dtype: Any):
        self.dtype, self.size = dtype, 0
        self.parts: list[np.ndarray] = []
        self.known: dict[Any, int] = {}

    def add(self, part: np.ndarray, key: Any = None) -> int:
        """Start of the part in the whole."""
        if key is not None and key in self.known:
            return self.known[key]
        start = self.size
        self.parts.append(np.ascontiguousarray(part, self.dtype).reshape(-1))
        self.size += self.parts[-1].size
        if key is not None:
            self.known[key] = start
        return start

    def array(self) -> np.ndarray:
        """The whole; never empty, so that kernels may form its address."""
        return np.concatenate(self.parts) if self.size else np.zeros(1, self.dtype)


class _Compiler:
    def __init__(self) -> None:
        self.sets = SetPool()
        self.flat = {
            name: _Flat(dtype)
            for name, dtype in {
                "epochs": EPOCH, "conditions": CONDITION, "kind_starts": "i8",
                "kind_rows": "i8", "terms": TERMS, "base_e8": "i8", "average_fen": "i8",
                "level_average_fen": "i8", "bed_day_group": "u1", "coefficient_e8": "i8", "full_e8": "i8",
                "high_bands": "i8", "hospital_class": "i8", "bed_day_sets": BED_DAY_SET, "bed_day_rates": BED_DAY_RATE,
                "package_sets": PACKAGE_SET, "package_rows": PACKAGE_ROW, "package_index": "i8",
                "point_value_e4": "i8", "point_value_unverified": "i8", "contracts": CONTRACT,
            }.items()
        }  # fmt: skip

    def pack(self, number: int, source: PackPayment) -> np.ndarray:
        """Compiles one pack and returns its row."""
        view, flat = source.view, self.flat
        row = np.zeros((), PACK)
        ranks = {name: rank for rank, name in enumerate(view.classes)}
        classes = np.array([ranks.get(name, -1) for name in view.hospital_classes], np.int64)
        row["class_start"], row["classes"] = flat["hospital_class"].add(classes), len(view.classes)
        row["hospitals"] = len(view.hospitals)
        row["deciding_date"] = source.deciding_date
        row["clearing_funds"] = sum(1 << FUNDS.index(fund) for fund in source.clearing_funds)
        first, values, unverified = dense_point_values(source.point_values)
        row["first_month"], row["months"] = first, values.shape[0]
        row["value_start"] = flat["point_value_e4"].add(values)
        flat["point_value_unverified"].add(unverified)
        contracts = np.array(
            [(c.hospital, c.scheme, c.source.from_date, c.source.to_date) for c in source.contracts], CONTRACT
        )
        row["contract_start"] = flat["contracts"].add(contracts)
        row["contract_end"] = row["contract_start"] + len(source.contracts)
        row["epoch_start"] = flat["epochs"].size
        for from_date, to_date in periods(source):
            flat["epochs"].add(self.epoch(number, source, from_date, to_date))
        row["epoch_end"] = flat["epochs"].size
        return row

    def epoch(self, number: int, source: PackPayment, from_date: int, to_date: int) -> np.ndarray:
        """Compiles what holds from one day to another."""
        row = np.zeros((), EPOCH)
        row["from_date"], row["to_date"] = from_date, to_date
        codes = source.groupings.on(from_date)
        row["drgs"] = len(codes.drgs) if codes else 0
        bed_days = {t.name: self.bed_day_set(number, source, t, codes) for t in source.bed_days if _holds(t, from_date)}
        packages = {t.name: self.package_set(number, t) for t in source.packages if _holds(t, from_date)}
        rows = sorted((r for r in source.methods if _holds(r, from_date)), key=lambda r: -r.priority)
        compiled = np.zeros(len(rows), CONDITION)
        for position, condition in enumerate(rows):
            table = bed_days if condition.method is Method.BED_DAY else packages
            compile_condition(
                condition, compiled[position : position + 1], self.sets, source.view, codes,
                table.get(condition.table, -1),
            )  # fmt: skip
        self.by_kind(row, compiled, self.flat["conditions"].add(compiled))
        terms = next((t for t in source.drg if _holds(t, from_date)), None)
        row["terms"] = -1
        if terms is not None and codes is not None:
            self.drg(row, number, source, terms, codes)
        return row

    def by_kind(self, row: np.ndarray, compiled: np.ndarray, start: int) -> None:
        """Lists the method rows that take each kind of care, so that a claim meets only those."""
        starts = []
        for kind in range(KINDS):
            starts.append(self.flat["kind_rows"].size)
            takes = (compiled["care_kinds"] >> np.uint64(kind)) & np.uint64(1) != 0
            self.flat["kind_rows"].add(start + np.flatnonzero(takes))
        row["by_kind"] = self.flat["kind_starts"].add(np.array([*starts, self.flat["kind_rows"].size]))

    def drg(self, row: np.ndarray, number: int, source: PackPayment, terms: DrgTerms, codes: Codes) -> None:
        """Compiles points, coefficients and terms; equal tables of several epochs are shared."""
        flat, view, key = self.flat, source.view, (number, terms.key)
        drgs = sorted(codes.drgs, key=codes.drgs.__getitem__)
        known = [terms.groups.get(drg) for drg in drgs]
        base = np.array([points.base_e8 if points else -1 for points in known], np.int64)
        row["group_start"] = flat["base_e8"].add(base, key)
        flat["average_fen"].add(np.array([points.average_fen if points else 0 for points in known]), key)
        kinds = [
            int(points.bed_day) if points else NO_DRG * (not is_drg(drg))
            for drg, points in zip(drgs, known, strict=True)
        ]
        flat["bed_day_group"].add(np.array(kinds), key)
        by_level = [[p.class_average_fen.get(name, 0) if p else 0 for name in view.classes] for p in known]
        row["level_start"] = flat["level_average_fen"].add(np.array(by_level, np.int64), key)
        if key not in flat["full_e8"].known:
            matrix = coefficient_matrix(terms.coefficients, view, drgs)
            flat["coefficient_e8"].add(matrix, key)
            flat["full_e8"].add(full_points(base, matrix, int(terms.row["rounding_unit_e8"])), key)
        row["matrix_start"] = flat["full_e8"].known[key]
        bands = np.array(terms.high_bands, np.int64).reshape(-1, 2)
        row["high_start"] = flat["high_bands"].add(bands, key) // 2
        row["high_end"] = row["high_start"] + len(bands)
        if key not in flat["terms"].known:
            supports = np.zeros(len(terms.supports), CONDITION)
            for position, condition in enumerate(terms.supports):
                compile_condition(condition, supports[position : position + 1], self.sets, view, codes, -1)
            compiled = terms.row.copy()
            compiled["support_start"] = flat["conditions"].add(supports)
            compiled["support_end"] = compiled["support_start"] + len(supports)
            flat["terms"].add(compiled, key)
        row["terms"] = flat["terms"].known[key]

    def bed_day_set(self, number: int, source: PackPayment, table: BedDays, codes: Codes | None) -> int:
        """Row of a table of bed-day rates."""
        key = (number, table.key)
        if key in self.flat["bed_day_sets"].known:
            return self.flat["bed_day_sets"].known[key]
        row = table.row.copy()
        row["rate_start"] = self.flat["bed_day_rates"].add(np.array(table.rates, BED_DAY_RATE))
        row["rate_end"] = row["rate_start"] + len(table.rates)
        factors = np.zeros(len(table.factors), CONDITION)
        for position, condition in enumerate(table.factors):
            compile_condition(condition, factors[position : position + 1], self.sets, source.view, codes, -1)
        row["factor_start"] = self.flat["conditions"].add(factors)
        row["factor_end"] = row["factor_start"] + len(factors)
        return self.flat["bed_day_sets"].add(row, key)

    def package_set(self, number: int, table: Package) -> int:
        """Row of a table of package prices, with its dense index [key][class + 1]."""
        key = (number, table.key)
        if key in self.flat["package_sets"].known:
            return self.flat["package_sets"].known[key]
        row = table.row.copy()
        rows = np.zeros(len(table.prices), PACKAGE_ROW)
        start = self.flat["package_rows"].size
        index = np.full((table.keys, int(row["classes"]) + 1), -1, np.int64)
        for position, ((code, rank), values) in enumerate(table.prices.items()):
            rows[position] = (*values, int(not table.source.verified))
            index[code, rank + 1] = start + position
        self.flat["package_rows"].add(rows)
        row["index_start"] = self.flat["package_index"].add(index)
        return self.flat["package_sets"].add(row, key)


def _holds(entry: Any, date: int) -> bool:
    return entry.source.from_date <= date <= entry.source.to_date


def periods(source: PackPayment) -> list[tuple[int, int]]:
    """Periods in which no row begins or ends, from the first row of the method table on."""
    dated: list[Any] = [*source.methods, *source.drg, *source.bed_days, *source.packages]
    if not source.methods:
        return []
    first = min(row.source.from_date for row in source.methods)
    spans: list[Any] = [*(row.source for row in dated), *source.groupings.entries]
    starts = {span.from_date for span in spans} | {next_day(span.to_date) for span in spans}
    days = sorted(day for day in starts if first <= day <= LAST_DATE)
    ends = [_day_before(day) for day in days[1:]] + [LAST_DATE]
    return list(zip(days, ends, strict=True))


def _day_before(date: int) -> int:
    import datetime

    day = datetime.date(date // 10_000, date // 100 % 100, date % 100) - datetime.timedelta(days=1)
    return day.year * 10_000 + day.month * 100 + day.day


def compile_packs(packs: Iterable[PackPayment]) -> PaymentRules:
    """Compiles the payment rules of a bundle, in the order of its packs."""
    compiler = _Compiler()
    sources = tuple(packs)
    rows = [compiler.pack(number, source) for number, source in enumerate(sources)]
    starts, members = compiler.sets.arrays()
    arrays = {name: flat.array() for name, flat in compiler.flat.items()}
    asks = any((arrays["conditions"][name] >= 0).any() for name in ("diagnoses", "procedures")) if sources else False
    if not any(source.methods for source in sources):
        asks = False
    result = PaymentRules(
        packs=np.array(rows, PACK) if rows else np.zeros(1, PACK),
        set_starts=starts, set_members=members, sources=sources, needs_codes=bool(asks), **arrays,
    )  # fmt: skip
    for entry in fields(result):
        value = getattr(result, entry.name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return result
