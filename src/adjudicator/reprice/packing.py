"""Files of rows between the steps, packed and ordered by the task that reads them.

A file has one or more sections. A section has rows of one width, those of each part (a bucket, or a unit) together, so
that a task reads what it needs in one piece.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from adjudicator.errors import E, refuse
from adjudicator.reprice.packing_kernel import COLUMN, extremes, pack, unpack

WORD = 4
"""Bytes of a word."""


class Frame:
    """Arrays of the same number of rows, one after the other in one buffer of words."""

    def __init__(self, kinds: Mapping[str, np.dtype[Any]], count: int) -> None:
        widths = [kind.itemsize // WORD for kind in kinds.values()]
        self.count = count
        """Rows that are in use, the first of each array."""
        self.words = np.empty(sum(widths) * count, np.int32)
        self.columns = np.zeros(sum(widths), COLUMN)
        self.arrays: dict[str, np.ndarray] = {}
        """Name -> the array, a view of the words."""
        self._parts: list[tuple[int, int]] = []
        place = begin = 0
        for (name, kind), width in zip(kinds.items(), widths, strict=True):
            own = self.words[begin : begin + width * count]
            self.arrays[name] = own.view(kind.base).reshape(count, *kind.shape)
            self._parts.append((begin, width))
            self.columns["at"][place : place + width] = begin + np.arange(width)
            self.columns["step"][place : place + width] = width
            place, begin = place + width, begin + width * count

    @classmethod
    def over(cls, array: np.ndarray) -> Frame:
        """Return a frame of one array, which is not copied."""
        shape = array.dtype if array.ndim == 1 else np.dtype((array.dtype, array.shape[1:]))
        frame = cls({"": shape}, 0)
        frame.words, frame.count = np.ascontiguousarray(array).view(np.int32).reshape(-1), len(array)
        return frame

    def append(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Append rows of all arrays to those that are counted."""
        first = self.count
        for (begin, width), array in zip(self._parts, (arrays[name] for name in self.arrays), strict=True):
            words = np.ascontiguousarray(array).view(np.int32).reshape(-1)
            self.words[begin + first * width : begin + first * width + len(words)] = words
            self.count = first + len(array)

    def measured(self) -> np.ndarray:
        """Return COLUMN[words]: the columns with what is packed of each."""
        columns = self.columns.copy()
        if self.count:
            least = np.full(len(columns), np.iinfo(np.int32).max, np.int32)
            most = np.full(len(columns), np.iinfo(np.int32).min, np.int32)
            place = 0
            for begin, width in self._parts:
                own = slice(place, place + width)
                words = self.words[begin : begin + width * self.count].reshape(self.count, width)
                extremes(words, least[own], most[own])
                place += width
            columns["least"] = least
            columns["size"] = _bytes_of(most.astype(np.int64) - least)
        return _placed(columns)


def _bytes_of(spans: np.ndarray) -> np.ndarray:
    """Return how many bytes hold the numbers from 0 to each span."""
    sizes: np.ndarray = np.searchsorted([0, 0xFF, 0xFFFF, 0xFFFFFF], spans)
    return sizes


def _placed(columns: np.ndarray) -> np.ndarray:
    columns["place"] = np.cumsum(columns["size"]) - columns["size"]
    return columns


class Section(NamedTuple):
    """Packed rows by part."""

    starts: np.ndarray
    """int64[parts + 1]: first row of each part."""
    columns: np.ndarray
    """COLUMN[words]; none where the rows are bytes as they are."""
    rows: np.ndarray
    """uint8[rows, width]"""


def section_of(frame: Frame, order: np.ndarray, starts: np.ndarray) -> Section:
    """Return the rows of a frame in an order, by part."""
    columns = frame.measured()
    rows = np.empty((frame.count, max(1, int(columns["size"].sum()))), np.uint8)
    pack(frame.words, columns[columns["size"] > 0], rows)
    width = rows.shape[1]
    ordered = rows.view(f"V{width}").reshape(-1).take(order)
    return Section(starts, columns, ordered.view(np.uint8).reshape(-1, width))


def sections_of_table(rows: np.ndarray, table: np.ndarray, firsts: np.ndarray) -> list[Section]:
    """Return ``rows`` int64[n] of the input and the numbers ``table`` int64[n, width] of each, by unit of the input."""
    order = np.argsort(rows)
    starts = np.searchsorted(rows[order], firsts)
    return [section_of(Frame.over(one), order, starts) for one in (rows, table)]


def section_of_entries(entries: np.ndarray, starts: np.ndarray) -> Section:
    """Return a section of entries that are in the order of the parts already."""
    return section_of(Frame.over(entries), np.arange(len(entries)), starts)


def section_of_bytes(parts: Sequence[bytes]) -> Section:
    """Return a section of bytes as they are."""
    starts = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([len(part) for part in parts], out=starts[1:])
    return Section(starts, np.zeros(0, COLUMN), np.frombuffer(b"".join(parts), np.uint8).reshape(-1, 1))


def write_sections(file: BinaryIO, sections: Sequence[Section]) -> None:
    """Write a file of sections: sizes, then how each is packed, then the rows of all."""
    heads = []
    for section in sections:
        shape = np.array([len(section.starts) - 1, len(section.columns), section.rows.shape[1]], np.int64)
        heads += [shape.tobytes(), section.starts.astype(np.int64).tobytes()]
        heads += [section.columns[name].astype(np.int64).tobytes() for name in ("least", "size")]
    head = b"".join(heads)
    file.write(np.array([len(sections), len(head)], np.int64).tobytes())
    file.write(head)
    for section in sections:
        file.write(np.ascontiguousarray(section.rows).data)


class Piece(NamedTuple):
    """What a section of a file has of one part."""

    columns: np.ndarray
    """As those of the section."""
    rows: np.ndarray
    """uint8[rows, width]"""

    def into(self, frame: Frame, targets: np.ndarray) -> None:
        """Write the rows to the rows ``targets`` int64[rows] of a frame."""
        if not len(self.rows):
            return
        columns = frame.columns.copy()
        columns["least"], columns["size"] = self.columns["least"], self.columns["size"]
        unpack(self.rows, _placed(columns), targets, frame.words)


def read_pieces(path: Path, part: int) -> list[Piece]:
    """Return what each section of a file has of a part. Errors: E.INPUT_UNREADABLE where the file is cut off."""
    with path.open("rb", buffering=0) as file:
        count, size = np.frombuffer(file.read(16), np.int64).tolist()
        head = np.frombuffer(file.read(size), np.int64)
        pieces, place, begin = list[Piece](), 0, 16 + size
        for _ in range(count):
            parts, words, width = head[place : place + 3].tolist()
            starts = head[place + 3 : place + 4 + parts]
            place += 4 + parts
            columns = np.zeros(words, COLUMN)
            columns["least"], columns["size"] = head[place : place + 2 * words].reshape(2, words)
            place += 2 * words
            first, last, end = (int(starts[one]) for one in (part, part + 1, parts))
            file.seek(begin + first * width)
            octets = file.read((last - first) * width)
            if len(octets) != (last - first) * width:
                cut = f"{path.name} is cut off; begin the run anew"
                raise refuse(E.INPUT_UNREADABLE, path.name, cut, f"{path.name} 不完整，请重新运行")
            rows = np.frombuffer(octets, np.uint8).reshape(-1, width)
            pieces.append(Piece(columns, rows))
            begin += end * width
    return pieces


def read_table(path: Path, unit: int, first: int, table: np.ndarray) -> None:
    """Write what a file of ``sections_of_table`` has of a unit to its rows, from ``first``, of ``table``."""
    numbers, piece = read_pieces(path, unit)
    rows = np.empty(len(numbers.rows), np.int64)
    numbers.into(Frame.over(rows), np.arange(len(rows)))
    piece.into(Frame.over(table), rows - first)
