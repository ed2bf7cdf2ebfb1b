"""Record files read slowly: one line at a time in plain Python, from what docs/grouping.md says of the format."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from adjudicator import limits

UNKNOWN = {"sex": 0, "age_years": -1, "age_days": -1, "birth_weight_g": 0, "stay_days": -1, "discharge_way": 0,
           "icu_hours": -1}  # fmt: skip
HIGHEST = {
    "sex": 9, "age_years": limits.MAX_AGE_YEARS, "age_days": (limits.MAX_AGE_YEARS + 1) * 366,
    "birth_weight_g": 100_000, "stay_days": limits.MAX_STAY_DAYS, "discharge_way": 9,
    "icu_hours": limits.MAX_STAY_DAYS * 24,
}  # fmt: skip


class LineFault(Exception):
    """A line that cannot be read: why, and in which column where one is to blame."""

    def __init__(self, reason: str, column: str = ""):
        super().__init__(reason)
        self.reason, self.column = reason, column


@dataclass
class TextRecord:
    """One line of a file."""

    line: int
    id: str = ""
    department: str = ""
    numbers: dict[str, int] = field(default_factory=lambda: dict(UNKNOWN))
    diagnoses: list[str] = field(default_factory=list)
    procedures: list[str] = field(default_factory=list)
    fault: str = ""
    column: str = ""


def read_block(block: bytes, columns: list[str], separator: str) -> list[TextRecord]:
    """The records of whole lines; a blank line is none."""
    records = []
    for number, line in enumerate(block.split(b"\n")[:-1]):
        content = line.removesuffix(b"\r")
        if content:
            records.append(read_line(content, number, columns, separator))
    return records


def read_line(content: bytes, number: int, columns: list[str], separator: str) -> TextRecord:
    """One record; with a fault it has no codes."""
    record = TextRecord(number)
    try:
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise LineFault("not UTF-8") from None
        rest: str | None = text
        for column in columns:
            if rest is None:
                raise LineFault("too few columns")
            raw, rest = first_field(rest, separator, column)
            fill(record, column, raw)
        if rest is not None:
            raise LineFault("too many columns")
    except LineFault as fault:
        record.fault, record.column = fault.reason, fault.column
        record.diagnoses, record.procedures = [], []
    return record


def first_field(text: str, separator: str, column: str) -> tuple[str, str | None]:
    """The first field with its quotes, and what comes after its separator; ``None`` where it is the last."""
    if text.startswith('"'):
        match = re.match(rf'("[^"]*")({separator}|\Z)', text)
        if match is None:
            raise LineFault("quotes", column)
        return match[1], text[match.end() :] if match[2] else None
    field, found, rest = text.partition(separator)
    return field, rest if found else None


def fill(record: TextRecord, column: str, raw: str) -> None:
    """Puts a field into its place."""
    value = raw[1:-1] if raw.startswith('"') else raw
    if column == "id":
        record.id = raw
        if len(value.encode()) > limits.MAX_ID_BYTES:
            raise LineFault("id too long", column)
    elif column == "department":
        record.department = value
    elif column in ("diagnoses", "procedures"):
        codes = value.removesuffix("|").split("|") if value else []
        for count, code in enumerate(codes, 1):
            if count > limits.MAX_DIAGNOSES_PER_CLAIM:
                raise LineFault("too many codes", column)
            if len(code.encode()) > limits.MAX_CODE_BYTES:
                raise LineFault("code too long", column)
        setattr(record, column, codes)
    elif column in UNKNOWN and value:
        if len(value.encode()) > 12 or not re.fullmatch(r"-?[0-9]+", value):
            raise LineFault("not a number", column)
        if value.startswith("-") or int(value) > HIGHEST[column]:
            raise LineFault("out of range", column)
        record.numbers[column] = int(value)
