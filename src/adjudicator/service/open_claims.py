"""Claims of one pool between being read and being answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from adjudicator.claim.batch import Resolved, Result
from adjudicator.claim.fields import FIELD_NAMES
from adjudicator.claim.keys import DIRECTION_REVERSE, settlement_key
from adjudicator.claim.state import StayParts
from adjudicator.columns import KEY
from adjudicator.errors import AdjudicatorError, E, Problem, refuse
from adjudicator.ledger.record import Record
from adjudicator.service.encounters import name_of
from adjudicator.service.microbatch import Answer
from adjudicator.service.status import reversed_notice

NO_ROWS = np.zeros(0, np.int64)


@dataclass(slots=True)
class OpenClaims:
    """The claims ``rows`` (int64, in order) of a batch have no answer yet; ``answers`` has those of the others."""

    resolved: Resolved
    pool: str
    rows: np.ndarray
    deadlines: np.ndarray
    """float64[n], one a row of the batch, seconds of the loop's clock."""
    stays: dict[int, StayParts] = field(default_factory=dict)
    """Row of the batch -> the earlier parts of its stay."""
    chains: dict[int, int] = field(default_factory=dict)
    """Row of the batch -> what its referral chain was charged, in fen, or UNKNOWN_CHAIN."""
    answers: dict[int, Answer] = field(default_factory=dict)
    """Row of the batch -> its answer."""
    _first_deadline: float = field(init=False)
    _any_later: bool = field(init=False)
    _any_chained: bool = field(init=False)

    def __post_init__(self) -> None:
        """Note what few batches have, so that a batch without it is not searched in every round."""
        self._first_deadline = float(self.deadlines.min())
        self._any_later = int(self.resolved.incoming.claims["settlement_sequence"].max()) > 1
        self._any_chained = bool(np.count_nonzero(self.resolved.claims["chain_continues"]))

    def late(self, rows: np.ndarray, now: float) -> np.ndarray:
        """Return those of ``rows`` whose deadline is before ``now``."""
        return rows[self.deadlines[rows] < now] if self._first_deadline < now else NO_ROWS

    def later_settlements(self, rows: np.ndarray) -> np.ndarray:
        """Return those of ``rows`` that are not the first settlement of their encounter."""
        return rows[self.resolved.incoming.claims["settlement_sequence"][rows] > 1] if self._any_later else NO_ROWS

    def chained(self, rows: np.ndarray) -> np.ndarray:
        """Return the positions in ``rows`` of the stays of referral chains."""
        return np.flatnonzero(self.resolved.claims["chain_continues"][rows]) if self._any_chained else NO_ROWS

    def answer(self, answers: Mapping[int, Answer]) -> None:
        """Close the rows that are answered."""
        self.answers |= answers
        if len(answers) == len(self.rows):
            self.rows = NO_ROWS
        elif answers:
            self.rows = self.rows[~np.isin(self.rows, list(answers))]

    def refuse(self, rows: np.ndarray, error: AdjudicatorError) -> None:
        """Close some rows with one refusal."""
        self.answer(dict.fromkeys(rows.tolist(), error))

    def next_rows(self) -> np.ndarray:
        """Return the open rows that can be settled now.

        A duplicate waits until the first one is answered, a later settlement of an encounter until the one before it,
        and a stay of a referral chain until the one that it names.
        """
        if len(self.rows) == 1:
            return self.rows
        keys = self.resolved.keys[self.rows].view(KEY).ravel().tolist()
        open_keys = set(keys)
        later, chained = self.later_settlements(self.rows), self.rows[self.chained(self.rows)]
        if len(open_keys) == len(keys) and not later.size and not chained.size:
            return self.rows
        waiting = {row for row in later.tolist() if self._before(row) in open_keys}
        waiting |= self._waiting_for_their_chain(chained.tolist())
        seen: set[bytes] = set()
        chosen = []
        for row, key in zip(self.rows.tolist(), keys, strict=True):
            if key not in seen and row not in waiting:
                chosen.append(row)
            seen.add(key)
        return np.array(chosen, np.int64)

    def _waiting_for_their_chain(self, chained: Sequence[int]) -> set[int]:
        """Return the claims whose earlier stay is an open claim of the same person that stands before them."""
        if not chained:
            return set()
        text, persons = self.resolved.incoming.text, self.resolved.persons
        first = {(persons[row].tobytes(), text(row, "encounter_id")): row for row in reversed(self.rows.tolist())}
        named = ((row, (persons[row].tobytes(), text(row, "referral_from_encounter"))) for row in chained)
        return {row for row, stay in named if first.get(stay, row) < row}

    def _before(self, row: int) -> bytes:
        """Return the key of the settlement before a claim's in its encounter."""
        name = name_of(self.resolved, row)
        return name.key(name.sequence - 1)

    def reversal_keys(self, rows: np.ndarray) -> bytes:
        """Return the keys of the reversals of some rows, 16 bytes each."""
        incoming = self.resolved.incoming
        return b"".join(
            settlement_key(
                incoming.text(row, "institution_code"), incoming.text(row, "encounter_id"),
                int(incoming.claims["settlement_sequence"][row]), DIRECTION_REVERSE,
            )
            for row in rows.tolist()
        )  # fmt: skip

    def answer_known(self, rows: np.ndarray, known: Mapping[int, Record], reversals: Mapping[int, Record]) -> int:
        """Close the rows at the positions ``known``: the stored answer where the content is the same, otherwise the
        field that differs. ``reversals``: those of known settlements that were taken back, counted in the order of
        ``known``; their answers say so. Returns how many were the same."""
        closing: dict[int, Answer] = {}
        same, digests = 0, self.resolved.digests
        for number, (position, record) in enumerate(known.items()):
            row = int(rows[position])
            content, fields = digests.contents[row].tobytes(), tuple(digests.fields[row].tolist())
            different = record.first_difference(content, fields)
            if different is None:
                same += 1
                notice = reversed_notice(reversals[number].settlement_date) if number in reversals else b""
                closing[row] = record.answer + notice
            else:
                name = FIELD_NAMES[different] if 0 <= different < len(FIELD_NAMES) else "unknown field"
                closing[row] = refuse(E.KEY_REUSED, name, name)
        self.answer(closing)
        return same

    def part(self, rows: np.ndarray) -> OpenClaims:
        """Return the same work for some rows, in order."""
        return OpenClaims(self.resolved, self.pool, rows, self.deadlines)


def refusals(resolved: Resolved) -> dict[int, Answer]:
    """Return why claims cannot be priced, by row."""
    if len(resolved.good) == len(resolved):
        return {}
    rows = np.flatnonzero(resolved.claims["error"]).tolist()
    return {row: _refusal(resolved.problems(row)) for row in rows}


def refused_by_pricing(result: Result) -> dict[int, Answer]:
    """Return why pricing refused claims, by row of the batch."""
    rows = result.rows.tolist()
    return {rows[place]: _refusal(result.problems(place)) for place in np.flatnonzero(result.errors).tolist()}


def _refusal(problems: Sequence[Problem]) -> AdjudicatorError:
    """Return the refusal of a claim for every problem that is no mere warning."""
    return AdjudicatorError(*(problem for problem in problems if not problem.warning))
