"""The ledger on paper: records written byte by byte from docs/ledger.md, and a ledger that is a handful of dicts."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from adjudicator.columns import ACCUMULATORS

MASK = 2**64 - 1
NUMBER = {name: number for number, name in ACCUMULATORS}


def pad(data: bytes) -> bytes:
    """Fills up to a multiple of eight bytes."""
    while len(data) % 8:
        data += b"\0"
    return data


def checksum(data: bytes) -> int:
    """Multiply and fold, word by word."""
    value = 0x9E3779B97F4A7C15
    for (word,) in struct.iter_unpack("<Q", data):
        value = (value ^ word) * 0xFF51AFD7ED558CCD & MASK
        value ^= value >> 29
    return value


def numbered(amounts: dict[str, int]) -> bytes:
    """Amounts by accumulator: the numbers in ascending order, then the amounts."""
    listed = sorted((NUMBER[name], amount) for name, amount in amounts.items())
    numbers = b"".join(struct.pack("<H", number) for number, _ in listed)
    return pad(numbers) + b"".join(struct.pack("<q", amount) for _, amount in listed)


def record(
    *, kind, pool, month, date, year, scheme, sequence, county, institution, encounter, fields, postings, changes,
    quotas, answer, commit, recorded_ms, key, content, person, state_key, previous, last, original=bytes(16),
    basis=b"", days=(),
) -> bytes:  # fmt: skip
    """One journal record. ``postings``: fund -> fen; ``changes``: accumulator -> change; ``quotas`` and ``days``:
    key -> change.
    """
    institution, encounter = institution.encode(), encounter.encode()
    head = struct.pack("<HBBI", 2, kind, 1 if state_key else 0, pool)
    head += struct.pack("<IIII", month, date, year, scheme)
    head += struct.pack("<II", sequence, len(answer))
    head += struct.pack("<HHHH", len(institution), len(encounter), len(fields), len(postings))
    head += struct.pack("<HHI", len(changes), len(quotas), county)
    head += struct.pack("<Qq", commit, recorded_ms)
    head += struct.pack("<IHH", len(basis), len(days), 0)
    head += key + content + person + (state_key or bytes(16)) + previous + last + original
    body = pad(institution + encounter)
    body += pad(b"".join(struct.pack("<I", value) for value in fields))
    for fund, amount in sorted(postings.items()):
        body += struct.pack("<IHHq", county, scheme, fund, amount)
    body += numbered(changes)
    for key_, change in (*quotas.items(), *dict(days).items()):
        body += struct.pack("<Qq", key_, change)
    body += pad(answer) + pad(basis)
    return head + struct.pack("<Q", checksum(head + bytes(8) + body)) + body


@dataclass
class Year:
    """A person's year: how often it was written, the latest settlement that stands, amounts by name and quota."""

    version: int = 0
    last: bytes = bytes(16)
    amounts: dict[str, int] = field(default_factory=dict)
    quotas: dict[int, int] = field(default_factory=dict)
    days: dict[int, int] = field(default_factory=dict)

    def value(self) -> bytes:
        """As stored."""
        amounts = {name: amount for name, amount in self.amounts.items() if amount}
        data = struct.pack("<Q", self.version) + self.last
        data += struct.pack("<HHHH", 2, len(amounts), len(self.quotas), len(self.days)) + numbered(amounts)
        return data + b"".join(
            struct.pack("<Qq", key, used) for key, used in (*self.quotas.items(), *self.days.items())
        )


@dataclass
class Entry:
    """What a settlement left behind."""

    key: bytes
    state_key: bytes
    month: int
    county: int
    scheme: int
    funds: dict[int, int]
    changes: dict[str, int]
    quotas: dict[int, int]
    previous: bytes
    days: dict[int, int] = field(default_factory=dict)


@dataclass
class DictLedger:
    """The rules of the ledger in their plainest form."""

    entries: dict[bytes, Entry] = field(default_factory=dict)
    reversals: dict[bytes, bytes] = field(default_factory=dict)
    years: dict[bytes, Year] = field(default_factory=dict)
    totals: dict[tuple[int, int, int, int], int] = field(default_factory=dict)
    records: int = 0

    def settle(self, entry: Entry) -> str:
        """``settled``, or ``known`` when the key has been settled."""
        if entry.key in self.entries:
            return "known"
        self._write(entry, 1)
        year = self.years[entry.state_key]
        entry.previous, year.last = year.last, entry.key
        self.entries[entry.key] = entry
        return "settled"

    def reverse(self, key: bytes, reversal_key: bytes) -> str:
        """``reversed``, ``known``, ``missing``, or ``later`` when another settlement of the year must go first."""
        if key not in self.entries:
            return "missing"
        if reversal_key in self.reversals:
            return "known"
        entry = self.entries[key]
        if self.years[entry.state_key].last != key:
            return "later"
        self._write(entry, -1)
        self.years[entry.state_key].last = entry.previous
        self.reversals[reversal_key] = key
        return "reversed"

    def _write(self, entry: Entry, sign: int) -> None:
        self.records += 1
        year = self.years.setdefault(entry.state_key, Year())
        year.version += 1
        for name, change in entry.changes.items():
            year.amounts[name] = year.amounts.get(name, 0) + sign * change
        for quota, change in entry.quotas.items():
            year.quotas[quota] = year.quotas.get(quota, 0) + sign * change
        for key, change in entry.days.items():
            year.days[key] = year.days.get(key, 0) + sign * change
        for fund, amount in entry.funds.items():
            place = (entry.month, entry.county, entry.scheme, fund)
            self.totals[place] = self.totals.get(place, 0) + sign * amount
