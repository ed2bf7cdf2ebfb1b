"""Plans as they are written: which claims a plan is for, and its dated values, its own and those of its fragments.

A file of ``benefit/`` holds ``[[plan]]`` or ``[[fragment]]`` tables. Either has ``[[plan.rule]]`` blocks: a source
(from, to, document, clause, checked_on, verified) and any number of keys of ``plan_keys``. A fragment holds values that
several plans use; a province's folder holds only fragments.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from adjudicator.benefit.plan.keys import KEY, NO_LIMIT, SPECIAL_KEYS, UNDEFINED
from adjudicator.benefit.plan.values import Names, Reader
from adjudicator.codes import CareKind, Channel, Filing, Place, Scheme
from adjudicator.limits import FIRST_DATE, LAST_DATE
from adjudicator.options import DeductibleCounting, QuotaMode, choice_name
from adjudicator.rulefile.dated import (
    SOURCE_KEYS,
    DatedValue,
    Source,
    check_gap,
    check_overlap,
    iso,
    next_day,
    read_source,
)
from adjudicator.rulefile.evidence import read_date
from adjudicator.rulefile.faults import Faults
from adjudicator.rulefile.reader import unknown_keys

PLAN_KEYS = (
    "id",
    "name",
    "name_zh",
    "scheme",
    "care",
    "place",
    "filing",
    "channel",
    "from",
    "to",
    "use",
    "rule",
    "note",
    "undefined",
    "undefined_zh",
)
FRAGMENT_KEYS = ("id", "name", "name_zh", "rule", "use", "note")
EVERY_KEY = (*KEY, *SPECIAL_KEYS)
SCHEME_WORDS = {choice_name(scheme): scheme for scheme in Scheme if scheme is not Scheme.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Block:
    """One ``rule`` block as read: its source and its raw values."""

    source: Source
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fragment:
    """Values that plans take in with ``use``."""

    id: str
    blocks: tuple[Block, ...]
    uses: tuple[str, ...]
    file: str


@dataclass(frozen=True, slots=True)
class PlanSource:
    """A plan and everything that decides it; ``values`` maps each key to its dated values in order."""

    id: str
    name: str
    name_zh: str
    scheme: Scheme
    care: tuple[CareKind, ...]
    places: tuple[Place, ...]
    filings: tuple[Filing, ...]
    channels: tuple[Channel, ...]
    from_date: int
    to_date: int
    undefined: str
    """Not empty: the documents are known to give no rule for these claims; the text says what is missing."""
    values: dict[str, tuple[DatedValue, ...]]
    file: str
    key: str
    note: str = ""
    undefined_zh: str = ""
    """The same in Chinese."""


def read_fragments(raw: dict[str, Any], file: str, faults: Faults) -> list[Fragment]:
    """Return the fragments of one file."""
    fragments = []
    for number, entry in enumerate(_tables(raw, "fragment", file, faults)):
        key = f"fragment[{number}]"
        unknown_keys(entry, FRAGMENT_KEYS, file, key, faults)
        if not isinstance(entry.get("id"), str):
            faults.add(file, f"{key}.id", "is missing", 'write id = "catastrophic"')
            continue
        uses = tuple(entry.get("use", ()))
        fragments.append(Fragment(entry["id"], tuple(_blocks(entry, file, key, faults)), uses, file))
    return fragments


def _tables(raw: dict[str, Any], name: str, file: str, faults: Faults) -> list[dict[str, Any]]:
    entries = raw.get(name, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        faults.add(file, name, "is not an array of tables", f"write [[{name}]]")
        return []
    return entries


def _blocks(raw: dict[str, Any], file: str, key: str, faults: Faults) -> Iterable[Block]:
    for number, entry in enumerate(_tables(raw, "rule", file, faults)):
        where = f"{key}.rule[{number}]"
        unknown_keys(entry, (*SOURCE_KEYS, "note", *EVERY_KEY), file, where, faults)
        source = read_source(entry, file, where, faults)
        values = {name: value for name, value in entry.items() if name in EVERY_KEY}
        if not values:
            faults.add(file, where, "holds no value", "write at least one key, such as deductible_yuan")
        if source is not None:
            yield Block(source, values)


def read_plans(
    raw: dict[str, Any], file: str, names: Names, fragments: dict[str, Fragment], faults: Faults
) -> list[PlanSource]:
    """Return the plans of one file, values of their fragments included."""
    plans = []
    for number, entry in enumerate(_tables(raw, "plan", file, faults)):
        plans.append(_plan(entry, file, f"plan[{number}]", names, fragments, faults))
    return plans


def _plan(
    raw: dict[str, Any], file: str, key: str, names: Names, fragments: dict[str, Any], faults: Faults
) -> PlanSource:
    """One plan; where it has faults the rest of it is still read, so that they are told together."""
    before = len(faults)
    unknown_keys(raw, PLAN_KEYS, file, key, faults)
    for name in ("id", "name", "name_zh"):
        if not isinstance(raw.get(name), str):
            faults.add(file, f"{key}.{name}", "is missing", "write a text in quotes")
    reader = Reader(names, file, faults)
    scheme = raw.get("scheme")
    if scheme not in SCHEME_WORDS:
        faults.add(file, f"{key}.scheme", f"{scheme!r} is not a scheme", "write " + " or ".join(SCHEME_WORDS))
    care = reader.members(raw.get("care"), CareKind, f"{key}.care")
    places = reader.members(raw.get("place", "any"), Place, f"{key}.place")
    filings = reader.members(raw.get("filing", "any"), Filing, f"{key}.filing")
    channels = reader.members(raw.get("channel", "any"), Channel, f"{key}.channel")
    from_date = read_date(raw.get("from"), file, f"{key}.from", faults)
    to_date = read_date(raw["to"], file, f"{key}.to", faults) if "to" in raw else LAST_DATE
    if from_date and to_date and from_date > to_date:
        faults.add(file, f"{key}.to", "ends before it begins", "swap from and to")
    blocks = list(_blocks(raw, file, key, faults)) + _used_blocks(raw, file, key, fragments, faults)
    values = _values(blocks, names, from_date or FIRST_DATE, to_date or LAST_DATE, faults)
    plan = PlanSource(
        str(raw.get("id")), str(raw.get("name")), str(raw.get("name_zh")),
        SCHEME_WORDS.get(str(scheme), Scheme.UNKNOWN),
        tuple(map(CareKind, care)), tuple(map(Place, places)), tuple(map(Filing, filings)),
        tuple(map(Channel, channels)),
        from_date or FIRST_DATE, to_date or LAST_DATE, str(raw.get("undefined", "")), values, file, key,
        str(raw.get("note", "")), str(raw.get("undefined_zh", "")),
    )  # fmt: skip
    if len(faults) == before and not plan.undefined:
        _check_complete(plan, faults)
    return plan


def _used_blocks(
    raw: dict[str, Any], file: str, key: str, fragments: dict[str, Fragment], faults: Faults
) -> list[Block]:
    """Blocks of the fragments that a plan uses, and of those that they use."""
    found: list[Block] = []
    waiting, seen = list(raw.get("use", [])), set()
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        if name not in fragments:
            near = difflib.get_close_matches(str(name), fragments, 1)
            remedy = (
                f"did you mean {near[0]!r}?" if near else "write one of " + (", ".join(fragments) or "(there is none)")
            )
            faults.add(file, f"{key}.use", f"there is no fragment {name!r}", remedy)
            continue
        found += fragments[name].blocks
        waiting += fragments[name].uses
    return found


def _values(
    blocks: list[Block], names: Names, start: int, end: int, faults: Faults
) -> dict[str, tuple[DatedValue, ...]]:
    """Every key's values of the plan's days, read, in order and without overlap or gap."""
    by_key: dict[str, list[DatedValue]] = {}
    for block in blocks:
        reader = Reader(names, block.source.file, faults)
        for name, raw in block.values.items():
            where = f"{block.source.key}.{name}"
            value: Any
            if name == "cross_region":
                value = reader.cross_region(raw, where)
            elif name == "rate_derived":
                value = reader.rate_derived(raw, where)
            else:
                value = reader.read(KEY[name], raw, where)
            if value is not None:
                by_key.setdefault(name, []).append(DatedValue(name, value, block.source))
    ordered = {name: tuple(check_overlap(values, faults)) for name, values in by_key.items()}
    inside = {
        name: tuple(value for value in values if value.source.from_date <= end and start <= value.source.to_date)
        for name, values in ordered.items()
    }
    for values in inside.values():
        check_gap(values, faults)
    return {name: values for name, values in inside.items() if values}


def _check_complete(plan: PlanSource, faults: Faults) -> None:
    """Note days of the plan on which a value that every settlement needs does not hold."""
    quota = any(int(value.value) != QuotaMode.NONE for value in plan.values.get("quota_mode", ()))
    counting = plan.values.get("deductible_counting", ())
    required = ["deductible_counting"]
    if any(int(value.value) != DeductibleCounting.NONE for value in counting):
        required.append("deductible_yuan")
    required.append("maternity_quota_yuan" if quota else "rate_percent")
    for name in required:
        _check_covered(plan, name, faults)
    for value in plan.values.get("rate_percent", ()):
        if (value.value == UNDEFINED).all():
            faults.add(
                value.source.file, f"{value.source.key}.rate_percent", "holds no rate", "write at least one rate"
            )

    _check_steps(plan, "rate_percent", "tier_from_yuan", faults)
    _check_steps(plan, "catastrophic_percent", "catastrophic_from_yuan", faults)
    _check_steps(plan, "assistance_percent", "assistance_from_yuan", faults)
    _check_steps(plan, "assistance_cap_yuan", "assistance_from_yuan", faults)


def _check_steps(plan: PlanSource, name: str, steps: str, faults: Faults) -> None:
    """Note lists of values that have more or fewer entries than there are tiers or bands on their days.

    Where what is left out has a meaning (nothing, no limit), only more entries are a fault.
    """
    for value in plan.values.get(name, ()):
        overlapping = [
            other for other in plan.values.get(steps, ())
            if other.source.from_date <= value.source.to_date and value.source.from_date <= other.source.to_date
        ]  # fmt: skip
        counts = {int((other.value < NO_LIMIT).sum()) for other in overlapping} or {1}
        blank = KEY[name].default
        for row in value.value.reshape(-1, value.value.shape[-1]):
            given = int((row != blank).sum())
            listed = given != len(row) and given > 0 and (row[:given] != blank).all()
            if listed and any(count < given or (count > given and blank == UNDEFINED) for count in counts):
                faults.add(
                    value.source.file, f"{value.source.key}.{name}",
                    f"has {given} rates where {steps} has {' or '.join(map(str, sorted(counts)))} steps",
                    "write one rate for each step, or one number for all",
                )  # fmt: skip
                break


def _check_covered(plan: PlanSource, name: str, faults: Faults) -> None:
    values = plan.values.get(name, ())
    start = plan.from_date
    for value in values:
        if value.source.from_date > start:
            break
        start = max(start, next_day(value.source.to_date)) if value.source.to_date < LAST_DATE else LAST_DATE + 1
    if start <= plan.to_date:
        faults.add(
            plan.file, f"{plan.key}.{name}", f"has no value from {iso(start)} of plan {plan.id!r}",
            f"add a rule block with {name}, or begin or end the plan where the documents do",
        )  # fmt: skip
