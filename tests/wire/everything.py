"""A message with every kind of field that the tables can hold, made at run time: the project's protos use only some."""

from __future__ import annotations

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD = descriptor_pb2.FieldDescriptorProto
SCALARS = (
    "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64", "float",
    "double", "bool", "string", "bytes",
)  # fmt: skip


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="everything.proto", package="everything", syntax="proto3")
    colour = file.enum_type.add(name="Colour")
    colour.value.add(name="COLOUR_UNSPECIFIED", number=0)
    colour.value.add(name="COLOUR_RED", number=1)
    file.message_type.add(name="Nothing")
    leaf = file.message_type.add(name="Leaf")
    _add(leaf, "name", 1, "string")
    _add(leaf, "amount", 300, "sint64")
    middle = file.message_type.add(name="Middle")
    _add(middle, "leaf", 2, "message", type_name=".everything.Leaf")
    _add(middle, "leaves", 1, "message", type_name=".everything.Leaf", repeated=True)
    _add(middle, "numbers", 3, "int32", repeated=True)
    root = file.message_type.add(name="Everything")
    for position, scalar in enumerate(SCALARS):
        _add(root, f"plain_{scalar}", 1 + position, scalar)
        _add(root, f"optional_{scalar}", 21 + position, scalar, optional=True)
        _add(root, f"list_{scalar}", 41 + position, scalar, repeated=True)
        if scalar not in ("string", "bytes"):
            _add(root, f"unpacked_{scalar}", 61 + position, scalar, repeated=True).options.packed = False
    _add(root, "colour", 16, "enum", type_name=".everything.Colour")
    _add(root, "optional_colour", 36, "enum", type_name=".everything.Colour", optional=True)
    _add(root, "colours", 56, "enum", type_name=".everything.Colour", repeated=True)
    _add(root, "middle", 17, "message", type_name=".everything.Middle")
    _add(root, "middles", 1023, "message", type_name=".everything.Middle", repeated=True)
    _add(root, "nothing", 18, "message", type_name=".everything.Nothing")
    _add(root, "nothings", 19, "message", type_name=".everything.Nothing", repeated=True)
    return file


def _add(message, name, number, kind, *, type_name="", repeated=False, optional=False):
    member = message.field.add(name=name, number=number, type=getattr(_FIELD, f"TYPE_{kind.upper()}"))
    member.label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
    if type_name:
        member.type_name = type_name
    if optional:
        member.proto3_optional = True
        member.oneof_index = len(message.oneof_decl)
        message.oneof_decl.add(name=f"_{name}")
    return member


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_file())
Everything = message_factory.GetMessageClass(_POOL.FindMessageTypeByName("everything.Everything"))
