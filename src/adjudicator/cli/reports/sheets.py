"""Tables of a report: the same rows on a page, as CSV and in a workbook."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from adjudicator.cli.reports.pool_page import yuan
from adjudicator.compare.words import Names, heading
from adjudicator.money import fen_to_yuan

FEN = 100
MOST_ROWS = 1_000_000
"""Rows of a sheet of a workbook; the CSV file has all."""
_MADE = datetime.datetime(2020, 1, 1)
"""In every workbook, so that the same tables give the same file."""


class Sheet(NamedTuple):
    """One table: rows of codes, counts and fen, by the names of their columns."""

    file: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Mapping[str, Any]]

    def heads(self, language: str) -> list[str]:
        """Return the headings; amounts are in yuan."""
        return [heading(name, language) for name in self.columns]

    def cells(self, row: Mapping[str, Any], names: Names) -> list[str]:
        """Return a row as a page shows it."""
        return [_cell(name, row[name], names) for name in self.columns]


def is_amount(column: str) -> bool:
    """Return whether a column holds fen."""
    return column.endswith("_fen")


def is_number(column: str) -> bool:
    """Return whether a column is shown to the right: an amount or a count."""
    return (
        is_amount(column)
        or column.startswith(("claims", "persons"))
        or column in ("row", "settlement_sequence", "lines")
    )


def _cell(column: str, value: Any, names: Names) -> str:
    if is_amount(column):
        return yuan(value)
    if is_number(column) and value is not None:
        return f"{value:,}"
    return names.of(column, value)


def write_csv(sheet: Sheet, folder: Path, names: Names) -> Path:
    """Write a table as CSV with the mark that spreadsheets know UTF-8 by; amounts are yuan, codes have their names."""
    path = folder / f"{sheet.file}.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(sheet.heads(names.language))
        for row in sheet.rows:
            writer.writerow([_plain(name, row[name], names) for name in sheet.columns])
    return path


def _plain(column: str, value: Any, names: Names) -> Any:
    if is_amount(column):
        return fen_to_yuan(value)
    return value if is_number(column) else names.of(column, value)


def write_workbook(sheets: Sequence[Sheet], path: Path, names: Names) -> None:
    """Write tables as a workbook, one sheet a table. Errors: ImportError where the package is not installed."""
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        book.set_properties({"created": _MADE})
        head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        money, count = book.add_format({"num_format": "#,##0.00"}), book.add_format({"num_format": "#,##0"})
        for sheet in sheets:
            page = book.add_worksheet(sheet.file[:31])
            page.freeze_panes(1, 1)
            for place, (name, text) in enumerate(zip(sheet.columns, sheet.heads(names.language), strict=True)):
                page.set_column(place, place, 18 if is_number(name) else 24)
                page.write_string(0, place, text, head)
            for line, row in enumerate(sheet.rows[:MOST_ROWS], start=1):
                for place, name in enumerate(sheet.columns):
                    value = row[name]
                    if is_amount(name):
                        page.write_number(line, place, Decimal(value) / FEN, money)
                    elif is_number(name) and value is not None:
                        page.write_number(line, place, value, count)
                    else:
                        page.write_string(line, place, names.of(name, value))
