"""A hospital's statement against the journal: totals [3201], and the settlements that differ [3202]."""

from __future__ import annotations

import pytest

from adjudicator.codes import Scheme
from adjudicator.errors import AdjudicatorError, E
from adjudicator.v1 import pooling_pb2
from tests.ledger.made import Case, settle

HOSPITAL = "H99010100001"
KINDS = pooling_pb2.StatementDifference
ours = [
    Case("Wang", "E1", date=20240501, total_fen=100_00, pooled_fen=60_00, account_fen=10_00),
    Case("Li", "E2", date=20240531, total_fen=200_00, pooled_fen=90_00, catastrophic_fen=10_00),
    Case("Zhao", "E3", date=20240615, total_fen=400_00, scheme=Scheme.EMPLOYEE),
    Case("Sun", "E4", date=20240520, total_fen=800_00, pooled_fen=1),
]
elsewhere = Case("Wu", "E5", date=20240515, institution="H99010100002")


def line(case: Case, direction: int = 1) -> pooling_pb2.StatementLine:
    sign = 1 if direction == 1 else -1
    return pooling_pb2.StatementLine(
        encounter_id=case.encounter, settlement_sequence=case.sequence, direction=direction,
        total_fen=sign * case.total_fen, fund_total_fen=sign * (case.pooled_fen + case.catastrophic_fen),
        account_fen=sign * case.account_fen,
    )  # fmt: skip


def statement(pool: str, lines=(), **changes) -> pooling_pb2.Statement:
    """May's statement as the hospital would send it."""
    may = [line(ours[0]), line(ours[1]), line(ours[3]), line(ours[3], 2)]
    values = {
        "pool": pool, "institution_code": HOSPITAL, "from_date": 20240501, "to_date": 20240531,
        "total_fen": sum(one.total_fen for one in may), "fund_total_fen": sum(one.fund_total_fen for one in may),
        "account_fen": sum(one.account_fen for one in may), "settlements": len(may), "lines": lines,
    }  # fmt: skip
    return pooling_pb2.Statement(**(values | changes))


async def month(ledger, pool):
    await settle(ledger, [*ours, elsewhere], pool)
    await ledger.reverse(pool, ours[3].key, ours[3].reversal_key, date=20240531)


def test_equal_totals_with_a_refund_counted_as_a_settlement(play, pool):
    async def scenario(ledger):
        await month(ledger, pool)
        result = await ledger.reconcile(statement(pool))
        assert result.equal
        assert (result.total_fen, result.fund_total_fen, result.account_fen, result.settlements) == (
            300_00,
            160_00,
            10_00,
            4,
        )
        assert not result.differences

    play(scenario)


@pytest.mark.parametrize("field", ["total_fen", "fund_total_fen", "account_fen", "settlements"])
def test_each_total_is_compared(play, pool, field):
    async def scenario(ledger):
        await month(ledger, pool)
        result = await ledger.reconcile(statement(pool, **{field: 7}))
        assert not result.equal
        assert result.settlements == 4

    play(scenario)


def test_equal_lines(play, pool):
    async def scenario(ledger):
        await month(ledger, pool)
        lines = [line(ours[3], 2), line(ours[1]), line(ours[0]), line(ours[3])]
        lines[1].direction = 0  # unset means a settlement
        result = await ledger.reconcile(statement(pool, lines))
        assert result.equal and not result.differences

    play(scenario)


def test_each_settlement_that_differs_is_named_with_the_reason(play, pool):
    async def scenario(ledger):
        await month(ledger, pool)
        wrong = line(ours[0])
        wrong.fund_total_fen += 1
        surplus = line(Case("Qian", "E99"))
        lines = [surplus, line(ours[3]), line(ours[3]), wrong, line(ours[1])]
        result = await ledger.reconcile(statement(pool, lines))
        assert not result.equal
        found = [
            (one.kind, (one.statement if one.HasField("statement") else one.ledger).encounter_id)
            for one in result.differences
        ]
        assert found == [
            (KINDS.KIND_AMOUNT, "E1"),
            (KINDS.KIND_ONLY_STATEMENT, "E4"),  # the second of two equal lines
            (KINDS.KIND_ONLY_LEDGER, "E4"),  # the reversal
            (KINDS.KIND_ONLY_STATEMENT, "E99"),
        ]
        assert result.differences[0].ledger == line(ours[0])
        assert result.differences[2].ledger == line(ours[3], 2)

    play(scenario)


def test_one_scheme_or_one_day_alone(play, pool):
    async def scenario(ledger):
        await month(ledger, pool)
        june = await ledger.reconcile(statement(pool, scheme="310", to_date=20240630))
        assert (june.total_fen, june.settlements) == (400_00, 1)
        day = await ledger.reconcile(statement(pool, from_date=20240531))
        assert (day.total_fen, day.settlements) == (200_00 - 800_00, 2)
        nobody = await ledger.reconcile(statement(pool, institution_code="H0"))
        assert (nobody.total_fen, nobody.settlements) == (0, 0)

    play(scenario)


def test_history_lists_an_institutions_settlements_by_date(play, pool):
    async def scenario(ledger):
        await month(ledger, pool)
        listed = [record async for record in ledger.history(pool, HOSPITAL, 20240501, 20240630)]
        assert [(record.encounter, int(record.kind)) for record in listed] == [
            ("E1", 1), ("E2", 1), ("E4", 1), ("E4", 2), ("E3", 1),
        ]  # fmt: skip

    play(scenario)


@pytest.mark.parametrize(
    ("changes", "number", "field"),
    [
        ({"scheme": "999"}, E.UNKNOWN_SCHEME, "scheme"),
        ({"from_date": 20241301}, E.INVALID_DATE, "from_date"),
        ({"to_date": 0}, E.INVALID_DATE, "to_date"),
        ({"from_date": 20240601}, E.DATE_ORDER, "to_date"),
    ],
)
def test_a_statement_that_makes_no_sense_is_refused(play, pool, changes, number, field):
    async def scenario(ledger):
        with pytest.raises(AdjudicatorError) as refused:
            await ledger.reconcile(statement(pool, **changes))
        assert (refused.value.problems[0].number, refused.value.problems[0].field) == (number, field)

    play(scenario)
