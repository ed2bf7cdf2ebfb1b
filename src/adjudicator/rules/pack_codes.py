"""Checks of the names and codes in ``pack.toml``: areas, levels, person groups, kinds of care, dates, groupings."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Any

from adjudicator import limits
from adjudicator.benefit.plan.source import SCHEME_WORDS
from adjudicator.benefit.plan.values import ORDINARY, Names
from adjudicator.codes import HOSPITAL_LEVELS, NATIONAL_CARE_TYPES, PERSON_TYPES, CareKind
from adjudicator.errors import E
from adjudicator.options import Overlap, YearBy, choice_name
from adjudicator.rulefile.faults import Faults, nearest
from adjudicator.rulefile.pack import (
    Area,
    AssistanceCategory,
    CareType,
    Grouping,
    GroupingName,
    LevelGroup,
    NotCovered,
    PackHeader,
    PersonGroup,
    span_of,
)
from adjudicator.rulefile.reader import read_structs

PACK_FILE = "pack.toml"
ACCEPTED_FILE = "accepted.toml"
"""Findings of ``rules probe`` that the pack accepts; no rule, so neither hashed nor counted as evidence."""
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*\Z")


def check_areas(header: PackHeader, areas: Sequence[Area], faults: Faults) -> None:
    if not 110_000 <= header.pool <= 999_999:
        faults.add(
            PACK_FILE, "pool", f"{header.pool} is not a six-digit area code", "write the city's code, such as 330100"
        )
    if not areas:
        faults.add(PACK_FILE, "area", "there is no area", "write an [[area]] block for each county")
    if header.province_wide and header.pool % 10_000:
        remedy = f"write pool = {header.pool // 10_000}0000, or leave province_wide out"
        faults.add(PACK_FILE, "province_wide", f"{header.pool} is no province or municipality", remedy)
    span = span_of(header.pool, header.province_wide)
    for number, area in enumerate(areas):
        if area.code // span != header.pool // span:
            remedy = f"write a code that begins with {header.pool // span}"
            if header.pool % 10_000 == 0 and area.code // 10_000 == header.pool // 10_000:
                remedy += ", or province_wide = true for a municipality or a province that is one pool"
            text = f"unknown area {area.code}: it is not in pool {header.pool}"
            faults.add(PACK_FILE, f"area[{number}].code", text, remedy)
    once("area", [area.code for area in areas], faults)


def once(key: str, names: Sequence[Any], faults: Faults) -> None:
    """Each name once."""
    for number, name in enumerate(names):
        if name in names[:number]:
            faults.add(PACK_FILE, f"{key}[{number}]", f"{name} is given twice", "remove one")


def check_names(
    levels: Sequence[LevelGroup],
    groups: Sequence[PersonGroup],
    assistance: Sequence[AssistanceCategory],
    faults: Faults,
) -> None:
    """Check that the ids of levels, groups and categories are names, few enough and different."""
    kinds: tuple[tuple[str, Sequence[Any], int], ...] = (
        ("level", levels, limits.MAX_HOSPITAL_LEVELS),
        ("person_group", groups, limits.MAX_PERSON_GROUPS),
        ("assistance", assistance, limits.MAX_ASSISTANCE_CATEGORIES - 1),
    )
    for key, entries, most in kinds:
        if len(entries) > most:
            faults.add(PACK_FILE, key, f"{len(entries)} entries are more than {most}", "join entries with equal values")
        for number, entry in enumerate(entries):
            if not _IDENTIFIER.match(entry.id):
                faults.add(
                    PACK_FILE,
                    f"{key}[{number}].id",
                    f"{entry.id!r} is not a name",
                    "use lower-case letters, digits and _",
                )
    every = [*(level.id for level in levels), *(group.id for group in groups), *(entry.id for entry in assistance)]
    for name in sorted({name for name in every if every.count(name) > 1} | ({ORDINARY} & set(every))):
        faults.add(PACK_FILE, "id", f"{name!r} names two things", "give levels, groups and categories different ids")


def check_levels(levels: Sequence[LevelGroup], faults: Faults) -> None:
    if not levels:
        faults.add(PACK_FILE, "level", "there is no level group", "write a [[level]] block")
    used: dict[str, str] = {}
    for number, level in enumerate(levels):
        for code in level.hosp_lv:
            if code not in HOSPITAL_LEVELS[1:]:
                faults.add(PACK_FILE, f"level[{number}].hosp_lv", f"unknown level {code!r}", "write 01 to 11")
            elif code in used:
                faults.add(PACK_FILE, f"level[{number}].hosp_lv", f"{code} is also in {used[code]!r}", "remove one")
            used[code] = level.id


def check_groups(groups: Sequence[PersonGroup], faults: Faults) -> None:
    """Each person class (scheme, person type, contribution tier) belongs to one group."""
    owner: dict[tuple[Any, ...], str] = {}
    for number, group in enumerate(groups):
        key = f"person_group[{number}]"
        if group.scheme not in SCHEME_WORDS:
            faults.add(
                PACK_FILE, f"{key}.scheme", f"unknown scheme {group.scheme!r}", "write " + ", ".join(SCHEME_WORDS)
            )
        for code in group.person_types:
            if code not in PERSON_TYPES[1:]:
                faults.add(PACK_FILE, f"{key}.person_types", f"unknown person type {code!r}", "write 11, 12, 14, 15, …")
            shared: dict[str, list[int]] = {}
            for tier in group.contribution_tiers or range(limits.MAX_CONTRIBUTION_TIERS):
                if not 0 <= tier < limits.MAX_CONTRIBUTION_TIERS:
                    most = limits.MAX_CONTRIBUTION_TIERS - 1
                    faults.add(PACK_FILE, f"{key}.contribution_tiers", f"unknown tier {tier}", f"write 0 to {most}")
                other = owner.setdefault((group.scheme, code, tier), group.id)
                if other != group.id:
                    shared.setdefault(other, []).append(tier)
            for other, tiers in shared.items():
                of = "" if len(tiers) == limits.MAX_CONTRIBUTION_TIERS else f" of tier {', '.join(map(str, tiers))}"
                faults.add(
                    PACK_FILE, f"{key}.person_types",
                    f"person type {code}{of} has two plans: groups {other!r} and {group.id!r}",
                    "leave it in one of them", E.PERSON_IN_TWO_PLANS,
                )  # fmt: skip


def check_not_covered(entries: Sequence[NotCovered], names: Names, faults: Faults) -> None:
    """Check that what is declared as not covered names groups, levels and classes that exist, and says why."""
    for entry in entries:
        for key, written, known in (
            ("person_group", entry.person_group, names.groups), ("level", entry.level, names.levels),
            ("maternity", entry.maternity, tuple(names.of("maternity"))),
        ):  # fmt: skip
            for name in written:
                if name not in known:
                    remedy = nearest(name, known, "write some of " + ", ".join(known))
                    faults.add(PACK_FILE, f"{entry.where.key}.{key}", f"unknown {key} {name!r}", remedy)
        if not entry.reason.strip():
            faults.add(PACK_FILE, f"{entry.where.key}.reason", "is empty", "say why, such as what no document gives")


def read_care_types(raw: dict[str, Any], faults: Faults) -> dict[str, CareKind]:
    kinds = {choice_name(kind): kind for kind in CareKind if kind is not CareKind.UNKNOWN}
    types = dict(NATIONAL_CARE_TYPES)
    for number, entry in enumerate(read_structs(CareType, raw.get("care_type"), PACK_FILE, "care_type", faults)):
        if entry.kind not in kinds:
            remedy = "write one of " + ", ".join(kinds)
            faults.add(PACK_FILE, f"care_type[{number}].kind", f"unknown kind {entry.kind!r}", remedy)
        elif not (entry.code.isdigit() and len(entry.code) <= 6):
            faults.add(
                PACK_FILE, f"care_type[{number}].code", f"{entry.code!r} is not a med_type", "write up to 6 digits"
            )
        else:
            types[entry.code] = kinds[entry.kind]
    return types


def read_date_option(word: str, key: str, faults: Faults) -> YearBy:
    words = {choice_name(member): member for member in YearBy}
    if word not in words:
        faults.add(PACK_FILE, f"options.{key}", f"{word!r} is not a choice", "write " + " or ".join(words))
    return words.get(word, YearBy.DISCHARGE)


def read_overlap(word: str, key: str, faults: Faults) -> Overlap:
    words = {choice_name(member): member for member in Overlap}
    if word not in words:
        faults.add(PACK_FILE, f"options.{key}", f"{word!r} is not a choice", "write " + " or ".join(words))
    return words.get(word, Overlap.WARN)


def read_month_day(text: str, faults: Faults) -> int:
    try:
        day = datetime.date.fromisoformat(f"2001-{text}")
    except ValueError:
        faults.add(
            PACK_FILE, "options.benefit_year_begins", f"{text!r} is not a day", 'write month and day, such as "01-01"'
        )
        return 101
    return day.month * 100 + day.day


def read_groupings(raw: dict[str, Any], faults: Faults) -> tuple[Grouping, ...]:
    found: list[Grouping] = []
    for number, entry in enumerate(read_structs(GroupingName, raw.get("grouping"), PACK_FILE, "grouping", faults)):
        dates = [entry.from_, entry.to or datetime.date(2099, 12, 31)]
        start, end = (date.year * 10_000 + date.month * 100 + date.day for date in dates)
        for other in found:
            if start <= other.to_date and other.from_date <= end:
                faults.add(
                    PACK_FILE, f"grouping[{number}]", f"overlaps scheme {other.scheme!r}", "end the former before"
                )
        found.append(Grouping(entry.scheme, start, end))
    return tuple(found)
