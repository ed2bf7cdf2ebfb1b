"""What the made-up hospitals charge for: the items of a pack's catalogue with usual prices, by kind of goods."""

from __future__ import annotations

import csv
from dataclasses import dataclass

import numpy as np

from adjudicator.catalogue.layout import VersionFlag
from adjudicator.catalogue.section import Catalogue
from adjudicator.codes import ItemClass
from adjudicator.errors import E, refuse
from adjudicator.limits import NO_CEILING_E4
from adjudicator.money import decimal_to_scaled
from adjudicator.rulefile.pack import Pack

KINDS = (
    "bed",
    "consultation",
    "imaging",
    "laboratory",
    "treatment",
    "surgery",
    "nursing",
    "consumable",
    "drug",
    "herb",
)
KIND = {name: position for position, name in enumerate(KINDS)}

_OF_CATEGORY = {
    "01": "bed", "02": "consultation", "03": "imaging", "04": "laboratory", "05": "treatment", "06": "surgery",
    "07": "nursing", "08": "consumable", "09": "drug", "10": "herb", "11": "drug", "12": "consultation",
    "13": "consultation", "14": "treatment",
}  # fmt: skip
"""Kind of goods of a charge category [med_chrgitm_type]."""

USUAL_YUAN = {
    "bed": "45", "consultation": "15", "imaging": "120", "laboratory": "40", "treatment": "30", "surgery": "1500",
    "nursing": "25", "consumable": "60", "drug": "25", "herb": "0.3",
}  # fmt: skip
"""Price of an item for which no list names one."""


@dataclass(frozen=True, slots=True)
class Goods:
    """Items by kind: rows ``start[kind]..start[kind + 1]`` with growing ``odds`` up to 1 within a kind."""

    codes: list[str]
    price_e4: np.ndarray
    restricted: np.ndarray
    start: np.ndarray
    odds: np.ndarray
    plain: str
    """A code of class A without a ceiling."""

    def draw(self, rng: np.random.Generator, kinds: np.ndarray) -> np.ndarray:
        """One item for each kind asked for; cheap items are taken more often."""
        # Kinds follow each other, so kind + odds is one growing scale over all of them.
        return np.searchsorted(self.odds, kinds + rng.random(len(kinds)), side="right")


def read_goods(pack: Pack, catalogue: Catalogue, day: int) -> Goods:
    """Return the items that hold in a pack on a day (YYYYMMDD).

    Raises AdjudicatorError (rule undefined) where some kind of goods has no item.
    """
    number = next(n for n, view in enumerate(catalogue.views) if view.id == pack.id)
    group = int(catalogue.rules.group_of[number, 0])
    rows: list[dict[str, str]] = []
    for folder in (pack.folder, *pack.includes):
        path = folder / "catalogue" / "item.csv"
        if path.exists():
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows.extend(csv.DictReader(file))
    found, plain = [], ""
    for row in rows:
        version = _version_on(catalogue, group, catalogue.item(row["code"]), day)
        if version >= 0:
            held = catalogue.rules.versions[version]
            flags = int(held["flags"])
            no_ceiling = (catalogue.rules.ceiling_e4[held["ceiling"]] == NO_CEILING_E4).all()
            if held["item_class"] == ItemClass.A and no_ceiling:
                plain = row["code"]
            kind = _OF_CATEGORY[row["charge_category"]]
            usual_e4 = decimal_to_scaled(row.get("listed_price_yuan") or USUAL_YUAN[kind], 6)
            found.append((KIND[kind], row["code"], usual_e4, flags & VersionFlag.RESTRICTED))
    found.sort()
    kinds = np.array([row[0] for row in found], np.int64)
    missing = [name for name, position in KIND.items() if position not in kinds]
    if missing:
        raise refuse(E.RULE_UNDEFINED, "year", f"items of kind {', '.join(missing)} on {day}, pack {pack.id}")
    price_e4 = np.array([row[2] for row in found], np.int64)
    start = np.searchsorted(kinds, np.arange(len(KINDS) + 1))
    restricted = np.array([row[3] > 0 for row in found])
    return Goods([row[1] for row in found], price_e4, restricted, start, _odds(kinds, price_e4), plain)


def _version_on(catalogue: Catalogue, group: int, item: int, day: int) -> int:
    """Return the version that holds on a day, -1 none."""
    row = int(catalogue.rules.first[group, item]) if item >= 0 else -1
    while row >= 0:
        version = catalogue.rules.versions[row]
        if version["from"] <= day <= version["to"]:
            return row
        row = -1 if version["flags"] & VersionFlag.LAST else row + 1
    return -1


def _odds(kinds: np.ndarray, price_e4: np.ndarray) -> np.ndarray:
    """Growing odds, kind + share of the kind's items up to this one."""
    weight = 1.0 / (1.0 + price_e4 / 100_000_000)
    odds = np.empty(len(kinds))
    for kind in np.unique(kinds):
        rows = kinds == kind
        odds[rows] = kind + np.cumsum(weight[rows]) / weight[rows].sum()
        odds[np.flatnonzero(rows)[-1]] = kind + 1
    return odds
