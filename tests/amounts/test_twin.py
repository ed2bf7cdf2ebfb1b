"""A table of amounts has the answers of the naive twin, to the fen: every column, every plan, every person's year."""

from __future__ import annotations

import numpy as np
import pytest

from adjudicator.amounts.fields import AFTER, BEFORE, RESULTS
from adjudicator.amounts.price import price_columns
from adjudicator.columns import ACCUMULATOR_NAMES
from adjudicator.rules.inline import inline_bundle
from tests.amounts.made import drawn, table_of, twin
from tests.benefit.made import PACKS, benefit_bundle
from tests.benefit.random_plans import random_plan

EVERY = (*RESULTS, *(AFTER + name for name in ACCUMULATOR_NAMES))
UNKNOWN_TO_TWIN = {"unverified_rules"}


def compare(bundle, claims, splits, **more) -> dict[str, int]:
    """Price the table and compare every result; count what is not 0."""
    want = twin(bundle, claims, splits, {name.removeprefix(BEFORE): value for name, value in more.items()})
    got = price_columns(bundle, table_of(bundle, claims, splits) | more, EVERY)
    for name in EVERY:
        if name not in UNKNOWN_TO_TWIN:
            different = np.flatnonzero(got[name] != np.array(want[name]))
            assert not different.size, (name, different[0], got[name][different[0]], want[name][different[0]])
    return {name: int(np.count_nonzero(column)) for name, column in got.items()}


def test_every_pack_in_one_table() -> None:
    bundle = benefit_bundle(*PACKS)
    seen = compare(bundle, *drawn(np.random.default_rng(5), bundle, 150, 12))
    assert all(seen[name] for name in RESULTS), seen


@pytest.mark.parametrize("seed", range(10))
def test_plans_drawn_at_random(seed: int) -> None:
    rng = np.random.default_rng([5, seed])
    bundle = inline_bundle(random_plan(rng))
    compare(bundle, *drawn(rng, bundle, 8, 20))


def test_a_year_that_is_given() -> None:
    bundle = benefit_bundle("taohuayuan")
    rng = np.random.default_rng(6)
    compare(
        bundle, *drawn(rng, bundle, 20, 6), before_stays=1, before_stays_level_1=1,
        before_catastrophic_base_fen=900_000, before_deductible_charged_fen=60_000,
    )  # fmt: skip


def plain(claims: np.ndarray) -> np.ndarray:
    """The claims with local care, and nothing that a plain table does not have."""
    for name in (
        "place", "filing", "referral", "programme", "maternity_type", "fetus_count", "civil_servant", "family_doctor",
        "at_signed_institution", "suspended", "use_account", "chain_continues", "settled_at_counter",
        "account_current_fen", "account_past_fen", "account_family_fen", "hospital_borne_fen", "other_payer_fen",
        "chain_deductible_fen",
    ):  # fmt: skip
        claims[name] = 0
    claims["disease"] = claims["ward"] = -1
    return claims


PLAIN = (
    "insured_area", "scheme", "person_type", "care_type", "level", "assistance_category", "contribution_tier",
    "settlement_date", "admission_date", "discharge_date", "stay_days", "age_years", "in_scope_fen",
    "wholly_self_paid_fen", "over_ceiling_fen", "first_pay_fen",
)  # fmt: skip


def plain_table(bundle, rng, persons: int):
    claims, splits = drawn(rng, bundle, persons, 12)
    splits["copay_free_fen"] = splits["special_drug_fen"] = splits["special_self_paid_fen"] = 0
    claims = plain(claims)
    table = table_of(bundle, claims, splits)
    return claims, splits, {name: table[name] for name in PLAIN}


@pytest.mark.parametrize("seed", range(3))
def test_a_plain_table(seed: int) -> None:
    bundle = benefit_bundle(*PACKS)
    claims, splits, table = plain_table(bundle, np.random.default_rng([7, seed]), 60)
    want, got = twin(bundle, claims, splits, alone=True), price_columns(bundle, table, tuple(RESULTS))
    for name in RESULTS.keys() - UNKNOWN_TO_TWIN:
        assert (got[name] == np.array(want[name])).all(), name


@pytest.mark.parametrize("rows", [0, 1, 31, 32, 33, 70])
def test_a_row_does_not_depend_on_how_many_there_are(rows: int) -> None:
    bundle = benefit_bundle("hangzhou")
    _, _, table = plain_table(bundle, np.random.default_rng(8), 40)
    whole = price_columns(bundle, table)
    part = price_columns(bundle, {name: column[:rows] for name, column in table.items()})
    assert all((part[name] == column[:rows]).all() for name, column in whole.items())


@pytest.mark.check
@pytest.mark.parametrize("pack", ["hangzhou", "taohuayuan"])
def test_a_specialised_kernel(pack: str) -> None:
    bundle = benefit_bundle(pack)
    rng = np.random.default_rng(9)
    _, _, table = plain_table(bundle, rng, 60)
    some = table | dict(care_type="21", scheme="310", insured_area=table["insured_area"][0], settlement_date=20250610,
                        admission_date=20250601, discharge_date=20250610, stay_days=9,
                        person_type=rng.choice(["11", "12"], len(table["scheme"])))  # fmt: skip
    general = price_columns(bundle, some)
    special = price_columns(bundle, some, specialise=True)
    assert np.count_nonzero(general["pooled_fund_fen"]) > 100
    assert all((special[name] == column).all() for name, column in general.items())


@pytest.mark.full
def test_many_plans_drawn_at_random() -> None:
    for seed in range(1_000):
        test_plans_drawn_at_random(1_000 + seed)
