"""Random claims of made years as a table with the codes that an analyst has, and the twin's answers to it."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyarrow as pa

from adjudicator.amounts.fields import AFTER, RESULTS
from adjudicator.claim.years import period_of
from adjudicator.codes import PERSON_TYPES, SCHEME_NATIONAL, CareKind, Scheme
from adjudicator.columns import ACCUMULATOR_NAMES, SLOT
from adjudicator.options import QuotaPeriod
from tests.benefit import naive
from tests.benefit.deciding import decide_dates
from tests.benefit.made import NAMES, random_claims

ELSEWHERE = {0: "", 1: "{province}9900", 2: "110101"}
MONEY = (
    "account_current_fen", "account_past_fen", "account_family_fen", "hospital_borne_fen", "other_payer_fen",
    "total_fen",
)  # fmt: skip
PARTS = (
    "in_scope_fen", "wholly_self_paid_fen", "over_ceiling_fen", "first_pay_fen", "copay_free_fen", "special_drug_fen",
    "special_self_paid_fen",
)  # fmt: skip
SAME_NAME = (
    "contribution_tier", "civil_servant", "at_signed_institution", "use_account", "settled_at_counter", "filing",
    "referral", "fetus_count", "maternity_type", "stay_days", "settlement_date", "admission_date", "discharge_date",
)  # fmt: skip


def drawn(rng: np.random.Generator, bundle, persons: int, most: int):
    """CLAIM[n] and SPLIT[n] that have codes in every pack, of several persons in any order."""
    claims, splits = random_claims(rng, bundle, persons, most)
    kinds = [{int(kind) for kind in pack.care_types.values()} for pack in bundle.packs]
    good = np.array([int(row["care_kind"]) in kinds[row["pack"]] for row in claims])
    good &= (claims["person_type"] > 0) & ~np.isin(claims["maternity_type"], (8, 10))
    good &= claims["programme"] <= np.array([len(pack.programmes) for pack in bundle.packs])[claims["pack"]]
    rows = rng.permutation(np.flatnonzero(good))
    claims, splits = claims[rows], splits[rows]
    claims["discharge_date"] = claims["admission_date"]
    claims["stay_days"] = np.maximum(claims["stay_days"], 1)
    splits["hospital_borne_fen"] = 0
    at_edges(rng, bundle, claims, splits)
    claims["chain_deductible_fen"] *= claims["chain_continues"]
    decide_dates(bundle.benefit, claims)
    return claims, splits


def at_edges(rng: np.random.Generator, bundle, claims: np.ndarray, splits: np.ndarray) -> None:
    """Set the cost of a third of the claims to where a value of a plan begins or ends, or one fen beside it."""
    rows = bundle.plans.rows
    fields = ("tier_from_fen", "cap_fen", "limit_fen", "catastrophic_threshold_fen", "deductible_fen", "tier_from_fen")
    edges = np.unique(np.concatenate([rows[name].ravel() for name in fields]))
    edges = edges[(edges >= 0) & (edges < 10**10)]
    chosen = np.flatnonzero(rng.random(len(claims)) < 0.33)
    cost = rng.choice(edges, len(chosen)) + np.where(rng.random(len(chosen)) < 0.5, rng.choice(edges, len(chosen)), 0)
    splits["in_scope_fen"][chosen] = np.maximum(cost + rng.integers(-1, 2, len(chosen)), 0)
    splits["copay_free_fen"] = np.minimum(splits["copay_free_fen"], splits["in_scope_fen"])
    parts = ("in_scope_fen", "wholly_self_paid_fen", "over_ceiling_fen", "first_pay_fen")
    claims["total_fen"] = sum(splits[name] for name in parts)
    for name in ("hospital_borne_fen", "other_payer_fen"):
        claims[name] = np.minimum(claims[name], claims["total_fen"] // 2)


def table_of(bundle, claims: np.ndarray, splits: np.ndarray) -> dict:
    """The columns of a table; codes as texts."""
    packs = [bundle.packs[number] for number in claims["pack"].tolist()]
    listed = lambda names, place: names[place] if place >= 0 else ""  # noqa: E731
    texts = {
        "insured_area": [f"{pack.areas[0].code:06d}" for pack in packs],
        "scheme": [SCHEME_NATIONAL[Scheme(scheme)] for scheme in claims["scheme"].tolist()],
        "person_type": [PERSON_TYPES[number] for number in claims["person_type"].tolist()],
        "care_type": [
            min(code for code, own in pack.care_types.items() if own == CareKind(kind))
            for pack, kind in zip(packs, claims["care_kind"].tolist(), strict=True)
        ],
        "level": [
            pack.level_ids[level] for pack, level in zip(packs, claims["deductible_level"].tolist(), strict=True)
        ],
        "assistance_category": [
            ["", *(entry.id for entry in pack.assistance)][number]
            for pack, number in zip(packs, claims["assistance"].tolist(), strict=True)
        ],
        "disease_code": [
            listed([disease.code for disease in pack.diseases], number)
            for pack, number in zip(packs, claims["disease"].tolist(), strict=True)
        ],
        "department": [
            listed([ward.departments[0] for ward in pack.wards], number)
            for pack, number in zip(packs, claims["ward"].tolist(), strict=True)
        ],
        "programme": [
            ["", *(programme.id for programme in pack.programmes)][number]
            for pack, number in zip(packs, claims["programme"].tolist(), strict=True)
        ],
        "care_area": [
            ELSEWHERE[place].format(province=str(pack.areas[0].code)[:2])
            for pack, place in zip(packs, claims["place"].tolist(), strict=True)
        ],
        "referral_from_encounter": ["E1" if chained else "" for chained in claims["chain_continues"].tolist()],
        "person_id": [f"P{person}" for person in claims["state"].tolist()],
    }  # fmt: skip
    columns: dict = {name: np.array(values, object) for name, values in texts.items()}
    columns |= {name: claims[name].copy() for name in (*SAME_NAME, *MONEY)}
    columns |= {name: splits[name].copy() for name in PARTS}
    columns["age_years"] = pa.array([None if age < 0 else age for age in claims["age_years"].tolist()], pa.int32())
    columns["enrolment_status"] = claims["suspended"].astype(np.int64) * 2
    columns["family_doctor_signed"] = claims["family_doctor"] != 0
    columns["referral_deductible_fen"] = claims["chain_deductible_fen"].copy()
    return columns


def twin(
    bundle, claims: np.ndarray, splits: np.ndarray, opening: dict | None = None, alone: bool = False
) -> dict[str, list[int]]:
    """Every result of every row, by the twin: a person's rows in order of settlement, admission and row.

    ``alone``: each row is a person of its own.
    """
    out: dict[str, list[int]] = {
        name: [0] * len(claims) for name in (*RESULTS, *(AFTER + n for n in ACCUMULATOR_NAMES))
    }
    years: dict[tuple, naive.Year] = defaultdict(
        lambda: naive.Year(dict.fromkeys(ACCUMULATOR_NAMES, 0) | (opening or {}))
    )
    order = sorted(
        range(len(claims)), key=lambda row: (claims[row]["settlement_date"], claims[row]["admission_date"], row)
    )
    for row in order:
        claim, pack = claims[row], bundle.packs[claims[row]["pack"]]
        person = (int(claim["pack"]), int(claim["state"]), int(claim["scheme"]), int(claim["benefit_year"]))
        year, quota = years[(row,) if alone else person], None
        if claim["disease"] >= 0:
            disease = pack.diseases[claim["disease"]]
            if disease.period != QuotaPeriod.NONE:
                quota = (disease.code, period_of(int(claim["rule_date"]), disease.period))
        try:
            want = naive.settle(pack, claim, splits[row], year, quota)
        except naive.Refused as refusal:
            out["error"][row] = int(refusal.number)
        else:
            for name, words in RESULTS.items():
                known = [NAMES.get(word, word) for word in words]
                out[name][row] = sum(int(want[word]) for word in known)
        for name in ACCUMULATOR_NAMES:
            out[AFTER + name][row] = int(year.amounts.get(name, 0))
    return out


assert len(SLOT) == len(ACCUMULATOR_NAMES)
