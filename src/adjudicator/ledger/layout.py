"""What the journal and the states of the ledger are made of; docs/ledger.md describes the same.

A journal entry is a ``JournalBlock`` of proto/adjudicator/v1/record.proto with some records: protobuf messages, so that
every stored value has a name and a number, and nothing depends on the place of a column or an accumulator in memory.

A state is a head (STATE_HEAD), the numbers u16 of its accumulators, their amounts i64, quotas (columns.QUOTA) and care
days (columns.CARE_DAYS), little-endian, each part filled up with zeros to a multiple of eight bytes.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
from google.protobuf.message_factory import GetMessageClass

from adjudicator.v1 import record_pb2
from adjudicator.wire.schema import compile_schema, varint_bytes, with_parts_as_bytes

FORMAT = 3
"""Format of the blocks and records that this version writes and reads."""
STATE_FORMAT = 2
"""The same for states."""
ZERO_DIGEST = bytes(16)


class Kind(IntEnum):
    """What a record is; the first two are the directions of the wire."""

    SETTLE = record_pb2.RECORD_KIND_SETTLE
    REVERSE = record_pb2.RECORD_KIND_REVERSE
    POSTING = record_pb2.RECORD_KIND_POSTING
    ACT = record_pb2.RECORD_KIND_ACT
    RESETTLE = record_pb2.RECORD_KIND_RESETTLE


OF_CLAIMS = frozenset({Kind.SETTLE, Kind.REVERSE})
"""Records that a hospital sent: they stand in its statement."""


BLOCK_MESSAGE = with_parts_as_bytes(record_pb2.JournalBlock.DESCRIPTOR, "records")
RECORD_MESSAGE = with_parts_as_bytes(record_pb2.JournalRecord.DESCRIPTOR, "lines", "basis")

Block: Any = GetMessageClass(BLOCK_MESSAGE)
"""JournalBlock whose records are bytes."""
StoredRecord: Any = GetMessageClass(RECORD_MESSAGE)
"""JournalRecord whose lines and basis are bytes."""
BLOCK_SCHEMA, RECORD_SCHEMA = compile_schema(BLOCK_MESSAGE), compile_schema(RECORD_MESSAGE)

CHECKSUM_TAG = varint_bytes(RECORD_MESSAGE.fields_by_name["checksum"].number << 3 | 1)
CHECKSUM_BYTES = len(CHECKSUM_TAG) + 8
"""Bytes of the checksum at the end of a record, with its tag."""

NUMBER = np.dtype("<u2")
"""Permanent number of an accumulator in a state."""
CHANGE = np.dtype("<i8")

STATE_HEAD = np.dtype(
    [
        ("version", "<u8"),  # records that touched the state (RECORDS_MASK); the commit script compares it
        ("last", "u1", 16),  # latest settlement that stands
        ("format", "<u2"), ("amount_count", "<u2"), ("quota_count", "<u2"), ("days_count", "<u2"),
    ]
)  # fmt: skip
"""What a person's year in a scheme begins with."""
RECORDS_MASK = 2**48 - 1
"""Bits of a state's version that count records; those above count how often a rebuild has replaced it, so that a
settlement that was priced over the former value is not written."""
STATE_WORDS = STATE_HEAD.itemsize // 8


def padded(data: bytes) -> bytes:
    """Fill up to a multiple of eight bytes.

    >>> padded(b"abc")
    b'abc\\x00\\x00\\x00\\x00\\x00'
    """
    return data.ljust((len(data) + 7) // 8 * 8, b"\0")
