"""Digests that name a settlement and a person's year: SipHash-2-4-128 over length-prefixed parts.

The parts are prefixed with their size, so that two different pairs of texts never give the same bytes. The digests are
names, no secret; the ledger compares the texts themselves where a digest is already known.
"""

from __future__ import annotations

import numpy as np

from adjudicator.compiled.jit import inlined, kernel
from adjudicator.limits import MAX_ID_BYTES
from adjudicator.wire.digest import KEY, digest_bytes, siphash128

MATERIAL_BYTES = 4 * (MAX_ID_BYTES + 2)
"""Longest material of a key: no id is longer than its limit, or the claim is refused before."""

DIRECTION_SETTLE, DIRECTION_REVERSE = 1, 2


@inlined
def _put_text(material, position, heap, start, size):
    """Appends size (one byte) and bytes of a text; returns the new position."""
    material[np.uint64(position)] = np.uint8(size)
    for i in range(size):
        material[np.uint64(position + 1 + i)] = heap[np.uint64(start + i)]
    return position + 1 + size


@inlined
def _put_number(material, position, value):
    """Appends four bytes, little-endian; returns the new position."""
    for i in range(4):
        material[np.uint64(position + i)] = np.uint8((value >> (8 * i)) & 255)
    return position + 4


@kernel
def identity_keys(heap, wire_claims, claims, direction, key0, key1, material, keys, states, persons):
    """Fills keys, states, persons (uint64[n, 2]) of the claims without error; zero for the others.

    keys: institution, encounter, sequence, direction; states: person, scheme, benefit year; persons: person.
    """
    for index in range(wire_claims.shape[0]):
        row = np.uint64(index)
        wire = wire_claims[row]
        claim = claims[row]
        for half in range(2):
            keys[row, np.uint64(half)] = np.uint64(0)
            states[row, np.uint64(half)] = np.uint64(0)
            persons[row, np.uint64(half)] = np.uint64(0)
        if claim.error == 0:
            size = _put_text(
                material, np.int64(0), heap, wire.institution_code_start, np.int64(wire.institution_code_size)
            )
            size = _put_text(material, size, heap, wire.encounter_id_start, np.int64(wire.encounter_id_size))
            size = _put_number(material, size, np.int64(wire.settlement_sequence))
            material[np.uint64(size)] = np.uint8(direction)
            low, high = siphash128(material, np.uint64(0), np.uint64(size + 1), key0, key1)
            keys[row, np.uint64(0)] = low
            keys[row, np.uint64(1)] = high
            size = _put_text(material, np.int64(0), heap, wire.person_id_start, np.int64(wire.person_id_size))
            low, high = siphash128(material, np.uint64(0), np.uint64(size), key0, key1)
            persons[row, np.uint64(0)] = low
            persons[row, np.uint64(1)] = high
            size = _put_number(material, size, np.int64(claim.scheme))
            size = _put_number(material, size, np.int64(claim.benefit_year))
            low, high = siphash128(material, np.uint64(0), np.uint64(size), key0, key1)
            states[row, np.uint64(0)] = low
            states[row, np.uint64(1)] = high


def fill_keys(heap: np.ndarray, wire_claims: np.ndarray, claims: np.ndarray) -> tuple[np.ndarray, ...]:
    """Settlement keys, state keys and person digests of a batch, uint8[n, 16] each."""
    count = claims.shape[0]
    keys, states, persons = (np.empty((count, 2), np.uint64) for _ in range(3))
    material = np.empty(MATERIAL_BYTES, np.uint8)
    identity_keys(heap, wire_claims, claims, DIRECTION_SETTLE, *KEY, material, keys, states, persons)
    return tuple(array.view(np.uint8).reshape(count, 16) for array in (keys, states, persons))


def _text(value: str) -> bytes:
    encoded = value.encode()
    return bytes([min(len(encoded), 255)]) + encoded


def _number(value: int) -> bytes:
    return value.to_bytes(4, "little")


def settlement_key(institution: str, encounter: str, sequence: int, direction: int = DIRECTION_SETTLE) -> bytes:
    """The 16 bytes that name a settlement; equal to the kernel's.

    >>> settlement_key("H33010200001", "E1", 1) == settlement_key("H33010200001", "E1", 1, DIRECTION_REVERSE)
    False
    """
    return digest_bytes(_text(institution) + _text(encounter) + _number(sequence) + bytes([direction]))


def state_key(person: str, scheme: int, year: int) -> bytes:
    """The 16 bytes that name a person's year in a scheme; equal to the kernel's."""
    return digest_bytes(_text(person) + _number(int(scheme)) + _number(year))


def person_key(person: str) -> bytes:
    """The 16 bytes that stand for a person number; equal to the kernel's."""
    return digest_bytes(_text(person))
