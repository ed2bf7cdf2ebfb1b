"""The index of statements: byte by byte what docs/ledger.md says, and equal to what the journal holds."""

from __future__ import annotations

import random
from collections import defaultdict

import numpy as np
import pytest

from adjudicator.errors import AdjudicatorError, E
from adjudicator.ledger import keys as names
from adjudicator.ledger.layout import Kind
from adjudicator.ledger.statement_kernel import FUNDS
from adjudicator.ledger.statements import parse, settled_by
from adjudicator.payers import Fund
from tests.ledger.made import Case, random_case, settle
from tests.ledger.naive import statement_run, varint

HOSPITAL = "H99010100001"


def test_a_commit_appends_what_the_page_says(play, pool):
    wang = Case("Wang", "E1", date=20240531, total_fen=100_00, pooled_fen=60_00, account_fen=10_00)
    other = Case("Li", "E2", institution="H99010100002", date=20240501)
    sun = Case("Sun", "E3", date=20240502, total_fen=70_00, pooled_fen=50_00, catastrophic_fen=3_00)

    async def scenario(ledger):
        await settle(ledger, [wang, other, sun], pool)
        await ledger.reverse(pool, sun.key, sun.reversal_key, date=20240503)
        stored = await ledger.connection.client.get(names.statement(pool, 202405, HOSPITAL.encode()))
        assert stored == statement_run(
            0, [(1, 31, 2, 0, 100_00, 60_00, 10_00), (3, 2, 2, 0, 70_00, 53_00, 0)]
        ) + statement_run(3, [(4, 3, 2, 1, -70_00, -53_00, 0)])

    play(scenario)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_read_is_what_the_journal_holds(play, pool, seed):
    random_ = random.Random(seed)
    cases = [random_case(random_, number) for number in range(120)]

    async def scenario(ledger):
        for first in range(0, 120, 30):
            await settle(ledger, cases[first : first + 30], pool)
        for case in random_.sample(cases, 20):
            try:
                await ledger.reverse(pool, case.key, case.reversal_key)
            except AdjudicatorError as error:
                assert error.problems[0].number == E.NOT_LATEST_SETTLEMENT
        keys = b"".join(key for case in cases for key in (case.key, case.reversal_key))
        known = (await ledger.read(pool, keys, b"")).known.values()
        by_institution = defaultdict(list)
        for record in known:
            amounts = [record.amount(Fund.TOTAL_COST), record.amount(*FUNDS), record.amount(Fund.ACCOUNT)]
            entry = (record.position, record.settlement_date, record.scheme, amounts)
            by_institution[record.institution].append(entry)
        for institution, expected in by_institution.items():
            entries = await settled_by(ledger.connection, pool, institution, 20230101, 20241231)
            listed = zip(*(column.tolist() for column in entries), strict=True)
            assert sorted(listed) == sorted(expected)
            listed = [record async for record in ledger.history(pool, institution, 20230101, 20241231)]
            assert sorted(record.position for record in listed) == sorted(position for position, *_ in expected)
            assert {record.kind for record in listed} <= {Kind.SETTLE, Kind.REVERSE}

    play(scenario)


LARGE = [(2**40 + 1, 31, 4, 0, 2**53, -(2**53), 1), (2**40 + 300, 1, 1, 1, 0, 0, -1)]


def test_large_numbers_are_read():
    runs = parse([statement_run(2**40, LARGE), b"", statement_run(7, [(8, 2, 1, 0, 1, 2, 3)])])
    assert runs.counts.tolist() == [2, 0, 1]
    assert runs.positions.tolist() == [2**40 + 1, 2**40 + 300, 8]
    assert runs.amounts.tolist() == [[2**53, -(2**53), 1], [0, 0, -1], [1, 2, 3]]
    assert (runs.codes // 64).tolist() == [4, 1, 1] and (runs.codes // 2 % 32).tolist() == [31, 1, 2]


def test_each_cut_and_each_repeat_is_noticed():
    good, run = statement_run(7, [(8, 2, 1, 0, 1, 2, 3)]), statement_run(2**40, LARGE)
    for size in range(1, len(run)):
        assert parse([good, run[:size], good]).counts.tolist() == [1, -1, 1]
    assert parse([run + run]).counts.tolist() == [-1]
    assert parse([varint(2**62) * 2]).counts.tolist() == [-1]
    assert parse([b"\xff" * 30]).counts.tolist() == [-1]


def test_random_bytes_are_read_or_refused():
    random_ = np.random.default_rng(1)
    for _ in range(2_000):
        values = [random_.integers(0, 256, random_.integers(0, 40), np.uint8).tobytes() for _ in range(3)]
        runs = parse(values)
        assert len(runs.positions) == int(runs.counts[runs.counts > 0].sum())
        assert (runs.counts >= -1).all()


def test_a_damaged_index_is_refused_and_names_nobody(play, pool):
    async def scenario(ledger):
        await settle(ledger, [Case("Wang")], pool)
        await ledger.connection.client.append(names.statement(pool, 202405, HOSPITAL.encode()), b"\xff")
        with pytest.raises(AdjudicatorError) as refused:
            await settled_by(ledger.connection, pool, HOSPITAL, 20240501, 20240531)
        assert refused.value.problems[0].number == E.LEDGER_CORRUPT
        await settle(ledger, [Case("Wang", "E2")], pool)  # settling goes on
        await ledger.rebuild(pool)
        entries = await settled_by(ledger.connection, pool, HOSPITAL, 20240501, 20240531)
        assert entries.positions.tolist() == [1, 2]

    play(scenario)
