"""What the dated tables of ``payment.toml`` and ``pooling.toml`` say on a day, as they are written."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adjudicator.dates import iso
from adjudicator.limits import LAST_DATE
from adjudicator.rulefile.dated import SOURCE_KEYS
from adjudicator.rulefile.evidence import EVIDENCE_KEYS
from adjudicator.rulefile.faults import Faults
from adjudicator.rulefile.pack import Pack
from adjudicator.rulefile.reader import read_csv, read_toml
from adjudicator.rules.shown import Shown

FILES = ("payment.toml", "pooling.toml")
TABLES_ZH = {
    "method": "付费方式", "drg": "DRG 点数", "bed_day": "床日", "package": "病种与定额", "point_value": "点值",
    "contract": "按人头协议", "clearing": "清算", "budget": "基金预算", "calibration": "点数测算",
    "capitation": "按人头", "quota_year": "年度定额", "deficit": "缺口分担", "levy": "提取", "warning": "预警",
    "old_gaps": "历史缺口", "county_budget": "区县预算", "funding": "资金拨付", "performance": "目标考核",
    "options": "选项",
}  # fmt: skip
"""Chinese names of the tables, by their key."""
NAMES = ("name", "name_zh", "note")
"""Keys of a file that are no rule."""
IDENTITY = ("scheme", "kind", "fund", "hospital")
"""Keys by which two tables of different days are one rule, where they have no ``id``."""


@dataclass(frozen=True, slots=True)
class ShownBlock(Shown):
    """One dated table on a day; ``values`` (key, value) as written, a key of an inner table with its name in front."""

    file: str
    table: str
    name: str
    """What tells it from other tables of its kind, such as its id or its scheme."""

    @property
    def label(self) -> str:
        """The table and its name in words."""
        return f"{self.table} {self.name}".strip()


def blocks_on(pack: Pack, date: int) -> dict[tuple[str, str, str], ShownBlock]:
    """Return the tables of payment and pooling that hold on a day, by file, table and name.

    ``options`` is what a file says before its tables, on no date and no document.
    """
    found = {}
    for file in FILES:
        raw = read_toml(pack.folder / file, file, Faults()) or {}
        options = tuple((key, _text(value)) for key, value in raw.items() if key not in NAMES and not _is_tables(value))
        if options:
            found[file, "options", ""] = ShownBlock(file, "options", "", values=options)
        for block in _blocks(file, raw):
            if block.from_date <= iso(date) <= block.to_date:
                found[file, block.table, block.name] = block
    return found


def every_block(pack: Pack) -> Iterator[ShownBlock]:
    """Yield the dated tables of payment and pooling of all days, in the order of their files."""
    for file in FILES:
        yield from _blocks(file, read_toml(pack.folder / file, file, Faults()) or {})


def _blocks(file: str, raw: Mapping[str, Any]) -> Iterator[ShownBlock]:
    for table, entries in raw.items():
        for entry in entries if _is_tables(entries) else ():
            yield _block(file, table, entry)


def rows_of(pack: Pack, file: str) -> frozenset[tuple[str, ...]]:
    """Return the rows of a CSV file that a table names, with its header; nothing where it cannot be read."""
    table = read_csv(Path(pack.folder), file, Faults())
    if table is None:
        return frozenset()
    return frozenset({table.columns, *(tuple(line.cells.values()) for line in table.lines)})


def _block(file: str, table: str, entry: Mapping[str, Any]) -> ShownBlock:
    named_by = ("id",) if "id" in entry else tuple(key for key in IDENTITY if key in entry)
    name = " ".join(_text(entry[key]) for key in named_by)
    values = tuple(_values(entry, "", (*SOURCE_KEYS, *named_by)))
    source = {key: str(entry.get(key, "")) for key in EVIDENCE_KEYS}
    first, last = iso(_day(entry.get("from"))), iso(_day(entry.get("to"), LAST_DATE))
    return ShownBlock(file, table, name, values=values, from_date=first, to_date=last, **source)


def _values(entry: Mapping[str, Any], inside: str, without: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield each key and value of a table and of the tables inside it, without what they rest on."""
    for key, value in entry.items():
        if key in without:
            continue
        if isinstance(value, Mapping):
            yield from _values(value, f"{inside}{key}.", SOURCE_KEYS)
        elif _is_tables(value):
            for number, one in enumerate(value):
                yield from _values(one, f"{inside}{key}[{one.get('id', number)}].", (*SOURCE_KEYS, "id"))
        else:
            yield inside + key, _text(value)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _day(value: Any, otherwise: int = 0) -> int:
    if isinstance(value, datetime.date):
        return value.year * 10_000 + value.month * 100 + value.day
    return otherwise
