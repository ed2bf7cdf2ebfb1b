"""Kernels of the statements: what the settlements of an institution and month are appended as, and read back.

The layout is in docs/ledger.md ("Statements"): runs of entries, each entry five numbers as varints.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator import payers
from adjudicator.compiled.jit import inlined, kernel, uncounted_inlined, uncounted_kernel
from adjudicator.ledger.checksums import SEED, fold_octets, fold_word
from adjudicator.ledger.layout import Kind
from adjudicator.ledger.record_kernel import Names
from adjudicator.payers import LEDGER_COUNT, Fund

AMOUNTS = 3
"""Amounts of an entry: total, funds, personal account."""
NAME_BYTES, ENTRY_BYTES = 7 + 6 + 10, 5 * 10
"""Room for month, sizes and number of entries of a run, and for an entry; names of institutions come on top."""

FUNDS = tuple(payer.fund for payer in payers.FUNDS if payer.fund is not None)
"""The funds of fund_pay_sumamt (identity F1)."""
COLUMN_OF_FUND = np.full(LEDGER_COUNT, -1, np.int64)
"""Which of the amounts of an entry each fund counts in, -1 none."""
COLUMN_OF_FUND[int(Fund.TOTAL_COST)], COLUMN_OF_FUND[list(FUNDS)], COLUMN_OF_FUND[int(Fund.ACCOUNT)] = 0, 1, 2

_SETTLE, _REVERSE = int(Kind.SETTLE), int(Kind.REVERSE)
_U64 = np.uint64
_SEVEN, _LOW, _MORE = np.uint64(7), np.uint64(127), np.uint64(128)
_COLON, _DIGIT_0 = np.frombuffer(b":0", np.uint8)


class Settled(NamedTuple):
    """What statements say of settlements, n rows."""

    months: np.ndarray  # int64[n] YYYYMM
    codes: np.ndarray  # int64[n]: day, scheme and direction (``statements.codes_of``)
    amounts: np.ndarray  # int64[n, AMOUNTS] fen
    text: np.ndarray  # uint8: where the codes of the institutions stand
    starts: np.ndarray  # int64[n]
    sizes: np.ndarray  # int64[n]


@uncounted_inlined
def _put(out, at, value):
    """Write a varint that begins at ``at``; return where it ends."""
    while value > _LOW:
        out[_U64(at)] = np.uint8((value & _LOW) | _MORE)
        value >>= _SEVEN
        at += 1
    out[_U64(at)] = np.uint8(value)
    return at + 1


@uncounted_inlined
def _put_little(out, at, value, size):
    """Write a number of so many bytes, the lowest first; return where it ends."""
    for k in range(size):
        out[_U64(at + k)] = np.uint8((value >> (8 * k)) & 255)
    return at + size


@uncounted_inlined
def _get(octets, at, end):
    """Return a varint of up to nine bytes and where it ends; beyond ``end`` where it is cut or longer."""
    value, shift, more = _U64(0), _U64(0), True
    while more and at < end and shift < _U64(63):
        octet = _U64(octets[_U64(at)])
        value |= (octet & _LOW) << shift
        shift += _SEVEN
        at += 1
        more = octet > _LOW
    return value, at if not more else end + 1


@uncounted_inlined
def _zigzag(number: int):
    return _U64((number << 1) ^ (number >> 63))


@uncounted_inlined
def _is_same(settled: Settled, i: int, j: int) -> bool:
    """Whether two rows are of one month and institution."""
    same = settled.months[i] == settled.months[j] and settled.sizes[i] == settled.sizes[j]
    for k in range(settled.sizes[i] if same else 0):
        same &= settled.text[_U64(settled.starts[i] + k)] == settled.text[_U64(settled.starts[j] + k)]
    return same


@uncounted_inlined
def _hash_institutions(settled: Settled, hashes: np.ndarray) -> None:
    for i in range(hashes.shape[0]):
        seed = fold_word(SEED, _U64(settled.months[i]))
        hashes[i] = fold_octets(settled.text, settled.starts[i], settled.starts[i] + settled.sizes[i], seed)


@uncounted_kernel
def hash_institutions(settled: Settled, hashes: np.ndarray) -> None:
    """Hash month and institution of each row, ``hashes`` uint64[n] out."""
    _hash_institutions(settled, hashes)


@uncounted_inlined
def _write_runs(settled: Settled, offsets: np.ndarray, order: np.ndarray, out: np.ndarray) -> int:
    """Write a run for each month and institution; return the bytes written.

    ``order`` int64[n]: rows, those of one month and institution side by side and by position; ``offsets`` int64[n]:
    position of each row less that before the first of the commit. A run is written as size of its name (u16), size of
    its bytes (u32), the name ``YYYYMM:INSTITUTION``, the bytes: number of entries, entries.
    """
    at, first, count = 0, 0, order.shape[0]
    while first < count:
        row, last = order[first], first + 1
        while last < count and _is_same(settled, row, order[last]):
            last += 1
        head, size, month = at, settled.sizes[row], settled.months[row]
        at += 6
        for k in range(6):
            out[_U64(at + 5 - k)] = _DIGIT_0 + np.uint8(month % 10)
            month //= 10
        out[_U64(at + 6)] = _COLON
        for k in range(size):
            out[_U64(at + 7 + k)] = settled.text[_U64(settled.starts[row] + k)]
        begin = at + 7 + size
        at, before = _put(out, begin, _U64(last - first)), 0
        for place in range(first, last):
            i = order[place]
            at = _put(out, at, _U64(offsets[i] - before - 1))
            at = _put(out, at, _U64(settled.codes[i]))
            before = offsets[i]
            for k in range(AMOUNTS):
                at = _put(out, at, _zigzag(settled.amounts[i, k]))
        _put_little(out, head, 7 + size, 2)
        _put_little(out, head + 2, at - begin, 4)
        first = last
    return at


@uncounted_kernel
def read_runs(octets: np.ndarray, ends: np.ndarray, out: tuple[np.ndarray, ...], counts: np.ndarray) -> None:
    """Read what is stored of some institutions and months, one behind the other in ``octets``.

    ``ends`` int64[m]: where each ends. ``out``: positions int64[k], codes int64[k], amounts int64[k, AMOUNTS] with room
    for a fifth as many entries as bytes. ``counts`` int64[m] out: entries of each, those of earlier ones come first; -1
    for one that cannot be read or whose positions do not ascend.
    """
    positions, codes, amounts = out
    at, number = 0, 0
    for j in range(ends.shape[0]):
        end, first, good, last = ends[j], number, True, 0
        while good and at < end:
            before, at = _get(octets, at, end)
            entries, at = _get(octets, at, end)
            position = np.int64(before)
            good = at <= end and np.int64(entries) <= end - at
            for _ in range(np.int64(entries) if good else 0):
                step, at = _get(octets, at, end)
                code, at = _get(octets, at, end)
                position += np.int64(step) + 1
                if not (at <= end and position > last and np.int64(code) >= 0):
                    good = False
                    break
                last = position
                positions[number], codes[number] = position, np.int64(code)
                for k in range(AMOUNTS):
                    value, at = _get(octets, at, end)
                    amounts[number, k] = np.int64(value >> _U64(1)) ^ -np.int64(value & _U64(1))
                good = at <= end
                if not good:
                    break
                number += 1
        at = end
        if good:
            counts[j] = number - first
        else:
            counts[j], number = -1, first


@uncounted_kernel
def digest_entries(positions: np.ndarray, codes: np.ndarray, amounts: np.ndarray, digests: np.ndarray) -> None:
    """Return 64 bits of each entry, ``digests`` uint64[n] out; their sum does not depend on the order."""
    for i in range(digests.shape[0]):
        value = fold_word(fold_word(SEED, _U64(positions[i])), _U64(codes[i]))
        for k in range(AMOUNTS):
            value = fold_word(value, _U64(amounts[i, k]))
        digests[i] = value


@uncounted_kernel
def sum_postings(postings: np.ndarray, column_of_fund: np.ndarray, amounts: np.ndarray) -> None:
    """Add up what statements say of each record, ``amounts`` int64[n, AMOUNTS] out.

    ``postings`` int64[p, 4] of row, scheme, fund, amount; ``column_of_fund`` int64[funds], -1 for none.
    """
    amounts[:] = 0
    for i in range(postings.shape[0]):
        fund = postings[i, 2]
        column = column_of_fund[fund] if 0 <= fund < column_of_fund.shape[0] else -1
        if column >= 0:
            amounts[postings[i, 0], column] += postings[i, 3]


# ---------------------------------------------------------------- what a commit takes


@inlined
def _codes_of(dates: np.ndarray, schemes: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    codes = np.empty(dates.shape[0], np.int64)
    for i in range(codes.shape[0]):
        codes[i] = (np.int64(schemes[i]) * 32 + np.int64(dates[i]) % 100) * 2 + (kinds[i] == _REVERSE)
    return codes


@kernel
def codes_of(dates: np.ndarray, schemes: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Return day, scheme and direction of settlements as one number: ``(scheme * 32 + day) * 2``, 1 more of a reversal.

    >>> codes_of(np.array([20240531]), np.array([2]), np.array([2]))
    array([191])
    """
    return _codes_of(dates, schemes, kinds)


@inlined
def _runs_of(settled: Settled, offsets: np.ndarray) -> np.ndarray:
    count = offsets.shape[0]
    hashes, order = np.empty(count, np.uint64), np.zeros(count, np.int64)
    if count > 1:
        _hash_institutions(settled, hashes)
        order = np.argsort(hashes, kind="mergesort")  # the stable one
    out = np.empty(count * (NAME_BYTES + ENTRY_BYTES) + settled.sizes.sum(), np.uint8)
    return out[: _write_runs(settled, offsets, order, out)]


@kernel
def runs_of(settled: Settled, offsets: np.ndarray) -> np.ndarray:
    """Return the runs of some settlements as the commit script takes them, uint8; ``offsets`` int64[n] of each row's
    position less that before the commit's first: they ascend."""
    return _runs_of(settled, offsets)


@inlined
def settlement_runs(names: Names, claims: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """Return the runs of the settlements of a commit, uint8: ``claims`` CLAIM[n], ``amounts`` int64[n, funds] fen."""
    count = claims.shape[0]
    months, sums = np.empty(count, np.int64), np.zeros((count, AMOUNTS), np.int64)
    starts, sizes = np.empty(count, np.int64), np.empty(count, np.int64)
    dates, schemes, kinds = np.empty(count, np.int64), np.empty(count, np.int64), np.full(count, _SETTLE)
    for i in range(count):
        dates[i], schemes[i] = claims[i].settlement_date, claims[i].scheme
        months[i], starts[i], sizes[i] = dates[i] // 100, names.institution_starts[i], names.institution_sizes[i]
        for fund in range(COLUMN_OF_FUND.shape[0]):
            if COLUMN_OF_FUND[fund] >= 0:
                sums[i, COLUMN_OF_FUND[fund]] += amounts[i, fund]
    settled = Settled(months, _codes_of(dates, schemes, kinds), sums, names.text, starts, sizes)
    return _runs_of(settled, np.arange(1, count + 1))
