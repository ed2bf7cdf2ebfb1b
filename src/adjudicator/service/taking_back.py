"""Whether a settlement can be taken back though later ones of the person's year stand.

It can when none of them would come out differently without it: then the amounts that were paid stay right. A later part
of the same stay, and a settlement under rules that are not loaded, count as ones that would. What counts over all
schemes (the limits of medical assistance) is looked at in the person's years of the other schemes too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adjudicator.claim.again import PricedOver, comes_out_the_same
from adjudicator.claim.basis import Inputs, elsewhere_of, inputs_of, read_basis
from adjudicator.claim.kin import ELSEWHERE, other_years
from adjudicator.claim.state import STORED
from adjudicator.ledger.encounter import is_part
from adjudicator.ledger.record import Record
from adjudicator.ledger.reversal import NO_GUARDS, Guards, take_off
from adjudicator.ledger.states import StateRead
from adjudicator.ledger.store import Ledger
from adjudicator.rules.bundle import Bundle
from adjudicator.service.encounters import stay_of
from adjudicator.v1 import settlement_pb2


class Independence:
    """Asks of the later settlements of a year whether they depend on an earlier one."""

    def __init__(self, ledger: Ledger, bundle: Bundle, pool: str, person: str):
        """``person``: the person's number, by which the years in other schemes are found."""
        self._ledger = ledger
        self._bundle = bundle
        self._pool = pool
        self._person = person

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

    async def first_elsewhere(self, record: Record) -> tuple[Record | None, Guards]:
        """Return the first later settlement in another scheme that would come out differently; None: no one.

        The guards are the states that were looked at, and of a part of a stay those in which the next part may be: they
        must not move until the reversal is written.
        """
        counts_elsewhere = any(STORED.place_of[number] in ELSEWHERE for number, _ in record.changes)
        keys = other_years(self._bundle, self._pool, self._person, (record.scheme, record.benefit_year))
        if is_part(record):  # the next part of the stay may be settled in the next year
            keys += other_years(self._bundle, self._pool, self._person, (0, record.benefit_year + 1))
        elif not counts_elsewhere:
            return None, NO_GUARDS
        states = (await self._ledger.read(self._pool, b"", keys)).states
        guards = Guards(keys, states.versions.tobytes())
        if not counts_elsewhere:
            return None, guards
        standing: list[Record] = []
        for last in states.last:
            standing += [one async for one in self._ledger.standing(self._pool, last.tobytes())]
        own = (await self._ledger.accumulators(self._pool, record.state_key or bytes(16))).last[0].tobytes()
        everything = [*standing, *[one async for one in self._ledger.standing(self._pool, own)]]
        for one in sorted(standing, key=lambda settlement: settlement.position):
            if one.position > record.position and await self._depends_elsewhere(record, one, everything):
                return one, guards
        return None, guards

    async def _depends_elsewhere(self, record: Record, later: Record, standing: Sequence[Record]) -> bool:
        kept = read_basis(later.basis)
        if kept is None or not kept.elsewhere_numbers:
            return kept is None
        inputs = inputs_of(kept, self._bundle.hash)
        if inputs is None:
            return True
        slots = inputs.year.copy()
        for place, amount in elsewhere_of(kept).items():
            slots[place] -= amount
        for one in standing:
            if one.position < later.position and one.state_key != later.state_key and one.key != record.key:
                slots[ELSEWHERE] += changes_elsewhere(one)
        return not await self._same(later, inputs, PricedOver(slots, inputs.quota_used_fen))

    async def _same(self, later: Record, inputs: Inputs, over: PricedOver) -> bool:
        answer = settlement_pb2.Settlement.FromString(later.answer)
        lines = np.array([line.in_scope_fen for line in answer.lines], np.int64)
        stay = await stay_of(self._ledger, later)
        return comes_out_the_same(self._bundle.benefit, inputs, lines, stay, over)

    async def _depends(self, record: Record, later: Record, year: Year) -> bool:
        if (later.institution, later.encounter) == (record.institution, record.encounter):
            return True
        kept = read_basis(later.basis)
        if kept is None:
            return True
        inputs = inputs_of(kept, self._bundle.hash)
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
        slots = year.slots.copy()
        for place, amount in elsewhere_of(kept).items():
            slots[place] += amount
        return not await self._same(later, inputs, PricedOver(slots, used))


def changes_elsewhere(record: Record) -> np.ndarray:
    """Return what a settlement added to the amounts that count over all schemes, int64[len(ELSEWHERE)]."""
    changes = {int(STORED.place_of[number]): change for number, change in record.changes}
    return np.array([changes.get(place, 0) for place in ELSEWHERE.tolist()], np.int64)


class Year(NamedTuple):
    """A person's year, from which settlements are taken off one by one."""

    slots: np.ndarray
    quotas: dict[int, int]
