"""Plans drawn at random over every option (V01–V19 and the readings), as mappings for ``inline_bundle``."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjudicator import options as o
from adjudicator.benefit.plan.keys import KEYS
from adjudicator.options import choice_name

LEVELS = ("low", "high")
GROUPS = ("young", "old")
CATEGORIES = ("poor", "edge")
LEFT_OUT = {"extra_position"}
"""Needs the lines of the claims; has its own test."""


def random_plan(rng: np.random.Generator) -> dict[str, Any]:
    """A mapping with every option drawn, and values of the size that real plans have."""
    plan: dict[str, Any] = {
        "scheme": "employee",
        "levels": [{"id": "low", "hosp_lv": ["09"]}, {"id": "high", "hosp_lv": ["02"]}],
        "person_groups": [{"id": "young", "person_types": ["11"]}, {"id": "old", "person_types": ["12"]}],
        "assistance": list(CATEGORIES),
        "diseases": [_disease(rng)],
        "wards": [_ward(rng)] if rng.random() < 0.4 else [],
        "place": "any",
    }
    for key in KEYS:
        if key.choices is not None and key.unit == "option" and key.name not in LEFT_OUT and rng.random() < 0.6:
            plan[key.name] = choice_name(list(key.choices)[int(rng.integers(len(key.choices)))])
        elif key.unit == "flag" and rng.random() < 0.4:
            plan[key.name] = bool(rng.random() < 0.5)
        elif key.unit == "names" and rng.random() < 0.8:
            names = [choice_name(member) for member in key.members]
            plan[key.name] = [name for name in names if rng.random() < 0.6]
    if rng.random() < 0.6:
        plan["quota_mode"] = "none"
    if rng.random() < 0.6:
        plan["requires_disease"] = False
    _deductible(rng, plan)
    _rates(rng, plan)
    _caps(rng, plan)
    _layers(rng, plan)
    plan["cross_region"] = _cross_region(rng)
    return plan


def _yuan(rng: np.random.Generator, most: int) -> Any:
    value = int(rng.integers(0, most))
    return value if rng.random() < 0.7 else value + 0.25


def _percent(rng: np.random.Generator, low: int = 0) -> Any:
    value = int(rng.integers(low, 101))
    return value if rng.random() < 0.7 or value == 100 else value + 0.1234


def _deductible(rng: np.random.Generator, plan: dict[str, Any]) -> None:
    plan["deductible_counting"] = choice_name(o.DeductibleCounting(int(rng.integers(0, 4))))
    plan["deductible_yuan"] = {group: {level: _yuan(rng, 2000) for level in LEVELS} for group in GROUPS}
    if rng.random() < 0.5:
        plan["deductible_nth_percent"] = [100, *(_percent(rng) for _ in range(int(rng.integers(1, 4))))]
    if rng.random() < 0.3:
        plan["deductible_later_less_yuan"] = {"low": _yuan(rng, 300), "high": _yuan(rng, 300)}
        plan["deductible_later_least_yuan"] = {"high": _yuan(rng, 500)}
    for name, most in (("deductible_year_ceiling_yuan", 4000), ("deductible_level_ceiling_yuan", 3000)):
        if rng.random() < 0.3:
            plan[name] = _yuan(rng, most)
    if rng.random() < 0.3:
        plan["deductible_period_days"] = int(rng.choice([30, 90, 180]))
    if rng.random() < 0.3:
        plan["deductible_signed_less_yuan"] = {"low": _yuan(rng, 400)}
    if rng.random() < 0.3:
        plan["deductible_signed_yuan"] = {"high": _yuan(rng, 400)}
    if rng.random() < 0.4:
        plan["deductible_category_percent"] = {"ordinary": 100, "poor": _percent(rng)}


def _rates(rng: np.random.Generator, plan: dict[str, Any]) -> None:
    tiers = int(rng.integers(1, 5))
    steps = np.sort(rng.choice(np.arange(1, 30), tiers - 1, replace=False)) * 5_000
    plan["tier_from_yuan"] = [0, *(int(step) for step in steps)]
    if rng.random() < 0.6:
        plan["rate_percent"] = {g: {lv: [_percent(rng, 30) for _ in range(tiers)] for lv in LEVELS} for g in GROUPS}
    else:
        plan["rate_percent"] = {"young": {level: [_percent(rng, 30) for _ in range(tiers)] for level in LEVELS}}
        form = {"plus_points": int(rng.integers(0, 30))} if rng.random() < 0.5 else {"patient_share_percent": 60}
        plan["rate_derived"] = {"old": {"of": "young", **form}}
    for name in ("signed_points", "category_points"):
        if rng.random() < 0.3:
            plan[name] = int(rng.integers(0, 20))
    if rng.random() < 0.4:
        plan["age_from_years"], plan["age_points"] = [0, 40, 70], [0, 2, int(rng.integers(0, 9))]
    for name in ("unreferred_points", "unreferred_extra_percent"):
        if rng.random() < 0.4:
            plan[name] = int(rng.integers(0, 25))
    if rng.random() < 0.3:
        plan["floor_percent"] = _percent(rng)
    plan["maternity_quota_yuan"] = {"normal": _yuan(rng, 9000), "caesarean": _yuan(rng, 9000), "prenatal": 300}
    plan["maternity_child_yuan"] = _yuan(rng, 1500)
    plan["quota_excess_percent"] = _percent(rng)


def _caps(rng: np.random.Generator, plan: dict[str, Any]) -> None:
    for name, most, chance in (
        ("cap_yuan", 200_000, 0.6), ("limit_yuan", 90_000, 0.3), ("limit_signed_yuan", 90_000, 0.2),
        ("limit_disease_extra_yuan", 20_000, 0.2), ("above_cap_limit_yuan", 150_000, 0.3),
    ):  # fmt: skip
        if rng.random() < chance:
            plan[name] = {group: _yuan(rng, most) for group in GROUPS}
    if rng.random() < 0.7:
        plan["above_cap_percent"] = {level: _percent(rng) for level in LEVELS}


def _layers(rng: np.random.Generator, plan: dict[str, Any]) -> None:
    plan["catastrophic_threshold_yuan"] = {"ordinary": _yuan(rng, 30_000), "poor": _yuan(rng, 15_000)}
    plan["catastrophic_from_yuan"] = [0, 20_000, 60_000][: int(rng.integers(1, 4))]
    bands = len(plan["catastrophic_from_yuan"])
    plan["catastrophic_percent"] = {name: [_percent(rng) for _ in range(bands)] for name in ("ordinary", "poor")}
    for name, most, chance in (
        ("catastrophic_cap_yuan", 100_000, 0.4), ("civil_servant_cap_yuan", 9_000, 0.3),
        ("civil_servant_own_deductible_yuan", 2_000, 0.3), ("enterprise_cap_yuan", 5_000, 0.3),
    ):  # fmt: skip
        if rng.random() < chance:
            plan[name] = _yuan(rng, most)
    for name, chance in (
        ("civil_servant_deductible_percent", 0.5), ("civil_servant_percent", 0.5), ("enterprise_percent", 0.4),
    ):  # fmt: skip
        if rng.random() < chance:
            plan[name] = _percent(rng)
    if rng.random() < 0.7:
        plan["assistance_percent"] = {"poor": _percent(rng, 50), "edge": _percent(rng)}
        plan["assistance_threshold_yuan"] = {"edge": _yuan(rng, 7_000)}
        if rng.random() < 0.5:
            plan["assistance_cap_yuan"] = _yuan(rng, 40_000)
        if rng.random() < 0.5:
            plan["assistance_from_yuan"] = [0, 1_000, 8_000][: int(rng.integers(2, 4))]
            bands = len(plan["assistance_from_yuan"])
            plan["assistance_percent"]["poor"] = [_percent(rng) for _ in range(bands)]
            plan["assistance_cap_yuan"] = {"poor": sorted(_yuan(rng, 20_000) for _ in range(bands))}
        if rng.random() < 0.5:
            plan["assistance_outpatient_cap_yuan"] = _yuan(rng, 9_000)
            plan["assistance_inpatient_cap_yuan"] = _yuan(rng, 20_000)
    if rng.random() < 0.6:
        plan["tilt_percent"] = {"poor": _percent(rng), "edge": 60}
        plan["tilt_threshold_yuan"] = _yuan(rng, 4_000)
        plan["tilt_cap_yuan"] = _yuan(rng, 20_000)


def _cross_region(rng: np.random.Generator) -> list[dict[str, Any]]:
    def entry(place: str, filing: Any, channel: str = "any") -> dict[str, Any]:
        values: dict[str, Any] = {"place": place, "filing": filing, "channel": channel}
        if rng.random() < 0.5:
            values["extra_first_pay_percent"] = int(rng.integers(0, 25))
        if rng.random() < 0.4:
            values["minus_points"] = int(rng.integers(0, 25))
        if rng.random() < 0.3:
            values["factor_percent"] = _percent(rng, 60)
        if rng.random() < 0.3:
            values["deductible_yuan"] = _yuan(rng, 3_000)
        if rng.random() < 0.3:
            values |= {"deductible_percent": 20, "deductible_at_least_yuan": 500, "deductible_at_most_yuan": 10_000}
        if rng.random() < 0.3:
            values["no_tilt"] = True
        return values

    of_province = ("direct", "counter") if rng.random() < 0.4 else ("any",)
    return [
        *(entry("province", "any", channel) for channel in of_province),
        entry("outside", ["referred", "emergency", "none"]),
        entry("outside", "temporary"),
    ]  # fmt: skip


def _disease(rng: np.random.Generator) -> dict[str, Any]:
    source = {"from": "2000-01-01", "document": "drawn", "evidence": "demonstration"}
    disease: dict[str, Any] = {"code": "D1", "name": "disease", "name_zh": "病种", "period": "year"}
    if rng.random() < 0.5:
        disease["quota"] = [{**source, "value_yuan": _yuan(rng, 30_000)}]
        if rng.random() < 0.5:
            disease["quota"][0]["care"] = ["chronic", "inpatient", "special"]
    if rng.random() < 0.3:
        days = [30, "none", "no_deductible"][int(rng.integers(3))]
        disease["stay"] = [{**source, "deductible_period_days": days}]
    if rng.random() < 0.5:
        disease["fixed_price"] = [{**source, "value_yuan": _yuan(rng, 30_000)}]
    return disease


def _ward(rng: np.random.Generator) -> dict[str, Any]:
    source = {"from": "2000-01-01", "document": "drawn", "evidence": "demonstration"}
    terms = [60, "none", "no_deductible"]
    stay: list[dict[str, Any]] = [{**source, "deductible_period_days": terms[int(rng.integers(3))]}]
    if rng.random() < 0.5:
        stay.append({**source, "group": "old", "deductible_period_days": 45})
    return {"id": "long", "name": "long", "name_zh": "长期科室", "department": ["A15"], "stay": stay}
