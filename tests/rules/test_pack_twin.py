"""Every value of every shipped pack, read a second way: percent to parts per million, yuan to fen, names to cells."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import pytest

from adjudicator.benefit.plan.compile import PlanVersion
from adjudicator.benefit.plan.keys import AXIS_LENGTH, CROSS_FIELDS, KEY, KEYS, Key, field_of
from adjudicator.codes import Channel, Filing, Place
from adjudicator.options import BurdenPart, choice_name
from adjudicator.rules.bundle import Bundle, load_bundle
from adjudicator.rules.load import PACKS, shipped_packs
from tests.rules import naive_pack
from tests.rules.naive_pack import NaivePack

NUMBERS = ("yuan", "percent", "points", "days", "years")
ACCOUNT_PAYS = ("account_current_pays", "account_past_pays", "account_family_pays")


@pytest.fixture(scope="module", params=shipped_packs())
def city(request: pytest.FixtureRequest) -> tuple[Bundle, NaivePack]:
    return load_bundle([request.param]), naive_pack.read_pack(PACKS / request.param)


def raw_of(pack: NaivePack, version: PlanVersion) -> dict[str, Any]:
    """What the files say of a plan on the first day of a span."""
    (plan,) = [
        plan
        for plan in pack.plans
        if plan["id"] == version.plan.id and naive_pack._number(plan["from"]) == version.plan.from_date
    ]
    return naive_pack.raw_values(pack, plan, version.from_date)


def expected(pack: NaivePack, key: Key, raw: Any) -> np.ndarray:
    """All cells of a key of numbers, each read on its own."""
    cells = np.full(key.shape, key.default, np.int64)
    for place in product(*(range(AXIS_LENGTH[axis]) for axis in key.axes)):
        value = naive_pack.cell(pack, raw, key.unit, key.axes, place, key.default)
        if key.inherits and isinstance(raw, dict) and "ordinary" in raw:
            names = pack.axes["category"]
            if place[0] >= len(names) or names[place[0]] not in raw:
                value = naive_pack.cell(pack, raw, key.unit, key.axes, (0, *place[1:]), key.default)
        cells[place] = value
    return cells


def test_numbers(city: tuple[Bundle, NaivePack]) -> None:
    bundle, pack = city
    compared = 0
    for version, row in zip(bundle.plans.versions, bundle.plans.rows, strict=True):
        raw = raw_of(pack, version)
        for key in KEYS:
            if key.unit not in NUMBERS:
                continue
            cells = expected(pack, key, raw[key.name]) if key.name in raw else key.blank()
            if key.name == "rate_percent":
                derive(pack, raw, cells)
            np.testing.assert_array_equal(row[key.field], cells, f"{version.plan.id} {version.from_date} {key.name}")
            compared += key.name in raw
    assert compared > 20


def derive(pack: NaivePack, raw: Mapping[str, Any], cells: np.ndarray) -> None:
    """V14: rates of a person group that follow from another's."""
    for name, rule in raw.get("rate_derived", {}).items():
        groups = pack.axes["group"]
        for place in product(*(range(size) for size in cells.shape[1:])):
            base = int(cells[(groups.index(rule["of"]), *place)])
            cells[(groups.index(name), *place)] = naive_pack.derived_ppm(base, rule)


def test_words(city: tuple[Bundle, NaivePack]) -> None:
    bundle, pack = city
    for version, row in zip(bundle.plans.versions, bundle.plans.rows, strict=True):
        raw = raw_of(pack, version)
        for key in KEYS:
            if key.name not in raw or key.unit in NUMBERS:
                continue
            if key.unit == "flag":
                wanted = int(raw[key.name])
            elif key.unit == "option":
                wanted = int(key.choices[raw[key.name].upper()])
            else:
                bits = {
                    choice_name(member): int(member) if key.choices is BurdenPart else 1 << member
                    for member in key.choices
                }
                wanted = naive_pack.names_mask(raw[key.name], bits)
                if key.name in ACCOUNT_PAYS and raw.get("ceiling_excess") == "inside" and wanted & 3 == 3:
                    wanted |= BurdenPart.OVER_CEILING  # V12
            assert row[key.field] == wanted, (version.plan.id, version.from_date, key.name)


def test_cross_region(city: tuple[Bundle, NaivePack]) -> None:
    bundle, pack = city
    for version, row in zip(bundle.plans.versions, bundle.plans.rows, strict=True):
        entries = raw_of(pack, version).get("cross_region", [])
        for place, filing, channel in product(Place, Filing, Channel):
            (entry,) = [entry for entry in entries if _has(entry, place, filing, channel)] or [{}]
            for name, (unit, default) in CROSS_FIELDS.items():
                value = naive_pack.number(entry[name], unit) if name in entry else default
                if name == "defined":
                    value = int(bool(entry) or place == Place.LOCAL)
                found = row[field_of(f"cross_{name}")][place, filing, channel]
                assert found == value, (version.plan.id, place, filing, channel, name)


def _has(entry: Mapping[str, Any], place: Place, filing: Filing, channel: Channel) -> bool:
    def named(raw: Any, member: Any) -> bool:
        words = [raw] if isinstance(raw, str) else raw
        return words == ["any"] or choice_name(member) in words

    by_way = named(entry.get("filing", "any"), filing) and named(entry.get("channel", "any"), channel)
    return named(entry["place"], place) and by_way


def test_no_key_of_a_file_goes_unread(city: tuple[Bundle, NaivePack]) -> None:
    bundle, pack = city
    for version in bundle.plans.versions:
        written = set(raw_of(pack, version)) - set(naive_pack._SOURCE)
        assert written == set(version.values), version.plan.id
        assert written <= {*KEY, "cross_region", "rate_derived"}
