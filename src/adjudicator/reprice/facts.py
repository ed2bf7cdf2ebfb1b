"""What a comparison counts claims by: county, scheme, level, kind of care, class of person, day; never a person.

Two files: one a bucket, written where the claims are priced, and one a unit beside its results, in the order of the
input. A claim that was refused before it was priced has no facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from adjudicator.codes import PERSON_TYPES, SCHEME_NATIONAL, CareKind, Scheme
from adjudicator.reprice.bucket import Bucket, dense
from adjudicator.reprice.job import Job, engine_of
from adjudicator.reprice.packing import read_table
from adjudicator.reprice.source import Unit
from adjudicator.rulefile.pack import Pack
from adjudicator.rules.bundle import Bundle

NUMBERS: tuple[str, ...] = (
    "pack", "county", "scheme", "deductible_level", "care_kind", "person_type", "assistance", "settlement_date",
    "admission_date", "discharge_date", "benefit_year", "disease", "place", "filing", "settled_at_counter", "programme",
)  # fmt: skip
"""Columns of the claims as resolved that a bucket keeps."""
OWN = ("group", "person", "plan", "diagnosis", "diagnosis_more")
"""And what is found out: group of persons of the pack, first claim of the person, row of the plan; 16 bytes of the
principal diagnosis, of which a rule may exempt readmissions."""
PLACE = {name: place for place, name in enumerate((*NUMBERS, *OWN))}
_TEXT = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        ("pack", _TEXT), ("county", _TEXT), ("scheme", _TEXT), ("level", _TEXT), ("care_kind", _TEXT),
        ("person_type", _TEXT), ("assistance", _TEXT), ("month", pa.int32()), ("settlement_date", pa.int32()),
        ("admission_date", pa.int32()), ("discharge_date", pa.int32()), ("benefit_year", pa.int16()),
        ("person", pa.int64()), ("plan", pa.int32()), ("person_group", pa.int16()), ("level_number", pa.int16()),
        ("category", pa.int16()), ("disease", pa.int32()), ("programme", pa.int16()),
        ("place", pa.int8()), ("filing", pa.int8()),
        ("at_counter", pa.int8()), ("principal_diagnosis", _TEXT),
    ]
)  # fmt: skip
"""Columns of the file. ``person`` is the row of the first claim that the person has in the input, so that a person is
counted without being named."""
_NOT_PRICED = -2
"""In ``pack``, of a claim that never came to a bucket."""


def path_of(folder: Path, unit: int) -> Path:
    """Return the file of the facts of a unit."""
    return folder / "facts" / f"part-{unit:05d}.parquet"


def bucket_path(job: Job, bucket: int) -> Path:
    """Return the file of the facts of a bucket, as ``packing.sections_of_table`` has them."""
    return job.work / f"facts-{bucket:05d}.bin"


def of_bucket(bundle: Bundle, bucket: Bucket, plans: np.ndarray) -> np.ndarray:
    """Return int64[n, facts] of the claims of a bucket; ``plans`` int64[n] are their rows of ``bundle.plans``."""
    claims, rows = bucket.arrays["claims"], bucket.arrays["rows"]
    out = np.empty((bucket.size, len(PLACE)), np.int64)
    for name in NUMBERS:
        out[:, PLACE[name]] = claims[name]
    tiers = np.clip(claims["contribution_tier"], 0, bundle.benefit.rules.person_group.shape[3] - 1)
    groups = bundle.benefit.rules.person_group[claims["pack"], claims["scheme"], claims["person_type"], tiers]
    persons, count = dense(bucket.arrays["persons"], claims["pack"])
    firsts = np.full(max(count, 1), np.iinfo(np.int64).max)
    np.minimum.at(firsts, persons, rows)
    out[:, PLACE["group"]], out[:, PLACE["person"]], out[:, PLACE["plan"]] = groups, firsts[persons], plans
    out[:, [PLACE["diagnosis"], PLACE["diagnosis_more"]]] = bucket.arrays["principal"].view(np.int64)
    return out


def write_unit(job: Job, unit: Unit, rows_at_once: int) -> Path:
    """Write the facts of a unit in the order of the input and return the file."""
    bundle = engine_of(job).bundle
    buckets = [bucket_path(job, bucket) for bucket in range(job.buckets)]
    out = path_of(Path(job.folder), unit.number)
    out.parent.mkdir(parents=True, exist_ok=True)
    facts = np.full((unit.claims, len(PLACE)), -1, np.int64)
    facts[:, PLACE["pack"]] = _NOT_PRICED
    for bucket in buckets:
        read_table(bucket, unit.number, unit.first, facts)
    draft = out.with_suffix(".draft")
    with pq.ParquetWriter(draft, SCHEMA, compression="zstd") as writer:
        for first in range(0, unit.claims, rows_at_once):
            part = np.ascontiguousarray(facts[first : first + rows_at_once].T)
            writer.write_table(table_of(bundle, part), row_group_size=part.shape[1])
    draft.replace(out)
    return out


def table_of(bundle: Bundle, facts: np.ndarray) -> pa.Table:
    """Return the columns of the file; a claim without facts has nulls."""
    missing = facts[PLACE["pack"]] == _NOT_PRICED
    packs = np.where(missing, 0, facts[PLACE["pack"]])

    def of_packs(name: str, texts: Any) -> pa.Array:
        """Return texts that each pack numbers by itself."""
        lists = [texts(pack) for pack in bundle.packs]
        begins = np.cumsum([0, *map(len, lists)])
        numbers = facts[PLACE[name]]
        found = np.where((numbers >= 0) & ~missing, begins[packs] + numbers, -1)
        return _named(found, [text for one in lists for text in one])

    def numbers(name: str, kind: pa.DataType) -> pa.Array:
        return pa.array(facts[PLACE[name]].astype(kind.to_pandas_dtype()), kind, mask=missing)

    def words(name: str, texts: Sequence[str]) -> pa.Array:
        return _named(np.where(missing, -1, facts[PLACE[name]]), texts)

    columns = {
        "pack": _named(np.where(missing, -1, packs), [pack.id for pack in bundle.packs]),
        "county": of_packs("county", _areas),
        "scheme": words("scheme", [SCHEME_NATIONAL.get(scheme, "") for scheme in Scheme]),
        "level": of_packs("deductible_level", lambda pack: [level.id for level in pack.levels]),
        "care_kind": words("care_kind", [kind.name.lower() for kind in CareKind]),
        "person_type": words("person_type", PERSON_TYPES),
        "assistance": of_packs("assistance", lambda pack: ["", *(one.id for one in pack.assistance)]),
        "principal_diagnosis": _diagnoses(facts, missing),
        "month": pa.array((facts[PLACE["settlement_date"]] // 100).astype(np.int32), pa.int32(), mask=missing),
    }
    same = {"person_group": "group", "level_number": "deductible_level", "category": "assistance"}
    same["at_counter"] = "settled_at_counter"
    for one in SCHEMA:
        if one.name not in columns:
            columns[one.name] = numbers(same.get(one.name, one.name), one.type)
    return pa.table([columns[name] for name in SCHEMA.names], SCHEMA)


def _diagnoses(facts: np.ndarray, missing: np.ndarray) -> pa.DictionaryArray:
    words = np.ascontiguousarray(facts[[PLACE["diagnosis"], PLACE["diagnosis_more"]]].T)
    codes, numbers = np.unique(np.where(missing[:, None], 0, words).view("S16").reshape(-1), return_inverse=True)
    texts = [code.decode("utf-8", "replace") for code in codes.tolist()]
    return _named(np.where(missing, -1, numbers.reshape(-1)), texts)


def _areas(pack: Pack) -> list[str]:
    return [str(area.code) for area in pack.areas]


def _named(numbers: np.ndarray, texts: Sequence[str]) -> pa.DictionaryArray:
    """Return texts by number, null where it is below 0; the dictionary has those that occur, in order."""
    used, index = np.unique(numbers, return_inverse=True)
    values = sorted({texts[number] for number in used.tolist() if number >= 0})
    place = {text: position for position, text in enumerate(values)}
    places = np.array([place[texts[number]] if number >= 0 else -1 for number in used.tolist()], np.int32)
    indices = places[index.reshape(-1)]
    return pa.DictionaryArray.from_arrays(
        pa.array(indices, pa.int32(), mask=indices < 0), pa.array(values, pa.string())
    )
