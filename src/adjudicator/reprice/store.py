"""Files between the steps: each is written under another name and renamed when it is whole, with its hash beside it."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

RECEIPT, DRAFT = ".json", ".draft"


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def receipt_of(path: Path) -> Path:
    """Return where the receipt of a step is: what it counted, and the hashes of the files that it wrote."""
    return path.with_name(path.name + RECEIPT)


def write_receipt(path: Path, files: list[Path], facts: dict[str, Any]) -> dict[str, Any]:
    """Write that a step is done; ``files`` are relative to its folder or absolute."""
    receipt = {"files": {str(file): file_hash(file) for file in files}, **facts}
    renamed(receipt_of(path), lambda file: file.write(json.dumps(receipt).encode()))
    return receipt


def read_receipt(path: Path) -> dict[str, Any] | None:
    """Return the receipt of a step whose files are all there, as they were written; None where one is not."""
    try:
        receipt: dict[str, Any] = json.loads(receipt_of(path).read_text("utf-8"))
        same = all(file_hash(Path(name)) == known for name, known in receipt["files"].items())
    except (OSError, ValueError, KeyError):
        return None
    return receipt if same else None


def draft_of(path: Path) -> Path:
    """Return where a file is written before it is whole; another each time, for a task may run twice at once."""
    return path.with_name(f"{path.name}.{uuid.uuid4().hex}{DRAFT}")


def renamed(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_of(path)
    with draft.open("wb") as file:
        write(file)
    draft.replace(path)


class Chunk(NamedTuple):
    """Arrays of some claims, ordered by bucket; ``starts`` int64[buckets + 1] are the rows of each bucket.

    ``ragged`` holds arrays with any number of entries a claim, and int64[n] how many each claim has.
    """

    starts: np.ndarray
    arrays: dict[str, np.ndarray]
    ragged: dict[str, tuple[np.ndarray, np.ndarray]]
    notes: list[list[Any]]
    """What few claims have, by bucket, as JSON."""


def write_chunk(file: BinaryIO, chunk: Chunk) -> None:
    """Append a chunk."""
    arrays = dict(chunk.arrays)
    places: dict[str, list[int]] = {}
    for name, (counts, flat) in chunk.ragged.items():
        offsets = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(counts, out=offsets[1:])
        places[name] = offsets[chunk.starts].tolist()
        arrays[f"{name}#"], arrays[f"{name}*"] = counts, flat
    shapes = {name: [array.shape[0], array.nbytes] for name, array in arrays.items()}
    header = json.dumps(
        {"starts": chunk.starts.tolist(), "shapes": shapes, "ragged": places, "notes": chunk.notes}
    ).encode()
    file.write(len(header).to_bytes(8, "little"))
    file.write(header)
    for array in arrays.values():
        file.write(np.ascontiguousarray(array).view(np.uint8).reshape(-1).data)


class Piece(NamedTuple):
    """What a file has of one bucket: bytes of each array, and the notes."""

    arrays: dict[str, bytes]
    notes: list[Any]


def read_pieces(path: Path, bucket: int) -> Iterator[Piece]:
    """Yield what each chunk of a file has of a bucket."""
    with path.open("rb") as file:
        while size := file.read(8):
            header = json.loads(file.read(int.from_bytes(size, "little")))
            place, arrays = file.tell(), {}
            for name, (rows, octets) in header["shapes"].items():
                ends = header["ragged"][name[:-1]] if name.endswith("*") else header["starts"]
                width = octets // rows if rows else 0
                begin, end = ends[bucket], ends[bucket + 1]
                file.seek(place + begin * width)
                arrays[name] = file.read((end - begin) * width)
                place += octets
            file.seek(place)
            yield Piece(arrays, header["notes"][bucket])


def write_rows(file: BinaryIO, rows: np.ndarray, table: np.ndarray) -> None:
    """Write ``rows`` int64[n], ascending, and the columns ``table`` int64[width, n] that belong to them.

    All columns of a row stand together, so that a few rows are read without the pages of the others.
    """
    file.write(np.array([len(rows), len(table)], np.int64).tobytes())
    file.write(np.ascontiguousarray(rows).data)
    file.write(np.ascontiguousarray(table.T).data)


def read_range(path: Path, low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows from ``low`` up to and without ``high``, and their columns int64[width, k]; rows may repeat."""
    with path.open("rb") as file:
        size, width = np.fromfile(file, np.int64, 2).tolist()
        if not size:
            return np.zeros(0, np.int64), np.zeros((width, 0), np.int64)
        head = file.tell()
        rows = np.memmap(file, np.int64, "r", head, (size,))  # a search looks at few of its pages
        begin, end = rows.searchsorted((low, high)).tolist()
        file.seek(head + (size + begin * width) * rows.itemsize)
        table = np.fromfile(file, np.int64, (end - begin) * width).reshape(-1, width).T
        return np.array(rows[begin:end]), table


def read_rows(path: Path, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return those of the rows from ``first`` that are below ``first + count``, and their columns int64[width, k]."""
    with path.open("rb") as file:
        size, width = np.fromfile(file, np.int64, 2).tolist()
        rows = np.fromfile(file, np.int64, size)
        low, high = rows.searchsorted((first, first + count)).tolist()
        file.seek(low * width * rows.itemsize, os.SEEK_CUR)
        table = np.fromfile(file, np.int64, (high - low) * width).reshape(-1, width).T
    return rows[low:high], table
