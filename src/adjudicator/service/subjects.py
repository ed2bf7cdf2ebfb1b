"""What a message is about: whose institution, which place of insurance, which pool and county.

Of a claim only the two fields that matter are read, by the protobuf library, whose reading of bytes is that of the
columns (docs/wire.md): a field that is given twice counts as last given in both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from adjudicator.service.calls import parse
from adjudicator.service.permissions import About
from adjudicator.v1 import adjudication_pb2, claim_pb2, pooling_pb2, settlement_pb2


class Subject(NamedTuple):
    """What a message is about; "" for what it does not say. ``prefix`` of the fields, for refusals."""

    institution: str = ""
    area: str = ""
    """Area code of the place of insurance."""
    pool: str = ""
    county: str = ""
    prefix: str = ""


def _claim_class() -> Any:
    """Return the message class that reads of a claim what permissions ask for."""
    file = descriptor_pb2.FileDescriptorProto(
        name="adjudicator/service/subject.proto", package="adjudicator.service", syntax="proto3"
    )
    message = file.message_type.add(name="Claim")
    for name in ("institution_code", "insured_area"):
        whole = claim_pb2.Claim.DESCRIPTOR.fields_by_name[name]
        optional = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
        message.field.add(name=name, number=whole.number, type=whole.type, label=optional)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("adjudicator.service.Claim"))


CLAIM = _claim_class()


def of_claim(message: bytes | memoryview) -> Subject:
    """Return what a claim is about. Errors: E.MALFORMED_MESSAGE."""
    claim = parse(CLAIM, message)
    return Subject(claim.institution_code, claim.insured_area)


def are_all_of(institutions: Collection[str], claims: Iterable[memoryview]) -> bool:
    """Return whether every claim can be read and names one of some institutions: the usual batch, at half the cost."""
    read = CLAIM.FromString
    try:
        return all([read(claim).institution_code in institutions for claim in claims])
    except DecodeError:
        return False


def of_settlement(message: bytes) -> Subject:
    """Return what a SettlementKey is about. Errors: E.MALFORMED_MESSAGE."""
    key = parse(settlement_pb2.SettlementKey, message)
    return Subject(key.institution_code, key.insured_area)


def of_reversal(message: bytes) -> Subject:
    """Return what a ReverseRequest is about. Errors: E.MALFORMED_MESSAGE."""
    key = parse(settlement_pb2.ReverseRequest, message).settlement
    return Subject(key.institution_code, key.insured_area, prefix="settlement.")


def of_year(message: bytes) -> Subject:
    """Return what an AccumulatorQuery is about. Errors: E.MALFORMED_MESSAGE."""
    return Subject(area=parse(adjudication_pb2.AccumulatorQuery, message).insured_area)


def of_totals(message: bytes) -> Subject:
    """Return what a TotalsQuery is about. Errors: E.MALFORMED_MESSAGE."""
    query = parse(pooling_pb2.TotalsQuery, message)
    return Subject(pool=query.pool, county=query.county)


def of_statement(message: bytes) -> Subject:
    """Return what a Statement is about. Errors: E.MALFORMED_MESSAGE."""
    statement = parse(pooling_pb2.Statement, message)
    return Subject(statement.institution_code, pool=statement.pool)


SUBJECTS: dict[About, Callable[[bytes], Subject]] = {
    About.CLAIM: of_claim,
    About.SETTLEMENT: of_settlement,
    About.REVERSAL: of_reversal,
    About.YEAR: of_year,
    About.TOTALS: of_totals,
    About.STATEMENT: of_statement,
}
"""How the messages are read; those about nobody are not, and a batch claim by claim."""
