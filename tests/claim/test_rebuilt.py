"""A claim made anew from its record is resolved as the claim itself was."""

from __future__ import annotations

import numpy as np
import pytest

from adjudicator.claim.basis import NOT_STORED, read_basis
from adjudicator.claim.fields import RENAMED
from adjudicator.claim.rebuilt import FOLLOWS, Settled, care_codes, incoming_of, rebuilt, split_of
from adjudicator.columns import CLAIM
from adjudicator.v1 import claim_pb2, record_pb2
from tests.claim.claims import engine, inpatient, prepare, price
from tests.claim.test_basis import cut, day


def kept_of(result) -> list[record_pb2.RecordBasis]:
    messages = cut(*engine().encode_settled(result, np.arange(len(result.rows)))[1])
    return [read_basis(message) for message in messages]


def again(claims, kept):
    codes = care_codes(engine().bundle.packs[0].care_types)
    named = [
        Settled(claim.institution_code, claim.encounter_id, claim.settlement_sequence, int(claim.insured_area), basis)
        for claim, basis in zip(claims, kept, strict=True)
    ]
    made = [rebuilt(one, codes[one.kept.facts.care_kind]) for one in named]
    return engine().resolve(incoming_of(made), parts=np.concatenate([split_of(basis) for basis in kept]))


@pytest.mark.compiled
def test_a_day_of_a_city_is_resolved_and_grouped_as_it_was() -> None:
    claims, result = day()
    found = again(claims, kept_of(result))
    for name in set(CLAIM.names) - set(NOT_STORED):
        assert (found.claims[name] == result.claims[name]).all(), name
    assert not found.claims["error"].any()
    assert (found.splits == result.resolved.splits.take(result.rows)).all()
    assert (found.groups == result.resolved.groups.take(result.rows)).all()
    assert (found.group_scheme == result.resolved.group_scheme.take(result.rows)).all()


def test_what_a_claim_names_is_kept_by_name() -> None:
    named = inpatient(
        department="0700", care_area="330106", assistance_category="low_edge", hospital_borne_fen=100,
        settled_at_counter=True, referral_from_encounter="E0", referral_deductible_fen=5_000, enrolment_status=2,
    )  # fmt: skip
    named.diagnoses.append("E11.900")
    named.procedures.extend(["38.9300", "47.0100"])
    named.other_assistance_categories.extend(["low_income", "disabled"])
    visit = inpatient(encounter_id="E2", care_type="11", discharge_date=0, admission_date=20240610)
    visit.diagnoses.append("E11.900")
    claims = [named, visit, inpatient(encounter_id="E3")]
    result = price(prepare(*claims))
    assert not result.errors.any()
    first, second, plain = kept_of(result)
    assert first.names_kept and plain.names_kept
    assert (first.department, first.care_area, first.referral_from_encounter) == ("0700", "330106", "E0")
    assert (first.further_diagnoses, first.procedures) == (["E11.900"], ["38.9300", "47.0100"])
    assert first.assistance_categories == ["low_edge", "low_income", "disabled"]
    categories = engine().bundle.lookup.assistance[0]
    assert categories.index(first.assistance_categories[first.assistance_chosen]) == result.claims["assistance"][0] > 0
    assert second.principal_diagnosis == "I10.x00" and not second.further_diagnoses  # nothing groups a visit
    assert not plain.procedures and not plain.assistance_categories
    found = again(claims, [first, second, plain])
    # Which category counts is decided as claims are priced.
    for name in set(CLAIM.names) - set(NOT_STORED) - {"assistance"}:
        assert (found.claims[name] == result.claims[name]).all(), name


def test_every_fact_of_a_record_has_a_field_of_the_claim_or_is_found_anew() -> None:
    fields = set(claim_pb2.Claim.DESCRIPTOR.fields_by_name)
    facts = {RENAMED.get(member.name, member.name) for member in record_pb2.ClaimFacts.DESCRIPTOR.fields}
    coded = {"care_kind", "suspended", "chain_continues", "accumulators_given"}
    assert facts - fields == FOLLOWS | coded
