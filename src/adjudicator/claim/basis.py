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
from adjudicator.claim.kept_names import (
    CATEGORIES,
    DIAGNOSES,
    PROCEDURES,
    NameRules,
    Names,
    NameTables,
    count_names,
    fill_names,
)
from adjudicator.claim.kin import ELSEWHERE
from adjudicator.claim.state import STORED, StoredOrder
from adjudicator.columns import CLAIM, SPLIT
from adjudicator.compiled.held import Held, hold
from adjudicator.compiled.jit import inlined, kernel, uncounted_inlined
from adjudicator.compiled.records import copy_common
from adjudicator.errors import E, refuse
from adjudicator.v1.record_pb2 import BundleRows, ClaimFacts, LineSums, RecordBasis
from adjudicator.wire.encode_tables import NO_TEXTS, encode_tables, place_tables
from adjudicator.wire.schema import STRING_TABLE, compile_schema

_ROOT: Any = RecordBasis.DESCRIPTOR
SCHEMA = compile_schema(_ROOT)
_TABLES, _ROW_BYTES = len(SCHEMA.paths), SCHEMA.row_bytes
_ROOT_TABLE, _FACTS, _BUNDLE_ROWS, _SUMS, _STAY_PART = (
    SCHEMA.index[path] for path in ("", "facts", "rows", "sums", "stay_part")
)
_YEAR_NUMBERS, _YEAR_AMOUNTS, _OTHER_NUMBERS, _OTHER_AMOUNTS = (
    SCHEMA.index[path] for path in ("year_numbers", "year_amounts", "elsewhere_numbers", "elsewhere_amounts")
)
_FURTHER, _PROCEDURES, _CATEGORIES = (
    SCHEMA.index[path] for path in ("further_diagnoses", "procedures", "assistance_categories")
)
_ROOT_ROW, _STAY_PART_ROW = SCHEMA.dtype(), SCHEMA.dtype("stay_part")
_YEAR_NUMBER_ROW, _YEAR_AMOUNT_ROW, _OTHER_NUMBER_ROW, _OTHER_AMOUNT_ROW = (
    SCHEMA.dtypes[number] for number in (_YEAR_NUMBERS, _YEAR_AMOUNTS, _OTHER_NUMBERS, _OTHER_AMOUNTS)
)

_NAME_KINDS, _TEXT_BYTES = len(NameTables._fields), STRING_TABLE.itemsize
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


@uncounted_inlined
def _fill(rules: BasisRules, source: _Source, year: PricedOver, out: _Target) -> None:
    """Fill the tables of the message, one row a claim; they are zero before, with room for every amount."""
    rules_hash, layout, order = rules.hash[0], rules.layout, rules.stored
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
        row.stay_part = -1


class Origin(NamedTuple):
    """What the messages of n settlements are made of."""

    claims: np.ndarray
    """CLAIM[n] as they were priced."""
    splits: np.ndarray
    """SPLIT[n]"""
    year: PricedOver
    names: Names
    parts: np.ndarray
    """PART[n]: what each was as a part of its stay; no row where none is a part of a stay that goes on."""


class BasisRules(NamedTuple):
    """What the kernel reads of a bundle and of the message."""

    hash: np.ndarray  # uint64[1]
    layout: Layout
    stored: StoredOrder
    names: NameRules
    fields: np.ndarray  # as WireSchema; the next as well
    tables: np.ndarray
    order: np.ndarray


def basis_rules(rules_hash: str, look: Any, layout: Layout = _LAYOUT, stored: StoredOrder = STORED) -> Held:
    """Return what the kernel reads; ``rules_hash``: 16 hexadecimal characters, ``look``: LookupArrays of the bundle."""
    number = np.array([int(rules_hash, 16)], np.uint64)
    names = NameRules(look.names, look.assistance_of_name, look.needs_diagnosis)
    return hold(BasisRules(number, layout, stored, names, SCHEMA.fields, SCHEMA.tables, SCHEMA.order))


@uncounted_inlined
def _count_rows(names: NameRules, origin: Origin, counts: np.ndarray, bases: np.ndarray) -> int:
    """Write the rows and the first byte of each table; returns the words of all."""
    claims, year = origin.claims, origin.year
    pairs, others, parts = 0, 0, 0
    for i in range(claims.shape[0]):
        for k in range(year.accumulators.shape[1]):
            pairs += year.accumulators[i, k] != 0
        for k in range(year.elsewhere.shape[1]):
            others += year.elsewhere[i, k] != 0
        if origin.parts.shape[0] > 0:
            parts += claims[i].mid_stay != 0
    count_names(names, claims, origin.names, counts[:_NAME_KINDS])
    further, procedures, categories = counts[DIAGNOSES], counts[PROCEDURES], counts[CATEGORIES]
    counts[:] = claims.shape[0]
    counts[_FURTHER], counts[_PROCEDURES], counts[_CATEGORIES] = further, procedures, categories
    counts[_YEAR_NUMBERS], counts[_YEAR_AMOUNTS] = pairs, pairs
    counts[_OTHER_NUMBERS], counts[_OTHER_AMOUNTS], counts[_STAY_PART] = others, others, parts
    return place_tables(counts, _ROW_BYTES, bases)


@inlined
def _texts_of(octets: np.ndarray, base: int, count: int) -> np.ndarray:
    """Return a table of texts at a byte of the tables."""
    return octets[base : base + count * _TEXT_BYTES].view(STRING_TABLE)


@uncounted_inlined
def _fill_parts(origin: Origin, root: np.ndarray, table: np.ndarray) -> None:
    """Fill what parts of stays were; few claims are one."""
    found = 0
    for i in range(origin.parts.shape[0]):
        if origin.claims[i].mid_stay != 0:
            root[i].stay_part = found
            copy_common(origin.parts[i], table[found])
            found += 1


@kernel
def write_basis(held: Held, origin: Origin) -> tuple[np.ndarray, np.ndarray]:
    """Return the messages one behind the other, and int64[n + 1] where each begins.

    The last offset is -1 where a text lies outside its heap.
    """
    rules, count = held.it, origin.claims.shape[0]
    counts, bases = np.empty(_TABLES, np.int64), np.empty(_TABLES, np.int64)
    words = np.zeros(_count_rows(rules.names, origin, counts, bases), np.int64)
    octets, halves = words.view(np.uint8), words.view(np.int32)
    root = octets[bases[_ROOT_TABLE] : bases[_ROOT_TABLE] + count * _ROW_BYTES[_ROOT_TABLE]].view(_ROOT_ROW)
    claims, splits = origin.claims, origin.splits
    source = _Source(
        claims.view(np.int32).reshape(count, claims.itemsize // 4),
        claims.view(np.uint8).reshape(count, claims.itemsize),
        splits.view(np.int32).reshape(count, splits.itemsize // 4),
    )
    facts, rows, sums = bases[_FACTS], bases[_BUNDLE_ROWS], bases[_SUMS]
    facts_end, rows_end = facts + count * _ROW_BYTES[_FACTS], rows + count * _ROW_BYTES[_BUNDLE_ROWS]
    sums_end = sums + count * _ROW_BYTES[_SUMS]
    pairs, others = counts[_YEAR_NUMBERS], counts[_OTHER_NUMBERS]
    target = _Target(
        root,
        halves[facts // 4 : facts_end // 4].reshape(count, _ROW_BYTES[_FACTS] // 4),
        octets[facts:facts_end].reshape(count, _ROW_BYTES[_FACTS]),
        halves[rows // 4 : rows_end // 4].reshape(count, _ROW_BYTES[_BUNDLE_ROWS] // 4),
        octets[rows:rows_end].reshape(count, _ROW_BYTES[_BUNDLE_ROWS]),
        halves[sums // 4 : sums_end // 4].reshape(count, _ROW_BYTES[_SUMS] // 4),
        octets[sums:sums_end].reshape(count, _ROW_BYTES[_SUMS]),
        octets[bases[_YEAR_NUMBERS] : bases[_YEAR_NUMBERS] + pairs * _ROW_BYTES[_YEAR_NUMBERS]].view(_YEAR_NUMBER_ROW),
        octets[bases[_YEAR_AMOUNTS] : bases[_YEAR_AMOUNTS] + pairs * _ROW_BYTES[_YEAR_AMOUNTS]].view(_YEAR_AMOUNT_ROW),
        octets[bases[_OTHER_NUMBERS] : bases[_OTHER_NUMBERS] + others * _ROW_BYTES[_OTHER_NUMBERS]].view(
            _OTHER_NUMBER_ROW
        ),
        octets[bases[_OTHER_AMOUNTS] : bases[_OTHER_AMOUNTS] + others * _ROW_BYTES[_OTHER_AMOUNTS]].view(
            _OTHER_AMOUNT_ROW
        ),
    )
    _fill(rules, source, origin.year, target)
    texts = NameTables(
        _texts_of(octets, bases[_FURTHER], counts[_FURTHER]),
        _texts_of(octets, bases[_PROCEDURES], counts[_PROCEDURES]),
        _texts_of(octets, bases[_CATEGORIES], counts[_CATEGORIES]),
    )
    fill_names(rules.names, claims, origin.names, root, texts)
    parts_end = bases[_STAY_PART] + counts[_STAY_PART] * _ROW_BYTES[_STAY_PART]
    _fill_parts(origin, root, octets[bases[_STAY_PART] : parts_end].view(_STAY_PART_ROW))
    return encode_tables(rules, counts, bases, words, origin.names.text, NO_TEXTS)


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
    facts_of(basis, claim, split)
    claim["state"], claim["quota"] = 0, 0 if basis.HasField("quota_used_fen") else -1
    claim["error_line"] = -1
    return Inputs(claim, split, year_before(basis), basis.quota_used_fen)


def facts_of(basis: RecordBasis, claim: np.ndarray, split: np.ndarray) -> None:
    """Fill CLAIM[1] and SPLIT[1] with what a record keeps; its row numbers mean what they meant when it was settled."""
    for part, row in ((basis.facts, claim), (basis.rows, claim), (basis.sums, split)):
        _read_part(part, row)


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
