"""Claims of one pool between being read and being answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from adjudicator.claim.batch import FIELD_NAMES, Batch
from adjudicator.claim.keys import DIRECTION_REVERSE, settlement_key
from adjudicator.errors import AdjudicatorError, E, refuse
from adjudicator.ledger.record import Record
from adjudicator.service.microbatch import Answer
from adjudicator.service.status import reversed_notice

NO_ROWS = np.zeros(0, np.int64)


@dataclass(slots=True)
class OpenClaims:
    """The claims ``rows`` (int64, in order) of a batch have no answer yet; ``answers`` has those of the others."""

    batch: Batch
    pool: str
    rows: np.ndarray
    deadlines: np.ndarray
    """float64[n], one a row of the batch, seconds of the loop's clock."""
    fields: np.ndarray
    """uint32[n, fields]: digests of each field, for the whole batch."""
    contents: np.ndarray
    """uint64[n, 2]: digests of the content, for the whole batch."""
    answers: dict[int, Answer] = field(default_factory=dict)
    """Row of the batch -> its answer."""

    def answer(self, rows: np.ndarray, answers: Sequence[Answer]) -> None:
        """Closes some rows."""
        self.answers.update(zip(rows.tolist(), answers, strict=True))
        if len(rows) == len(self.rows):
            self.rows = NO_ROWS
        elif len(rows):
            self.rows = self.rows[~np.isin(self.rows, rows)]

    def refuse(self, rows: np.ndarray, error: AdjudicatorError) -> None:
        """Closes some rows with one refusal."""
        self.answer(rows, [error] * len(rows))

    def refuse_wrong(self, rows: np.ndarray) -> None:
        """Closes those of ``rows`` that the engine refused, each with its own problems."""
        wrong = rows[self.batch.claims["error"][rows] != 0]
        if wrong.size:
            self.answer(wrong, [refusal(self.batch, row) for row in wrong.tolist()])

    def late(self, rows: np.ndarray, time: float) -> np.ndarray:
        """Those of ``rows`` whose deadline is before ``time``."""
        return rows[self.deadlines[rows] < time]

    def first_of_each_key(self) -> np.ndarray:
        """Open rows without those whose key stands earlier: a duplicate waits until the first one is answered."""
        keys = _slices(self.batch.keys[self.rows])
        if len(set(keys)) == len(keys):
            return self.rows
        seen: set[bytes] = set()
        return self.rows[[not (key in seen or seen.add(key)) for key in keys]]

    def reversal_keys(self, rows: np.ndarray) -> list[bytes]:
        """Keys of the reversals of some rows."""
        names = ("institution_code", "encounter_id")
        return [
            settlement_key(*(self.batch.text(row, name) for name in names), sequence, DIRECTION_REVERSE)
            for row, sequence in zip(rows.tolist(), self.batch.sequences(rows).tolist(), strict=True)
        ]

    def answer_known(self, rows: np.ndarray, known: Mapping[int, Record], reversals: Mapping[int, Record]) -> int:
        """Closes the rows at the positions ``known``: the stored answer where the content is the same, otherwise the
        field that differs. ``reversals``: those of known settlements that were taken back, counted in the order of
        ``known``; their answers say so. Returns how many were the same."""
        closing, same = [], 0
        for number, (position, record) in enumerate(known.items()):
            row = int(rows[position])
            content, fields = self.contents[row].tobytes(), tuple(self.fields[row].tolist())
            different = record.first_difference(content, fields)
            if different is None:
                same += 1
                notice = reversed_notice(reversals[number].settlement_date) if number in reversals else b""
                closing.append(record.answer + notice)
            else:
                name = FIELD_NAMES[different] if 0 <= different < len(FIELD_NAMES) else "unknown field"
                closing.append(refuse(E.KEY_REUSED, name, name))
        self.answer(rows[list(known)], closing)
        return same

    def alone(self, row: int) -> OpenClaims:
        """The same work for one row."""
        rows = np.array([row], np.int64)
        return OpenClaims(self.batch, self.pool, rows, self.deadlines, self.fields, self.contents)


def refusal(batch: Batch, row: int) -> AdjudicatorError:
    """Why the engine refused a claim: every problem that is no mere warning."""
    return AdjudicatorError(*(problem for problem in batch.problems(row) if not problem.warning))


def unique_keys(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct keys (uint8[m, 16]) of uint8[n, 16], and for each of the n its row among them (int64).

    >>> distinct, rows = unique_keys(np.array([[7] * 16, [5] * 16, [7] * 16], np.uint8))
    >>> distinct[:, 0].tolist(), rows.tolist()
    ([7, 5], [0, 1, 0])
    """
    known: dict[bytes, int] = {}
    rows = [known.setdefault(key, len(known)) for key in _slices(keys)]
    return np.frombuffer(b"".join(known), np.uint8).reshape(-1, 16), np.array(rows, np.int64)


def _slices(keys: np.ndarray) -> list[bytes]:
    """Each row of uint8[n, 16] as bytes; dictionaries are quicker than sorting for the sizes that come."""
    data = keys.tobytes()
    return [data[at : at + 16] for at in range(0, len(data), 16)]
