"""A case is settled as the message that a hospital system would send, by the engine that settles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adjudicator.cases.file import Case, read_cases
from adjudicator.cases.message import bill_parts
from adjudicator.cases.run import run_case
from adjudicator.catalogue.settings import OPTIONS
from adjudicator.claim.local import price_message
from adjudicator.codes import Method
from adjudicator.errors import E
from adjudicator.v1 import settlement_pb2

PARTS = ("in_scope", "first_pay", "over_ceiling", "wholly_self_paid")


def one(folder: Path, text: str) -> Case:
    path = folder / "case.yaml"
    path.write_text(text, "utf-8")
    (case,) = read_cases([path])
    return case


def test_the_answer_is_that_of_the_message(tmp_path: Path) -> None:
    """The message alone, priced as the service prices a trial, gives the amounts of the case."""
    (settled,) = run_case(
        one(
            tmp_path,
            "case: X\npack: taohuayuan\nperson: {age: 62, type: '12'}\n"
            "claim: {level: tertiary, amounts: {in_scope: 8000, first_pay: 300, wholly_self_paid: 55.55}}\n",
        )
    )
    answer = price_message(settled.bundle, settled.claim)
    assert settled.claim.institution_code and settled.claim.diagnoses and settled.claim.person_type == "12"
    assert [line.amount_fen for line in answer.lines] == [800_000, 30_000, 5_555]
    assert answer.outcome == settlement_pb2.OUTCOME_TRIAL and settled.answer.outcome == settlement_pb2.OUTCOME_SETTLED
    answer.outcome, answer.settlement_id = settled.answer.outcome, settled.answer.settlement_id
    assert answer == settled.answer


def test_every_case_is_paid_by_a_method(tmp_path: Path) -> None:
    (settled,) = run_case(one(tmp_path, "case: X\nplan: {rate_percent: 70}\nclaim: {amounts: {in_scope: 100}}\n"))
    assert settled.answer.payment.method == Method.BY_ITEM and settled.answer.payment.due_fen == 7000


@pytest.mark.parametrize("option", ["", *(f"{name}: {word}" for name, words in OPTIONS.items() for word in words)])
def test_amounts_go_through_the_line_split_and_come_back(tmp_path: Path, option: str) -> None:
    """Each part of a bill becomes a line that is split into just this part, whatever the options of the catalogue."""
    random = np.random.default_rng(7)
    for _ in range(5):
        amounts = {part: int(random.integers(0, 10**7)) for part in PARTS}
        amounts["hospital_borne"] = amounts["over_ceiling"] // 3
        amounts["in_catalogue_excess"] = amounts["over_ceiling"] // 4
        amounts["copay_free"] = amounts["in_scope"] // 2
        amounts["special_drug"] = amounts["in_scope"] + amounts["first_pay"] // 2
        parts = bill_parts(amounts)
        assert sum(parts.values()) == sum(amounts[part] for part in PARTS) and min(parts.values()) >= 0
        written = ", ".join(f"{name}: '{amount // 100}.{amount % 100:02d}'" for name, amount in amounts.items())
        (settled,) = run_case(
            one(
                tmp_path,
                f"case: X\nplan: {{rate_percent: 70}}\ncatalogue: {{{option}}}\nclaim: {{amounts: {{{written}}}}}\n",
            )
        )
        got = settled.amounts()
        assert {part: got[part] for part in PARTS} == {part: amounts[part] for part in PARTS}


def test_accumulators_that_a_case_states_travel_with_the_claims_of_that_year(tmp_path: Path) -> None:
    first, second, third = run_case(
        one(
            tmp_path,
            "case: X\nplan: {deductible_yuan: 500, deductible_counting: year_highest, rate_percent: 50}\n"
            "claims:\n- {date: 2023-02-01, amounts: {in_scope: 100}}\n"
            "- {date: 2024-02-01, year_to_date: {deductible_charged: 450}, amounts: {in_scope: 100}}\n"
            "- {date: 2024-03-01, amounts: {in_scope: 100}}\n",
        )
    )
    assert not first.claim.HasField("accumulators")
    given = {entry.name: entry.value for entry in second.claim.accumulators.entries}
    assert given == {"deductible_charged_fen": 45_000} and second.answer.deductible_fen == 5_000
    given = {entry.name: entry.value for entry in third.claim.accumulators.entries}
    assert given["deductible_charged_fen"] == 50_000 and third.answer.deductible_fen == 0
    assert third.claim.accumulators.year == 2024


def test_a_refused_claim_says_why_and_leaves_the_year_alone(tmp_path: Path) -> None:
    refused, settled = run_case(
        one(
            tmp_path,
            "case: X\nplan: {deductible_yuan: 100, deductible_counting: year_highest, rate_percent: 50}\n"
            "claims:\n- {settlement: 2024-05-01, amounts: {in_scope: 100}, expect: {error: DATE_ORDER}}\n"
            "- {amounts: {in_scope: 100}, expect: {deductible: 100}}\n",
        )
    )
    assert refused.error == E.DATE_ORDER and refused.answer.problems and not refused.steps
    assert [claim.differences() for claim in (refused, settled)] == [[], []]


def test_place_and_level_of_care_are_those_of_the_message(tmp_path: Path) -> None:
    for place in ("local", "province", "outside"):
        for level in ("community", "other", "secondary", "tertiary"):
            (settled,) = run_case(
                one(
                    tmp_path,
                    f"case: X\npack: hangzhou\nclaim: {{level: {level}, place: {place}, filing: long_term,"
                    " amounts: {in_scope: 100}}\n",
                )
            )
            assert settled.error == E.NONE, settled.answer.problems
            assert settled.facts.place == ("local", "province", "outside").index(place)
            assert settled.bundle.packs[0].level_ids[settled.facts.level] == level


def test_a_part_above_the_highest_unit_price_is_many_units(tmp_path: Path) -> None:
    (settled,) = run_case(
        one(
            tmp_path,
            "case: X\nplan: {rate_percent: 50, deductible_counting: none}\n"
            "claim: {amounts: {in_scope: 2800000.01}, expect: {total: 2800000.01, pooled_fund: 1400000.01}}\n",
        )
    )
    assert settled.differences() == []
    (line,) = settled.claim.lines
    assert line.quantity_e4 == 100_000 and line.unit_price_e4 * 10 == 280_000_001 * 10_000
