"""The journal record: what one settlement, reversal or posting left behind, in one value that is written once.

``JournalRecord`` in proto/adjudicator/v1/record.proto says what stands in it. ``ledger.record_kernel`` writes batches
of records; this module reads and writes single ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf.message import DecodeError

from adjudicator.errors import E, refuse
from adjudicator.ledger.answers import Frame, checksum_of, put_together, take_apart
from adjudicator.ledger.checksums import checksum
from adjudicator.ledger.layout import (
    CHECKSUM_BYTES,
    CHECKSUM_TAG,
    FORMAT,
    OF_CLAIMS,
    ZERO_DIGEST,
    Block,
    Kind,
    StoredRecord,
)


@dataclass(frozen=True, slots=True)
class Record:
    """One record, taken apart. Digests are 16 bytes; ``position`` is its place in the journal, 0 before it has one."""

    kind: Kind
    pool: int
    month: int
    key: bytes
    content: bytes
    settlement_date: int = 0
    benefit_year: int = 0
    scheme: int = 0
    county: int = 0
    institution: str = ""
    encounter: str = ""
    sequence: int = 0
    person: bytes = ZERO_DIGEST
    state_key: bytes | None = None
    previous: bytes = ZERO_DIGEST
    last: bytes = ZERO_DIGEST
    original: bytes = ZERO_DIGEST
    field_digests: tuple[int, ...] = ()
    """Low 8 bits of the digest of each field of the claim: they name a field that differs."""
    postings: tuple[tuple[int, int, int, int], ...] = ()
    changes: tuple[tuple[int, int], ...] = ()
    """Number of an accumulator (columns.ACCUMULATORS), what the settlement added to it."""
    quotas: tuple[tuple[int, int], ...] = ()
    """Key of a disease quota, what the settlement added to it."""
    days: tuple[tuple[int, int], ...] = ()
    """Key of a stay or of a week with visits, what the settlement added to it (``claim.care_days``)."""
    answer: bytes = b""
    basis: bytes = b""
    """Serialised adjudicator.v1.RecordBasis; see claim.basis."""
    commit: int = 0
    recorded_ms: int = 0
    position: int = field(default=0, compare=False)

    @property
    def pool_code(self) -> str:
        """The pool as its keys name it."""
        return f"{self.pool:06d}"

    @property
    def name(self) -> str:
        """The settlement as a hospital names it; safe to show."""
        return f"{self.institution}/{self.encounter}/{self.sequence}"

    def amount(self, *funds: int) -> int:
        """Sum of the postings of some funds, fen."""
        return sum(posting[3] for posting in self.postings if posting[2] in funds)

    def first_difference(self, content: bytes, field_digests: tuple[int, ...]) -> int | None:
        """Position of the first field that differs from another claim of the same key; None when they are equal.

        -1 means that they differ in a field that has no digest of its own.
        """
        if content == self.content:
            return None
        pairs = zip(self.field_digests, field_digests, strict=False)
        return next((position for position, (ours, theirs) in enumerate(pairs) if ours != theirs & 0xFF), -1)

    def placed(self, position: int) -> Record:
        """Return the same record with its place in the journal."""
        return replace(self, position=position)

    def to_bytes(self) -> bytes:
        """Return the record as a block of its own, as it stands in the journal."""
        block = Block(
            format=FORMAT, count=1, pool=self.pool, month=self.month, commit=self.commit, recorded_ms=self.recorded_ms
        )
        head = block.SerializeToString()
        body = self._stored().SerializeToString()
        value = checksum(body, checksum(head))
        block.records.append(body + CHECKSUM_TAG + value.to_bytes(8, "little"))
        return bytes(block.SerializeToString())

    def _stored(self) -> Any:
        """Return the message without its checksum."""
        stored = StoredRecord(
            kind=int(self.kind), key=self.key, content=self.content, settlement_date=self.settlement_date,
            benefit_year=self.benefit_year, scheme=self.scheme, county=self.county, sequence=self.sequence,
            institution=self.institution, encounter=self.encounter, basis=self.basis,
            state_key=self.state_key or b"", field_digests=_pack_digests(self.field_digests),
            change_numbers=[number for number, _ in self.changes], changes=[change for _, change in self.changes],
            quota_keys=[key for key, _ in self.quotas], quota_changes=[change for _, change in self.quotas],
            days_keys=[key for key, _ in self.days], days_changes=[change for _, change in self.days],
        )  # fmt: skip
        for name in ("person", "previous", "original"):
            if getattr(self, name) != ZERO_DIGEST:
                setattr(stored, name, getattr(self, name))
        if self.last != _usual_last(self.kind, self.key, self.state_key):
            stored.last = self.last
        for county, scheme, fund, amount in self.postings:
            stored.posting_counties.append(county)
            stored.posting_schemes.append(scheme)
            stored.posting_funds.append(fund)
            stored.posting_amounts.append(amount)
        for places, usual in ((stored.posting_counties, self.county), (stored.posting_schemes, self.scheme)):
            if all(place == usual for place in places):
                del places[:]
        parts = take_apart(self.answer, self._frame()) if self.kind in OF_CLAIMS else None
        if parts is None:
            stored.whole_answer = self.answer
        else:
            stored.answer, stored.lines = parts
        stored.answer_checksum = checksum_of(self.answer)
        return stored

    def _frame(self) -> Frame:
        return Frame(self.institution, self.encounter, self.sequence, int(self.kind), self.key, self.basis)

    @classmethod
    def from_bytes(cls, data: bytes, position: int = 0) -> Record:
        """Read a block of one record. Errors: E.LEDGER_CORRUPT when it is cut, altered or of another format; the text
        says which.
        """
        records = read_block(data, position)
        if len(records) != 1:
            raise refuse(E.LEDGER_CORRUPT, detail=f"journal entry {position}: {len(records)} records instead of one")
        return records[0]


def read_block(data: bytes, position: int = 0) -> list[Record]:
    """Return the records of a block; ``position`` is that of its last one, 0 where it has none yet.

    Errors: E.LEDGER_CORRUPT when it is cut, altered or of another format; the text says which.
    """
    try:
        block = Block.FromString(data)
        if block.format != FORMAT:
            raise ValueError(OTHER_FORMAT.format(block.format))
        stored = list(block.records)
        if not stored:
            raise ValueError("it is cut")
        del block.records[:]
        head = block.SerializeToString()
        first = position - len(stored) + 1 if position else 0
        return [_read(block, head, one, first + place if position else 0) for place, one in enumerate(stored)]
    except (ValueError, IndexError, DecodeError) as error:
        text = "it is damaged" if isinstance(error, DecodeError) else error
        raise refuse(E.LEDGER_CORRUPT, detail=f"journal entry {position}: {text}") from error


OTHER_FORMAT = f"it is of record format {{}}, this version reads format {FORMAT}"


def _read(block: Any, head: bytes, data: bytes, position: int) -> Record:
    """Read one record of a block with the head ``head``. Raises ValueError or DecodeError."""
    stored = StoredRecord.FromString(data)
    if stored.checksum != checksum(data[:-CHECKSUM_BYTES], checksum(head)):
        raise ValueError("it is damaged")
    kind, state_key = Kind(stored.kind), stored.state_key or None
    counties, schemes = (
        given or [usual] * len(stored.posting_funds)
        for given, usual in ((stored.posting_counties, stored.county), (stored.posting_schemes, stored.scheme))
    )
    record = Record(
        kind=kind, pool=block.pool, month=block.month, key=stored.key, content=stored.content,
        settlement_date=stored.settlement_date, benefit_year=stored.benefit_year, scheme=stored.scheme,
        county=stored.county, institution=stored.institution, encounter=stored.encounter, sequence=stored.sequence,
        person=stored.person or ZERO_DIGEST, state_key=state_key, previous=stored.previous or ZERO_DIGEST,
        last=stored.last if stored.HasField("last") else _usual_last(kind, stored.key, state_key),
        original=stored.original or ZERO_DIGEST, field_digests=_unpack_digests(stored.field_digests),
        postings=tuple(zip(counties, schemes, stored.posting_funds, stored.posting_amounts, strict=True)),
        changes=tuple(zip(stored.change_numbers, stored.changes, strict=True)),
        quotas=tuple(zip(stored.quota_keys, stored.quota_changes, strict=True)),
        days=tuple(zip(stored.days_keys, stored.days_changes, strict=True)),
        answer=stored.whole_answer, basis=stored.basis, commit=block.commit, recorded_ms=block.recorded_ms,
        position=position,
    )  # fmt: skip
    if not stored.answer:
        return record
    answer = put_together(stored.answer, stored.lines, record._frame())
    if checksum_of(answer) != stored.answer_checksum:
        raise ValueError("its answer does not come out as it was sent")
    return replace(record, answer=answer)


def _usual_last(kind: Kind, key: bytes, state_key: bytes | None) -> bytes:
    """Return what stands last in the year after a record that does not say it."""
    return key if kind == Kind.SETTLE and state_key is not None else ZERO_DIGEST


def _pack_digests(digests: tuple[int, ...]) -> bytes:
    """Return how many, which are not 0, and these.

    >>> _pack_digests((7, 0, 0x10203)).hex()
    '03050703'
    """
    low = bytes(digest & 0xFF for digest in digests)
    bits = sum(1 << place for place, digest in enumerate(low) if digest)
    return bytes([len(low)]) + bits.to_bytes((len(low) + 7) // 8, "little") + low.replace(b"\0", b"") if low else b""


def _unpack_digests(data: bytes) -> tuple[int, ...]:
    if not data:
        return ()
    count, at = data[0], 1 + (data[0] + 7) // 8
    bits, digests = int.from_bytes(data[1:at], "little"), []
    for place in range(count):
        there = bits >> place & 1
        digests.append(data[at] if there else 0)
        at += there
    if at != len(data):
        raise ValueError("its field digests do not add up")
    return tuple(digests)
