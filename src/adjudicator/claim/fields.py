"""Which field of a claim goes to which column as it is, and what it may hold: derived from the message descriptor.

A field of ``Claim`` whose name is a column of ``columns.CLAIM`` is copied, under the limit that its kind or ``LIMITS``
gives. So a new plain field needs a line in the .proto and a column; what needs a look-up is in ``claim.resolve``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator import limits
from adjudicator.codes import Filing, Referral
from adjudicator.columns import CLAIM
from adjudicator.errors import E
from adjudicator.v1 import claim_pb2
from adjudicator.wire.schema import compile_schema

CLAIM_SCHEMA = compile_schema(claim_pb2.Claim.DESCRIPTOR)
FIELD_NAMES: tuple[str, ...] = tuple(CLAIM_SCHEMA.root_fields)
"""Names of the columns of the field digests."""

FIELDS: tuple[str, ...] = (
    "",
    *claim_pb2.Claim.DESCRIPTOR.fields_by_name,
    *(f"lines[].{name}" for name in claim_pb2.Line.DESCRIPTOR.fields_by_name),
)
"""Field paths that a problem may name; ``[]`` takes the line."""

F: dict[str, int] = {name: position for position, name in enumerate(FIELDS)}

PROBLEM = np.dtype([("claim", "i4"), ("number", "i4"), ("field", "i4"), ("line", "i4")], align=True)
"""One problem: claim of the batch, number of the error table, position in FIELDS, line of the claim or -1."""

MOST_PROBLEMS = 16
"""Problems kept of one claim; each claim has its own places, so that no claim can use up another's."""


class Limit(NamedTuple):
    """Values that a field may hold: 0 to ``most``, and ``also`` (-1: no other)."""

    most: int
    also: int = -1
    above: E = E.INVALID_CODE_VALUE


LIMITS: dict[str, Limit] = {
    "sex": Limit(2, also=9),
    "age_years": Limit(limits.MAX_AGE_YEARS, above=E.AGE_OUT_OF_RANGE),
    "age_days": Limit(limits.MAX_AGE_YEARS * 366, above=E.AGE_OUT_OF_RANGE),
    "birth_weight_g": Limit(30_000),
    "contribution_tier": Limit(99),
    "enrolment_status": Limit(2, also=4),
    "filing": Limit(max(Filing)),
    "referral": Limit(max(Referral)),
    "discharge_way": Limit(5, also=9),
    "icu_hours": Limit(limits.MAX_STAY_DAYS * 24, above=E.STAY_OUT_OF_RANGE),
    "maternity_type": Limit(7, also=9),
    "fetus_count": Limit(limits.MAX_FETUSES),
}
"""Limits of coded values and counts; amounts and flags have those of their kind, dates are checked with each other."""

RENAMED = {"family_doctor": "family_doctor_signed", "chain_deductible_fen": "referral_deductible_fen"}
"""Column -> field, where the names differ."""
COMPUTED = frozenset({"stay_days"})
"""Columns that have the name of a field and are worked out in ``claim.checks``."""

EMPTY_CLAIM = np.zeros(1, CLAIM)
"""A claim before it is resolved: -1 where 0 has a meaning."""
for _name in (
    "state", "quota", "pack", "county", "care_county", "hospital", "deductible_level", "price_level", "disease",
    "ward",    "age_years", "age_days", "error_line",
):  # fmt: skip
    EMPTY_CLAIM[_name] = -1

LONG, INT, UNSIGNED, OCTET, NOWHERE = range(5)
"""How a field is kept in a record; NOWHERE: it is checked and not copied."""
_KINDS = {"int64": LONG, "int32": INT, "uint32": UNSIGNED, "uint8": OCTET, "int8": OCTET}

PLAIN = np.dtype(
    [
        ("field", "i8"),  # position in FIELDS
        ("source", "i8"), ("source_kind", "i8"),  # place in the wire record, in units of its kind
        ("has", "i8"),  # octet of the wire record that says whether the field is there, -1 it has no presence
        ("target", "i8"), ("target_kind", "i8"),  # place in CLAIM
        ("least", "i8"), ("most", "i8"), ("also", "i8"),
        ("below", "i8"), ("above", "i8"),  # error numbers
    ],
    align=True,
)  # fmt: skip
"""How one field is checked and copied."""


def plain_fields() -> np.ndarray:
    """Return PLAIN: every field that is copied or only has a limit, in the order of the message."""
    wire = CLAIM_SCHEMA.dtype()
    columns = {RENAMED.get(name, name): name for name in CLAIM.names or () if name not in COMPUTED}
    names = [name for name in FIELD_NAMES if name in (wire.names or ()) and (name in columns or name in LIMITS)]
    rows = np.zeros(len(names), PLAIN)
    for row, name in zip(rows, names, strict=True):
        row["field"] = F[name]
        row["source"], row["source_kind"] = place_of(wire, name)
        row["has"] = place_of(wire, f"has_{name}")[0] if f"has_{name}" in (wire.names or ()) else -1
        row["target"], row["target_kind"] = place_of(CLAIM, columns[name]) if name in columns else (0, NOWHERE)
        limit, least, below = LIMITS.get(name), 0, E.INVALID_CODE_VALUE
        if limit is None and name.endswith("_fen"):
            limit, below = Limit(limits.MAX_AMOUNT_FEN, above=E.AMOUNT_OUT_OF_RANGE), E.NEGATIVE_AMOUNT
        if limit is None:
            limit, least = Limit(2**31 - 1), 0 if row["source_kind"] == UNSIGNED else -(2**31)
        row["least"], row["most"], row["also"] = least, limit.most, limit.also
        row["below"], row["above"] = int(below), int(limit.above)
    return rows


def place_of(record: np.dtype[np.void], name: str) -> tuple[int, int]:
    """Return where a column is in a record, in units of its size, and its kind."""
    assert record.fields is not None
    kind, offset = record.fields[name][:2]
    return offset // kind.itemsize, _KINDS[kind.name]


class Records(NamedTuple):
    """Records as numbers of each size, without a copy: one row a record, so that a column is found by its place."""

    longs: np.ndarray  # int64[n, :]
    ints: np.ndarray  # int32[n, :]
    octets: np.ndarray  # int8[n, :]


def as_numbers(records: np.ndarray) -> Records:
    """Return the views of a record array; the size of its records is a multiple of 8."""
    size = records.dtype.itemsize
    return Records(
        records.view(np.int64).reshape(records.shape[0], size // 8),
        records.view(np.int32).reshape(records.shape[0], size // 4),
        records.view(np.int8).reshape(records.shape[0], size),
    )
