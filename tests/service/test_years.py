"""A person's year over a real service and ledger: settled, taken back from the end, settled again."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from adjudicator.service.process import ServiceProcess
from adjudicator.v1 import adjudication_pb2, claim_pb2, settlement_pb2
from tests.service.conftest import connect

COUNTY, ITEM = "990002", "003310030010000"
TERTIARY, SECONDARY, PRIMARY = "H99000100001", "H99000200001", "H99000400002"
STAY, CHRONIC, OUTPATIENT = "21", "14", "11"
VISITS = [
    (STAY, SECONDARY, 20240110, 12, ""),
    (CHRONIC, PRIMARY, 20240205, 2, "M03900"),
    (CHRONIC, PRIMARY, 20240220, 1, "M03900"),
    (OUTPATIENT, TERTIARY, 20240301, 1, ""),
    (STAY, TERTIARY, 20240402, 90, ""),
    (CHRONIC, PRIMARY, 20240403, 1, "M01600"),
    (STAY, TERTIARY, 20240615, 70, ""),
    (OUTPATIENT, SECONDARY, 20240701, 1, ""),
    (STAY, TERTIARY, 20241102, 120, ""),
]
"""Care type, hospital, date, how many times 900 yuan, disease."""


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """Stubs of a service of the toy city, which has quotas of diseases and an nth stay at the same level."""
    folder = tmp_path_factory.mktemp("years")
    options = ("--pack", "taohuayuan", "--listen", "127.0.0.1:0", "--data", str(folder / "data"))
    with ServiceProcess(*options, log=folder / "log") as process:
        process.wait_until_serving()
        stubs = connect(process.address)
        yield stubs
        stubs.channel.close()


def visit(number: int, person: str, sequence: int = 1) -> claim_pb2.Claim:
    """The nth visit of the year."""
    care, hospital, date, times, disease = VISITS[number]
    claim = claim_pb2.Claim(
        institution_code=hospital, encounter_id=f"{person}-{number}", settlement_sequence=sequence, person_id=person,
        insured_area=COUNTY, scheme="310", person_type="11", care_type=care, settlement_date=date, admission_date=date,
        discharge_date=date, sex=1, age_years=60, disease_code=disease, assistance_category="low_income",
        diagnoses=["I10.x00x002"], total_fen=times * 90_000,
    )  # fmt: skip
    claim.lines.add(
        line_id="1", item_code=ITEM, fee_date=date, unit_price_e4=900_000_000, quantity_e4=times * 10_000,
        amount_fen=times * 90_000,
    )  # fmt: skip
    return claim


def year_of(stubs: SimpleNamespace, person: str) -> list[tuple[str, int, str]]:
    query = adjudication_pb2.AccumulatorQuery(insured_area=COUNTY, person_id=person, scheme="310", year=2024)
    entries = stubs.adjudication.GetAccumulators(query).entries
    return sorted((entry.name, entry.value, entry.disease_code) for entry in entries if entry.value)


def money(answer: settlement_pb2.Settlement) -> dict[str, int]:
    """What everybody pays."""
    return {
        field.name: getattr(answer, field.name) for field in answer.DESCRIPTOR.fields if field.name.endswith("_fen")
    }


def take_back(stubs: SimpleNamespace, claim: claim_pb2.Claim) -> settlement_pb2.Settlement:
    key = settlement_pb2.SettlementKey(
        institution_code=claim.institution_code, encounter_id=claim.encounter_id,
        settlement_sequence=claim.settlement_sequence, insured_area=COUNTY,
    )  # fmt: skip
    return stubs.adjudication.Reverse(settlement_pb2.ReverseRequest(settlement=key, person_id=claim.person_id))


def test_a_year_taken_back_and_settled_again_is_the_same_year(toy):
    claims = [visit(number, "P1") for number in range(len(VISITS))]
    answers, years = [], [year_of(toy, "P1")]
    for claim in claims:
        answers.append(toy.adjudication.Settle(claim))
        assert answers[-1].outcome == settlement_pb2.OUTCOME_SETTLED, answers[-1].problems
        years.append(year_of(toy, "P1"))
    assert any(disease for _, _, disease in years[-1]), "quotas are part of the year"
    assert len({tuple(year) for year in years}) == len(years), "every settlement changes the year"
    for number in reversed(range(len(claims))):
        back = take_back(toy, claims[number])
        assert money(back) == {name: -amount for name, amount in money(answers[number]).items()}
        assert year_of(toy, "P1") == years[number]
    for number, answer in enumerate(answers):
        again = toy.adjudication.Settle(visit(number, "P1", sequence=2))
        assert money(again) == money(answer)
        assert year_of(toy, "P1") == years[number + 1]


def test_the_year_is_that_of_another_person_with_the_same_claims(toy):
    """Equal to a replay: another person settles the same claims in one batch."""
    claims = [visit(number, "P2") for number in range(len(VISITS))]
    for claim in claims:
        toy.adjudication.Settle(claim)
    batch = claim_pb2.ClaimBatch(claims=[visit(number, "P3") for number in range(len(VISITS))])
    toy.adjudication.SettleBatch(batch)
    assert year_of(toy, "P2") == year_of(toy, "P3")


def stay(person: str, encounter: str, hospital: str, **fields: object) -> claim_pb2.Claim:
    """A stay of 9,000 yuan of somebody without assistance."""
    claim = visit(0, person)
    claim.institution_code, claim.encounter_id, claim.assistance_category = hospital, encounter, ""
    for name, value in fields.items():
        setattr(claim, name, value)
    return claim


def test_a_referral_owes_the_difference_to_what_the_ledger_knows(toy):
    first = stay("referred", "R1", SECONDARY)
    second = stay("referred", "R2", TERTIARY, referral=claim_pb2.REFERRAL_UP, referral_from_encounter="R1")
    alone = toy.adjudication.Settle(stay("not referred", "N1", TERTIARY))
    charged = toy.adjudication.Settle(first).deductible_fen
    trial = toy.adjudication.PreSettle(second)
    settled = toy.adjudication.Settle(second)
    assert charged + settled.deductible_fen == alone.deductible_fen == charged + trial.deductible_fen
    assert "ADJ-9016" not in {problem.code for problem in settled.problems}
    third = stay("referred", "R3", PRIMARY, referral=claim_pb2.REFERRAL_DOWN, referral_from_encounter="R2")
    assert toy.adjudication.Settle(third).deductible_fen == 0
    year = {name: value for name, value, _ in year_of(toy, "referred")}
    assert year["stays"] == 1


def test_the_stays_of_a_chain_in_one_batch_wait_for_each_other(toy):
    first = stay("in a batch", "B1", SECONDARY)
    second = stay("in a batch", "B2", TERTIARY, referral=claim_pb2.REFERRAL_UP, referral_from_encounter="B1")
    answers = toy.adjudication.SettleBatch(claim_pb2.ClaimBatch(claims=[first, second])).settlements
    assert (
        sum(answer.deductible_fen for answer in answers)
        == toy.adjudication.Settle(stay("by itself", "I1", TERTIARY)).deductible_fen
    )


def test_a_chain_that_nobody_knows_pays_its_own_deductible_with_a_warning(toy):
    down = stay("unknown", "U1", SECONDARY, referral=claim_pb2.REFERRAL_DOWN, referral_from_encounter="DOES-NOT-EXIST")
    settled = toy.adjudication.Settle(down)
    assert settled.deductible_fen == toy.adjudication.Settle(stay("plain", "P1", SECONDARY)).deductible_fen > 0
    assert [problem.code for problem in settled.problems if problem.field == "referral_from_encounter"] == ["ADJ-9016"]
    assert {name: value for name, value, _ in year_of(toy, "unknown")}["stays"] == 1
