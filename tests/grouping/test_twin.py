"""The engine groups as the specification says: conformance records, naive twin, sweep over every code, invariances."""

from __future__ import annotations

import csv
import gzip
import random
from collections import Counter
from pathlib import Path

import pytest

from tests.grouping.conftest import Pair
from tests.grouping.naive import Record
from tests.grouping.support import answers, random_records
from tests.grouping.sweep import sweep_records


def number(text: str) -> int | None:
    """A number of the conformance file, ``None`` where the cell is empty."""
    return int(text) if text else None


def conformance(shared: Path) -> list[tuple[Record, tuple[str, ...]]]:
    """The 2,000 published records with the expected answers."""
    with gzip.open(shared / "chs-drg-1.1" / "conformance.tsv.gz", "rt", encoding="utf-8") as file:
        return [
            (
                Record(
                    int(row["sex"]), number(row["age_years"]), number(row["age_days"]),
                    number(row["birth_weight_g"]) or 0, row["department"], number(row["los_days"]),
                    int(row["discharge_way"] or 0), None, row["diagnoses"].split("|"),
                    row["procedures"].split("|") if row["procedures"] else [],
                ),
                (row["status"], row["mdc"], row["adrg"], row["drg"]),
            )
            for row in csv.DictReader(file, delimiter="\t")
        ]  # fmt: skip


def test_every_conformance_record_of_the_national_scheme(national: Pair, shared: Path) -> None:
    cases = conformance(shared)
    assert len(cases) == 2_000
    got = answers(national.scheme, [record for record, _ in cases])
    assert [wrong for wrong in zip(cases, got, strict=True) if wrong[0][1] != wrong[1]] == []
    assert [national.naive.group(record) for record, _ in cases] == [expected for _, expected in cases]


def agree(pair: Pair, records: list[Record]) -> Counter[str]:
    """Asserts that engine and twin give equal answers; returns how often each status came."""
    expected = [pair.naive.group(record) for record in records]
    got = answers(pair.scheme, records)
    different = [(r, e, g) for r, e, g in zip(records, expected, got, strict=True) if e != g]
    assert different[:1] == [], f"{len(different)} of {len(records)} differ"
    return Counter(answer[0] for answer in expected)


@pytest.mark.compiled
def test_random_records_over_the_shipped_scheme(demo: Pair) -> None:
    statuses = agree(demo, random_records(demo.naive, 30_000, seed=11))
    assert {"grouped", "ungrouped", "invalid", "ambiguous"} == statuses.keys()


@pytest.mark.compiled
def test_random_records_reach_nearly_every_group_of_the_shipped_scheme(demo: Pair) -> None:
    reached = {answer[3] for answer in answers(demo.scheme, random_records(demo.naive, 30_000, seed=12))}
    assert len(set(demo.scheme.drg_codes) - reached) <= 3


@pytest.mark.compiled
def test_random_records_over_the_national_scheme(national: Pair) -> None:
    agree(national, random_records(national.naive, 20_000, seed=13))


@pytest.mark.compiled
def test_random_records_over_generated_schemes(extended: list[Pair]) -> None:
    statuses: Counter[str] = Counter()
    for seed, pair in enumerate(extended):
        statuses += agree(pair, random_records(pair.naive, 4_000, seed=seed))
    assert {"grouped", "ungrouped", "invalid", "ambiguous"} == statuses.keys()


def test_every_code_of_every_list_of_the_shipped_scheme(demo: Pair) -> None:
    agree(demo, list(sweep_records(demo.naive)))


@pytest.mark.compiled
def test_every_code_of_every_list_of_generated_schemes(extended: list[Pair]) -> None:
    for pair in extended:
        agree(pair, list(sweep_records(pair.naive)))


@pytest.mark.compiled
def test_every_tenth_code_of_the_national_scheme(national: Pair) -> None:
    agree(national, list(sweep_records(national.naive))[::10])


@pytest.mark.full
def test_every_code_of_every_list_of_the_national_scheme(national: Pair) -> None:
    records = list(sweep_records(national.naive))
    assert len(records) > 130_000
    agree(national, records)


@pytest.mark.full
def test_a_million_random_records_over_three_schemes(demo: Pair, national: Pair, extended: list[Pair]) -> None:
    for seed, pair in enumerate((national, demo, *extended)):
        share = 1_000_000 if pair is national or pair is demo else 170_000
        for block in range(0, share, 100_000):
            agree(pair, random_records(pair.naive, min(100_000, share - block), seed=1_000 * seed + block))


def shuffled(record: Record, draw: random.Random) -> Record:
    """The record with its secondary codes in another order, some of them twice."""
    changed = {}
    for name in ("diagnoses", "procedures"):
        first, rest = getattr(record, name)[:1], getattr(record, name)[1:]
        rest = rest + draw.sample(rest, len(rest) // 2)
        draw.shuffle(rest)
        changed[name] = first + rest
    return Record(**{**record.__dict__, **changed})


@pytest.mark.compiled
def test_order_and_repetition_of_secondary_codes_do_not_matter(demo: Pair, extended: list[Pair]) -> None:
    draw = random.Random(3)
    for pair in (demo, *(pair for pair in extended if not pair.naive.options["retry_other_procedures"])):
        records = random_records(pair.naive, 3_000, seed=21)
        assert answers(pair.scheme, [shuffled(record, draw) for record in records]) == answers(pair.scheme, records)


def test_the_batch_does_not_matter(demo: Pair) -> None:
    records = random_records(demo.naive, 200, seed=5)
    assert [answers(demo.scheme, [record])[0] for record in records] == answers(demo.scheme, records)
    assert answers(demo.scheme, []) == []


def test_unknown_codes_are_no_error(demo: Pair) -> None:
    known = Record(1, 66, diagnoses=["I21.003"], procedures=["36.0700"])
    more = Record(1, 66, diagnoses=["I21.003", "X", "I21.003x999"], procedures=["36.0700", "?"])
    assert answers(demo.scheme, [known, more]) == [("grouped", "MDCF", "FM1", "FM15")] * 2
    assert answers(demo.scheme, [Record(1, 66, diagnoses=["nothing"])]) == [("ungrouped", "0000", "00", "0000")]
