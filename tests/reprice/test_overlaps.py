"""Overlapping stays and visits, and a fee line in two parts of a stay, are found as the service finds them."""

from __future__ import annotations

import random
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from adjudicator.claim.care_days import CareDays, StoredDays
from adjudicator.claim.engine import Engine
from adjudicator.claim.kin import NO_KIN, Kin, name_years
from adjudicator.claim.state import PersonYears
from adjudicator.columns import CARE_DAYS, CLAIM, KEY
from adjudicator.errors import E
from adjudicator.options import Overlap
from adjudicator.reprice import job, overlaps
from adjudicator.v1 import claim_pb2
from adjudicator.wire.decode import BATCH_DEPTH, split_batch
from tests.reprice.tables import in_order, price_files, result_rows, write_nested
from tests.reprice.test_persons import copy, part, stays

TOLD = {f"ADJ-{number}" for number in (E.SAME_STAY, E.OVERLAPPING_STAYS, E.VISIT_IN_STAY)}


def one_after_the_other(claims, engine):
    """The codes told of overlaps by claim, as a ledger would find them: each claim over what stands before it."""
    names, entries = dict[bytes, int](), list[list[np.ndarray]]()
    years, told = PersonYears.new(200), [set() for _ in claims]
    for place in in_order(claims):
        data = claim_pb2.ClaimBatch(claims=[claims[place]]).SerializeToString()
        starts, ends, _ = split_batch(data)
        resolved = engine.prepare(data, starts, ends, max_depth=BATCH_DEPTH)
        assert resolved.good.size, resolved.problems(0)
        rows = np.zeros(1, np.int64)
        keys, _, kin = name_years(engine.bundle, resolved.incoming, resolved.claims, resolved.state_keys, rows)
        keys = keys.view(KEY).ravel().tolist()
        numbers = np.array([names.setdefault(key, len(names)) for key in keys], np.int64)
        entries += [[] for _ in range(len(names) - len(entries))]
        offsets = np.cumsum([0, *map(len, entries)])
        stored = np.array([entry for own in entries for entry in own], CARE_DAYS)
        years.days = StoredDays(offsets[:-1], offsets[1:], stored)
        years.kin = Kin(kin.starts, kin.ends, numbers[1:], kin.same_year)
        result = engine.price(resolved, rows, numbers[:1], years)
        told[place] = {problem.row.code for problem in result.problems(0)} & TOLD
        if not result.errors[0]:
            entries[numbers[0]].append(result.days[0])
    return told


@pytest.fixture(scope="module")
def crossing(claims, engine):
    """Stays and visits of a few persons around the turn of the year, at few institutions."""
    rng, found = random.Random(5), []
    kinds = {kind: next(one for one in claims if one.care_type == kind) for kind in ("11", "21")}
    institutions = [hospital.code for hospital in engine.bundle.packs[0].hospitals][:3]
    days = [20231215 + day for day in range(16)] + [20240101 + day for day in range(16)]
    for number in range(260):
        claim = copy(kinds[rng.choice(("11", "21", "21"))], person_id=f"P{number % 20}", encounter_id=f"X{number}")
        first = rng.randrange(len(days) - 6)
        last = first + (rng.choice((0, 2, 5)) if claim.care_type == "21" else 0)
        claim.institution_code = rng.choice(institutions)
        claim.admission_date, claim.settlement_date = days[first], days[last]
        claim.discharge_date = days[last] if claim.care_type == "21" else 0
        claim.ClearField("stay_days")
        claim.ClearField("hospital_level")
        for line in claim.lines:
            line.fee_date = days[first]
        found.append(claim)
    return found


@pytest.mark.parametrize("choice", [Overlap.WARN, pytest.param(Overlap.REFUSE, marks=pytest.mark.check)])
def test_overlaps_are_those_that_a_ledger_finds(crossing, engine, tmp_path, monkeypatch, choice):
    (pack,) = engine.bundle.packs
    every = pack.overlaps._replace(same_stay=choice, overlapping_stays=choice, visit_in_stay=choice)
    changed = Engine(replace(engine.bundle, packs=(replace(pack, overlaps=every),)))
    monkeypatch.setattr(job, "same_engine", lambda *_: changed)
    price_files(write_nested(crossing, tmp_path / "in" / "c.parquet"), tmp_path / "out", buckets=3)
    told = [set() for _ in crossing]
    for name in ("rejected", "warnings"):
        for row in pq.read_table(tmp_path / "out" / f"{name}.parquet").to_pylist():
            told[row["row"]] |= {row["code"]} & TOLD
    assert told == one_after_the_other(crossing, changed)
    assert set.union(*told) == TOLD
    refused = sum(row["outcome"] == 4 for row in result_rows(tmp_path / "out"))
    assert refused == 0 if choice == Overlap.WARN else refused > 40


@pytest.mark.parametrize("seed", range(5))
def test_the_first_look_misses_no_person(seed):
    """Of random entries every pair is compared; who has one that overlaps is among the persons that were named."""
    rng = np.random.default_rng(seed)
    count = 300
    kinds = rng.choice([1, 1, 2, 3], count)  # stay, stay at home, visits
    care_kind = np.array([overlaps.TAKEN_BY.tolist().index(kind) for kind in kinds])
    first = 19_000 + rng.integers(0, 30, count)
    last = first + rng.choice([0, 1, 4], count)
    entries, claims = np.zeros(count, CARE_DAYS), np.zeros(count, CLAIM)
    stay_keys = rng.integers(0, 3, count) << 40 | np.arange(count) << 16
    entries["key"] = kinds.astype(np.uint64) << np.uint64(62) | np.where(kinds == 3, first // 7, stay_keys).astype("u8")
    entries["days"] = np.where(kinds == 3, 1 << 8 * (first % 7), first << 20 | last)
    day = np.datetime64("1970-01-01") + first.astype("timedelta64[D]")
    claims["admission_date"] = [int(str(one).replace("-", "")) for one in day]
    claims["care_kind"] = care_kind
    persons = rng.integers(0, 40, count)
    named = overlaps.with_overlaps(SimpleNamespace(arrays={"days": entries, "claims": claims}), persons)
    really = set()
    for person in range(40):
        own = entries[persons == person]
        days = CareDays.of(StoredDays(np.zeros(1, np.int64), np.zeros(1, np.int64), entries[:0]), len(own))
        for entry in own:
            if days.compare(entry.reshape(1), np.zeros(1, np.int64), NO_KIN) is not None:
                really.add(person)
            days.add(entry.reshape(1), np.zeros(1, np.int64))
    assert really and really <= set(named.tolist()) and len(named) < 40


def test_a_fee_line_in_two_parts_of_a_stay_is_refused(claims, tmp_path):
    whole = next(one for one in stays(claims) if sum(line.quantity_e4 > 0 for line in one.lines) > 6)
    first = part(whole, 1, 0, 20230310, 20230320, False)
    second = part(whole, 2, 1, 20230310, 20230330, True)
    second.lines[2].line_id = first.lines[0].line_id
    price_files(write_nested([second, first], tmp_path / "in" / "c.parquet"), tmp_path / "out")
    (told,) = pq.read_table(tmp_path / "out" / "rejected.parquet").to_pylist()
    assert (told["row"], told["code"], told["field"]) == (0, "ADJ-9015", "lines[2].line_id")
    assert "Settlement 1" in told["message"]
