"""Step 3, one unit: the results of its claims in the order of the input, as a Parquet file.

Columns are the fields of ``Settlement``; a claim that was refused has ``outcome`` 4 and no amounts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adjudicator.claim.engine import OUTCOME_TRIAL
from adjudicator.payers import PAYERS, ROWS
from adjudicator.reprice import facts
from adjudicator.reprice.job import Job, engine_of, read_job
from adjudicator.reprice.packing import read_table
from adjudicator.reprice.packing_kernel import turn
from adjudicator.reprice.source import Unit, identity_of
from adjudicator.reprice.store import draft_of, write_receipt
from adjudicator.rules.bundle import Bundle
from adjudicator.v1 import settlement_pb2

REFUSED = int(settlement_pb2.OUTCOME_REFUSED)
PAYER_FIELDS: tuple[str, ...] = tuple(
    payer.field for payer in (*ROWS, *(payer for payer in PAYERS if not payer.has_row))
)
"""In the order in which ``claim.assemble`` adds payers up."""
COLUMNS: tuple[str, ...] = (
    *PAYER_FIELDS, "error", "total_fen", "wholly_self_paid_fen", "over_ceiling_fen", "first_pay_fen", "in_scope_fen",
    "deductible_standard_fen", "deductible_fen", "pooled_rate_ppm", "fund_total_fen", "personal_total_fen",
    "account_balance_fen", "clearing_method", "benefit_year", "plan", "unverified_rules", "counts_as_admission",
    "scheme", "status", "mdc", "adrg", "drg", "method", "points_e8", "point_value_e4", "due_fen", "difference_fen",
)  # fmt: skip
"""Columns of the table that ``kernels.fill_results`` writes."""
PLACE = {name: place for place, name in enumerate(COLUMNS)}
_BEFORE_PAYERS = (
    "total_fen", "wholly_self_paid_fen", "over_ceiling_fen", "first_pay_fen", "in_scope_fen", "deductible_standard_fen",
    "deductible_fen", "pooled_rate_ppm",
)  # fmt: skip
_AFTER_PAYERS = ("fund_total_fen", "personal_total_fen", "account_balance_fen")
AMOUNTS: tuple[str, ...] = (*_BEFORE_PAYERS, *sorted(PAYER_FIELDS), *_AFTER_PAYERS)
SUMMED: tuple[str, ...] = tuple(name for name in AMOUNTS if name.endswith("_fen"))
"""Amounts whose totals a run tells."""
SMALL: dict[str, pa.DataType] = {"clearing_method": pa.int8(), "benefit_year": pa.int16()}
FLAGS = ("unverified_rules", "counts_as_admission")
PAYMENT: dict[str, str] = {
    "payment_method": "method", "points_e8": "points_e8", "point_value_e4": "point_value_e4", "due_fen": "due_fen",
    "difference_fen": "difference_fen",
}  # fmt: skip
"""Column of the file -> column of the table."""
TEXTS = ("rules_hash", "rules_version", "grouping_scheme", "mdc", "adrg", "drg")
ROWS_AT_ONCE = 131_072
"""Rows of a row group."""
_TEXT = pa.dictionary(pa.int32(), pa.string())


class Names(NamedTuple):
    """Texts of a bundle that results name by number; the last of each list is empty."""

    hash: str
    versions: list[str]
    schemes: list[str]
    mdcs: list[list[str]]
    adrgs: list[list[str]]
    drgs: list[list[str]]


def names_of(bundle: Bundle) -> Names:
    """Return the texts of a bundle."""
    schemes = bundle.schemes
    return Names(
        bundle.hash, [*bundle.rule_versions, ""], [*(one.name for one in schemes), ""],
        *([list(getattr(one.texts, name)) for one in schemes] for name in ("mdc_codes", "adrg_codes", "drg_codes")),
    )  # fmt: skip


def schema() -> pa.Schema:
    """Return the columns of the results."""
    fields = [("institution_code", _TEXT), ("encounter_id", pa.string()), ("settlement_sequence", pa.int32())]
    fields += [("outcome", pa.int8()), *((name, pa.int64()) for name in AMOUNTS), *SMALL.items()]
    fields += [(name, pa.bool_()) for name in FLAGS] + [(name, _TEXT) for name in TEXTS[:3]]
    fields += [("grouping_status", pa.int8()), *((name, _TEXT) for name in TEXTS[3:])]
    fields += [("payment_method", pa.int8()), *((name, pa.int64()) for name in list(PAYMENT)[1:])]
    return pa.schema(fields)


def path_of(job: Job, unit: int) -> Path:
    """Return the file of the results of a unit."""
    return Path(job.folder) / "settlements" / f"part-{unit:05d}.parquet"


def bucket_path(job: Job, bucket: int) -> Path:
    """Return the file of the amounts of a bucket, as ``packing.sections_of_table`` has them."""
    return job.work / f"amounts-{bucket:05d}.bin"


def write_unit(path: str, number: int) -> dict[str, Any]:
    """Write the results of one unit of a job and return its receipt."""
    job = read_job(path)
    unit, out = job.source.units[number], path_of(job, number)
    names = names_of(engine_of(job).bundle)
    buckets = [bucket_path(job, bucket) for bucket in range(job.buckets)]
    identity = _identity(job, unit)
    settled = 0
    totals = dict.fromkeys(SUMMED, 0)
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_of(out)
    table = no_results(unit.claims)
    for bucket in buckets:
        read_table(bucket, number, unit.first, table)
    with _writer(draft) as writer:
        for first in range(0, unit.claims, ROWS_AT_ONCE):
            columns = columns_of(table[first : first + ROWS_AT_ONCE])
            count = columns.shape[1]
            part = [column.slice(first, count) for column in identity]
            writer.write_table(table_of(columns, part, names), row_group_size=count)
            good = columns[PLACE["error"]] == 0
            settled += int(good.sum())
            for name in SUMMED:
                totals[name] += int(columns[PLACE[name]].sum())
    draft.replace(out)
    files = [out, facts.write_unit(job, unit, ROWS_AT_ONCE)] if job.with_facts else [out]
    counted = {"claims": unit.claims, "settled": settled, "totals": totals}
    return write_receipt(job.work / f"settlements-{number:05d}", [], counted, files)


def _identity(job: Job, unit: Unit) -> list[pa.ChunkedArray]:
    """Return institution, encounter and sequence in the types of the results."""
    return identity_columns(identity_of(job.source, unit, job.columns()))


def identity_columns(came: dict[str, pa.ChunkedArray]) -> list[pa.ChunkedArray]:
    """Return institution, encounter and sequence as they came in the types of the results."""
    institution, encounter = (_text(came[name]) for name in ("institution_code", "encounter_id"))
    sequence = came["settlement_sequence"]
    if pa.types.is_dictionary(sequence.type):
        sequence = sequence.cast(sequence.type.value_type)
    if not pa.types.is_integer(sequence.type):
        sequence = (
            pc.cast(sequence, pa.int64(), safe=False) if not pa.types.is_string(sequence.type) else _digits(sequence)
        )
    least_and_most = pc.and_(pc.greater_equal(sequence, 0), pc.less(sequence, 2**31))
    sequence = pc.if_else(least_and_most, sequence, None).cast(pa.int32())
    return [institution.dictionary_encode().cast(_TEXT), encounter, sequence]


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of ids as text; one that is not UTF-8 is empty."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        whole = [
            None if one is None else one.decode("utf-8", "replace") for one in column.cast(pa.binary()).to_pylist()
        ]
        column = pa.chunked_array([pa.array(whole, pa.string())])
    return column.cast(pa.string())


def _digits(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the number of a text of digits, null for another."""
    good = pc.fill_null(pc.match_substring_regex(column, r"^[0-9]{1,9}$"), False)
    return pc.if_else(good, column, None).cast(pa.int64())


def _writer(path: Path) -> pq.ParquetWriter:
    """Return a writer; amounts are packed as differences, texts as dictionaries."""
    columns = schema()
    texts = [one.name for one in columns if pa.types.is_dictionary(one.type)]
    packed = {
        one.name: "DELTA_BINARY_PACKED"
        for one in columns
        if pa.types.is_integer(one.type) and one.type.bit_width >= pa.int32().bit_width
    }
    return pq.ParquetWriter(path, columns, use_dictionary=texts, column_encoding=packed, compression="zstd")


def no_results(count: int) -> np.ndarray:
    """Return int64[count, COLUMNS] of claims that came to no bucket, for they were refused before: with an error."""
    table = np.zeros((count, len(COLUMNS)), np.int64)
    table[:, PLACE["error"]] = 1
    return table


def columns_of(table: np.ndarray) -> np.ndarray:
    """Return int64[COLUMNS, n] of int64[n, COLUMNS]."""
    # Rows that begin 2^k bytes apart share one set of the processor's cache; eight more words put them elsewhere.
    columns: np.ndarray = np.empty((len(COLUMNS), len(table) + 8), np.int64)[:, : len(table)]
    turn(table, columns)
    return columns


def table_of(matrix: np.ndarray, identity: list[pa.ChunkedArray], names: Names) -> pa.Table:
    """Return the columns of the results."""
    good = matrix[PLACE["error"]] == 0
    outcome = np.where(good, OUTCOME_TRIAL, REFUSED)
    columns: list[Any] = [*identity, outcome.astype(np.int8)]
    columns += [matrix[PLACE[name]] for name in AMOUNTS]
    columns += [matrix[PLACE[name]].astype(kind.to_pandas_dtype()) for name, kind in SMALL.items()]
    columns += [matrix[PLACE[name]] != 0 for name in FLAGS]
    scheme = np.where(good, matrix[PLACE["scheme"]], -1)
    plans = np.where(good, matrix[PLACE["plan"]], -1)
    columns += [_named(np.where(good, 0, -1), [names.hash, ""]), _named(plans, names.versions)]
    columns += [_named(scheme, names.schemes), matrix[PLACE["status"]].astype(np.int8)]
    for name, lists in (("mdc", names.mdcs), ("adrg", names.adrgs), ("drg", names.drgs)):
        begins = np.cumsum([0, *map(len, lists)])
        ids = matrix[PLACE[name]]
        texts = [text for one in lists for text in one]
        columns.append(_named(np.where((scheme >= 0) & (ids >= 0), begins[scheme] + ids, -1), [*texts, ""]))
    columns.append(matrix[PLACE["method"]].astype(np.int8))
    columns += [matrix[PLACE[name]] for name in list(PAYMENT.values())[1:]]
    return pa.table(columns, schema=schema())


def _named(numbers: np.ndarray, texts: list[str]) -> pa.DictionaryArray:
    """Return texts by number, -1 is the last of them; the dictionary has those that occur, each once and in order."""
    used, index = np.unique(np.where(numbers < 0, len(texts) - 1, numbers), return_inverse=True)
    occurring = [texts[number] for number in used.tolist()]
    values = sorted(set(occurring))
    places = np.array([values.index(text) for text in occurring], np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(places[index.reshape(-1)]), pa.array(values, pa.string()))
