"""The slow twin of the reader of benefit plans: one cell of one key at a time, from the TOML file by ``Decimal``.

It knows the dialect of docs/plan-keys.md and nothing of ``benefit/plan``: a number in percent becomes parts per
million, yuan become fen, "none" a limit that is never reached, "undefined" no rate; a table goes down one axis by name,
a list along the last axis; a fragment gives its blocks to every plan that uses it.
"""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

NO_LIMIT, UNDEFINED = 2**60, -1
SCALE = {"yuan": 100, "percent": 10_000, "points": 10_000, "days": 1, "years": 1}
LISTED = ("tier", "band", "burden", "nth", "age")
MATERNITY = ("", "normal", "assisted", "caesarean", "difficult", "miscarriage", "termination", "prenatal", "", "other")
ALIASES = {
    "in_catalogue": ("in_scope", "first_pay"),
    "everything": ("in_scope", "first_pay", "over_ceiling", "self_paid"),
}


@dataclass(frozen=True)
class NaivePack:
    """The TOML of a pack: names of its axes, its plans, and every fragment that it can use."""

    axes: Mapping[str, Sequence[str]]
    plans: Sequence[Mapping[str, Any]]
    fragments: Mapping[str, Mapping[str, Any]]


def read_pack(folder: Path) -> NaivePack:
    """Read the plans of a pack's folder, with the fragments of the folders that it includes."""
    head = tomllib.loads((folder / "pack.toml").read_text("utf-8"), parse_float=Decimal)
    axes = {
        "group": [entry["id"] for entry in head["person_group"]],
        "level": [entry["id"] for entry in head["level"]],
        "category": ["ordinary", *(entry["id"] for entry in head.get("assistance", []))],
        "maternity": MATERNITY,
    }
    folders = [folder, *(folder.parent / name for name in head.get("include", []))]
    files = [
        tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
        for place in folders
        for path in sorted((place / "benefit").glob("*.toml"))
    ]
    fragments = {entry["id"]: entry for file in files for entry in file.get("fragment", [])}
    return NaivePack(axes, [plan for file in files for plan in file.get("plan", [])], fragments)


def raw_values(pack: NaivePack, plan: Mapping[str, Any], day: int) -> dict[str, Any]:
    """Return every key that holds for a plan on a day YYYYMMDD, as written; each may be written once."""
    found: dict[str, Any] = {}
    for owner in (plan, *(pack.fragments[name] for name in sorted(_used(pack, plan)))):
        for block in owner.get("rule", ()):
            if _number(block["from"]) <= day <= _number(block.get("to", datetime.date(2099, 12, 31))):
                for name, value in block.items():
                    assert name not in found or name in _SOURCE, f"{name} twice on {day}"
                    found[name] = value
    return found


_SOURCE = ("from", "to", "document", "clause", "checked_on", "verified", "evidence", "link", "note")


def _used(pack: NaivePack, owner: Mapping[str, Any]) -> set[str]:
    names: set[str] = set()
    for name in owner.get("use", ()):
        names |= {name} | _used(pack, pack.fragments[name])
    return names


def _number(date: datetime.date) -> int:
    return date.year * 10_000 + date.month * 100 + date.day


def cell(pack: NaivePack, raw: Any, unit: str, axes: Sequence[str], place: Sequence[int], default: int) -> int:
    """Return one cell of a written value; ``place`` has one position for each axis."""
    if isinstance(raw, dict):
        axis = next(axis for axis in axes if any(name in pack.axes.get(axis, ()) for name in raw))
        at = axes.index(axis)
        names = pack.axes[axis]
        name = names[place[at]] if place[at] < len(names) else ""
        if name not in raw:
            return default
        # Axes before the one that is named are the same for all: they are not looked at again.
        return cell(pack, raw[name], unit, axes[at + 1 :], place[at + 1 :], default)
    if isinstance(raw, list):
        assert axes[-1] in LISTED
        position = min(place[-1], len(raw) - 1) if axes[-1] == "nth" else place[-1]
        return number(raw[position], unit) if position < len(raw) else default
    return number(raw, unit)


def number(raw: Any, unit: str) -> int:
    """Return a written number in the unit of the engine."""
    if raw == "none":
        return NO_LIMIT
    if raw == "undefined":
        return UNDEFINED
    if isinstance(raw, bool):
        return int(raw)
    scaled = Fraction(raw) * SCALE[unit]
    assert scaled.denominator == 1, raw
    return int(scaled)


def names_mask(raw: Any, bits: Mapping[str, int]) -> int:
    """Return the bits of one name or of several."""
    words = [raw] if isinstance(raw, str) else raw
    return sum({bits[name] for word in words for name in ALIASES.get(word, (word,))})


def derived_ppm(base_ppm: int, rule: Mapping[str, Any]) -> int:
    """Return a rate that follows from another group's (V14), half up."""
    if base_ppm == UNDEFINED:
        return UNDEFINED
    if "plus_points" in rule:
        return min(base_ppm + number(rule["plus_points"], "points"), 1_000_000)
    own_share = Fraction(1_000_000 - base_ppm) * Fraction(rule["patient_share_percent"]) / 100
    return 1_000_000 - int(own_share + Fraction(1, 2))
