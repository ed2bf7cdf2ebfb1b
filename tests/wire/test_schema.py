"""Descriptors become tables; what the tables cannot hold is refused by name."""

from __future__ import annotations

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, struct_pb2, timestamp_pb2

from adjudicator.v1 import adjudication_pb2, claim_pb2, grouping_pb2, pooling_pb2, settlement_pb2
from adjudicator.wire.schema import UnsupportedField, compile_schema

_FIELD = descriptor_pb2.FieldDescriptorProto


def test_tables_of_a_claim():
    schema = compile_schema(claim_pb2.Claim.DESCRIPTOR)
    codes = ("diagnoses", "procedures", "other_assistance_categories")
    assert set(schema.paths) == {"", "lines", *codes, "accumulators", "accumulators.entries"}
    claim = schema.dtype()
    assert {"lines_start", "lines_end", "total_fen", "has_age_years", "accumulators"} <= set(claim.names)
    assert claim["total_fen"] == np.int64 and claim["sex"] == np.uint32 and claim["filing"] == np.int32
    assert claim["encounter_id_start"] == np.int64 and claim["encounter_id_size"] == np.int32
    assert claim["civil_servant"] == np.uint8 and "has_sex" not in claim.names
    assert schema.dtype("diagnoses").names[:2] == ("start", "size")


@pytest.mark.parametrize("module", [adjudication_pb2, claim_pb2, grouping_pb2, pooling_pb2, settlement_pb2])
def test_every_message_of_the_project_compiles(module):
    for descriptor in module.DESCRIPTOR.message_types_by_name.values():
        schema = compile_schema(descriptor)
        for dtype in schema.dtypes:
            assert all(offset % form.itemsize == 0 for form, offset in dtype.fields.values()), "aligned"


def test_allocated_rows_are_empty():
    tables = compile_schema(claim_pb2.Claim.DESCRIPTOR).allocate({"": 2, "lines": 3})
    assert tables[""]["accumulators"].tolist() == [-1, -1]
    assert not tables["lines"].view(np.uint8).any() and len(tables["diagnoses"]) == 0


def test_tables_follow_the_descriptor_of_another_package():
    assert compile_schema(timestamp_pb2.Timestamp.DESCRIPTOR).dtype().names == ("seconds", "nanos")


def _message(edit, syntax: str = "proto3"):
    file = descriptor_pb2.FileDescriptorProto(name="odd.proto", package="odd", syntax=syntax)
    message = file.message_type.add(name="Odd")
    edit(file, message)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool.FindMessageTypeByName("odd.Odd")


def _field(message, kind, number=1, label=_FIELD.LABEL_OPTIONAL, **more):
    return message.field.add(name=f"field_{number}", number=number, type=kind, label=label, **more)


def _group(_, message):
    message.nested_type.add(name="Inner")
    _field(message, _FIELD.TYPE_GROUP, type_name=".odd.Odd.Inner")


def _oneof(_, message):
    message.oneof_decl.add(name="choice")
    _field(message, _FIELD.TYPE_INT32, oneof_index=0)
    _field(message, _FIELD.TYPE_INT32, 2, oneof_index=0)


def _oneof_of_one(_, message):
    message.oneof_decl.add(name="choice")
    _field(message, _FIELD.TYPE_INT32, oneof_index=0)


def _itself(_, message):
    _field(message, _FIELD.TYPE_MESSAGE, type_name=".odd.Odd")


def _high_number(_, message):
    _field(message, _FIELD.TYPE_INT32, 1024)


def _required(_, message):
    _field(message, _FIELD.TYPE_INT32, label=_FIELD.LABEL_REQUIRED)


def _unchecked_text(_, message):
    _field(message, _FIELD.TYPE_STRING)


def _two_columns_of_one_name(_, message):
    message.field.add(name="a", number=1, type=_FIELD.TYPE_STRING, label=_FIELD.LABEL_OPTIONAL)
    message.field.add(name="a_start", number=2, type=_FIELD.TYPE_INT64, label=_FIELD.LABEL_OPTIONAL)


@pytest.mark.parametrize(
    ("edit", "syntax", "message"),
    [
        (_oneof, "proto3", "member of a oneof"),
        (_oneof_of_one, "proto3", "member of a oneof"),
        (_itself, "proto3", "contains itself"),
        (_high_number, "proto3", "field number above"),
        (_group, "proto2", "not of a proto3 file"),
        (_required, "proto2", "not of a proto3 file"),
        (_unchecked_text, "proto2", "not of a proto3 file"),
        (_two_columns_of_one_name, "proto3", "column of the same name"),
    ],
)
def test_what_the_tables_cannot_hold(edit, syntax, message):
    with pytest.raises(UnsupportedField, match=message):
        compile_schema(_message(edit, syntax))


def test_maps_are_refused():
    with pytest.raises(UnsupportedField, match="a map"):
        compile_schema(struct_pb2.Struct.DESCRIPTOR)
