"""Reads the payment and pooling parts of a pack: TOML tables and CSV rows, with every fault collected.

A dated row carries ``from`` (and ``to``) and its evidence: document, clause, link, checked_on, grade. Decimal numbers
are written as text ("0.85", "2.36182972") and are read exactly; a TOML float is refused, because it has lost digits.
"""

from __future__ import annotations

import csv
import datetime
import tomllib
from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path
from typing import Any, TypeVar

from adjudicator.limits import FIRST_DATE, LAST_DATE
from adjudicator.money import MoneyError, decimal_to_scaled
from adjudicator.rounding import PPM
from adjudicator.rulefile.dated import SOURCE_KEYS, Source, read_source
from adjudicator.rulefile.evidence import EVIDENCE_KEYS, Evidence, read_support
from adjudicator.rulefile.faults import Faults

MISSING = object()
Member = TypeVar("Member", bound=IntEnum)


class Node:
    """One table of a rule file; each getter notes its own fault and returns a harmless value, so reading goes on."""

    def __init__(self, file: str, key: str, data: dict[str, Any], faults: Faults):
        self.file, self.key, self.data, self.faults = file, key, data, faults
        self._used: set[str] = set()

    def fault(self, name: str, message: str, remedy: str = "") -> None:
        """Note a fault at a key of this table."""
        self.faults.add(self.file, f"{self.key}.{name}" if self.key else name, message, remedy)

    def _take(self, name: str, default: Any, kinds: tuple[type, ...], what: str) -> Any:
        self._used.add(name)
        value = self.data.get(name, MISSING)
        if value is MISSING or value == "":
            if default is MISSING:
                self.fault(name, "is missing", f"write {what}")
                return None
            return default
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            self.fault(name, f"is {value!r}", f"write {what}")
            return None if default is MISSING else default
        return value

    def text(self, name: str, default: Any = MISSING) -> str:
        """Return a text."""
        return self._take(name, default, (str,), "a text") or ""

    def boolean(self, name: str, default: Any = MISSING) -> bool:
        """true or false; a CSV cell may say so in words."""
        value = self.data.get(name)
        if isinstance(value, str) and value in ("true", "false"):
            self._used.add(name)
            return value == "true"
        return bool(self._take(name, default, (bool,), "true or false"))

    def integer(self, name: str, default: Any = MISSING, low: int = 0, high: int = 2**53) -> int:
        """Return a whole number between two bounds."""
        value = self.data.get(name)
        if isinstance(value, str) and value.lstrip("-").isdigit():
            self.data[name] = int(value)
        number = self._take(name, default, (int,), "a whole number")
        if number is None:
            return 0
        if not low <= number <= high:
            self.fault(name, f"is {number}", f"write a whole number from {low} to {high}")
            return low
        return int(number)

    def scaled(self, name: str, decimals: int, default: Any = MISSING, low: int = 0, high: int = 10**15) -> int:
        """Return a decimal number as an integer of ``10**-decimals`` units."""
        value = self._take(
            name, default, (str, int), f'a decimal number in quotes with at most {decimals} decimals: "0.85"'
        )
        if value is None or value is default:
            return value if isinstance(value, int) else 0
        try:
            number = decimal_to_scaled(str(value), decimals)
        except MoneyError as error:
            self.fault(name, str(error), f"write a decimal number with at most {decimals} decimals")
            return 0
        if not low <= number <= high:
            self.fault(
                name, f"is {value}, out of range", f"write a number from {low / 10**decimals} to {high / 10**decimals}"
            )
            return 0
        return number

    def fen(self, name: str, default: Any = MISSING, low: int = 0) -> int:
        """Return an amount in yuan, as fen."""
        return self.scaled(name, 2, default, low, 10**15)

    def ppm(self, name: str, default: Any = MISSING, high: int = PPM) -> int:
        """Return a rate as a decimal fraction ("0.85"), as parts per million; over 100 % only where ``high``
        allows it.
        """
        return self.scaled(name, 6, default, 0, high)

    def e8(self, name: str, default: Any = MISSING, low: int = 0) -> int:
        """Points or a coefficient, as 1e-8."""
        return self.scaled(name, 8, default, low, 10**14)

    def choice(self, name: str, choices: Iterable[str], default: Any = MISSING) -> str:
        """One of some words."""
        words = list(choices)
        value = self._take(name, default, (str,), "one of " + ", ".join(words))
        if value is not None and value is not default and value not in words:
            self.fault(name, f"is {value!r}", "write one of " + ", ".join(words))
            return words[0] if default is MISSING else default
        return value if value is not None else words[0]

    def texts(self, name: str, default: Any = MISSING) -> list[str]:
        """Return a list of texts; in a CSV cell they are separated by spaces."""
        value = self.data.get(name)
        if isinstance(value, str):
            self._used.add(name)
            return value.split()
        values = self._take(name, default, (list,), "a list of texts")
        if values is None or values is default:
            return values if isinstance(values, list) else []
        if not all(isinstance(entry, str) for entry in values):
            self.fault(name, "holds something that is not a text", "write every code in quotes")
        return [entry for entry in values if isinstance(entry, str)]

    def date(self, name: str, default: Any = MISSING) -> int:
        """Return a date (2025-01-31 or 20250131), as YYYYMMDD."""
        value = self._take(name, default, (str, int, datetime.date), "a date such as 2025-01-31")
        if value is None or value is default:
            return value if isinstance(value, int) else FIRST_DATE
        text = value.isoformat() if isinstance(value, datetime.date) else str(value)
        text = text.replace("-", "")
        try:
            day = datetime.datetime.strptime(text, "%Y%m%d").date()
        except ValueError:
            self.fault(name, f"is {value!r}", "write a date such as 2025-01-31")
            return FIRST_DATE
        return day.year * 10_000 + day.month * 100 + day.day

    def source(self) -> Source:
        """Return the dated source of this table; with a fault, one that nothing is read from."""
        self._used.update(SOURCE_KEYS)
        source = read_source(self._written(), self.file, self.key, self.faults)
        return source or Source(
            FIRST_DATE, LAST_DATE, "", "", "", 0, Evidence.DEMONSTRATION, self.file, self.key
        )  # fmt: skip

    def verified(self) -> bool:
        """Read the evidence of a block inside a dated table; True where it is official."""
        self._used.update(EVIDENCE_KEYS)
        support = read_support(self._written(), self.file, self.key, self.faults)
        return support is not None and support.evidence.verified

    def _written(self) -> dict[str, Any]:
        """Return what is written; an empty cell of a CSV row counts as left out."""
        return {name: value for name, value in self.data.items() if value != ""}

    def child(self, name: str, required: bool = False) -> Node | None:
        """Return a table inside this one."""
        default = MISSING if required else None
        value = self._take(name, default, (dict,), "a table")
        return (
            None if value is None else Node(self.file, f"{self.key}.{name}" if self.key else name, value, self.faults)
        )

    def children(self, name: str) -> list[Node]:
        """Return an array of tables inside this one."""
        value = self._take(name, [], (list,), "an array of tables")
        if any(not isinstance(entry, dict) for entry in value):
            self.fault(name, "is not an array of tables", f"write [[{name}]]")
            return []
        prefix = f"{self.key}.{name}" if self.key else name
        return [Node(self.file, f"{prefix}[{position}]", entry, self.faults) for position, entry in enumerate(value)]

    def has(self, name: str) -> bool:
        """True where the key is written and not empty."""
        return bool(self.data.get(name, "") != "")

    def finish(self) -> None:
        """Note every key that nobody asked for."""
        for name in self.data:
            if name not in self._used and self.data[name] != "":
                self.fault(name, "is not a key of this table", "remove it or correct its spelling")


def read_toml(folder: Path, name: str, faults: Faults) -> Node | None:
    """Read a TOML file of a pack; ``None`` where it does not exist or is not TOML (the latter is a fault)."""
    path = folder / name
    if not path.exists():
        return None
    try:
        return Node(name, "", tomllib.loads(path.read_text(encoding="utf-8")), faults)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.add(name, "file", f"is not TOML: {error}", "correct the line")
        return None


def read_csv(folder: Path, name: str, required: Iterable[str], faults: Faults) -> list[Node]:
    """Read a CSV file of a pack as one node a row; a missing file or column is a fault."""
    path = folder / name
    if not path.exists():
        faults.add(name, "file", "does not exist", "add the file or correct its name")
        return []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        missing = [column for column in required if column not in (reader.fieldnames or [])]
        if missing:
            faults.add(name, "line 1", f"has no column {', '.join(missing)}", "add the column to the header")
            return []
        nodes = []
        for row in reader:
            if row.pop(None, None) is not None or None in row.values():
                faults.add(
                    name, f"line {reader.line_num}", "has more or fewer cells than the header", "correct the row"
                )
                continue
            nodes.append(Node(name, f"line {reader.line_num}", dict(row), faults))
        return nodes


def words(kind: type[IntEnum]) -> tuple[str, ...]:
    """Return the words of an enumeration as rule files write them, in its order."""
    return tuple(member.name.lower() for member in kind)


def read_member(node: Node, name: str, kind: type[Member], default: str | object = MISSING) -> Member:
    """Read one of the words of an enumeration; a missing or unknown word is a fault and gives the first."""
    return kind[node.choice(name, words(kind), default).upper()]
