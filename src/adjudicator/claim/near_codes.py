"""Codes of diagnoses and procedures that a grouping scheme does not know, and the code that was perhaps meant.

A scheme that is an excerpt knows few codes of its edition. So a code that has the form of one is told only where the
scheme has the whole edition, or has a code that is so near that a slip is likely.
"""

from __future__ import annotations

import re
import unicodedata

import numpy as np

from adjudicator.compiled.jit import uncounted_inlined
from adjudicator.grouping.group import diagnosis_table, procedure_table
from adjudicator.grouping.scheme.load import Scheme
from adjudicator.wire.digest import KEY, digest_bytes, siphash128

FIELDS = ("diagnoses", "procedures")
FORMS = (
    re.compile(r"[A-Z]\d\d\.[\dx]\d\d(x\d{3})?[+*]?|[A-Z]\d\d\.\w+\+[A-Z]\d\d\.\d+\*"),
    re.compile(r"\d\d\.\d[\dx]\d\d(x\d{3})?"),
)
"""What a code of the insurance edition 2.0 looks like (医保版 ICD-10, ICD-9-CM-3)."""
WHOLE_EDITION = 5_000
"""A scheme with as many diagnoses has those of its edition; the insurance edition has some 33,000."""
MOST_KEPT = 20_000
"""Unknown codes whose verdict is kept."""
PLACES = 1 << 16
"""Places of the table of codes that nothing is told of."""
_LAST_PLACE, _STEPS = np.uint64(PLACES - 1), 8
_LOW, _HIGH = KEY
_SHOWN = re.compile(r"[A-Za-z0-9.+*/ ]{1,20}")
OTHER = (("a procedure", "手术操作编码"), ("a diagnosis", "疾病诊断编码"))
"""What a code is that stands in the other list."""

Verdict = tuple[str, str] | None
"""What is told of an unknown code in English and Chinese; None: nothing."""


class NearCodes:
    """Judges the codes that one scheme does not know."""

    def __init__(self, scheme: Scheme):
        self._tables = (diagnosis_table(scheme), procedure_table(scheme))
        self._whole = tuple(len(table) >= WHOLE_EDITION for table in self._tables)
        maps = (scheme.arrays.diagnosis_map, scheme.arrays.procedure_map)
        self._meant = tuple(
            {
                table.codes[code]: table.codes[meant]
                for code, meant in enumerate(translation[1:].tolist())  # row 0 is of an unknown code
                if meant >= 0 and meant != code
            }
            for table, translation in zip(self._tables, maps, strict=True)
        )
        self.clinical = tuple(
            np.array([code in meant for code in table.codes] or [False], np.bool_)
            for table, meant in zip(self._tables, self._meant, strict=True)
        )
        """bool[codes] of diagnoses and of procedures: codes of the clinical edition, for which another is meant."""
        self.silent = tuple(np.zeros((PLACES, 2), np.uint64) for _ in FIELDS)
        """uint64[PLACES, 2] of diagnoses and of procedures: digests of unknown codes that nothing is told of."""
        self._kept: dict[tuple[int, bytes], Verdict] = {}

    def verdict(self, system: int, code: bytes) -> Verdict:
        """Return what is to be told of a code."""
        key = (system, code)
        if key not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
                for table in self.silent:
                    table[:] = 0
            self._kept[key] = self._judge(system, code.decode("utf-8", "replace"))
            if self._kept[key] is None:
                _keep_silent(self.silent[system], code)
        return self._kept[key]

    def _judge(self, system: int, text: str) -> Verdict:
        if text in self._meant[system]:
            other = self._meant[system][text]
            return f"{text}, which is of the clinical edition; {other} is meant", f"{text}（临床版编码，应为 {other}）"
        shown = (text, text) if _SHOWN.fullmatch(text) else ("of a text that is no code", "（所填文本不是编码）")
        for code in candidates(text, system):
            if code in self._meant[system]:
                code = self._meant[system][code]
            if code in self._tables[system]:
                return f"{shown[0]}; {code} may be meant", f"{shown[1]}（可能应为 {code}）"
        for code in (text, *candidates(text, 1 - system)):
            if code in self._tables[1 - system]:
                return f"{shown[0]}, which is {OTHER[system][0]}", f"{shown[1]}（为{OTHER[system][1]}）"
        return shown if self._whole[system] or not FORMS[system].fullmatch(text) else None


@uncounted_inlined
def is_silent(table: np.ndarray, heap: np.ndarray, start: int, size: int) -> bool:
    """Whether a code is among those that nothing is told of; a wrong no costs time only."""
    begin = np.uint64(start)
    low, high = siphash128(heap, begin, begin + np.uint64(size), _LOW, _HIGH)  # type: ignore[no-untyped-call]
    found = False
    for step in range(_STEPS):
        place = (low + np.uint64(step)) & _LAST_PLACE
        found |= table[place, np.uint64(0)] == low and table[place, np.uint64(1)] == high
    return found


def _keep_silent(table: np.ndarray, code: bytes) -> None:
    """Note a code; where its places are taken, the verdict is looked up each time."""
    digest = np.frombuffer(digest_bytes(code), np.uint64)
    places = [(int(digest[0]) + step) % PLACES for step in range(_STEPS)]
    free = [place for place in places if not table[place].any()]
    if free:
        table[free[0]] = digest


def candidates(text: str, system: int) -> list[str]:
    """Return codes that a text may stand for: without blanks, in the right case, with its dot, of full length.

    >>> candidates("k35300 ", 0), candidates("K35.3", 0), candidates("I10", 0), candidates("4701", 1)
    (['K35.300'], ['K35.300'], ['I10.x00'], ['47.0100'])
    >>> candidates("K35.300x", 0)
    ['K35.300']
    """
    plain = unicodedata.normalize("NFKC", text).strip().lower().replace(" ", "").rstrip("x")
    head = 2 if system else 3
    plain = plain[:1].upper() + plain[1:]
    if not plain.isascii() or len(plain) < head or not plain[head - 1].isdigit():
        return []
    rest = plain[head:].lstrip(".")
    if not rest and not system:
        rest = "x"
    code = f"{plain[:head]}.{rest}"
    full = head + (5 if system else 4)  # 47.0100, K35.300
    return [found for found in [code.ljust(full, "0")] if found != text]
