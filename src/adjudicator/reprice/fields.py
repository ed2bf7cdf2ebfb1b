"""The fields that a table of claims or fee lines may have, derived from the messages: one column a field, same name.

What ``docs/reprice.md`` lists as the schema is printed from here.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple

from adjudicator.claim.fields import CLAIM_SCHEMA
from adjudicator.payers import PAYERS
from adjudicator.v1 import claim_pb2


class Kind(Enum):
    """What a field holds."""

    TEXT = "text"
    TEXTS = "list of texts"
    NUMBER = "whole number"
    MONEY = "fen"
    PRICE = "1/10000 fen"
    QUANTITY = "1/10000 unit"
    DATE = "date"
    FLAG = "flag"


class Field(NamedTuple):
    """One field of ``Claim`` or ``Line``."""

    name: str
    kind: Kind
    form: str
    """Form of its column in the wire table, "" for texts."""
    least: int
    most: int
    """Values that the form holds."""
    required: bool


REQUIRED_CLAIM = frozenset(
    {
        "institution_code", "encounter_id", "settlement_sequence", "person_id", "insured_area", "scheme", "person_type",
        "care_type", "settlement_date", "admission_date", "total_fen",
    }
)  # fmt: skip
REQUIRED_LINE = frozenset({"line_id", "item_code", "fee_date", "unit_price_e4", "quantity_e4", "amount_fen"})
"""Fields whose column must be there. A stay needs a discharge date and diagnoses too, which the engine asks for."""

NOT_READ = frozenset({"accumulators", "lines"})
"""Fields that are messages: lines have a table, and for a year that a claim brings see ``brought``."""

_SPANS = {"i8": (-(2**63), 2**63 - 1), "i4": (-(2**31), 2**31 - 1), "u4": (0, 2**32 - 1), "u1": (0, 1)}
_FORMS = {"int64": "i8", "int32": "i4", "uint32": "u4", "uint8": "u1"}


def _kind(member: Any) -> Kind:
    """Return the kind of a field by its type and its name, whose end is the unit."""
    if member.type == member.TYPE_STRING:
        return Kind.TEXTS if member.is_repeated else Kind.TEXT
    if member.type == member.TYPE_BOOL:
        return Kind.FLAG
    ends = {"_fen": Kind.MONEY, "price_e4": Kind.PRICE, "quantity_e4": Kind.QUANTITY, "_date": Kind.DATE}
    return next((kind for end, kind in ends.items() if member.name.endswith(end)), Kind.NUMBER)


def _fields(descriptor: Any, path: str, required: frozenset[str]) -> dict[str, Field]:
    record = CLAIM_SCHEMA.dtype(path)
    found = {}
    for member in descriptor.fields:
        if member.name in NOT_READ:
            continue
        kind, form, span = _kind(member), "", (0, 0)
        if kind not in (Kind.TEXT, Kind.TEXTS):
            form = _FORMS[record[member.name].name]
            span = _SPANS[form]
        found[member.name] = Field(member.name, kind, form, *span, member.name in required)
    return found


CLAIM_FIELDS: dict[str, Field] = _fields(claim_pb2.Claim.DESCRIPTOR, "", REQUIRED_CLAIM)
LINE_FIELDS: dict[str, Field] = _fields(claim_pb2.Line.DESCRIPTOR, "lines", REQUIRED_LINE)

RECORDED_PREFIX = "recorded_"
"""Begins the name of a column of claims that holds what was answered at the time."""
RECORDED_FIELDS: dict[str, Field] = {
    name: Field(name, Kind.MONEY, "i8", *_SPANS["i8"], required=False)
    for name in (
        *(payer.field for payer in PAYERS), "fund_total_fen", "personal_total_fen", "wholly_self_paid_fen",
        "over_ceiling_fen", "first_pay_fen", "in_scope_fen", "deductible_standard_fen", "deductible_fen", "due_fen",
    )
}  # fmt: skip
"""Recorded amounts, for a comparison with what was answered at the time."""

PARTS: dict[str, Field] = {
    name: Field(name, Kind.MONEY, "i8", *_SPANS["i8"], name == "in_scope_fen")
    for name in ("in_scope_fen", "wholly_self_paid_fen", "over_ceiling_fen", "first_pay_fen")
}
"""Parts of the total in a table of claims without lines; the names are those of ``SPLIT`` and of ``Settlement``."""

CLAIM_ROW, LINE_NUMBER, ORIGINAL_NUMBER = "claim", "line", "original_line"
"""Columns of a table of lines that ``adjudicator synth`` writes: the row of its claim, its number in the claim from 0,
and the number of the line that a refund takes back (-1 none). They stand for ``line_id`` and ``original_line_id``,
which are then the numbers from 1 as text."""

LINE_KEYS = ("institution_code", "encounter_id", "settlement_sequence")
"""Fields of a claim by which a table of lines may name it."""
