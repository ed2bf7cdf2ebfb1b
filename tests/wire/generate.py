"""Random messages and random wire bytes, driven by a descriptor; every choice comes from ``random.Random``."""

from __future__ import annotations

import random

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

_F = FieldDescriptor
_VARINTS = {_F.TYPE_INT32, _F.TYPE_INT64, _F.TYPE_UINT32, _F.TYPE_UINT64, _F.TYPE_SINT32, _F.TYPE_SINT64, _F.TYPE_BOOL,
            _F.TYPE_ENUM}  # fmt: skip
_FIXED32 = {_F.TYPE_FIXED32, _F.TYPE_SFIXED32, _F.TYPE_FLOAT}
_FIXED64 = {_F.TYPE_FIXED64, _F.TYPE_SFIXED64, _F.TYPE_DOUBLE}
_UNSIGNED = {_F.TYPE_UINT32, _F.TYPE_UINT64, _F.TYPE_FIXED32, _F.TYPE_FIXED64}
_WIDE = {_F.TYPE_INT64, _F.TYPE_UINT64, _F.TYPE_SINT64, *_FIXED64}
_TEXTS = (
    "", "a", "XN05AXW037A001010201101", "内科", "é", "\U0001f3e5", "\x00", "\x7f", "A" * 127, "B" * 128, "0123456",
    "01234567", "012345678", "桃花源医院" * 3,
)  # fmt: skip
_BAD_TEXTS = (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe5\x86", b"\x80", b"abcdefg\xf0\x9f\x8f")
MAX_UINT64 = 2**64 - 1


# --- Messages of the library ---


def random_value(rng: random.Random, member: FieldDescriptor):
    """A value that a scalar field accepts, near the borders more often than not."""
    if member.type == _F.TYPE_STRING:
        return rng.choice(_TEXTS)
    if member.type == _F.TYPE_BYTES:
        return rng.randbytes(rng.choice((0, 1, 7, 8, 9, 30)))
    if member.type == _F.TYPE_BOOL:
        return rng.random() < 0.5
    if member.type in (_F.TYPE_FLOAT, _F.TYPE_DOUBLE):
        return rng.choice((0.0, -0.0, 1.5, float("inf"), float("nan"), 2.0**-140))
    if member.type == _F.TYPE_ENUM:
        return rng.choice((0, 1, 5, 1000, -1, 2**31 - 1))
    bits = 64 if member.type in _WIDE else 32
    low, high = (0, 2**bits - 1) if member.type in _UNSIGNED else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    around = rng.choice((0, 1, low, high, 2 ** rng.randrange(bits), -(2 ** rng.randrange(bits))))
    return min(max(around + rng.randrange(-1, 2), low), high)


def fill(rng: random.Random, message: Message, *, density: float = 0.5, repeats: int = 4) -> Message:
    """Set fields of ``message`` at random; returns it."""
    for member in message.DESCRIPTOR.fields:
        if rng.random() > density:
            continue
        if member.is_repeated:
            for _ in range(rng.randrange(repeats + 1)):
                if member.message_type is not None:
                    fill(rng, getattr(message, member.name).add(), density=density, repeats=repeats)
                else:
                    getattr(message, member.name).append(random_value(rng, member))
        elif member.message_type is not None:
            getattr(message, member.name).SetInParent()
            fill(rng, getattr(message, member.name), density=density, repeats=repeats)
        else:
            setattr(message, member.name, random_value(rng, member))
    return message


# --- Wire bytes that no library writes ---


def varint(value: int, extra: int = 0) -> bytes:
    """A varint, made ``extra`` bytes longer than it needs to be."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    for _ in range(extra):
        out[-1] |= 128
        out.append(0)
    return bytes(out)


def tag(rng: random.Random, number: int, wire_type: int) -> bytes:
    """A tag; one in thirty is longer than needed, now and then too long."""
    extra = rng.choice((1, 2, 3, 4, 5)) if rng.random() < 0.03 else 0
    high = 1 << 32 if rng.random() < 0.003 else 0
    return varint((number << 3 | wire_type) + high, extra)


def _number(rng: random.Random) -> bytes:
    value = rng.choice((0, 1, 127, 128, 300, 2**31 - 1, 2**31, 2**32, 2**63, MAX_UINT64, rng.getrandbits(64)))
    if rng.random() < 0.02:
        return b"\x80" * 9 + bytes([rng.choice((1, 2, 0x7F, 0x80))])
    return varint(value, rng.choice((1, 3, 5, 9)) if rng.random() < 0.05 else 0)


def _sized(rng: random.Random, payload: bytes) -> bytes:
    size = len(payload) + (rng.choice((-1, 1, 2**31, 2**40)) if rng.random() < 0.005 else 0)
    return varint(max(size, 0), rng.choice((1, 2, 3, 4)) if rng.random() < 0.02 else 0) + payload


def _text(rng: random.Random) -> bytes:
    return rng.choice(_BAD_TEXTS) if rng.random() < 0.02 else rng.choice(_TEXTS).encode()


def _unknown(rng: random.Random, number: int, depth: int) -> bytes:
    """One field whose number or wire type the message does not know."""
    wire_type = rng.choice((0, 0, 1, 2, 2, 3, 3, 5))
    if rng.random() < 0.01:
        wire_type = rng.choice((4, 6, 7))
    head = tag(rng, number, wire_type)
    if wire_type == 0:
        return head + _number(rng)
    if wire_type == 1:
        return head + rng.randbytes(8)
    if wire_type == 5:
        return head + rng.randbytes(4)
    if wire_type == 2:
        return head + _sized(rng, rng.randbytes(rng.randrange(6)))
    if wire_type != 3:
        return head
    inner = (
        b"".join(_unknown(rng, rng.randrange(0, 40), depth + 1) for _ in range(rng.randrange(3))) if depth < 4 else b""
    )
    levels = rng.choice((90, 97, 98, 99, 100, 101)) if rng.random() < 0.01 else 1
    end = b"" if rng.random() < 0.01 else tag(rng, number if rng.random() < 0.98 else number + 1, 4)
    return head * levels + inner + end * levels


def _known(rng: random.Random, member: FieldDescriptor, depth: int) -> bytes:
    number = member.number
    if member.message_type is not None:
        return tag(rng, number, 2) + _sized(rng, wire_bytes(rng, member.message_type, depth + 1))
    if member.type in (_F.TYPE_STRING, _F.TYPE_BYTES):
        return tag(rng, number, 2) + _sized(rng, _text(rng))
    write = {5: lambda: rng.randbytes(4), 1: lambda: rng.randbytes(8)}
    wire_type = 5 if member.type in _FIXED32 else 1 if member.type in _FIXED64 else 0
    one = write.get(wire_type, lambda: _number(rng))
    if member.is_repeated and rng.random() < 0.5:
        payload = b"".join(one() for _ in range(rng.randrange(5)))
        if rng.random() < 0.03:
            payload = payload[:-1]
        return tag(rng, number, 2) + _sized(rng, payload)
    return tag(rng, number, wire_type) + one()


def wire_bytes(rng: random.Random, descriptor: Descriptor, depth: int = 0) -> bytes:
    """Fields in any order, doubled, unknown, of the wrong type, packed or not; most of it is accepted."""
    parts = []
    for _ in range(rng.choice((0, 1, 2, 4, 8) if depth else (0, 1, 4, 10, 20))):
        chance = rng.random()
        if chance < 0.85 and descriptor.fields:
            parts.append(_known(rng, rng.choice(descriptor.fields), depth))
        elif chance < 0.93 and descriptor.fields:
            parts.append(_unknown(rng, rng.choice(descriptor.fields).number, 0))
        else:
            parts.append(_unknown(rng, rng.choice((0 if rng.random() < 0.1 else 1, 99, 2000, 2**29 - 1)), 0))
    return b"".join(parts)


def mutate(rng: random.Random, data: bytes) -> bytes:
    """Change, drop, insert, repeat or cut a few bytes."""
    out = bytearray(data)
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        if not out:
            break
        chance, where = rng.random(), rng.randrange(len(out))
        if chance < 0.5:
            out[where] = rng.randrange(256)
        elif chance < 0.6:
            out[where] ^= 1 << rng.randrange(8)
        elif chance < 0.75:
            del out[where : where + rng.randrange(1, 6)]
        elif chance < 0.9:
            out[where:where] = rng.randbytes(rng.randrange(1, 4))
        elif chance < 0.97:
            source = rng.randrange(len(out))
            out[where:where] = out[source : source + rng.randrange(40)]
        else:
            del out[where:]
    return bytes(out)
