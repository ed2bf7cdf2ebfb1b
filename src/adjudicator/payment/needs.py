"""Hospitals of the register that lack what their payment method needs, or that a table names outside their days."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import numpy as np

from adjudicator.dates import iso
from adjudicator.limits import LAST_DATE
from adjudicator.payment.compile import PackPayment
from adjudicator.payment.conditions import FILE, Condition
from adjudicator.payment.methods.drg.coefficients import coefficient_matrix
from adjudicator.payment.methods.drg.reader import DrgTerms
from adjudicator.payment.methods.package.terms import PackageFormula
from adjudicator.payment.registry import BY_WORD, DRG, PACKAGE
from adjudicator.rulefile.faults import Fault, Weight

NAMED = 5
"""So many groups without a coefficient a sentence names."""


class _Lack(NamedTuple):
    """What the institution of a row of the register lacks on some days."""

    key: str
    what: tuple[str, str]
    """In English and Chinese."""
    days: tuple[int, int]


def check_hospitals(rules: PackPayment, of_the_pool: Collection[str]) -> Iterator[Fault]:
    """Yield a warning for each hospital that a method row takes and its tables cannot price.

    It names the kind of price, the days and the methods. ``of_the_pool``: codes of the hospitals that the pool pays by
    its methods; the register also has others.
    """
    lacking: dict[str, dict[_Lack, list[str]]] = {}
    for row in rules.methods:
        for number, lack in _lacks(rules, row, of_the_pool):
            methods = lacking.setdefault(rules.view.hospitals[number], {}).setdefault(lack, [])
            methods.append(row.name or row.key)
    for code, found in lacking.items():
        yield _warning(code, found)


def _lacks(rules: PackPayment, row: Condition, of_the_pool: Collection[str]) -> Iterator[tuple[int, _Lack]]:
    """Yield each row of the register that a method row takes and cannot price, and what it lacks."""
    pack, accepted = rules.view, row.accepts["hospital"]
    numbers = range(len(pack.hospitals)) if accepted is None else sorted(accepted)
    chosen = [number for number in numbers if number >= 0 and pack.hospitals[number] in of_the_pool]
    kind = BY_WORD[row.method.name.lower()].table
    tables = [] if kind is None else rules.tables[kind.key]
    named = [table for table in tables if kind is DRG or table.name == row.table]
    shares = kind is PACKAGE and any(table.row["formula"] == PackageFormula.DRG_SHARE for table in named)
    for table in rules.drg if kind is DRG or shares else ():
        without = _without_coefficient(rules, table)
        for number in chosen:
            days = _common(row, table, pack.days_of(number))
            if days and number in without:
                yield number, _Lack(table.key, without[number], days)
    for table in named if kind is not DRG else ():
        priced = _priced_ranks(table)
        for number in chosen:
            days, name = _common(row, table, pack.days_of(number)), pack.hospital_classes[number]
            if days and not {-1, pack.classes.index(name) if name in pack.classes else -1} & priced:
                yield number, _Lack(table.key, (f"price of its class {name!r}", f"所属付费等级 {name!r} 的标准"), days)


def _without_coefficient(rules: PackPayment, table: DrgTerms) -> dict[int, tuple[str, str]]:
    """Return the rows of the register that have no coefficient for some group that needs one, and which groups."""
    codes = rules.groupings.on(table.source.from_date)
    groups = codes.points_needed if codes else []
    missing = coefficient_matrix(table.coefficients, rules.view, groups) < 0
    return {
        number: _groups([groups[place] for place in np.flatnonzero(missing[number])], len(groups))
        for number in np.flatnonzero(missing.any(axis=1)).tolist()
    }


def _groups(missing: list[str], count: int) -> tuple[str, str]:
    """Return the coefficient that is missing, in words."""
    if len(missing) == count:
        return "coefficient of DRG points for any group", "任何病组的 DRG 差异系数"
    listed, more = ", ".join(missing[:NAMED]), len(missing) - NAMED
    rest, rest_zh = (f" and {more} more", f" 等 {len(missing)} 个病组") if more > 0 else ("", "")
    return f"coefficient of DRG points for {listed}{rest}", f"{listed}{rest_zh}的 DRG 差异系数"


def _common(row: Condition, table: Any, days: tuple[int, int]) -> tuple[int, int] | None:
    """Return the days on which a method row, its table and a row of the register hold together."""
    first = max(row.source.from_date, table.source.from_date, days[0])
    last = min(row.source.to_date, table.source.to_date, days[1])
    return (first, last) if first <= last else None


def _priced_ranks(table: Any) -> set[int]:
    """Return the ranks of payment classes that a table has a price or rate for, -1 for any class."""
    return {rate[0] for rate in table.rates} if hasattr(table, "rates") else {rank for _, rank in table.prices}


def _warning(code: str, found: dict[_Lack, list[str]]) -> Fault:
    parts, parts_zh = [], []
    for lack, methods in found.items():
        first, last = map(iso, lack.days)
        to, to_zh = (f"from {first} on", f"自 {first} 起") if lack.days[1] == LAST_DATE else (
            f"from {first} to {last}", f"{first} 至 {last} "
        )  # fmt: skip
        names = ", ".join(dict.fromkeys(methods))
        needs = f"which method {names} needs" if len(set(methods)) == 1 else f"which the methods {names} need"
        parts.append(f"no {lack.what[0]} {to}, {needs}")
        parts_zh.append(f"{to_zh}没有{lack.what[1]}，而付费方式 {names} 需要")
    return Fault(
        FILE, next(iter(found)).key, f"hospital {code} has {'; and '.join(parts)}",
        "add it, or give the hospital a payment_class in hospitals.csv",
        message_zh=f"医院 {code} {'；'.join(parts_zh)}",
        remedy_zh="请补充，或在 hospitals.csv 填写 payment_class", weight=Weight.WARNING,
    )  # fmt: skip


# -------------------------------------------------------------------- days of the register


def check_days(rules: PackPayment) -> Iterator[Fault]:
    """Yield a warning where a contract, a coefficient or a row names an institution outside its days.

    A contract must lie inside them; a table or a row that also holds on other days must meet one of them.
    """
    pack = rules.view
    for contract in rules.contracts:
        code, (first, last) = pack.hospitals[contract.hospital], (contract.source.from_date, contract.source.to_date)
        if not _covered(rules, code, first, last):
            yield _outside(f"{contract.source.key}.hospital", code, rules, f"contract {contract.id}", (first, last))
    for table in rules.drg:
        days = (table.source.from_date, table.source.to_date)
        for code in dict.fromkeys(
            subject for _, subject, _ in table.coefficients.values_e8 if subject in pack.hospitals
        ):
            if not _met(rules, code, *days):
                yield _outside(f"{table.key}.coefficient", code, rules, "a coefficient", days)
    supports = [support for table in rules.drg for support in table.supports]
    for row in (*rules.methods, *supports):
        for code in row.hospital_codes:
            if code in pack.hospitals and not _met(rules, code, row.source.from_date, row.source.to_date):
                days = (row.source.from_date, row.source.to_date)
                yield _outside(f"{row.key}.hospital", code, rules, f"row {row.name or row.key}", days)


def _met(rules: PackPayment, code: str, first: int, last: int) -> bool:
    """Return whether an institution is registered on some of these days."""
    days = [rules.view.days_of(row) for row in rules.view.rows_of(code)]
    return any(start <= last and first <= end for start, end in days)


def _covered(rules: PackPayment, code: str, first: int, last: int) -> bool:
    """Return whether an institution is registered on all of these days; gaps between its periods are named apart."""
    days = [rules.view.days_of(row) for row in rules.view.rows_of(code)]
    return min(start for start, _ in days) <= first and last <= max(end for _, end in days)


def _outside(key: str, code: str, rules: PackPayment, what: str, days: tuple[int, int]) -> Fault:
    spans = [rules.view.days_of(row) for row in rules.view.rows_of(code)]
    registered = ", ".join(f"{iso(start)} to {iso(end)}" for start, end in spans)
    registered_zh = "、".join(f"{iso(start)} 至 {iso(end)}" for start, end in spans)
    first, last = map(iso, days)
    return Fault(
        FILE, key, f"{what} names {code} from {first} to {last}, but hospitals.csv has it from {registered}",
        "correct the days here, or from and to in hospitals.csv",
        message_zh=f"{first} 至 {last} 使用了医院 {code}，而 hospitals.csv 登记为 {registered_zh}",
        remedy_zh="请更正此处日期，或 hospitals.csv 的 from、to", weight=Weight.WARNING,
    )  # fmt: skip
