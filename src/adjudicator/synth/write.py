"""Writes a synthetic city to files: protobuf batches as a client sends them, or flat Parquet tables for analysts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adjudicator.catalogue.tables import yyyymmdd
from adjudicator.synth.chunk import Chunk
from adjudicator.synth.city import CHUNK, Synthesizer

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

PROTOBUF_FILE, CLAIMS_FILE, LINES_FILE, ABOUT_FILE = "claims.pb", "claims.parquet", "lines.parquet", "about.json"

ROW_GROUP_CHUNKS = 64
"""Chunks in a row group of the Parquet tables."""

Progress = Callable[[int], None]


def write_protobuf(city: Synthesizer, count: int, path: Path, batch_size: int, progress: Progress) -> None:
    """One file of ClaimBatch messages, each after its length as a varint (the usual delimited form)."""
    with path.open("wb") as file:
        for number, batch in enumerate(city.batches(count, batch_size), start=1):
            file.write(_varint(len(batch)))
            file.write(batch)
            progress(min(number * batch_size, count))


def read_protobuf(path: Path) -> Iterator[bytes]:
    """Yield the ClaimBatch messages of a file that :func:`write_protobuf` wrote.

    Raises ValueError where the file ends inside a message.
    """
    content = memoryview(path.read_bytes())
    position = 0
    while position < len(content):
        length, shift = 0, 0
        while True:
            byte = content[position] if position < len(content) else 0x80
            if position >= len(content) or shift > 28:
                raise ValueError(f"{path.name} ends inside a message, or is not a file of delimited messages")
            length |= (byte & 0x7F) << shift
            position, shift = position + 1, shift + 7
            if byte < 0x80:
                break
        if position + length > len(content):
            raise ValueError(f"{path.name} ends inside a message, or is not a file of delimited messages")
        yield bytes(content[position : position + length])
        position += length


def _varint(number: int) -> bytes:
    """Return a number as protobuf writes lengths.

    >>> _varint(300).hex()
    'ac02'
    """
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def write_parquet(city: Synthesizer, count: int, folder: Path, progress: Progress) -> None:
    """Two flat tables: ``claims.parquet``, one row a claim, and ``lines.parquet`` with ``claim``, the row of its claim.

    Column names are those of the messages. Codes are dictionaries, amounts delta-packed.
    """
    import pyarrow as pa

    writers: dict[str, pq.ParquetWriter] = {}
    waiting: dict[str, list[pa.Table]] = {CLAIMS_FILE: [], LINES_FILE: []}
    rows = 0

    def flush() -> None:
        for name, tables in waiting.items():
            if not tables:
                continue
            table = pa.concat_tables(tables)
            if name not in writers:
                writers[name] = _writer(folder / name, table.schema)
            writers[name].write_table(table, row_group_size=len(table))
            tables.clear()

    for number, chunk in enumerate(city.chunks(count), start=1):
        pool = city.pool(chunk.pack)
        waiting[CLAIMS_FILE].append(_claim_table(list(pool.fields(chunk))))
        waiting[LINES_FILE].append(_line_table(chunk, pool.goods.codes, rows))
        rows += len(chunk)
        if number % ROW_GROUP_CHUNKS == 0:
            flush()
        progress(min(number * CHUNK, count))
    flush()
    for writer in writers.values():
        writer.close()


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = [field.name for field in schema if pa.types.is_dictionary(field.type) or pa.types.is_list(field.type)]
    packed = {field.name: "DELTA_BINARY_PACKED" for field in schema if pa.types.is_integer(field.type)}
    return pq.ParquetWriter(path, schema, use_dictionary=texts, column_encoding=packed, compression="zstd")


CLAIM_TEXTS = (
    "institution_code", "encounter_id", "person_id", "insured_area", "care_area", "scheme", "person_type", "care_type",
    "assistance_category", "hospital_level", "disease_code",
)  # fmt: skip
CLAIM_NUMBERS = (
    "settlement_sequence", "settlement_date", "admission_date", "discharge_date", "total_fen", "sex", "age_years",
    "age_days", "contribution_tier", "filing", "referral", "referral_deductible_fen", "discharge_way", "icu_hours",
    "maternity_type", "fetus_count", "account_current_fen", "account_past_fen", "account_family_fen",
)  # fmt: skip
CLAIM_FLAGS = ("civil_servant", "family_doctor_signed", "at_signed_institution", "use_account")
_OPTIONAL = ("age_years", "age_days")
_UNIQUE = ("encounter_id",)


def _claim_table(rows: list[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    columns: dict[str, pa.Array] = {}
    for name in CLAIM_TEXTS:
        texts = pa.array([row.get(name, "") for row in rows], pa.string())
        columns[name] = texts if name in _UNIQUE else texts.dictionary_encode()
    for name in CLAIM_NUMBERS:
        columns[name] = pa.array([row.get(name, None if name in _OPTIONAL else 0) for row in rows], pa.int64())
    for name in CLAIM_FLAGS:
        columns[name] = pa.array([row.get(name, False) for row in rows], pa.bool_())
    for name in ("diagnoses", "procedures"):
        columns[name] = pa.array([list(row[name]) for row in rows], pa.list_(pa.string()))
    return pa.table(columns).unify_dictionaries()


def _line_table(chunk: Chunk, codes: list[str], first_row: int) -> pa.Table:
    import pyarrow as pa

    claim = np.repeat(np.arange(len(chunk)), np.diff(chunk.line_start))
    items = pa.DictionaryArray.from_arrays(pa.array(chunk.item, pa.int32()), pa.array(codes, pa.string()))
    return pa.table(
        {
            "claim": claim + first_row,
            "line": np.arange(len(claim)) - chunk.line_start[claim],
            "item_code": items,
            "fee_date": yyyymmdd(chunk.fee_day),
            "unit_price_e4": chunk.price_e4,
            "quantity_e4": chunk.quantity_e4,
            "amount_fen": chunk.amount_fen,
            "approval": chunk.approval.astype(np.int32),
            "original_line": chunk.original.astype(np.int32),
        }
    )


def write_about(city: Synthesizer, count: int, folder: Path) -> dict[str, Any]:
    """``about.json``: what was written and how to write it again."""
    about = {
        "packs": [pack.id for pack in city.bundle.packs], "rules_hash": city.bundle.hash, "claims": count,
        "seed": city.seed, "year": city.year, "inpatient_share": city.inpatient_share, "persons": city.persons,
        "habits": city.habits.as_table(),
    }  # fmt: skip
    (folder / ABOUT_FILE).write_text(json.dumps(about, indent=2) + "\n", "utf-8")
    return about
