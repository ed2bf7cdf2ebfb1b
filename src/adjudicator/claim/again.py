"""A settlement priced once more over another year: whether it would come out differently."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from adjudicator.benefit.compile import Benefit
from adjudicator.benefit.records import WORK
from adjudicator.benefit.settle import run
from adjudicator.benefit.tables import Claims
from adjudicator.claim.basis import Inputs
from adjudicator.claim.state import StayParts
from adjudicator.claim.years import join_stays
from adjudicator.columns import BENEFIT, QUOTA


class PricedOver(NamedTuple):
    """What a claim is priced over."""

    slots: np.ndarray
    """int64[ACCUMULATOR_COUNT]"""
    quota_used_fen: int


def comes_out_the_same(
    benefit: Benefit, inputs: Inputs, lines_in_scope: np.ndarray, stay: StayParts | None, other: PricedOver
) -> bool:
    """Return whether a settlement pays and counts the same over ``other`` as over the year that it was priced over.

    ``lines_in_scope`` int64: in-scope amount of each fee line; ``stay``: the earlier parts of its stay.
    """
    stays: Mapping[int, StayParts] = {} if stay is None else {0: stay}
    own = PricedOver(inputs.year, inputs.quota_used_fen)
    first, second = (_price(benefit, inputs, lines_in_scope, stays, year) for year in (own, other))
    return first == second


def _price(
    benefit: Benefit, inputs: Inputs, lines_in_scope: np.ndarray, stays: Mapping[int, StayParts], year: PricedOver
) -> tuple[bytes, bytes, int]:
    """Return the result of a claim over a year, the change of the year, and that of the quota."""
    claim, slots, quota = inputs.claim.copy(), year.slots.reshape(1, -1).copy(), np.zeros(1, QUOTA)
    claim["line_start"], claim["line_end"] = 0, len(lines_in_scope)
    quota["used_fen"] = year.quota_used_fen
    joined, out = join_stays(claim, np.zeros(1, np.int64), stays), np.zeros(1, BENEFIT)
    run(benefit, Claims.over(claim, inputs.split, lines_in_scope, slots, quota, joined), out, np.empty(1, WORK))
    return out.tobytes(), (slots[0] - year.slots).tobytes(), int(quota["used_fen"][0]) - year.quota_used_fen
