"""The index of statements: what each institution settled in a month, so that reconciliation does not read the journal.

A value under ``keys.statement`` grows by a run of entries with each commit that settles something of the institution.
It follows from the journal: the commit script appends to it, verify compares it, rebuild writes it anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adjudicator.errors import E, refuse
from adjudicator.ledger import keys as names
from adjudicator.ledger.connection import Connection
from adjudicator.ledger.layout import OF_CLAIMS
from adjudicator.ledger.record import Record
from adjudicator.ledger.statement_kernel import AMOUNTS, FUNDS, Settled, codes_of, read_runs, runs_of
from adjudicator.payers import Fund


class Entries(NamedTuple):
    """Settlements and reversals of an institution, n rows in the order of the journal."""

    positions: np.ndarray  # int64[n]
    dates: np.ndarray  # int64[n] YYYYMMDD
    schemes: np.ndarray  # int64[n] codes.Scheme
    amounts: np.ndarray  # int64[n, 3] fen: total, funds, personal account

    def take(self, chosen: np.ndarray) -> Entries:
        """Return the rows that are chosen, bool[n]."""
        return Entries(*(column[chosen] for column in self))


def runs_of_records(records: Sequence[Record]) -> bytes:
    """Return the same for single records; one that is no settlement has none."""
    listed = [(offset, record) for offset, record in enumerate(records, start=1) if record.kind in OF_CLAIMS]
    institutions = [record.institution.encode() for _, record in listed]
    dates, schemes, kinds = (
        np.array([int(getattr(record, name)) for _, record in listed], np.int64)
        for name in ("settlement_date", "scheme", "kind")
    )
    amounts = [
        (record.amount(Fund.TOTAL_COST), record.amount(*FUNDS), record.amount(Fund.ACCOUNT)) for _, record in listed
    ]
    sizes = np.array([len(text) for text in institutions], np.int64)
    text = np.frombuffer(b"".join(institutions) or b"\0", np.uint8).copy()
    settled = Settled(
        np.array([record.month for _, record in listed], np.int64), codes_of(dates, schemes, kinds),
        np.array(amounts, np.int64).reshape(-1, AMOUNTS), text, np.cumsum(sizes) - sizes, sizes,
    )  # fmt: skip
    return runs_of(settled, np.array([offset for offset, _ in listed], np.int64)).tobytes()


class Runs(NamedTuple):
    """What is stored of some institutions and months, read."""

    positions: np.ndarray  # int64[k]
    codes: np.ndarray  # int64[k]
    amounts: np.ndarray  # int64[k, 3]
    counts: np.ndarray  # int64[m]: entries of each; -1: it cannot be read


def parse(values: Sequence[bytes]) -> Runs:
    """Read stored values."""
    octets, ends = np.frombuffer(b"".join(values) or b"\0", np.uint8), np.cumsum([len(value) for value in values])
    room, counts = len(octets) // (2 + AMOUNTS) + 1, np.empty(len(values), np.int64)
    positions, codes, amounts = (np.empty((room, *shape), np.int64) for shape in ((), (), (AMOUNTS,)))
    read_runs(octets, ends.astype(np.int64), (positions, codes, amounts), counts)
    total = int(counts[counts > 0].sum())
    return Runs(positions[:total], codes[:total], amounts[:total], counts)


def name_of(month: int, institution: bytes) -> bytes:
    """Return how a run and a key name an institution's month.

    >>> name_of(202405, b"H1")
    b'202405:H1'
    """
    return b"%06d:" % month + institution


def values_of(settled: Settled, positions: np.ndarray) -> dict[bytes, bytes]:
    """Return what must be stored of some settlements whose ``positions`` ascend: name -> value of one run."""
    runs, at = runs_of(settled, positions).tobytes(), 0
    values: dict[bytes, bytes] = {}
    while at < len(runs):
        begin = at + 6 + int.from_bytes(runs[at : at + 2], "little")
        end = begin + int.from_bytes(runs[at + 2 : at + 6], "little")
        name = runs[at + 6 : begin]
        values[name] = values.get(name, b"") + b"\0" + runs[begin:end]
        at = end
    return values


async def settled_by(connection: Connection, pool: str, institution: str, from_date: int, to_date: int) -> Entries:
    """Return what an institution settled from day to day (YYYYMMDD, both included), by month and position.

    What it costs depends on the institution and the months, not on the ledger. Errors: E.LEDGER_CORRUPT, E.STORE_AWAY.
    """
    client = connection.client
    known = sorted(map(int, await connection.persist(lambda: client.smembers(names.months(pool)))))
    months = [month for month in known if from_date // 100 <= month <= to_date // 100]
    keys = [names.statement(pool, month, institution.encode()) for month in months]
    values = [value or b"" for value in await connection.persist(lambda: client.mget(keys))] if keys else []
    runs = parse(values)
    if (runs.counts < 0).any():
        raise refuse(E.LEDGER_CORRUPT, detail="the index of an institution's settlements cannot be read")
    days = runs.codes // 2 % 32 + np.repeat(np.array(months, np.int64) * 100, runs.counts)
    entries = Entries(runs.positions, days, runs.codes // 64, runs.amounts)
    return entries.take((days >= from_date) & (days <= to_date))
