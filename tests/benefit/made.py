"""Random years of persons, as columns: every pack, plan, place, filing, level, category, and awkward amounts."""

from __future__ import annotations

from functools import cache

import numpy as np

from adjudicator.benefit.records import PART, WORK
from adjudicator.benefit.settle import NO_LINES, run
from adjudicator.benefit.tables import Claims, Stays
from adjudicator.codes import PERSON_TYPES
from adjudicator.columns import ACCUMULATOR_COUNT, ACCUMULATOR_NAMES, BENEFIT, CLAIM, QUOTA, SLOT, SPLIT
from adjudicator.rules.bundle import Bundle, compile_bundle
from adjudicator.rules.load import read_pack
from tests.benefit import naive
from tests.benefit.deciding import decide_dates

PACKS = ("taohuayuan", "hangzhou", "huzhou", "taizhou", "zhuzhou")
NAMES = {
    "first_pay_fen": "first_pay", "in_scope_fen": "in_scope", "deductible_standard_fen": "standard",
    "deductible_due_fen": "due", "deductible_fen": "deductible", "pooled_fen": "pooled", "large_sum_fen": "large_sum",
    "catastrophic_fen": "catastrophic", "civil_servant_fen": "civil_servant", "enterprise_fen": "enterprise",
    "assistance_fen": "assistance", "tilt_fen": "tilt", "other_fen": "other", "hospital_borne_fen": "hospital_borne",
    "account_current_fen": "account_current", "account_past_fen": "account_past",
    "account_family_fen": "account_family", "cash_fen": "cash", "fund_total_fen": "fund_total",
    "personal_total_fen": "personal_total", "pooled_rate_ppm": "pooled_rate_ppm",
    "counts_as_admission": "counts_as_admission",
}  # fmt: skip
"""Result column and the twin's name for it."""


@cache
def benefit_bundle(*names: str) -> Bundle:
    """Packs with their benefit rules alone: other sections are not read."""
    return compile_bundle([read_pack(name) for name in names], {"catalogue": [], "payment": []}, [])


def amounts(rng: np.random.Generator, count: int, most: int) -> np.ndarray:
    """Amounts from nothing to ``most`` fen: small and large ones alike, some round, some zero."""
    values = np.exp(rng.uniform(0, np.log(most), count)).astype(np.int64)
    values[rng.random(count) < 0.3] //= 100_000
    values[rng.random(count) < 0.1] = 0
    rounded = rng.random(count) < 0.2
    values[rounded] = values[rounded] // 10_000 * 10_000
    return values


def random_claims(rng: np.random.Generator, bundle: Bundle, persons: int, most_claims: int):
    """CLAIM[n] and SPLIT[n] of some persons' years; claims of a person follow each other. state = person's number."""
    person_rows, claim_person = [], []
    for person in range(persons):
        person_rows.append(_person(rng, bundle))
        claim_person += [person] * int(rng.integers(1, most_claims + 1))
    owner = np.array(claim_person)
    count = len(owner)
    claims = np.zeros(count, CLAIM)
    for row, person in enumerate(owner):
        _claim(rng, bundle, person_rows[person], claims[row])
    claims["state"] = owner
    splits = np.zeros(count, SPLIT)
    splits["in_scope_fen"] = amounts(rng, count, 60_000_000)
    for name, most, chance in (
        ("wholly_self_paid_fen", 3_000_000, 0.5), ("over_ceiling_fen", 500_000, 0.3), ("first_pay_fen", 4_000_000, 0.6),
    ):  # fmt: skip
        splits[name] = np.where(rng.random(count) < chance, amounts(rng, count, most), 0)
    free = rng.random(count) < 0.1
    splits["copay_free_fen"] = np.where(free, splits["in_scope_fen"] * rng.random(count), 0)
    special = rng.random(count) < 0.15
    inside = splits["in_scope_fen"] + splits["first_pay_fen"]
    splits["special_drug_fen"] = np.where(special, inside * rng.random(count), 0)
    outside = rng.random(count) < 0.1
    splits["special_self_paid_fen"] = np.where(outside, splits["wholly_self_paid_fen"] * rng.random(count), 0)
    borne = rng.random(count) < 0.2
    splits["hospital_borne_fen"] = np.where(borne, splits["over_ceiling_fen"] * rng.random(count), 0)
    parts = ("wholly_self_paid_fen", "over_ceiling_fen", "first_pay_fen", "in_scope_fen")
    claims["total_fen"] = sum(splits[name] for name in parts)
    for name, chance in (("hospital_borne_fen", 0.1), ("other_payer_fen", 0.1)):
        claims[name] = np.where(rng.random(count) < chance, claims["total_fen"] * rng.random(count) * 0.4, 0)
    decide_dates(bundle.benefit, claims)
    return claims, splits


def _person(rng: np.random.Generator, bundle: Bundle) -> dict:
    number = int(rng.integers(len(bundle.packs)))
    pack = bundle.packs[number]
    group = pack.person_groups[int(rng.integers(len(pack.person_groups)))]
    plans = [plan for plan in pack.plans if plan.scheme.name.lower() == group.scheme] or list(pack.plans)
    chosen = plans[int(rng.integers(len(plans)))]
    year = int(rng.integers(max(chosen.from_date // 10_000, 2019), min(chosen.to_date // 10_000, 2026) + 1))
    in_year = [plan for plan in plans if plan.from_date // 10_000 <= year <= plan.to_date // 10_000]
    return {
        "pack": number, "scheme": int(plans[0].scheme), "plans": in_year,
        "person_type": PERSON_TYPES.index(str(rng.choice(group.person_types))) if rng.random() < 0.98 else 0,
        "contribution_tier": int(rng.choice(group.contribution_tiers or [0, 1, 2])),
        "assistance": int(rng.integers(len(pack.assistance) + 1)) if rng.random() < 0.4 else 0,
        "civil_servant": int(rng.random() < 0.2), "family_doctor": int(rng.random() < 0.3),
        "age_years": int(rng.integers(-1, 100)), "year": year,
        "level": int(rng.integers(len(pack.levels))),
    }  # fmt: skip


def _claim(rng: np.random.Generator, bundle: Bundle, person: dict, row: np.void) -> None:
    pack = bundle.packs[person["pack"]]
    for name in ("pack", "scheme", "person_type", "contribution_tier", "assistance", "civil_servant", "family_doctor",
                 "age_years"):  # fmt: skip
        row[name] = person[name]
    plan = person["plans"][int(rng.integers(len(person["plans"])))]
    row["care_kind"] = (
        int(rng.choice([int(kind) for kind in plan.care])) if rng.random() < 0.98 else int(rng.integers(16))
    )
    row["place"] = int(rng.choice([int(place) for place in plan.places])) if rng.random() < 0.4 else int(plan.places[0])
    row["filing"] = int(rng.choice([0, 1, 2, 3, 4, 5, 6, 6, 7, 7, 8])) if row["place"] else 0
    row["settled_at_counter"] = int(rng.random() < 0.15)
    row["referral"] = int(rng.choice([0, 0, 0, 1, 2, 3, 4]))
    row["deductible_level"] = person["level"] if rng.random() < 0.5 else int(rng.integers(len(pack.levels)))
    row["disease"] = int(rng.integers(-1, len(pack.diseases))) if pack.diseases else -1
    row["ward"] = int(rng.integers(-1, len(pack.wards))) if pack.wards else -1
    row["programme"] = int(rng.integers(0, len(pack.programmes) + 2)) if rng.random() < 0.08 else 0
    row["maternity_type"], row["fetus_count"] = int(rng.integers(0, 11)), int(rng.integers(0, 4))
    year = person["year"]
    first = 12 if plan.from_date // 10_000 == year and rng.random() < 0.95 else 1
    row["admission_date"] = year * 10_000 + int(rng.integers(first, 13)) * 100 + int(rng.integers(1, 29))
    row["discharge_date"] = row["admission_date"] if rng.random() < 0.8 else 0
    row["settlement_date"] = row["admission_date"]
    row["stay_days"] = int(rng.integers(0, 400))
    row["at_signed_institution"] = int(rng.random() < 0.7)
    row["suspended"] = int(rng.random() < 0.01)
    row["chain_continues"] = int(rng.random() < 0.3)
    row["chain_deductible_fen"] = int(rng.choice([0, 20_000, 80_000]))
    row["use_account"] = int(rng.random() < 0.5)
    for pot in ("current", "past", "family"):
        row[f"account_{pot}_fen"] = int(amounts(rng, 1, 2_000_000)[0])
    row["quota"] = -1


def with_parts(claims: np.ndarray) -> np.ndarray:
    """The claims, some of them later parts of stays that began over a row of ``begun_years``."""
    rng, claims = np.random.default_rng(len(claims)), claims.copy()
    for position in np.flatnonzero(rng.random(len(claims)) < 0.1):
        row = claims[position]
        row["stay_row"], row["stay_row_over_years"] = rng.integers(0, 4), rng.integers(1, 4)
        for name in ("stay_charged_fen", "stay_charged_over_years_fen"):
            row[name] = int(rng.choice([0, 30_000, 90_000]))
    return claims


def stays_so_far() -> Stays:
    """Three stays that go on, with sums over earlier parts that no rule relates to each other."""
    rng = np.random.default_rng(3)
    parts = np.zeros(4, PART)
    parts["total_fen"][1:] = amounts(rng, 3, 9_000_000)
    for name in ("cost_fen", "coverable_fen", "floor_base_fen"):
        parts[name] = parts["total_fen"] * rng.random(4)
    for name, whole in (
        ("base_fen", "cost_fen"), ("payable_fen", "base_fen"), ("by_rate_fen", "payable_fen"),
        ("guaranteed_fen", "payable_fen"), ("pooled_fen", "cost_fen"), ("deductible_left_fen", "base_fen"),
    ):  # fmt: skip
        parts[name] = parts[whole] * rng.random(4)
    parts["guaranteed_fen"][2] = parts["deductible_left_fen"][3] = 0
    return Stays(begun_years(), parts)


def begun_years() -> np.ndarray:
    """int64[3, accumulators]: years before stays that go on."""
    years = np.zeros((3, ACCUMULATOR_COUNT), np.int64)
    for row, (stays, charged) in enumerate(((0, 0), (1, 50_000), (3, 140_000))):
        years[row, SLOT["stays"]] = years[row, SLOT["stays_level_1"]] = stays
        years[row, SLOT["deductible_charged_fen"]] = years[row, SLOT["deductible_charged_level_1_fen"]] = charged
        years[row, SLOT["highest_standard_fen"]] = years[row, SLOT["last_standard_fen"]] = charged
        years[row, SLOT["deductible_shortfall_fen"]] = 7_000 * stays
    return years


def quota_rows(claims: np.ndarray) -> np.ndarray:
    """QUOTA[k] and ``claims["quota"]``: one row a person and disease."""
    keys = {}
    for row in claims:
        if row["disease"] >= 0:
            row["quota"] = keys.setdefault((int(row["state"]), int(row["disease"])), len(keys))
    quotas = np.zeros(max(len(keys), 1), QUOTA)
    return quotas


def settle_all(bundle: Bundle, claims: np.ndarray, splits: np.ndarray, parts: np.ndarray | None = None):
    """(BENEFIT[n], states, quotas) of the kernel; ``claims`` is copied, so that its errors stay out of the caller's.

    ``parts`` PART[n] takes what the claims are as parts of their stays.
    """
    claims = claims.copy()
    quotas = quota_rows(claims)
    states = np.zeros((int(claims["state"].max()) + 1, ACCUMULATOR_COUNT), np.int64)
    out = np.full(len(claims), 77, np.int8).repeat(BENEFIT.itemsize).view(BENEFIT)
    batch = Claims.over(claims, splits, NO_LINES, states, quotas, stays_so_far(), parts)
    run(bundle.benefit, batch, out, np.empty(1, WORK))
    return out, states, quotas


def compare_with_twin(bundle: Bundle, claims: np.ndarray, splits: np.ndarray) -> dict[str, int]:
    """Settles by the kernel and by the twin and asserts that everything is equal; counts what happened."""
    claims = with_parts(claims)
    parts = np.zeros(len(claims), PART)
    out, states, _ = settle_all(bundle, claims, splits, parts)
    numbered = claims.copy()
    quota_rows(numbered)
    years: dict[int, naive.Year] = {}
    seen: dict[str, int] = {}
    begun = [
        naive.Stay(
            naive.Year(dict(zip(ACCUMULATOR_NAMES, slots, strict=True))),
            [{name.removesuffix("_fen"): int(part[name]) for name in PART.names or ()}],
        )
        for slots, part in zip(begun_years().tolist(), stays_so_far().parts[1:], strict=True)
    ]
    for row in range(len(claims)):
        claim, paid = numbered[row], out[row]
        year = years.setdefault(int(claim["state"]), naive.Year())
        key = int(claim["quota"]) if claim["quota"] >= 0 else None
        try:
            want = naive.settle(bundle.packs[claim["pack"]], claim, splits[row], year, key, begun)
        except naive.Refused as refusal:
            assert int(paid["error"]) == int(refusal.number), (row, refusal.number.name, paid["error"], claim)
            seen[refusal.number.name] = seen.get(refusal.number.name, 0) + 1
            continue
        assert paid["error"] == 0, (row, int(paid["error"]), claim)
        for column, name in NAMES.items():
            assert int(paid[column]) == want[name], (row, column, int(paid[column]), want[name], claim, splits[row])
            if want[name]:
                seen[column] = seen.get(column, 0) + 1
        for name, amount in (want["part"] or {}).items():
            assert int(parts[row][f"{name}_fen"]) == amount, (row, name, parts[row], want["part"], claim, splits[row])
    for person, year in years.items():
        for name, amount in year.amounts.items():
            assert int(states[person, SLOT[name]]) == amount, (person, name, int(states[person, SLOT[name]]), amount)
    return seen
