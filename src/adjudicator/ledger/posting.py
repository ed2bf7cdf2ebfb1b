"""Writes the journal records and the new states of a batch, word by word, without an object per claim.

Layouts are those of ``ledger.record``: a header of whole 8-byte words that the caller has filled, then sections
padded to 8 bytes. All arrays are little-endian and C-contiguous; outputs are passed in and fully overwritten.
"""

from __future__ import annotations

import numpy as np

from adjudicator.compiled.jit import inlined_kernel, kernel

_SEED, _PRIME = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xFF51AFD7ED558CCD)
_SHIFT = np.uint64(29)


@inlined_kernel
def _checksum(words, start, end):
    value = _SEED
    for i in range(np.uint64(start), np.uint64(end)):
        value = (value ^ words[i]) * _PRIME
        value ^= value >> _SHIFT
    return value


@kernel
def checksum(words, start, end):
    """Checksum of the words ``start <= i < end`` of a uint64 array: detects damage, not malice."""
    return _checksum(words, start, end)


@kernel
def check_records(words, offsets, checksum_word, good):
    """Whether each record's checksum holds; ``words`` uint64, ``offsets`` int64[n+1] in words, ``good`` bool[n] out.

    The checksum fields are zero afterwards.
    """
    for i in range(offsets.shape[0] - 1):
        at = np.uint64(offsets[i] + checksum_word)
        good[i] = False
        if offsets[i + 1] - offsets[i] > checksum_word:
            stored = words[at]
            words[at] = np.uint64(0)
            good[i] = _checksum(words, offsets[i], offsets[i + 1]) == stored


@kernel
def measure(amounts, before, after, states, quota_changes, counts):
    """Counts what each record will hold: int64[n, 3] postings, deltas, quota deltas.

    ``amounts`` int64[n, funds] fen; ``before`` and ``after`` int64[n, 64], the person's year around each
    settlement, read where ``states`` int64[n] is not negative; ``quota_changes`` int64[n] fen.
    """
    for i in range(amounts.shape[0]):
        postings = 0
        for fund in range(amounts.shape[1]):
            postings += amounts[i, fund] != 0
        deltas = 0
        if states[i] >= 0:
            for slot in range(before.shape[1]):
                deltas += before[i, slot] != after[i, slot]
        counts[i, 0] = postings
        counts[i, 1] = deltas
        counts[i, 2] = quota_changes[i] != 0


@kernel
def write_records(
    headers, text, names, fields, amounts, before, after, states, quota_keys, quota_changes,
    answers, answer_offsets, basis, basis_offsets, checksum_word, offsets, out_words, out_bytes, out_digests,
):  # fmt: skip
    """Writes the records of a batch.

    ``headers`` uint64[n, h], the filled headers with checksum 0; ``text`` uint8 with ``names`` int64[n, 4]:
    start and size of institution, start and size of encounter; ``fields`` uint32[n, f]; ``answers`` uint8 with
    ``answer_offsets`` int64[n+1]; ``basis`` uint64 with ``basis_offsets`` int64[n+1]; ``offsets`` int64[n+1], in words.
    ``out_words``, ``out_bytes`` and ``out_digests`` are one buffer seen as uint64, uint8 and uint32. The posting
    word is county (u32), scheme (u16), fund (u16); county and scheme come from the header.
    """
    header_words = headers.shape[1]
    for i in range(headers.shape[0]):
        at = offsets[i]
        for word in range(header_words):
            out_words[np.uint64(at + word)] = headers[i, word]
        at += header_words
        # Header words 2 and 5 hold the scheme and the county in their upper halves (ledger.record.HEADER).
        scheme, county = headers[i, 2] >> np.uint64(32), headers[i, 5] >> np.uint64(32)

        size = names[i, 1] + names[i, 3]
        words = (size + 7) // 8
        if words > 0:
            out_words[np.uint64(at + words - 1)] = 0
        byte = at * 8
        for k in range(names[i, 1]):
            out_bytes[np.uint64(byte + k)] = text[np.uint64(names[i, 0] + k)]
        byte += names[i, 1]
        for k in range(names[i, 3]):
            out_bytes[np.uint64(byte + k)] = text[np.uint64(names[i, 2] + k)]
        at += words

        words = (fields.shape[1] + 1) // 2
        if words > 0:
            out_words[np.uint64(at + words - 1)] = 0
        for k in range(fields.shape[1]):
            out_digests[np.uint64(2 * at + k)] = fields[i, k]
        at += words

        for fund in range(amounts.shape[1]):
            if amounts[i, fund] != 0:
                out_words[np.uint64(at)] = county | scheme << np.uint64(32) | np.uint64(fund) << np.uint64(48)
                out_words[np.uint64(at + 1)] = np.uint64(amounts[i, fund])
                at += 2
        if states[i] >= 0:
            for slot in range(before.shape[1]):
                if before[i, slot] != after[i, slot]:
                    out_words[np.uint64(at)] = np.uint64(slot)
                    out_words[np.uint64(at + 1)] = np.uint64(after[i, slot] - before[i, slot])
                    at += 2
        if quota_changes[i] != 0:
            out_words[np.uint64(at)] = quota_keys[i]
            out_words[np.uint64(at + 1)] = np.uint64(quota_changes[i])
            at += 2

        size = answer_offsets[i + 1] - answer_offsets[i]
        words = (size + 7) // 8
        if words > 0:
            out_words[np.uint64(at + words - 1)] = 0
        byte, start = at * 8, answer_offsets[i]
        for k in range(size):
            out_bytes[np.uint64(byte + k)] = answers[np.uint64(start + k)]
        at += words
        for k in range(basis_offsets[i], basis_offsets[i + 1]):
            out_words[np.uint64(at)] = basis[np.uint64(k)]
            at += 1
        out_words[np.uint64(offsets[i] + checksum_word)] = _checksum(out_words, offsets[i], offsets[i + 1])


@kernel
def sum_groups(groups, amounts, sums):
    """Adds the rows of ``amounts`` int64[n, funds] to ``sums`` int64[g, funds] by ``groups`` int64[n]."""
    sums[:] = 0
    for i in range(groups.shape[0]):
        for fund in range(amounts.shape[1]):
            sums[groups[i], fund] += amounts[i, fund]


@kernel
def write_states(
    fixed, old_starts, old_ends, old_quotas, claim_order, claim_starts, quota_keys, quota_after, out, offsets,
):  # fmt: skip
    """Writes new states: the fixed part, then the disease quotas with this batch's values put in.

    ``fixed`` uint64[m, words]; ``old_quotas`` uint64[q, 2] with the ranges ``old_starts``, ``old_ends`` int64[m];
    ``claim_order`` int64: claims of each state in order, state ``j`` has ``claim_starts[j]`` to ``claim_starts[j+1]``;
    ``quota_keys`` uint64[n], ``quota_after`` int64[n]. ``out`` uint64, large enough; ``offsets`` int64[m+1]
    out, in words.
    """
    offsets[0] = 0
    for j in range(fixed.shape[0]):
        at = offsets[j]
        for word in range(fixed.shape[1]):
            out[np.uint64(at + word)] = fixed[j, word]
        first = at + fixed.shape[1]
        end = first
        for q in range(old_starts[j], old_ends[j]):
            out[np.uint64(end)] = old_quotas[q, 0]
            out[np.uint64(end + 1)] = old_quotas[q, 1]
            end += 2
        for k in range(claim_starts[j], claim_starts[j + 1]):
            claim = claim_order[k]
            if quota_keys[claim] != 0:
                place = first
                while place < end and out[np.uint64(place)] != quota_keys[claim]:
                    place += 2
                out[np.uint64(place)] = quota_keys[claim]
                out[np.uint64(place + 1)] = np.uint64(quota_after[claim])
                end = max(end, place + 2)
        offsets[j + 1] = end
