"""The ledger in the store and the ledger in dicts agree after every step of long random lives."""

from __future__ import annotations

import random

import pytest

from adjudicator.columns import ACCUMULATOR_NAMES
from adjudicator.errors import AdjudicatorError, E
from tests.ledger.made import Case, random_case, settle
from tests.ledger.naive import DictLedger, Entry


def entry_of(case: Case) -> Entry:
    funds = {0: case.pooled_fen, 2: case.catastrophic_fen, 7: case.account_fen, 9: case.due_fen, 10: 1}
    quotas = dict([case.quota] if case.quota else [])
    month, funds = case.date // 100, {**funds, 11: case.total_fen}
    return Entry(
        case.key,
        case.state_key,
        month,
        case.county,
        int(case.scheme),
        funds,
        case.deltas,
        quotas,
        bytes(16),
        dict([case.days]),
    )


async def reverse(ledger, pool: str, case: Case) -> str:
    version = await ledger.version(pool)
    try:
        await ledger.reverse(pool, case.key, case.reversal_key)
    except AdjudicatorError as error:
        return {E.SETTLEMENT_NOT_FOUND: "missing", E.NOT_LATEST_SETTLEMENT: "later"}[error.problems[0].number]
    return "known" if await ledger.version(pool) == version else "reversed"


async def compare(ledger, pool: str, twin: DictLedger) -> None:
    totals = await ledger.totals(pool)
    assert totals.version == twin.records
    stored = {(row.month, int(row.county), int(row.scheme), int(row.fund)): row.amount_fen for row in totals.rows}
    names = stored.keys() | twin.totals.keys()
    assert {name: stored.get(name, 0) for name in names} == {name: twin.totals.get(name, 0) for name in names}
    keys = list(twin.years)
    states = (await ledger.read(pool, b"", b"".join(keys))).states
    for row, year in enumerate(twin.years.values()):
        assert (int(states.versions[row]), states.last[row].tobytes()) == (year.version, year.last)
        assert states.slots[row].tolist() == [year.amounts.get(name, 0) for name in ACCUMULATOR_NAMES]
        used = {key: fen for key, fen in states.quotas_of(row).items() if fen}
        assert used == {key: fen for key, fen in year.quotas.items() if fen}
        assert states.days_of(row) == {key: days for key, days in year.days.items() if days}


@pytest.mark.parametrize("seed", range(4))
def test_random_lives(play, pool, seed):
    random_ = random.Random(seed)
    cases = [random_case(random_, number, people=5) for number in range(60)]

    async def scenario(ledger):
        twin = DictLedger()
        for _ in range(120):
            if random_.random() < 0.6:
                batch = list({case.key: case for case in random_.choices(cases, k=random_.randrange(1, 5))}.values())
                await settle(ledger, batch, pool)
                for case in batch:
                    twin.settle(entry_of(case))
            else:
                case = random_.choice(cases)
                assert await reverse(ledger, pool, case) == twin.reverse(case.key, case.reversal_key)
            await compare(ledger, pool, twin)
        assert (await ledger.verify(pool)).holds

    play(scenario)
