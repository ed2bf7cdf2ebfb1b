"""The readers of the tables that price claims: one a folder of ``payment/methods``, found by the key of its table."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Protocol, cast

import msgspec

from adjudicator.payment.arrays import Compiling
from adjudicator.payment.conditions import Reading
from adjudicator.payment.method import TableKind


class TableReader(Protocol):
    """What ``payment/methods/KEY/reader.py`` has for its table, ``[[KEY]]`` of payment.toml.

    What ``read`` returns has ``source``, ``name`` ("" where the method does not name its table) and ``key``.
    """

    TABLE: type[msgspec.Struct]
    """The keys of the table."""

    def read(self, reading: Reading, raw: Mapping[str, Any], key: str) -> Any:
        """Read one table with its CSV file; ``None`` and a fault where it cannot be used."""

    def compile_table(self, compiling: Compiling, table: Any) -> int:
        """Add a table to the arrays and return its row."""


def reader_of(kind: TableKind) -> TableReader:
    """Return the reader of a kind of table."""
    return cast(TableReader, importlib.import_module(f"adjudicator.payment.methods.{kind.key}.reader"))
