"""What a settlement rests on, in words beside its answer: enough to price it once more and explain each step.

Layout in 8-byte words: digest of the layout, use of the disease quota before, principal diagnosis (two words of text),
the resolved claim (CLAIM), the sums over its lines (SPLIT), then (slot, amount) of the person's year that it was priced
over, zeros left out. The fee lines are not kept: their split stands in the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adjudicator.columns import ACCUMULATOR_COUNT, CLAIM, SPLIT
from adjudicator.wire.digest import digest_bytes

LAYOUT = np.uint64(int.from_bytes(digest_bytes(repr((CLAIM.descr, SPLIT.descr, "principal")).encode())[:8], "little"))
"""Digest of what a basis holds; one of another layout is not read."""

PRINCIPAL_BYTES = 16
"""A principal diagnosis is kept up to this many octets; the insurance edition has shorter ones."""

_CLAIM_WORDS, _SPLIT_WORDS = CLAIM.itemsize // 8, SPLIT.itemsize // 8
_PRINCIPAL_WORDS = PRINCIPAL_BYTES // 8
_HEAD_WORDS = 2 + _PRINCIPAL_WORDS
assert CLAIM.itemsize % 8 == 0 and SPLIT.itemsize % 8 == 0


@dataclass(frozen=True, slots=True)
class Basis:
    """CLAIM[1], SPLIT[1], int64[64] the year before, fen that the disease quota had used, principal diagnosis."""

    claim: np.ndarray
    split: np.ndarray
    year: np.ndarray
    quota_used_fen: int
    principal: str
    """Code of the principal diagnosis as the claim had it, empty without one."""


def principal_codes(heap: np.ndarray, claims: np.ndarray, diagnoses: np.ndarray) -> np.ndarray:
    """uint64[n, 2]: the first diagnosis of each claim as zero-padded text.

    ``heap`` uint8; ``claims`` rows of the wire table of the claims, ``diagnoses`` that of the codes (start, size).
    """
    result = np.zeros((claims.shape[0], PRINCIPAL_BYTES), np.uint8)
    has = np.flatnonzero(claims["diagnoses_end"] > claims["diagnoses_start"])
    first = diagnoses[claims["diagnoses_start"][has]]
    within = np.arange(PRINCIPAL_BYTES)
    places = first["start"].astype(np.int64)[:, None] + within
    inside = within < first["size"].astype(np.int64)[:, None]
    result[has] = np.where(inside, heap[np.minimum(places, heap.shape[0] - 1)], 0)
    return result.view(np.uint64)


def write_basis(
    claims: np.ndarray,
    splits: np.ndarray,
    years: np.ndarray,
    quota_used: np.ndarray,
    principals: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Words uint64[:] of n settlements and int64[n + 1] offsets.

    years int64[n, 64], quota_used int64[n]; principals uint64[n, 2] of :func:`principal_codes`, ``None``: not known.
    """
    count = claims.shape[0]
    rows, slots = np.nonzero(years)
    fixed = _HEAD_WORDS + _CLAIM_WORDS + _SPLIT_WORDS
    pairs = np.bincount(rows, minlength=count)
    offsets = np.zeros(count + 1, np.int64)
    np.cumsum(fixed + 2 * pairs, out=offsets[1:])
    words = np.empty(int(offsets[-1]), np.uint64)
    starts = offsets[:-1]
    words[starts] = LAYOUT
    words[starts + 1] = quota_used.astype(np.uint64)
    words[starts[:, None] + 2 + np.arange(_PRINCIPAL_WORDS)] = 0 if principals is None else principals
    at = starts[:, None] + _HEAD_WORDS
    words[at + np.arange(_CLAIM_WORDS)] = np.ascontiguousarray(claims).view(np.uint64).reshape(count, _CLAIM_WORDS)
    at = at + _CLAIM_WORDS
    words[at + np.arange(_SPLIT_WORDS)] = np.ascontiguousarray(splits).view(np.uint64).reshape(count, _SPLIT_WORDS)
    within = np.arange(rows.shape[0]) - np.repeat(np.cumsum(pairs) - pairs, pairs)
    place = starts[rows] + fixed + 2 * within
    words[place] = slots.astype(np.uint64)
    words[place + 1] = years[rows, slots].astype(np.uint64)
    return words, offsets


def read_basis(data: bytes) -> Basis | None:
    """The basis of one settlement, None where there is none or its layout is another version's."""
    words = np.frombuffer(data, np.uint64)
    fixed = _HEAD_WORDS + _CLAIM_WORDS + _SPLIT_WORDS
    if words.shape[0] < fixed or words[0] != LAYOUT:
        return None
    claim = words[_HEAD_WORDS : _HEAD_WORDS + _CLAIM_WORDS].copy().view(CLAIM)
    split = words[_HEAD_WORDS + _CLAIM_WORDS : fixed].copy().view(SPLIT)
    year = np.zeros(ACCUMULATOR_COUNT, np.int64)
    pairs = words[fixed:].reshape(-1, 2).astype(np.int64)
    year[pairs[:, 0]] = pairs[:, 1]
    principal = words[2:_HEAD_WORDS].tobytes().rstrip(b"\0").decode(errors="replace")
    return Basis(claim, split, year, int(words[1].astype(np.int64)), principal)
