"""A bundle of one plan, built from a small mapping: for published examples and trials.

The mapping has the keys of a plan, flat, and may name its own groups, levels and categories::

    care: [inpatient]            scheme: resident            from: 2000-01-01
    deductible_yuan: 300         rate_percent: 70
    assistance: [low_edge]       assistance_percent: {low_edge: 70}

What it leaves out: one level ``any`` (every hospital level), one person group ``everyone`` of the scheme, care of any
kind, every place without reduction, valid from 1990. Numbers may be YAML floats; they are read by their printed digits.
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from adjudicator import limits
from adjudicator.benefit.plan.source import EVERY_KEY
from adjudicator.codes import HOSPITAL_LEVELS, NATIONAL_CARE_TYPES, PERSON_TYPES, CareKind
from adjudicator.dates import iso
from adjudicator.options import choice_name
from adjudicator.rulefile.evidence import EVIDENCE_KEYS
from adjudicator.rulefile.faults import Faults
from adjudicator.rules.bundle import Bundle, compile_bundle
from adjudicator.rules.load import build_pack

AREA = 990001
_CARE_TYPES = [
    {"code": f"99{kind:02d}", "kind": choice_name(kind)}
    for kind in CareKind
    if kind and kind not in NATIONAL_CARE_TYPES.values()
]
"""Medical categories of an inline plan for the kinds of care that have no national code."""
_PLAN = ("scheme", "care", "place", "filing", "channel")
_PACK = ("levels", "person_groups", "assistance", "diseases", "wards", "programmes", "hospitals", "options")
_SOURCE = (*EVIDENCE_KEYS, "from")


def inline_bundle(mapping: dict[str, Any]) -> Bundle:
    """Return a bundle of the one plan of ``mapping``.

    Its pool is 990000 with the county 990001 and one hospital for each level (codes ``H99000100001``, …).
    Raises :class:`adjudicator.rulefile.faults.PackError` with every fault of the mapping.
    """
    mapping = _exact(mapping)
    faults = Faults()
    for name in mapping:
        if name not in (*EVERY_KEY, *_PLAN, *_PACK, *_SOURCE):
            faults.add("plan", name, "unknown key", "the keys are those of a plan and " + ", ".join(_PACK))
    raw, hospitals = _pack(mapping)
    pack = build_pack(Path("plan"), raw, {"plan": {"plan": [_plan(mapping)]}}, {}, faults, hospitals)
    faults.raise_if_any("plan")
    return compile_bundle([pack], {"catalogue": [], "payment": []}, [])


def _exact(value: Any) -> Any:
    """Floats of YAML as the decimals that were written."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {str(key): _exact(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_exact(entry) for entry in value]
    return value


def _pack(mapping: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[int, dict[str, str]]]]:
    """Return what ``pack.toml`` would say, and the rows of the hospital register."""
    scheme = mapping.get("scheme", "employee")
    levels = mapping.get("levels") or [{"id": "any", "hosp_lv": list(HOSPITAL_LEVELS[1:])}]
    groups = mapping.get("person_groups") or [
        {"id": "everyone", "person_types": [t for t in PERSON_TYPES[1:] if len(t) == 2]}
    ]
    levels = [_named(level) for level in levels]
    groups = [{"scheme": scheme, **_named(group)} for group in groups]
    categories = [_named(entry) for entry in mapping.get("assistance", [])]
    hospitals = mapping.get("hospitals") or [
        {"code": f"H990001{number:05d}", "level": level["id"], "hosp_lv": (level.get("hosp_lv") or ["11"])[0]}
        for number, level in enumerate(levels, 1)
    ]
    raw = {
        "id": "inline", "name": "Inline plan", "name_zh": "内联方案", "pool": 990000,
        "area": [{"code": AREA, "name": "County", "name_zh": "县"}],
        "level": levels, "person_group": groups, "assistance": categories,
        "care_type": _CARE_TYPES, "disease": mapping.get("diseases", []),
        "ward": mapping.get("wards", []), "programme": mapping.get("programmes", []),
        "options": mapping.get("options", {}),
    }  # fmt: skip
    return raw, [(number, _hospital(hospital)) for number, hospital in enumerate(hospitals, 1)]


def _named(entry: Any) -> dict[str, Any]:
    """Return an entry of a list of the pack; one that is only an id is named by it."""
    entry = entry if isinstance(entry, dict) else {"id": entry}
    return {"name": entry["id"], "name_zh": entry["id"], **entry}


def _hospital(entry: dict[str, Any]) -> dict[str, str]:
    level = entry.get("level", "any")
    return {
        "code": entry["code"], "name": entry.get("name", entry["code"]), "area": str(entry.get("area", AREA)),
        "hosp_lv": entry.get("hosp_lv", "11"), "deductible_level": level, "price_level": level,
        "payment_class": entry.get("payment_class", level), "note": "inline",
    }  # fmt: skip


def _plan(mapping: dict[str, Any]) -> dict[str, Any]:
    start = mapping.get("from", datetime.date.fromisoformat(iso(limits.FIRST_DATE)))
    values = {name: mapping[name] for name in EVERY_KEY if name in mapping}
    if "deductible_counting" not in values:
        values["deductible_counting"] = "per_stay" if "deductible_yuan" in values else "none"
    if "cross_region" not in values:
        values["cross_region"] = [{"place": ["province", "outside"], "filing": "any"}]
    support = {name: mapping[name] for name in EVIDENCE_KEYS if name in mapping}
    rule = {"from": start, "document": "inline plan", "evidence": "demonstration", **support, **values}
    return {
        "id": "inline", "name": "Inline plan", "name_zh": "内联方案", "scheme": mapping.get("scheme", "employee"),
        "care": mapping.get("care", "any"), "place": mapping.get("place", "any"),
        "filing": mapping.get("filing", "any"), "channel": mapping.get("channel", "any"),
        "from": start, "rule": [rule],
    }  # fmt: skip
