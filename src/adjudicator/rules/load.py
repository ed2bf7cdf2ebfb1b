"""Reads a pack folder into a :class:`Pack`, with every fault of every file in one run."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from adjudicator.benefit.plan.source import Fragment, PlanSource, read_fragments, read_plans
from adjudicator.benefit.plan.values import ORDINARY, Names
from adjudicator.codes import CARE_KIND_ZH, PLACE_ZH, SCHEME_ZH, CareKind, Place
from adjudicator.dates import iso
from adjudicator.errors import E
from adjudicator.options import choice_name
from adjudicator.rulefile.evidence import read_support
from adjudicator.rulefile.faults import Fault, Faults, PackError
from adjudicator.rulefile.pack import (
    Area,
    AssistanceCategory,
    LevelGroup,
    NotCovered,
    Overlaps,
    Pack,
    PackHeader,
    PackOptions,
    PersonGroup,
)
from adjudicator.rulefile.reader import read_struct, read_structs, read_toml, unknown_keys
from adjudicator.rules.pack_codes import (
    PACK_FILE,
    check_areas,
    check_groups,
    check_levels,
    check_names,
    check_not_covered,
    read_care_types,
    read_date_option,
    read_groupings,
    read_month_day,
    read_overlap,
)
from adjudicator.rules.pack_lists import hospital_rows, read_diseases, read_hospitals, read_programmes, read_wards

PACKS = Path(__file__).resolve().parents[1] / "packs"
"""The packs that come with the package."""

PACK_TABLES = (
    "options", "area", "level", "person_group", "care_type", "assistance", "disease", "ward", "programme",
    "grouping", "not_covered", "catalogue", "payment", "pooling",
)  # fmt: skip


def shipped_packs() -> list[str]:
    """Names of the pools that come with the package."""
    return sorted(path.parent.name for path in PACKS.glob(f"*/{PACK_FILE}"))


def pack_folder(name_or_path: str | Path) -> Path:
    """Folder of a shipped pack's name, or the path itself."""
    shipped = PACKS / str(name_or_path)
    return shipped if "/" not in str(name_or_path) and shipped.is_dir() else Path(name_or_path)


def load_pack(name_or_path: str | Path, faults: Faults) -> Pack | None:
    """Read one pack; add every fault found and return None when ``pack.toml`` itself cannot be used."""
    folder = pack_folder(name_or_path)
    if not folder.is_dir():
        shipped = ", ".join(shipped_packs())
        faults.add(str(name_or_path), "folder", "there is no such pack", f"write a folder, or one of {shipped}")
        return None
    raw = read_toml(folder / PACK_FILE, PACK_FILE, faults)
    if raw is None:
        return None
    files = _read_benefit(folder, "", faults)
    includes = _includes(folder, raw, faults)
    shared: dict[str, dict[str, Any]] = {}
    for include in includes:
        shared |= _read_benefit(include, f"{include.name}/", faults)
    return build_pack(folder, raw, files, shared, faults, includes=includes)


def build_pack(
    folder: Path,
    raw: dict[str, Any],
    files: dict[str, dict[str, Any]],
    shared: dict[str, dict[str, Any]],
    faults: Faults,
    hospitals: list[tuple[int, dict[str, Any]]] | None = None,
    includes: Sequence[Path] = (),
) -> Pack:
    """Return a pack from tables that are already read: ``pack.toml``, its benefit files, the included ones, the
    register.
    """
    header_raw = {name: value for name, value in raw.items() if name not in PACK_TABLES}
    header = read_struct(PackHeader, header_raw, PACK_FILE, "", faults)
    areas = read_structs(Area, raw.get("area"), PACK_FILE, "area", faults)
    levels = read_structs(LevelGroup, raw.get("level"), PACK_FILE, "level", faults)
    groups = read_structs(PersonGroup, raw.get("person_group"), PACK_FILE, "person_group", faults)
    assistance = read_structs(AssistanceCategory, raw.get("assistance"), PACK_FILE, "assistance", faults)
    options = read_struct(PackOptions, raw.get("options", {}), PACK_FILE, "options", faults) or PackOptions()
    if options.evidence or options.document:
        read_support(raw["options"], PACK_FILE, "options", faults)
    if header is None:
        # What else is wrong is still told; the pack is never used.
        header = PackHeader("", "", "", raw["pool"] if isinstance(raw.get("pool"), int) else 990_000)
    check_areas(header, areas, faults)
    check_names(levels, groups, assistance, faults)
    check_levels(levels, faults)
    check_groups(groups, faults)
    names = Names(
        tuple(group.id for group in groups), tuple(level.id for level in levels),
        (ORDINARY, *(category.id for category in assistance)),
    )  # fmt: skip
    plans = _plans(files, shared, names, faults)
    not_covered = read_structs(NotCovered, raw.get("not_covered"), PACK_FILE, "not_covered", faults)
    check_not_covered(not_covered, names, faults)
    register = hospital_rows(folder, faults) if hospitals is None else hospitals
    return Pack(
        id=header.id,
        name=header.name,
        name_zh=header.name_zh,
        pool=header.pool,
        folder=folder,
        includes=tuple(includes),
        areas=areas,
        levels=levels,
        person_groups=groups,
        care_types=read_care_types(raw, faults),
        assistance=assistance,
        diseases=read_diseases(raw, names, faults),
        programmes=read_programmes(raw, names, faults),
        hospitals=read_hospitals(register, header, areas, levels, faults),
        groupings=read_groupings(raw, faults),
        schemes=frozenset(plan.scheme for plan in plans),
        rule_date=read_date_option(options.rule_date, "rule_date", faults),
        benefit_year=read_date_option(options.benefit_year, "benefit_year", faults),
        year_begins=read_month_day(options.benefit_year_begins, faults),
        overlaps=Overlaps(*(read_overlap(getattr(options, name), name, faults) for name in Overlaps._fields)),
        not_covered=not_covered,
        plans=tuple(plans),
        wards=read_wards(raw, names, faults),
        province_wide=header.province_wide,
        raw=raw,
        sources={PACK_FILE: raw, **files, **shared},
    )


def _read_benefit(folder: Path, prefix: str, faults: Faults) -> dict[str, dict[str, Any]]:
    found = {}
    for path in sorted((folder / "benefit").glob("*.toml")):
        label = f"{prefix}benefit/{path.name}"
        data = read_toml(path, label, faults)
        if data is not None:
            found[label] = data
    return found


def _includes(folder: Path, raw: dict[str, Any], faults: Faults) -> list[Path]:
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


def _plans(
    files: dict[str, dict[str, Any]], shared: dict[str, dict[str, Any]], names: Names, faults: Faults
) -> list[PlanSource]:
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
    for position, plan in enumerate(plans):
        for former in plans[:position]:
            if plan.id == former.id and plan.from_date <= former.to_date and former.from_date <= plan.to_date:
                where = f"{former.file} {former.key}"
                faults.add(
                    plan.file, f"{plan.key}.id", f"{plan.id!r} is also {where} on the same days", "give it another id"
                )
    _check_two_plans(plans, faults)
    return plans


def _check_two_plans(plans: Sequence[PlanSource], faults: Faults) -> None:
    """Two plans for one claim on one day are a fault that names both."""
    for position, plan in enumerate(plans):
        for other in plans[:position]:
            shared_care = set(plan.care) & set(other.care)
            shared_place = set(plan.places) & set(other.places)
            shared_filing = set(plan.filings) & set(other.filings) or (0 in shared_place)
            same_days = plan.from_date <= other.to_date and other.from_date <= plan.to_date
            shared_way = shared_place and shared_filing and set(plan.channels) & set(other.channels)
            if plan.scheme == other.scheme and shared_care and shared_way and same_days:
                faults.append(_both_fit(plan, other, sorted(shared_care), min(shared_place)))


def _both_fit(plan: PlanSource, other: PlanSource, care: Sequence[CareKind], place: Place) -> Fault:
    """Return the fault of two plans that take the same claims, with the smallest example of such a claim."""
    day, scheme = iso(max(plan.from_date, other.from_date)), choice_name(plan.scheme)
    kinds, kinds_zh = ", ".join(map(choice_name, care)), "、".join(CARE_KIND_ZH[kind] for kind in care)
    return Fault(
        plan.file, plan.key,
        f"plans {other.id!r} ({other.file}) and {plan.id!r} both fit {scheme} {kinds}, {choice_name(place)} on {day}",
        "narrow care, place, filing, channel, from or to of one of them", E.TWO_PLANS,
        message_zh=f"{day} {PLACE_ZH[place]}{SCHEME_ZH[plan.scheme]}{kinds_zh}同时符合方案 {other.id} 与 {plan.id}",
        remedy_zh="请收窄其一的 care、place、filing、channel、from 或 to",
    )  # fmt: skip


def canonical(data: Any) -> bytes:
    """Return data as text that is equal for equal content, whatever the order of keys and the comments in the file."""

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
    assert pack is not None
    return pack


__all__ = ["PACKS", "PackError", "build_pack", "canonical", "load_pack", "pack_folder", "read_pack", "shipped_packs"]
