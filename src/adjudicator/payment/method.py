"""What a payment method and the tables of payment.toml that price it are made of.

Methods are registered in ``payment.registry``; this module only says what a registration has. The kernel takes its
formulas from there, so neither imports a reader: a change of a reader compiles no kernel again. Readers are found by
the name of a table's folder (``payment.readers``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from adjudicator.codes import Method
from adjudicator.payment.case import Formula
from adjudicator.payment.point_values import PointKind


@dataclass(frozen=True, slots=True)
class TableKind:
    """A kind of table of payment.toml that prices claims, ``[[key]]``; ``payment/methods/KEY/reader.py`` reads it."""

    key: str
    arrays: Mapping[str, Any]
    """Arrays of the bundle that hold such tables: name and dtype."""
    named: bool = True
    """Whether a method row names its table (``table = "id"``); else the one that holds on the day prices it."""


class YearLimit(StrEnum):
    """What the cases of a method may be limited by in a year (``settle-year --quotas``)."""

    QUOTA = "quota"
    """One amount for all cases of a hospital."""
    AVERAGE = "average_limit"
    """An average amount a case."""


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """A payment method as it is registered: everything that the rest of the system knows of it."""

    method: Method
    clearing_way: int
    """Clearing way (清算方式) [clr_way] of the national interface."""
    name_zh: str
    formula: Formula
    """Compiled: what is due for a claim (``payment.case``)."""
    table: TableKind | None = None
    point_kind: PointKind | None = None
    """The kind of points that its cases can share a budget by."""
    always_points: bool = False
    """Whether every case shares by points; else only a case that has some."""
    year_limit: YearLimit | None = None
    needs_contracts: bool = False
    """Whether the pack must have ``[[contract]]`` tables."""

    @property
    def word(self) -> str:
        """The method in payment.toml."""
        return self.method.name.lower()
