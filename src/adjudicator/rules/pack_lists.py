"""Reads the disease list, the programmes and the hospital register of a pack."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from adjudicator import limits
from adjudicator.benefit.plan.keys import OF_A_BILL, Key, Stage
from adjudicator.benefit.plan.source import SCHEME_WORDS
from adjudicator.benefit.plan.values import Names, Reader
from adjudicator.codes import HOSPITAL_LEVELS, Scheme
from adjudicator.options import BurdenPart, QuotaPeriod, choice_name
from adjudicator.rulefile.dated import SOURCE_KEYS, DatedValue, check_gap, check_overlap, read_source
from adjudicator.rulefile.faults import Faults
from adjudicator.rulefile.pack import Disease, Hospital, Programme, ProgrammePart
from adjudicator.rulefile.reader import unknown_keys
from adjudicator.rules.pack_codes import PACK_FILE, once

HOSPITAL_COLUMNS = (
    "code", "name", "area", "hosp_lv", "deductible_level", "price_level", "payment_class", "note",
)  # fmt: skip
_HOSPITAL_CODE = re.compile(r"[A-Za-z0-9]{12}\Z")


def _tables(raw: dict, name: str, faults: Faults) -> list[dict]:
    """The entries of an array of tables; anything else is a fault."""
    entries = raw.get(name, [])
    if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries):
        return entries
    faults.add(PACK_FILE, name, "is not an array of tables", f"write [[{name}]] blocks")
    return []


# -------------------------------------------------------------------- diseases and programmes


def read_diseases(raw: dict, names: Names, faults: Faults) -> tuple[Disease, ...]:
    periods = {choice_name(member): member for member in QuotaPeriod}
    found: list[Disease] = []
    for number, entry in enumerate(_tables(raw, "disease", faults)):
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
    once("disease", [disease.code for disease in found], faults)
    return tuple(found)


def _disease_values(entry: dict, name: str, key: str, names: Names, faults: Faults) -> tuple[DatedValue, ...]:
    """Dated values of a disease: (scheme, group or -1, fen), without two for one person on one day."""
    by_person: dict[tuple[int, int], list[DatedValue]] = {}
    for number, raw in enumerate(_tables(entry, name, faults)):
        where = f"{key}.{name}[{number}]"
        allowed = (*SOURCE_KEYS, "scheme", "group", "value_yuan")
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
            int(SCHEME_WORDS.get(str(scheme), Scheme.UNKNOWN)),
            names.groups.index(group) if group in names.groups else -1,
        )
        by_person.setdefault(person, []).append(DatedValue(name, (*person, fen), source))
    values = []
    for dated in by_person.values():
        ordered = check_overlap(dated, faults)
        check_gap(ordered, faults)
        values += ordered
    return tuple(values)


def read_programmes(raw: dict, names: Names, faults: Faults) -> tuple[Programme, ...]:
    found = []
    allowed = (
        "id", "name", "name_zh", *SOURCE_KEYS, "pays", "pays_percent", "no_deductible", "no_cross_region", "no_cap",
        "rate_at_least_percent", "part",
    )  # fmt: skip
    parts = Key("pays", "names", Stage.PROGRAMME, "", "", choices=BurdenPart, only=OF_A_BILL)
    for number, entry in enumerate(_tables(raw, "programme", faults)):
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
        found.append(
            Programme(
                str(entry["id"]), str(entry["name"]), str(entry["name_zh"]), source, int(mask), pays,
                entry.get("no_deductible") is True, entry.get("no_cross_region") is True, entry.get("no_cap") is True,
                floor, _programme_parts(entry, key, reader, faults),
            )
        )  # fmt: skip
    once("programme", [programme.id for programme in found], faults)
    return tuple(found)


def _programme_parts(raw: dict, key: str, reader: Reader, faults: Faults) -> tuple[ProgrammePart, ...]:
    """The parts of a supplementary insurance, each with its own threshold, rate and limit of the year."""
    names = tuple(choice_name(part) for part in OF_A_BILL)
    found = []
    for number, entry in enumerate(_tables(raw, "part", faults)):
        where = f"{key}.part[{number}]"
        unknown_keys(entry, ("counts_percent", "threshold_yuan", "percent", "cap_yuan"), PACK_FILE, where, faults)
        counts = entry.get("counts_percent")
        if not isinstance(counts, dict) or not counts or set(counts) - set(names):
            remedy = "write a table such as { in_scope = 100, first_pay = 50 } of " + ", ".join(names)
            faults.add(PACK_FILE, f"{where}.counts_percent", f"{counts!r} does not say what counts", remedy)
            continue
        shares = [reader.number("percent", counts.get(name, 0), f"{where}.{name}", 1_000_000) for name in names]
        threshold = reader.number("yuan", entry.get("threshold_yuan", 0), f"{where}.threshold_yuan")
        rate = reader.number("percent", entry.get("percent"), f"{where}.percent", 1_000_000)
        cap = reader.number("yuan", entry.get("cap_yuan", "none"), f"{where}.cap_yuan")
        if None not in (*shares, threshold, rate, cap):
            found.append(ProgrammePart(tuple(shares), threshold, rate, cap))  # type: ignore[arg-type]
    if len(found) > limits.MAX_PROGRAMME_PARTS:
        text = f"{len(found)} parts are more than {limits.MAX_PROGRAMME_PARTS}"
        faults.add(PACK_FILE, f"{key}.part", text, "join parts with equal thresholds")
    return tuple(found[: limits.MAX_PROGRAMME_PARTS])


# -------------------------------------------------------------------- hospitals


def read_hospitals(rows: list[tuple[int, dict]], areas, levels, faults: Faults) -> tuple[Hospital, ...]:
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


def hospital_rows(folder: Path, faults: Faults) -> list[tuple[int, dict]]:
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
