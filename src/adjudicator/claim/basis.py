"""What a journal record keeps of its claim: enough to explain it, to count it in its month and to price it again.

``RecordBasis`` (proto/adjudicator/v1/record.proto) is written from columns with the generic encoder and read with the
protobuf library. Its fields have names, so the layout of the columns in memory may change without touching what is
stored. The fee lines are not kept: their split stands in the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from google.protobuf.message import DecodeError, Message

from adjudicator.benefit.records import PART
from adjudicator.claim.kin import ELSEWHERE
from adjudicator.claim.state import STORED, StoredOrder
from adjudicator.columns import CLAIM, SPLIT
from adjudicator.compiled.jit import uncounted_inlined, uncounted_kernel
from adjudicator.errors import E, refuse
from adjudicator.v1.record_pb2 import BundleRows, ClaimFacts, LineSums, RecordBasis
from adjudicator.wire.schema import STRING_TABLE, Tables, compile_schema

_ROOT: Any = RecordBasis.DESCRIPTOR
SCHEMA = compile_schema(_ROOT)

_PARTS = {"facts": ClaimFacts.DESCRIPTOR, "rows": BundleRows.DESCRIPTOR, "sums": LineSums.DESCRIPTOR}

NOT_STORED = (
    "line_start", "line_end", "state", "quota", "error", "error_line", "stay_row", "stay_row_over_years",
    "stay_charged_fen", "stay_charged_over_years_fen",
)  # fmt: skip
"""Columns of CLAIM that mean something within one batch only; those of a stay in parts follow from its records."""


class PricedOver(NamedTuple):
    """The year of each claim, as it was priced over."""

    accumulators: np.ndarray
    """int64[n, ACCUMULATOR_COUNT]."""
    quota_keys: np.ndarray
    """uint64[n]: disease quota of a period that applied, 0 none."""
    quota_used: np.ndarray
    """int64[n] fen that this quota had used."""
    elsewhere: np.ndarray
    """int64[n, len(ELSEWHERE)]: of the accumulators, what is in the person's years in other schemes."""


class Diagnoses(NamedTuple):
    """The diagnoses of claims as text: claim i has the codes ``starts[i]`` to ``ends[i]``, the principal one first."""

    text: np.ndarray
    """uint8: where the codes stand."""
    starts: np.ndarray
    """int64[n]."""
    ends: np.ndarray
    """int64[n]."""
    codes: np.ndarray
    """STRING_TABLE."""

    @classmethod
    def none(cls, count: int) -> Diagnoses:
        """Claims without diagnoses."""
        nothing = np.zeros(count, np.int64)
        return cls(np.zeros(0, np.uint8), nothing, nothing, np.zeros(0, STRING_TABLE))


# Columns of a table of copies.
_FROM, _TO, _PRESENT = range(3)


class Layout(NamedTuple):
    """Which columns of memory become which fields of the message.

    ``facts``, ``rows``, ``sums`` int64[m, 3]: words of four bytes from, to, and the byte that says that an optional
    field is there (-1: always). ``flags`` int64[m, 2]: bytes from, to.
    """

    facts: np.ndarray
    flags: np.ndarray
    rows: np.ndarray
    sums: np.ndarray


def layout_of(claim: np.dtype[Any], split: np.dtype[Any]) -> Layout:
    """Return what ``fill_basis`` copies from records with the columns of CLAIM and SPLIT, and perhaps others.

    Raises ValueError for a field of the message that has no column of its size.
    """
    facts, flags = _copies(claim, "facts")
    rows, _ = _copies(claim, "rows")
    sums, _ = _copies(split, "sums")
    return Layout(facts, flags, rows, sums)


def _copies(source: np.dtype[Any], path: str) -> tuple[np.ndarray, np.ndarray]:
    """Copy of words and of single bytes into the table of one part of the message."""
    target = SCHEMA.dtype(path)
    words: list[tuple[int, int, int]] = []
    flags: list[tuple[int, int]] = []
    for member in _PARTS[path].fields:
        name = member.name
        if name not in (source.names or ()) or source[name].itemsize != target[name].itemsize:
            raise ValueError(f"RecordBasis.{path}.{name} has no column of its size in memory")
        start, end, size = _offset(source, name), _offset(target, name), target[name].itemsize
        if size == 1:
            flags.append((start, end))
        else:
            present = _offset(target, f"has_{name}") if member.has_presence else -1
            words += ((start // 4 + word, end // 4 + word, present) for word in range(size // 4))
    return np.array(words, np.int64).reshape(-1, 3), np.array(flags, np.int64).reshape(-1, 2)


def _offset(dtype: np.dtype[Any], name: str) -> int:
    fields: Any = dtype.fields
    return int(fields[name][1])


_LAYOUT = layout_of(CLAIM, SPLIT)


class _Source(NamedTuple):
    """Records of claims and of the sums over their lines, seen as words and bytes."""

    claims: np.ndarray  # int32[n, words]
    flags: np.ndarray  # uint8[n, bytes]
    splits: np.ndarray  # int32[n, words]


class _Target(NamedTuple):
    """Tables of the message: the root as records, its parts as words and bytes."""

    root: np.ndarray
    facts: np.ndarray
    facts_bytes: np.ndarray
    rows: np.ndarray
    rows_bytes: np.ndarray
    sums: np.ndarray
    sums_bytes: np.ndarray
    year_numbers: np.ndarray
    year_amounts: np.ndarray
    elsewhere_numbers: np.ndarray
    elsewhere_amounts: np.ndarray


@uncounted_inlined
def _copy(i: int, source: np.ndarray, target: np.ndarray, present: np.ndarray, copies: np.ndarray) -> int:
    """Copy the words of row i; an optional column that is negative is left out."""
    for k in range(copies.shape[0]):
        value, byte = source[i, copies[k, _FROM]], copies[k, _PRESENT]
        if byte < 0 or value >= 0:
            target[i, copies[k, _TO]] = value
            if byte >= 0:
                present[i, byte] = 1
    return 0


_ELSEWHERE_NUMBERS = STORED.numbers[np.argsort(STORED.places)][ELSEWHERE]
"""Permanent numbers of the accumulators that count over all schemes."""


@uncounted_kernel
def _fill(
    rules_hash: np.uint64, source: _Source, layout: Layout, order: StoredOrder, year: PricedOver, diagnoses: Diagnoses,
    out: _Target,
) -> None:  # fmt: skip
    """Fill the tables of the message, one row a claim; they are zero before, with room for every amount."""
    pairs, others = 0, 0
    for i in range(source.claims.shape[0]):
        row = out.root[i]
        row.rules_hash = rules_hash
        row.facts, row.rows, row.sums = i, i, i
        _copy(i, source.claims, out.facts, out.facts_bytes, layout.facts)
        for k in range(layout.flags.shape[0]):
            out.facts_bytes[i, layout.flags[k, _TO]] = source.flags[i, layout.flags[k, _FROM]]
        _copy(i, source.claims, out.rows, out.rows_bytes, layout.rows)
        _copy(i, source.splits, out.sums, out.sums_bytes, layout.sums)
        if diagnoses.ends[i] > diagnoses.starts[i]:
            code = diagnoses.codes[diagnoses.starts[i]]
            row.principal_diagnosis_start, row.principal_diagnosis_size = code["start"], code["size"]
        if year.quota_keys[i] != 0:
            row.quota_used_fen, row.has_quota_used_fen = year.quota_used[i], 1
        row.year_numbers_start, row.year_amounts_start = pairs, pairs
        for k in range(order.numbers.shape[0]):
            amount = year.accumulators[i, order.places[k]]
            if amount != 0:
                out.year_numbers[pairs].value = order.numbers[k]
                out.year_amounts[pairs].value = amount
                pairs += 1
        row.year_numbers_end, row.year_amounts_end = pairs, pairs
        row.elsewhere_numbers_start, row.elsewhere_amounts_start = others, others
        for k in range(_ELSEWHERE_NUMBERS.shape[0]):
            amount = year.elsewhere[i, k]
            if amount != 0:
                out.elsewhere_numbers[others].value = _ELSEWHERE_NUMBERS[k]
                out.elsewhere_amounts[others].value = amount
                others += 1
        row.elsewhere_numbers_end, row.elsewhere_amounts_end = others, others


class Origin(NamedTuple):
    """What the messages of n settlements are made of."""

    rules_hash: str
    """16 hexadecimal characters."""
    claims: np.ndarray
    """CLAIM[n] as they were priced."""
    splits: np.ndarray
    """SPLIT[n]"""
    year: PricedOver
    diagnoses: Diagnoses
    parts: np.ndarray
    """PART[n]: what each was as a part of its stay; no row where none is a part of a stay that goes on."""

    @property
    def of_stays(self) -> np.ndarray:
        """Return the rows int64[k] of the parts of stays that go on."""
        return np.flatnonzero(self.claims["mid_stay"]) if len(self.parts) else np.zeros(0, np.int64)

    @property
    def rows(self) -> dict[str, int]:
        """Rows of each table of ``SCHEMA``."""
        count, pairs = len(self.claims), int(np.count_nonzero(self.year.accumulators))
        others = int(np.count_nonzero(self.year.elsewhere))
        return {
            "": count, "facts": count, "rows": count, "sums": count, "year_numbers": pairs, "year_amounts": pairs,
            "elsewhere_numbers": others, "elsewhere_amounts": others, "stay_part": len(self.of_stays),
        }  # fmt: skip


def fill_basis(origin: Origin, tables: Tables, layout: Layout = _LAYOUT, order: StoredOrder = STORED) -> None:
    """Fill ``tables``, allocated with ``origin.rows`` of ``SCHEMA``; whatever they hold is overwritten."""
    claims, splits = np.ascontiguousarray(origin.claims), np.ascontiguousarray(origin.splits)
    count = len(claims)
    tables.arena.fill(0)
    facts, rows, sums = tables["facts"], tables["rows"], tables["sums"]
    target = _Target(
        tables[""],
        facts.view(np.int32).reshape(count, -1), facts.view(np.uint8).reshape(count, -1),
        rows.view(np.int32).reshape(count, -1), rows.view(np.uint8).reshape(count, -1),
        sums.view(np.int32).reshape(count, -1), sums.view(np.uint8).reshape(count, -1),
        tables["year_numbers"], tables["year_amounts"], tables["elsewhere_numbers"], tables["elsewhere_amounts"],
    )  # fmt: skip
    source = _Source(
        claims.view(np.int32).reshape(count, -1),
        claims.view(np.uint8).reshape(count, -1),
        splits.view(np.int32).reshape(count, -1),
    )
    for array in source:
        array.flags.writeable = False  # the columns of a whole batch are read-only, those of some rows not: one type
    _fill(np.uint64(int(origin.rules_hash, 16)), source, layout, order, origin.year, origin.diagnoses, target)
    _fill_parts(origin, tables)


def _fill_parts(origin: Origin, tables: Tables) -> None:
    """Fill what parts of stays were; few claims are one."""
    numbers, rows = tables[""]["stay_part"], origin.of_stays
    numbers[:] = -1
    if len(rows):
        numbers[rows] = np.arange(len(rows))
        for name in PART.names or ():
            tables["stay_part"][name] = origin.parts[name][rows]


def read_basis(data: bytes) -> RecordBasis | None:
    """Return what a record keeps of its claim, None where it keeps nothing. Errors: E.LEDGER_CORRUPT."""
    if not data:
        return None
    try:
        return RecordBasis.FromString(data)
    except DecodeError as error:
        raise refuse(E.LEDGER_CORRUPT, detail="what a record keeps of its claim cannot be read") from error


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the benefit stage takes: CLAIM[1], SPLIT[1], int64[ACCUMULATOR_COUNT] the year before, use of the quota."""

    claim: np.ndarray
    split: np.ndarray
    year: np.ndarray
    quota_used_fen: int


def inputs_of(basis: RecordBasis, rules_hash: str) -> Inputs | None:
    """Return what a settlement was priced from, as columns of this version.

    None where it was priced under other rules than ``rules_hash`` or over an amount that this version does not know.
    """
    place_of = STORED.place_of
    known = all(
        number < len(place_of) and place_of[number] >= 0 for number in (*basis.year_numbers, *basis.elsewhere_numbers)
    )
    if basis.rules_hash != int(rules_hash, 16) or not known:
        return None
    claim, split = np.zeros(1, CLAIM), np.zeros(1, SPLIT)
    _read_part(basis.facts, claim)
    _read_part(basis.rows, claim)
    _read_part(basis.sums, split)
    claim["state"], claim["quota"] = 0, 0 if basis.HasField("quota_used_fen") else -1
    claim["error_line"] = -1
    return Inputs(claim, split, year_before(basis), basis.quota_used_fen)


def year_before(basis: RecordBasis) -> np.ndarray:
    """Return the year that a settlement was priced over, int64[ACCUMULATOR_COUNT]; its amounts are all known."""
    year = np.zeros(len(STORED.numbers), np.int64)
    year[STORED.place_of[list(basis.year_numbers)]] = list(basis.year_amounts)
    return year


def stay_part_of(basis: RecordBasis) -> np.ndarray:
    """Return PART[1]: what a settlement was as a part of its stay; all zero where the record does not say."""
    part = np.zeros(1, PART)
    _read_part(basis.stay_part, part)
    return part


def elsewhere_of(basis: RecordBasis) -> dict[int, int]:
    """Return what other schemes' years had when a settlement was priced: place of the accumulator -> amount."""
    places = STORED.place_of[list(basis.elsewhere_numbers)].tolist()
    return dict(zip(places, basis.elsewhere_amounts, strict=True))


def _read_part(part: Message, row: np.ndarray) -> None:
    """Set the columns of a record from the fields of the same names; an optional field that is not there is -1."""
    for member in part.DESCRIPTOR.fields:
        absent = member.has_presence and not part.HasField(member.name)
        row[member.name] = -1 if absent else getattr(part, member.name)
