"""The journal record: what one settlement, reversal or posting left behind, in one value that is written once.

``ledger.layout`` says where everything stands in it. ``ledger.posting`` writes batches of records; this module reads
and writes single ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from adjudicator.errors import E, refuse
from adjudicator.ledger.layout import (
    CHANGE,
    CHECKSUM_WORD,
    FORMAT,
    HAS_STATE,
    HEADER,
    KEYED_CHANGE,
    NUMBER,
    POSTING,
    ZERO_DIGEST,
    Kind,
    padded,
    words_of,
)
from adjudicator.ledger.posting import checksum

_DIGESTS = ("key", "content", "person", "state_key", "previous", "last", "original")


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
        return next((position for position, (ours, theirs) in enumerate(pairs) if ours != theirs), -1)

    def placed(self, position: int) -> Record:
        """Return the same record with its place in the journal."""
        return replace(self, position=position)

    def to_bytes(self) -> bytes:
        """Return the record as it stands in the journal."""
        institution, encounter = self.institution.encode(), self.encounter.encode()
        header = np.zeros(1, HEADER)
        for name, value in (
            ("format", FORMAT), ("kind", self.kind), ("flags", HAS_STATE if self.state_key is not None else 0),
            ("pool", self.pool), ("month", self.month), ("settlement_date", self.settlement_date),
            ("benefit_year", self.benefit_year), ("scheme", self.scheme), ("sequence", self.sequence),
            ("answer_size", len(self.answer)), ("institution_size", len(institution)),
            ("encounter_size", len(encounter)), ("field_count", len(self.field_digests)),
            ("posting_count", len(self.postings)), ("change_count", len(self.changes)),
            ("quota_count", len(self.quotas)), ("days_count", len(self.days)), ("county", self.county),
            ("commit", self.commit), ("recorded_ms", self.recorded_ms), ("basis_size", len(self.basis)),
        ):  # fmt: skip
            header[name] = value
        for name in _DIGESTS:
            header[name] = np.frombuffer(getattr(self, name) or ZERO_DIGEST, np.uint8)
        parts = [
            header.tobytes(),
            padded(institution + encounter),
            padded(np.array(self.field_digests, "<u4").tobytes()),
            np.array(list(self.postings), POSTING).tobytes(),
            padded(np.array([number for number, _ in self.changes], NUMBER).tobytes()),
            np.array([change for _, change in self.changes], CHANGE).tobytes(),
            np.array(list(self.quotas), KEYED_CHANGE).tobytes(),
            np.array(list(self.days), KEYED_CHANGE).tobytes(),
            padded(self.answer),
            padded(self.basis),
        ]
        words = np.frombuffer(bytearray(b"".join(parts)), np.uint64)
        words[CHECKSUM_WORD] = checksum(words, 0, len(words))
        return words.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes, position: int = 0) -> Record:
        """Read a record. Errors: E.LEDGER_CORRUPT when it is cut, altered or of another format; the text says which."""
        try:
            _check(data)
            return cls._read(data, position)
        except (ValueError, IndexError, UnicodeDecodeError) as error:
            raise refuse(E.LEDGER_CORRUPT, detail=f"journal entry {position}: {error}") from error

    @classmethod
    def _read(cls, data: bytes, position: int) -> Record:
        sections = _Sections(data)
        header = sections.header
        split, end = int(header["institution_size"]), int(header["institution_size"]) + int(header["encounter_size"])
        names = sections.octets(end)
        fields = sections.array(np.dtype("<u4"), header["field_count"])
        postings = sections.array(POSTING, header["posting_count"])
        numbers = sections.array(NUMBER, header["change_count"])
        changes = zip(numbers.tolist(), sections.array(CHANGE, header["change_count"]).tolist(), strict=True)
        quotas = sections.array(KEYED_CHANGE, header["quota_count"])
        days = sections.array(KEYED_CHANGE, header["days_count"])
        answer, basis = sections.octets(header["answer_size"]), sections.octets(header["basis_size"])
        if sections.at != len(data):
            raise ValueError("its sizes do not add up")
        state_key = header["state_key"].tobytes() if header["flags"] & HAS_STATE else None
        return cls(
            Kind(int(header["kind"])), int(header["pool"]), int(header["month"]),
            header["key"].tobytes(), header["content"].tobytes(),
            int(header["settlement_date"]), int(header["benefit_year"]), int(header["scheme"]), int(header["county"]),
            names[:split].decode(), names[split:].decode(), int(header["sequence"]), header["person"].tobytes(),
            state_key, header["previous"].tobytes(), header["last"].tobytes(), header["original"].tobytes(),
            tuple(fields.tolist()), tuple(postings.tolist()), tuple(changes), tuple(quotas.tolist()),
            tuple(days.tolist()), answer, basis,
            int(header["commit"]), int(header["recorded_ms"]), position,
        )  # fmt: skip


class _Sections:
    """Reads the sections of one record one after the other. Raises ValueError where the bytes end too early."""

    def __init__(self, data: bytes):
        self.data, self.header, self.at = data, np.frombuffer(data, HEADER, 1)[0], HEADER.itemsize

    def octets(self, size: int) -> bytes:
        """Bytes of a section."""
        start, self.at = self.at, self.at + 8 * words_of(int(size))
        return self.data[start : start + int(size)]

    def array(self, dtype: np.dtype, count: int) -> np.ndarray:
        """Values of a section."""
        start, self.at = self.at, self.at + 8 * words_of(int(count) * dtype.itemsize)
        return np.frombuffer(self.data, dtype, int(count), start)


def _check(data: bytes) -> None:
    """Raise ValueError unless the bytes are a whole record of this format."""
    if why := why_unreadable(data):
        raise ValueError(why)
    words = np.frombuffer(data, np.uint64).copy()
    stored, words[CHECKSUM_WORD] = int(words[CHECKSUM_WORD]), 0
    if int(checksum(words, 0, len(words))) != stored:
        raise ValueError("its checksum does not hold")


def why_unreadable(data: bytes) -> str:
    """Say what can be seen without its checksum to be wrong with a record; empty: nothing.

    >>> why_unreadable(b"")
    'it is cut'
    >>> why_unreadable(bytes([1]) + bytes(HEADER.itemsize - 1))
    'it is of record format 1, this version reads format 2'
    """
    if len(data) < HEADER.itemsize or len(data) % 8:
        return "it is cut"
    found = int.from_bytes(data[:2], "little")
    return "" if found == FORMAT else f"it is of record format {found}, this version reads format {FORMAT}"
