"""Whether a settlement can be taken back though later ones of the person's year stand.

It can when none of them would come out differently without it: then the amounts that were paid stay right. A later part
of the same stay, and a settlement under rules that are not loaded, count as ones that would.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adjudicator.claim.again import PricedOver, comes_out_the_same
from adjudicator.claim.basis import inputs_of, read_basis
from adjudicator.ledger.record import Record
from adjudicator.ledger.reversal import take_off
from adjudicator.ledger.states import StateRead
from adjudicator.ledger.store import Ledger
from adjudicator.rules.bundle import Bundle
from adjudicator.service.encounters import stay_of
from adjudicator.v1 import settlement_pb2


class Independence:
    """Asks of the later settlements of a year whether they depend on an earlier one."""

    def __init__(self, ledger: Ledger, bundle: Bundle):
        self._ledger = ledger
        self._bundle = bundle

    async def first_dependent(self, record: Record, later: Sequence[Record], states: StateRead) -> Record | None:
        """Return the first of the later settlements, in order, that would come out differently; None: no one.

        ``states``: the person's year as it is now (row 0). Each later settlement is priced over what of this year came
        before it and is not ``record``; settlements that were taken back out of order before are in no year any more.
        """
        year = Year(states.slots[0].copy(), states.quotas_of(0))
        take_off(record, *year)
        dependent = None
        for one in reversed(later):
            take_off(one, *year)
            if await self._depends(record, one, year):
                dependent = one
        return dependent

    async def _depends(self, record: Record, later: Record, year: Year) -> bool:
        if (later.institution, later.encounter) == (record.institution, record.encounter):
            return True
        kept = read_basis(later.basis)
        inputs = None if kept is None else inputs_of(kept, self._bundle.hash)
        if inputs is None:
            return True
        if inputs.claim["chain_continues"][0]:
            return True  # what its referral chain was charged may be of this settlement
        if inputs.claim["accumulators_given"][0]:
            return False  # it was priced over the year that the platform gave, not over the ledger's
        used = inputs.quota_used_fen
        if inputs.claim["quota"][0] >= 0 and year.quotas:
            if not later.quotas:
                return True  # which quota it asked for is not kept
            used = year.quotas.get(later.quotas[0][0], 0)
        answer = settlement_pb2.Settlement.FromString(later.answer)
        lines = np.array([line.in_scope_fen for line in answer.lines], np.int64)
        stay = await stay_of(self._ledger, later)
        return not comes_out_the_same(self._bundle.benefit, inputs, lines, stay, PricedOver(year.slots, used))


class Year(NamedTuple):
    """A person's year, from which settlements are taken off one by one."""

    slots: np.ndarray
    quotas: dict[int, int]
