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
from adjudicator.catalogue.check import (
    SCHEME_DIMENSION,
    Names,
    PackTables,
    PackView,
    chain_of,
    check_ratios,
    check_tables,
)
from adjudicator.catalogue.layout import LEVEL_COLUMNS, VERSION, Handling, VersionFlag
from adjudicator.catalogue.tables import Table, yyyymmdd
from adjudicator.codes import PERSON_TYPES, ItemClass
from adjudicator.rulefile.faults import Faults

PERSON_CLASSES = len(SCHEME_DIMENSION) * len(PERSON_TYPES) * 2
"""Columns of a ratio set: (scheme * person types + person type) * 2 + (1 where care is outside the pool)."""

_DAY_BITS = 20
_DAY_MASK = (1 << _DAY_BITS) - 1
_SPECIFICITY_EXACT = limits.MAX_CODE_BYTES + 1


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


def compile_pack(tables: PackTables, view: PackView, faults: Faults) -> PackCatalogue:
    """Compiles what one pack sees; faults are noted, and the result is only to be used when there are none."""
    if not len(tables.items) and (faults or not len(tables.classes)):
        return _empty(view)
    codes, item_flags, names = check_tables(tables, view, faults)
    ratios_known = not any("ratio" in fault.file for fault in faults)
    groups = _area_groups(tables, view)
    firsts: list[np.ndarray] = []
    parts: list[tuple[np.ndarray, ...]] = []
    counts = np.zeros(3, np.int64)
    for area in groups:
        wanted = _differing_items(tables, codes, names, view.pool, area)
        part_faults = faults if ratios_known else Faults()
        first, *arrays = _compile_group(tables, codes, item_flags, area, wanted, names, part_faults)
        rows = arrays[0]
        rows["ceiling"] += counts[1]
        rows["ratio"] += counts[2]
        first = np.where(first >= 0, first + counts[0], -1).astype(np.int32)
        firsts.append(first if wanted is None else np.where(wanted, first, firsts[0]))
        parts.append(tuple(arrays))
        counts += [len(array) for array in (arrays[0], arrays[1], arrays[3])]
    versions, ceiling_e4, handling, ratio_ppm = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return PackCatalogue(codes, item_flags, groups, np.stack(firsts), versions, ceiling_e4, handling, ratio_ppm)


def _differing_items(tables: PackTables, codes: np.ndarray, names: Names, pool: str, area: str) -> np.ndarray | None:
    """Which items have rows that hold in an area or in the pool, but not in both; None in the pool itself: all."""
    if area == pool:
        return None
    differing = np.zeros(len(codes), bool)
    chain = tuple(set(chain_of(pool)) ^ set(chain_of(area)))
    for table in (tables.classes, tables.ceilings, tables.ratios):
        differing[_Layer.of(table, names.texts, chain).item] = True
    differing[_expand_rules(tables, codes, names.texts, chain).item] = True
    return differing


def _empty(view: PackView) -> PackCatalogue:
    """Return a catalogue without items."""
    nothing = np.zeros((0, LEVEL_COLUMNS), np.int64)
    return PackCatalogue(
        np.zeros(0, "S1"), np.zeros(0, np.int32), (view.pool,), np.full((1, 0), -1, np.int32), np.zeros(0, VERSION),
        nothing, nothing.astype(np.int8), np.zeros((0, PERSON_CLASSES), np.int32),
    )  # fmt: skip


def _area_groups(tables: PackTables, view: PackView) -> tuple[str, ...]:
    """Return the pool, the counties with rows of their own, and the province where it has rows."""
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

    def of_items(self, wanted: np.ndarray) -> _Layer:
        """Return the rows of some items; ``wanted`` is a mask over all items."""
        kept = wanted[self.item]
        return _Layer(self.item[kept], self.start[kept], self.end[kept], self.area[kept], self.row[kept])

    def keys(self) -> np.ndarray:
        """Where a version may begin: the first day of each row, and the day after its last."""
        return np.concatenate([(self.item << _DAY_BITS) | self.start, (self.item << _DAY_BITS) | (self.end + 1)])

    def cover(self, keys: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the segments that the given rows of the layer cover, and the table row that covers each."""
        first = np.searchsorted(keys, (self.item[rows] << _DAY_BITS) | self.start[rows])
        after = np.searchsorted(keys, (self.item[rows] << _DAY_BITS) | (self.end[rows] + 1))
        segments, owner = _ranges(first, after)
        return segments, self.row[rows][owner]


_RatioLayer = tuple[tuple[int, ...], Table, _Layer, np.ndarray]
"""A key (area, code, specificity of the person class, person class, ratio class), table, layer, rows of the layer."""


def _expand_rules(tables: PackTables, codes: np.ndarray, values: list[str], chain: tuple[str, ...]) -> _Layer:
    """Return the pattern rules as a layer with one entry for each item that a pattern covers."""
    tables.rules.columns.setdefault("item", np.zeros(len(tables.rules), np.int64))
    layer = _Layer.of(tables.rules, values, chain)
    if not len(layer.row):
        return layer
    if not len(codes):
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


def _compile_group(
    tables: PackTables,
    codes: np.ndarray,
    item_flags: np.ndarray,
    area: str,
    wanted: np.ndarray | None,
    names: Names,
    faults: Faults,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Versions and sets of one area group for the items wanted (None: all); see :class:`PackCatalogue`."""
    chain = chain_of(area)
    layers = [_Layer.of(table, names.texts, chain) for table in (tables.classes, tables.ceilings, tables.ratios)]
    layers.append(_expand_rules(tables, codes, names.texts, chain))
    classes, ceilings, ratios, rules = layers if wanted is None else [layer.of_items(wanted) for layer in layers]
    keys = np.sort(np.concatenate([layer.keys() for layer in (classes, ceilings, ratios, rules)]))
    keys = keys[np.append(True, keys[1:] != keys[:-1])] if len(keys) else keys
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
        flags = flags | np.where(tables.classes["restricted_use"][class_row[kept]], VersionFlag.RESTRICTED, 0)
        flags |= np.where(tables.classes["verified"][class_row[kept]], 0, VersionFlag.UNVERIFIED)
    place = np.full(len(keys), -1)
    place[kept] = np.arange(len(kept))
    ceiling_e4, handling = _ceiling_sets(tables, ceilings, keys, place, names, versions, flags)
    ratio_layers = _ratio_layers(tables, ratios, rules, names)
    ratio_ppm = _ratio_sets(ratio_layers, keys, place, names, versions, flags)
    check_ratios(tables, codes, versions, item, ratio_ppm, area, faults)
    versions["flags"] = flags
    return *_newest_first(item, versions, len(codes)), ceiling_e4, handling, ratio_ppm


def _ceiling_sets(
    tables: PackTables,
    layer: _Layer,
    keys: np.ndarray,
    place: np.ndarray,
    names: Names,
    versions: np.ndarray,
    flags: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Fill ``versions["ceiling"]``; set 0 has no ceiling."""
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
    flags |= np.where(np.append(table["verified"], 1)[row_of].all(axis=1), 0, VersionFlag.UNVERIFIED).astype(np.int32)
    limited = np.flatnonzero((row_of >= 0).any(axis=1))
    # One row without any ceiling goes before the versions that have one.
    row_of = np.concatenate([np.full((1, LEVEL_COLUMNS), -1), row_of[limited]])
    price_e4 = np.append(table["ceiling_yuan"], limits.NO_CEILING_E4)[row_of]
    handling = np.append(table["handling"], Handling.EXCESS_TO_PATIENT)[row_of]
    price_e4 = np.where(handling == Handling.LINE_CEILING, -1 - price_e4, price_e4)
    named = sorted({int(target) for target in column if target < LEVEL_COLUMNS} | {LEVEL_COLUMNS - 1})
    example, number = _distinct([array[:, level] for array in (price_e4, handling) for level in named])
    order = np.argsort(example != 0, kind="stable")
    versions["ceiling"][limited] = np.argsort(order)[number[1:]]
    example = example[order]
    return np.ascontiguousarray(price_e4[example]), np.ascontiguousarray(handling[example].astype(np.int8))


def _distinct(columns: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Rows that differ in some column: for each different row an example, and for each row the number of its equal."""
    number = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        _, code = np.unique(column, return_inverse=True)
        _, number = np.unique(number * (int(code.max(initial=0)) + 1) + code, return_inverse=True)
    _, example = np.unique(number, return_index=True)
    return example, number


def _ratio_sets(
    layers: list[_RatioLayer],
    keys: np.ndarray,
    place: np.ndarray,
    names: Names,
    versions: np.ndarray,
    flags: np.ndarray,
) -> np.ndarray:
    """Fill ``versions["ratio"]`` and return the sets, int32 (sets, person classes), -1 where no row holds."""
    signature = np.full((len(versions), len(layers) + 1), -1, np.int64)
    signature[:, 0] = versions["item_class"]
    for position, (_key, table, layer, rows_of_layer) in enumerate(layers, start=1):
        segments, rows = layer.cover(keys, rows_of_layer)
        segments = place[segments]
        rows, segments = rows[segments >= 0], segments[segments >= 0]
        if "class" in table.columns:
            fits = table["class"][rows] == versions["item_class"][segments]
            rows, segments = rows[fits], segments[fits]
        signature[segments, position] = table["first_pay_percent"][rows]
        flags[segments] |= np.where(table["verified"][rows], 0, VersionFlag.UNVERIFIED).astype(np.int32)
    example, number = _distinct(list(signature.T))
    versions["ratio"] = number
    sets = signature[example]
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
    return ratio_ppm.reshape(len(sets), PERSON_CLASSES)


def _ratio_layers(tables: PackTables, exact: _Layer, rules: _Layer, names: Names) -> list[_RatioLayer]:
    """Rows of both ratio tables by how specific they are, least specific first."""
    layers = []
    for table, layer in ((tables.rules, rules), (tables.ratios, exact)):
        if not len(layer.row):
            continue
        code = np.full(len(table), _SPECIFICITY_EXACT * 2)
        if table is tables.rules:
            code = np.char.str_len(table["code"]) * 2 + (table["list_type"] > 0)
        person_class, ratio_class = table["person_class"], table["ratio_class"]
        columns = [column[layer.row] for column in (code, person_class, ratio_class)]
        example, number = _distinct([layer.area, *columns])
        for position, entry in enumerate(example.tolist()):
            specificity = names.class_specificity[int(columns[1][entry])]
            key = (int(layer.area[entry]), int(columns[0][entry]), specificity, *(int(c[entry]) for c in columns[1:]))
            layers.append((key, table, layer, np.flatnonzero(number == position)))
    # A ratio class is less decisive than the person class, a text number decides nothing.
    return sorted(layers, key=lambda part: (*part[0][:3], part[0][4] > 0, part[0][3]))


def _newest_first(item: np.ndarray, versions: np.ndarray, items: int) -> tuple[np.ndarray, np.ndarray]:
    """Sorts the versions of each item newest first and marks the last; returns each item's first, and the versions."""
    order = np.lexsort((-versions["from"], item))
    item, versions = item[order], versions[order]
    ends = np.append(item[1:] != item[:-1], True) if len(item) else np.zeros(0, bool)
    versions["flags"] |= np.where(ends, VersionFlag.LAST, 0).astype(np.int32)
    first = np.full(items, -1, np.int32)
    begins = np.flatnonzero(np.append(True, ends[:-1])) if len(item) else np.zeros(0, np.int64)
    first[item[begins]] = begins
    return first, versions
