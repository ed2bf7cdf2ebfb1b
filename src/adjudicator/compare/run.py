"""Compare two answers to the same claims: differences, totals, people; every sum proved before anything is shown."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adjudicator.codes import Method
from adjudicator.compare.answers import BURDEN, MONEY, STAGES, both, first_stage
from adjudicator.compare.causes import Causes
from adjudicator.compare.differences import FILE, NOBODY, PLACED, Batch, Collector, Placed, Refusals, by_cause
from adjudicator.compare.lines import Found, Lines
from adjudicator.compare.memory import Room, room_for
from adjudicator.compare.people import ALL, People
from adjudicator.compare.sides import KEY, Folder, Recorded, check_same_claims, not_comparable
from adjudicator.compare.through import Plan, Through
from adjudicator.compare.totals import CUBES, Sums
from adjudicator.reprice import facts
from adjudicator.reprice.results import ROWS_AT_ONCE
from adjudicator.reprice.store import renamed
from adjudicator.rules.as_on import split_name

SUMMARY = "summary.json"
FORMAT = 1
_STAGE_NAMES = [stage.id for stage in STAGES]


class Comparison(NamedTuple):
    """What came out; the tables are in the folder too."""

    folder: Path
    old: str
    new: str
    """Names of both sides."""
    claims: int
    """Claims that one of the rules priced."""
    differ: int
    sums_old: dict[str, int]
    sums_new: dict[str, int]
    persons: dict[str, int]
    """How many there are, how many pay less and more, and how much."""

    @property
    def reconciled(self) -> list[tuple[str, int, int, int]]:
        """Each amount with its old and new sum and the sum of the differences, proved to be the same."""
        return [
            (name, self.sums_old[name], self.sums_new[name], self.sums_new[name] - self.sums_old[name])
            for name in MONEY
        ]


def compare(
    old: Folder | Recorded, new: Folder, output: Path, plan: Plan | None = None, rows: int = ROWS_AT_ONCE
) -> Comparison:
    """Compare two sides and write everything to a folder; return what came out.

    ``plan`` says how far to go on from the claims to clearing and deficits, None not at all; ``rows`` is how many
    claims to compare at a time (``room_of``) and changes no byte.

    Errors: E.NOT_COMPARABLE where they are not of the same claims or nobody wrote facts, E.INTERNAL where a sum is not
    what it must be.
    """
    check_sides(old, new)
    known = [side for side in (new, old) if isinstance(side, Folder) and side.has_facts]
    with_lines = _have_lines(old, new)
    claims = int(new.manifest["summary"]["claims"])
    output.mkdir(parents=True, exist_ok=True)
    bundles = (old.bundle if isinstance(old, Folder) else None), new.bundle
    days = (_day_of(old) if isinstance(old, Folder) else 0), _day_of(new)
    refusals = (_refusals(old) if isinstance(old, Folder) else NOBODY), _refusals(new)
    collector = Collector(Causes(*bundles, days), refusals, claims, output)
    sums, people = Sums(), People(claims)
    new_packs = new.manifest["packs"]
    old_packs = old.manifest["packs"] if isinstance(old, Folder) else new_packs
    through = Through(plan, old_packs, new_packs) if plan is not None else None
    lines = Lines(old, new, output) if with_lines and isinstance(old, Folder) else None
    for batch in batches(old, new, known, rows):
        stages = first_stage(batch.answers)
        collector.add(batch, stages)
        texts = pa.array(_STAGE_NAMES, pa.string())
        own = pa.array(np.where(stages < 0, 0, stages).astype(np.int32), mask=stages < 0)
        sums.add(batch, stages, pa.DictionaryArray.from_arrays(own, texts))
        people.add(batch)
        if through is not None:
            through.add(batch)
        if lines is not None:
            lines.add(batch)
    claimed = (
        (old.manifest["summary"]["totals"] if isinstance(old, Folder) else None),
        new.manifest["summary"]["totals"],
    )
    sums.reconcile(claimed)
    people.reconcile(sums.old[BURDEN], sums.new[BURDEN])
    collector.write(output / FILE)
    tenths = people.tenths()
    tables = {cube.file: sums.table(cube) for cube in CUBES}
    tables |= {"tenths": tenths, "largest": people.largest(output / FILE), "causes": by_cause(output / FILE)}
    tables |= through.tables() if through is not None else {}
    of_lines, items = lines.finish() if lines is not None else (None, {})
    tables |= items
    for name, table in tables.items():
        renamed(output / f"{name}.parquet", functools.partial(_write_table, table))
    everybody = next(row for row in tenths.to_pylist() if row["who"] == ALL)
    found = Comparison(
        output, old.label, new.label, sums.counts["claims"], collector.count, sums.old, sums.new,
        {name: everybody[name] for name in ("persons", "persons_pay_less", "persons_pay_more", "less_fen", "more_fen")},
    )  # fmt: skip
    _write_summary(found, sums, (bundles[0].hash if bundles[0] else "", bundles[1].hash), of_lines)
    return found


def check_sides(old: Folder | Recorded, new: Folder) -> None:
    """Refuse sides that cannot be compared. Errors: E.NOT_COMPARABLE."""
    folders = [side for side in (new, old) if isinstance(side, Folder)]
    if not any(side.has_facts for side in folders):
        nobody = "neither run has the facts of its claims"
        raise not_comparable(nobody, "两次任务均未写出结算特征（--facts）")
    if any(side.units != new.units for side in folders):
        raise not_comparable("the runs have other files of claims", "两次任务的输入文件不同")
    for side in folders:
        side.check_columns(_have_lines(old, new))


def _have_lines(old: Folder | Recorded, new: Folder) -> bool:
    return isinstance(old, Folder) and old.has_lines and new.has_lines


def room_of(old: Folder | Recorded, new: Folder, plan: Plan | None, memory: int) -> Room:
    """Return what a comparison within a memory will take. Errors: E.NOT_COMPARABLE, E.MEMORY_TOO_SMALL."""
    check_sides(old, new)
    claims, cases = int(new.manifest["summary"]["claims"]), _cases(old, new) if plan is not None else 0
    return room_for(memory, claims, cases, _have_lines(old, new))


def _cases(old: Folder | Recorded, new: Folder) -> int:
    """Return how many cases of DRG points both sides have; recorded answers may have as many as the new ones."""
    own = new.count("payment_method", int(Method.DRG_POINTS))
    return own + (old.count("payment_method", int(Method.DRG_POINTS)) if isinstance(old, Folder) else own)


def _write_table(table: pa.Table, file: BinaryIO) -> None:
    pq.write_table(table, file, compression="zstd")


def _write_summary(found: Comparison, sums: Sums, hashes: tuple[str, str], of_lines: Found | None) -> None:
    content = {
        "format": FORMAT, "old": found.old, "new": found.new, "old_rules_hash": hashes[0], "new_rules_hash": hashes[1],
        "counts": sums.counts, "persons": found.persons, "sums_old": found.sums_old, "sums_new": found.sums_new,
        "difference": sums.difference, "lines": of_lines.summary() if of_lines is not None else None,
    }  # fmt: skip
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    renamed(found.folder / SUMMARY, lambda file: file.write(text.encode()))


def _day_of(side: Folder) -> int:
    """Return the day on which the rules of a side are taken, 0 those of each claim."""
    return split_name(side.manifest["packs"][0])[1]


def _refusals(side: Folder) -> Refusals:
    return Refusals(*side.refusals())


def batches(old: Folder | Recorded, new: Folder, known: list[Folder], rows: int) -> Iterator[Batch]:
    """Yield both answers and the facts of all claims, at most ``rows`` at a time; facts of ``known[0]``, then of the
    other.
    """
    first = 0
    for unit in range(new.units):
        sides = [side.facts(unit, rows) for side in known]
        for before, after, *own in zip(old.parts(unit, rows), new.parts(unit, rows), *sides, strict=True):
            if len(before) != len(after):
                raise not_comparable("the runs have other files of claims", "两次任务的输入文件不同")
            check_same_claims(before, after, first)
            chosen = dict(zip(map(id, known), own, strict=True))
            placed = Placed(*(_placed(chosen.get(id(side)), len(after)) for side in (old, new)))
            yield Batch(first, both(before, after), after.select(list(KEY)), _facts(own), placed)
            first += len(after)


def _facts(own: list[pa.Table]) -> pa.Table:
    """Return the facts of some claims; one that a side has none of, because it was refused, has those of the other."""
    if len(own) == 1 or not own[0].column("pack").null_count:
        return own[0]
    missing = own[0].column("pack").is_null()
    columns = [_either(missing, other, one) for one, other in zip(own[0].columns, own[1].columns, strict=True)]
    return pa.table(columns, facts.SCHEMA)


def _placed(table: pa.Table | None, count: int) -> np.ndarray:
    """Return int64[PLACED, n]: where each claim stands in the rules of a side, -1 where that is not known."""
    if table is None:
        return np.full((len(PLACED), count), -1, np.int64)
    return np.stack([table.column(name).fill_null(-1).to_numpy().astype(np.int64) for name in PLACED])


def _either(missing: pa.ChunkedArray, other: pa.ChunkedArray, one: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = one.type
    if pa.types.is_dictionary(kind):
        return pc.if_else(missing, other.cast(pa.string()), one.cast(pa.string())).dictionary_encode().cast(kind)
    return pc.if_else(missing, other, one)
