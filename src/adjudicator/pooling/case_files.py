"""Writes cases as files that the pooling commands read: Parquet and CSV, a part at a time, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adjudicator.errors import E, refuse
from adjudicator.pooling.cases import COLUMNS, TEXT_COLUMNS, Cases

if TYPE_CHECKING:
    import pyarrow as pa

WRITTEN = (*COLUMNS, "diagnosis", "reason")
"""Columns of an exported file, in order."""
SUFFIXES = (".parquet", ".csv")


class CaseFiles:
    """Files that are being written; each part of the cases goes to all of them."""

    def __init__(self, writers: Sequence[Any]):
        self._writers = writers

    def write(self, cases: Cases) -> None:
        """Append cases to every file."""
        table = table_of(cases)
        for writer in self._writers:
            writer.write_table(table)


def check_targets(paths: Sequence[Path], inputs: Sequence[Path]) -> None:
    """Refuse a file that is an input, is named twice, or has no known suffix. Errors: E.CANNOT_CLEAR."""
    places = [path.resolve() for path in paths]
    for path, place in zip(paths, places, strict=True):
        if path.suffix not in SUFFIXES:
            raise refuse(
                E.CANNOT_CLEAR, "FILE", f"{path.name} is neither .parquet nor .csv; name the file so",
                f"{path.name} 既不是 .parquet 也不是 .csv，请改文件名",
            )  # fmt: skip
        inside = [one for one in inputs if place == one.resolve() or one.resolve() in place.parents]
        if inside or places.count(place) > 1:
            raise refuse(
                E.CANNOT_CLEAR, "FILE", f"{path} is read by this run or named twice; name another file",
                f"{path} 是本次运行的输入或重复给出，请换一个文件名",
            )  # fmt: skip


@contextmanager
def writing(paths: Sequence[Path]) -> Iterator[CaseFiles]:
    """Write files under other names beside their own until they are whole, then rename them.

    The suffix decides the form; see :func:`check_targets`. An error leaves the files as they were.
    """
    import pyarrow.csv
    import pyarrow.parquet

    parts = [path.with_name(f".{path.name}.part") for path in paths]
    try:
        with ExitStack() as stack:
            writers = []
            for path, part in zip(paths, parts, strict=True):
                kind = pyarrow.parquet.ParquetWriter if path.suffix == ".parquet" else pyarrow.csv.CSVWriter
                writers.append(stack.enter_context(kind(str(part), schema_of_cases())))
            yield CaseFiles(writers)
        for path, part in zip(paths, parts, strict=True):
            part.replace(path)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def schema_of_cases() -> pa.Schema:
    """Return the columns of an exported file; amounts are int64 fen, points 1e-8, dates YYYYMMDD."""
    import pyarrow as pa

    texts = {*TEXT_COLUMNS, "diagnosis", "reason"}
    small = {"method", "month", "admission_date", "discharge_date", "exempt", "sign"}
    types = [pa.string() if name in texts else pa.int32() if name in small else pa.int64() for name in WRITTEN]
    return pa.schema(list(zip(WRITTEN, types, strict=True)))


def table_of(cases: Cases) -> pa.Table:
    """Return cases as a table with the columns of :data:`WRITTEN`.

    ``person`` is the digest of the person that the cases have, as 16 hexadecimal digits: it tells the stays of one
    person from those of others and is no number of a register.
    """
    import pyarrow as pa

    rows, schema = cases.rows, schema_of_cases()
    names = {"hospital": cases.hospitals, "county": cases.counties, "scheme": cases.schemes, "group": cases.groups}
    given = {"case": cases.ids, "diagnosis": cases.diagnoses, "reason": cases.reasons}
    columns: list[Any] = []
    for field in schema:
        if field.name in names:
            texts = pa.array(names[field.name], pa.string())
            columns.append(texts.take(pa.array(np.ascontiguousarray(rows[field.name]))))
        elif field.name == "person":
            columns.append(pa.array([f"{number:016x}" for number in rows["person"].tolist()], pa.string()))
        elif field.name in given:
            text = given[field.name]
            columns.append(pa.array(np.full(len(rows), "", object) if text is None else text, pa.string()))
        else:
            columns.append(pa.array(np.ascontiguousarray(rows[field.name]), field.type, safe=True))
    return pa.table(columns, schema=schema)
