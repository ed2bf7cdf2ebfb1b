"""Length-prefixed frames of a batch message: field 1, length, bytes, one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

FIELD_1 = b"\x0a"
"""Tag of field 1 with a length: ``ClaimBatch.claims`` and ``SettlementBatch.settlements``."""


@lru_cache(maxsize=65_536)
def frame_head(size: int) -> bytes:
    """Tag and length of a frame.

    >>> frame_head(300).hex()
    '0aac02'
    """
    head = bytearray(FIELD_1)
    while size > 0x7F:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return bytes(head)


def join_frames(parts: Iterable[bytes]) -> bytes:
    """Return a batch message of encoded parts.

    >>> join_frames([b"ab", b""]).hex()
    '0a0261620a00'
    """
    pieces: list[bytes] = []
    for part in parts:
        pieces.append(frame_head(len(part)))
        pieces.append(part)
    return b"".join(pieces)
