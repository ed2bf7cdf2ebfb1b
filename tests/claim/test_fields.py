"""The plain fields of a claim: derived from the message, copied within their limits, refused beyond them."""

from __future__ import annotations

import pytest

from adjudicator import limits
from adjudicator.claim.fields import COMPUTED, FIELDS, LIMITS, RENAMED, F, Limit, plain_fields
from adjudicator.columns import CLAIM
from adjudicator.errors import E
from adjudicator.v1 import claim_pb2
from tests.claim.claims import inpatient, prepare

PLAIN = [FIELDS[row["field"]] for row in plain_fields()]


def test_every_field_of_the_message_may_be_named_by_a_problem() -> None:
    assert len(FIELDS) == len(set(FIELDS)) == len(F)
    assert "referral_from_encounter" in F and "lines[].external_prescription" in F


def test_a_field_with_the_name_of_a_column_is_copied() -> None:
    columns = {RENAMED.get(name, name) for name in CLAIM.names or ()} - COMPUTED
    scalars = {
        field.name
        for field in claim_pb2.Claim.DESCRIPTOR.fields
        if field.message_type is None and not field.is_repeated and field.type != field.TYPE_STRING
    }
    assert set(PLAIN) == (columns & scalars) | {"enrolment_status"}


def test_values_arrive_in_their_columns() -> None:
    claim = inpatient(
        icu_hours=17,
        family_doctor_signed=True,
        referral_deductible_fen=123,
        account_past_fen=2**40,
        contribution_tier=7,
    )
    claim.ClearField("age_days")
    row = prepare(claim).claims[0]
    got = [row[name] for name in ("icu_hours", "family_doctor", "chain_deductible_fen", "contribution_tier")]
    assert got == [17, 1, 123, 7] and row["age_days"] == -1 and row["age_years"] == 50


@pytest.mark.parametrize(("name", "limit"), LIMITS.items())
def test_a_value_beyond_its_limit_is_refused_and_not_clamped(name: str, limit: Limit) -> None:
    column = {wire: column for column, wire in RENAMED.items()}.get(name, name)
    for value in (limit.most, limit.also):
        if value >= 0:
            assert (limit.above, name) not in problems(inpatient(**{name: value}))
    facts = prepare(inpatient(**{name: limit.most + 1}))
    if limit.also != limit.most + 1:
        assert (limit.above, name) in [(problem.number, problem.field) for problem in facts.problems(0)]
    if column in (CLAIM.names or ()):
        assert facts.claims[column][0] in (0, -1)


@pytest.mark.parametrize("name", [name for name in PLAIN if name.endswith("_fen")])
def test_amounts_have_the_limit_of_an_amount(name: str) -> None:
    assert (E.NEGATIVE_AMOUNT, name) in problems(inpatient(**{name: -1}))
    assert (E.AMOUNT_OUT_OF_RANGE, name) in problems(inpatient(**{name: limits.MAX_AMOUNT_FEN + 1}))


def problems(claim: claim_pb2.Claim) -> list[tuple[int, str]]:
    """Return number and field of what is wrong with a claim."""
    return [(problem.number, problem.field) for problem in prepare(claim).problems(0)]
