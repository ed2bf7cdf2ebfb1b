"""The identities of the national result hold on every settlement of a synthetic city, read back with protobuf."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from adjudicator.claim.assemble import (
    BROKEN_F1,
    BROKEN_F2,
    BROKEN_H1,
    BROKEN_L1,
    BROKEN_P1,
    BROKEN_SIGN,
    IDENTITY_NAMES,
)
from adjudicator.claim.batch import Resolved, Result
from adjudicator.claim.local import Years, price_batch
from adjudicator.claim.state import PersonYears
from adjudicator.codes import Scheme
from adjudicator.errors import AdjudicatorError, E
from adjudicator.payers import FUNDS as FUND_PAYERS
from adjudicator.payers import ROWS, Identity
from adjudicator.synth.city import Synthesizer
from adjudicator.v1 import claim_pb2, settlement_pb2
from tests.claim.claims import engine, inpatient, messages, prepare, price

FUNDS = (
    "pooled_fund_fen", "civil_servant_fen", "enterprise_fen", "catastrophic_fen", "large_sum_fen", "assistance_fen",
    "other_fund_fen",
)  # fmt: skip
PARTS = ("wholly_self_paid_fen", "over_ceiling_fen", "first_pay_fen", "in_scope_fen")


def check(claim: claim_pb2.Claim, answer: settlement_pb2.Settlement) -> None:
    """Assert L1, H1, H2, F1, F2, P1, A1, D1, B1 (docs/readings.md), to the fen."""
    assert answer.outcome == settlement_pb2.OUTCOME_TRIAL, answer.problems
    assert [line.line_id for line in answer.lines] == [line.line_id for line in claim.lines]
    for sent, line in zip(claim.lines, answer.lines, strict=True):
        assert sent.amount_fen == line.amount_fen == sum(getattr(line, part) for part in PARTS)  # L1
    assert answer.total_fen == claim.total_fen == sum(getattr(answer, part) for part in PARTS)  # H1
    sums = {part: sum(getattr(line, part) for line in answer.lines) for part in PARTS}
    assert answer.wholly_self_paid_fen == sums["wholly_self_paid_fen"]  # H2
    assert answer.over_ceiling_fen == sums["over_ceiling_fen"]
    assert answer.first_pay_fen + answer.in_scope_fen == sums["first_pay_fen"] + sums["in_scope_fen"]
    assert answer.first_pay_fen >= sums["first_pay_fen"]  # more only by the extra cross-region first pay (R25)
    assert answer.fund_total_fen == sum(getattr(answer, fund) for fund in FUNDS)  # F1
    assert answer.total_fen == answer.fund_total_fen + answer.personal_total_fen + answer.hospital_borne_fen  # F2
    paid = answer.account_fen + answer.family_account_fen + answer.cash_fen
    assert answer.personal_total_fen == paid  # P1
    balance = claim.account_current_fen + claim.account_past_fen
    assert answer.account_balance_fen == balance - answer.account_fen  # A1
    detail = sum(fund.amount_fen for fund in answer.funds)
    assert detail == answer.total_fen - answer.cash_fen  # D1: every payer but cash has a row
    assert 0 <= answer.deductible_fen <= answer.in_scope_fen  # B1
    assert min(getattr(answer, fund) for fund in FUNDS) >= 0 and answer.cash_fen >= 0


@pytest.mark.compiled
@pytest.mark.parametrize("pack", ["hangzhou", "taohuayuan"])
def test_identities_of_a_synthetic_city(pack: str) -> None:
    years = Years()
    for data in Synthesizer([pack], 11).batches(1_500, 100):
        answers = messages(*price_batch(engine(pack), data, years))
        for claim, answer in zip(claim_pb2.ClaimBatch.FromString(data).claims, answers, strict=True):
            check(claim, answer)


@pytest.mark.compiled
@pytest.mark.parametrize("size", [1, 7, 400])
def test_batch_size_does_not_matter(size: int) -> None:
    whole = next(iter(Synthesizer(["hangzhou"], 3).batches(400, 400)))
    claims = list(claim_pb2.ClaimBatch.FromString(whole).claims)
    expected = messages(*price_batch(engine(), whole, Years()))
    years, got = Years(), []
    for start in range(0, len(claims), size):
        part = claim_pb2.ClaimBatch(claims=claims[start : start + size]).SerializeToString()
        got += messages(*price_batch(engine(), part, years))
    assert got == expected


@pytest.mark.compiled
def test_order_of_lines_does_not_matter() -> None:
    whole = next(iter(Synthesizer(["hangzhou"], 5).batches(200, 200)))
    turned = claim_pb2.ClaimBatch.FromString(whole)
    for claim in turned.claims:
        lines = list(reversed(claim.lines))
        del claim.lines[:]
        claim.lines.extend(lines)
    first = messages(*price_batch(engine(), whole, Years()))
    second = messages(*price_batch(engine(), turned.SerializeToString(), Years()))
    for one, other in zip(first, second, strict=True):
        del one.lines[:], other.lines[:]
        assert one == other


@pytest.mark.parametrize(
    ("column", "broken"),
    [
        ("pooled_fen", BROKEN_F1),
        ("fund_total_fen", BROKEN_F1),
        ("personal_total_fen", BROKEN_F2),
        ("cash_fen", BROKEN_P1),
        ("first_pay_fen", BROKEN_H1),
    ],
)
def test_a_wrong_fen_is_noticed(column: str, broken: int) -> None:
    """The checks must fail when an amount is off by a fen: a check that cannot fail proves nothing."""
    result = price(prepare(inpatient()))
    result.benefits[column] += 1
    assert refused_for(result) == IDENTITY_NAMES[broken]


def refused_for(result: Result) -> str:
    """Return the name of the identity over which the answers of a result are not given."""
    with pytest.raises(AdjudicatorError) as caught:
        engine().encode(result, settlement_pb2.OUTCOME_TRIAL)
    return caught.value.problems[0].detail


def changed(facts: Resolved, name: str, **amounts: int) -> Resolved:
    """Return the facts with some amounts of the first row of an array raised."""
    array = getattr(facts, name).copy()
    for column, fen in amounts.items():
        array[column][0] += fen
    array.flags.writeable = False
    return dataclasses.replace(facts, **{name: array})


def test_an_account_that_pays_more_than_it_holds_is_noticed() -> None:
    result = price(prepare(inpatient()))
    result.benefits["cash_fen"] -= 1
    result.benefits["account_past_fen"] += 1 + result.claims["account_past_fen"]
    result.benefits["cash_fen"] -= result.claims["account_past_fen"]
    assert refused_for(result) == "A1"


def test_a_part_that_is_not_the_sum_over_the_lines_is_noticed() -> None:
    facts = prepare(inpatient())
    assert refused_for(price(changed(facts, "splits", wholly_self_paid_fen=1, over_ceiling_fen=-1))) == "H2"


def test_a_wrong_line_is_noticed() -> None:
    assert IDENTITY_NAMES[BROKEN_L1] == "L1" and IDENTITY_NAMES[BROKEN_SIGN] == "sign"
    assert refused_for(price(changed(prepare(inpatient()), "line_splits", in_scope_fen=1))) == "L1"


def test_resolved_facts_cannot_be_changed() -> None:
    facts = prepare(inpatient())
    for name in ("claims", "lines", "splits", "line_splits", "groups", "keys", "state_keys", "persons"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(facts, name)[:] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        facts.claims = facts.claims.copy()  # type: ignore[misc]


def test_a_second_round_starts_from_the_same_facts() -> None:
    """A claim that one round refuses over an older year is priced by the next one as if it were the first."""
    facts = prepare(inpatient())
    before = facts.claims.copy()
    full = PersonYears.new(1)
    full.slots[:] = 7
    first = engine().price(facts, facts.good, np.zeros(1, np.int64), full)
    first.claims["error"] = E.RULE_UNDEFINED
    assert first.problems(0)[0].number == E.RULE_UNDEFINED and not facts.problems(0)
    again = engine().price(facts, facts.good, np.zeros(1, np.int64), PersonYears.new(1))
    alone = price(prepare(inpatient()))
    assert not again.errors.any() and not again.problems(0)
    assert (again.benefits == alone.benefits).all() and (facts.claims == before).all()


def test_parts_of_a_batch_write_their_ids_to_places_of_their_own() -> None:
    """Claims of two pools in one batch are answered at the same time, in two threads, over one work area."""
    batch = prepare(inpatient(), inpatient(person_id="P2", encounter_id="E2"))
    result = price(batch)
    for row in (1, 0):
        (answer,) = messages(*engine().encode(result, settlement_pb2.OUTCOME_SETTLED, np.array([row])))
        assert answer.settlement_id == batch.keys[row].tobytes().hex()
    for row in (0, 1):
        place = batch.incoming.size + 32 * row
        assert batch.incoming.heap[place : place + 32].tobytes().decode() == batch.keys[row].tobytes().hex()


def test_every_payer_but_cash_has_a_row_and_its_field() -> None:
    """Each payer in turn takes over some of the cash; the answer shows it in its field and in a row of its own."""
    funds = [payer.columns[0] for payer in FUND_PAYERS]
    for payer in ROWS:
        result = price(prepare(inpatient(account_current_fen=100, account_family_fen=100)))
        column = payer.columns[0]
        for name in (column, *(["fund_total_fen"] if column in funds else [])):
            result.benefits[name] += 100
        result.benefits["cash_fen"] -= 100
        if payer.identity is not Identity.ACCOUNT:
            result.benefits["personal_total_fen"] -= 100
        (answer,) = messages(*engine().encode(result, settlement_pb2.OUTCOME_TRIAL))
        assert getattr(answer, payer.field) == 100
        assert [(row.fund_type, row.amount_fen) for row in answer.funds] == [(payer.code_in(Scheme.EMPLOYEE), 100)]
