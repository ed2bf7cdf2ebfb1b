"""Acts of the agency on a pool: reviews, scores, budgets, closings, withdrawals, as numbered records of its journal.

The acts of a pool are one series (``ledger.numbered``). What an act says is JSON in its record; what it means is the
matter of ``pooling.decisions`` and ``pooling.closing``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adjudicator.errors import E, refuse
from adjudicator.ledger.batch import new_commit, now_ms, pack_records
from adjudicator.ledger.layout import Kind
from adjudicator.ledger.numbered import numbered_key, read_series
from adjudicator.ledger.record import Record
from adjudicator.ledger.store import Ledger

SERIES = "act"
MOST_ACT_BYTES = 16 << 20
"""Size of what one act says: a store hands a record over as one value, and a pool has tens of thousands of cases."""
_NAME_FIELDS = ("kind", "period", "by", "file", "sha256")


def journal_month(period: int) -> int:
    """Return the month of the journal in which records of a period stand: of a year YYYY its December.

    >>> journal_month(2025), journal_month(202503)
    (202512, 202503)
    """
    return period if period > 10_000 else period * 100 + 12


@dataclass(frozen=True, slots=True)
class Draft:
    """An act before it has a number."""

    kind: str
    """What it is, a word of ``pooling.decisions`` or ``pooling.closing``."""
    period: int
    """YYYYMM, or YYYY, the record of which stands in the December."""
    by: str
    """Who acts: the login of a person of the agency, never an insured person."""
    content: Mapping[str, Any]
    file: str = ""
    """Name of the file that it was read from, without its folder."""
    sha256: str = ""
    """Digest of that file, hexadecimal."""

    @property
    def month(self) -> int:
        """Month of the journal in which the record stands."""
        return journal_month(self.period)

    def text(self) -> bytes:
        """Return what is stored. Errors: E.CANNOT_CLEAR for more than an act may say."""
        head = {name: getattr(self, name) for name in _NAME_FIELDS}
        data = json.dumps(head | {"content": self.content}, ensure_ascii=False, sort_keys=True).encode()
        if len(data) > MOST_ACT_BYTES:
            raise refuse(
                E.CANNOT_CLEAR,
                "file",
                f"{self.file or self.kind} says {len(data)} bytes, an act takes {MOST_ACT_BYTES}; split the file",
                f"{self.file or self.kind} 的内容有 {len(data)} 字节，一次登记最多 {MOST_ACT_BYTES} 字节，请拆分文件",
            )
        return data


@dataclass(frozen=True, slots=True)
class Act(Draft):
    """An act as it stands in the ledger."""

    number: int = 0
    recorded_ms: int = 0
    position: int = 0
    """Place of its record in the journal."""


async def read_acts(ledger: Ledger, pool: str) -> list[Act]:
    """Return all acts of a pool, the first first. Errors: E.LEDGER_CORRUPT, E.STORE_AWAY."""
    return [_act_of(record, number) for number, record in enumerate(await read_series(ledger, pool, SERIES), start=1)]


def _act_of(record: Record, number: int) -> Act:
    if record.kind != Kind.ACT:
        raise refuse(E.LEDGER_CORRUPT, detail=f"journal entry {record.position}: it has the key of an act but is none")
    said = json.loads(record.answer)
    head = {name: said[name] for name in _NAME_FIELDS}
    return Act(**head, content=said["content"], number=number, recorded_ms=record.recorded_ms, position=record.position)


async def append(ledger: Ledger, pool: str, draft: Draft, after: int, with_records: Sequence[Record] = ()) -> bool:
    """Write an act behind the first ``after`` ones, and other records in the same commit; wholly or not at all.

    Return False where somebody else has acted meanwhile, or a key of ``with_records`` is known: read and decide again.
    Errors: E.CANNOT_CLEAR for more than an act may say, and those of ``Ledger.commit``.
    """
    text = draft.text()
    content = hashlib.blake2b(text, digest_size=16).digest()
    month = draft.month
    record = Record(
        Kind.ACT, int(pool), month, numbered_key(pool, SERIES, after + 1), content,
        settlement_date=month * 100 + 1, answer=text, recorded_ms=now_ms(),
        commit=with_records[0].commit if with_records else new_commit(),
    )  # fmt: skip
    return (await ledger.commit(pack_records(pool, [*with_records, record], []))).done
