"""The year that a claim itself brings: a column ``accumulators`` of records, as the message ``Accumulators``."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from adjudicator.claim.fields import CLAIM_SCHEMA
from adjudicator.errors import E, refuse
from adjudicator.reprice.convert import Heap, Note, check_type, list_of, numbers_of, texts_of
from adjudicator.reprice.fields import Field, Kind
from adjudicator.reprice.kernels import find_texts
from adjudicator.reprice.mapping import Column

BROUGHT = "accumulators"
_YEARS, _ENTRIES = CLAIM_SCHEMA.dtype(BROUGHT), CLAIM_SCHEMA.dtype(f"{BROUGHT}.entries")


def _column(name: str, kind: Kind, form: str = "", required: bool = True) -> Column:
    most = 2**32 - 1 if form == "u4" else 2**63 - 1
    return Column(Field(name, kind, form, 0 if form == "u4" else -(2**63), most, required), name)


_YEAR = _column("year", Kind.NUMBER, "u4")
_OF_ENTRY = {
    "name": _column("name", Kind.TEXT), "value": _column("value", Kind.NUMBER, "i8"),
    "disease_code": _column("disease_code", Kind.TEXT, required=False),
    "period": _column("period", Kind.NUMBER, "u4", required=False),
}  # fmt: skip


def check_brought(kind: pa.DataType) -> None:
    """Refuse a column that holds no years. Errors: E.INPUT_TYPE."""
    if pa.types.is_null(kind):
        return
    wanted = "a record of year and entries, a list of records of name, value, disease_code and period"
    of = {one.name: one.type for one in kind} if pa.types.is_struct(kind) else {}
    entries = of.get("entries")
    listed = entries is not None and (pa.types.is_list(entries) or pa.types.is_large_list(entries))
    if entries is None or not listed or not pa.types.is_struct(entries.value_type) or "year" not in of:
        raise refuse(E.INPUT_TYPE, BROUGHT, f"{BROUGHT} is {kind}, and must be {wanted}")
    check_type(_YEAR, of["year"])
    inner = {one.name: one.type for one in entries.value_type}
    for name, column in _OF_ENTRY.items():
        if name in inner:
            check_type(column, inner[name])
        elif column.field.required:
            raise refuse(E.INPUT_TYPE, BROUGHT, f"entries of {BROUGHT} have no {name}, and must be {wanted}")


def fill_brought(
    array: pa.Array, claims: np.ndarray, tables: dict[str, np.ndarray], heap: Heap, notes: list[Note]
) -> None:
    """Write the years of the claims that bring one; a null is none."""
    if pa.types.is_null(array.type) or array.null_count == len(array):
        return
    present = array.is_valid().to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(present)
    array = array.filter(array.is_valid())
    claims[BROUGHT][rows] = np.arange(len(rows))
    fields = dict(zip(array.type.names, array.flatten(), strict=True))
    ends, records = list_of(fields["entries"])
    tables[BROUGHT] = years = np.zeros(len(rows), _YEARS)
    own = list[Note]()
    years["year"] = _numbers(_YEAR, fields["year"], own)
    notes += [note._replace(field=f"{BROUGHT}.{note.field}", rows=rows[note.rows]) for note in own]
    years["entries_start"], years["entries_end"] = ends[:-1], ends[1:]
    tables[f"{BROUGHT}.entries"] = entries = np.zeros(len(records), _ENTRIES)
    own = []
    columns = dict(zip(records.type.names, records.flatten(), strict=True))
    for name, column in _OF_ENTRY.items():
        if name not in columns:
            continue
        if column.field.kind is Kind.TEXT:
            starts, sizes = np.empty(len(records), np.int64), np.empty(len(records), np.int64)
            find_texts(texts_of(column, columns[name], heap, own), starts, sizes)
            entries[f"{name}_start"], entries[f"{name}_size"] = starts, sizes
        else:
            entries[name] = _numbers(column, columns[name], own)
    for note in own:
        owners = rows[np.searchsorted(ends, note.rows, "right") - 1]
        notes.append(Note(note.number, f"{BROUGHT}.entries.{note.field}", np.unique(owners)))


def _numbers(column: Column, array: pa.Array, notes: list[Note]) -> np.ndarray:
    """Return the numbers of a column; one that must be there and is not is noted."""
    values, there = numbers_of(column, array, notes)
    if column.field.required and there is not None and not there.all():
        notes.append(Note(int(E.MISSING_VALUE), column.field.name, np.flatnonzero(~there)))
    return values
