"""Taking settlements back: once, only the latest, and as if it had never been."""

from __future__ import annotations

import asyncio

import pytest

from adjudicator.columns import SLOT
from adjudicator.errors import AdjudicatorError, E
from adjudicator.ledger.layout import Kind
from adjudicator.ledger.reversal import negate_settlement
from adjudicator.v1 import settlement_pb2
from tests.ledger.made import Case, digest, dump, settle


def money_of(message) -> list[int]:
    """Every money field of a message and of what it holds, in order."""
    found = []
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.message_type is not None:
            for part in value if field.is_repeated else [value]:
                found += money_of(part)
        elif field.name.endswith("_fen") and field.name != "account_balance_fen":
            found.append(value)
    return found


def refused_with(number: E):
    return pytest.raises(AdjudicatorError, match=f"ADJ-{int(number)}")


def full_settlement() -> settlement_pb2.Settlement:
    """A settlement whose every field is set, each with its own value."""
    settlement = settlement_pb2.Settlement(institution_code="H1", encounter_id="E1", settlement_sequence=1)
    for number, field in enumerate(settlement.DESCRIPTOR.fields, start=1):
        if field.name.endswith("_fen"):
            setattr(settlement, field.name, 1_000 * number + 7)
    for part in (settlement.lines.add(), settlement.lines.add(), settlement.funds.add(), settlement.payment):
        for number, field in enumerate(part.DESCRIPTOR.fields, start=1):
            if field.name.endswith("_fen"):
                setattr(part, field.name, 900 * number + 3)
    settlement.lines[0].price_ceiling_e4 = settlement.payment.point_value_e4 = 55
    settlement.lines[0].first_pay_ppm, settlement.pooled_rate_ppm = 100_000, 820_000
    settlement.payment.points_e8 = 12_345
    return settlement


def test_original_and_reversal_add_up_to_nothing_in_every_money_field():
    original = full_settlement()
    reversal = settlement_pb2.Settlement.FromString(negate_settlement(original.SerializeToString(), "ab" * 16))
    assert len(money_of(original)) > 30
    assert [ours + back for ours, back in zip(money_of(original), money_of(reversal), strict=True)] == [0] * len(
        money_of(original)
    )
    assert reversal.payment.points_e8 == -12_345
    assert (reversal.payment.point_value_e4, reversal.lines[0].price_ceiling_e4) == (55, 55)
    assert (reversal.lines[0].first_pay_ppm, reversal.pooled_rate_ppm) == (100_000, 820_000)
    assert reversal.direction == settlement_pb2.DIRECTION_REVERSE
    assert reversal.outcome == settlement_pb2.OUTCOME_REVERSED
    assert reversal.settlement_id == "ab" * 16
    assert reversal.encounter_id == "E1"


def test_the_account_gets_back_what_it_paid():
    original = settlement_pb2.Settlement(account_fen=452, account_balance_fen=137_363)
    reversal = settlement_pb2.Settlement.FromString(negate_settlement(original.SerializeToString()))
    assert (reversal.account_fen, reversal.account_balance_fen) == (-452, 137_815)


def test_bytes_that_are_no_answer_are_refused():
    with refused_with(E.LEDGER_CORRUPT):
        negate_settlement(b"\xff\xff\xff")


def test_a_reversal_leaves_the_year_and_the_totals_as_before(play, pool):
    first = Case("Wang", "E1", quota=(3, 500))
    second = Case("Wang", "E2", quota=(3, 700), deltas={"stays": 1, "deductible_charged_fen": 80_000})

    async def scenario(ledger):
        await settle(ledger, [first], pool)
        totals, year = await ledger.totals(pool), await ledger.accumulators(pool, first.state_key)
        await settle(ledger, [second], pool)
        record = await ledger.reverse(pool, second.key, second.reversal_key, person=second.person_digest)
        assert (record.kind, record.original, record.position) == (Kind.REVERSE, second.key, 3)
        assert [total for total in (await ledger.totals(pool)).rows if total.amount_fen] == totals.rows
        after = await ledger.accumulators(pool, first.state_key)
        assert after.slots.tolist() == year.slots.tolist()
        assert (after.last.tobytes(), after.quotas_of(0)) == (first.key, {3: 500})
        assert after.versions[0] == 3
        # Settled again under the next sequence, everything is as it was after the first time.
        again = Case("Wang", "E2", sequence=2, quota=(3, 700), deltas=second.deltas)
        await settle(ledger, [again], pool)
        assert (await ledger.accumulators(pool, first.state_key)).slots[0, SLOT["stays"]] == 2
        assert (await ledger.verify(pool)).holds

    play(scenario)


def test_a_repeated_reversal_gets_the_stored_answer(play, pool):
    case = Case("Wang")

    async def scenario(ledger):
        await settle(ledger, [case], pool)
        first = await ledger.reverse(pool, case.key, case.reversal_key)
        before = await dump(ledger, pool)
        assert await ledger.reverse(pool, case.key, case.reversal_key) == first
        assert await ledger.reverse(pool, case.key, case.reversal_key, date=first.settlement_date) == first
        with refused_with(E.ALREADY_REVERSED):
            await ledger.reverse(pool, case.key, case.reversal_key, date=20240801)
        assert await dump(ledger, pool) == before

    play(scenario)


def test_a_settlement_cannot_be_reversed_before_its_own_day(play, pool):
    case = Case("Wang", date=20240531)

    async def scenario(ledger):
        await settle(ledger, [case], pool)
        before = await dump(ledger, pool)
        with refused_with(E.DATE_ORDER):
            await ledger.reverse(pool, case.key, case.reversal_key, date=20240530)
        assert await dump(ledger, pool) == before

    play(scenario)


def test_many_reversals_at_once_count_once(play, pool):
    case = Case("Wang")

    async def scenario(ledger):
        await settle(ledger, [case], pool)
        answers = await asyncio.gather(*(ledger.reverse(pool, case.key, case.reversal_key) for _ in range(10)))
        assert len({answer.answer for answer in answers}) == 1
        assert await ledger.version(pool) == 2
        assert (await ledger.verify(pool)).holds

    play(scenario)


def test_only_the_latest_settlement_of_the_year_can_be_taken_back(play, pool):
    cases = [Case("Wang", f"E{number}") for number in (1, 2, 3)]

    async def scenario(ledger):
        await settle(ledger, cases, pool)
        before = await dump(ledger, pool)
        with refused_with(E.NOT_LATEST_SETTLEMENT) as refused:
            await ledger.reverse(pool, cases[0].key, cases[0].reversal_key)
        assert "H99010100001/E3/1" in str(refused.value)
        assert "Wang" not in str(refused.value)
        assert await dump(ledger, pool) == before
        for case in reversed(cases):
            await ledger.reverse(pool, case.key, case.reversal_key)
        year = await ledger.accumulators(pool, cases[0].state_key)
        assert (year.slots.any(), year.last.any()) == (False, False)
        assert (await ledger.verify(pool)).holds

    play(scenario)


def test_one_that_no_later_one_depends_on_is_taken_back_out_of_order(play, pool):
    cases = [Case("Wang", f"E{number}") for number in range(1, 6)]

    async def independent(record, later, states):
        return None

    async def take_back(ledger, case):
        await ledger.reverse(pool, case.key, case.reversal_key, first_dependent=independent)
        assert (await ledger.verify(pool)).holds

    async def scenario(ledger):
        await settle(ledger, cases, pool)
        for number in (1, 2, 4):  # two in the middle, then the latest: the first but one before it stands
            await take_back(ledger, cases[number])
        year = await ledger.accumulators(pool, cases[0].state_key)
        assert year.last[0].tobytes() == cases[3].key
        await settle(ledger, [Case("Wang", "E6")], pool)
        before = await dump(ledger, pool)
        await ledger.rebuild(pool)
        assert await dump(ledger, pool) == before
        for case in (cases[0], Case("Wang", "E6"), cases[3]):
            await take_back(ledger, case)
        year = await ledger.accumulators(pool, cases[0].state_key)
        assert (year.slots.any(), year.last.any()) == (False, False)

    play(scenario)


def test_a_settlement_of_another_year_does_not_stand_in_the_way(play, pool):
    last_year, this_year = Case("Wang", "E1", date=20231231), Case("Wang", "E2", date=20240102)

    async def scenario(ledger):
        await settle(ledger, [last_year, this_year], pool)
        await ledger.reverse(pool, last_year.key, last_year.reversal_key)
        assert (await ledger.verify(pool)).holds

    play(scenario)


def test_a_reversal_counts_in_the_month_of_its_own_date(play, pool):
    case = Case("Wang", date=20240531)

    async def scenario(ledger):
        await settle(ledger, [case], pool)
        await ledger.reverse(pool, case.key, case.reversal_key, date=20240615)
        rows = {(row.month, row.fund): row.amount_fen for row in (await ledger.totals(pool)).rows}
        assert {rows[202405, fund] + rows[202406, fund] for _, fund in rows} == {0}
        assert (await ledger.verify(pool)).holds

    play(scenario)


def test_what_cannot_be_taken_back(play, pool):
    case = Case("Wang")

    async def scenario(ledger):
        await settle(ledger, [case], pool)
        with refused_with(E.SETTLEMENT_NOT_FOUND):
            await ledger.reverse(pool, digest("nothing"), digest("its reversal"))
        with refused_with(E.PERSON_MISMATCH):
            await ledger.reverse(pool, case.key, case.reversal_key, person=digest("person", "Li"))
        await ledger.reverse(pool, case.key, case.reversal_key)
        with refused_with(E.REVERSAL_OF_REVERSAL):
            await ledger.reverse(pool, case.reversal_key, digest("twice"))
        await ledger.post(pool, digest("clearing"), 202405, [(990101, 1, 9, 5)])
        with refused_with(E.SETTLEMENT_NOT_FOUND):
            await ledger.reverse(pool, digest("clearing"), digest("its reversal"))
        assert (await ledger.verify(pool)).holds

    play(scenario)
