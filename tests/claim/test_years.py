"""A person's year: claims of one batch follow each other, a claim may bring its year, refusals change nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from adjudicator.claim.groups import codes_of_rows
from adjudicator.claim.keys import person_key, settlement_key, state_key
from adjudicator.claim.local import Years
from adjudicator.claim.state import PersonYears
from adjudicator.claim.years import period_of
from adjudicator.columns import SLOT
from adjudicator.errors import AdjudicatorError, E
from adjudicator.limits import NO_CEILING_E4
from adjudicator.options import QuotaPeriod
from adjudicator.synth.city import Synthesizer
from adjudicator.v1 import claim_pb2
from adjudicator.wire.decode import BATCH_DEPTH, split_batch
from tests.claim.claims import engine, inpatient, prepare, settle


def stay(number: int, person: str = "P1", amount_fen: int = 500_000, **changes) -> claim_pb2.Claim:
    """The nth stay of a person: one line of a class A item."""
    claim = inpatient(1, person_id=person, encounter_id=f"{person}-{number}", **changes)
    claim.lines[0].item_code = class_a_item()
    claim.lines[0].quantity_e4, claim.lines[0].unit_price_e4 = 10_000, amount_fen * 10_000
    claim.lines[0].amount_fen = claim.total_fen = amount_fen
    return claim


def class_a_item() -> str:
    """An item that is wholly in scope, found by trial."""
    codes = engine().bundle.catalogue.codes
    for code in codes:
        claim = inpatient(1)
        claim.lines[0].item_code = code
        (answer,) = settle(claim)
        whole = answer.lines[0].item_class == 1 and answer.in_scope_fen == claim.total_fen
        if whole and answer.lines[0].price_ceiling_e4 == NO_CEILING_E4:
            return code
    raise AssertionError("the catalogue has no class A item without a ceiling")


def test_the_deductible_is_charged_once_a_year_in_one_batch_as_in_many() -> None:
    claims = [stay(1), stay(2), stay(1, "P2"), stay(3)]
    together = settle(*claims)
    years = Years()
    apart = [settle(claim, years=years)[0] for claim in claims]
    assert together == apart
    assert [answer.deductible_fen for answer in together] == [80_000, 0, 80_000, 0]


def test_states_before_and_after_belong_to_each_claim() -> None:
    batch = prepare(stay(1), stay(2))
    years = PersonYears.new(1)
    priced = engine().price(batch, batch.good, np.zeros(2, np.int64), years)
    slot = SLOT["deductible_charged_fen"]
    assert priced.before[:, slot].tolist() == [0, 80_000] and priced.after[:, slot].tolist() == [80_000, 80_000]
    assert priced.after[:, SLOT["stays"]].tolist() == [1, 2]
    assert (years.slots[0] == priced.after[1]).all()


def test_a_refused_claim_leaves_the_year_as_it_was() -> None:
    years = Years()
    refused = stay(1, admission_date=20100101, discharge_date=20100105, settlement_date=20100105)
    refused.lines[0].fee_date = 20100102
    first, second = settle(refused, stay(2), years=years)
    assert first.problems[0].code == f"ADJ-{E.NO_RULE_ON_DATE:04d}"
    assert second.deductible_fen == 80_000


def test_a_claim_may_bring_its_year() -> None:
    claim = stay(1)
    claim.accumulators.year = 2024
    claim.accumulators.entries.add(name="deductible_charged_fen", value=80_000)
    claim.accumulators.entries.add(name="highest_standard_fen", value=80_000)
    claim.accumulators.entries.add(name="stays", value=1)
    batch = prepare(claim, stay(2))
    years = PersonYears.new(1)
    result = engine().price(batch, batch.good, np.zeros(2, np.int64), years)
    assert result.benefits["deductible_fen"].tolist() == [0, 80_000], "the second is priced over the ledger's year"
    assert years.slots[0, SLOT["stays"]] == 2, "what both added is in the ledger's year"
    assert years.slots[0, SLOT["deductible_charged_fen"]] == 80_000


def test_an_unknown_or_negative_year_to_date_amount_is_refused() -> None:
    for name, value in (("deductible", 1), ("stays", -1), ("stays", 10**13)):
        claim = stay(1)
        claim.accumulators.entries.add(name=name, value=value)
        (answer,) = settle(claim)
        assert [problem.code for problem in answer.problems] == [f"ADJ-{E.INVALID_ACCUMULATOR:04d}"]


def test_keys_of_the_kernel_are_those_of_the_rare_path() -> None:
    batch = prepare(stay(1), stay(2, "a person of 28 characters ok"))
    pack = engine().bundle.packs[0]
    institution = pack.hospitals[0].code
    for row, (person, encounter) in enumerate((("P1", "P1-1"), ("a person of 28 characters ok",) * 2)):
        encounter = encounter if row == 0 else f"{person}-2"
        assert batch.keys[row].tobytes() == settlement_key(institution, encounter, 1)
        assert batch.state_keys[row].tobytes() == state_key(person, 1, 2024)
        assert batch.persons[row].tobytes() == person_key(person)


def test_periods() -> None:
    assert [period_of(20241001, kind) for kind in (QuotaPeriod.MONTH, QuotaPeriod.QUARTER, QuotaPeriod.YEAR)] == [
        202410, 20244, 2024,
    ]  # fmt: skip


def test_the_same_number_in_two_pools_is_two_persons() -> None:
    batch = prepare(stay(1), stay(2))
    claims = batch.claims.copy()
    claims["pack"][1] += 1  # as if the second claim were of another loaded pool
    batch = dataclasses.replace(batch, claims=claims)
    rows, _ = Years().rows(batch, np.arange(2))
    assert rows.tolist() == [0, 1]


def test_years_of_a_stream_are_bounded() -> None:
    batch = prepare(stay(1), stay(1, "P2"))
    with pytest.raises(AdjudicatorError, match=f"ADJ-{E.OVERLOADED:04d}"):
        Years(most=1).rows(batch, batch.good)


@pytest.mark.compiled
@pytest.mark.parametrize("pack", ["hangzhou", "taohuayuan"])
def test_a_round_over_some_claims_finds_what_a_round_over_all_finds(pack: str) -> None:
    """Payment rules look at diagnoses and procedures; a round of fewer claims must look at those of its own."""
    data = next(iter(Synthesizer([pack], 21).batches(200, 200)))
    starts, ends, _ = split_batch(data)
    facts = engine(pack).prepare(data, starts, ends, max_depth=BATCH_DEPTH)
    whole, part = (
        engine(pack).price(facts, rows, np.arange(len(rows)), PersonYears.new(len(rows)))
        for rows in (facts.good, facts.good[1::3])
    )
    assert (whole.payments[1::3] == part.payments).all() and (whole.benefits[1::3] == part.benefits).all()
    assert part.warnings.items() <= whole.warnings.items()


def test_code_columns_of_some_claims_are_those_of_a_batch_without_the_others() -> None:
    claims = [stay(1), stay(2, "P2"), stay(3, "P3")]
    claims[1].diagnoses.extend(["E11.900", "I50.900"])
    claims[1].procedures.append("00.0100")
    whole, part = prepare(*claims).codes, prepare(*claims[1:]).codes
    assert whole is not None and part is not None
    for chosen, expected in zip(codes_of_rows(whole, np.array([1, 2])), part, strict=True):
        assert chosen.tolist() == expected.tolist()
