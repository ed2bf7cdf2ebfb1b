"""The whole of re-pricing as one function over record batches, for engines that move tables themselves (Spark, Ray).

Claims come nested (a column ``lines``), and all claims of a person follow each other in one call; within a person they
may come in any order. Answers come as columns of the results with the problems of each claim, in the order of the
claims. Memory is that of some tens of thousands of claims.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from adjudicator.claim.engine import Engine
from adjudicator.columns import ACCUMULATOR_COUNT
from adjudicator.reprice.bucket import Bucket, Opening, offsets_of, ordered
from adjudicator.reprice.convert import list_of
from adjudicator.reprice.job import engine_for, same_engine, software
from adjudicator.reprice.mapping import Mapping, own_names, read_mapping
from adjudicator.reprice.prepare import Batch, check_lines, chunk_of, problems_of
from adjudicator.reprice.price import price
from adjudicator.reprice.problems import SCHEMA, Found
from adjudicator.reprice.results import columns_of, identity_columns, names_of, no_results, schema, table_of
from adjudicator.reprice.source import NESTED, check_claims, identity_in
from adjudicator.reprice.tables import Rows, incoming_of

AT_ONCE = 16_384
"""Claims that are priced at once, and those of the last person."""
PROBLEMS = "problems"
_PROBLEM = pa.struct([SCHEMA.field(name) for name in SCHEMA.names if name != "row"])


class Rules(NamedTuple):
    """What a run prices with, as plain values that travel to every process; made by ``rules_of``."""

    packs: list[str]
    """By name, or by a folder that every process sees under this path."""
    rules_hash: str
    software: str
    mapping: str = ""
    """Name of a shipped mapping, or a file that every process sees."""


def rules_of(packs: list[str], mapping: str = "") -> Rules:
    """Return the rules of this process for ``price_partition`` in others."""
    return Rules(packs, engine_for(tuple(packs)).bundle.hash, software(), mapping)


def result_schema() -> pa.Schema:
    """Return the columns of the answers: those of the files of results, with texts instead of dictionaries, and the
    problems of each claim."""
    fields = [(one.name, pa.string() if pa.types.is_dictionary(one.type) else one.type) for one in schema()]
    return pa.schema([*fields, (PROBLEMS, pa.list_(_PROBLEM))])


def price_partition(batches: Iterable[pa.RecordBatch], rules: Rules) -> Iterator[pa.RecordBatch]:
    """Price the claims of whole persons, who follow each other.

    Errors: E.WORKER_DIFFERS where this process has other software or rules, E.INPUT_COLUMN, E.INPUT_TYPE.
    """
    engine = same_engine(rules.packs, rules.rules_hash, rules.software)
    mapping = read_mapping(rules.mapping) if rules.mapping else own_names()
    for part in _whole_persons(batches, mapping):
        yield from _price_part(engine, mapping, part).to_batches()


def _whole_persons(batches: Iterable[pa.RecordBatch], mapping: Mapping) -> Iterator[pa.Table]:
    """Yield tables of about ``AT_ONCE`` claims that end where a person ends."""
    person = mapping.claim["person_id"].name
    waiting: list[pa.RecordBatch] = []
    count, checked = 0, False
    for batch in batches:
        if not checked:
            check_claims(batch.schema, mapping, "nested")
            checked = True
        waiting.append(batch)
        count += batch.num_rows
        if count < AT_ONCE:
            continue
        table = pa.Table.from_batches(waiting)
        persons = table.column(person).combine_chunks()
        changes = np.flatnonzero(pc.not_equal(persons[1:], persons[:-1]).fill_null(True).to_numpy(zero_copy_only=False))
        if len(changes):
            end = int(changes[-1]) + 1
            yield table.slice(0, end)
            waiting = table.slice(end).to_batches()
            count -= end
    if count:
        yield pa.Table.from_batches(waiting)


def _price_part(engine: Engine, mapping: Mapping, table: pa.Table) -> pa.Table:
    """Return the answers to the claims of some whole persons."""
    (record,) = table.combine_chunks().to_batches()
    columns = dict(zip(record.schema.names, record.columns, strict=True))
    ends, entries = list_of(columns.pop(NESTED))
    incoming, unreadable = incoming_of(
        Rows(0, columns, dict(zip(entries.type.names, entries.flatten(), strict=True)), ends), mapping
    )
    batch = Batch(engine.resolve(incoming), 0, unreadable)
    check_lines(batch.resolved)
    bucket = _bucket(engine, batch)
    opening = Opening(np.zeros((bucket.year_count, ACCUMULATOR_COUNT), np.int64), {})
    rows, amounts, found = price(engine, bucket, opening)
    whole = no_results(len(table))
    whole[rows] = amounts
    answers = table_of(columns_of(whole), identity_columns(identity_in(table, mapping)), names_of(engine.bundle))
    answers = answers.append_column(PROBLEMS, _problems([*problems_of(batch), *found], len(table)))
    return answers.cast(result_schema())


def _bucket(engine: Engine, batch: Batch) -> Bucket:
    """Return the claims of a batch in the order in which they are priced."""
    chunk = chunk_of(engine, batch)
    lists = {name: (offsets_of(counts), entries) for name, (counts, entries) in chunk.ragged.items()}
    return ordered(chunk.arrays, lists, chunk.notes)


def _problems(found: list[Found], count: int) -> pa.Array:
    """Return the problems of each claim: what refused it first, then warnings."""
    lists: list[list[dict[str, object]]] = [[] for _ in range(count)]
    for row, one in found:
        values = (one.row.code, one.field, one.message, one.message_zh, one.warning)
        lists[row].append(dict(zip(_PROBLEM.names, values, strict=True)))
    for own in lists:
        own.sort(key=lambda problem: bool(problem["warning"]))
    return pa.array(lists, pa.list_(_PROBLEM))
