"""Persons' years as the store keeps them (``ledger.layout``), read into columns and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adjudicator.claim.state import STORED
from adjudicator.columns import ACCUMULATOR_COUNT, CARE_DAYS, QUOTA
from adjudicator.errors import E, refuse
from adjudicator.ledger.layout import CHANGE, NUMBER, STATE_FORMAT, STATE_HEAD, STATE_WORDS, padded
from adjudicator.ledger.state_kernel import (
    GOOD,
    OTHER_FORMAT,
    UNKNOWN_NUMBER,
    WRONG_SIZE,
    Buffer,
    Years,
    read_pairs,
    read_states,
)

WHY = {
    OTHER_FORMAT: f"a person's state is not of format {STATE_FORMAT}",
    WRONG_SIZE: "a person's state has an impossible size",
    UNKNOWN_NUMBER: "a person's state has an amount that this version does not know",
}


@dataclass(slots=True)
class StateRead:
    """Persons' years as read, one row a key; ``slots`` and ``quotas`` may be written by the benefit kernel.

    ``keys`` uint8[m, 16]; ``versions`` uint64[m], 0 for a person without a settlement; ``last`` uint8[m, 16],
    key of the latest settlement that stands; ``slots`` int64[m, ACCUMULATOR_COUNT] in the order of memory;
    ``quota_offsets`` int64[m+1] into ``quotas`` QUOTA, ``days_offsets`` likewise into ``days`` CARE_DAYS.
    """

    keys: np.ndarray
    versions: np.ndarray
    last: np.ndarray
    slots: np.ndarray
    quota_offsets: np.ndarray
    quotas: np.ndarray
    days_offsets: np.ndarray
    days: np.ndarray

    @classmethod
    def parse(cls, keys: np.ndarray, values: Sequence[bytes]) -> StateRead:
        """Read the stored values, empty where there is none. Errors: E.LEDGER_CORRUPT for one that is wrong."""
        found, states = parse_each(keys, values)
        if found.any():
            raise refuse(E.LEDGER_CORRUPT, detail=WHY[int(found[found != GOOD][0])])
        return states

    def quotas_of(self, row: int) -> dict[int, int]:
        """Disease quotas of one row: key -> fen used."""
        part = self.quotas[self.quota_offsets[row] : self.quota_offsets[row + 1]]
        return dict(zip(part["key"].tolist(), part["used_fen"].tolist(), strict=True))

    def days_of(self, row: int) -> dict[int, int]:
        """Care days of one row: key -> days, see ``claim.care_days``."""
        part = self.days[self.days_offsets[row] : self.days_offsets[row + 1]]
        return dict(zip(part["key"].tolist(), part["days"].tolist(), strict=True))


def parse_each(keys: np.ndarray, values: Sequence[bytes]) -> tuple[np.ndarray, StateRead]:
    """Read the stored values: what is wrong with each (int64[m], GOOD: nothing), and the years.

    The year of a value that is wrong is that of a person without a settlement.
    """
    count = len(values)
    sizes = np.fromiter(map(len, values), np.int64, count)
    if (sizes % 8).any():
        # A value that is not of whole words is wrong anyway; one word is no state either and keeps the words together.
        values = [value if len(value) % 8 == 0 else bytes(8) for value in values]
        sizes[sizes % 8 != 0] = 8
    offsets = np.zeros(count + 1, np.int64)
    np.cumsum(sizes // 8, out=offsets[1:])
    stored = Buffer.of(np.frombuffer(b"".join(values), np.uint64), offsets)
    heads, found = np.zeros(count, STATE_HEAD), np.empty(count, np.int64)
    slots, quota_offsets = np.zeros((count, ACCUMULATOR_COUNT), np.int64), np.empty(count + 1, np.int64)
    days_offsets = np.empty(count + 1, np.int64)
    years = Years(heads, heads.view(np.uint64).reshape(-1, STATE_WORDS), slots, quota_offsets, days_offsets)
    read_states(stored, STORED.place_of, years, found)
    quotas, days = np.empty(int(quota_offsets[-1]), QUOTA), np.empty(int(days_offsets[-1]), CARE_DAYS)
    if quotas.size or days.size:
        read_pairs(stored, years, quotas, days)
    return found, StateRead(keys, heads["version"], heads["last"], slots, quota_offsets, quotas, days_offsets, days)


def encode_state(
    version: int, last: bytes, slots: np.ndarray, quotas: Mapping[int, int], days: Mapping[int, int]
) -> bytes:
    """Return a state as it is stored; amounts of 0, quotas of nothing and days of nobody are left out."""
    amounts = slots[STORED.places]
    there = np.flatnonzero(amounts)
    quota_pairs, days_pairs = ([(key, amount) for key, amount in pairs.items() if amount] for pairs in (quotas, days))
    head = np.zeros(1, STATE_HEAD)
    head["version"], head["last"], head["format"] = version, np.frombuffer(last, np.uint8), STATE_FORMAT
    head["amount_count"], head["quota_count"], head["days_count"] = len(there), len(quota_pairs), len(days_pairs)
    numbers = padded(STORED.numbers[there].astype(NUMBER).tobytes())
    stored: tuple[bytes, ...] = (
        head.tobytes(), numbers, amounts[there].astype(CHANGE).tobytes(), np.array(quota_pairs, QUOTA).tobytes(),
        np.array(days_pairs, CARE_DAYS).tobytes(),
    )  # fmt: skip
    return b"".join(stored)
