"""Constant texts of a bundle (fund types, rule versions, group codes) in one byte heap for the answer encoder."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from adjudicator.claim.assemble import GroupText, StaticText
from adjudicator.codes import Scheme
from adjudicator.payers import ROW_COUNT, ROWS


class TextHeap:
    """Collects texts; equal texts share their bytes. Offsets are those of ``wire.encode``: ``-1 - position``."""

    def __init__(self) -> None:
        self._bytes = bytearray(b" ")
        self._known: dict[str, tuple[int, int]] = {}

    def add(self, text: str) -> tuple[int, int]:
        """Offset (negative) and size in bytes of a text."""
        if text not in self._known:
            encoded = text.encode()
            self._known[text] = (-1 - len(self._bytes), len(encoded))
            self._bytes += encoded
        return self._known[text]

    def add_all(self, texts: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
        """Offsets int64[n] and sizes int32[n]; no texts give one empty row, so that arrays are never empty."""
        pairs = [self.add(text) for text in texts] or [(-1, 0)]
        return np.array([start for start, _ in pairs], np.int64), np.array([size for _, size in pairs], np.int32)

    def array(self) -> np.ndarray:
        """Return the heap as uint8[n]."""
        return np.frombuffer(bytes(self._bytes), np.uint8)


def static_text(heap: TextHeap, rules_hash: str, versions: Iterable[str]) -> StaticText:
    """Texts that do not depend on the claim: fund types, rule versions by plan row, the bundle's hash."""
    funds = [row.code_in(scheme) if row.exists_in(scheme) else "" for scheme in Scheme for row in ROWS]
    fund_start, fund_size = heap.add_all(funds)
    version_start, version_size = heap.add_all([*versions, ""])
    hash_start, hash_size = heap.add_all([rules_hash])
    shape = (len(Scheme), ROW_COUNT)
    return StaticText(
        fund_start.reshape(shape), fund_size.reshape(shape), version_start, version_size, hash_start, hash_size
    )


def group_text(heap: TextHeap, schemes: Iterable[tuple[str, list[str], list[str], list[str]]]) -> GroupText:
    """Texts of grouping schemes, each given as (name, mdc codes, adrg codes, drg codes)."""
    names: list[str] = []
    columns: list[list[str]] = [[], [], []]
    firsts: list[list[int]] = [[], [], []]
    for name, *codes in schemes:
        names.append(name)
        for column, first, texts in zip(columns, firsts, codes, strict=True):
            first.append(len(column))
            column.extend(texts)
    scheme_start, scheme_size = heap.add_all(names)
    parts: list[np.ndarray] = []
    for column, first in zip(columns, firsts, strict=True):
        start, size = heap.add_all(column)
        parts += [np.array(first or [0], np.int64), start, size]
    return GroupText(scheme_start, scheme_size, *parts)
