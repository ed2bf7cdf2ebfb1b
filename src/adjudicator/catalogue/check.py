"""Checks the tables of a pack's catalogue against each other: unknown items and names, two rows on one day, gaps.

Rows with a fault are noted and left out, so that one run finds everything that can be found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adjudicator.catalogue.layout import LEVEL_COLUMNS
from adjudicator.catalogue.tables import Table, Texts
from adjudicator.codes import PERSON_TYPES, Scheme
from adjudicator.rulefile.faults import Faults

MOST_FAULTS = 200

SCHEME_DIMENSION = range(len(Scheme))
"""Dense scheme numbers; 0 is unknown."""

SCHEME_WORDS = {scheme.name.lower(): scheme for scheme in Scheme if scheme}
"""Schemes as rule files write them, such as ``employee``."""


@dataclass(frozen=True, slots=True)
class PackView:
    """What the catalogue needs to know of a pack: its place, level groups, and names for persons and programmes."""

    id: str
    pool: str
    areas: tuple[str, ...]
    level_groups: tuple[str, ...] = ()
    person_groups: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    """Id, scheme and person types."""
    programmes: tuple[str, ...] = ()


@dataclass(slots=True)
class PackTables:
    """The tables that a pack sees, its own and the included ones joined."""

    texts: Texts
    items: Table
    classes: Table
    ceilings: Table
    ratios: Table
    rules: Table


@dataclass(slots=True)
class Names:
    """What the texts of the tables mean in a pack, by text number.

    ``level_column``: column of a ceiling set, LEVEL_COLUMNS for all, -1 unknown. ``class_mask`` (schemes, person types)
    and ``class_specificity`` of person classes.
    """

    texts: list[str]
    level_column: np.ndarray
    class_mask: dict[int, np.ndarray]
    class_specificity: dict[int, int]


def chain_of(area: str) -> tuple[str, ...]:
    """Return the areas that a place lies in, widest first.

    >>> chain_of("330106"), chain_of("330100"), chain_of("330000")
    (('000000', '330000', '330100', '330106'), ('000000', '330000', '330100'), ('000000', '330000'))
    """
    wider = ("000000", area[:2] + "0000", area[:4] + "00", area)
    return tuple(dict.fromkeys(wider))


def check_tables(tables: PackTables, view: PackView, faults: Faults) -> tuple[np.ndarray, np.ndarray, Names]:
    """Sorted item codes, their flags, and what the names mean; ``tables`` keep only the rows that can be compiled."""
    codes, item_flags = _check_items(tables.items, faults)
    names = _names(tables, view)
    for name in ("classes", "ceilings", "ratios", "rules"):
        table: Table = getattr(tables, name)
        if not len(table):
            table.columns["item"] = np.zeros(0, np.int64)
            continue
        known = _check_areas(table, names, view, faults)
        if name != "rules":
            known &= _check_known(table, codes, faults)
        if name == "ceilings":
            known &= _check_levels(table, names, view, faults)
        if name in ("ratios", "rules"):
            known &= _check_persons(table, names, faults)
        setattr(tables, name, table.take(known))
    _check_overlaps(tables, faults)
    return codes, item_flags, names


def _note(table: Table, good: np.ndarray, faults: Faults, message: Callable[[int], str], remedy: str) -> None:
    """Note a fault at each row that is not good; the rest of very many is counted."""
    rows = np.flatnonzero(~good)
    for row in rows[:MOST_FAULTS]:
        file, line = table.place(row)
        faults.add(file, line, message(row), remedy)
    if len(rows) > MOST_FAULTS:
        more, example = len(rows) - MOST_FAULTS, message(rows[MOST_FAULTS])
        faults.add(table.place(rows[MOST_FAULTS])[0], "file", f"{more} more lines have a fault like: {example}")


def _check_items(items: Table, faults: Faults) -> tuple[np.ndarray, np.ndarray]:
    """Sorted codes and their flags; a code that stands twice is a fault."""
    if not len(items):
        return np.zeros(0, "S1"), np.zeros(0, np.int32)
    order = np.argsort(items["code"], kind="stable")
    codes = items["code"][order]
    for position in np.flatnonzero(codes[1:] == codes[:-1])[:MOST_FAULTS]:
        where = " ".join(items.place(order[position]))
        message = f"the item stands already in {where}"
        file, line = items.place(order[position + 1])
        faults.add(file, line, message, "leave one of the two out")
    codes, index = np.unique(codes, return_index=True)
    return codes, items["flags"][order][index].astype(np.int32)


def _check_known(table: Table, codes: np.ndarray, faults: Faults) -> np.ndarray:
    """Add the column ``item``: the position of the code in ``codes``; a code that is no item is a fault."""
    wanted = table["code"]
    item = np.zeros(len(table), np.int64)
    known = np.zeros(len(table), bool)
    if len(codes):
        item = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
        known = codes[item] == wanted
    table.columns["item"] = item.astype(np.int64)
    remedy = "add it there, or leave the row out"
    _note(table, known, faults, lambda row: f"the item {wanted[row].decode()} is not in item.csv", remedy)
    return known


def _names(tables: PackTables, view: PackView) -> Names:
    values = tables.texts.values
    level_column = np.full(max(len(values), 1), -1, np.int64)
    for position, text in enumerate(values):
        if text == "*":
            level_column[position] = LEVEL_COLUMNS
        elif text in view.level_groups:
            level_column[position] = view.level_groups.index(text)
    groups = {name: (scheme, types) for name, scheme, types in view.person_groups}
    masks: dict[int, np.ndarray] = {}
    specificity: dict[int, int] = {}
    for table in (tables.ratios, tables.rules):
        for number in np.unique(table["person_class"]).tolist() if len(table) else ():
            found = person_class_mask(values[number], groups)
            if found is not None:
                masks[number], specificity[number] = found
    return Names(values, level_column, masks, specificity)


def _check_areas(table: Table, names: Names, view: PackView, faults: Faults) -> np.ndarray:
    """Note places that a table must not name: a city's own table holds only its own places."""
    own = {*chain_of(view.pool), *view.areas}
    fits = [area in own or (area[:2] == view.pool[:2] and area[:4] != view.pool[:4]) for area in names.texts]
    good: np.ndarray = np.array(fits)[table["area"]]
    remedy = f"use 000000, {view.pool[:2]}0000, {view.pool} or a county of the pack"
    areas = [names.texts[number] for number in table["area"].tolist()]
    _note(table, good, faults, lambda row: f"the area {areas[row]} is not part of the pack {view.id}", remedy)
    return good


def _check_levels(table: Table, names: Names, view: PackView, faults: Faults) -> np.ndarray:
    group = table["level_group"]
    good: np.ndarray = names.level_column[group] >= 0
    remedy = f"the groups are {', '.join((*view.level_groups, '*'))}"
    _note(table, good, faults, lambda row: f"unknown level group {names.texts[group[row]]!r}", remedy)
    return good


def _check_persons(table: Table, names: Names, faults: Faults) -> np.ndarray:
    person = table["person_class"]
    good = np.isin(person, list(names.class_mask))
    remedy = "write a scheme, a person type, a person group of the pack, or *"
    _note(table, good, faults, lambda row: f"unknown person class {names.texts[person[row]]!r}", remedy)
    return good


def _check_overlaps(tables: PackTables, faults: Faults) -> None:
    """Two rows for the same thing on one day are a fault that names both."""
    for table, keys in (
        (tables.classes, ("item", "area")),
        (tables.ceilings, ("item", "area", "level_group")),
        (tables.ratios, ("item", "area", "person_class", "ratio_class")),
        (tables.rules, ("code", "list_type", "class", "area", "person_class", "ratio_class")),
    ):
        if len(table) < 2:
            continue
        columns = [table[name] for name in keys]
        order = np.lexsort((table["from"], *reversed(columns)))
        same = np.ones(len(order) - 1, bool)
        for column in columns:
            same &= column[order[1:]] == column[order[:-1]]
        clash = same & (table["from"][order[1:]] <= table["to"][order[:-1]])
        for position in np.flatnonzero(clash)[:MOST_FAULTS]:
            message = f"two rows hold on one day: this and {' '.join(table.place(order[position]))}"
            file, line = table.place(order[position + 1])
            faults.add(file, line, message, "end the earlier row the day before `from`")


def check_ratios(
    tables: PackTables,
    codes: np.ndarray,
    versions: np.ndarray,
    item: np.ndarray,
    ratio_ppm: np.ndarray,
    area: str,
    faults: Faults,
) -> None:
    """Note class-B items without a ratio for employees or residents."""
    if not len(versions):
        return
    by_scheme = ratio_ppm.reshape(len(ratio_ppm), len(SCHEME_DIMENSION), -1)
    lacking = by_scheme[:, [Scheme.EMPLOYEE, Scheme.RESIDENT]].min(axis=(1, 2)) < 0
    rows = np.flatnonzero(lacking[versions["ratio"]])
    file = tables.classes.headers[0].name
    for row in rows[:MOST_FAULTS]:
        days = f"from {versions['from'][row]} to {versions['to'][row]}"
        message = f"the class-B item has no first-pay ratio in area {area} {days}"
        faults.add(file, codes[item[row]].decode(), message, "add a row to ratio.csv or a rule to ratio_rule.csv")
    if len(rows) > MOST_FAULTS:
        faults.add(file, "ratio", f"{len(rows) - MOST_FAULTS} more versions of class-B items have no first-pay ratio")


def person_class_mask(text: str, groups: Mapping[str, tuple[str, tuple[str, ...]]]) -> tuple[np.ndarray, int] | None:
    """Which (scheme, person type) a person class of the ratio table means, and how specific it is; None if unknown.

    A class is ``*``, a scheme (``employee``), a person type of two or four digits (``12``), a person group
    of the pack, or several of them joined by ``/``, which must all fit. The mask has shape (schemes, person types).
    ``groups``: scheme and person types of each group of the pack.
    """
    mask = np.ones((len(SCHEME_DIMENSION), len(PERSON_TYPES)), bool)
    specificity = 0
    for part in text.split("/"):
        if part == "*":
            continue
        if part in SCHEME_WORDS:
            mask &= (np.arange(len(SCHEME_DIMENSION)) == SCHEME_WORDS[part])[:, None]
            specificity += 1
        elif part in groups:
            scheme, person_types = groups[part]
            mask &= (np.arange(len(SCHEME_DIMENSION)) == SCHEME_WORDS[scheme])[:, None]
            mask &= _of_types(person_types)
            specificity += 3
        elif part in PERSON_TYPES[1:]:
            mask &= _of_types((part,))
            specificity += len(part)
        else:
            return None
    return mask, specificity


def _of_types(codes: Sequence[str]) -> np.ndarray:
    """Which person types begin with one of the codes."""
    return np.array([bool(name) and name.startswith(tuple(codes)) for name in PERSON_TYPES])
