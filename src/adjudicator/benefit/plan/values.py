"""Reads one value of a plan key into int64 cells, and notes every fault with what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Any

import numpy as np

from adjudicator import limits
from adjudicator.benefit.plan.keys import (
    AXIS_LENGTH,
    CROSS_FIELDS,
    CROSS_SHAPE,
    LISTED_AXES,
    MATERNITY_TYPES,
    NO_LIMIT,
    UNDEFINED,
    Key,
    field_of,
)
from adjudicator.codes import Channel, Filing, Place
from adjudicator.options import BurdenPart, choice_name
from adjudicator.rounding import PPM
from adjudicator.rulefile.faults import Faults
from adjudicator.rulefile.fields import Members, Number, read_members, read_number

ORDINARY = "ordinary"
"""Name of the category 0: a person without assistance."""
ALIASES: dict[str, int] = {"in_catalogue": 3, "everything": 15}
"""Names for several parts of the personal burden; in_catalogue also takes the ceiling excess where V12 says inside."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names a pack gives to the cells of its tables."""

    groups: tuple[str, ...]
    levels: tuple[str, ...]
    categories: tuple[str, ...]
    """Assistance categories, ``ordinary`` first."""

    def of(self, axis: str) -> Sequence[str]:
        """Names of an axis, in order."""
        if axis == "group":
            return self.groups
        if axis == "level":
            return self.levels
        if axis == "category":
            return self.categories
        if axis == "maternity":
            return tuple(MATERNITY_TYPES)
        return ()

    def position(self, axis: str, name: str) -> int:
        """Cell of a name."""
        return MATERNITY_TYPES[name] if axis == "maternity" else self.of(axis).index(name)


def blank_cross_region() -> dict[str, np.ndarray]:
    """Fields ``cross_*`` int64[place, filing, channel] of a plan without a rule for care elsewhere."""
    return {
        field_of(f"cross_{name}"): np.full(CROSS_SHAPE, default, np.int64)
        for name, (_, default) in CROSS_FIELDS.items()
    }


def number_kind(unit: str, most: int = NO_LIMIT) -> Number:
    """Return the kind of a number of a plan: its decimals, its bounds and the words that may stand for it."""
    decimals = {"yuan": 2, "percent": 4, "points": 4}.get(unit, 0)
    words = {"yuan": (("none", NO_LIMIT), ("undefined", UNDEFINED)), "percent": (("undefined", UNDEFINED),)}
    most = min(most, PPM if unit in ("percent", "points") else limits.MAX_AMOUNT_FEN)
    return Number(unit, decimals, 0, most, words.get(unit, ()))


class Reader:
    """Reads values in one block of one file."""

    def __init__(self, names: Names, file: str, faults: Faults):
        self.names, self.file, self.faults = names, file, faults

    def read(self, key: Key, raw: Any, where: str) -> np.ndarray | None:
        """int64 cells of the key's shape; None when a fault was found."""
        before = len(self.faults)
        cells = key.blank()
        if key.unit == "option":
            cells[...] = self._option(key, raw, where)
        elif key.unit == "flag":
            if not isinstance(raw, bool):
                self.faults.add(self.file, where, f"{raw!r} is not true or false", "write true or false")
            else:
                cells[...] = int(raw)
        elif key.unit == "names":
            cells[...] = self._names(key, raw, where)
        else:
            self._fill(key, raw, where, key.axes, cells, ())
            if key.inherits and isinstance(raw, dict) and "category" in key.axes:
                self._inherit(key, raw, cells)
            if key.axes and key.axes[-1] in ("tier", "band", "burden", "age") and ("_from_" in key.name):
                self._ascending(key, cells, where, raw)
        return cells if len(self.faults) == before else None

    # ---------------------------------------------------------------- words

    def _option(self, key: Key, raw: Any, where: str) -> int:
        words = {choice_name(member): int(member) for member in key.choices}
        if isinstance(raw, str) and raw in words:
            return words[raw]
        self.faults.add(self.file, where, f"{raw!r} is not a choice of {key.name}", "write " + " or ".join(words))
        return 0

    def _names(self, key: Key, raw: Any, where: str) -> int:
        words = {choice_name(member): int(member) for member in key.members}
        if key.choices is not BurdenPart:
            words = {word: 1 << number for word, number in words.items()}
        else:
            most = sum(words.values())
            words |= {word: mask for word, mask in ALIASES.items() if mask | most == most}
        mask = 0
        for word in [raw] if isinstance(raw, str) else raw if isinstance(raw, list) else [None]:
            if word not in words:
                self.faults.add(
                    self.file, where, f"{word!r} is not a name of {key.name}", "write some of " + ", ".join(words)
                )
            mask |= words.get(str(word), 0)
        return mask

    # ---------------------------------------------------------------- numbers

    def _fill(
        self, key: Key, raw: Any, where: str, axes: tuple[str, ...], cells: np.ndarray, at: tuple[Any, ...]
    ) -> None:
        """Write a number over all that is left of the axes, or goe down one axis by name or by list."""
        if isinstance(raw, dict):
            axis = self._axis_of(raw, axes)
            if axis is None:
                self._unknown_names(raw, where, axes)
                return
            skipped = axes[: axes.index(axis)]
            rest = axes[axes.index(axis) + 1 :]
            for name, value in raw.items():
                if name not in self.names.of(axis):
                    self._unknown_names({name: value}, where, (axis,))
                    continue
                index = (*at, *(slice(None) for _ in skipped), self.names.position(axis, name))
                self._fill(key, value, f"{where}.{name}", rest, cells, index)
        elif isinstance(raw, list):
            self._fill_list(key, raw, where, axes, cells, at)
        else:
            number = self.number(key.unit, raw, where, key.most)
            if number is not None:
                cells[at if at else ...] = number

    def _fill_list(
        self, key: Key, raw: list[Any], where: str, axes: tuple[str, ...], cells: np.ndarray, at: tuple[Any, ...]
    ) -> None:
        if not axes or axes[-1] not in LISTED_AXES:
            self.faults.add(self.file, where, "is a list", "write one value, or a table by name")
            return
        if not raw or len(raw) > AXIS_LENGTH[axes[-1]]:
            self.faults.add(self.file, where, f"has {len(raw)} entries", f"write 1 to {AXIS_LENGTH[axes[-1]]} entries")
            return
        skipped = tuple(slice(None) for _ in axes[:-1])
        for position, value in enumerate(raw):
            number = self.number(key.unit, value, f"{where}[{position}]", key.most)
            if number is not None:
                cells[(*at, *skipped, position)] = number
                if axes[-1] == "nth":
                    cells[(*at, *skipped, slice(position, None))] = number

    def _axis_of(self, raw: dict[str, Any], axes: tuple[str, ...]) -> str | None:
        """Return the first axis that knows one of the names."""
        return next((axis for axis in axes if any(name in self.names.of(axis) for name in raw)), None)

    def _unknown_names(self, raw: dict[str, Any], where: str, axes: tuple[str, ...]) -> None:
        known = [name for axis in axes for name in self.names.of(axis)]
        for name in raw:
            near = difflib.get_close_matches(str(name), known, 1)
            kinds = " or ".join(axis for axis in axes if axis not in LISTED_AXES) or "name"
            self.faults.add(
                self.file, f"{where}.{name}", f"unknown {kinds} {name!r}",
                f"did you mean {near[0]!r}?" if near else "write one of " + (", ".join(known) or "a number"),
            )  # fmt: skip

    def _inherit(self, key: Key, raw: dict[str, Any], cells: np.ndarray) -> None:
        """Categories that are not named take the ordinary value."""
        axis = key.axes.index("category")
        if axis == 0 and ORDINARY in raw:
            for position, name in enumerate(self.names.categories):
                if name not in raw:
                    cells[position] = cells[0]
            cells[len(self.names.categories) :] = cells[0]

    def _ascending(self, key: Key, cells: np.ndarray, where: str, raw: Any) -> None:
        steps = [int(value) for value in cells if value not in (NO_LIMIT, key.default)]
        if key.axes[-1] != "age" and (not steps or steps[0] != 0):
            self.faults.add(
                self.file, where, "does not begin at 0", "write the lower ends of all steps, the first is 0"
            )
        if any(latter <= former for former, latter in pairwise(steps)):
            self.faults.add(self.file, where, f"is out of order: {raw}", "write the lower ends in ascending order")

    def number(self, unit: str, raw: Any, where: str, most: int = NO_LIMIT) -> int | None:
        """Return one number: yuan as fen, percent and points as parts per million, days and years as they are."""
        if unit == "flag" and isinstance(raw, bool):
            return int(raw)
        return read_number(number_kind(unit, most), raw, self.file, where, self.faults)

    # ---------------------------------------------------------------- tables of their own shape

    def cross_region(self, raw: Any, where: str) -> dict[str, np.ndarray] | None:
        """Fields ``cross_*`` int64[place, filing, channel] of the entries of ``cross_region`` (V11)."""
        before = len(self.faults)
        blank = blank_cross_region()
        fields = {name: blank[field_of(f"cross_{name}")] for name in CROSS_FIELDS}
        if not isinstance(raw, list):
            self.faults.add(self.file, where, "is not a list of tables", "write [[rule.cross_region]] blocks")
            return None
        for number, entry in enumerate(raw):
            self._cross_entry(entry, f"{where}[{number}]", fields)
        return (
            {field_of(f"cross_{name}"): cells for name, cells in fields.items()} if len(self.faults) == before else None
        )

    def _cross_entry(self, entry: Any, where: str, fields: dict[str, np.ndarray]) -> None:
        if not isinstance(entry, dict):
            self.faults.add(self.file, where, "is not a table", "write [[rule.cross_region]] blocks")
            return
        places = self.members(entry.get("place"), Place, f"{where}.place")
        filings = self.members(entry.get("filing", "any"), Filing, f"{where}.filing")
        channels = self.members(entry.get("channel", "any"), Channel, f"{where}.channel")
        for place in places:
            for filing in filings:
                if fields["defined"][place, filing, channels].any():
                    name = f"{choice_name(Place(place))}/{choice_name(Filing(filing))}"
                    self.faults.add(
                        self.file, where, f"{name} is given twice", "keep one entry for each place, filing and channel"
                    )
                fields["defined"][place, filing, channels] = 1
        cells = np.ix_(places, filings, channels)
        for name, value in entry.items():
            if name in ("place", "filing", "channel"):
                continue
            if name not in CROSS_FIELDS or name == "defined":
                near = difflib.get_close_matches(name, CROSS_FIELDS, 1)
                self.faults.add(
                    self.file, f"{where}.{name}", f"unknown key {name!r}",
                    f"did you mean {near[0]!r}?" if near else "write some of " + ", ".join(list(CROSS_FIELDS)[1:]),
                )  # fmt: skip
                continue
            unit = CROSS_FIELDS[name][0]
            number = self.number(unit, value, f"{where}.{name}")
            if number is not None:
                fields[name][cells] = number

    def members(self, raw: Any, choices: type[IntEnum], where: str) -> list[int]:
        """Return the numbers of one or several named choices; "any" is all of them."""
        return list(read_members(Members(choices), raw, self.file, where, self.faults))

    def rate_derived(self, raw: Any, where: str) -> list[tuple[int, int, str, int]] | None:
        """(group, of group, form, ppm) of groups whose rate follows from another's (V14)."""
        before, derived = len(self.faults), []
        for name, rule in (raw if isinstance(raw, dict) else {"": raw}).items():
            place = f"{where}.{name}"
            if name not in self.names.groups:
                self._unknown_names({name: rule}, where, ("group",))
                continue
            forms = [
                form for form in ("plus_points", "patient_share_percent") if isinstance(rule, dict) and form in rule
            ]
            if len(forms) != 1 or rule.get("of") not in self.names.groups or set(rule) != {"of", *forms}:
                self.faults.add(
                    self.file, place, "is not a derived rate",
                    'write { of = "active", plus_points = 3 } or { of = "active", patient_share_percent = 60 }',
                )  # fmt: skip
                continue
            ppm = self.number("percent", rule[forms[0]], f"{place}.{forms[0]}")
            if ppm is not None:
                derived.append((self.names.groups.index(name), self.names.groups.index(rule["of"]), forms[0], ppm))
        return derived if len(self.faults) == before else None
