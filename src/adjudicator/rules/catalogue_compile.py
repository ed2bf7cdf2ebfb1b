"""Compiles the dated tables of the catalogue to versions of items that a kernel finds without a search.

For each area group (a place whose rows differ from its neighbours': the pool, a county with rows of its own, the
province) an item has versions, newest first. A version names one set of ceilings (by level group) and one set of
first-pay ratios (by scheme, person type, and care inside or outside the pool); equal sets are stored once, so they stay
in the processor's cache however many items there are.

Which row holds on a day: the most specific area wins (county, city, province, nation), then the exact code over the
longest pattern, then the most specific person class, then the ratio class. Two rows that are equal in all of these and
valid on one day are a fault.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adjudicator import limits
from adjudicator.codes import PERSON_TYPES, ItemClass, Scheme
from adjudicator.rules.catalogue_tables import (
    HANDLING,
    LAST,
    RESTRICTED,
    SCHEME_DIMENSION,
    UNVERIFIED,
    Table,
    Texts,
    person_class_mask,
    yyyymmdd,
)
from adjudicator.rules.faults import Faults

VERSION = np.dtype(
    [("from", "i4"), ("to", "i4"), ("ceiling", "i4"), ("ratio", "i4"), ("item_class", "i4"), ("flags", "i4")],
    align=True,
)
"""One version of an item: days inclusive, rows of the ceiling and ratio sets, bits of ``catalogue_tables``."""

LEVEL_COLUMNS = limits.MAX_HOSPITAL_LEVELS + 1
"""Columns of a ceiling set: one a level group of the pack; the last is for a hospital of an unknown group."""

PERSON_CLASSES = len(SCHEME_DIMENSION) * len(PERSON_TYPES) * 2
"""Columns of a ratio set: (scheme * person types + person type) * 2 + (1 where care is outside the pool)."""

_DAY_BITS = 20
_DAY_MASK = (1 << _DAY_BITS) - 1
_SPECIFICITY_EXACT = limits.MAX_CODE_BYTES + 1
_MOST_FAULTS = 200


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
class PackCatalogue:
    """Compiled catalogue of one pack. ``first`` has shape (groups, items): the newest version, -1 none."""

    codes: np.ndarray
    item_flags: np.ndarray
    group_areas: tuple[str, ...]
    first: np.ndarray
    versions: np.ndarray
    ceiling_e4: np.ndarray
    handling: np.ndarray
    ratio_ppm: np.ndarray


def chain_of(area: str) -> tuple[str, ...]:
    """The areas that a place lies in, widest first.

    >>> chain_of("330106"), chain_of("330100"), chain_of("330000")
    (('000000', '330000', '330100', '330106'), ('000000', '330000', '330100'), ('000000', '330000'))
    """
    wider = ("000000", area[:2] + "0000", area[:4] + "00", area)
    return tuple(dict.fromkeys(wider))


def compile_pack(tables: PackTables, view: PackView, faults: Faults) -> PackCatalogue:
    """Compiles what one pack sees; faults are noted, and the result is only to be used when there are none."""
    codes, item_flags = _check_items(tables, faults)
    for table in (tables.classes, tables.ceilings, tables.ratios):
        _check_known(table, codes, faults)
    _check_overlaps(tables, codes, faults)
    names = _resolve_names(tables, view, faults)
    if faults:
        return PackCatalogue(codes, item_flags, (), *_nothing(len(codes)))
    groups = _area_groups(tables, view)
    firsts, versions, ceilings, handlings, ratios = [], [], [], [], []
    version_count, ceiling_count, ratio_count = 0, 0, 0
    for area in groups:
        first, rows, ceiling_e4, handling, ratio_ppm = _compile_group(tables, codes, item_flags, area, names, faults)
        first[first >= 0] += version_count
        rows["ceiling"] += ceiling_count
        rows["ratio"] += ratio_count
        version_count, ceiling_count = version_count + len(rows), ceiling_count + len(ceiling_e4)
        ratio_count += len(ratio_ppm)
        for parts, part in zip(
            (firsts, versions, ceilings, handlings, ratios), (first, rows, ceiling_e4, handling, ratio_ppm), strict=True
        ):
            parts.append(part)
    return PackCatalogue(
        codes, item_flags, groups, np.stack(firsts), np.concatenate(versions), np.concatenate(ceilings),
        np.concatenate(handlings), np.concatenate(ratios),
    )  # fmt: skip


def _nothing(items: int):
    return (
        np.full((1, items), -1, np.int32), np.zeros(0, VERSION), np.zeros((0, LEVEL_COLUMNS), np.int64),
        np.zeros((0, LEVEL_COLUMNS), np.int8), np.zeros((0, PERSON_CLASSES), np.int32),
    )  # fmt: skip


def _check_items(tables: PackTables, faults: Faults) -> tuple[np.ndarray, np.ndarray]:
    """Sorted codes and their flags; a code that stands twice is a fault."""
    if not len(tables.items):
        return np.zeros(0, "S1"), np.zeros(0, np.int32)
    order = np.argsort(tables.items["code"], kind="stable")
    codes = tables.items["code"][order]
    for position in np.flatnonzero(codes[1:] == codes[:-1])[:_MOST_FAULTS]:
        earlier, later = order[position], order[position + 1]
        where = " ".join(tables.items.place(earlier))
        faults.add(*tables.items.place(later), f"the item stands already in {where}", "leave one of the two out")
    codes, index = np.unique(codes, return_index=True)
    return codes, tables.items["flags"][order][index].astype(np.int32)


def _check_known(table: Table, codes: np.ndarray, faults: Faults) -> None:
    """Adds the column ``item``: the position of the code in ``codes``; a code that is no item is a fault."""
    if not len(table):
        table.columns["item"] = np.zeros(0, np.int64)
        return
    wanted = table["code"]
    item = np.searchsorted(codes, wanted) if len(codes) else np.zeros(len(wanted), np.int64)
    item = np.minimum(item, max(len(codes) - 1, 0))
    known = codes[item] == wanted if len(codes) else np.zeros(len(wanted), bool)
    for row in np.flatnonzero(~known)[:_MOST_FAULTS]:
        faults.add(
            *table.place(row),
            f"the item {wanted[row].decode()} is not in item.csv",
            "add it there, or leave the row out",
        )
    if np.count_nonzero(~known) > _MOST_FAULTS:
        faults.add(
            table.headers[0].name, "code", f"{np.count_nonzero(~known) - _MOST_FAULTS} more codes are not in item.csv"
        )
    table.columns["item"] = item.astype(np.int64)


def _check_overlaps(tables: PackTables, codes: np.ndarray, faults: Faults) -> None:
    """Two rows for the same thing on one day are a fault that names both."""
    for table, keys in (
        (tables.classes, ("code", "area")),
        (tables.ceilings, ("code", "area", "level_group")),
        (tables.ratios, ("code", "area", "person_class", "ratio_class")),
        (tables.rules, ("code", "list_type", "class", "area", "person_class", "ratio_class")),
    ):
        if len(table) < 2:
            continue
        columns = [table["item"] if name == "code" and "item" in table.columns else table[name] for name in keys]
        order = np.lexsort((table["from"], *reversed(columns)))
        same = np.ones(len(order) - 1, bool)
        for column in columns:
            same &= column[order[1:]] == column[order[:-1]]
        clash = same & (table["from"][order[1:]] <= table["to"][order[:-1]])
        for position in np.flatnonzero(clash)[:_MOST_FAULTS]:
            earlier, later = order[position], order[position + 1]
            file, key = table.place(later)
            where = " ".join(table.place(earlier))
            faults.add(
                file, key, f"two rows hold on one day: this and {where}", "end the earlier row the day before `from`"
            )


@dataclass(slots=True)
class _Names:
    """What the words of the tables mean in this pack, by text number."""

    areas: list[str]
    level_column: np.ndarray
    class_mask: list[np.ndarray]
    class_specificity: list[int]


def _resolve_names(tables: PackTables, view: PackView, faults: Faults) -> _Names:
    """Looks up areas, level groups and person classes; unknown ones are faults at each row that uses them."""
    values = tables.texts.values
    own = {*chain_of(view.pool), *view.areas}
    for table in (tables.classes, tables.ceilings, tables.ratios, tables.rules):
        if not len(table):
            continue
        foreign = np.array([not _area_fits(text, own, view) for text in values] or [False])
        for row in np.flatnonzero(foreign[table["area"]])[:_MOST_FAULTS]:
            area = values[table["area"][row]]
            remedy = f"use 000000, {view.pool[:2]}0000, {view.pool} or a county of the pack"
            faults.add(*table.place(row), f"the area {area} is not part of the pack {view.id}", remedy)
    level_column = np.full(max(len(values), 1), -1, np.int64)
    for position, text in enumerate(values):
        if text == "*":
            level_column[position] = LEVEL_COLUMNS
        elif text in view.level_groups:
            level_column[position] = view.level_groups.index(text)
    if len(tables.ceilings):
        for row in np.flatnonzero(level_column[tables.ceilings["level_group"]] < 0)[:_MOST_FAULTS]:
            text = values[tables.ceilings["level_group"][row]]
            known = ", ".join((*view.level_groups, "*"))
            faults.add(*tables.ceilings.place(row), f"unknown level group {text!r}", f"the groups are {known}")
    groups = {name: (scheme, types) for name, scheme, types in view.person_groups}
    masks: list[np.ndarray] = [np.zeros((1, 1), bool)] * len(values)
    specificity = [0] * len(values)
    for table in (tables.ratios, tables.rules):
        for number in np.unique(table["person_class"]) if len(table) else ():
            found = person_class_mask(values[number], groups)
            if found is not None:
                masks[number], specificity[number] = found
                continue
            for row in np.flatnonzero(table["person_class"] == number)[:_MOST_FAULTS]:
                faults.add(
                    *table.place(row),
                    f"unknown person class {values[number]!r}",
                    "a scheme, person type or group, or *",
                )
    return _Names(values, level_column, masks, specificity)


def _area_fits(area: str, own: set[str], view: PackView) -> bool:
    """A county of another city may stand in a provincial table; a city's own table holds only its own places."""
    return area in own or (area[:2] == view.pool[:2] and area[:4] != view.pool[:4])


def _area_groups(tables: PackTables, view: PackView) -> tuple[str, ...]:
    """The pool, the counties with rows of their own, and the province where it has rows."""
    named = set()
    for table in (tables.classes, tables.ceilings, tables.ratios, tables.rules):
        if len(table):
            named |= {tables.texts.values[number] for number in np.unique(table["area"])}
    province = view.pool[:2] + "0000"
    counties = [area for area in view.areas if area in named and area != view.pool]
    return tuple(dict.fromkeys((view.pool, *counties, *([province] if named & {province, "000000"} else []))))


def _ranges(starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the ranges ``start..end`` joined, and for each the number of its range."""
    lengths = ends - starts
    owner = np.repeat(np.arange(len(starts)), lengths)
    return np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths) + starts[owner], owner


@dataclass(slots=True)
class _Layer:
    """Rows of one table that may hold in the group: item, days, how specific each is, and the row itself."""

    item: np.ndarray
    start: np.ndarray
    end: np.ndarray
    area: np.ndarray
    row: np.ndarray

    @staticmethod
    def of(table: Table, values: list[str], chain: tuple[str, ...]) -> _Layer:
        if not len(table):
            nothing = np.zeros(0, np.int64)
            return _Layer(nothing, nothing, nothing, nothing, nothing)
        level = np.array([chain.index(text) if text in chain else -1 for text in values])[table["area"]]
        row = np.flatnonzero(level >= 0)
        return _Layer(table["item"][row], table["from"][row], table["to"][row], level[row], row)

    def keys(self) -> np.ndarray:
        """Where a version may begin: the first day of each row, and the day after its last."""
        return np.concatenate([(self.item << _DAY_BITS) | self.start, (self.item << _DAY_BITS) | (self.end + 1)])

    def cover(self, keys: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The segments that the given rows of the layer cover, and the table row that covers each."""
        first = np.searchsorted(keys, (self.item[rows] << _DAY_BITS) | self.start[rows])
        after = np.searchsorted(keys, (self.item[rows] << _DAY_BITS) | (self.end[rows] + 1))
        segments, owner = _ranges(first, after)
        return segments, self.row[rows][owner]


def _expand_rules(tables: PackTables, codes: np.ndarray, values: list[str], chain: tuple[str, ...]) -> _Layer:
    """The pattern rules as a layer with one entry for each item that a pattern covers."""
    layer = _Layer.of(_with_item(tables.rules), values, chain)
    if not len(layer.row):
        return layer
    list_type = np.zeros(len(codes), np.int64)
    list_type[np.searchsorted(codes, tables.items["code"])] = tables.items["list_type"]
    items, owners = [], []
    for position, row in enumerate(layer.row):
        prefix = tables.rules["code"][row].rstrip(b"*")
        first = np.searchsorted(codes, prefix)
        after = np.searchsorted(codes, prefix + b"\xff") if prefix else len(codes)
        found = np.arange(first, after)
        wanted = tables.rules["list_type"][row]
        found = found[list_type[found] == wanted] if wanted else found
        items.append(found)
        owners.append(np.full(len(found), position))
    owner = np.concatenate(owners).astype(np.int64)
    return _Layer(
        np.concatenate(items).astype(np.int64),
        layer.start[owner],
        layer.end[owner],
        layer.area[owner],
        layer.row[owner],
    )


def _with_item(rules: Table) -> Table:
    if len(rules):
        rules.columns.setdefault("item", np.zeros(len(rules), np.int64))
    return rules


def _compile_group(
    tables: PackTables, codes: np.ndarray, item_flags: np.ndarray, area: str, names: _Names, faults: Faults
):
    """Versions and sets of one area group; see :class:`PackCatalogue`."""
    chain = chain_of(area)
    classes = _Layer.of(tables.classes, names.areas, chain)
    ceilings = _Layer.of(tables.ceilings, names.areas, chain)
    ratios = _Layer.of(tables.ratios, names.areas, chain)
    rules = _expand_rules(tables, codes, names.areas, chain)
    keys = np.unique(np.concatenate([layer.keys() for layer in (classes, ceilings, ratios, rules)]))
    class_row = np.full(len(keys), -1)
    for level in np.unique(classes.area):
        segments, rows = classes.cover(keys, np.flatnonzero(classes.area == level))
        class_row[segments] = rows
    kept = np.flatnonzero(class_row >= 0)
    item = keys[kept] >> _DAY_BITS
    versions = np.zeros(len(kept), VERSION)
    versions["from"] = yyyymmdd(keys[kept] & _DAY_MASK)
    versions["to"] = yyyymmdd((keys[np.minimum(kept + 1, len(keys) - 1)] & _DAY_MASK) - 1)
    versions["item_class"] = tables.classes["class"][class_row[kept]] if len(kept) else 0
    flags = item_flags[item] if len(kept) else np.zeros(0, np.int32)
    if len(kept):
        flags = flags | np.where(tables.classes["restricted_use"][class_row[kept]], RESTRICTED, 0)
        flags |= np.where(tables.classes["verified"][class_row[kept]], 0, UNVERIFIED)
    place = np.full(len(keys), -1)
    place[kept] = np.arange(len(kept))
    ceiling_e4, handling = _ceiling_sets(tables, ceilings, keys, place, names, versions, flags)
    ratio_ppm = _ratio_sets(tables, ratios, rules, keys, place, names, versions, flags)
    _check_ratios(tables, codes, versions, item, ratio_ppm, area, faults)
    versions["flags"] = flags
    return *_newest_first(item, versions, len(codes)), ceiling_e4, handling, ratio_ppm


def _ceiling_sets(tables: PackTables, layer: _Layer, keys, place, names: _Names, versions, flags):
    """Fills ``versions["ceiling"]``; set 0 has no ceiling."""
    table = tables.ceilings
    row_of = np.full((len(versions) if len(layer.row) else 0, LEVEL_COLUMNS), -1)
    column = names.level_column[table["level_group"][layer.row]] if len(layer.row) else np.zeros(0, np.int64)
    for level in np.unique(layer.area):
        for target in sorted(set(column.tolist()), reverse=True):
            segments, rows = layer.cover(keys, np.flatnonzero((layer.area == level) & (column == target)))
            segments = place[segments]
            rows, segments = rows[segments >= 0], segments[segments >= 0]
            if target == LEVEL_COLUMNS:
                row_of[segments] = rows[:, None]
            else:
                row_of[segments, target] = rows
    if not len(row_of):
        none = np.full((1, LEVEL_COLUMNS), limits.NO_CEILING_E4, np.int64)
        return none, np.zeros((1, LEVEL_COLUMNS), np.int8)
    price_e4 = np.append(table["ceiling_yuan"], limits.NO_CEILING_E4)[row_of]
    handling = np.append(table["handling"], HANDLING["excess_to_patient"])[row_of]
    flags |= np.where(np.append(table["verified"], 1)[row_of].all(axis=1), 0, UNVERIFIED).astype(np.int32)
    unlimited = np.array([[limits.NO_CEILING_E4] * LEVEL_COLUMNS + [0] * LEVEL_COLUMNS])
    sets, number = _distinct(np.concatenate([unlimited, np.concatenate([price_e4, handling], axis=1)]))
    order = np.argsort(np.arange(len(sets)) != number[0], kind="stable")  # the set without a ceiling comes first
    versions["ceiling"] = np.argsort(order)[number[1:]]
    sets = sets[order]
    return np.ascontiguousarray(sets[:, :LEVEL_COLUMNS]), np.ascontiguousarray(sets[:, LEVEL_COLUMNS:].astype(np.int8))


def _distinct(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Different rows of an int64 matrix, and for each row the number of its equal."""
    whole = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).reshape(-1)
    _, index, number = np.unique(whole, return_index=True, return_inverse=True)
    return rows[index], number.reshape(-1)


def _ratio_sets(
    tables: PackTables, exact: _Layer, rules: _Layer, keys, place, names: _Names, versions, flags
) -> np.ndarray:
    """Fills ``versions["ratio"]`` and returns the sets, int32 (sets, person classes), -1 where no row holds."""
    layers = _ratio_layers(tables, exact, rules, names)
    signature = np.full((len(versions), len(layers) + 1), -1, np.int64)
    signature[:, 0] = versions["item_class"]
    for position, (_key, table, layer, rows_of_layer) in enumerate(layers, start=1):
        segments, rows = layer.cover(keys, rows_of_layer)
        segments = place[segments]
        rows, segments = rows[segments >= 0], segments[segments >= 0]
        if "class" in table.columns:
            fits = table["class"][rows] == versions["item_class"][segments]
            rows, segments = rows[fits], segments[fits]
        signature[segments, position] = table["ratio"][rows]
        flags[segments] |= np.where(table["verified"][rows], 0, UNVERIFIED).astype(np.int32)
    sets, number = _distinct(signature)
    versions["ratio"] = number
    shape = (len(sets), len(SCHEME_DIMENSION), len(PERSON_TYPES), 2)
    ratio_ppm = np.full(shape, -1, np.int32)
    ratio_ppm[sets[:, 0] == ItemClass.A] = 0
    ratio_ppm[sets[:, 0] == ItemClass.C] = 1_000_000
    for position, (key, *_rest) in enumerate(layers, start=1):
        _area, _code, _specificity, person_class, ratio_class = key
        holds = np.flatnonzero((sets[:, position] >= 0) & (sets[:, 0] != ItemClass.C))
        mask = np.zeros(shape[1:], bool)
        for care in ((0, 1), (0,), (1,))[ratio_class]:
            mask[..., care] = names.class_mask[person_class]
        chosen = ratio_ppm[holds]
        chosen[:, mask] = sets[holds, position][:, None]
        ratio_ppm[holds] = chosen
    return ratio_ppm.reshape(len(sets), -1)


def _ratio_layers(tables: PackTables, exact: _Layer, rules: _Layer, names: _Names):
    """Rows of both ratio tables by how specific they are, least specific first."""
    layers = []
    for table, layer in ((tables.rules, rules), (tables.ratios, exact)):
        if not len(layer.row):
            continue
        row = layer.row
        person_class = table["person_class"][row]
        code = np.full(len(row), _SPECIFICITY_EXACT * 2)
        if table is tables.rules:
            code = np.char.str_len(table["code"])[row] * 2 + (table["list_type"][row] > 0)
        specificity = np.array(names.class_specificity)[person_class]
        parts = np.stack([layer.area, code, specificity, person_class, table["ratio_class"][row]], axis=1)
        different, number = np.unique(parts, axis=0, return_inverse=True)
        for position, key in enumerate(different.tolist()):
            layers.append((tuple(key), table, layer, np.flatnonzero(number.reshape(-1) == position)))
    # A ratio class is less decisive than the person class, a text number decides nothing.
    return sorted(layers, key=lambda part: (*part[0][:3], part[0][4] > 0, part[0][3]))


def _check_ratios(tables: PackTables, codes, versions, item, ratio_ppm: np.ndarray, area: str, faults: Faults) -> None:
    """A class-B item without a ratio for employees or residents is a missing value."""
    if not len(versions):
        return
    by_scheme = ratio_ppm.reshape(len(ratio_ppm), len(SCHEME_DIMENSION), -1)
    lacking = by_scheme[:, [Scheme.EMPLOYEE, Scheme.RESIDENT]].min(axis=(1, 2)) < 0
    rows = np.flatnonzero(lacking[versions["ratio"]])
    file = tables.classes.headers[0].name if tables.classes.headers else "class.csv"
    for row in rows[:_MOST_FAULTS]:
        days = f"from {versions['from'][row]} to {versions['to'][row]}"
        message = f"the class-B item has no first-pay ratio in area {area} {days}"
        faults.add(file, codes[item[row]].decode(), message, "add a row to ratio.csv or a rule to ratio_rule.csv")
    if len(rows) > _MOST_FAULTS:
        faults.add(file, "ratio", f"{len(rows) - _MOST_FAULTS} more versions of class-B items have no first-pay ratio")


def _newest_first(item: np.ndarray, versions: np.ndarray, items: int) -> tuple[np.ndarray, np.ndarray]:
    """Sorts the versions of each item newest first and marks the last; returns each item's first, and the versions."""
    order = np.lexsort((-versions["from"], item))
    item, versions = item[order], versions[order]
    ends = np.append(item[1:] != item[:-1], True) if len(item) else np.zeros(0, bool)
    versions["flags"] |= np.where(ends, LAST, 0).astype(np.int32)
    first = np.full(items, -1, np.int32)
    begins = np.flatnonzero(np.append(True, ends[:-1])) if len(item) else np.zeros(0, np.int64)
    first[item[begins]] = begins
    return first, versions
