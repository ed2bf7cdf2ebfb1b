"""Which text of a refused message is not in UTF-8: found the slow way, once the kernel has refused it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

VARINT, WIDE, SIZED, NARROW = 0, 1, 2, 5
"""Wire types that a message without groups has."""
FIXED_BYTES = {WIDE: 8, NARROW: 4}


def text_that_is_no_utf8(descriptor: Any, data: bytes) -> tuple[str, bytes] | None:
    r"""Return path and bytes of the first text of a message that is not in UTF-8; None where there is none.

    Nothing is said about a message that is wrong in another way before such a text.

    >>> from adjudicator.v1 import claim_pb2
    >>> claim = claim_pb2.Claim(lines=[claim_pb2.Line(), claim_pb2.Line(item_code="??")])
    >>> gbk = claim.SerializeToString().replace(b"??", "中".encode("gbk"))
    >>> text_that_is_no_utf8(claim_pb2.Claim.DESCRIPTOR, gbk)
    ('lines[1].item_code', b'\xd6\xd0')
    """
    seen: Counter[int] = Counter()
    for number, part in _sized_fields(data):
        field = descriptor.fields_by_number.get(number)
        if field is None:
            continue
        path = f"{field.name}[{seen[number]}]" if field.is_repeated else field.name
        seen[number] += 1
        if field.message_type is not None:
            inner = text_that_is_no_utf8(field.message_type, part)
            if inner is not None:
                return f"{path}.{inner[0]}", inner[1]
        elif field.type == FieldDescriptor.TYPE_STRING and not _decodes(part, "utf-8"):
            return path, part
    return None


def is_gbk(text: bytes) -> bool:
    """Return whether bytes read as GBK or GB18030, the usual other encoding of Chinese texts."""
    return _decodes(text, "gb18030")


def _decodes(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _sized_fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of the length-delimited fields, as far as the message can be walked."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        kind = tag & 7
        if kind == VARINT:
            _, position = _varint(data, position)
        elif kind in FIXED_BYTES:
            position += FIXED_BYTES[kind]
        elif kind == SIZED:
            size, position = _varint(data, position)
            if position + size > len(data):
                return
            yield tag >> 3, data[position : position + size]
            position += size
        else:
            return


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """Return a number and the position behind it; one that is cut off ends with the message."""
    value = shift = 0
    while position < len(data):
        octet = data[position]
        position += 1
        value |= (octet & 127) << shift
        shift += 7
        if octet < 128:
            break
    return value, position
