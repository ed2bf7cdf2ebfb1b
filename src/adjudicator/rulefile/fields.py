"""The kinds of values that rule files hold: numbers with a unit, words, dates; each read exactly, with its remedy.

A table of a rule file is a :class:`msgspec.Struct` whose fields have the types of this module. The reader
(:mod:`adjudicator.rulefile.reader`) and the JSON schema (:mod:`adjudicator.rulefile.schema`) follow the same types.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Annotated, Any, NamedTuple

from adjudicator.codes import Scheme
from adjudicator.limits import MAX_AMOUNT_FEN
from adjudicator.money import MoneyError, decimal_to_scaled
from adjudicator.options import choice_name
from adjudicator.rounding import PPM
from adjudicator.rulefile.evidence import read_date
from adjudicator.rulefile.faults import Faults


@dataclass(frozen=True, slots=True)
class Number:
    """A decimal number, read as an integer of ``10**-decimals`` units within bounds (both inclusive)."""

    unit: str
    decimals: int
    low: int = 0
    high: int = 10**15
    words: tuple[tuple[str, int], ...] = ()
    """Words that may stand in place of a number, such as "none" for a cap that is never reached."""

    @property
    def remedy(self) -> str:
        """What to write instead."""
        known = {
            "yuan": "yuan such as 800 or 404.20",
            "percent": "percent from 0 to 100, such as 82",
            "points": "percentage points from 0 to 100, such as 3",
        }
        kind = f"a number with at most {self.decimals} decimals" if self.decimals else f"a whole number {self.of_unit}"
        text = f"{kind.strip()} from {self.text(self.low)} to {self.text(self.high)}"
        if self.unit == "yuan" or (self.unit in known and self.high == PPM):
            text = known[self.unit]
        return "write " + text + "".join(f', or "{word}"' for word, _ in self.words if word == "none")

    @property
    def of_unit(self) -> str:
        """The unit in words, nothing for a number without one."""
        return f"of {self.unit}" if self.unit else ""

    def text(self, scaled: int) -> str:
        """Return a bound as it would be written.

        >>> Number("percent", 4).text(850_000), Number("", 0).text(3)
        ('85', '3')
        """
        return format(Decimal(scaled).scaleb(-self.decimals).normalize(), "f")


@dataclass(frozen=True, slots=True)
class Members:
    """One word or a list of words, each a member of an enumeration; read as a tuple of numbers."""

    choices: type[IntEnum]

    @property
    def words(self) -> dict[str, int]:
        """The words that may be written; ``unknown`` is none of them."""
        return {choice_name(member): int(member) for member in self.choices if choice_name(member) != "unknown"}


@dataclass(frozen=True, slots=True)
class Member:
    """One word, the name of a member of an enumeration; read as the member."""

    choices: type[IntEnum]
    never: tuple[str, ...] = ("unknown",)
    """Names that are no words of a rule file."""

    @property
    def words(self) -> dict[str, IntEnum]:
        """The words that may be written."""
        return {choice_name(member): member for member in self.choices if choice_name(member) not in self.never}


@dataclass(frozen=True, slots=True)
class Word:
    """One of some words, read as it is."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Codes:
    """One code or a list of codes, each a text; read as a tuple. In a CSV cell spaces separate them."""


@dataclass(frozen=True, slots=True)
class Day:
    """A date, read as YYYYMMDD; a CSV cell may also write it without hyphens."""


class Where(NamedTuple):
    """The place of a table: its file and its key, for faults that only a later check finds."""

    file: str
    key: str


def factor(high: int, decimals: int = 6, low: int = 0) -> Number:
    """Return the kind of a number without a unit, such as a weight or a multiple, up to a whole number."""
    return Number("", decimals, low * 10**decimals, high * 10**decimals)


def count(low: int, high: int) -> Number:
    """Return the kind of a whole number within bounds."""
    return Number("", 0, low, high)


Yuan = Annotated[int, Number("yuan", 2, 0, MAX_AMOUNT_FEN)]
"""An amount in yuan, read as fen."""
FundYuan = Annotated[int, Number("yuan", 2, 0, 10**15)]
"""Money of a fund or a county in a year, in yuan, read as fen."""
Percent = Annotated[int, Number("percent", 4, 0, PPM)]
"""A rate from 0 to 100 percent, read as parts per million."""
Times = Annotated[int, Number("percent", 4, 0, 100 * PPM)]
"""A rate that may be over 100 percent, read as parts per million."""
Months = Annotated[int, Number("months", 2, 0, 12_000)]
"""A number of months, read as hundredths."""
Points = Annotated[int, factor(1_000_000, 8)]
"""Points of a case, a day or a group, read as 1e-8."""
Coefficient = Annotated[int, factor(100, 8)]
"""A coefficient of a hospital or level, read as 1e-8."""
Decimals = Annotated[int, count(0, 8)]
"""To how many decimals a number is rounded."""
Schemes = Annotated[tuple[int, ...], Members(Scheme)]
"""Insurance schemes; a table without them is for all."""
CodeList = Annotated[tuple[str, ...], Codes()]
"""Codes of a list that the pack or its grouping scheme has."""
Date = Annotated[int, Day()]
"""A date, read as YYYYMMDD."""


def read_number(kind: Number, raw: Any, file: str, where: str, faults: Faults, cell: bool = False) -> int | None:
    """Return a number as an integer of its unit; None and a fault when it is none, inexact or out of range.

    ``cell``: the value is a cell of a CSV table, a text.
    """
    unit = f" ({kind.unit})" if kind.unit else ""
    if isinstance(raw, str) and raw in dict(kind.words):
        return dict(kind.words)[raw]
    if isinstance(raw, float):
        raw = Decimal(repr(raw))
    if isinstance(raw, bool) or not isinstance(raw, str if cell else (int, Decimal)):
        faults.add(file, where, f"{raw!r} is not a number{unit}", kind.remedy)
        return None
    try:
        number = decimal_to_scaled(raw if isinstance(raw, str) else format(raw, "f"), kind.decimals)
    except MoneyError as error:
        message = str(error) if cell else f"{raw} has too many decimals{unit}"
        faults.add(file, where, message, f"write at most {kind.decimals} decimals")
        return None
    if number < kind.low or number > kind.high:
        message = f"{raw} is out of range{unit}"
        if number < 0 <= kind.low:
            message = f"{raw} is negative"
        elif kind.unit in ("percent", "points") and kind.high == PPM:
            message = f"{raw} is a rate over 100 percent"
        faults.add(file, where, message, kind.remedy)
        return None
    return number


def read_member(kind: Member, raw: Any, file: str, where: str, faults: Faults) -> IntEnum | None:
    """Return the member of a word; None and a fault where no member has it."""
    if isinstance(raw, str) and raw in kind.words:
        return kind.words[raw]
    faults.add(file, where, f"{raw!r} is not known", "write one of " + ", ".join(kind.words))
    return None


def read_word(kind: Word, raw: Any, file: str, where: str, faults: Faults) -> str:
    """Return one of some words; a fault where it is none of them."""
    if raw not in kind.words:
        faults.add(file, where, f"{raw!r} is not known", "write one of " + ", ".join(kind.words))
    return str(raw)


def read_codes(raw: Any, file: str, where: str, faults: Faults, cell: bool = False) -> tuple[str, ...]:
    """Return one text or a list of texts as a tuple; anything else is a fault."""
    chosen = (raw.split() if cell else [raw]) if isinstance(raw, str) else raw
    if not isinstance(chosen, list) or not chosen or not all(isinstance(code, str) and code for code in chosen):
        faults.add(file, where, f"{raw!r} is not a code or a list of codes", "write each code in quotes")
        return ()
    return tuple(chosen)


def read_day(raw: Any, file: str, where: str, faults: Faults, cell: bool = False) -> int:
    """Return a date as YYYYMMDD; 0 and a fault where it is none."""
    if cell and isinstance(raw, str) and len(raw) == len("YYYYMMDD") and raw.isdigit():
        raw = f"{raw[:4]}-{raw[4:6]}-{raw[6:]}"
    return read_date(raw, file, where, faults)


def read_members(kind: Members, raw: Any, file: str, where: str, faults: Faults) -> tuple[int, ...]:
    """Return the numbers of one or several words; ``any`` is all of them; an unknown word is a fault."""
    words = kind.words
    chosen = [raw] if isinstance(raw, str) else raw if isinstance(raw, list) else [raw]
    if chosen == ["any"]:
        return tuple(words.values())
    for word in chosen:
        if word not in words:
            faults.add(file, where, f"{word!r} is not known", "write any, or some of " + ", ".join(words))
    return tuple(words[word] for word in chosen if word in words)
