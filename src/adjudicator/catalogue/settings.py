"""Reads ``catalogue.toml``: where the tables come from, the pack's choice between readings, what programmes cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from adjudicator import limits
from adjudicator.catalogue.tables import COLUMNS, FileHeader
from adjudicator.rulefile.dated import DatedValue, Source, check_overlap, day_before, next_day
from adjudicator.rulefile.evidence import Support
from adjudicator.rulefile.faults import Faults
from adjudicator.rulefile.fields import Where
from adjudicator.rulefile.reader import read_struct, read_structs, read_toml, unknown_keys

TABLES = ("note", "files", "rule", "programme")
"""What ``catalogue.toml`` may hold."""


class FileTable(msgspec.Struct, frozen=True, kw_only=True):
    """The evidence of the rows of a CSV table that have none of their own."""

    support: Support


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Dated choices between readings of the rules for a line."""

    source: Source
    note: str = ""
    over_ceiling: Literal["amount_less_ceiling", "price_difference"] | None = None
    """R22: the excess is the amount less the ceiling's, or quantity times the price over the ceiling."""
    first_pay_on: Literal["rest", "whole_price"] | None = None
    """R23: the first-pay share is taken on the rest under the ceiling, or on the whole price."""
    refund: Literal["mirror", "remainder"] | None = None
    """R24: a refund mirrors the parts of its own share, or what is left keeps its parts."""
    unknown_item: Literal["refuse", "self_paid"] | None = None
    not_valid_item: Literal["self_paid", "refuse"] | None = None
    cross_region: Literal["care_place", "insurance_place", "care_place_whole"] | None = None
    """Whose catalogue holds for care elsewhere: class and ceiling of the place of care with the ratio of the place of
    insurance, the place of insurance alone, or the place of care alone.
    """
    price_rounding: Literal["fen_a_unit", "fen_a_line", "none"] | None = None
    """How far price times quantity, half up, may be from the amount of a line by rounding."""
    price_mismatch: Literal["warn", "refuse"] | None = None
    """What happens to a claim with a line that differs by more."""


class ProgrammeTable(msgspec.Struct, frozen=True, kw_only=True):
    """Which items a dated programme of the pack covers as class A."""

    source: Source
    where: Where
    id: str
    note: str = ""
    covers: tuple[str, ...] = ()
    """Codes, or beginnings of codes with a star."""


OPTIONS: dict[str, tuple[str, ...]] = {
    "over_ceiling": ("amount_less_ceiling", "price_difference"),
    "first_pay_on": ("rest", "whole_price"),
    "refund": ("mirror", "remainder"),
    "unknown_item": ("refuse", "self_paid"),
    "not_valid_item": ("self_paid", "refuse"),
    "cross_region": ("care_place", "insurance_place", "care_place_whole"),
    "price_rounding": ("fen_a_unit", "fen_a_line", "none"),
    "price_mismatch": ("warn", "refuse"),
}
"""The choices of :class:`Rule` in the order of their numbers; the first is the default.

They are written out because two ``Literal`` types with the same words in another order are one type.
"""

OPTION = np.dtype(
    [("from", "i4"), ("to", "i4"), *((name, "i4") for name in OPTIONS), ("unverified", "i4")],
    align=True,
)
"""The choices that hold from a day to a day (YYYYMMDD, inclusive), each as the position in :data:`OPTIONS`."""

WITHOUT_AMOUNT = ("unknown_item", "not_valid_item", "price_rounding", "price_mismatch")
"""Choices that refuse, warn or leave a note on the line: no amount is unverified because one of them is."""

MAX_PROGRAMMES = 8


@dataclass(slots=True)
class Folder:
    """One catalogue folder: its ``catalogue.toml``, and the files with their headers."""

    label: str
    settings: dict[str, Any]
    files: list[tuple[Path, FileHeader]]

    @staticmethod
    def read(folder: Path, label: str, faults: Faults) -> Folder:
        """Return a folder with the headers of its files; each fault is noted."""
        toml = f"{label}/catalogue.toml"
        settings = read_toml(folder / "catalogue.toml", toml, faults) or {}
        unknown_keys(settings, TABLES, toml, "", faults)
        headers = settings.get("files", {})
        files = []
        for name in COLUMNS:
            path = folder / name
            if path.exists():
                files.append((path, _header(headers.get(name), f"{label}/{name}", toml, name, faults)))
            elif name in headers:
                faults.add(toml, f"files.{name}", "the file is missing", "add it, or leave its header out")
        for name in sorted(set(headers) - set(COLUMNS)):
            faults.add(toml, f"files.{name}", "unknown file", f"the files are {', '.join(COLUMNS)}")
        return Folder(label, settings, files)


def _header(values: Any, label: str, toml: str, name: str, faults: Faults) -> FileHeader:
    """Return the header of a file, checked."""
    key = f"files.{name}"
    if not isinstance(values, dict):
        faults.add(toml, key, "is missing", f'write [files."{name}"] with its document and evidence')
        return FileHeader(label)
    table = read_struct(FileTable, values, toml, key, faults)
    return FileHeader(label, table.support if table else None)


def read_options(sources: Sequence[Folder], faults: Faults) -> np.ndarray:
    """Return the dated choices as OPTION rows without gap; a pack's own choices replace those of an included one."""
    values: dict[str, list[DatedValue]] = {}
    for source in reversed(sources):
        values |= _choices(source, faults)
    days = {limits.FIRST_DATE}
    for dated in values.values():
        for value in dated:
            days |= {value.source.from_date, next_day(value.source.to_date)}
    starts = sorted(day for day in days if day <= limits.LAST_DATE)
    options = np.zeros(len(starts), OPTION)
    options["from"] = starts
    options["to"] = [*(day_before(day) for day in starts[1:]), limits.LAST_DATE]
    for name, dated in values.items():
        for value in dated:
            holds = (options["from"] >= value.source.from_date) & (options["to"] <= value.source.to_date)
            options[name][holds] = value.value
            if name not in WITHOUT_AMOUNT:
                options["unverified"][holds] |= not value.source.verified
    return options


def _choices(folder: Folder, faults: Faults) -> dict[str, list[DatedValue]]:
    """Return the dated values of each option of one folder; ``value`` is the position of the choice."""
    toml = f"{folder.label}/catalogue.toml"
    values: dict[str, list[DatedValue]] = {}
    for rule in read_structs(Rule, folder.settings.get("rule"), toml, "rule", faults):
        for name, choices in OPTIONS.items():
            choice = getattr(rule, name)
            if choice is not None:
                values.setdefault(name, []).append(DatedValue(name, choices.index(choice), rule.source))
    return {name: check_overlap(dated, faults) for name, dated in values.items()}


def read_covers(sources: Sequence[Folder], programmes: Sequence[str], codes: np.ndarray, faults: Faults) -> np.ndarray:
    """Return uint8[items]: bit k is set where programme k + 1 of the pack covers the item."""
    covers = np.zeros(len(codes), np.uint8)
    for folder in sources:
        toml = f"{folder.label}/catalogue.toml"
        for table in read_structs(ProgrammeTable, folder.settings.get("programme"), toml, "programme", faults):
            if table.id not in programmes[:MAX_PROGRAMMES]:
                message = f"the pack has no programme {table.id!r}"
                faults.add(toml, f"{table.where.key}.id", message, f"write one of {', '.join(programmes) or '(none)'}")
                continue
            bit = 1 << programmes.index(table.id)
            for pattern in table.covers:
                covers[_matching(codes, pattern)] |= bit
    return covers


def _matching(codes: np.ndarray, pattern: str) -> slice:
    """Return the items that a code or a pattern with a star at the end means; ``codes`` are sorted."""
    prefix = pattern.rstrip("*").encode()
    if pattern.endswith("*"):
        after = np.searchsorted(codes, prefix + b"\xff") if prefix else len(codes)
        return slice(np.searchsorted(codes, prefix), after)
    return slice(np.searchsorted(codes, prefix, "left"), np.searchsorted(codes, prefix, "right"))
