"""Digests that name a settlement and a person's year: SipHash-2-4-128 over length-prefixed parts.

The parts are prefixed with their size, so that two different pairs of texts never give the same bytes. The digests are
names, no secret; the ledger compares the texts themselves where a digest is already known.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator.compiled.jit import inlined, kernel
from adjudicator.limits import MAX_ID_BYTES
from adjudicator.wire.digest import digest_bytes, siphash128

MATERIAL_BYTES = 4 * (MAX_ID_BYTES + 2)
"""Longest material of a key: no id is longer than its limit, or the claim is refused before."""

DIRECTION_SETTLE, DIRECTION_REVERSE = 1, 2


@inlined
def put_text(material: np.ndarray, position: int, heap: np.ndarray, start: int, size: int) -> int:
    """Append size (one byte) and bytes of a text; return the new position."""
    material[np.uint64(position)] = np.uint8(size)
    for i in range(size):
        material[np.uint64(position + 1 + i)] = heap[np.uint64(start + i)]
    return position + 1 + size


@inlined
def put_number(material: np.ndarray, position: int, value: int) -> int:
    """Append four bytes, little-endian; return the new position."""
    for i in range(4):
        material[np.uint64(position + i)] = np.uint8((value >> (8 * i)) & 255)
    return position + 4


class DigestKey(NamedTuple):
    """The key of SipHash."""

    low: np.uint64
    high: np.uint64


@kernel
def identity_keys(
    heap: np.ndarray,
    wire_claims: np.ndarray,
    claims: np.ndarray,
    key: DigestKey,
    material: np.ndarray,
    words: np.ndarray,
) -> None:
    """Fill ``words`` uint64[3, n, 2] with the digests of the claims of a batch; zero for claims with an error.

    The first are of institution, encounter, sequence and direction, the second of person, scheme and benefit year, the
    third of the person number. ``material`` uint8[MATERIAL_BYTES] is work space.
    """
    keys, states, persons = words[0], words[1], words[2]
    for index in range(wire_claims.shape[0]):
        row = np.uint64(index)
        wire = wire_claims[row]
        claim = claims[row]
        for half in range(2):
            keys[row, np.uint64(half)] = np.uint64(0)
            states[row, np.uint64(half)] = np.uint64(0)
            persons[row, np.uint64(half)] = np.uint64(0)
        if claim.error == 0:
            size = put_text(
                material, np.int64(0), heap, wire.institution_code_start, np.int64(wire.institution_code_size)
            )
            size = put_text(material, size, heap, wire.encounter_id_start, np.int64(wire.encounter_id_size))
            size = put_number(material, size, np.int64(wire.settlement_sequence))
            material[np.uint64(size)] = np.uint8(DIRECTION_SETTLE)
            low, high = siphash128(material, np.uint64(0), np.uint64(size + 1), key.low, key.high)
            keys[row, np.uint64(0)] = low
            keys[row, np.uint64(1)] = high
            size = put_text(material, np.int64(0), heap, wire.person_id_start, np.int64(wire.person_id_size))
            low, high = siphash128(material, np.uint64(0), np.uint64(size), key.low, key.high)
            persons[row, np.uint64(0)] = low
            persons[row, np.uint64(1)] = high
            size = put_number(material, size, np.int64(claim.scheme))
            size = put_number(material, size, np.int64(claim.benefit_year))
            low, high = siphash128(material, np.uint64(0), np.uint64(size), key.low, key.high)
            states[row, np.uint64(0)] = low
            states[row, np.uint64(1)] = high


def _text(value: str) -> bytes:
    encoded = value.encode()
    return bytes([min(len(encoded), 255)]) + encoded


def _number(value: int) -> bytes:
    return value.to_bytes(4, "little")


def settlement_key(institution: str, encounter: str, sequence: int, direction: int = DIRECTION_SETTLE) -> bytes:
    """Return the 16 bytes that name a settlement; equal to the kernel's.

    >>> settlement_key("H33010200001", "E1", 1) == settlement_key("H33010200001", "E1", 1, DIRECTION_REVERSE)
    False
    """
    return digest_bytes(_text(institution) + _text(encounter) + _number(sequence) + bytes([direction]))


def state_key(person: str, scheme: int, year: int) -> bytes:
    """Return the 16 bytes that name a person's year in a scheme; equal to the kernel's."""
    return digest_bytes(_text(person) + _number(int(scheme)) + _number(year))


def person_key(person: str) -> bytes:
    """Return the 16 bytes that stand for a person number; equal to the kernel's."""
    return digest_bytes(_text(person))
