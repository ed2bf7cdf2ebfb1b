"""An encounter that two persons use is the first one's, whatever buckets they are in."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

from adjudicator.errors import E
from adjudicator.reprice import owners
from adjudicator.reprice.manifest import verify, write_manifest
from adjudicator.reprice.run import Options, plan, run
from adjudicator.rules.bundle import load_bundle
from tests.reprice.tables import contents, price_files, result_rows, write_nested
from tests.reprice.test_persons import copy, stays


@pytest.fixture(scope="module")
def shared(claims):
    """Stays of six persons, of which the last three say the encounter ids of the first three."""
    alone = stays(claims)[0]
    own = [copy(alone, person_id=f"P{number}", encounter_id=f"E{number}") for number in range(6)]
    days = {"admission_date": alone.admission_date + 0}
    same = copy(own[0], person_id="P3", settlement_date=own[0].settlement_date + 1)
    earlier = copy(own[1], person_id="P4", settlement_date=own[1].settlement_date, **days)
    second = copy(own[2], person_id="P5", settlement_sequence=2, settlement_date=own[2].settlement_date + 1)
    elsewhere = copy(own[3], person_id="P6", encounter_id="E0")
    others = [one.institution_code for one in stays(claims) if one.institution_code != alone.institution_code]
    elsewhere.institution_code = others[0]
    return [same, *own, earlier, second, elsewhere]


@pytest.mark.parametrize("buckets", [1, 7])
def test_the_claims_of_others_are_refused_with_the_codes_of_the_service(shared, tmp_path, buckets):
    price_files(write_nested(shared, tmp_path / "in" / "c.parquet"), tmp_path / "out", buckets=buckets)
    told = pq.read_table(tmp_path / "out" / "rejected.parquet").to_pylist()
    # Row 7 has the days of row 2, so the one that stands first in the input has the encounter.
    assert [(row["row"], row["code"], row["field"]) for row in told] == [
        (0, "ADJ-9001", "person_id"), (7, "ADJ-9001", "person_id"), (8, "ADJ-9014", "person_id"),
    ]  # fmt: skip
    assert [row["outcome"] for row in result_rows(tmp_path / "out")] == [4, 1, 1, 1, 1, 1, 1, 4, 4, 1]


def test_parts_and_buckets_change_no_byte(shared, tmp_path, monkeypatch):
    source = write_nested(shared, tmp_path / "in" / "c.parquet")
    price_files(source, tmp_path / "one", buckets=1)
    monkeypatch.setattr(owners, "AT_ONCE", 2)
    price_files(source, tmp_path / "many", buckets=5)
    assert contents(tmp_path / "one") == contents(tmp_path / "many")


def test_a_sample_of_the_results_is_the_same_when_it_is_priced_again(shared, tmp_path):
    chosen = Options(["taohuayuan"], write_nested(shared, tmp_path / "in" / "c.parquet"), tmp_path / "out", buckets=3)
    planned = plan(chosen, load_bundle(["taohuayuan"]).hash)
    write_manifest(planned.job, run(planned, chosen, lambda *_: None)._asdict())
    verify(tmp_path / "out" / "manifest.json", len(shared))


@pytest.mark.parametrize("seed", range(20))
def test_foreign_claims_are_those_that_a_list_finds(seed):
    """Few encounters, persons, days and numbers, so that everything meets; the digest has two halves."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(0, 60))
    firsts = rng.integers(0, 4, count)
    columns = np.stack(
        [rng.integers(0, 2, count), rng.integers(0, 3, count), rng.integers(0, 4, count), rng.integers(1, 3, count),
         rng.permutation(count)]
    )  # fmt: skip
    has: dict[tuple[int, int], list[tuple[int, ...]]] = {}
    for place in range(count):
        digest, person, days, sequence, row = columns[:, place].tolist()
        has.setdefault((int(firsts[place]), digest), []).append((days, sequence, row, person))
    expected = {}
    for claims in has.values():
        owner = min(claims)[3]
        numbers = {sequence for _, sequence, _, person in claims if person == owner}
        for _, sequence, row, person in claims:
            if person != owner:
                expected[row] = E.KEY_REUSED if sequence in numbers else E.ENCOUNTER_OF_ANOTHER_PERSON
    found = owners.foreign_of(firsts, columns)
    assert dict(zip(found.rows.tolist(), found.codes.tolist(), strict=True)) == expected
    assert found.rows.tolist() == sorted(expected)
