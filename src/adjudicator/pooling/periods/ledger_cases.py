"""Cases of a period read back from the ledger's journal: what was settled and reversed, with its points.

Dates of the stay and the principal diagnosis come from what each record keeps of its claim (``claim.basis``). A file
of stays (case, admission_date, discharge_date, exempt) replaces them for the cases that it lists.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from adjudicator.errors import E, refuse
from adjudicator.ledger import journal, keys
from adjudicator.ledger.layout import Kind
from adjudicator.ledger.store import Ledger
from adjudicator.pooling.cases import COLUMNS, Cases, from_columns, join
from adjudicator.pooling.periods.context import first_month
from adjudicator.pooling.periods.files import stay_rows
from adjudicator.pooling.periods.ledger_columns import Lines, lines_of, with_stays


@dataclass(frozen=True, slots=True)
class Stay:
    """Dates of a stay, YYYYMMDD, and whether the case is exempt from the readmission rule."""

    admission_date: int
    discharge_date: int
    exempt: int


FOREVER = 2**62
"""Version of the ledger until which a line stands that nothing has replaced."""


def read_stays(path: Path) -> dict[str, Stay]:
    """Read a file of stays; the case is institution/encounter/sequence as the ledger names it."""
    return {row.case: Stay(row.admission_date, row.discharge_date, int(row.exempt)) for row in stay_rows(path)}


@dataclass(frozen=True, slots=True)
class LedgerCases:
    """Cases of a ledger, and from and until which version of the ledger each line stands, int64[n]."""

    cases: Cases
    since: np.ndarray
    until: np.ndarray

    def as_of(self, version: int) -> Cases:
        """Return the lines that stood at a version of the ledger: settlements, as settled again, and reversals."""
        return self.cases.select((self.since <= version) & (version < self.until))

    @property
    def now(self) -> Cases:
        """The lines that stand."""
        return self.as_of(FOREVER - 1)

    def select(self, chosen: np.ndarray) -> LedgerCases:
        """Return the lines that are chosen, bool[n]."""
        return LedgerCases(self.cases.select(chosen), self.since[chosen], self.until[chosen])


async def cases_of(
    ledger: Ledger,
    pool: str,
    months: Iterable[int],
    stays: Mapping[str, Stay] | None = None,
    clearing_funds: Sequence[str] = ("pooled",),
) -> LedgerCases:
    """Cases of some months of a pool; see :func:`cases_by_month`."""
    reading = Reading(pool, tuple(months), stays=stays or {}, clearing_funds=clearing_funds)
    parts = [cases async for cases in cases_by_month(ledger, reading)]
    if not parts:
        return LedgerCases(from_columns({column: [] for column in COLUMNS}), *np.zeros((2, 0), np.int64))
    since, until = (np.concatenate([getattr(part, name) for part in parts]) for name in ("since", "until"))
    return LedgerCases(join([part.cases for part in parts]), since, until)


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read of a ledger."""

    pool: str
    months: tuple[int, ...]
    """Months of the journal, ascending."""
    last: int = 209912
    """Last month whose settlements count; of later months only the reversals of settlements that count."""
    stays: Mapping[str, Stay] = field(default_factory=dict)
    """Other dates and exemptions, by case."""
    clearing_funds: Sequence[str] = ("pooled",)
    """Of the pack: what they pay of a case that has no price is its ``fund_fen``."""


async def cases_by_month(ledger: Ledger, reading: Reading) -> AsyncIterator[LedgerCases]:
    """Yield the cases of each month of the journal that has any: what was settled in it, and what was taken back.

    A reversal whose settlement lies in a month that is not read is left out. Memory is that of one month. Errors:
    E.LEDGER_CORRUPT for a record that cannot be read, has no answer, or takes back what the index does not know; run
    ``adjudicator ledger verify``.
    """
    for month in reading.months:
        kinds = (Kind.SETTLE, Kind.RESETTLE, Kind.REVERSE) if month <= reading.last else (Kind.REVERSE,)
        parts: list[Lines] = []
        async for chunk in journal.scan(ledger.connection, reading.pool, month):
            if chunk.unreadable:
                raise chunk.refusal()
            lines = lines_of(chunk, kinds, reading.clearing_funds)
            parts += [] if lines is None else [lines]
        if parts:
            found = _standing(parts, reading.stays)
            originals = np.concatenate([part.originals for part in parts])
            kept = found.select(await _without_strays(ledger, reading, found.cases, originals))
            if len(kept.cases):
                yield kept


def _standing(parts: Sequence[Lines], stays: Mapping[str, Stay]) -> LedgerCases:
    """Return the lines of a month, each with the position from and until which it stands."""
    cases = join([part.cases for part in parts])
    with_stays(cases, stays)
    kinds, since = (np.concatenate([getattr(part, name) for part in parts]) for name in ("kinds", "positions"))
    until = np.full(len(cases), FOREVER, np.int64)
    again = set(cases.ids[kinds == Kind.RESETTLE].tolist())
    place_of: dict[str, int] = {}
    for place in np.flatnonzero(kinds != Kind.REVERSE).tolist() if again else ():
        case = cases.ids[place]
        if kinds[place] == Kind.RESETTLE:
            until[place_of[case]] = since[place]
        if case in again:
            place_of[case] = place
    return LedgerCases(cases, since, until)


async def _without_strays(ledger: Ledger, reading: Reading, cases: Cases, originals: np.ndarray) -> np.ndarray:
    """Return which lines are no reversals of a settlement in a month that is not read, bool[n]."""
    kept = np.ones(len(cases), bool)
    reversals = np.flatnonzero(cases.rows["sign"] == -1).tolist()
    named = {cases.ids[place] for place in reversals}
    settled = {case for case in cases.ids[cases.rows["sign"] == 1].tolist() if case in named} if named else set()
    others = [place for place in reversals if cases.ids[place] not in settled]
    if not others:
        return kept
    places = await journal.read_places(ledger.connection, reading.pool, originals[others].tobytes())
    wanted = {month for month in reading.months if month <= reading.last}
    for row, found in zip(others, places, strict=True):
        if not found:
            raise refuse(E.LEDGER_CORRUPT, detail=f"the index has no settlement of the reversal of {cases.ids[row]}")
        kept[row] = int(found.partition(b"-")[0]) in wanted
    return kept


async def months_from(ledger: Ledger, pool: str, period: int) -> list[int]:
    """Months of the journal that may change a period: from its first on, for readmissions and late reversals."""
    return [month for month in await months_of(ledger, pool) if month >= first_month(period)]


async def months_of(ledger: Ledger, pool: str) -> list[int]:
    """Months of the journal, the earliest first."""
    listed = await ledger.connection.persist(lambda: ledger.connection.client.smembers(keys.months(pool)))
    return sorted(map(int, listed))
