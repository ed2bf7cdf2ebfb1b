"""Where everything stands in a stored record and in a stored state, format 2; docs/ledger.md describes the same.

Little-endian. A record is a header and sections, each filled up with zeros to a multiple of eight bytes so that a
kernel can write it word by word::

    header (HEADER)            who, when, which, digests, sizes of what follows
    institution + encounter    UTF-8
    field digests              u32 each, in the order of the claim message: "same key, other content" names the field
    postings (POSTING)         county, scheme, fund, amount
    changes of the year        numbers u16 each (columns.ACCUMULATORS), then the changes i64 each in the same order
    changes of quotas (KEYED_CHANGE)
    changes of care days (KEYED_CHANGE)
    answer                     the serialised Settlement (for a posting: its note as JSON)
    basis                      adjudicator.v1.RecordBasis: what the claim was priced from

A state is a head (STATE_HEAD), the numbers u16 of its accumulators, their amounts i64, quotas (columns.QUOTA) and care
days (columns.CARE_DAYS).
Nothing here depends on the place of a column or an accumulator in memory.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

FORMAT = 2
"""Format of the records and states that this version writes and reads."""
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
        ("change_count", "<u2"), ("quota_count", "<u2"), ("county", "<u4"),
        ("commit", "<u8"),  # drawn anew for each commit: tells our own write from another's after a lost answer
        ("recorded_ms", "<i8"),
        ("basis_size", "<u4"), ("days_count", "<u2"), ("spare", "<u2"),
        ("key", "u1", 16), ("content", "u1", 16), ("person", "u1", 16), ("state_key", "u1", 16),
        ("previous", "u1", 16),  # the state's last settlement before this record
        ("last", "u1", 16),  # and after it
        ("original", "u1", 16),  # the settlement that a reversal takes back
        ("checksum", "<u8"),  # over the whole record with this field zero
    ]
)  # fmt: skip
HEADER_WORDS = HEADER.itemsize // 8
CHECKSUM_WORD = HEADER_WORDS - 1
assert HEADER.itemsize % 8 == 0

POSTING = np.dtype([("county", "<u4"), ("scheme", "<u2"), ("fund", "<u2"), ("amount_fen", "<i8")])
NUMBER = np.dtype("<u2")
"""Permanent number of an accumulator."""
CHANGE = np.dtype("<i8")
KEYED_CHANGE = np.dtype([("key", "<u8"), ("change", "<i8")])
"""Change of a disease quota or of care days."""

STATE_HEAD = np.dtype(
    [
        ("version", "<u8"),  # number of records that touched the state; the commit script compares it
        ("last", "u1", 16),  # latest settlement that stands
        ("format", "<u2"), ("amount_count", "<u2"), ("quota_count", "<u2"), ("days_count", "<u2"),
    ]
)  # fmt: skip
"""What a person's year in a scheme begins with."""
STATE_WORDS = STATE_HEAD.itemsize // 8


def padded(data: bytes) -> bytes:
    """Fill up to a multiple of eight bytes.

    >>> padded(b"abc")
    b'abc\\x00\\x00\\x00\\x00\\x00'
    """
    return data.ljust(words_of(len(data)) * 8, b"\0")


def words_of(size: int) -> int:
    """Words of eight bytes that ``size`` bytes take."""
    return (size + 7) // 8


def record_words(headers: np.ndarray) -> np.ndarray:
    """Words of the records with these headers, int64[n]."""
    sizes = {name: headers[name].astype(np.int64) for name in _COUNTS}
    return (
        HEADER_WORDS
        + (sizes["institution_size"] + sizes["encounter_size"] + 7) // 8
        + (sizes["field_count"] + 1) // 2
        + 2 * sizes["posting_count"]
        + (sizes["change_count"] + 3) // 4
        + sizes["change_count"]
        + 2 * sizes["quota_count"]
        + 2 * sizes["days_count"]
        + (sizes["answer_size"] + 7) // 8
        + (sizes["basis_size"] + 7) // 8
    )


_COUNTS = (
    "institution_size", "encounter_size", "field_count", "posting_count", "change_count", "quota_count", "days_count",
    "answer_size", "basis_size",
)  # fmt: skip
