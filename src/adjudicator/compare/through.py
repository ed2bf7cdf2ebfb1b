"""On from claims to money: months, years and deficits under both rules, and what each hospital and county gains.

The cases of both sides go through the clearing of their own pack (``pooling.settlement``). Cases of DRG points stay
single, because a readmission takes points; those of other methods are added up by institution, county, scheme, method
and month first, since clearing adds them up anyway.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from adjudicator.codes import SCHEME_NATIONAL, Method, Scheme
from adjudicator.compare.answers import dictionary_of, is_priced
from adjudicator.compare.differences import Batch
from adjudicator.compare.sides import not_comparable
from adjudicator.errors import E, refuse
from adjudicator.payers import Fund
from adjudicator.pooling.cases import CASE, Cases
from adjudicator.pooling.counties.figures import CountyYear, figure
from adjudicator.pooling.counties.year import PoolYear, pool_year
from adjudicator.pooling.hospitals.settlement import Settlement, settle_standing, standing_points
from adjudicator.pooling.periods.context import PoolContext, budgets, last_day, load_context, read_budgets
from adjudicator.rules.as_on import split_name

MONTH, YEAR, POOL = LEVELS = ("month", "year", "pool")
"""How far it goes: each month settled, the year cleared, the gaps of the year shared."""
_NAMES = {"hospital": "hospitals", "county": "counties", "scheme": "schemes", "group": "groups"}
_DIAGNOSIS = "diagnosis"
_SUMS = ("points_e8", "total_fen", "patient_fen", "others_fen", "fund_fen", "due_fen")
_KEYS = ("hospital", "county", "scheme", "method", "month")
_ALONE = int(Method.DRG_POINTS)
_FLUSH = 64
"""Batches after which sums are added up once more."""


class Plan(NamedTuple):
    """How far to go, and what a clearing needs beside the rules."""

    level: str
    budgets: Sequence[str] = ()
    """``SCHEME=YUAN``: the fund's budget of the period, instead of the pack's."""
    counties: Sequence[CountyYear] = ()
    """Figures of the counties under the old rules, for the deficit."""
    funds_fen: Mapping[str, int] = {}


class Side(NamedTuple):
    """The rules of one side."""

    context: PoolContext
    day: int
    """On which they are taken, 0 on the last day of each period."""


class Gatherer:
    """Collects the cases of both sides of one pool."""

    def __init__(self, pack: str) -> None:
        self._pack = pack
        self._names: dict[str, dict[str, int]] = {name: {} for name in (*_NAMES, _DIAGNOSIS)}
        self._parts: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        self._sums: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        """Cases of other methods, added up batch by batch, and now and then once more."""
        self._diagnoses: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        """Of the cases that stay single, in their order: a readmission may be exempt by its principal diagnosis."""

    def add(self, batch: Batch) -> None:
        """Take the priced claims of a batch whose county belongs to the pool."""
        pack, numbers = dictionary_of(batch.facts.column("pack")), self._numbers(batch)
        own = pack.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        texts = pack.dictionary.to_pylist()
        here = (own == (texts.index(self._pack) if self._pack in texts else -2)) & (numbers["county"] >= 0)
        groups = batch.answers.texts["drg"][:2]
        diagnoses = self._coded(_DIAGNOSIS, dictionary_of(batch.facts.column("principal_diagnosis")))
        sides = (batch.answers.old, batch.answers.new)
        kept = zip(self._parts, self._sums, self._diagnoses, sides, groups, strict=True)
        for part, sums, known, side, group in kept:
            chosen = np.flatnonzero(here & is_priced(side))
            rows = np.zeros(len(chosen), CASE)
            for name, values in numbers.items():
                rows[name] = values[chosen]
            rows["group"] = self._coded("group", group)[chosen]
            rows["sign"] = 1
            by_item = side["due_fen"] - side["difference_fen"]
            amounts = {
                "method": side["payment_method"], "points_e8": np.maximum(side["points_e8"], 0),
                "total_fen": side["total_fen"], "patient_fen": side["personal_total_fen"],
                "others_fen": side["fund_total_fen"] - by_item, "fund_fen": by_item, "due_fen": side["due_fen"],
            }  # fmt: skip
            for name, values in amounts.items():
                rows[name] = values[chosen]
            alone = rows["method"] == _ALONE
            part.append(rows[alone])
            sums.append(_added_up(rows[~alone]))
            if len(sums) >= _FLUSH:
                sums[:] = [_added_up(np.concatenate(sums))]
            known.append(diagnoses[chosen][alone])

    def _numbers(self, batch: Batch) -> dict[str, np.ndarray]:
        """Return what of the cases is the same on both sides."""
        facts = batch.facts
        found = {
            name: facts.column(name).fill_null(0).to_numpy().astype(np.int64)
            for name in ("month", "admission_date", "discharge_date", "person")
        }
        found["hospital"] = self._coded("hospital", dictionary_of(batch.keys.column("institution_code")))
        for name in ("county", "scheme"):
            found[name] = self._coded(name, dictionary_of(facts.column(name)))
        return found

    def _coded(self, name: str, texts: pa.DictionaryArray) -> np.ndarray:
        """Return texts by numbers that hold for all batches, -1 for none."""
        known = self._names[name]
        numbers = [known.setdefault(text, len(known)) for text in texts.dictionary.to_pylist()]
        own = np.array([*numbers, -1], np.int32)
        found: np.ndarray = own[texts.indices.fill_null(len(own) - 1).to_numpy(zero_copy_only=False)]
        return found

    def cases(self, side: int) -> Cases:
        """Return the cases of a side; names are in their order, so that remainders fall the same way always."""
        alone = np.concatenate([np.zeros(0, CASE), *self._parts[side]])
        rows = np.concatenate([alone, _added_up(np.concatenate([np.zeros(0, CASE), *self._sums[side]]))])
        diagnoses = np.full(len(rows), "", object)
        texts_of = np.array([*self._names[_DIAGNOSIS], ""], object)
        diagnoses[: len(alone)] = texts_of[np.concatenate([np.zeros(0, np.int32), *self._diagnoses[side]])]
        names: dict[str, list[str]] = {}
        for name, plural in _NAMES.items():
            texts = sorted({"", *self._names[name]} if name == "group" else self._names[name])
            place = np.array([*map(texts.index, self._names[name]), 0], np.int32)
            rows[name] = place[rows[name]]
            names[plural] = texts
        hospitals, counties, schemes, groups = (names[plural] for plural in _NAMES.values())
        return Cases(rows, np.arange(len(rows)), hospitals, counties, schemes, groups, diagnoses)


def _added_up(rows: np.ndarray) -> np.ndarray:
    """Return the sums of cases that clearing does not look at one by one; with points and without stay apart."""
    if not len(rows):
        return rows
    columns = [rows[name].astype(np.int64) for name in _KEYS] + [(rows["points_e8"] > 0).astype(np.int64)]
    keys = np.stack(columns, axis=1)
    found, which = np.unique(keys, axis=0, return_inverse=True)
    out = np.zeros(len(found), CASE)
    for place, name in enumerate(_KEYS):
        out[name] = found[:, place]
    for name in _SUMS:
        np.add.at(out[name], which.reshape(-1), rows[name])
    out["sign"] = 1
    return out


class Money(NamedTuple):
    """What the clearing of one side comes to."""

    hospitals: dict[str, int]
    """Institution -> fen."""
    counties: dict[tuple[str, ...], int]
    """(County of insurance, scheme) -> fen."""
    values: dict[tuple[int, str], str]
    """(Period, scheme and kind of points) -> yuan a point."""


def cleared(cases: Cases, side: Side, plan: Plan) -> Money:
    """Return the money of a side, by hospital and by county; both are the same whole.

    Errors: E.PAYMENT_RULE_UNDEFINED, E.CANNOT_CLEAR as ``pooling.settlement``.
    """
    months = sorted({int(month) for month in np.unique(cases.rows["month"])} - {0})
    periods = months if plan.level == MONTH else sorted({month // 100 for month in months})
    money = Money({}, {}, {})
    for period in periods:
        day = side.day or last_day(period)
        rules = side.context.rules(day)
        standing, points = standing_points(cases, rules)
        fund = budgets(side.context.pooling, period, read_budgets(plan.budgets))
        _add(money, settle_standing(standing, points, period, fund, rules))
    if sum(money.hospitals.values()) != sum(money.counties.values()):
        raise refuse(E.INTERNAL, detail="the money of the hospitals is not that of the counties")
    return money


def _add(money: Money, settled: Settlement) -> None:
    for hospital, amount in settled.hospital_fen().items():
        money.hospitals[hospital] = money.hospitals.get(hospital, 0) + amount
    for (county, scheme, fund), amount in settled.targets().items():
        if fund == Fund.PROVIDER_FINAL:
            at = f"{county:06d}", SCHEME_NATIONAL[Scheme(scheme)]
            money.counties[at] = money.counties.get(at, 0) + amount
    for code, clearing in settled.clearings.items():
        money.values[settled.period, code] = clearing.value_yuan


def deficits(side: Side, money: tuple[Money, Money], which: int, plan: Plan) -> PoolYear:
    """Return the year of the pool under one side: what the counties' funds spend moves with what institutions get.

    The figures of the counties are those of the old rules; under the new ones a county spends more or less by the
    difference of its clearing. Errors: E.NOT_COMPARABLE where the claims are of several years.
    """
    years = sorted({period for period, _ in money[which].values})
    if len(years) != 1:
        raise not_comparable("--through pool needs the claims of one year", "--through pool 只能用于同一年度的结算")
    counties = []
    for county in plan.counties:
        at = f"{int(county.county):06d}", county.scheme
        change = money[which].counties.get(at, 0) - money[0].counties.get(at, 0)
        counties.append(dataclasses.replace(county, expenditure_fen=figure(county, "expenditure") + change))
    result = pool_year(side.context.pooling, years[0], counties, plan.funds_fen, side.day)
    result.refuse_open()
    return result


# ---------------------------------------------------------------- tables


class Through:
    """The clearing of all pools of a comparison: takes the claims of both sides, gives tables."""

    def __init__(self, plan: Plan, old_packs: Sequence[str], new_packs: Sequence[str]) -> None:
        self._plan = plan
        sides = [[split_name(name) for name in packs] for packs in (old_packs, new_packs)]
        contexts = [{(one := load_context(pack)).id: Side(one, day) for pack, day in side} for side in sides]
        if contexts[0].keys() != contexts[1].keys():
            raise not_comparable("the runs are of other pools", "两次任务的统筹区不同")
        self._sides = {pack: (contexts[0][pack], contexts[1][pack]) for pack in contexts[0]}
        self._gatherers = {pack: Gatherer(pack) for pack in self._sides}

    def add(self, batch: Batch) -> None:
        """Take the claims of a batch."""
        for gatherer in self._gatherers.values():
            gatherer.add(batch)

    def tables(self) -> dict[str, pa.Table]:
        """Return what each hospital and each county gains or loses, the values of a point, and the counties' gaps."""
        parts: dict[str, list[pa.Table]] = {}
        for pack, sides in self._sides.items():
            gatherer = self._gatherers[pack]
            old, new = (cleared(gatherer.cases(which), side, self._plan) for which, side in enumerate(sides))
            found = _tables(old, new)
            if self._plan.level == POOL:
                years = [deficits(side, (old, new), which, self._plan) for which, side in enumerate(sides)]
                found["deficits"] = _deficit_table(*years)
            for name, table in found.items():
                parts.setdefault(name, []).append(table)
        return {name: pa.concat_tables(some) for name, some in parts.items()}


def _tables(old: Money, new: Money) -> dict[str, pa.Table]:
    hospitals = _pairs(("institution_code",), _keyed(old.hospitals), _keyed(new.hospitals))
    counties = _pairs(("county", "scheme"), old.counties, new.counties)
    values = [
        {"period": at[0], "points_of": at[1], "value_old": old.values.get(at, ""), "value_new": new.values.get(at, "")}
        for at in sorted(old.values.keys() | new.values.keys())
    ]
    return {"cleared_hospitals": hospitals, "cleared_counties": counties,
            "point_values": pa.Table.from_pylist(values, _VALUES)}  # fmt: skip


_VALUES = pa.schema(
    [("period", pa.int32()), ("points_of", pa.string()), ("value_old", pa.string()), ("value_new", pa.string())]
)


def _amounts(old: int, new: int) -> dict[str, int]:
    return {"cleared_old_fen": old, "cleared_new_fen": new, "cleared_difference_fen": new - old}


def _keyed(amounts: Mapping[str, int]) -> dict[tuple[str, ...], int]:
    return {(name,): amount for name, amount in amounts.items()}


def _pairs(keys: Sequence[str], old: Mapping[tuple[str, ...], int], new: Mapping[tuple[str, ...], int]) -> pa.Table:
    """Return old, new and difference by some keys, in their order."""
    rows = [
        dict(zip(keys, at, strict=True)) | _amounts(old.get(at, 0), new.get(at, 0))
        for at in sorted(old.keys() | new.keys())
    ]
    kinds = [(key, pa.string()) for key in keys] + [(name, pa.int64()) for name in _amounts(0, 0)]
    return pa.Table.from_pylist(rows, pa.schema(kinds))


def _deficit_table(old: PoolYear, new: PoolYear) -> pa.Table:
    """Return, for each county and scheme, its gap, who pays it, and what it carries on, under both rules."""
    rows: list[dict[str, Any]] = []
    for before, after in zip(old.rows, new.rows, strict=True):
        own = {"county": before.shares.year.county, "scheme": before.shares.year.scheme}
        for what, first, second in _parts(before.shares, after.shares):
            amounts = {"share_old_fen": first, "share_new_fen": second, "share_difference_fen": second - first}
            rows.append(own | {"part": what} | amounts)
    kinds = [(name, pa.string()) for name in ("county", "scheme", "part")]
    shares = [(f"share_{name}_fen", pa.int64()) for name in ("old", "new", "difference")]
    return pa.Table.from_pylist(rows, pa.schema([*kinds, *shares]))


def _parts(before: Any, after: Any) -> Iterable[tuple[str, int, int]]:
    yield "gap", max(0, before.year.gap_fen), max(0, after.year.gap_fen)
    for payer in dict.fromkeys([*before.payments, *after.payments]):
        yield payer, before.payments.get(payer, 0), after.payments.get(payer, 0)
    yield "carried_after", before.carried_after_fen, after.carried_after_fen
