"""The growing arrays of a bundle that the tables of payment.toml are compiled to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adjudicator.payment.condition_rows import SetPool, compile_condition
from adjudicator.payment.condition_terms import CONDITION
from adjudicator.payment.conditions import Codes, Condition, PackView


class Arrays:
    """Growing flat arrays of a bundle by name; a part that was added under a key before is stored once."""

    def __init__(self, dtypes: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> None:
        self._dtypes, self._shapes = dtypes, shapes
        self._parts: dict[str, list[np.ndarray]] = {name: [] for name in dtypes}
        self._sizes = dict.fromkeys(dtypes, 0)
        self._known: dict[tuple[str, Any], int] = {}

    def size(self, name: str) -> int:
        """Return the number of rows so far."""
        return self._sizes[name]

    def known(self, name: str, key: Any) -> int | None:
        """Return where the part of a key starts, ``None`` where no part has this key."""
        return self._known.get((name, key))

    def add(self, name: str, part: Any, key: Any = None) -> int:
        """Add a part and return the row where it starts."""
        if key is not None and (name, key) in self._known:
            return self._known[name, key]
        start = self._sizes[name]
        rows = np.ascontiguousarray(part, self._dtypes[name]).reshape(-1, *self._shapes.get(name, ()))
        self._parts[name].append(rows)
        self._sizes[name] += len(rows)
        if key is not None:
            self._known[name, key] = start
        return start

    def whole(self, name: str) -> np.ndarray:
        """Return the whole array; never empty, so that kernels may form its address."""
        if self._sizes[name]:
            return np.concatenate(self._parts[name])
        return np.zeros((1, *self._shapes.get(name, ())), self._dtypes[name])


@dataclass(frozen=True, slots=True)
class Compiling:
    """Where the tables of one pack are compiled to: the arrays of the bundle, and the code lists that hold."""

    number: int
    """Position of the pack in the bundle."""
    pack: PackView
    codes: Codes | None
    arrays: Arrays
    sets: SetPool

    def conditions(self, rows: Sequence[Condition], tables: Sequence[int] | None = None) -> tuple[np.ndarray, int, int]:
        """Compile conditions; return their rows, and where they start and end in the bundle.

        ``tables``: for each condition the row of the table that it names; without it none is named.
        """
        compiled = np.zeros(len(rows), CONDITION)
        for position, condition in enumerate(rows):
            table = -1 if tables is None else tables[position]
            compile_condition(condition, compiled[position : position + 1], self.sets, self.pack, self.codes, table)
        start = self.arrays.add("conditions", compiled)
        return compiled, start, start + len(rows)
