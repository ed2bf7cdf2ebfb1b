"""Files of delimited ClaimBatch messages, as ``adjudicator synth`` and many protobuf libraries write them."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from adjudicator.claim.fields import CLAIM_SCHEMA
from adjudicator.errors import E, refuse
from adjudicator.wire.decode import BATCH_DEPTH, decode, split_batch

_MOST_SHIFT = 28
"""A length has at most five bytes of seven bits."""


def _lengths(content: mmap.mmap, position: int, end: int, name: str) -> Iterator[tuple[int, int]]:
    """Yield begin and end of each message. Errors: E.INPUT_UNREADABLE where the file ends inside one."""
    while position < end:
        length, shift, more = 0, 0, True
        while more:
            if position >= end or shift > _MOST_SHIFT:
                raise refuse(
                    E.INPUT_UNREADABLE,
                    name,
                    f"{name} is no file of delimited messages, or was cut off",
                    f"{name} 格式不符或不完整",
                )
            byte = content[position]
            length |= (byte & 0x7F) << shift
            position, shift, more = position + 1, shift + 7, byte > 0x7F
        if position + length > end:
            raise refuse(
                E.INPUT_UNREADABLE,
                name,
                f"{name} is no file of delimited messages, or was cut off",
                f"{name} 格式不符或不完整",
            )
        yield position, position + length
        position += length


def _claims_in(message: bytes, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return where the claims of a batch begin and end. Errors: E.INPUT_UNREADABLE."""
    starts, ends, status = split_batch(message)
    if status:
        raise refuse(E.INPUT_UNREADABLE, name, f"{name} has a message that is no ClaimBatch")
    return starts, ends


def spans(path: Path, most: int) -> Iterator[tuple[int, int, int]]:
    """Yield (begin, end, claims) of parts of a file with about ``most`` claims each. Errors: E.INPUT_UNREADABLE."""
    size = path.stat().st_size
    if not size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        begin = count = end = 0
        for start, end in _lengths(content, 0, size, path.name):
            count += len(_claims_in(content[start:end], path.name)[0])
            if count >= most:
                yield begin, end, count
                begin, count = end, 0
        if count:
            yield begin, end, count


def read(path: Path, begin: int, end: int, batch: int) -> Iterator[tuple[bytes, np.ndarray, np.ndarray]]:
    """Yield bytes with the starts and ends of about ``batch`` claims in them."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        waiting: list[bytes] = []
        count = 0
        for start, stop in _lengths(content, begin, end, path.name):
            waiting.append(content[start:stop])
            count += len(_claims_in(waiting[-1], path.name)[0])
            if count >= batch:
                yield _joined(waiting, path.name)
                waiting, count = [], 0
        if waiting:
            yield _joined(waiting, path.name)


def _joined(messages: list[bytes], name: str) -> tuple[bytes, np.ndarray, np.ndarray]:
    """Return batches one after the other, which are one batch."""
    data = b"".join(messages)
    return (data, *_claims_in(data, name))


def identity(path: Path, begin: int, end: int) -> dict[str, pa.ChunkedArray]:
    """Return institution, encounter and sequence of the claims of a part of a file."""
    found: dict[str, list[pa.Array]] = {"institution_code": [], "encounter_id": [], "settlement_sequence": []}
    for data, starts, ends in read(path, begin, end, 1 << 14):
        claims = decode(CLAIM_SCHEMA, data, starts, ends, max_depth=BATCH_DEPTH).tables[""]
        for name, parts in found.items():
            if name == "settlement_sequence":
                parts.append(pa.array(claims[name].astype(np.int64)))
                continue
            first, size = claims[f"{name}_start"].tolist(), claims[f"{name}_size"].tolist()
            spans_of = zip(first, size, strict=True)
            parts.append(pa.array([data[at : at + length].decode() for at, length in spans_of], pa.string()))
    kinds = {"settlement_sequence": pa.int64()}
    return {name: pa.chunked_array(parts, kinds.get(name, pa.string())) for name, parts in found.items()}
