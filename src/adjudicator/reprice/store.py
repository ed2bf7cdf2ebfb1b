"""Files of tasks: each is written under another name and renamed when it is whole, and a receipt beside it says how to
know that it is the one that was written."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

RECEIPT, DRAFT = ".json", ".draft"
HASHES = "hashes.json"
_READ_BYTES = 1 << 20


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksum(path: Path) -> str:
    """Return size and CRC-32 of a file: enough to know a file between the steps that was cut off or damaged.

    SHA-256 of so many bytes would take a quarter of the time of a run on a processor without instructions for it.
    """
    size, sum_so_far, buffer = 0, 0, memoryview(bytearray(_READ_BYTES))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            size, sum_so_far = size + count, zlib.crc32(buffer[:count], sum_so_far)
    return f"{size}-{sum_so_far:08x}"


def receipt_of(path: Path) -> Path:
    """Return where the receipt of a step is: what it counted, and what tells the files that it wrote."""
    return path.with_name(path.name + RECEIPT)


def write_receipt(
    path: Path, between: Sequence[Path], facts: dict[str, Any], results: Sequence[Path] = ()
) -> dict[str, Any]:
    """Write that a step is done: files ``between`` the steps with their checksums, ``results`` with their hashes."""
    receipt = {
        "files": {str(file): checksum(file) for file in between},
        "results": {str(file): file_hash(file) for file in results},
        **facts,
    }
    renamed(receipt_of(path), lambda file: file.write(json.dumps(receipt).encode()))
    return receipt


def read_receipt(path: Path) -> dict[str, Any] | None:
    """Return the receipt of a step whose files are all there, as they were written; None where one is not."""
    try:
        receipt: dict[str, Any] = json.loads(receipt_of(path).read_text("utf-8"))
        same = all(checksum(Path(name)) == known for name, known in receipt["files"].items())
        same = same and all(file_hash(Path(name)) == known for name, known in receipt["results"].items())
    except (OSError, ValueError, KeyError):
        return None
    return receipt if same else None


def write_hashes(folder: Path, known: dict[str, str]) -> None:
    """Keep the hashes of inputs and results that the tasks of a run found, for its manifest."""
    renamed(folder / HASHES, lambda file: file.write(json.dumps(known).encode()))


def read_hashes(folder: Path) -> dict[str, str]:
    """Return the hashes that are known, none where nothing is kept."""
    path = folder / HASHES
    known: dict[str, str] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return known


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
