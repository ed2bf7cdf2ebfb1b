"""The protobuf library as the oracle: its verdict and its values, compared with those of the tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from adjudicator.wire.decode import CANONICAL, Decoded, decode
from adjudicator.wire.encode import encode
from adjudicator.wire.schema import WireSchema, compile_schema

_FLOATS = {FieldDescriptor.TYPE_FLOAT: np.float32, FieldDescriptor.TYPE_DOUBLE: np.float64}


@cache
def schema_of(message_class: type[Message]) -> WireSchema:
    """The compiled schema of a message class."""
    return compile_schema(message_class.DESCRIPTOR)


def parse(message_class: type[Message], data: bytes) -> Message | None:
    """What the library reads; None where it refuses."""
    try:
        return message_class.FromString(data)
    except DecodeError:
        return None


def _plain(member: FieldDescriptor, value) -> object:
    if member.type == FieldDescriptor.TYPE_STRING:
        return value.encode()
    if member.type in _FLOATS:
        return _float(_FLOATS[member.type](value))
    return int(value) if not isinstance(value, bytes) else value


def message_values(message: Message) -> dict[str, object]:
    """Nested values of a message of the library; None for what is absent."""
    values: dict[str, object] = {}
    for member in message.DESCRIPTOR.fields:
        value = getattr(message, member.name)
        if member.message_type is not None:
            if member.is_repeated:
                values[member.name] = [message_values(part) for part in value]
            else:
                values[member.name] = message_values(value) if message.HasField(member.name) else None
        elif member.is_repeated:
            values[member.name] = [_plain(member, part) for part in value]
        elif member.has_presence and not message.HasField(member.name):
            values[member.name] = None
        else:
            values[member.name] = _plain(member, value)
    return values


def table_values(tables, buffer: bytes, descriptor: Descriptor, path: str, row: int) -> dict[str, object]:
    """The same of one row of the tables."""
    record = tables[path][row]
    values: dict[str, object] = {}
    for member in descriptor.fields:
        below = f"{path}.{member.name}" if path else member.name
        if member.is_repeated:
            rows = range(record[f"{member.name}_start"], record[f"{member.name}_end"])
            if member.message_type is not None:
                values[member.name] = [table_values(tables, buffer, member.message_type, below, part) for part in rows]
            else:
                values[member.name] = [_cell(member, buffer, tables[below][part], "") for part in rows]
        elif member.message_type is not None:
            child = int(record[member.name])
            found = child >= 0
            values[member.name] = table_values(tables, buffer, member.message_type, below, child) if found else None
        elif member.has_presence and not record[f"has_{member.name}"]:
            values[member.name] = None
        else:
            values[member.name] = _cell(member, buffer, record, member.name)
    return values


def _cell(member: FieldDescriptor, buffer: bytes, record: np.void, name: str) -> object:
    if member.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
        prefix = f"{name}_" if name else ""
        start = int(record[f"{prefix}start"])
        return buffer[start : start + int(record[f"{prefix}size"])]
    value = record[name or "value"]
    return _float(value) if member.type in _FLOATS else int(value)


def _float(value: np.floating) -> bytes:
    """0.0 is not -0.0; one nan is like another, because Python's float does not keep the bits of a nan."""
    return b"nan" if np.isnan(value) else value.tobytes()


@dataclass(frozen=True)
class Difference:
    """A case on which tables and library differ."""

    what: str
    data: bytes

    def __str__(self) -> str:
        return f"{self.what}: {self.data.hex()}"


GAP = b"\xff\xff\xff"
"""Bytes between the roots of a buffer, which belong to nobody."""


def read_together(schema: WireSchema, cases: Sequence[bytes]) -> tuple[bytes, Decoded]:
    """All cases as roots of one buffer, with a few bytes between them that belong to nobody."""
    buffer = GAP.join([b"", *cases, b""])
    return buffer, decode(schema, buffer, *ranges_of(cases))


def ranges_of(cases: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Where each case begins and ends in the buffer of ``read_together``."""
    starts = np.cumsum([len(GAP), *(len(case) + len(GAP) for case in cases)])[:-1]
    return starts, starts + [len(case) for case in cases]


def differences(message_class: type[Message], cases: Sequence[bytes], reader=read_together) -> Iterator[Difference]:
    """Verdict, every value, and the bytes that are written again, for each case beside the library."""
    schema = schema_of(message_class)
    buffer, decoded = reader(schema, cases)
    written, offsets = encode(schema, decoded.tables, buffer)
    for row, case in enumerate(cases):
        message = parse(message_class, case)
        accepted = decoded.status[row] == 0
        ours = written[offsets[row] : offsets[row + 1]].tobytes()
        if accepted != (message is not None):
            yield Difference("only the tables accept" if accepted else "only the library accepts", case)
        elif message is None:
            if ours:
                yield Difference("a refused message left something behind", case)
        else:
            if table_values(decoded.tables, buffer, message.DESCRIPTOR, "", row) != message_values(message):
                yield Difference("values differ", case)
            message.DiscardUnknownFields()
            if ours != message.SerializeToString(deterministic=True):
                yield Difference("written bytes differ", case)
            if decoded.written[row] == CANONICAL and ours != case:
                yield Difference("taken for canonical", case)
