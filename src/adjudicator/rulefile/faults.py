"""Faults of rule data are values, collected so that one run reports all of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum

from adjudicator.errors import TABLE, E
from adjudicator.rulefile.chinese import in_chinese


class Weight(StrEnum):
    """How much a finding weighs."""

    FAULT = "fault"
    """The pack cannot be used."""
    WARNING = "warning"
    """A value that is most often a slip; a person should look."""
    NOTE = "note"
    """What the pack leaves out on purpose, as far as one can see."""


WEIGHT_ZH: dict[Weight, str] = {Weight.FAULT: "错误", Weight.WARNING: "警告", Weight.NOTE: "提示"}


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong in a pack: where it stands, what it is, what to write instead."""

    file: str
    key: str
    message: str
    remedy: str = ""
    number: E = E.CORRUPT_PACK
    """Row of the error table; a fault that claims would run into has one of its own."""
    message_zh: str = ""
    """The same in Chinese; empty: as ``rulefile.chinese`` has its kind."""
    remedy_zh: str = ""
    weight: Weight = Weight.FAULT

    def __str__(self) -> str:
        return self.text()

    def text(self, language: str = "en") -> str:
        """Return the finding as a line, in English or Chinese ("zh")."""
        message, remedy = self.message, self.remedy
        if language == "zh":
            message, remedy = self.message_zh or in_chinese(message), self.remedy_zh or in_chinese(remedy)
        code = "" if self.number == E.CORRUPT_PACK else f" [{TABLE[self.number].code}]"
        return f"{self.file}: {self.key}: {message}{f' — {remedy}' if remedy else ''}{code}"


def as_data(fault: Fault) -> dict[str, str]:
    """Return a finding for JSON, in both languages."""
    return asdict(fault) | {
        "message_zh": fault.message_zh or in_chinese(fault.message),
        "remedy_zh": fault.remedy_zh or in_chinese(fault.remedy),
    }


class Faults(list[Fault]):
    """A growing list of faults."""

    def add(self, file: str, key: str, message: str, remedy: str = "", number: E = E.CORRUPT_PACK) -> None:
        """Note one fault; ``file`` is relative to the pack folder, ``key`` a dotted path or ``line N``."""
        self.append(Fault(file, key, message, remedy, number))

    def raise_if_any(self, what: str) -> None:
        """Raise :class:`PackError` with every fault found so far."""
        if self:
            raise PackError(what, sorted(set(self)))


def nearest(word: str, known: Iterable[str], otherwise: str) -> str:
    """Return what to write instead of a word: the nearest one that is known.

    >>> nearest("scale", ["file", "scale_points"], "")
    'did you mean scale_points?'
    >>> nearest("moon", ["file", "scale_points"], "the keys are file, scale_points")
    'the keys are file, scale_points'
    """
    near = difflib.get_close_matches(word, [name for name in known if name], 1, 0.5)
    return f"did you mean {near[0]}?" if near else otherwise


class PackError(Exception):
    """A rule pack or grouping scheme that cannot be used; ``faults`` holds every reason."""

    def __init__(self, what: str, faults: list[Fault]):
        self.what = what
        self.faults = faults
        row = TABLE[E.CORRUPT_PACK]
        head = f"{row.code} {row.en.format(detail=what)}; {row.zh.format(detail=what)}: {len(faults)} fault(s)"
        super().__init__(head + "\n" + "\n".join(f"  {fault}" for fault in faults))
