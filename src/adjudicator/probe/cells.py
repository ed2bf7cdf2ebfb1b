"""The persons, places and bills that a pack tells apart, as claims without amounts.

A cell is a plan row with a person group, a hospital level, a category of assistance, a way of care (place, filing,
channel) and a circumstance, such as a signed family doctor or a listed disease. Cells that no value of the plan tells
apart are one cell. Steps lead from a cell to the one that is worse off by the statement of a relation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any, NamedTuple

import numpy as np

from adjudicator.benefit.plan.keys import CROSS_FIELDS, KEYS, UNDEFINED, field_of
from adjudicator.claim.fields import EMPTY_CLAIM
from adjudicator.codes import HOSPITAL_LEVELS, PERSON_TYPES, Filing, Place, Referral
from adjudicator.columns import CLAIM
from adjudicator.dates import date_of, day_number
from adjudicator.options import AccountPosition, QuotaMode, choice_name
from adjudicator.rulefile.pack import Pack
from adjudicator.rules.bundle import Bundle
from adjudicator.rules.coverage import WHERE, Way

ADULT, FEMALE, MALE = 40, 2, 1
ACCOUNT_FEN = 100_000
"""Balance of a person who uses the account."""


class Circumstance(NamedTuple):
    """What else is so of a claim: a name and the fields of CLAIM that say it."""

    name: str
    fields: tuple[tuple[str, int], ...] = ()
    better: str = ""
    """The relation by which a claim of this circumstance is better off than the plain one, "" none."""
    worse: str = ""
    """The relation by which it is worse off."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a pack, and which one of two is better off."""

    pack: Pack
    claims: np.ndarray
    """CLAIM[n], without amounts."""
    row: np.ndarray
    """int64[n]: plan row."""
    group: np.ndarray
    """int64[n]: person group."""
    weight: np.ndarray
    """int64[n]: how far a cell is from the plainest one; witnesses are taken from plain cells."""
    circumstance: tuple[str, ...]
    steps: dict[str, np.ndarray]
    """By relation int64[k, 2]: a cell, and one whose persons must pay no more for the same bill."""
    count: int
    """Combinations before those without a difference were joined."""

    def __len__(self) -> int:
        return len(self.claims)


class _Axes(NamedTuple):
    """The numbers of the values that a plan row has on each axis; combinations with one number are priced alike."""

    person: np.ndarray  # int64[groups, levels]
    category: np.ndarray  # int64[categories]
    way: np.ndarray  # int64[ways]


def cells_of(bundle: Bundle, date: int = 0, is_apart: bool = False) -> Cells:
    """Return the cells of the first pack of a bundle: of the plans on a day, or of every rule period (0).

    ``is_apart``: person groups, levels and categories are kept apart also where they are alike, but only one of
    category, way and circumstance is not the plain one.
    """
    pack = bundle.packs[0]
    claims: list[np.void] = []
    keys: list[tuple[int, ...]] = []
    names: list[str] = []
    steps: dict[str, list[tuple[int, int]]] = {}
    count = 0
    for row, version in enumerate(bundle.plans.versions):
        if date and not version.from_date <= date <= version.to_date:
            continue
        maker = _Row(bundle, row, date or version.from_date, is_apart)
        first = len(claims)
        for key, claim, name in maker.cells():
            keys.append((row, *key))
            claims.append(claim)
            names.append(name)
        place = {key[1:]: first + position for position, key in enumerate(keys[first:])}
        for relation, better, worse in maker.steps():
            if better in place and worse in place and better != worse:
                steps.setdefault(relation, []).append((place[worse], place[better]))
        count += maker.count
    table = np.array(claims, CLAIM) if claims else np.zeros(0, CLAIM)
    weights = [sum(part > 0 for part in key[1:]) for key in keys]
    return Cells(
        pack, table, np.array([key[0] for key in keys], np.int64),
        np.array([_group_of(bundle, claim) for claim in claims], np.int64), np.array(weights, np.int64), tuple(names),
        {name: np.unique(np.array(pairs, np.int64), axis=0) for name, pairs in steps.items()}, count,
    )  # fmt: skip


def _group_of(bundle: Bundle, claim: np.void) -> int:
    table = bundle.benefit.rules.person_group
    return int(table[0, claim["scheme"], claim["person_type"], claim["contribution_tier"]])


class _Row:
    """The cells of one plan row."""

    def __init__(self, bundle: Bundle, row: int, date: int, is_apart: bool):
        self.bundle, self.pack, self.date, self.is_apart = bundle, bundle.packs[0], date, is_apart
        self.values = bundle.plans.rows[row]
        self.version = bundle.plans.versions[row]
        plan = self.version.plan
        self.groups = [n for n, group in enumerate(self.pack.person_groups) if group.scheme == choice_name(plan.scheme)]
        self.ways = [way for way in WHERE if way[0] in plan.places and _fits(plan, way)]
        self.cares = [care for care in plan.care if care in self.pack.care_types.values()]
        self.axes = self._axes()
        self.plain, self.special = self._plain(), self._special()
        self.count = (
            len(self.groups) * len(self.pack.levels) * len(self.pack.assistance_ids) * len(self.ways)
            * len(self.plain) * max(len(self.cares), 1) * (1 + len(self.special))
        )  # fmt: skip

    # ---------------------------------------------------------------- axes

    def _axes(self) -> _Axes:
        groups, levels = len(self.pack.person_groups), len(self.pack.levels)
        categories = len(self.pack.assistance_ids)
        of_person: list[list[np.ndarray]] = [[] for _ in range(groups * levels)]
        of_category: list[list[np.ndarray]] = [[] for _ in range(categories)]
        for key in KEYS:
            value = self.values[key.field]
            if key.axes[:1] == ("category",):
                for number, parts in enumerate(of_category):
                    parts.append(value[number])
            elif key.axes[:1] in (("group",), ("level",)):
                for number, parts in enumerate(of_person):
                    group, level = divmod(number, levels)
                    at = value[group if key.axes[0] == "group" else level]
                    parts.append(at[level] if key.axes[1:2] == ("level",) else at)
        # A person has one group: groups are joined only where they are alike at every level.
        of_group = _numbered(
            [[part for parts in of_person[n * levels :][:levels] for part in parts] for n in range(groups)]
        )
        for number, parts in enumerate(of_person):
            parts.append(of_group[number // levels])
        of_way = [
            [np.int64(way[0]), *(self.values[field_of(f"cross_{name}")][way] for name in CROSS_FIELDS)]
            for way in self.ways
        ]
        if self.is_apart:
            persons = np.arange(groups * levels).reshape(groups, levels)
            return _Axes(persons, np.arange(categories), _numbered(of_way))
        return _Axes(_numbered(of_person).reshape(groups, levels), _numbered(of_category), _numbered(of_way))

    # ---------------------------------------------------------------- circumstances

    def _plain(self) -> list[Circumstance]:
        """Return the circumstances that a claim of the plan cannot do without: a disease, a maternity class."""
        fields: list[tuple[str, int]] = []
        if self.values["requires_disease"]:
            fields.append(("disease", self._plainest_disease()))
        if self.values["quota_mode"] == QuotaMode.NONE:
            return [Circumstance("", tuple(fields))]
        classes = np.flatnonzero(self.values["maternity_quota_fen"] != UNDEFINED).tolist() or [0]
        return [
            Circumstance(f"maternity {number}", (*fields, ("maternity_type", number), ("fetus_count", 1)))
            for number in classes
        ]

    def _plainest_disease(self) -> int:
        """Return the first disease without a quota, else the first one; -1 where the pack lists none."""
        ranges = self.bundle.benefit.rules.disease_ranges[0][: len(self.pack.diseases)]
        without = np.flatnonzero(ranges["start"] == ranges["end"])
        return int(without[0]) if len(without) else len(self.pack.diseases[:1]) - 1

    def _special(self) -> list[Circumstance]:
        """Return the circumstances that change a value of the plan."""
        values, found = self.values, []
        signed = (values["signed_points_ppm"] > 0).any() or (values["deductible_signed_less_fen"] > 0).any()
        signed |= (values["deductible_signed_fen"] != UNDEFINED).any() or (
            values["limit_signed_fen"] != UNDEFINED
        ).any()
        if signed:
            fields = (("family_doctor", 1), ("at_signed_institution", 1))
            found.append(Circumstance("signed", fields, better="signed_pay_no_more"))
        if (values["civil_servant_ppm"] > 0).any() or (values["civil_servant_deductible_ppm"] > 0).any():
            found.append(Circumstance("civil servant", (("civil_servant", 1),), better="civil_servants_pay_no_more"))
        if values["unreferred_points_ppm"] > 0 or values["unreferred_extra_ppm"] > 0:
            missing = (("referral", int(Referral.MISSING)),)
            found.append(Circumstance("no referral", missing, worse="referred_pay_no_more"))
        if values["account_position"] == AccountPosition.BEFORE_DEDUCTIBLE:
            account = (("use_account", 1), ("account_current_fen", ACCOUNT_FEN))
            found.append(Circumstance("account", account, better="account_takes_no_more"))
        if values["has_age_steps"]:
            for age in np.unique(values["age_from_years"][values["age_points_ppm"] > 0]).tolist():
                found.append(Circumstance(f"age {age}", (("age_years", age),), better="older_pay_no_more"))
        if values["maternity_child_fen"] > 0:
            found.append(Circumstance("twins", (("fetus_count", 2),), better="twins_pay_no_more"))
        return [*found, *self._diseases(), *self._programmes()]

    def _diseases(self) -> Iterator[Circumstance]:
        rules = self.bundle.benefit.rules
        extra = (self.values["limit_disease_extra_fen"] > 0).any()
        for number, disease in enumerate(self.pack.diseases):
            listed = rules.disease_ranges[0, number]
            values = rules.disease_values[listed["start"] : listed["end"]]
            holds = (values["from_date"] <= self.date) & (self.date <= values["to_date"])
            holds &= (values["scheme"] == 0) | (values["scheme"] == self.values["scheme"])
            for care in self.cares[:1] if extra and not holds.any() else self.cares:
                if extra or (holds & ((values["care"] >> int(care)) & 1 != 0)).any():
                    fields = (("disease", number), ("care_kind", int(care)))
                    yield Circumstance(f"{choice_name(care)} {disease.code}", fields)

    def _programmes(self) -> Iterator[Circumstance]:
        for number, programme in enumerate(self.pack.programmes, 1):
            day = max(self.date, programme.source.from_date)
            if day <= min(self.version.to_date, programme.source.to_date):
                fields = (("programme", number), *((name, day) for name in DATES), ("benefit_year", day // 10_000))
                yield Circumstance(programme.id, fields, better="programme_helps")

    # ---------------------------------------------------------------- cells

    def cells(self) -> Iterator[tuple[tuple[int, ...], np.void, str]]:
        """Yield (person, category, way, plain, special), the claim and the name of its circumstance."""
        seen = set()
        for group, level in product(self.groups, range(len(self.pack.levels))):
            person = int(self.axes.person[group, level])
            for key, parts in self._combinations(person):
                if key not in seen:
                    seen.add(key)
                    category, way, circumstances = parts[0], parts[1], parts[2:]
                    name = " ".join(one.name for one in circumstances if one.name)
                    fields = [field for one in circumstances for field in one.fields]
                    yield key, self._claim((group, level, category), way, fields), name

    def _combinations(self, person: int) -> Iterator[tuple[tuple[int, ...], tuple[Any, ...]]]:
        categories = range(len(self.pack.assistance_ids))
        none = Circumstance("")
        for plain, circumstance in enumerate(self.plain):
            for category, way in product(categories, range(len(self.ways))):
                if self.is_apart and category and way:
                    continue
                key = (person, int(self.axes.category[category]), int(self.axes.way[way]), plain, 0)
                yield key, (category, self.ways[way], circumstance, none)
            for special, other in enumerate(self.special, 1):
                key = (person, int(self.axes.category[0]), int(self.axes.way[0]), plain, special)
                yield key, (0, self.ways[0], circumstance, other)

    def _claim(self, who: tuple[int, int, int], way: Way, fields: Sequence[tuple[str, int]]) -> np.void:
        group, level, category = who
        claim: np.void = EMPTY_CLAIM.copy()[0]
        named = self.pack.person_groups[group]
        claim["pack"], claim["scheme"], claim["assistance"] = 0, self.values["scheme"], category
        claim["person_type"] = next(n for n, code in enumerate(PERSON_TYPES) if code == named.person_types[0])
        claim["contribution_tier"] = max(named.contribution_tiers, default=0)
        claim["deductible_level"] = claim["price_level"] = level
        claim["care_kind"] = self.cares[0] if self.cares else self.version.plan.care[0]
        claim["place"], claim["filing"], claim["settled_at_counter"] = way[0], way[1], way[2]
        claim["age_years"], claim["sex"], claim["fetus_count"], claim["stay_days"] = ADULT, MALE, 1, 1
        claim["benefit_year"] = self.date // 10_000
        for name in DATES:
            claim[name] = self.date
        for name, value in fields:
            claim[name] = value
        if claim["maternity_type"] > 0:
            claim["sex"] = FEMALE
        return claim

    # ---------------------------------------------------------------- steps

    def steps(self) -> Iterator[tuple[str, tuple[int, ...], tuple[int, ...]]]:
        """Yield (relation, better cell, worse cell) by the numbers of the axes."""
        persons = sorted({int(self.axes.person[group, level]) for group, level in self._persons()})
        categories, ways = (range(n) for n in (len(self.pack.assistance_ids), len(self.ways)))
        specials = range(1 + len(self.special))
        for relation, better, worse in self._person_steps():
            for category, way, plain, special in product(categories, ways, range(len(self.plain)), specials):
                rest = (int(self.axes.category[category]), int(self.axes.way[way]), plain, special)
                yield relation, (better, *rest), (worse, *rest)
        for relation, better, worse in self._category_steps():
            for person, way, plain in product(persons, ways, range(len(self.plain))):
                of_place = (int(self.axes.way[way]), plain, 0)
                yield relation, (person, better, *of_place), (person, worse, *of_place)
        for relation, better, worse in self._way_steps():
            for person, category, plain in product(persons, categories, range(len(self.plain))):
                of_category = int(self.axes.category[category])
                yield relation, (person, of_category, better, plain, 0), (person, of_category, worse, plain, 0)
        for special, circumstance in enumerate(self.special, 1):
            for person, plain in product(persons, range(len(self.plain))):
                home = (person, int(self.axes.category[0]), int(self.axes.way[0]), plain)
                if circumstance.better:
                    yield circumstance.better, (*home, special), (*home, 0)
                if circumstance.worse:
                    yield circumstance.worse, (*home, 0), (*home, special)

    def _persons(self) -> Iterator[tuple[int, int]]:
        return product(self.groups, range(len(self.pack.levels)))

    def _person_steps(self) -> Iterator[tuple[str, int, int]]:
        ranks = ranks_of_levels(self.pack)
        by_rank = sorted(range(len(self.pack.levels)), key=lambda level: ranks[level])
        for group in self.groups:
            for low, high in pairwise(by_rank):
                if ranks[low] != ranks[high]:
                    yield "lower_level_pays_no_more", *self._two((group, low), (group, high))
        groups = self.pack.person_groups
        for better, worse in product(self.groups, repeat=2):
            types = (groups[better].person_types, groups[worse].person_types)
            retired = types[0][0][:2] == "12" and types[1][0][:2] == "11"
            for level in range(len(self.pack.levels)):
                if retired:
                    yield "retired_pay_no_more", *self._two((better, level), (worse, level))

    def _two(self, better: tuple[int, int], worse: tuple[int, int]) -> tuple[int, int]:
        return int(self.axes.person[better]), int(self.axes.person[worse])

    def _category_steps(self) -> Iterator[tuple[str, int, int]]:
        """Yield the categories in the order of the pack, the poorest first, then persons without one."""
        order = [*range(1, len(self.pack.assistance_ids)), 0]
        for poorer, richer in pairwise(order):
            yield "poorer_pay_no_more", int(self.axes.category[poorer]), int(self.axes.category[richer])

    def _way_steps(self) -> Iterator[tuple[str, int, int]]:
        number = {way: int(self.axes.way[n]) for n, way in enumerate(self.ways)}
        for (place, filing, channel), better in number.items():
            filed = filing not in (Filing.NONE, Filing.NOT_DIRECT, Filing.UNSPECIFIED)
            worse = number.get((place, Filing.NONE, channel))
            if filed and worse is not None:
                yield "filed_pay_no_more", better, worse
            for other in WHERE:
                if other[:2] == (place, filing) and other[2] > channel and other in number:
                    yield "direct_pays_no_more", better, number[other]
                if place == Place.PROVINCE and other == (Place.OUTSIDE, filing, channel) and other in number:
                    yield "nearer_pays_no_more", better, number[other]
                if place == Place.LOCAL and other[0] == Place.PROVINCE and other[2] == channel and other in number:
                    yield "nearer_pays_no_more", better, number[other]


DATES = ("settlement_date", "admission_date", "discharge_date", "rule_date")


def _fits(plan: Any, way: Way) -> bool:
    return way[2] in plan.channels and (way[0] == Place.LOCAL or way[1] in plan.filings)


def _numbered(parts: Sequence[Sequence[Any]]) -> np.ndarray:
    """Return a number for each list of values; equal lists have equal numbers, the first list has 0."""
    seen: dict[bytes, int] = {}
    keys = [b"".join(np.asarray(value, np.int64).tobytes() for value in values) for values in parts]
    return np.array([seen.setdefault(key, len(seen)) for key in keys], np.int64)


def ranks_of_levels(pack: Pack) -> list[int]:
    """Return how high each level of a pack is: in the order of the pack, turned round where that begins at the top."""
    order = list(range(len(pack.levels)))
    codes = [_national(pack, level) for level in order]
    known = [(level, code) for level, code in enumerate(codes) if code]
    if len(known) > 1 and known[0][1] < known[-1][1]:
        order.reverse()
    return [order[level] for level in range(len(order))]


def _national(pack: Pack, level: int) -> int:
    """Return the highest national level of a level group, 1 is the highest; 0 not known."""
    known = [HOSPITAL_LEVELS.index(code) for code in pack.levels[level].hosp_lv]
    known += [HOSPITAL_LEVELS.index(one.hosp_lv) for one in pack.hospitals if one.deductible_level == level]
    return min((code for code in known if code > 0), default=0)


def next_date(date: int, days: int) -> int:
    """Return the day some days later."""
    return date_of(day_number(date) + days)
