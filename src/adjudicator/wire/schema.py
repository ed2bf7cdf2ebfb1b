"""A message descriptor becomes tables: one flat record table per message path, and numbers that the kernels walk.

The ``.proto`` is the only truth: nothing here knows a field by name. ``docs/wire.md`` shows the memory layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from adjudicator.compiled.held import Held, hold

# Kinds of value; a repeated field adds REPEATED. 0 is a number that the message does not know.
UNKNOWN, VARINT64, INT32, UINT32, BOOL, SINT32, SINT64, FIXED32, FIXED64, STRING, BYTES, MESSAGE = range(12)
REPEATED = 16

# Columns of ``WireSchema.fields``: one row a field number, so that a number is found without a search.
KIND, COLUMN, SECOND_COLUMN, HAS, CHILD, TAG, TAG_SIZE, FIELD_NUMBER = range(8)
# Columns of ``WireSchema.tables``.
FIRST, LAST_NUMBER, ROW_SIZE, TEMPLATE, FIELDS_START, FIELDS_END, RANGES_START, RANGES_END, INNER = range(9)

MAX_FIELD_NUMBER = 1023
"""Largest field number that is compiled; rows up to the largest number in use are kept for each message."""

_TYPE = FieldDescriptor
_KINDS = {
    _TYPE.TYPE_INT64: (VARINT64, "i8"), _TYPE.TYPE_UINT64: (VARINT64, "u8"),
    _TYPE.TYPE_INT32: (INT32, "i4"), _TYPE.TYPE_UINT32: (UINT32, "u4"), _TYPE.TYPE_ENUM: (INT32, "i4"),
    _TYPE.TYPE_BOOL: (BOOL, "u1"), _TYPE.TYPE_SINT32: (SINT32, "i4"), _TYPE.TYPE_SINT64: (SINT64, "i8"),
    _TYPE.TYPE_FIXED32: (FIXED32, "u4"), _TYPE.TYPE_SFIXED32: (FIXED32, "i4"), _TYPE.TYPE_FLOAT: (FIXED32, "f4"),
    _TYPE.TYPE_FIXED64: (FIXED64, "u8"), _TYPE.TYPE_SFIXED64: (FIXED64, "i8"), _TYPE.TYPE_DOUBLE: (FIXED64, "f8"),
    _TYPE.TYPE_STRING: (STRING, ""), _TYPE.TYPE_BYTES: (BYTES, ""), _TYPE.TYPE_MESSAGE: (MESSAGE, ""),
}  # fmt: skip
_WIRE_TYPES = {VARINT64: 0, INT32: 0, UINT32: 0, BOOL: 0, SINT32: 0, SINT64: 0, FIXED32: 5, FIXED64: 1}
STRING_TABLE = np.dtype([("start", "i8"), ("size", "i4"), ("padding", "i4")], align=True)
"""Rows of a repeated string or bytes field."""


class UnsupportedField(Exception):
    """The descriptor has something whose meaning these tables cannot hold; the message names the field."""


class Tables(Mapping[str, np.ndarray]):
    """Path to record array; all arrays are views of one ``arena`` (int64[words]) that the kernels write and read.

    ``bases`` and ``counts`` int64[tables] hold the byte offset in the arena and the rows of each table, in the order of
    ``WireSchema.paths``. A view is made when it is asked for: nobody asks for most of them.
    """

    __slots__ = ("_made", "arena", "bases", "counts", "schema")

    def __init__(self, schema: WireSchema, counts: np.ndarray, arena: np.ndarray, bases: np.ndarray):
        self.schema, self.counts, self.arena, self.bases = schema, counts, arena, bases
        self._made: dict[str, np.ndarray] = {}

    def __getitem__(self, path: str) -> np.ndarray:
        made = self._made.get(path)
        if made is None:
            number = self.schema.index[path]
            made = np.ndarray(self.counts[number], self.schema.dtypes[number], self.arena, self.bases[number])
            self._made[path] = made
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self.schema.paths)

    def __len__(self) -> int:
        return len(self.schema.paths)


class SchemaNumbers(NamedTuple):
    """Arrays of a ``WireSchema`` that the kernels read."""

    fields: np.ndarray
    tables: np.ndarray
    template: np.ndarray
    ranges: np.ndarray
    order: np.ndarray


@dataclass(frozen=True, eq=False)
class WireSchema:
    """Tables of one root message.

    ``paths[i]`` names table i ("" is the root), ``dtypes[i]`` is its record; ``fields`` uint32[:, 8] and ``tables``
    uint32[:, 9] are read by the kernels with the column numbers of this module; the last row of ``tables`` stands
    for an unknown group. ``template`` int64[:] holds an empty row of each table; ``ranges`` uint32[:, 2] the
    (start column, child table) of its repeated fields; ``order`` uint32[:] its rows of ``fields`` by number;
    ``message_columns`` the (path, column) that hold the row of a singular sub-message.
    """

    name: str
    paths: tuple[str, ...]
    dtypes: tuple[np.dtype, ...]
    fields: np.ndarray
    tables: np.ndarray
    template: np.ndarray
    ranges: np.ndarray
    order: np.ndarray
    root_fields: tuple[str, ...]
    message_columns: tuple[tuple[str, str], ...]
    index: dict[str, int] = field(repr=False)

    def dtype(self, path: str = "") -> np.dtype:
        """Return the record of one path."""
        return self.dtypes[self.index[path]]

    def allocate(self, counts: Mapping[str, int], *, clear: bool = True) -> Tables:
        """Tables with so many rows for each path (0 where not named), to be filled and encoded.

        With ``clear`` every row is empty: zero, no sub-messages (-1), empty ranges.
        """
        numbers = np.zeros(len(self.paths), np.int64)
        for path, count in counts.items():
            if path not in self.index:
                raise KeyError(f"{self.name} has no path {path!r}")
            numbers[self.index[path]] = count
        sizes = -(-numbers * self.row_bytes // 64) * 64
        bases = np.zeros(len(sizes), np.int64)
        np.cumsum(sizes[:-1], out=bases[1:])
        tables = Tables(self, numbers, np.empty(int(bases[-1] + sizes[-1]) // 8, np.int64), bases)
        if clear:
            tables.arena.fill(0)
            for path, column in self.message_columns:
                tables[path][column] = -1
        return tables

    @cached_property
    def held(self) -> Held:
        """What the kernels read of the schema, as one thing."""
        return hold(SchemaNumbers(self.fields, self.tables, self.template, self.ranges, self.order))

    @cached_property
    def row_bytes(self) -> np.ndarray:
        """int64[tables]: bytes of one row of each table."""
        return self.tables[:-1, ROW_SIZE].astype(np.int64)


def compile_schema(descriptor: Any) -> WireSchema:
    """Compile a message descriptor. Raises ``UnsupportedField`` for maps, oneofs, recursion, field numbers above
    ``MAX_FIELD_NUMBER`` and any file that is not proto3."""
    compiler = _Compiler()
    compiler.add_message(descriptor, "", ())
    return compiler.finish(descriptor)


@lru_cache(maxsize=16)
def list_schema(field_number: int) -> WireSchema:
    """Return a message with one field, ``repeated bytes parts = field_number``: a batch whose parts are left as
    they are.
    """
    file = descriptor_pb2.FileDescriptorProto(name=f"parts_{field_number}.proto", syntax="proto3")
    member = file.message_type.add(name="Batch").field.add(name="parts", number=field_number)
    member.type, member.label = member.TYPE_BYTES, member.LABEL_REPEATED
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return compile_schema(pool.FindMessageTypeByName("Batch"))


def with_parts_as_bytes(descriptor: Any, *fields: str) -> Any:
    """Return the descriptor of the same message in which some sub-messages are left as the bytes that they are."""
    file = descriptor_pb2.FileDescriptorProto()
    descriptor.file.CopyToProto(file)
    del file.dependency[:]
    for member in next(message for message in file.message_type if message.name == descriptor.name).field:
        if member.name in fields:
            member.type = member.TYPE_BYTES
            member.ClearField("type_name")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool.FindMessageTypeByName(descriptor.full_name)


def varint_bytes(value: int) -> bytes:
    """Return a number as a varint."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


class _Compiler:
    def __init__(self) -> None:
        self.paths: list[str] = []
        self.dtypes: list[np.dtype] = []
        self.fields: list[list[int]] = [[0] * 8]
        self.tables: list[list[int]] = []
        self.template: list[np.ndarray] = []
        self.template_size = 0
        self.ranges: list[list[int]] = []
        self.order: list[int] = []
        self.message_columns: list[tuple[str, str]] = []

    def add_message(self, descriptor: Descriptor, path: str, parents: tuple[str, ...]) -> int:
        """Compile one message and what lies below; returns the number of its table."""
        if descriptor.full_name in parents:
            raise UnsupportedField(f"{descriptor.full_name} contains itself at {path!r}")
        _check_file(descriptor)
        for member in descriptor.fields:
            _check(member)
        dtype = _record(descriptor)
        table = self._add_table(path, dtype, _empty(descriptor, dtype))
        children = {}
        for member in descriptor.fields:
            child_path = f"{path}.{member.name}" if path else member.name
            if member.message_type is not None:
                children[member.name] = self.add_message(
                    member.message_type, child_path, (*parents, descriptor.full_name)
                )
                if not member.is_repeated:
                    self.message_columns.append((path, member.name))
            elif member.is_repeated:
                children[member.name] = self._add_list(member, child_path)
        self._add_fields(table, descriptor, dtype, children)
        return table

    def _add_table(self, path: str, dtype: np.dtype, empty: np.ndarray) -> int:
        self.paths.append(path)
        self.dtypes.append(dtype)
        self.tables.append([0, 0, dtype.itemsize, self.template_size, 0, 0, 0, 0, 0])
        self.template.append(empty)
        self.template_size += len(empty)
        return len(self.tables) - 1

    def _add_list(self, member: FieldDescriptor, path: str) -> int:
        kind, form = _KINDS[member.type]
        dtype = STRING_TABLE if kind in (STRING, BYTES) else np.dtype([("value", form)])
        return self._add_table(path, dtype, np.zeros(-(-dtype.itemsize // 8), np.int64))

    def _add_fields(self, table: int, descriptor: Descriptor, dtype: np.dtype, children: dict[str, int]) -> None:
        members = sorted(descriptor.fields, key=lambda member: member.number)
        first, last = len(self.fields), max((member.number for member in members), default=0)
        self.fields.extend([0] * 8 for _ in range(last + 1))
        entry = self.tables[table]
        entry[FIRST], entry[LAST_NUMBER], entry[INNER] = first, last, int(bool(children))
        entry[FIELDS_START], entry[RANGES_START] = len(self.order), len(self.ranges)
        for member in members:
            self.fields[first + member.number] = _field_row(member, dtype, children.get(member.name, 0))
            self.order.append(first + member.number)
            if member.is_repeated:
                self.ranges.append([_offset(dtype, f"{member.name}_start"), children[member.name]])
        entry[FIELDS_END], entry[RANGES_END] = len(self.order), len(self.ranges)

    def finish(self, descriptor: Descriptor) -> WireSchema:
        unknown_group = [0] * 9
        return WireSchema(
            name=descriptor.full_name,
            paths=tuple(self.paths),
            dtypes=tuple(self.dtypes),
            fields=np.array(self.fields, np.uint32),
            tables=np.array([*self.tables, unknown_group], np.uint32),
            template=np.concatenate(self.template),
            ranges=np.array(self.ranges, np.uint32).reshape(-1, 2),
            order=np.array(self.order, np.uint32),
            root_fields=tuple(member.name for member in sorted(descriptor.fields, key=lambda member: member.number)),
            message_columns=tuple(self.message_columns),
            index={path: position for position, path in enumerate(self.paths)},
        )


def _check(member: FieldDescriptor) -> None:
    where = member.full_name
    if member.type not in _KINDS:
        raise UnsupportedField(f"{where}: a group")
    if member.message_type is not None and member.message_type.GetOptions().map_entry:
        raise UnsupportedField(f"{where}: a map")
    if member.containing_oneof is not None and not _is_optional(member):
        raise UnsupportedField(f"{where}: member of a oneof")
    if member.enum_type is not None and member.enum_type.is_closed:
        raise UnsupportedField(f"{where}: a closed enum")
    if member.number > MAX_FIELD_NUMBER:
        raise UnsupportedField(f"{where}: field number above {MAX_FIELD_NUMBER}")


def _check_file(descriptor: Descriptor) -> None:
    """Text without UTF-8 check, required fields, default values and extensions are of other syntaxes."""
    file = descriptor_pb2.FileDescriptorProto()
    descriptor.file.CopyToProto(file)
    if file.syntax != "proto3":
        raise UnsupportedField(f"{descriptor.full_name}: not of a proto3 file")


def _is_optional(member: FieldDescriptor) -> bool:
    """Return whether a field is ``optional``: the compiler makes a oneof of one member of it, named ``_name``."""
    oneof = member.containing_oneof
    return oneof is not None and len(oneof.fields) == 1 and oneof.name == f"_{member.name}"


def _has_column(member: FieldDescriptor) -> bool:
    return member.has_presence and not member.is_repeated and member.message_type is None


def _columns(member: FieldDescriptor) -> list[tuple[str, str]]:
    kind, form = _KINDS[member.type]
    if member.is_repeated:
        return [(f"{member.name}_start", "i8"), (f"{member.name}_end", "i8")]
    if kind == MESSAGE:
        return [(member.name, "i8")]
    if kind in (STRING, BYTES):
        return [(f"{member.name}_start", "i8"), (f"{member.name}_size", "i4")]
    return [(member.name, form)]


def _record(descriptor: Descriptor) -> np.dtype:
    """Record of a message: 8-byte columns first, then 4, then 1, so that nothing is padded but the end."""
    values = [column for member in descriptor.fields for column in _columns(member)]
    values.sort(key=lambda column: -np.dtype(column[1]).itemsize)
    columns = values + [(f"has_{member.name}", "u1") for member in descriptor.fields if _has_column(member)]
    names = [name for name, _ in columns]
    if len(set(names)) != len(names):
        raise UnsupportedField(f"{descriptor.full_name}: two fields need a column of the same name")
    sizes = [np.dtype(form).itemsize for _, form in columns]
    offsets = [sum(sizes[:position]) for position in range(len(sizes))]
    itemsize = max(8, -(-sum(sizes) // 8) * 8)
    return np.dtype(
        {"names": names, "formats": [form for _, form in columns], "offsets": offsets, "itemsize": itemsize}, align=True
    )


def _empty(descriptor: Descriptor, dtype: np.dtype) -> np.ndarray:
    row = np.zeros(1, dtype)
    for member in descriptor.fields:
        if member.message_type is not None and not member.is_repeated:
            row[member.name] = -1
    return row.view(np.int64).reshape(-1).copy()


def _offset(dtype: np.dtype, column: str) -> int:
    """Byte of a record at which a column begins."""
    assert dtype.fields is not None
    return dtype.fields[column][1]


def _field_row(member: FieldDescriptor, dtype: np.dtype, child: int) -> list[int]:
    kind, _ = _KINDS[member.type]
    columns = _columns(member)
    offsets = [_offset(dtype, name) for name, _ in columns]
    packed = member.is_repeated and member.is_packed
    tag = varint_bytes(member.number << 3 | (2 if packed else _WIRE_TYPES.get(kind, 2)))
    return [
        kind + (REPEATED if member.is_repeated else 0),
        offsets[0],
        offsets[-1],
        _offset(dtype, f"has_{member.name}") if _has_column(member) else 0,
        child,
        int.from_bytes(tag, "little"),
        len(tag),
        member.number,
    ]
