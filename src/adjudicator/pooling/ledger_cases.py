"""Cases of a period read back from the ledger's journal: what was settled and reversed, with its points.

Dates of the stay and the principal diagnosis come from what each record keeps of its claim (``claim.basis``). A file
of stays (case, admission_date, discharge_date, exempt) replaces them for the cases that it lists.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from adjudicator.claim.basis import read_basis
from adjudicator.codes import SCHEME_NATIONAL, Scheme
from adjudicator.errors import E, refuse
from adjudicator.ledger import journal, keys
from adjudicator.ledger.layout import Kind
from adjudicator.ledger.record import Record
from adjudicator.ledger.store import Ledger
from adjudicator.payment.funds import CLEARING_FUNDS
from adjudicator.pooling.cases import COLUMNS, Cases, from_columns, join
from adjudicator.pooling.files import stay_rows
from adjudicator.v1 import settlement_pb2


@dataclass(frozen=True, slots=True)
class Stay:
    """Dates of a stay, YYYYMMDD, and whether the case is exempt from the readmission rule."""

    admission_date: int
    discharge_date: int
    exempt: int


NO_STAY = Stay(0, 0, 0)
FOREVER = 2**62
"""Version of the ledger until which a line stands that nothing has replaced."""
Table = dict[str, list[Any]]
"""Column of the cases -> its values."""


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
        return LedgerCases(from_columns(_empty()), np.zeros(0, np.int64), np.zeros(0, np.int64))
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
        table, originals, place_of = _empty(), list[bytes](), dict[str, int]()
        async for chunk in journal.scan(ledger.connection, reading.pool, month):
            if chunk.unreadable:
                raise chunk.refusal()
            for row in range(len(chunk)):
                record = chunk.record(row)
                if record.kind == Kind.RESETTLE:
                    table["until"][place_of[record.name]] = record.position
                counts = record.kind in (Kind.SETTLE, Kind.RESETTLE) and month <= reading.last
                if counts:
                    place_of[record.name] = len(table["case"])
                if counts or record.kind == Kind.REVERSE:
                    _add(table, record, month, reading.stays, reading.clearing_funds)
                    originals.append(record.original)
        if table["case"]:
            cases = from_columns(table, f"ledger {reading.pool}")
            found = LedgerCases(cases, *(np.array(table[name], np.int64) for name in ("since", "until")))
            kept = found.select(await _without_strays(ledger, reading, cases, originals))
            if len(kept.cases):
                yield kept


def _empty() -> Table:
    return {column: [] for column in (*COLUMNS, "diagnosis", "reason", "since", "until")}


async def _without_strays(ledger: Ledger, reading: Reading, cases: Cases, originals: Sequence[bytes]) -> np.ndarray:
    """Return which lines are no reversals of a settlement in a month that is not read, bool[n]."""
    kept = np.ones(len(cases), bool)
    settled = set(cases.ids[cases.rows["sign"] == 1].tolist())
    others = [place for place in np.flatnonzero(cases.rows["sign"] == -1).tolist() if cases.ids[place] not in settled]
    if not others:
        return kept
    keys = b"".join(originals[place] for place in others)
    places = await journal.read_places(ledger.connection, reading.pool, keys)
    wanted = {month for month in reading.months if month <= reading.last}
    for row, found in zip(others, places, strict=True):
        if not found:
            raise refuse(E.LEDGER_CORRUPT, detail=f"the index has no settlement of the reversal of {cases.ids[row]}")
        kept[row] = int(found.partition(b"-")[0]) in wanted
    return kept


async def months_from(ledger: Ledger, pool: str, period: int) -> list[int]:
    """Months of the journal that may change a period: from its first on, for readmissions and late reversals."""
    first = period * 100 + 1 if period < 10_000 else period
    return [month for month in await months_of(ledger, pool) if month >= first]


async def months_of(ledger: Ledger, pool: str) -> list[int]:
    """Months of the journal, the earliest first."""
    listed = await ledger.connection.persist(lambda: ledger.connection.client.smembers(keys.months(pool)))
    return sorted(map(int, listed))


def _add(table: Table, record: Record, month: int, stays: Mapping[str, Stay], clearing_funds: Sequence[str]) -> None:
    if not record.answer:
        raise refuse(E.LEDGER_CORRUPT, detail=f"settlement {record.name} has no answer")
    answer = settlement_pb2.Settlement.FromString(record.answer)
    sign = -1 if record.kind == Kind.REVERSE else 1
    kept = read_basis(record.basis)
    stay = NO_STAY if kept is None else Stay(kept.facts.admission_date, kept.facts.discharge_date, 0)
    stay = stays.get(record.name, stay)
    paid = answer.payment
    reason = "" if paid.method else _why_unpriced(answer)
    if paid.method:
        by_item = paid.due_fen - paid.difference_fen
    else:
        by_item = sum(getattr(answer, CLEARING_FUNDS[word].field) for word in clearing_funds)
    values = {
        "case": record.name, "hospital": record.institution, "county": f"{record.county:06d}",
        "scheme": SCHEME_NATIONAL.get(Scheme(record.scheme), str(record.scheme)), "group": answer.grouping.drg,
        "method": paid.method, "month": month, "admission_date": stay.admission_date,
        "discharge_date": stay.discharge_date, "person": record.person.hex(), "exempt": stay.exempt, "sign": sign,
        "points_e8": abs(paid.points_e8), "total_fen": sign * answer.total_fen,
        "patient_fen": sign * answer.personal_total_fen, "others_fen": sign * (answer.fund_total_fen - by_item),
        "fund_fen": sign * by_item, "due_fen": sign * paid.due_fen,
        "diagnosis": "" if kept is None else kept.principal_diagnosis, "reason": reason,
        "since": record.position, "until": FOREVER,
    }  # fmt: skip
    for column, value in values.items():
        table[column].append(value)


def _why_unpriced(answer: settlement_pb2.Settlement) -> str:
    """Return the code of the problem for which a claim was settled without a price, "" where its answer has none."""
    return next((problem.code for problem in answer.problems if problem.field == "payment"), "")
