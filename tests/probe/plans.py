"""Small plans of their own, whose findings are known."""

from __future__ import annotations

from typing import Any

from adjudicator.probe.findings import Finding, findings_of
from adjudicator.probe.sweep import Probe, probe_of, sweep
from adjudicator.rules.bundle import Bundle
from adjudicator.rules.inline import inline_bundle

PLAIN: dict[str, Any] = {
    "levels": [{"id": "primary", "hosp_lv": ["09"]}, {"id": "tertiary", "hosp_lv": ["01"]}],
    "person_groups": [
        {"id": "active", "person_types": ["11"]}, {"id": "retired", "person_types": ["12"]},
    ],
    "assistance": ["destitute", "low_income"],
    "deductible_counting": "per_stay",
    "deductible_yuan": {"primary": 200, "tertiary": 600},
    "tier_measure": "year_cost",
    "rate_percent": {"active": {"primary": [90], "tertiary": [80]}, "retired": {"primary": [95], "tertiary": [85]}},
    "cap_measure": "paid",
    "cap_yuan": 200_000,
    "catastrophic_base": ["deductible", "in_scope", "above_cap"],
    "catastrophic_threshold_yuan": {"ordinary": 20_000, "destitute": 10_000, "low_income": 10_000},
    "catastrophic_percent": {"ordinary": [60], "destitute": [70], "low_income": [70]},
    "catastrophic_from_yuan": [0],
    "assistance_percent": {"destitute": 90, "low_income": 70},
}  # fmt: skip
"""A plan that keeps every relation between two persons and two costs."""


def probed(plan: dict[str, Any]) -> Probe:
    """Return a probe of a plan after its sweep."""
    return probed_bundle(inline_bundle(plan))


def probed_bundle(bundle: Bundle, date: int = 0) -> Probe:
    probe = probe_of(bundle, date)
    sweep(probe)
    return probe


def found(plan: dict[str, Any]) -> dict[str, Finding]:
    """Return the findings of a plan by relation and payer."""
    return {finding.name: finding for finding in findings_of(probed(plan))}
