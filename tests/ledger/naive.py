"""The ledger on paper: records written byte by byte from docs/ledger.md, and a ledger that is a handful of dicts."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from adjudicator.columns import ACCUMULATORS
from adjudicator.v1 import record_pb2, settlement_pb2

MASK = 2**64 - 1
NUMBER = {name: number for number, name in ACCUMULATORS}


def pad(data: bytes) -> bytes:
    """Fills up to a multiple of eight bytes."""
    while len(data) % 8:
        data += b"\0"
    return data


def checksum(data: bytes, value: int = 0x9E3779B97F4A7C15) -> int:
    """Multiply and fold, word by word."""
    for (word,) in struct.iter_unpack("<Q", pad(data)):
        value = (value ^ word) * 0xFF51AFD7ED558CCD & MASK
        value ^= value >> 29
    return value


def numbered(amounts: dict[str, int]) -> bytes:
    """Amounts by accumulator: the numbers in ascending order, then the amounts."""
    listed = sorted((NUMBER[name], amount) for name, amount in amounts.items())
    numbers = b"".join(struct.pack("<H", number) for number, _ in listed)
    return pad(numbers) + b"".join(struct.pack("<q", amount) for _, amount in listed)


def record(
    *, kind, date, year, scheme, sequence, county, institution, encounter, fields, postings, changes, quotas, answer,
    key, content, person, state_key, previous, basis=b"", days=(),
) -> record_pb2.JournalRecord:  # fmt: skip
    """One settlement of the journal without its checksum. ``postings``: fund -> fen; ``changes``: accumulator ->
    change; ``quotas`` and ``days``: key -> change.
    """
    present = [digest & 0xFF for digest in fields]
    bits = sum(1 << place for place, digest in enumerate(present) if digest)
    stored = record_pb2.JournalRecord(
        kind=kind, key=key, content=content, person=person, state_key=state_key, settlement_date=date,
        benefit_year=year, scheme=scheme, county=county, sequence=sequence, institution=institution,
        encounter=encounter, answer_checksum=checksum(answer) & 0xFFFFFFFF,
    )  # fmt: skip
    stored.field_digests = bytes([len(fields)]) + bits.to_bytes(-(-len(fields) // 8), "little")
    stored.field_digests += bytes(digest for digest in present if digest)
    if any(previous):
        stored.previous = previous
    for fund, amount in sorted(postings.items()):
        stored.posting_funds.append(fund)
        stored.posting_amounts.append(amount)
    for number, change in sorted((NUMBER[name], change) for name, change in changes.items()):
        stored.change_numbers.append(number)
        stored.changes.append(change)
    for keys, amounts, pairs in (
        (stored.quota_keys, stored.quota_changes, quotas), (stored.days_keys, stored.days_changes, dict(days)),
    ):  # fmt: skip
        keys.extend(pairs)
        amounts.extend(pairs.values())
    whole = settlement_pb2.Settlement.FromString(answer)
    stored.lines.CopyFrom(fee_lines(whole.lines))
    for name in (
        "institution_code", "encounter_id", "settlement_sequence", "direction", "settlement_id", "rules_hash", "lines",
    ):  # fmt: skip
        whole.ClearField(name)
    stored.answer = whole.SerializeToString()
    if basis:
        stored.basis.ParseFromString(basis)
    return stored


def fee_lines(lines) -> record_pb2.FeeLines:
    """The lines of an answer, column by column."""
    stored, kinds, ids, before = record_pb2.FeeLines(), [], b"", b""
    by_ratio = True
    for line in lines:
        whole = line.wholly_self_paid_fen == line.amount_fen != 0
        kind = (line.first_pay_ppm, 2 * line.item_class + whole, line.note)
        if kind not in kinds:
            kinds.append(kind)
            stored.kind_first_pay_ppm.append(kind[0])
            stored.kind_classes.append(kind[1])
            stored.kind_notes.append(kind[2])
        stored.kinds.append(kinds.index(kind))
        stored.amounts.append(line.amount_fen)
        stored.wholly_self_paid.append(0 if whole else line.wholly_self_paid_fen)
        stored.over_ceiling.append(line.over_ceiling_fen)
        stored.first_pay.append(line.first_pay_fen)
        none = line.price_ceiling_e4 == 999_999_000_000
        stored.price_ceilings.append(0 if none else line.price_ceiling_e4 + 1)
        rest = line.amount_fen - line.wholly_self_paid_fen - line.over_ceiling_fen
        by_ratio &= line.first_pay_fen == (rest * line.first_pay_ppm + 500_000) // 1_000_000
        new = line.line_id.encode()
        common = 0
        while common < min(len(new), len(before)) and new[common] == before[common]:
            common += 1
        counts_up = before[-1:].isdigit() and new == before[:1] + str(int(before[1:]) + 1).encode()  # L7, L8
        ids += b"\0" if counts_up else bytes([1 + common, len(new) - common]) + new[common:]
        before = new
    stored.line_ids = ids
    if by_ratio and any(stored.first_pay):
        stored.first_pay_by_ratio = True
        del stored.first_pay[:]
    for column in (
        stored.kinds, stored.wholly_self_paid, stored.over_ceiling, stored.first_pay, stored.price_ceilings,
    ):  # fmt: skip
        if not any(column):
            del column[:]
    return stored


def block(records, *, pool, month, commit, recorded_ms) -> bytes:
    """Records as one value of the journal."""
    head = record_pb2.JournalBlock(
        format=3, count=len(records), pool=pool, month=month, commit=commit, recorded_ms=recorded_ms
    ).SerializeToString()
    seed, data = checksum(head), head
    for one in records:
        one.checksum = checksum(one.SerializeToString(), seed)
        data += record_pb2.JournalBlock(records=[one]).SerializeToString()
    return data


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last have their high bit set."""
    return bytes([value]) if value < 128 else bytes([value % 128 + 128]) + varint(value // 128)


def statement_run(before: int, entries: list[tuple[int, int, int, int, int, int, int]]) -> bytes:
    """What a commit appends to the statement of an institution and month (docs/ledger.md).

    ``before``: position before the commit's first record. Entries: position, day, scheme, 1 of a reversal, total,
    funds, account.
    """
    data, last = varint(before) + varint(len(entries)), before
    for position, day, scheme, reversed_, *amounts in entries:
        data += varint(position - last - 1) + varint(scheme * 64 + day * 2 + reversed_)
        for amount in amounts:
            data += varint(2 * amount if amount >= 0 else -2 * amount - 1)
        last = position
    return data


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
