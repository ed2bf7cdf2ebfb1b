"""Hospitals of the register that lack what their payment method needs: a coefficient, or a price of their class."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np

from adjudicator.dates import iso
from adjudicator.payment.compile import PackPayment
from adjudicator.payment.conditions import FILE, Condition
from adjudicator.payment.methods.drg.coefficients import coefficient_matrix
from adjudicator.payment.methods.drg.reader import DrgTerms
from adjudicator.payment.registry import BED_DAY, BY_WORD, DRG, PACKAGE
from adjudicator.rulefile.faults import Fault, Weight


def check_hospitals(rules: PackPayment, of_the_pool: Collection[str]) -> Iterator[Fault]:
    """Yield a warning for each hospital that a method row takes and its table cannot price.

    ``of_the_pool``: codes of the hospitals that the pool pays by its methods; the register also has others.
    """
    pack = rules.view
    without = {table.key: _without_coefficient(rules, table) for table in rules.drg}
    ranks = [pack.classes.index(name) if name in pack.classes else -1 for name in pack.hospital_classes]
    for row in rules.methods:
        kind = BY_WORD[row.method.name.lower()].table
        tables = rules.tables[kind.key] if kind is not None else []
        hospitals = row.accepts["hospital"] if row.accepts["hospital"] is not None else range(len(pack.hospitals))
        chosen = [number for number in sorted(hospitals) if number >= 0 and pack.hospitals[number] in of_the_pool]
        for table in tables:
            if table.source.overlaps(row.source) and (kind is DRG or table.name == row.table):
                lacking = [number for number in chosen if number in without.get(table.key, ())]
                if kind in (BED_DAY, PACKAGE):
                    priced = _priced_ranks(table)
                    lacking = [number for number in chosen if not {-1, ranks[number]} & priced]
                yield from (_warning(rules, row, table, number) for number in lacking)


def _without_coefficient(rules: PackPayment, table: DrgTerms) -> set[int]:
    """Return the hospitals that have no coefficient for some group that needs one."""
    codes = rules.groupings.on(table.source.from_date)
    matrix = coefficient_matrix(table.coefficients, rules.view, codes.points_needed if codes else [])
    return set(np.flatnonzero((matrix < 0).any(axis=1)).tolist())


def _priced_ranks(table: Any) -> set[int]:
    """Return the ranks of payment classes that a table has a price or rate for, -1 for any class."""
    return {rate[0] for rate in table.rates} if hasattr(table, "rates") else {rank for _, rank in table.prices}


def _warning(rules: PackPayment, row: Condition, table: Any, number: int) -> Fault:
    code, payment_class = rules.view.hospitals[number], rules.view.hospital_classes[number]
    first = iso(max(table.source.from_date, row.source.from_date))
    by_points = BY_WORD[row.method.name.lower()].table is DRG
    lack, lack_zh = (
        ("coefficient", "系数") if by_points else (f"price of its class {payment_class!r}", "所属付费等级的标准")
    )
    return Fault(
        FILE, table.key, f"hospital {code} has no {lack} from {first} on, which method {row.name or row.key} needs",
        "add it, or give the hospital a payment_class in hospitals.csv",
        message_zh=f"自 {first} 起医院 {code} 没有{lack_zh}，而付费方式 {row.name or row.key} 需要",
        remedy_zh="请补充，或在 hospitals.csv 填写 payment_class", weight=Weight.WARNING,
    )  # fmt: skip
