"""Persons' years as the store keeps them (``ledger.layout``), read into columns and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from adjudicator.claim.state import STORED
from adjudicator.columns import CARE_DAYS, QUOTA
from adjudicator.errors import E, refuse
from adjudicator.ledger.layout import CHANGE, NUMBER, STATE_FORMAT, STATE_HEAD, padded
from adjudicator.ledger.state_kernel import (
    GOOD,
    OTHER_FORMAT,
    UNKNOWN_NUMBER,
    WRONG_SIZE,
    parse_states,
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
        if np.count_nonzero(found):
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
    octets = np.frombuffer(b"".join(values) or bytes(8), np.uint8)
    ends = np.fromiter(accumulate(map(len, values)), np.int64, len(values))
    found, *columns = parse_states(octets, ends, STORED.place_of)
    return found, StateRead(keys, *columns)


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
