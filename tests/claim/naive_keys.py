"""The slow twin of ``claim/keys.py``: SipHash-2-4-128 of length-prefixed parts, written from the paper.

Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, with the 128-bit output of the reference code.
"""

from __future__ import annotations

from adjudicator.v1 import claim_pb2
from adjudicator.wire.digest import KEY

MASK = 2**64 - 1
DIRECTION_SETTLE = 1


def _rotate(value: int, bits: int) -> int:
    return (value << bits | value >> (64 - bits)) & MASK


def _rounds(state: list[int], count: int) -> None:
    for _ in range(count):
        a, b, c, d = state
        a = (a + b) & MASK
        b = _rotate(b, 13) ^ a
        a = _rotate(a, 32)
        c = (c + d) & MASK
        d = _rotate(d, 16) ^ c
        a = (a + d) & MASK
        d = _rotate(d, 21) ^ a
        c = (c + b) & MASK
        b = _rotate(b, 17) ^ c
        c = _rotate(c, 32)
        state[:] = a, b, c, d


def siphash128(data: bytes, key: tuple[int, int]) -> bytes:
    """Return the 16 bytes of SipHash-2-4-128."""
    state = [
        0x736F6D6570736575 ^ key[0], 0x646F72616E646F6D ^ key[1] ^ 0xEE,
        0x6C7967656E657261 ^ key[0], 0x7465646279746573 ^ key[1],
    ]  # fmt: skip
    padded = data + bytes((7 - len(data)) % 8) + bytes([len(data) & 255])
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        state[3] ^= word
        _rounds(state, 2)
        state[0] ^= word
    state[2] ^= 0xEE
    _rounds(state, 4)
    low = state[0] ^ state[1] ^ state[2] ^ state[3]
    state[1] ^= 0xDD
    _rounds(state, 4)
    high = state[0] ^ state[1] ^ state[2] ^ state[3]
    return low.to_bytes(8, "little") + high.to_bytes(8, "little")


def _part(text: str) -> bytes:
    raw = text.encode()
    return bytes([len(raw)]) + raw


def digest_keys(claim: claim_pb2.Claim, scheme: int, year: int, direction: int) -> tuple[bytes, bytes, bytes]:
    """Return the digests of the settlement, of the person's year and of the person."""
    key = (int(KEY[0]), int(KEY[1]))
    if max(len(text.encode()) for text in (claim.institution_code, claim.encounter_id, claim.person_id)) > 255:
        return (bytes(16),) * 3
    names = _part(claim.institution_code) + _part(claim.encounter_id)
    settlement = names + claim.settlement_sequence.to_bytes(4, "little") + bytes([direction])
    person = _part(claim.person_id)
    state = person + scheme.to_bytes(4, "little") + (year % 2**32).to_bytes(4, "little")
    return siphash128(settlement, key), siphash128(state, key), siphash128(person, key)
