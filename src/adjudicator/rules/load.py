"""Reads a pack folder into a :class:`Pack`, with every fault of every file in one run."""

from __future__ import annotations

import csv
import datetime
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from adjudicator import limits
from adjudicator.codes import HOSPITAL_LEVELS, NATIONAL_CARE_TYPES, PERSON_TYPES, CareKind, Scheme
from adjudicator.limits import LAST_DATE
from adjudicator.rules.dated import DatedValue, check_gap, check_overlap, read_source
from adjudicator.rules.faults import Faults, PackError
from adjudicator.rules.options import BurdenPart, QuotaPeriod, YearBy, choice_name
from adjudicator.rules.pack import (
    Area,
    AssistanceCategory,
    CareType,
    Disease,
    Grouping,
    GroupingName,
    Hospital,
    LevelGroup,
    Pack,
    PackHeader,
    PackOptions,
    PersonGroup,
    Programme,
)
from adjudicator.rules.plan_keys import Key, Stage
from adjudicator.rules.plan_source import SCHEME_WORDS, Fragment, read_fragments, read_plans
from adjudicator.rules.plan_values import ORDINARY, Names, Reader
from adjudicator.rules.struct_reader import read_struct, read_structs, read_toml, unknown_keys

PACKS = Path(__file__).resolve().parent.parent / "packs"
"""The packs that come with the package."""

PACK_FILE = "pack.toml"
PACK_TABLES = (
    "options", "area", "level", "person_group", "care_type", "assistance", "disease", "programme", "grouping",
    "catalogue", "payment", "pooling",
)  # fmt: skip
HOSPITAL_COLUMNS = (
    "code", "name", "area", "hosp_lv", "deductible_level", "price_level", "payment_class", "note",
)  # fmt: skip
_HOSPITAL_CODE = re.compile(r"[A-Za-z0-9]{12}\Z")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*\Z")


def shipped_packs() -> list[str]:
    """Names of the pools that come with the package."""
    return sorted(path.parent.name for path in PACKS.glob(f"*/{PACK_FILE}"))


def pack_folder(name_or_path: str | Path) -> Path:
    """Folder of a shipped pack's name, or the path itself."""
    shipped = PACKS / str(name_or_path)
    return shipped if "/" not in str(name_or_path) and shipped.is_dir() else Path(name_or_path)


def load_pack(name_or_path: str | Path, faults: Faults) -> Pack | None:
    """Reads one pack; adds every fault found and returns None when ``pack.toml`` itself cannot be used."""
    folder = pack_folder(name_or_path)
    if not folder.is_dir():
        shipped = ", ".join(shipped_packs())
        faults.add(str(name_or_path), "folder", "there is no such pack", f"write a folder, or one of {shipped}")
        return None
    raw = read_toml(folder / PACK_FILE, PACK_FILE, faults)
    if raw is None:
        return None
    files = _read_benefit(folder, "", faults)
    shared = {}
    for include in _includes(folder, raw, faults):
        shared |= {(include, label): data for label, data in _read_benefit(include, f"{include.name}/", faults).items()}
    return build_pack(folder, raw, files, {label: data for (_, label), data in shared.items()}, faults)


def build_pack(
    folder: Path,
    raw: dict,
    files: dict[str, dict],
    shared: dict[str, dict],
    faults: Faults,
    hospitals: list[tuple[int, dict]] | None = None,
) -> Pack | None:
    """A pack from tables that are already read: ``pack.toml``, its benefit files, the included ones, the register."""
    header_raw = {name: value for name, value in raw.items() if name not in PACK_TABLES}
    header = read_struct(PackHeader, header_raw, PACK_FILE, "", faults)
    areas = read_structs(Area, raw.get("area"), PACK_FILE, "area", faults)
    levels = read_structs(LevelGroup, raw.get("level"), PACK_FILE, "level", faults)
    groups = read_structs(PersonGroup, raw.get("person_group"), PACK_FILE, "person_group", faults)
    assistance = read_structs(AssistanceCategory, raw.get("assistance"), PACK_FILE, "assistance", faults)
    options = read_struct(PackOptions, raw.get("options", {}), PACK_FILE, "options", faults) or PackOptions()
    if header is None:
        return None
    _check_areas(header, areas, faults)
    _check_names(levels, groups, assistance, faults)
    _check_levels(levels, faults)
    _check_groups(groups, faults)
    names = Names(
        tuple(group.id for group in groups), tuple(level.id for level in levels),
        (ORDINARY, *(category.id for category in assistance)),
    )  # fmt: skip
    plans = _plans(files, shared, names, faults)
    pack = Pack(
        header.id, header.name, header.name_zh, header.pool, folder, tuple(PACKS / name for name in header.include),
        areas, levels, groups, _care_types(raw, faults), assistance, _diseases(raw, names, faults),
        _programmes(raw, names, faults), _hospitals(_hospital_rows(folder, faults) if hospitals is None else hospitals, areas, levels, faults), _groupings(raw, faults),
        frozenset(plan.scheme for plan in plans), _date_option(options.rule_date, "rule_date", faults),
        _date_option(options.benefit_year, "benefit_year", faults), _month_day(options.benefit_year_begins, faults),
        tuple(plans), raw, {PACK_FILE: raw, **files, **shared},
    )  # fmt: skip
    return pack


def _read_benefit(folder: Path, prefix: str, faults: Faults) -> dict[str, dict]:
    found = {}
    for path in sorted((folder / "benefit").glob("*.toml")):
        label = f"{prefix}benefit/{path.name}"
        data = read_toml(path, label, faults)
        if data is not None:
            found[label] = data
    return found


def _includes(folder: Path, raw: dict, faults: Faults) -> list[Path]:
    names = raw.get("include", [])
    found = []
    for name in names if isinstance(names, list) else []:
        for candidate in (folder.parent / str(name), PACKS / str(name)):
            if candidate.is_dir():
                found.append(candidate)
                break
        else:
            faults.add(PACK_FILE, "include", f"there is no folder {name!r} of shared values", "correct the name")
    return found


# -------------------------------------------------------------------- plans


def _plans(files: dict[str, dict], shared: dict[str, dict], names: Names, faults: Faults) -> list:
    fragments: dict[str, Fragment] = {}
    for label, data in {**shared, **files}.items():
        known = ("fragment", "note") if label in shared else ("plan", "fragment", "note")
        unknown_keys(data, known, label, "", faults)
        for fragment in read_fragments(data, label, faults):
            if fragment.id in fragments:
                other = fragments[fragment.id].file
                faults.add(label, f"fragment {fragment.id!r}", f"is also in {other}", "give one of them another id")
            fragments[fragment.id] = fragment
    plans = [plan for label, data in files.items() for plan in read_plans(data, label, names, fragments, faults)]
    if not files:
        faults.add("benefit", "file", "there is no benefit/*.toml", "add a file with at least one [[plan]]")
    seen: dict[str, str] = {}
    for plan in plans:
        if plan.id in seen:
            faults.add(
                plan.file, f"{plan.key}.id", f"{plan.id!r} is also a plan of {seen[plan.id]}", "give it another id"
            )
        seen[plan.id] = plan.file
    _check_two_plans(plans, faults)
    return plans


def _check_two_plans(plans: Sequence, faults: Faults) -> None:
    """Two plans for one claim on one day are a fault that names both."""
    for position, plan in enumerate(plans):
        for other in plans[:position]:
            shared_care = set(plan.care) & set(other.care)
            shared_place = set(plan.places) & set(other.places)
            shared_filing = set(plan.filings) & set(other.filings) or (0 in shared_place)
            same_days = plan.from_date <= other.to_date and other.from_date <= plan.to_date
            if plan.scheme == other.scheme and shared_care and shared_place and shared_filing and same_days:
                kinds = ", ".join(sorted(choice_name(kind) for kind in shared_care))
                faults.add(
                    plan.file, f"{plan.key}",
                    f"plans {other.id!r} ({other.file}) and {plan.id!r} both fit {choice_name(plan.scheme)} {kinds}",
                    "narrow care, place, filing, from or to of one of them",
                )  # fmt: skip


# -------------------------------------------------------------------- codes


def _check_areas(header: PackHeader, areas: Sequence[Area], faults: Faults) -> None:
    if not 110_000 <= header.pool <= 999_999:
        faults.add(
            PACK_FILE, "pool", f"{header.pool} is not a six-digit area code", "write the city's code, such as 330100"
        )
    if not areas:
        faults.add(PACK_FILE, "area", "there is no area", "write an [[area]] block for each county")
    for number, area in enumerate(areas):
        if area.code // 100 != header.pool // 100:
            faults.add(
                PACK_FILE, f"area[{number}].code", f"unknown area {area.code}: it is not in pool {header.pool}",
                f"write a code that begins with {header.pool // 100}",
            )  # fmt: skip
    _once("area", [area.code for area in areas], faults)


def _once(key: str, names: Sequence, faults: Faults) -> None:
    for number, name in enumerate(names):
        if name in names[:number]:
            faults.add(PACK_FILE, f"{key}[{number}]", f"{name} is given twice", "remove one")


def _check_names(levels, groups, assistance, faults: Faults) -> None:
    for key, entries, most in (
        ("level", levels, limits.MAX_HOSPITAL_LEVELS),
        ("person_group", groups, limits.MAX_PERSON_GROUPS),
        ("assistance", assistance, limits.MAX_ASSISTANCE_CATEGORIES - 1),
    ):
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


def _check_levels(levels: Sequence[LevelGroup], faults: Faults) -> None:
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


def _check_groups(groups: Sequence[PersonGroup], faults: Faults) -> None:
    """Each person class (scheme, person type, contribution tier) belongs to one group."""
    owner: dict[tuple, str] = {}
    for number, group in enumerate(groups):
        key = f"person_group[{number}]"
        if group.scheme not in SCHEME_WORDS:
            faults.add(
                PACK_FILE, f"{key}.scheme", f"unknown scheme {group.scheme!r}", "write " + ", ".join(SCHEME_WORDS)
            )
        for code in group.person_types:
            if code not in PERSON_TYPES[1:]:
                faults.add(PACK_FILE, f"{key}.person_types", f"unknown person type {code!r}", "write 11, 12, 14, 15, …")
            for tier in group.contribution_tiers or range(limits.MAX_CONTRIBUTION_TIERS):
                if not 0 <= tier < limits.MAX_CONTRIBUTION_TIERS:
                    faults.add(
                        PACK_FILE, f"{key}.contribution_tiers", f"unknown tier {tier}",
                        f"write 0 to {limits.MAX_CONTRIBUTION_TIERS - 1}",
                    )  # fmt: skip
                other = owner.setdefault((group.scheme, code, tier), group.id)
                if other != group.id:
                    faults.add(
                        PACK_FILE, f"{key}.person_types",
                        f"person type {code} of tier {tier} has two plans: groups {other!r} and {group.id!r}",
                        "leave it in one of them",
                    )  # fmt: skip


def _care_types(raw: dict, faults: Faults) -> dict[str, CareKind]:
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


def _date_option(word: str, key: str, faults: Faults) -> YearBy:
    words = {choice_name(member): member for member in YearBy}
    if word not in words:
        faults.add(PACK_FILE, f"options.{key}", f"{word!r} is not a choice", "write " + " or ".join(words))
    return words.get(word, YearBy.DISCHARGE)


def _month_day(text: str, faults: Faults) -> int:
    try:
        day = datetime.date.fromisoformat(f"2001-{text}")
    except ValueError:
        faults.add(
            PACK_FILE, "options.benefit_year_begins", f"{text!r} is not a day", 'write month and day, such as "01-01"'
        )
        return 101
    return day.month * 100 + day.day


def _groupings(raw: dict, faults: Faults) -> tuple[Grouping, ...]:
    found = []
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


# -------------------------------------------------------------------- diseases and programmes

_QUOTA = Key("quota_yuan", "yuan", Stage.CAP, "quota of a disease", "病种限额")


def _diseases(raw: dict, names: Names, faults: Faults) -> tuple[Disease, ...]:
    periods = {choice_name(member): member for member in QuotaPeriod}
    found: list[Disease] = []
    entries = raw.get("disease", [])
    for number, entry in enumerate(entries if isinstance(entries, list) else []):
        key = f"disease[{number}]"
        unknown_keys(entry, ("code", "name", "name_zh", "period", "quota", "fixed_price"), PACK_FILE, key, faults)
        for name in ("code", "name", "name_zh"):
            if not isinstance(entry.get(name), str):
                faults.add(PACK_FILE, f"{key}.{name}", "is missing", "write a text in quotes")
        period = entry.get("period", "none")
        if period not in periods:
            faults.add(PACK_FILE, f"{key}.period", f"{period!r} is not a period", "write " + " or ".join(periods))
        quotas = _disease_values(entry, "quota", key, names, faults)
        if quotas and period == "none":
            faults.add(PACK_FILE, f"{key}.period", "is missing for a quota", "write month, quarter or year")
        prices = _disease_values(entry, "fixed_price", key, names, faults)
        found.append(
            Disease(
                str(entry.get("code")), str(entry.get("name")), str(entry.get("name_zh")),
                periods.get(period, QuotaPeriod.NONE), quotas, prices,
            )
        )  # fmt: skip
    _once("disease", [disease.code for disease in found], faults)
    return tuple(found)


def _disease_values(entry: dict, name: str, key: str, names: Names, faults: Faults) -> tuple[DatedValue, ...]:
    """Dated values of a disease: (scheme, group or -1, fen), without two for one person on one day."""
    by_person: dict[tuple[int, int], list[DatedValue]] = {}
    for number, raw in enumerate(entry.get(name, [])):
        where = f"{key}.{name}[{number}]"
        allowed = ("from", "to", "document", "clause", "checked_on", "verified", "scheme", "group", "value_yuan")
        unknown_keys(raw, allowed, PACK_FILE, where, faults)
        source = read_source(raw, PACK_FILE, where, faults)
        reader = Reader(names, PACK_FILE, faults)
        fen = reader.number("yuan", raw.get("value_yuan"), f"{where}.value_yuan")
        scheme, group = raw.get("scheme"), raw.get("group")
        if scheme is not None and scheme not in SCHEME_WORDS:
            faults.add(PACK_FILE, f"{where}.scheme", f"unknown scheme {scheme!r}", "write " + ", ".join(SCHEME_WORDS))
        if group is not None and group not in names.groups:
            faults.add(PACK_FILE, f"{where}.group", f"unknown group {group!r}", "write " + ", ".join(names.groups))
        if source is None or fen is None:
            continue
        person = (
            int(SCHEME_WORDS.get(scheme, Scheme.UNKNOWN)),
            names.groups.index(group) if group in names.groups else -1,
        )
        by_person.setdefault(person, []).append(DatedValue(name, (*person, fen), source))
    values = []
    for dated in by_person.values():
        ordered = check_overlap(dated, faults)
        check_gap(ordered, faults)
        values += ordered
    return tuple(values)


def _programmes(raw: dict, names: Names, faults: Faults) -> tuple[Programme, ...]:
    found = []
    allowed = (
        "id", "name", "name_zh", "from", "to", "document", "clause", "checked_on", "verified", "pays", "pays_percent",
        "no_deductible", "no_cross_region", "no_cap", "rate_at_least_percent",
    )  # fmt: skip
    parts = Key("pays", "names", Stage.PROGRAMME, "", "", choices=BurdenPart)
    entries = raw.get("programme", [])
    for number, entry in enumerate(entries if isinstance(entries, list) else []):
        key = f"programme[{number}]"
        unknown_keys(entry, allowed, PACK_FILE, key, faults)
        for name in ("id", "name", "name_zh"):
            if not isinstance(entry.get(name), str):
                faults.add(PACK_FILE, f"{key}.{name}", "is missing", "write a text in quotes")
        source = read_source(entry, PACK_FILE, key, faults)
        reader = Reader(names, PACK_FILE, faults)
        mask = reader.read(parts, entry.get("pays", []), f"{key}.pays")
        pays = reader.number("percent", entry.get("pays_percent", 0), f"{key}.pays_percent", 1_000_000)
        floor = reader.number(
            "percent", entry.get("rate_at_least_percent", 0), f"{key}.rate_at_least_percent", 1_000_000
        )
        if source is None or mask is None or pays is None or floor is None:
            continue
        flags = [bool(entry.get(name, False)) for name in ("no_deductible", "no_cross_region", "no_cap")]
        found.append(
            Programme(
                str(entry["id"]), str(entry["name"]), str(entry["name_zh"]), source, int(mask), pays, *flags, floor
            )
        )
    _once("programme", [programme.id for programme in found], faults)
    return tuple(found)


# -------------------------------------------------------------------- hospitals


def _hospitals(rows: list[tuple[int, dict]], areas, levels, faults: Faults) -> tuple[Hospital, ...]:
    area_index = {area.code: position for position, area in enumerate(areas)}
    level_index = {level.id: position for position, level in enumerate(levels)}
    found, seen = [], set()
    for line, row in rows:
        where = f"line {line}"
        code = row.get("code") or ""
        if not _HOSPITAL_CODE.match(code):
            faults.add("hospitals.csv", where, f"{code!r} is not an institution code", "write 12 letters and digits")
        if code in seen:
            faults.add("hospitals.csv", where, f"{code} is given twice", "remove one")
        seen.add(code)
        area = int(row["area"]) if (row.get("area") or "").isdigit() else 0
        if area not in area_index:
            faults.add(
                "hospitals.csv",
                where,
                f"unknown area {row.get('area')!r}",
                "write the code of an [[area]] of pack.toml",
            )
        if row.get("hosp_lv") not in HOSPITAL_LEVELS[1:]:
            faults.add("hospitals.csv", where, f"unknown hosp_lv {row.get('hosp_lv')!r}", "write 01 to 11")
        for column in ("deductible_level", "price_level"):
            if row.get(column) not in level_index:
                remedy = "write one of " + ", ".join(level_index)
                faults.add("hospitals.csv", where, f"unknown {column} {row.get(column)!r}", remedy)
        found.append(
            Hospital(
                code, row.get("name") or "", area, area_index.get(area, -1), row.get("hosp_lv") or "",
                level_index.get(row.get("deductible_level"), -1), level_index.get(row.get("price_level"), -1),
                row.get("payment_class") or "", row.get("note") or "",
            )
        )  # fmt: skip
    return tuple(found)


def _hospital_rows(folder: Path, faults: Faults) -> list[tuple[int, dict]]:
    path = folder / "hospitals.csv"
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        faults.add("hospitals.csv", "file", "is missing", "add it with the columns " + ",".join(HOSPITAL_COLUMNS))
        return []
    except UnicodeDecodeError as error:
        faults.add("hospitals.csv", f"byte {error.start}", "is not UTF-8 text", "save the file as UTF-8")
        return []
    reader = csv.DictReader(text.splitlines())
    wrong = set(HOSPITAL_COLUMNS) ^ set(reader.fieldnames or ())
    if wrong:
        faults.add(
            "hospitals.csv", "line 1", f"missing or unknown columns: {', '.join(sorted(map(str, wrong)))}",
            "the columns are " + ",".join(HOSPITAL_COLUMNS),
        )  # fmt: skip
        return []
    return [(reader.line_num, row) for row in reader]


def canonical(data: Any) -> bytes:
    """Data as text that is equal for equal content, whatever the order of keys and the comments in the file."""

    def plain(value: Any) -> Any:
        if isinstance(value, Decimal):
            return format(value.normalize(), "f")
        if isinstance(value, dict):
            return {str(key): plain(entry) for key, entry in value.items()}
        if isinstance(value, list | tuple):
            return [plain(entry) for entry in value]
        return value

    return msgspec.json.encode(plain(data), order="sorted")


def read_pack(name_or_path: str | Path) -> Pack:
    """One pack, or :class:`PackError` with every fault of its own files (the other sections are not read)."""
    faults = Faults()
    pack = load_pack(name_or_path, faults)
    faults.raise_if_any(f"rule pack {name_or_path}")
    assert pack is not None and LAST_DATE
    return pack


__all__ = ["PACKS", "PackError", "build_pack", "canonical", "load_pack", "pack_folder", "read_pack", "shipped_packs"]
