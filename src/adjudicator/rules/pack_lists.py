"""Reads the disease list, the wards, the programmes and the hospital register of a pack."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from adjudicator import limits
from adjudicator.benefit.plan.keys import NO_LIMIT, OF_A_BILL, Key, Stage
from adjudicator.benefit.plan.values import Names, Reader
from adjudicator.codes import CARE_OF_A_DISEASE, HOSPITAL_LEVELS, CareKind, Scheme
from adjudicator.dates import iso
from adjudicator.limits import FIRST_DATE, LAST_DATE
from adjudicator.options import BurdenPart, QuotaPeriod
from adjudicator.rulefile.dated import DatedValue, Source, check_gap, check_overlap
from adjudicator.rulefile.evidence import read_date
from adjudicator.rulefile.faults import Faults
from adjudicator.rulefile.fields import CodeList, Members, Number, Percent, Schemes, Where, Yuan
from adjudicator.rulefile.pack import (
    NO_DEDUCTIBLE,
    Area,
    Disease,
    Hospital,
    LevelGroup,
    PackHeader,
    Programme,
    ProgrammePart,
    Ward,
    span_of,
)
from adjudicator.rulefile.reader import read_structs
from adjudicator.rules.pack_codes import PACK_FILE, once

HOSPITAL_COLUMNS = (
    "code", "name", "area", "hosp_lv", "deductible_level", "price_level", "payment_class", "note",
)  # fmt: skip
HOSPITAL_DATES = ("from", "to")
"""Columns that a register with dates has; an empty cell is "always before" or "until further notice"."""
AmountOrNone = Annotated[int, Number("yuan", 2, 0, limits.MAX_AMOUNT_FEN, (("none", NO_LIMIT),))]
"""An amount in yuan, or "none" for no limit."""
LEAST_AREA, MOST_AREA = 110_000, 999_999
"""Six digits that can be an administrative area."""
_HOSPITAL_CODE = re.compile(r"[A-Za-z0-9]{12}\Z")


class DiseaseValue(msgspec.Struct, frozen=True, kw_only=True):
    """A dated quota or fixed price of a disease, for everybody or for some."""

    source: Source
    note: str = ""
    scheme: Schemes = ()
    group: str = ""
    care: Annotated[tuple[int, ...], Members(CareKind)] = ()
    value_yuan: AmountOrNone

    @property
    def value(self) -> int:
        """The amount in fen."""
        return self.value_yuan


class StayTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How the deductible of a stay with a disease or in a ward is counted, such as tuberculosis or psychiatry."""

    source: Source
    note: str = ""
    scheme: Schemes = ()
    group: str = ""
    care: Annotated[tuple[int, ...], Members(CareKind)] = ()
    deductible_period_days: Annotated[
        int, Number("days", 0, 0, limits.MAX_STAY_DAYS, (("none", 0), ("no_deductible", NO_DEDUCTIBLE)))
    ]
    """A long stay is charged again after so many days; none: never; no_deductible: nothing is charged."""

    @property
    def value(self) -> int:
        """The days."""
        return self.deductible_period_days


class DiseaseTable(msgspec.Struct, frozen=True, kw_only=True):
    """A disease of the city's list (病种目录) with its quotas and fixed prices."""

    where: Where
    code: str
    name: str
    name_zh: str
    period: Literal["none", "month", "quarter", "year"] = "none"
    quota: tuple[DiseaseValue, ...] = ()
    fixed_price: tuple[DiseaseValue, ...] = ()
    stay: tuple[StayTerms, ...] = ()


class WardTable(msgspec.Struct, frozen=True, kw_only=True):
    """Departments with terms of their own for a stay, by the department of discharge [dscg_caty 出院科别]."""

    where: Where
    id: str
    name: str
    name_zh: str
    department: CodeList
    """Codes; one of three characters stands for its parts too."""
    stay: tuple[StayTerms, ...]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of the parts of a bill that count toward a threshold."""

    in_scope: Percent = 0
    first_pay: Percent = 0
    over_ceiling: Percent = 0
    self_paid: Percent = 0


class PartTable(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a supplementary insurance (惠民保) with its own threshold, rate and limit of the year."""

    where: Where
    counts_percent: Counts
    threshold_yuan: Yuan = 0
    percent: Percent
    cap_yuan: AmountOrNone = NO_LIMIT


class ProgrammeTable(msgspec.Struct, frozen=True, kw_only=True):
    """A dated programme (专项保障): it overrides rules and adds a payer."""

    source: Source
    where: Where
    id: str
    name: str
    name_zh: str
    note: str = ""
    pays: str | tuple[str, ...] = ()
    pays_percent: Percent = 0
    no_deductible: bool = False
    no_cross_region: bool = False
    no_cap: bool = False
    rate_at_least_percent: Percent = 0
    parts_count: Literal["what_is_left", "whole_burden"] = "what_is_left"
    part: tuple[PartTable, ...] = ()


# -------------------------------------------------------------------- diseases and programmes


def read_diseases(raw: dict[str, Any], names: Names, faults: Faults) -> tuple[Disease, ...]:
    """Return the disease list of a pack."""
    found: list[Disease] = []
    for table in read_structs(DiseaseTable, raw.get("disease"), PACK_FILE, "disease", faults):
        if table.quota and table.period == "none":
            faults.add(PACK_FILE, f"{table.where.key}.period", "is missing for a quota", "write month, quarter or year")
        quotas = _disease_values("quota", table.quota, names, faults)
        prices = _disease_values("fixed_price", table.fixed_price, names, faults)
        period = QuotaPeriod[table.period.upper()]
        stays = _disease_values("stay", table.stay, names, faults)
        found.append(Disease(table.code, table.name, table.name_zh, period, quotas, prices, stays))
    once("disease", [disease.code for disease in found], faults)
    return tuple(found)


def _disease_values(
    name: str, tables: Sequence[DiseaseValue | StayTerms], names: Names, faults: Faults
) -> tuple[DatedValue, ...]:
    """Return the dated values of a disease: (scheme, group or -1, number, care), no two for one person, care and day.

    A quota that names no kind of care limits outpatient care of the disease, never a stay; the others hold for any.
    """
    usual = CARE_OF_A_DISEASE if name == "quota" else tuple(CareKind)
    by_person: dict[tuple[int, int], list[DatedValue]] = {}
    for table in tables:
        source, group = table.source, table.group
        if group and group not in names.groups:
            remedy = "write " + ", ".join(names.groups)
            faults.add(PACK_FILE, f"{source.key}.group", f"unknown group {group!r}", remedy)
            continue
        care = sum(1 << kind for kind in table.care or usual)
        for scheme in table.scheme or (int(Scheme.UNKNOWN),):
            person = (scheme, names.groups.index(group) if group else -1)
            by_person.setdefault(person, []).append(DatedValue(name, (*person, table.value, care), source))
    values: list[DatedValue] = []
    for dated in by_person.values():
        for same in dict.fromkeys(tuple(value for value in dated if value.value[3] >> kind & 1) for kind in CareKind):
            check_gap(check_overlap(same, faults), faults)
        values += sorted(dated, key=lambda value: (value.source.from_date, value.source.to_date))
    return tuple(values)


def read_wards(raw: dict[str, Any], names: Names, faults: Faults) -> tuple[Ward, ...]:
    """Return the wards of a pack; a department belongs to one of them."""
    found: list[Ward] = []
    for table in read_structs(WardTable, raw.get("ward"), PACK_FILE, "ward", faults):
        stays = _disease_values("stay", table.stay, names, faults)
        found.append(Ward(table.id, table.name, table.name_zh, table.department, stays))
    once("ward", [ward.id for ward in found], faults)
    once("ward.department", [code for ward in found for code in ward.departments], faults)
    return tuple(found)


def read_programmes(raw: dict[str, Any], names: Names, faults: Faults) -> tuple[Programme, ...]:
    """Return the programmes of a pack."""
    found: list[Programme] = []
    parts = Key("pays", "names", Stage.PROGRAMME, "", "", choices=BurdenPart, only=OF_A_BILL)
    reader = Reader(names, PACK_FILE, faults)
    for table in read_structs(ProgrammeTable, raw.get("programme"), PACK_FILE, "programme", faults):
        pays = table.pays if isinstance(table.pays, str) else list(table.pays)
        mask = reader.read(parts, pays, f"{table.where.key}.pays")
        if mask is None:
            continue
        found.append(
            Programme(
                table.id, table.name, table.name_zh, table.source, int(mask), table.pays_percent,
                table.no_deductible, table.no_cross_region, table.no_cap, table.rate_at_least_percent,
                _programme_parts(table, faults), table.parts_count == "whole_burden",
            )
        )  # fmt: skip
    once("programme", [programme.id for programme in found], faults)
    return tuple(found)


def _programme_parts(table: ProgrammeTable, faults: Faults) -> tuple[ProgrammePart, ...]:
    """Return the parts of a supplementary insurance."""
    found: list[ProgrammePart] = []
    for part in table.part:
        counts = part.counts_percent
        shares = (counts.in_scope, counts.first_pay, counts.over_ceiling, counts.self_paid)
        if not any(shares):
            remedy = "write a table such as { in_scope = 100, first_pay = 50 }"
            faults.add(PACK_FILE, f"{part.where.key}.counts_percent", "does not say what counts", remedy)
        found.append(ProgrammePart(shares, part.threshold_yuan, part.percent, part.cap_yuan))
    if len(found) > limits.MAX_PROGRAMME_PARTS:
        text = f"{len(found)} parts are more than {limits.MAX_PROGRAMME_PARTS}"
        faults.add(PACK_FILE, f"{table.where.key}.part", text, "join parts with equal thresholds")
    return tuple(found[: limits.MAX_PROGRAMME_PARTS])


# -------------------------------------------------------------------- hospitals


def read_hospitals(
    rows: list[tuple[int, dict[str, str]]],
    header: PackHeader,
    areas: Sequence[Area],
    levels: Sequence[LevelGroup],
    faults: Faults,
) -> tuple[Hospital, ...]:
    """Return the register of institutions: those of the pool, and others that have a level of the pool's own."""
    span = span_of(header.pool, header.province_wide)
    area_index = {area.code: position for position, area in enumerate(areas)}
    level_index = {level.id: position for position, level in enumerate(levels)}
    found: list[Hospital] = []
    for line, row in rows:
        where = f"line {line}"
        code = row.get("code") or ""
        if not _HOSPITAL_CODE.match(code):
            faults.add("hospitals.csv", where, f"{code!r} is not an institution code", "write 12 letters and digits")
        start, end = _hospital_days(row, where, faults)
        twice = [one for one in found if one.code == code and one.from_date <= end and start <= one.to_date]
        if twice:
            common = iso(max(start, twice[0].from_date))
            remedy = "remove one, or write its period in from and to, which do not overlap"
            faults.add("hospitals.csv", where, f"{code} is given twice: two rows hold on {common}", remedy)
        area = int(row["area"]) if (row.get("area") or "").isdigit() else 0
        outside = LEAST_AREA <= area <= MOST_AREA and area // span != header.pool // span
        if area not in area_index and not outside:
            faults.add(
                "hospitals.csv",
                where,
                f"unknown area {row.get('area')!r}",
                "write the code of an [[area]] of pack.toml, or six digits outside the pool",
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
                level_index.get(row.get("deductible_level") or "", -1),
                level_index.get(row.get("price_level") or "", -1),
                row.get("payment_class") or "", row.get("note") or "", start, end,
            )
        )  # fmt: skip
    first = {one.code: place for place, one in reversed(list(enumerate(found)))}
    return tuple(sorted(found, key=lambda one: (first[one.code], one.from_date)))


def _hospital_days(row: dict[str, str], where: str, faults: Faults) -> tuple[int, int]:
    """Return the first and the last day of a row of the register."""
    days = []
    for column, otherwise in zip(HOSPITAL_DATES, (FIRST_DATE, LAST_DATE), strict=True):
        cell = (row.get(column) or "").strip()
        days.append(read_date(cell, "hospitals.csv", f"{where}.{column}", faults) or otherwise if cell else otherwise)
    start, end = days
    if end < start:
        faults.add(
            "hospitals.csv", f"{where}.to", f"ends before it begins ({iso(end)} < {iso(start)})", "swap from and to"
        )
    return start, end


def hospital_rows(folder: Path, faults: Faults) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of hospitals.csv with their line numbers."""
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
    wrong = set(HOSPITAL_COLUMNS) ^ (set(reader.fieldnames or ()) - set(HOSPITAL_DATES))
    if wrong:
        faults.add(
            "hospitals.csv", "line 1", f"missing or unknown columns: {', '.join(sorted(map(str, wrong)))}",
            f"the columns are {','.join(HOSPITAL_COLUMNS)}, and with dates from,to",
        )  # fmt: skip
        return []
    return [(reader.line_num, row) for row in reader]
