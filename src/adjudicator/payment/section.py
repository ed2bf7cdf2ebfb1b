"""The payment section of a pack: ``payment.toml`` and its CSV tables, read, checked and compiled.

``load_section`` reads one pack, ``compile_sections`` makes the arrays of a bundle. Every value is dated and names its
document; what nobody has verified is marked and the mark travels to the result. Tables: docs/payment.md.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from adjudicator.codes import Method
from adjudicator.dates import next_day
from adjudicator.grouping.scheme.load import Scheme, load_scheme
from adjudicator.payment.case import DecidingDate
from adjudicator.payment.compile import PackPayment, PaymentRules, compile_packs
from adjudicator.payment.conditions import (
    FILE,
    Codes,
    Condition,
    ConditionTable,
    Grouping,
    Groupings,
    PackView,
    Reading,
    condition_of,
)
from adjudicator.payment.funds import CLEARING_FUNDS
from adjudicator.payment.methods.capitation.reader import ContractTable, check_contracts, contract_of
from adjudicator.payment.proof import check_methods
from adjudicator.payment.readers import reader_of
from adjudicator.payment.registry import BY_WORD, TABLE_KINDS
from adjudicator.payment.value_tables import PointValueTable, check_point_values, point_values_of
from adjudicator.rulefile.faults import Faults, PackError
from adjudicator.rulefile.fields import Member, Word, count
from adjudicator.rulefile.reader import keys_of, read_struct, read_structs, read_toml, unknown_keys

__all__ = [
    "Codes", "Grouping", "Groupings", "PackPayment", "PackView", "PaymentRules", "compile_packs", "compile_sections",
    "load_section", "read_payment",
]  # fmt: skip


class PaymentHead(msgspec.Struct, frozen=True, kw_only=True):
    """What payment.toml says before its tables."""

    note: str = ""
    deciding_date: Annotated[DecidingDate, Member(DecidingDate)]
    """The day whose rules hold."""
    clearing_funds: tuple[Annotated[str, Word(tuple(CLEARING_FUNDS))], ...]
    """Funds whose payments by item the method replaces."""
    payment_classes: tuple[str, ...] = ()
    """Classes of hospitals.csv, highest first."""


class MethodTable(ConditionTable, frozen=True, kw_only=True):
    """Which method pays which claims; the row with the highest priority that fits decides."""

    method: Annotated[Method, Member(Method, ("none",))]
    priority: Annotated[int, count(-1000, 1000)] = 0
    table: str = ""
    """The [[bed_day]] or [[package]] table that prices the claim."""


def file_tables() -> dict[str, type[msgspec.Struct]]:
    """Return the tables of payment.toml by their key."""
    priced = {key: reader_of(kind).TABLE for key, kind in TABLE_KINDS.items()}
    return {"method": MethodTable, **priced, "point_value": PointValueTable, "contract": ContractTable}


def load_section(folder: Path, pack: Any, faults: Faults, schemes: Sequence[Scheme] | None = None) -> PackPayment:
    """Read the payment section of a pack; without ``schemes`` the grouping schemes that it names are loaded."""
    schemes = _schemes(pack) if schemes is None else schemes
    classes = _ranked_classes(folder, pack)
    departments = sorted({name for scheme in schemes for name in scheme.departments})
    view = PackView(
        id=pack.id,
        hospitals=tuple(hospital.code for hospital in pack.hospitals),
        hospital_classes=tuple(hospital.payment_class for hospital in pack.hospitals),
        classes=classes,
        diseases=tuple(disease.code for disease in pack.diseases),
        departments={name: number for number, name in enumerate(departments, 1)},
        assistances={name: number for number, name in enumerate(pack.assistance_ids) if number},
        areas=tuple(str(area.code) for area in pack.areas),
        hospital_days=tuple((hospital.from_date, hospital.to_date) for hospital in pack.hospitals),
    )
    return read_payment(folder, view, groupings_of(pack, schemes), faults)


def _schemes(pack: Any) -> list[Scheme]:
    """Return the pack's grouping schemes without those with faults, which the loader of schemes reports."""
    schemes = []
    for name in dict.fromkeys(grouping.scheme for grouping in pack.groupings):
        with contextlib.suppress(PackError):
            schemes.append(_scheme(name))
    return schemes


@functools.lru_cache(maxsize=8)
def _scheme(name: str) -> Scheme:
    return load_scheme(name)


def _ranked_classes(folder: Path, pack: Any) -> tuple[str, ...]:
    """Return the payment classes, highest first, as payment.toml ranks them, else as the register shows them."""
    raw = (read_toml(folder / FILE, FILE, Faults()) or {}).get("payment_classes")
    ranked = tuple(str(name) for name in raw) if isinstance(raw, list) else ()
    return ranked or tuple(pack.payment_classes)


def groupings_of(pack: Any, schemes: Iterable[Scheme]) -> Groupings:
    """Return the pack's grouping schemes with their code lists as ids."""
    by_name = {scheme.name: scheme for scheme in schemes}
    entries = []
    for grouping in pack.groupings:
        scheme = by_name.get(grouping.scheme)
        if scheme is not None:
            codes = scheme_codes(scheme)
            entries.append(Grouping(grouping.scheme, grouping.from_date, grouping.to_date, codes))
    return Groupings(tuple(entries))


def scheme_codes(scheme: Scheme) -> Codes:
    """Return the code lists of a grouping scheme as ids."""
    texts = scheme.texts
    lists = (texts.drg_codes, texts.diagnosis_codes, texts.procedure_codes)
    return Codes(*({code: number for number, code in enumerate(codes)} for codes in lists))


def group_names(groupings: Groupings, date: int) -> dict[str, str]:
    """Return the names of the groups of the scheme of a day by code; empty where there is no scheme."""
    for entry in groupings.entries:
        if entry.from_date <= date <= entry.to_date:
            texts = _scheme(entry.name).texts
            return dict(zip(texts.drg_codes, texts.drg_names, strict=True))
    return {}


def read_payment(folder: Path, view: PackView, groupings: Groupings, faults: Faults) -> PackPayment:
    """Read ``payment.toml`` of one pack folder; all its faults are added to ``faults``."""
    result = PackPayment(view, groupings)
    if not (folder / FILE).exists():
        remedy = "add it, docs/your-city.md shows a small one: without a method table no claim can be paid"
        faults.add(FILE, "file", "does not exist", remedy)
        return result
    raw = read_toml(folder / FILE, FILE, faults)
    if raw is None:
        return result
    tables = file_tables()
    unknown_keys(raw, (*keys_of(PaymentHead), *tables), FILE, "", faults)
    _read_head({name: value for name, value in raw.items() if name in keys_of(PaymentHead)}, result, faults)
    reading = Reading(folder, view, groupings, faults)
    complete = set()
    for key, kind in TABLE_KINDS.items():
        reader, blocks = reader_of(kind), _blocks(raw, key, faults)
        read = [reader.read(reading, block, f"{key}[{number}]") for number, block in enumerate(blocks)]
        result.tables[key] = [table for table in read if table is not None]
        if len(result.tables[key]) == len(blocks):
            complete.add(key)
    values = read_structs(PointValueTable, raw.get("point_value"), FILE, "point_value", faults)
    result.point_values = [value for table in values for value in point_values_of(table)]
    contracts = read_structs(ContractTable, raw.get("contract"), FILE, "contract", faults)
    result.contracts = [found for table in contracts if (found := contract_of(table, view, faults)) is not None]
    before = len(faults)
    methods = read_structs(MethodTable, raw.get("method"), FILE, "method", faults)
    result.methods = [condition_of(reading, table, table.method, table.priority) for table in methods]
    if len(faults) == before:
        _check_methods(result, complete, faults)
    _check_overlaps(result, faults)
    return result


def _blocks(raw: dict[str, Any], key: str, faults: Faults) -> list[Any]:
    written = raw.get(key, [])
    if not isinstance(written, list):
        faults.add(FILE, key, "is not an array of tables", f"write [[{key}]] blocks")
        return []
    return written


def _read_head(raw: dict[str, Any], result: PackPayment, faults: Faults) -> None:
    """Read what stands before the tables, and check the classes of the register against it."""
    head, view = read_struct(PaymentHead, raw, FILE, "", faults), result.view
    if head is not None:
        result.deciding_date, result.clearing_funds = int(head.deciding_date), head.clearing_funds
        if not head.clearing_funds:
            funds = "write the funds that clearing replaces: " + ", ".join(CLEARING_FUNDS)
            faults.add(FILE, "clearing_funds", "names no fund", funds)
    for name in sorted(set(view.hospital_classes) - set(view.classes) - {""}):
        message = f"hospitals.csv has the class {name!r}"
        faults.add(FILE, "payment_classes", message, "add it at its rank, highest first")
    if len(set(view.classes)) != len(view.classes):
        faults.add(FILE, "payment_classes", "names a class twice", "write each class once, highest first")


def _check_methods(rules: PackPayment, complete: Collection[str], faults: Faults) -> None:
    """Check that each claim has one method, and each method row its table; ``complete``: kinds read without fault."""
    if not rules.methods:
        faults.add(FILE, "method", "there is no method table", "add [[method]] rows; the last one may pay by item")
        return
    check_methods(FILE, rules.methods, rules.view, faults)
    for row in rules.methods:
        _check_table(row, rules, complete, faults)


def _check_overlaps(rules: PackPayment, faults: Faults) -> None:
    """Add a fault for two values, contracts or tables of one name that hold on one day."""
    check_point_values(FILE, rules.point_values, faults)
    check_contracts(FILE, rules.contracts, faults)
    for tables in rules.tables.values():
        for position, one in enumerate(tables):
            for other in tables[:position]:
                if one.name == other.name and one.source.overlaps(other.source):
                    faults.add(FILE, one.key, "overlaps an earlier table of the same id", "end that one")


def _check_table(row: Condition, rules: PackPayment, complete: Collection[str], faults: Faults) -> None:
    """Add a fault unless the table of a method row holds on all its days and the contracts it needs are there."""
    method = BY_WORD[row.method.name.lower()]
    if method.needs_contracts and not rules.contracts:
        faults.add(FILE, f"{row.key}.method", f"{method.word} without any contract", "add [[contract]] tables")
    kind = method.table
    if kind is not None and kind.key in complete:
        tables = [table for table in rules.tables[kind.key] if not kind.named or table.name == row.table]
        if not _covers(row, tables):
            what = f"table {row.table!r}" if kind.named else f"[[{kind.key}]] table"
            message = f"no {what} holds on all days of this row"
            faults.add(FILE, f"{row.key}.table", message, "add the table, or end the row")


def _covers(row: Condition, tables: list[Any]) -> bool:
    """Return whether the tables leave no day of the row out."""
    day = row.source.from_date
    for table in sorted(tables, key=lambda entry: entry.source.from_date):
        if table.source.from_date <= day <= table.source.to_date:
            day = next_day(table.source.to_date)
    return bool(day > row.source.to_date)


def compile_sections(sources: Sequence[PackPayment]) -> PaymentRules:
    """Compile the arrays of a bundle from the sections of its packs, in order."""
    return compile_packs(sources)
