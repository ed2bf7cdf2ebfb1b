"""What holds for every claim whatever the rules: identities, independence of batch size, reversal, replay."""

from __future__ import annotations

import numpy as np
import pytest

from adjudicator.benefit.settle import settle
from adjudicator.codes import Filing, Place
from adjudicator.columns import ACCUMULATOR_COUNT, BENEFIT, QUOTA
from adjudicator.options import BurdenPart, FixedPrice, TakenFrom
from adjudicator.rules.inline import inline_bundle
from tests.benefit.made import PACKS, benefit_bundle, quota_rows, random_claims, settle_all
from tests.benefit.random_plans import random_plan

FUNDS = (
    "pooled_fen", "large_sum_fen", "catastrophic_fen", "civil_servant_fen", "enterprise_fen", "assistance_fen",
    "tilt_fen", "other_fen",
)  # fmt: skip
PERSON = ("account_current_fen", "account_past_fen", "account_family_fen", "cash_fen")


def drawn(seed: int, persons: int = 400, most: int = 12):
    """A bundle of every pack with random claims."""
    bundle = benefit_bundle(*PACKS)
    return bundle, *random_claims(np.random.default_rng(seed), bundle, persons, most)


def test_identities_hold_and_nobody_pays_less_than_nothing() -> None:
    bundle, claims, splits = drawn(1)
    out, states, _ = settle_all(bundle, claims, splits)
    good = out["error"] == 0
    assert good.sum() > 1_000
    paid, claim, split = out[good], claims[good], splits[good]
    assert (paid["fund_total_fen"] == sum(paid[name] for name in FUNDS)).all()  # F1
    assert (paid["personal_total_fen"] == sum(paid[name] for name in PERSON)).all()  # P1
    total = paid["fund_total_fen"] + paid["personal_total_fen"] + paid["hospital_borne_fen"]
    assert (total == claim["total_fen"]).all()  # F2
    split_total = (
        paid["first_pay_fen"] + paid["in_scope_fen"] + split["wholly_self_paid_fen"] + split["over_ceiling_fen"]
    )
    assert (split_total == claim["total_fen"]).all()  # H1
    assert (paid["deductible_fen"] <= paid["in_scope_fen"]).all()  # B1
    for name in BENEFIT.names:
        if name.endswith("_fen"):
            assert (paid[name] >= 0).all(), name
    assert (states >= 0).all()
    refused = out[~good]
    assert all(not refused[name].any() for name in BENEFIT.names if name.endswith("_fen"))


def test_accounts_pay_no_more_than_they_hold() -> None:
    bundle, claims, splits = drawn(2)
    out, _, _ = settle_all(bundle, claims, splits)
    for pot in ("current", "past", "family"):
        assert (out[f"account_{pot}_fen"] <= claims[f"account_{pot}_fen"]).all()
        assert not out[f"account_{pot}_fen"][claims["use_account"] == 0].any()


@pytest.mark.compiled
@pytest.mark.parametrize("size", [1, 7, 500])
def test_batch_size_does_not_matter(size: int) -> None:
    bundle, claims, splits = drawn(3)
    whole, states, quotas = settle_all(bundle, claims, splits)
    numbered = claims.copy()
    parts_quotas = quota_rows(numbered)
    parts_states = np.zeros_like(states)
    parts = np.zeros(len(claims), BENEFIT)
    for start in range(0, len(claims), size):
        part = slice(start, start + size)
        settle(bundle.benefit, numbered[part], splits[part], parts_states, parts_quotas, parts[part])
    assert (parts == whole).all() and (parts_states == states).all() and (parts_quotas == quotas).all()


def test_persons_do_not_touch_each_other() -> None:
    bundle, claims, splits = drawn(4, 50)
    whole, states, _ = settle_all(bundle, claims, splits)
    order = np.argsort(claims["stay_days"] * 0 + np.random.default_rng(0).random(len(claims)))
    order = order[np.argsort(claims["state"][order], kind="stable")]
    by_person = np.concatenate([np.sort(order[claims["state"][order] == person]) for person in range(49, -1, -1)])
    other, other_states, _ = settle_all(bundle, claims[by_person], splits[by_person])
    assert (other == whole[by_person]).all() and (other_states == states).all()


def test_settle_reverse_settle_gives_the_same_answer_and_the_same_year() -> None:
    bundle, claims, splits = drawn(5, 60)
    states, quota = np.zeros((60, ACCUMULATOR_COUNT), np.int64), np.zeros(1, QUOTA)
    for row in range(len(claims)):
        claim, split = claims[row : row + 1], splits[row : row + 1]
        before = states.copy()
        first, again = np.zeros(1, BENEFIT), np.zeros(1, BENEFIT)
        settle(bundle.benefit, claim.copy(), split, states, quota, first)
        after = states.copy()
        states -= after - before  # what the ledger takes back: the differences that the settlement made
        assert (states == before).all()
        settle(bundle.benefit, claim.copy(), split, states, quota, again)
        assert first == again and (states == after).all()


def test_a_claim_without_a_year_is_priced_over_an_empty_one() -> None:
    bundle, claims, splits = drawn(6, 30, 1)
    with_year, _, _ = settle_all(bundle, claims, splits)
    alone = claims.copy()
    alone["state"] = -1
    out = np.zeros(len(claims), BENEFIT)
    settle(bundle.benefit, alone, splits, np.zeros((0, ACCUMULATOR_COUNT), np.int64), np.zeros(0, QUOTA), out)
    assert (out == with_year).all()


def test_a_claim_with_an_error_is_skipped() -> None:
    bundle, claims, splits = drawn(7, 30, 5)
    claims["error"] = 3005
    out, states, _ = settle_all(bundle, claims, splits)
    assert (out["error"] == 3005).all() and not states.any() and not out["fund_total_fen"].any()


FIRST_PAYERS = ("pooled_fen", "large_sum_fen", "catastrophic_fen")
LATER_PAYERS = ("civil_servant_fen", "enterprise_fen", "assistance_fen", "tilt_fen", *PERSON)
"""Payers after stage 7: what they pay depends on which part of the burden the earlier ones took."""


def _deductible_grows_faster(row: np.void, way: tuple[int, int, int]) -> bool:
    """Whether a deductible that is a share of the total (V11) can grow faster than what the tiers pay.

    It does under a fixed price, where the cost that is paid stops growing and the total does not, and after the rate
    (V04), where it is taken from the payment itself.
    """
    is_share = row["cross_deductible_ppm"][way] > 0
    return bool(is_share and (row["fixed_price"] != FixedPrice.OFF or row["deductible_position"] != 0))


def _is_paid_twice(row: np.void) -> bool:
    """Whether a guaranteed payment (V16) also pays cost that is paid above the cap, so that less is left of more."""
    return bool(row["floor_ppm"] > 0 and (row["above_cap_ppm"] > 0).any())


def _moves_between_parts(row: np.void) -> bool:
    """Whether a fund counts one part of the burden and takes another (R09), so that a later payer finds less.

    Catastrophic insurance pro rata; and where it or assistance counts first pay, cost over the ceiling or special
    drugs, it takes the in-scope burden first.
    """
    in_scope = BurdenPart.IN_SCOPE | BurdenPart.DEDUCTIBLE | BurdenPart.ABOVE_CAP
    counted = int(row["catastrophic_base"]) | int(row["assistance_base"])
    return bool(row["catastrophic_taken_from"] == TakenFrom.PRO_RATA or counted & ~in_scope)


@pytest.mark.parametrize("seed", range(60))
def test_more_cost_never_lowers_what_a_payer_pays(seed: int) -> None:
    """More cost in scope and nothing else changed: no payer and no account pays less, but for three kinds of rules."""
    rng = np.random.default_rng([4, seed])
    bundle = inline_bundle(random_plan(rng))
    claims, splits = random_claims(rng, bundle, 100, 1)
    for column in ("other_payer_fen", "hospital_borne_fen"):
        claims[column] = 0
    out, _, _ = settle_all(bundle, claims, splits)
    more, larger = claims.copy(), splits.copy()
    extra = rng.integers(1, 1_000_000, len(claims))
    more["total_fen"] += extra
    larger["in_scope_fen"] += extra
    grown, _, _ = settle_all(bundle, more, larger)
    for number in np.flatnonzero((out["error"] == 0) & (grown["error"] == 0)).tolist():
        row, claim = bundle.plans.rows[out["plan"][number]], claims[number]
        place, filing = int(claim["place"]), int(claim["filing"])
        if place != Place.LOCAL and filing == Filing.UNSPECIFIED:
            filing = int(Filing.NONE)
        channel = int(bool(claim["settled_at_counter"]) or filing == Filing.NOT_DIRECT)
        if _deductible_grows_faster(row, (place, filing, channel)):
            continue
        tested = ["pooled_fen", "hospital_borne_fen"]
        tested += [] if _is_paid_twice(row) else FIRST_PAYERS
        tested += [] if _is_paid_twice(row) or _moves_between_parts(row) else LATER_PAYERS
        for payer in tested:
            assert grown[payer][number] >= out[payer][number], (number, payer)


def test_the_exceptions_of_monotony_leave_most_to_be_tested() -> None:
    """Half of the plans that are drawn so are held to it for the first payers, and some for all of them."""
    rows = [inline_bundle(random_plan(np.random.default_rng([4, seed]))).plans.rows[0] for seed in range(900)]
    once = [row for row in rows if not _is_paid_twice(row)]
    assert len(once) >= 450 and len([row for row in once if not _moves_between_parts(row)]) >= 10


def test_largest_amounts_do_not_overflow() -> None:
    from adjudicator.limits import MAX_AMOUNT_FEN

    for seed in range(12):
        rng = np.random.default_rng([8, seed])
        bundle = inline_bundle(random_plan(rng))
        claims, splits = random_claims(rng, bundle, 30, 3)
        for name in splits.dtype.names:
            splits[name] = 0
        splits["in_scope_fen"] = MAX_AMOUNT_FEN // 2
        splits["first_pay_fen"] = MAX_AMOUNT_FEN // 2
        claims["total_fen"] = MAX_AMOUNT_FEN
        from tests.benefit.made import compare_with_twin

        compare_with_twin(bundle, claims, splits)
