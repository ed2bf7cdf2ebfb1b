"""The journal record: what one settlement, reversal or posting left behind, in one value that is written once.

Layout, little-endian, every section padded to 8 bytes so that a kernel can write it word by word::

    header (HEADER)            who, when, which, digests, sizes of what follows
    institution + encounter    UTF-8
    field digests              u32 each, in the order of the claim message: "same key, other content" names the field
    postings (POSTING)         county, scheme, fund, amount
    deltas (DELTA)             slot of the person's year, change
    quota deltas (QUOTA_DELTA) disease quota, change
    answer                     the serialised Settlement (for a posting: its note as JSON)
    basis                      what the engine needs to explain the settlement later; opaque to the ledger

``ledger.posting`` writes batches of records; this module reads and writes single ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np

from adjudicator.columns import ACCUMULATOR_COUNT
from adjudicator.errors import E, refuse
from adjudicator.ledger.posting import checksum

FORMAT = 1
ZERO_DIGEST = bytes(16)


class Kind(IntEnum):
    """What a record is; the first two are the directions of the wire."""

    SETTLE = 1
    REVERSE = 2
    POSTING = 3


HAS_STATE = 1
"""Flag: the settlement counts in a person's year."""

HEADER = np.dtype(
    [
        ("format", "<u2"), ("kind", "u1"), ("flags", "u1"), ("pool", "<u4"),
        ("month", "<u4"),  # YYYYMM that the amounts count in
        ("settlement_date", "<u4"),
        ("benefit_year", "<u4"), ("scheme", "<u4"),
        ("sequence", "<u4"), ("answer_size", "<u4"),
        ("institution_size", "<u2"), ("encounter_size", "<u2"), ("field_count", "<u2"), ("posting_count", "<u2"),
        ("delta_count", "<u2"), ("quota_count", "<u2"), ("county", "<u4"),
        ("commit", "<u8"),  # drawn anew for each commit: tells our own write from another's after a lost answer
        ("recorded_ms", "<i8"),
        ("basis_words", "<u4"), ("spare", "<u4"),
        ("key", "u1", 16), ("content", "u1", 16), ("person", "u1", 16), ("state_key", "u1", 16),
        ("previous", "u1", 16),  # the state's last settlement before this record
        ("last", "u1", 16),  # and after it
        ("original", "u1", 16),  # the settlement that a reversal takes back
        ("checksum", "<u8"),  # over the whole record with this field zero
    ]
)  # fmt: skip
CHECKSUM_WORD = (HEADER.itemsize - 8) // 8
assert HEADER.itemsize % 8 == 0

POSTING = np.dtype([("county", "<u4"), ("scheme", "<u2"), ("fund", "<u2"), ("amount_fen", "<i8")])
DELTA = np.dtype([("slot", "<i8"), ("change", "<i8")])
QUOTA_DELTA = np.dtype([("key", "<u8"), ("change", "<i8")])
STATE = np.dtype([("version", "<u8"), ("last", "u1", 16), ("slots", "<i8", ACCUMULATOR_COUNT)])
"""A person's year in a scheme; quota pairs (columns.QUOTA) follow it."""


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
    postings: tuple[tuple[int, int, int, int], ...] = ()
    deltas: tuple[tuple[int, int], ...] = ()
    quotas: tuple[tuple[int, int], ...] = ()
    answer: bytes = b""
    basis: bytes = b""
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
        return next((position for position, (ours, theirs) in enumerate(pairs) if ours != theirs), -1)

    def placed(self, position: int) -> Record:
        """The same record with its place in the journal."""
        return replace(self, position=position)

    def to_bytes(self) -> bytes:
        """The record as it stands in the journal."""
        institution, encounter = self.institution.encode(), self.encounter.encode()
        header = np.zeros(1, HEADER)
        for name, value in (
            ("format", FORMAT), ("kind", self.kind), ("flags", HAS_STATE if self.state_key is not None else 0),
            ("pool", self.pool), ("month", self.month), ("settlement_date", self.settlement_date),
            ("benefit_year", self.benefit_year), ("scheme", self.scheme), ("sequence", self.sequence),
            ("answer_size", len(self.answer)), ("institution_size", len(institution)),
            ("encounter_size", len(encounter)), ("field_count", len(self.field_digests)),
            ("posting_count", len(self.postings)), ("delta_count", len(self.deltas)),
            ("quota_count", len(self.quotas)), ("county", self.county), ("commit", self.commit),
            ("recorded_ms", self.recorded_ms), ("basis_words", _up(len(self.basis)) // 8),
        ):  # fmt: skip
            header[name] = value
        digests = ("key", "content", "person", "state_key", "previous", "last", "original")
        for name in digests:
            header[name] = np.frombuffer(getattr(self, name) or ZERO_DIGEST, np.uint8)
        parts = [
            header.tobytes(),
            _padded(institution + encounter),
            _padded(np.array(self.field_digests, "<u4").tobytes()),
            np.array(list(self.postings), POSTING).tobytes(),
            np.array(list(self.deltas), DELTA).tobytes(),
            np.array(list(self.quotas), QUOTA_DELTA).tobytes(),
            _padded(self.answer),
            _padded(self.basis),
        ]
        words = np.frombuffer(bytearray(b"".join(parts)), np.uint64)
        words[CHECKSUM_WORD] = checksum(words, 0, len(words))
        return words.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes, position: int = 0) -> Record:
        """Reads a record. Errors: E.LEDGER_CORRUPT when it is cut, altered or of another format."""
        try:
            return cls._read(data, position)
        except (ValueError, IndexError, UnicodeDecodeError) as error:
            raise refuse(E.LEDGER_CORRUPT, detail=f"journal entry {position} cannot be read") from error

    @classmethod
    def _read(cls, data: bytes, position: int) -> Record:
        header = np.frombuffer(data, HEADER, 1)[0]
        words = np.frombuffer(data, np.uint64).copy()
        stored, words[CHECKSUM_WORD] = int(words[CHECKSUM_WORD]), 0
        if header["format"] != FORMAT or int(checksum(words, 0, len(words))) != stored:
            raise ValueError("format or checksum")
        at = HEADER.itemsize
        split, end = int(header["institution_size"]), int(header["institution_size"]) + int(header["encounter_size"])
        names = data[at : at + end]
        at += _up(end)
        fields = np.frombuffer(data, "<u4", int(header["field_count"]), at)
        at += _up(fields.nbytes)
        postings = np.frombuffer(data, POSTING, int(header["posting_count"]), at)
        at += postings.nbytes
        deltas = np.frombuffer(data, DELTA, int(header["delta_count"]), at)
        at += deltas.nbytes
        quotas = np.frombuffer(data, QUOTA_DELTA, int(header["quota_count"]), at)
        at += quotas.nbytes
        answer = data[at : at + int(header["answer_size"])]
        at += _up(len(answer))
        basis = data[at : at + 8 * int(header["basis_words"])]
        if at + len(basis) != len(data) or len(answer) != header["answer_size"]:
            raise ValueError("size")
        state_key = header["state_key"].tobytes() if header["flags"] & HAS_STATE else None
        return cls(
            Kind(int(header["kind"])), int(header["pool"]), int(header["month"]),
            header["key"].tobytes(), header["content"].tobytes(),
            int(header["settlement_date"]), int(header["benefit_year"]), int(header["scheme"]), int(header["county"]),
            names[:split].decode(), names[split:].decode(), int(header["sequence"]), header["person"].tobytes(),
            state_key, header["previous"].tobytes(), header["last"].tobytes(), header["original"].tobytes(),
            tuple(fields.tolist()), tuple(postings.tolist()), tuple(deltas.tolist()), tuple(quotas.tolist()), answer,
            basis,
            int(header["commit"]), int(header["recorded_ms"]), position,
        )  # fmt: skip


def _up(size: int) -> int:
    return (size + 7) // 8 * 8


def _padded(data: bytes) -> bytes:
    return data.ljust(_up(len(data)), b"\0")
