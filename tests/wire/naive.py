"""SipHash-2-4 with 128 bits of result, written from the paper (Aumasson and Bernstein, 2012) with Python integers."""

from __future__ import annotations

_MASK = 2**64 - 1


def _rotate(word: int, bits: int) -> int:
    return (word << bits | word >> (64 - bits)) & _MASK


def _rounds(state: list[int], count: int) -> None:
    for _ in range(count):
        state[0] = (state[0] + state[1]) & _MASK
        state[1] = _rotate(state[1], 13) ^ state[0]
        state[0] = _rotate(state[0], 32)
        state[2] = (state[2] + state[3]) & _MASK
        state[3] = _rotate(state[3], 16) ^ state[2]
        state[0] = (state[0] + state[3]) & _MASK
        state[3] = _rotate(state[3], 21) ^ state[0]
        state[2] = (state[2] + state[1]) & _MASK
        state[1] = _rotate(state[1], 17) ^ state[2]
        state[2] = _rotate(state[2], 32)


def siphash128(data: bytes, key: bytes) -> bytes:
    """16 bytes of digest under a key of 16 bytes."""
    first, second = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
    start = (b"somepseu", b"dorandom", b"lygenera", b"tedbytes")
    words = [int.from_bytes(word, "big") for word in start]
    state = [words[0] ^ first, words[1] ^ second ^ 0xEE, words[2] ^ first, words[3] ^ second]
    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) % 256])
    for position in range(0, len(padded), 8):
        word = int.from_bytes(padded[position : position + 8], "little")
        state[3] ^= word
        _rounds(state, 2)
        state[0] ^= word
    state[2] ^= 0xEE
    _rounds(state, 4)
    digest = (state[0] ^ state[1] ^ state[2] ^ state[3]).to_bytes(8, "little")
    state[1] ^= 0xDD
    _rounds(state, 4)
    return digest + (state[0] ^ state[1] ^ state[2] ^ state[3]).to_bytes(8, "little")
