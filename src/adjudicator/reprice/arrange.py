"""Step 0, for lines in any order: sort them to their claims out of core, so that the other steps read them in order.

1. ``index``, where lines name their claim by encounter: the keys of each unit of claims. 2. ``merge``: a sorted part of
all keys. 3. ``route``: each part of the lines finds its claims and is cut by units of claims. 4. ``gather``: the lines
of each unit, in the order of its claims; those of one claim stay in the order of the files.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adjudicator.errors import E, refuse
from adjudicator.reprice.fields import CLAIM_ROW, LINE_KEYS, LINE_NUMBER, ORIGINAL_NUMBER
from adjudicator.reprice.job import Job, read_job
from adjudicator.reprice.keys_kernel import digest_texts
from adjudicator.reprice.source import Source, Unit, spans_of
from adjudicator.reprice.steps import Step
from adjudicator.reprice.store import renamed, write_receipt

PARTITION_CLAIMS = 4_000_000
"""Claims whose keys are in memory at once: 24 bytes each."""
CLAIMS_AT_ONCE = 16_384
"""Claims of a row group of sorted lines."""
_KEY = np.dtype([("low", "u8"), ("high", "u8"), ("row", "i8")])
_BETWEEN = "\x1f"


def partitions_of(job: Job) -> int:
    """Return how many parts the keys of all claims have; none where lines name the row of their claim."""
    return 0 if not _key_names(job) else 1 + job.source.claims // PARTITION_CLAIMS


def arranged_path(job: Job, unit: int) -> Path:
    """Return the file of the sorted lines of a unit of claims."""
    return job.work / f"lines-{unit:05d}.parquet"


def index_path(job: Job, unit: int) -> Path:
    """Return the file of the keys of a unit of claims."""
    return job.work / f"index-{unit:05d}.npy"


def merged_path(job: Job, part: int) -> Path:
    """Return the file of a sorted part of all keys."""
    return job.work / f"merged-{part:05d}.npy"


def routed_path(job: Job, number: int) -> Path:
    """Return the file of a part of the lines, cut by units of claims."""
    return job.work / f"routed-{number:05d}.arrow"


def in_order(job: Job, unit: Unit) -> Source:
    """Return the source as the lines of a unit are read: those that were sorted, or the input as it is."""
    if not job.source.loose:
        return job.source
    spans = spans_of([arranged_path(job, unit.number)], job.source.claims)
    return job.source._replace(spans=spans)


# ---------------------------------------------------------------- keys


def _key_names(job: Job) -> list[str]:
    """Return which of institution, encounter and sequence the lines have, none where they have the row of the claim."""
    names = pq.read_schema(job.source.loose[0].file).names
    keys = job.columns().line_keys
    return [] if CLAIM_ROW in names else [name for name in LINE_KEYS if name in keys and keys[name] in names]


def _digests(columns: list[pa.ChunkedArray]) -> np.ndarray:
    """Return uint64[n, 2] of rows of texts or whole numbers; a row with a null has the digest of no claim."""
    texts = [pc.utf8_trim_whitespace(_plain(column).cast(pa.string())) for column in columns]
    joined = pc.fill_null(pc.binary_join_element_wise(*texts, _BETWEEN), "").cast(pa.large_string())
    array = joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined
    array = pa.concat_arrays(array.chunks) if isinstance(array, pa.ChunkedArray) else array
    _, offsets, data = array.buffers()
    out = np.empty((len(array), 2), np.uint64)
    ends = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    octets = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    digest_texts(np.concatenate((octets, np.zeros(16, np.uint8))), ends, out)
    return out


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def index_unit(path: str, number: int) -> dict[str, Any]:
    """Write the keys of the claims of a unit."""
    job = read_job(path)
    unit, mapping = job.source.units[number], job.columns()
    own = [mapping.claim[name] for name in _key_names(job)]
    names = [column.name for column in own if column.name]
    table = pq.ParquetFile(unit.file).read_row_groups(list(range(unit.begin, unit.end)), names, use_threads=False)
    columns = [
        table.column(column.name) if column.name else pa.chunked_array([pa.repeat(str(column.value), unit.claims)])
        for column in own
    ]
    keys = np.empty(unit.claims, _KEY)
    digests = _digests(columns)
    keys["low"], keys["high"], keys["row"] = digests[:, 0], digests[:, 1], unit.first + np.arange(unit.claims)
    out = index_path(job, number)
    renamed(out, lambda file: np.save(file, keys))
    return write_receipt(out, [out], {"claims": unit.claims})


def merge_keys(path: str, part: int) -> dict[str, Any]:
    """Write a part of all keys, sorted; of claims with one key the first. Errors: E.INPUT_UNREADABLE."""
    job = read_job(path)
    parts, found = partitions_of(job), []
    for unit in job.source.units:
        keys = np.load(index_path(job, unit.number))
        found.append(keys[keys["low"] % np.uint64(parts) == part])
    keys = np.concatenate(found)
    keys = keys[np.lexsort((keys["row"], keys["high"], keys["low"]))]
    same = (keys["low"][1:] == keys["low"][:-1]) & (keys["high"][1:] == keys["high"][:-1])
    names = _key_names(job)
    if same.any() and len(names) < len(LINE_KEYS):
        row = int(keys["row"][1:][same].min())
        missing = ", ".join(name for name in LINE_KEYS if name not in names)
        twice = f"the lines have {' and '.join(names)} alone, which row {row} of the claims shares; add {missing}"
        twice_zh = f"明细仅以 {'、'.join(names)} 指明结算单，而第 {row} 行与他行相同，请补充 {missing}"
        raise refuse(E.INPUT_UNREADABLE, names[0], twice, twice_zh)
    keys = keys[np.concatenate(([True], ~same))] if len(keys) else keys
    out = merged_path(job, part)
    renamed(out, lambda file: np.save(file, keys))
    return write_receipt(out, [out], {"claims": len(keys)})


def _rows_of(job: Job, table: pa.Table) -> np.ndarray:
    """Return the claim row of each line, -1 where there is none."""
    names, keys = _key_names(job), job.columns().line_keys
    if not names:
        rows: np.ndarray = table.column(CLAIM_ROW).fill_null(-1).to_numpy().astype(np.int64)
        rows[(rows < 0) | (rows >= job.source.claims)] = -1
        return rows
    digests = _digests([table.column(keys[name]) for name in names])
    distinct, which = np.unique(digests.view("V16").reshape(-1), return_inverse=True)
    wanted = distinct.view(np.uint64).reshape(-1, 2)
    found = np.full(len(wanted), -1, np.int64)
    parts = partitions_of(job)
    for part in range(parts):
        own = np.flatnonzero(wanted[:, 0] % np.uint64(parts) == part)
        merged = np.load(merged_path(job, part), mmap_mode="r")
        if not len(own) or not len(merged):
            continue
        # Two keys with the same low half are as good as impossible; the high half is compared all the same.
        place = np.minimum(np.searchsorted(merged["low"], wanted[own, 0]), len(merged) - 1)
        hit = (merged["low"][place] == wanted[own, 0]) & (merged["high"][place] == wanted[own, 1])
        found[own[hit]] = merged["row"][place[hit]]
    return found[which.reshape(-1)]


# ---------------------------------------------------------------- lines


def route_lines(path: str, number: int) -> dict[str, Any]:
    """Cut a part of the lines by units of claims. Errors: E.INPUT_UNREADABLE where a line names no claim."""
    job = read_job(path)
    part, mapping = job.source.loose[number], job.columns()
    file = pq.ParquetFile(part.file)
    wanted = {column.name for column in mapping.line.values()} | {CLAIM_ROW, LINE_NUMBER, ORIGINAL_NUMBER}
    names = [name for name in file.schema_arrow.names if name in wanted | set(mapping.line_keys.values())]
    table = file.read_row_groups(list(range(part.begin, part.end)), names, use_threads=False)
    rows = _rows_of(job, table)
    lost = np.flatnonzero(rows < 0)
    if len(lost):
        where = part.row_in_file + int(lost[0])
        none = f"{len(lost):,} lines of {Path(part.file).name} from row {where} on name no claim"
        none_zh = f"{Path(part.file).name} 自第 {where} 行起有 {len(lost)} 行明细找不到对应结算单"
        raise refuse(E.INPUT_UNREADABLE, CLAIM_ROW, none, none_zh)
    table = table.select([name for name in names if name in wanted and name != CLAIM_ROW])
    order = np.argsort(rows, kind="stable")
    table = pa.table({name: _plain(table.column(name)) for name in table.column_names})
    table = table.append_column(CLAIM_ROW, pa.array(rows)).take(pa.array(order)).combine_chunks()
    cuts = np.searchsorted(rows[order], job.source.firsts).tolist()
    out = routed_path(job, number)

    def write(target: Any) -> None:
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.ipc.new_file(target, table.schema, options=options) as writer:
            for begin, end in itertools.pairwise(cuts):
                writer.write_batch(_one_batch(table.slice(begin, end - begin)))

    renamed(out, write)
    return write_receipt(out, [out], {"claims": 0})


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], table.schema)


def gather_lines(path: str, number: int) -> dict[str, Any]:
    """Write the lines of a unit of claims in the order of its claims."""
    job = read_job(path)
    unit = job.source.units[number]
    parts = []
    for part in range(len(job.source.loose)):
        with pa.memory_map(str(routed_path(job, part))) as file:
            parts.append(pa.ipc.open_file(file).get_batch(number))
    rows = [part.column(CLAIM_ROW).to_numpy() for part in parts]
    out = arranged_path(job, number)

    def write(target: Any) -> None:
        schema = parts[0].schema
        with pq.ParquetWriter(target, schema, compression="lz4") as writer:
            for first in range(unit.first, unit.first + unit.claims, CLAIMS_AT_ONCE):
                ends = (first, min(first + CLAIMS_AT_ONCE, unit.first + unit.claims))
                cuts = (np.searchsorted(own, ends).tolist() for own in rows)
                table = pa.Table.from_batches(
                    [part.slice(low, high - low) for part, (low, high) in zip(parts, cuts, strict=True)], schema
                )
                if table.num_rows:
                    order = np.argsort(table.column(CLAIM_ROW).to_numpy(), kind="stable")
                    writer.write_table(table.take(pa.array(order)), row_group_size=table.num_rows)

    renamed(out, write)
    return write_receipt(out, [out], {"claims": unit.claims})


def steps_of(job: Job) -> list[Step]:
    """Return the steps for lines in any order, none where they are in order."""
    if not job.source.loose:
        return []
    units, parts = [unit.number for unit in job.source.units], range(partitions_of(job))
    by_key = [Step("index", index_unit, units, index_path), Step("merge", merge_keys, parts, merged_path)]
    routes = Step("route", route_lines, range(len(job.source.loose)), routed_path)
    return [*(by_key if parts else ()), routes, Step("gather", gather_lines, units, arranged_path)]
