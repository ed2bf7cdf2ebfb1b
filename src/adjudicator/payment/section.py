"""The payment section of a pack: ``payment.toml`` and its CSV tables, read, checked and compiled.

``load_section`` reads one pack, ``compile_sections`` makes the arrays of a bundle. Every value is dated and names its
document; what nobody has verified is marked and the mark travels to the result. Tables: docs/payment.md.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from adjudicator.dates import next_day
from adjudicator.grouping.scheme.load import Scheme, load_scheme
from adjudicator.payment.case import DecidingDate
from adjudicator.payment.compile import PackPayment, PaymentRules, compile_packs
from adjudicator.payment.conditions import (
    Codes,
    Condition,
    Grouping,
    Groupings,
    PackView,
    read_condition,
)
from adjudicator.payment.funds import CLEARING_FUNDS
from adjudicator.payment.method import Reading
from adjudicator.payment.methods.capitation import check_contracts, read_contract
from adjudicator.payment.point_values import check_point_values, read_point_value
from adjudicator.payment.proof import check_methods
from adjudicator.payment.reader import Node, read_member, read_toml
from adjudicator.payment.registry import BY_WORD, TABLE_KINDS
from adjudicator.rulefile.faults import Faults, PackError

FILE = "payment.toml"

__all__ = [
    "Codes", "Grouping", "Groupings", "PackPayment", "PackView", "PaymentRules", "compile_packs", "compile_sections",
    "load_section", "read_payment",
]  # fmt: skip


def load_section(folder: Path, pack: Any, faults: Faults, schemes: Sequence[Scheme] | None = None) -> PackPayment:
    """Read the payment section of a pack; without ``schemes`` the grouping schemes that it names are loaded."""
    schemes = _schemes(pack) if schemes is None else schemes
    classes = _ranked_classes(folder, pack)
    departments: dict[str, int] = {}
    for scheme in schemes:
        departments |= {name: number + 1 for number, name in enumerate(scheme.departments)}
    view = PackView(
        id=pack.id,
        hospitals=tuple(hospital.code for hospital in pack.hospitals),
        hospital_classes=tuple(hospital.payment_class for hospital in pack.hospitals),
        classes=classes,
        diseases=tuple(disease.code for disease in pack.diseases),
        departments=departments,
        assistances={name: number for number, name in enumerate(pack.assistance_ids) if number},
        areas=tuple(str(area.code) for area in pack.areas),
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
    node = read_toml(folder, FILE, Faults())
    ranked = tuple(node.texts("payment_classes", [])) if node is not None else ()
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


def read_payment(folder: Path, view: PackView, groupings: Groupings, faults: Faults) -> PackPayment:
    """Read ``payment.toml`` of one pack folder; all its faults are added to ``faults``."""
    result = PackPayment(view, groupings)
    node = read_toml(folder, FILE, faults)
    if node is None:
        if not (folder / FILE).exists():
            remedy = "add it, docs/your-city.md shows a small one: without a method table no claim can be paid"
            faults.add(FILE, "file", "does not exist", remedy)
        return result
    result.deciding_date = int(read_member(node, "deciding_date", DecidingDate))
    result.clearing_funds = tuple(fund for fund in node.texts("clearing_funds") if fund in CLEARING_FUNDS)
    if not result.clearing_funds:
        node.fault(
            "clearing_funds", "names no fund", "write the funds that clearing replaces: " + ", ".join(CLEARING_FUNDS)
        )
    _check_classes(node, view)
    reading = Reading(folder, view, groupings)
    for key, kind in TABLE_KINDS.items():
        read = (kind.read(reading, child) for child in node.children(key))
        result.tables[key] = [table for table in read if table is not None]
    result.point_values = [read_point_value(child) for child in node.children("point_value")]
    result.contracts = [read_contract(child, view) for child in node.children("contract")]
    methods = node.children("method")
    result.methods = [_read_method(child, view, groupings) for child in methods]
    node.finish()
    _check(methods, result, faults)
    return result


def _check_classes(node: Node, view: PackView) -> None:
    """Add a fault for a class of the register without rank; error 8003 names a hospital without class."""
    node.texts("payment_classes", [])
    for name in sorted(set(view.hospital_classes) - set(view.classes) - {""}):
        node.fault("payment_classes", f"hospitals.csv has the class {name!r}", "add it at its rank, highest first")
    if len(set(view.classes)) != len(view.classes):
        node.fault("payment_classes", "names a class twice", "write each class once, highest first")


def _read_method(node: Node, view: PackView, groupings: Groupings) -> Condition:
    method = BY_WORD[node.choice("method", BY_WORD)].method
    condition = read_condition(node, view, groupings, method, node.integer("priority", 0, -1000, 1000))
    node.text("note", "")
    node.finish()
    return condition


def _check(nodes: list[Node], rules: PackPayment, faults: Faults) -> None:
    """Check what must hold between the tables."""
    if not rules.methods:
        faults.add(FILE, "method", "there is no method table", "add [[method]] rows; the last one may pay by item")
        return
    check_point_values(FILE, rules.point_values, faults)
    check_contracts(FILE, rules.contracts, faults)
    check_methods(FILE, rules.methods, rules.view, faults)
    for name, tables in rules.tables.items():
        for position, one in enumerate(tables):
            for other in tables[:position]:
                if one.name == other.name and one.source.overlaps(other.source):
                    faults.add(FILE, f"{name}[{position}]", "overlaps an earlier table of the same id", "end that one")
    for node, row in zip(nodes, rules.methods, strict=True):
        _check_table(node, row, rules)


def _check_table(node: Node, row: Condition, rules: PackPayment) -> None:
    """Add a fault unless the table of a method row holds on all its days and the contracts it needs are there."""
    method = BY_WORD[row.method.name.lower()]
    if method.needs_contracts and not rules.contracts:
        node.fault("method", f"{method.word} without any contract", "add [[contract]] tables")
    kind = method.table
    if kind is not None:
        tables = [table for table in rules.tables[kind.key] if not kind.named or table.name == row.table]
        if not _covers(row, tables):
            what = f"table {row.table!r}" if kind.named else f"[[{kind.key}]] table"
            node.fault("table", f"no {what} holds on all days of this row", "add the table, or end the row")


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
