"""The rules that a case is settled under: its packs, or its own plan with its own catalogue items and payment."""

from __future__ import annotations

import csv
import dataclasses
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from adjudicator.cases.file import Case
from adjudicator.cases.grouping import scheme_of
from adjudicator.catalogue import section as catalogue
from adjudicator.catalogue.tables import COLUMNS
from adjudicator.claim.engine import Engine
from adjudicator.grouping.scheme.load import Scheme
from adjudicator.limits import FIRST_DATE, LAST_DATE
from adjudicator.payment import section as payment
from adjudicator.payment.conditions import FILE as PAYMENT_FILE
from adjudicator.rulefile.faults import Faults
from adjudicator.rulefile.pack import Grouping, Hospital, Pack
from adjudicator.rules.bundle import Bundle, compile_bundle, load_bundle
from adjudicator.rules.inline import inline_bundle
from adjudicator.rules.lookup import compile_lookup

SINCE = "1990-01-01"
PART = "CASE-"
"""How the codes of the items begin that stand for the parts of a bill that a case states as ``amounts``."""

PART_ITEMS: dict[str, dict[str, Any]] = {
    "in_scope": {"class": "A"},
    "copay_free": {"class": "A", "flags": ("co_pay_free",)},
    "special_drug": {"class": "A", "flags": ("special_drug",)},
    "copay_free_special_drug": {"class": "A", "flags": ("co_pay_free", "special_drug")},
    "first_pay": {"class": "B", "first_pay_percent": 100},
    "first_pay_special_drug": {"class": "B", "first_pay_percent": 100, "flags": ("special_drug",)},
    "over_ceiling": {"class": "A", "ceiling": 0},
    "hospital_borne": {"class": "A", "ceiling": 0, "handling": "excess_to_hospital"},
    "in_catalogue_excess": {"class": "A", "ceiling": 0, "handling": "excess_in_catalogue"},
    "wholly_self_paid": {"class": "C"},
    "wholly_self_paid_special_drug": {"class": "C", "flags": ("special_drug",)},
}
"""One item a part: the line split makes exactly this part of the whole line, whatever the catalogue's options are."""

PAYMENT = {"deciding_date": "discharge", "clearing_funds": ["pooled"]}
"""What the ``payment`` of a case need not say."""
BY_ITEM = {"id": "by_item", "method": "by_item", "priority": -1}
"""The method that pays every claim which no row of the case takes."""

SOURCE = {"document": "case", "evidence": "demonstration"}
SUPPORTED = ("coefficient", "incomplete", "low", "high", "readmission", "special_cases")
"""Tables inside a table of ``payment`` that name their evidence; lists of tables inside one are dated as well."""
UNDATED_LISTS = ("band",)


def part_item(part: str) -> str:
    """Return the catalogue code of a part of the bill."""
    return PART + part.upper().replace("_", "-")


def engine_of(case: Case, by_amounts: bool) -> Engine:
    """Return the engine that settles a claim of the case; ``by_amounts``: its bill is stated in parts instead of lines.

    Raises :class:`adjudicator.rulefile.faults.PackError` where the rules have faults.
    """
    if case.pack:
        return _pack_engine(case.pack, by_amounts)
    return Engine(_inline(case))


@lru_cache(maxsize=16)
def _pack_engine(names: str, by_amounts: bool) -> Engine:
    """Return the engine of a case's packs, one a line; the first is that of the place of insurance."""
    if not by_amounts:
        return Engine(_with_every_level(load_bundle(names.splitlines())))
    bundle = _pack_engine(names, False).bundle
    sections = [_catalogue(pack, _part_items(), {}) for pack in bundle.packs]
    return Engine(dataclasses.replace(bundle, catalogue=catalogue.compile_sections(sections)))


def _with_every_level(bundle: Bundle) -> Bundle:
    """Return the bundle with a hospital for each level group of the insuring pack: a register may not have all of
    them.
    """
    insuring, *others = bundle.packs
    levels = {hospital.deductible_level for hospital in insuring.hospitals if _is_of_one_level(hospital)}
    missing = [level for level in range(len(insuring.levels)) if level not in levels]
    if not missing:
        return bundle
    area = insuring.areas[0].code
    added = tuple(
        Hospital(
            code=f"H{area}9{level:04d}", name=insuring.levels[level].name, area=area, county=0,
            hosp_lv=(insuring.levels[level].hosp_lv or ["11"])[0], deductible_level=level, price_level=level,
            payment_class="", note="of the case",
        )
        for level in missing
    )  # fmt: skip
    packs = (dataclasses.replace(insuring, hospitals=insuring.hospitals + added), *others)
    return dataclasses.replace(bundle, packs=packs, lookup=compile_lookup(packs))


def _is_of_one_level(hospital: Hospital) -> bool:
    """Return whether a hospital of the pool has one level for benefit and price ceilings."""
    return hospital.county >= 0 and hospital.deductible_level == hospital.price_level


def _inline(case: Case) -> Bundle:
    """Return the bundle of a case's own plan: every case has a catalogue and is paid by some method."""
    (pack,) = inline_bundle(case.plan).packs
    schemes = scheme_of(case)
    groupings = tuple(Grouping(scheme.name, FIRST_DATE, LAST_DATE) for scheme in schemes)
    pack = dataclasses.replace(pack, groupings=groupings)
    sections: dict[str, list[Any]] = {
        "catalogue": [_catalogue(pack, [*case.items, *_part_items()], case.catalogue)],
        "payment": [payment_of(pack, schemes, case.payment)],
    }
    return compile_bundle([pack], sections, schemes)


def _part_items() -> list[dict[str, Any]]:
    return [{"code": part_item(part), **item} for part, item in PART_ITEMS.items()]


def _catalogue(pack: Pack, items: Iterable[Mapping[str, Any]], options: Mapping[str, Any]) -> catalogue.CatalogueSource:
    """Return the compiled catalogue of one pack that has only these items."""
    with tempfile.TemporaryDirectory() as folder:
        _write_catalogue(Path(folder), f"{pack.pool:06d}", items, options)
        faults = Faults()
        source = catalogue.load_folders([(Path(folder), "items")], catalogue.view_of(pack), faults)
        faults.raise_if_any("the items of the case")
    return source


def _write_catalogue(folder: Path, area: str, items: Iterable[Mapping[str, Any]], options: Mapping[str, Any]) -> None:
    """Write items as the tables of a catalogue folder."""
    tables: dict[str, list[dict[str, Any]]] = {"item.csv": [], "class.csv": [], "ceiling.csv": [], "ratio.csv": []}
    for item in items:
        code = item["code"]
        base = {"code": code, "area": area, "from": str(item.get("from", SINCE)), "to": str(item.get("to", ""))}
        tables["item.csv"].append(
            {"code": code, "name": item.get("name", code), "list_type": str(item.get("list_type", "201")),
             "charge_category": str(item.get("charge_category", "14")), "flags": " ".join(item.get("flags", []))}
        )  # fmt: skip
        tables["class.csv"].append(
            base | {"class": item["class"], "restricted_use": str(item.get("restricted", False)).lower()}
        )
        if "ceiling" in item:
            handling = item.get("handling", "excess_to_patient")
            tables["ceiling.csv"].append(
                base | {"level_group": "*", "ceiling_yuan": item["ceiling"], "handling": handling}
            )
        if "first_pay_percent" in item:
            row = {"person_class": "*", "ratio_class": "*", "first_pay_percent": str(item["first_pay_percent"])}
            tables["ratio.csv"].append(base | row)
    source = 'document = "case"\nevidence = "demonstration"\n'
    header = [f'[files."{name}"]\n{source}' for name in tables]
    chosen = [f'[[rule]]\nfrom = {SINCE}\n{name} = "{value}"\n{source}' for name, value in options.items()]
    (folder / "catalogue.toml").write_text("\n".join(header + chosen), "utf-8")
    for name, rows in tables.items():
        with (folder / name).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(COLUMNS[name]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def payment_of(pack: Pack, schemes: Sequence[Scheme], mapping: Mapping[str, Any]) -> payment.PackPayment:
    """Return the payment section of a pack, written by the keys of ``payment.toml``.

    A text of several lines is a CSV file; a claim that no row takes is paid by item.
    """
    written = PAYMENT | dict(mapping)
    methods = list(written.get("method", []))
    if all(row.get("method") != "by_item" for row in methods):
        written["method"] = [*methods, BY_ITEM]
    with tempfile.TemporaryDirectory() as folder:
        own = _with_files(_with_sources(written), Path(folder))
        (Path(folder) / PAYMENT_FILE).write_text(_toml(own), "utf-8")
        faults = Faults()
        section = payment.load_section(Path(folder), pack, faults, schemes)
        faults.raise_if_any("the payment of the case")
    return section


def _with_sources(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Add to each table what it need not say: from when it holds, and where it comes from."""
    return {name: _dated(value) if _is_tables(value) else value for name, value in mapping.items()}


def _dated(tables: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    dated = {"from": _Bare(SINCE), **SOURCE, "checked_on": _Bare(SINCE)}
    return [dated | {name: _inside(name, value) for name, value in table.items()} for table in tables]


def _inside(name: str, value: Any) -> Any:
    """Return what stands under a key of a table, with its evidence where it is a table that must have some."""
    if _is_tables(value) and name not in UNDATED_LISTS:
        return _dated(value)
    return {**SOURCE, **value} if isinstance(value, Mapping) and name in SUPPORTED else value


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _with_files(value: Any, folder: Path) -> Any:
    """Write each text of several lines as a CSV file of the folder; return the value with the files' names instead."""
    if isinstance(value, Mapping):
        return {name: _with_files(entry, folder) for name, entry in value.items()}
    if isinstance(value, list):
        return [_with_files(entry, folder) for entry in value]
    if not isinstance(value, str) or "\n" not in value.strip():
        return value
    name = f"table{len(list(folder.iterdir()))}.csv"
    (folder / name).write_text(value, "utf-8")
    return name


class _Bare(str):
    """A TOML value that is written without quotes."""


def _toml(mapping: Mapping[str, Any]) -> str:
    """Return a mapping as TOML, each key on a line of its own.

    >>> print(_toml({"funds": ["a"], "row": [{"id": "x", "on": True}]}))
    funds = ["a"]
    row = [{id = "x", on = true}]
    """
    return "\n".join(f"{name} = {_toml_value(value)}" for name, value in mapping.items())


def _toml_value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name} = {_toml_value(entry)}" for name, entry in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and not isinstance(value, _Bare):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)
