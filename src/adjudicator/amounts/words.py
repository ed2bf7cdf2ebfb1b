"""What the columns of a table become: words of a row that are the same in all rows, and words that differ."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator.amounts.given import Given
from adjudicator.errors import AdjudicatorError, E, Problem


class Varying(NamedTuple):
    """A word that differs from row to row."""

    values: np.ndarray
    table: np.ndarray | None
    least: int
    most: int
    below: E
    above: E


class Words:
    """The words of the rows of one pack."""

    def __init__(self, pack: int, rows: int) -> None:
        self.same: dict[str, int] = {"pack": pack}
        self.varying: dict[str, Varying] = {}
        self.openings: dict[int, Varying | int] = {}
        self.checks: list[Varying] = []
        """Columns of which only the errors count."""
        self.errors = np.zeros(0, np.int64)
        self.rows = rows

    def put(self, word: str, column: Given, varying: Varying) -> None:
        """Set a word to a column. Errors: those of a value that is wrong in all rows."""
        if not column.is_same:
            if word:
                self.varying[word] = varying
            else:
                self.checks.append(varying)
            return
        value = int(varying.values[0])
        if varying.table is not None:
            value = int(varying.table[value]) if 0 <= value < len(varying.table) else varying.least - 1
        if not varying.least <= value <= varying.most:
            shown = column.texts[0] if column.texts else str(int(column.values[0]))
            number = varying.below if value < varying.least else varying.above
            raise AdjudicatorError(Problem(int(number), column.name, shown, value=shown))
        if word:
            self.same[word] = value

    def add_errors(self, errors: np.ndarray) -> None:
        """Add errors int64[rows], 0 none; the lowest number of a row counts."""
        if not errors.any():
            return
        if not self.errors.size:
            self.errors = np.zeros(self.rows, np.int64)
        found = (errors != 0) & ((self.errors == 0) | (errors < self.errors))
        self.errors[found] = np.broadcast_to(errors, self.errors.shape)[found]

    def all_rows(self, word: str) -> np.ndarray:
        """Return the values of a word, one where they are the same; a row with an error has any."""
        if word not in self.varying:
            return np.full(1, self.same.get(word, 0), np.int64)
        varying = self.varying[word]
        values = varying.values.astype(np.int64, copy=False)
        if varying.table is None:
            return values
        return varying.table[np.clip(values, 0, len(varying.table) - 1)]
