"""From the payment rules of packs, as read, to the arrays of a bundle."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from adjudicator.dates import day_before, next_day
from adjudicator.limits import LAST_DATE
from adjudicator.payment.arrays import Arrays, Compiling
from adjudicator.payment.case import DecidingDate
from adjudicator.payment.condition_rows import SetPool
from adjudicator.payment.conditions import Condition, Groupings, PackView
from adjudicator.payment.funds import funds_mask
from adjudicator.payment.methods.bed_day.reader import BedDays
from adjudicator.payment.methods.capitation.reader import Contract, compiled_contracts
from adjudicator.payment.methods.drg.reader import DrgTerms
from adjudicator.payment.methods.package.reader import Package
from adjudicator.payment.readers import reader_of
from adjudicator.payment.registry import BED_DAY, BY_WORD, DRG, PACKAGE, TABLE_KINDS
from adjudicator.payment.tables import ARRAYS, EPOCH, KINDS, PACK, SHAPES, Tables
from adjudicator.payment.value_tables import PointValue, dense_point_values


@dataclass(slots=True)
class PackPayment:
    """Payment rules of one pack, read and checked, before compilation."""

    view: PackView
    groupings: Groupings
    deciding_date: int = int(DecidingDate.DISCHARGE)
    clearing_funds: tuple[str, ...] = ("pooled",)
    methods: list[Condition] = field(default_factory=list)
    tables: dict[str, list[Any]] = field(default_factory=lambda: {key: [] for key in TABLE_KINDS})
    """Tables that price claims, by their key in payment.toml."""
    point_values: list[PointValue] = field(default_factory=list)
    contracts: list[Contract] = field(default_factory=list)

    @property
    def drg(self) -> list[DrgTerms]:
        """The ``[[drg]]`` tables."""
        return self.tables[DRG.key]

    @property
    def bed_days(self) -> list[BedDays]:
        """The ``[[bed_day]]`` tables."""
        return self.tables[BED_DAY.key]

    @property
    def packages(self) -> list[Package]:
        """The ``[[package]]`` tables."""
        return self.tables[PACKAGE.key]


@dataclass(frozen=True, slots=True)
class PaymentRules:
    """Compiled payment rules of a bundle; immutable."""

    tables: Any
    """``payment.tables.Tables``."""
    sources: tuple[PackPayment, ...]
    needs_codes: bool
    """Whether some condition asks for diagnoses or procedures."""

    def hash_parts(self) -> list[bytes]:
        """Return the bytes of every array, for the bundle's hash."""
        return [table.tobytes() for table in self.tables]


class _Compiler:
    def __init__(self) -> None:
        self.sets = SetPool()
        self.arrays = Arrays(ARRAYS, SHAPES)

    def pack(self, number: int, source: PackPayment) -> None:
        """Compile one pack."""
        view, arrays = source.view, self.arrays
        row = np.zeros((), PACK)
        ranks = {name: rank for rank, name in enumerate(view.classes)}
        classes = np.array([ranks.get(name, -1) for name in view.hospital_classes], np.int64)
        row["class_start"], row["hospitals"] = arrays.add("hospital_ranks", classes), len(view.hospitals)
        row["deciding_date"] = source.deciding_date
        row["clearing_funds"] = funds_mask(source.clearing_funds)
        row["first_month"], values = dense_point_values(source.point_values)
        row["months"], row["month_start"] = len(values), arrays.add("point_values", values)
        contracts = compiled_contracts(source.contracts, view)
        row["contract_start"] = arrays.add("contracts", contracts)
        row["contract_end"] = row["contract_start"] + len(contracts)
        row["epoch_start"] = arrays.size("epochs")
        for from_date, to_date in periods(source):
            arrays.add("epochs", self.epoch(number, source, from_date, to_date))
        row["epoch_end"] = arrays.size("epochs")
        arrays.add("packs", row)

    def epoch(self, number: int, source: PackPayment, from_date: int, to_date: int) -> np.ndarray:
        """Compile what holds from one day to another."""
        row = np.zeros((), EPOCH)
        row["from_date"], row["to_date"] = from_date, to_date
        compiling = Compiling(number, source.view, source.groupings.on(from_date), self.arrays, self.sets)
        places = {
            (key, table.name): reader_of(kind).compile_table(compiling, table)
            for key, kind in TABLE_KINDS.items()
            for table in source.tables[key]
            if _holds(table, from_date)
        }
        rows = sorted((r for r in source.methods if _holds(r, from_date)), key=lambda r: -r.priority)
        compiled, start, _ = compiling.conditions(rows, [_table_of(condition, places) for condition in rows])
        self.by_kind(row, compiled, start)
        row["drg"] = places.get((DRG.key, ""), -1)
        return row

    def by_kind(self, row: np.ndarray, compiled: np.ndarray, start: int) -> None:
        """List the method rows that take each kind of care, so that a claim meets only those."""
        starts = []
        for kind in range(KINDS):
            starts.append(self.arrays.size("kind_rows"))
            takes = (compiled["care_kinds"] >> np.uint64(kind)) & np.uint64(1) != 0
            self.arrays.add("kind_rows", start + np.flatnonzero(takes))
        row["by_kind"] = self.arrays.add("kind_starts", np.array([*starts, self.arrays.size("kind_rows")]))


def _table_of(condition: Condition, places: dict[tuple[str, str], int]) -> int:
    kind = BY_WORD[condition.method.name.lower()].table
    return -1 if kind is None else places.get((kind.key, condition.table if kind.named else ""), -1)


def _holds(entry: Any, date: int) -> bool:
    return bool(entry.source.from_date <= date <= entry.source.to_date)


def periods(source: PackPayment) -> list[tuple[int, int]]:
    """Return the periods in which no row begins or ends, from the first row of the method table on."""
    dated: list[Any] = [*source.methods, *(table for tables in source.tables.values() for table in tables)]
    if not source.methods:
        return []
    first = min(row.source.from_date for row in source.methods)
    spans: list[Any] = [*(row.source for row in dated), *source.groupings.entries]
    starts = {span.from_date for span in spans} | {next_day(span.to_date) for span in spans}
    days = sorted(day for day in starts if first <= day <= LAST_DATE)
    ends = [day_before(day) for day in days[1:]] + [LAST_DATE]
    return list(zip(days, ends, strict=True))


def compile_packs(packs: Iterable[PackPayment]) -> PaymentRules:
    """Compile the payment rules of a bundle, in the order of its packs."""
    compiler = _Compiler()
    sources = tuple(packs)
    for number, source in enumerate(sources):
        compiler.pack(number, source)
    starts, members = compiler.sets.arrays()
    whole = {name: compiler.arrays.whole(name) for name in ARRAYS}
    tables = Tables(**whole, set_starts=starts, set_members=members)
    for table in tables:
        table.flags.writeable = False
    has_methods = any(source.methods for source in sources)
    asks = any((tables.conditions[name] >= 0).any() for name in ("diagnoses", "procedures"))
    return PaymentRules(tables, sources, bool(has_methods and asks))
