"""The unified catalogue (统一目录) of a bundle: class, price ceiling and first-pay ratio of an item, where and when.

A pack's folder ``catalogue/`` holds the tables (:mod:`adjudicator.catalogue.tables`) and ``catalogue.toml``; the
folders that ``pack.toml`` includes, such as the provincial one, are read with it. ``catalogue.toml`` has

- ``[files."class.csv"]``: ``document``, ``clause``, ``link``, ``checked_on``, ``evidence`` of a file;
- ``[[rule]]``: dated choices between two readings, see :class:`adjudicator.catalogue.settings.Rule`;
- ``[[programme]]``: which items a dated programme of the pack covers as class A.

Principle for care outside the pool (异地就医): class and ceiling of the place of care, ratio of the place of insurance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adjudicator import limits
from adjudicator.catalogue import cache as catalogue_cache
from adjudicator.catalogue.check import PackTables, PackView, chain_of
from adjudicator.catalogue.compile import PERSON_CLASSES, PackCatalogue, compile_pack
from adjudicator.catalogue.layout import LEVEL_COLUMNS, VERSION, Handling, LineRules, VersionFlag
from adjudicator.catalogue.settings import OPTION, OPTIONS, Folder, read_covers, read_options
from adjudicator.catalogue.tables import COLUMNS, ITEM_FLAGS, Texts, join, read_table
from adjudicator.codes import PERSON_TYPES, ItemClass
from adjudicator.rulefile.faults import Faults

if TYPE_CHECKING:
    from adjudicator.rulefile.pack import Pack


@dataclass(slots=True)
class CatalogueSource:
    """The catalogue of one pack, compiled; what :func:`load_section` gives to :func:`compile_sections`."""

    view: PackView
    catalogue: PackCatalogue
    options: np.ndarray
    covers: np.ndarray
    digest: bytes


@dataclass(frozen=True)
class Catalogue:
    """The catalogue of a bundle. An item is a position in the sorted ``codes``, an area group in ``group_areas``."""

    codes: tuple[str, ...]
    group_areas: tuple[str, ...]
    group_packs: tuple[int, ...]
    views: tuple[PackView, ...]
    rules: LineRules
    digests: tuple[bytes, ...]

    def hash_parts(self) -> Iterable[bytes]:
        """Return what the bundle's hash is made of: the digest of each pack's compiled catalogue, in the packs'
        order.
        """
        return self.digests

    @cached_property
    def _item_numbers(self) -> dict[str, int]:
        return {code: number for number, code in enumerate(self.codes)}

    def item(self, code: str) -> int:
        """Return the item of a national code, -1 if no pack has it; the service uses ``wire.codetable`` instead."""
        return self._item_numbers.get(code, -1)

    @cached_property
    def _groups_by_area(self) -> dict[str, int]:
        return {area: group for group, area in reversed(list(enumerate(self.group_areas)))}

    def area_group(self, area: str) -> int:
        """Return the area group whose tables hold in a place, -1 if the bundle has none for it.

        Put 1 + this number in ``claims["care_catalogue"]`` for care outside the pool of insurance.
        """
        for wider in reversed(chain_of(area)):
            if wider in self._groups_by_area:
                return self._groups_by_area[wider]
        return -1

    def look_up(self, code: str, area: str, day: int) -> ItemOnDay | None:
        """Return what holds for an item in a place on a day (YYYYMMDD), for people to read; None where nothing does."""
        group, item = self.area_group(area), self.item(code)
        row = int(self.rules.first[group, item]) if group >= 0 and item >= 0 else -1
        while row >= 0:
            version = self.rules.versions[row]
            if version["from"] <= day <= version["to"]:
                return self._item_on_day(version, group)
            row = -1 if version["flags"] & VersionFlag.LAST else row + 1
        return None

    def _item_on_day(self, version: np.void, group: int) -> ItemOnDay:
        levels = (*self.views[self.group_packs[group]].level_groups, "*")
        columns = (*range(len(levels) - 1), LEVEL_COLUMNS - 1)
        price, ways = self.rules.ceiling_e4[version["ceiling"]], self.rules.handling[version["ceiling"]]
        names = {int(way): way.name.lower() for way in Handling}
        ceilings = {
            level: (int(abs(price[column] + (price[column] < 0))), names[int(ways[column])])
            for level, column in zip(levels, columns, strict=True)
            if price[column] != limits.NO_CEILING_E4
        }
        ratios = {
            (name, care): int(self.rules.ratio_ppm[version["ratio"], (scheme * self.rules.person_types) * 2 + away])
            for name, scheme in (("employee", 1), ("resident", 2))
            for care, away in (("local", 0), ("cross_region", 1))
        }
        flags = int(version["flags"])
        words = tuple(name for name, bit in ITEM_FLAGS.items() if flags & bit)
        return ItemOnDay(
            ItemClass(int(version["item_class"])).name, int(version["from"]), int(version["to"]), ceilings, ratios,
            bool(flags & VersionFlag.RESTRICTED), words, not flags & VersionFlag.UNVERIFIED,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ItemOnDay:
    """Class, ceilings and ratios of an item in a place on a day; the same from ``from_date`` to ``to_date``.

    ``ceilings``: price in 1/10000 fen and handling way by level group, ``*`` for a hospital of no group.
    ``ratios``: parts per million by scheme and care inside or outside the pool, for persons without a row of their own;
    -1 where none holds.
    """

    item_class: str
    from_date: int
    to_date: int
    ceilings: dict[str, tuple[int, str]]
    ratios: dict[tuple[str, str], int]
    restricted_use: bool
    flags: tuple[str, ...]
    verified: bool


def load_section(pack_folder: Path, pack: Pack, faults: Faults) -> CatalogueSource:
    """Read, check and compile ``<pack_folder>/catalogue`` and what the pack includes; faults are noted.

    The result may be used only when there are no faults. A pack without the folder has an empty catalogue: every item
    is unknown to it.
    """
    return load_folders(_folders(pack_folder, pack), view_of(pack), faults)


def load_folders(folders: Sequence[tuple[Path, str]], view: PackView, faults: Faults) -> CatalogueSource:
    """Read, check and compile the catalogue folders of one pack, its own first; each with its name in faults."""
    sources = [Folder.read(folder, label, faults) for folder, label in folders]
    key = _content_key(view, sources)
    known = catalogue_cache.load(key) if not faults else None
    if known is None:
        before = len(faults)
        own_faults = Faults()
        tables = _read_tables(sources, own_faults)
        catalogue = compile_pack(tables, view, own_faults)
        faults.extend(own_faults)
        if len(faults) == before:
            catalogue_cache.store(key, catalogue)
    else:
        catalogue = known
    options = read_options(sources, faults)
    covers = read_covers(sources, view.programmes, catalogue.codes, faults)
    return CatalogueSource(view, catalogue, options, covers, _digest(view, catalogue, options, covers))


def view_of(pack: Pack) -> PackView:
    """Return what the catalogue needs to know of a pack."""
    return PackView(
        pack.id,
        f"{pack.pool:06d}",
        tuple(f"{area.code:06d}" for area in pack.areas),
        pack.level_ids,
        tuple((group.id, group.scheme, tuple(group.person_types)) for group in pack.person_groups),
        tuple(programme.id for programme in pack.programmes),
    )


def _folders(pack_folder: Path, pack: Pack) -> list[tuple[Path, str]]:
    """Return the catalogue folders that a pack sees, its own first, each with the name that faults print."""
    folders = [(pack_folder / "catalogue", "catalogue")]
    folders += [(folder / "catalogue", f"../{folder.name}/catalogue") for folder in pack.includes]
    return [(folder, label) for folder, label in folders if folder.is_dir()]


def _content_key(view: PackView, sources: Sequence[Folder]) -> str:
    """Names the content: equal files, headers and pack give equal keys."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(
        repr((view, limits.MAX_HOSPITAL_LEVELS, limits.NO_CEILING_E4, PERSON_CLASSES, VERSION.descr)).encode()
    )
    for part in ("tables", "check", "compile"):  # a changed compiler compiles anew
        digest.update(Path(__file__).with_name(f"{part}.py").read_bytes())
    for source in sources:
        for path, header in source.files:
            digest.update(repr(header).encode())
            digest.update(hashlib.blake2b(path.read_bytes()).digest())
    return digest.hexdigest()


def _read_tables(sources: Sequence[Folder], faults: Faults) -> PackTables:
    texts = Texts()
    tables: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for source in sources:
        for path, header in source.files:
            tables[path.name].append(read_table(path, header, texts, faults))
    return PackTables(texts, *(join(tables[name]) for name in COLUMNS))


def _digest(view: PackView, catalogue: PackCatalogue, options: np.ndarray, covers: np.ndarray) -> bytes:
    """Hash of everything that can change a price."""
    digest = hashlib.blake2b(repr((view, catalogue.group_areas, OPTIONS)).encode(), digest_size=16)
    arrays = (catalogue.first, catalogue.versions, catalogue.ceiling_e4, catalogue.handling, catalogue.ratio_ppm)
    for array in (catalogue.codes, *arrays, options, covers):
        digest.update(repr((array.shape, array.dtype.descr)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.digest()


def compile_sections(sources: Sequence[CatalogueSource]) -> Catalogue:
    """Join the packs' catalogues to one: one list of items, the packs' area groups one after the other."""
    codes = _union([source.catalogue.codes for source in sources])
    firsts, packs, versions, ceilings, handlings, ratios = [], [], [], [], [], []
    areas: list[str] = []
    covers = np.zeros((max(len(sources), 1), len(codes)), np.uint8)
    counts = np.zeros(3, np.int64)
    for number, source in enumerate(sources):
        part = source.catalogue
        target = np.searchsorted(codes, part.codes)
        first = np.full((len(part.first), len(codes)), -1, np.int32)
        first[:, target] = np.where(part.first >= 0, part.first + counts[0], -1)
        rows = part.versions.copy()
        rows["ceiling"] += counts[1]
        rows["ratio"] += counts[2]
        counts += (len(rows), len(part.ceiling_e4), len(part.ratio_ppm))
        firsts.append(first)
        versions.append(rows)
        ceilings.append(part.ceiling_e4)
        handlings.append(part.handling)
        ratios.append(part.ratio_ppm)
        areas.extend(part.group_areas)
        packs.extend([number] * len(part.group_areas))
        covers[number, target] = source.covers
    views = tuple(source.view for source in sources)
    options = [source.options for source in sources]
    rules = LineRules(
        np.concatenate(firsts) if firsts else np.zeros((0, len(codes)), np.int32),
        np.concatenate([np.zeros(0, VERSION), *versions]),
        np.concatenate([np.zeros((0, LEVEL_COLUMNS), np.int64), *ceilings]),
        np.concatenate([np.zeros((0, LEVEL_COLUMNS), np.int8), *handlings]),
        np.concatenate([np.zeros((0, PERSON_CLASSES), np.int32), *ratios]),
        _groups_of_counties(views, areas, packs),
        _level_columns(views, packs),
        np.concatenate([np.zeros(0, OPTION), *options]),
        np.cumsum([0, *(len(part) for part in options)]),
        covers,
        len(PERSON_TYPES),
    )
    texts = tuple(code.decode() for code in codes.tolist())
    return Catalogue(texts, tuple(areas), tuple(packs), views, rules, tuple(source.digest for source in sources))


def _union(parts: Sequence[np.ndarray]) -> np.ndarray:
    if len(parts) == 1:
        return parts[0]
    return np.unique(np.concatenate([np.zeros(0, "S1"), *parts]))


def _groups_of_counties(views: Sequence[PackView], areas: Sequence[str], packs: Sequence[int]) -> np.ndarray:
    """int32 (packs, counties + 1): the area group of the pool and of each county."""
    widest = max((len(view.areas) for view in views), default=0)
    group_of = np.full((max(len(views), 1), widest + 1), -1, np.int32)
    for number, view in enumerate(views):
        own = {area: group for group, (area, pack) in enumerate(zip(areas, packs, strict=True)) if pack == number}
        group_of[number] = own[view.pool]
        for position, area in enumerate(view.areas, start=1):
            group_of[number, position] = own.get(area, own[view.pool])
    return group_of


def _level_columns(views: Sequence[PackView], packs: Sequence[int]) -> np.ndarray:
    """int8 (packs, groups, level columns): a level group of one pack in the ceiling sets of another, by its name."""
    columns = np.full((max(len(views), 1), len(packs), LEVEL_COLUMNS), LEVEL_COLUMNS - 1, np.int8)
    for number, view in enumerate(views):
        for group, owner in enumerate(packs):
            for position, name in enumerate(view.level_groups):
                if name in views[owner].level_groups:
                    columns[number, group, position] = views[owner].level_groups.index(name)
    return columns
