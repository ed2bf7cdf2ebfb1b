"""The JSON schema of ``benefit/*.toml``, made from the table of keys."""

from __future__ import annotations

from typing import Any

from adjudicator.benefit.plan.keys import CROSS_FIELDS, KEYS, LISTED_AXES, MATERNITY_TYPES, SPECIAL_KEYS, Key
from adjudicator.benefit.plan.values import ALIASES, number_kind
from adjudicator.codes import CareKind, Channel, Filing, Place, Scheme
from adjudicator.options import BurdenPart, choice_name
from adjudicator.rulefile.fields import Members
from adjudicator.rulefile.schema import DATE, PERIOD, SUPPORT, TEXT, Schema, of_members, of_number, table

TEXTS: Schema = {"type": "array", "items": TEXT}


def benefit_schema() -> Schema:
    """Return the schema of a file of plans and fragments."""
    block = _rule_block()
    fragment = {
        "id": TEXT, "name": TEXT, "name_zh": TEXT, "use": TEXTS, "note": TEXT,
        "rule": {"type": "array", "items": block},
    }  # fmt: skip
    plan = fragment | {
        "scheme": {"enum": list(Members(Scheme).words)},
        "care": of_members(Members(CareKind)), "place": of_members(Members(Place)),
        "filing": of_members(Members(Filing)), "channel": of_members(Members(Channel)), "from": DATE, "to": DATE,
        "undefined": TEXT | {"description": "the documents give no rule for these claims: what is missing"},
        "undefined_zh": TEXT | {"description": "the same in Chinese"},
    }  # fmt: skip
    required = ["id", "name", "name_zh", "scheme", "care", "from"]
    return table(
        {
            "note": TEXT,
            "plan": {"type": "array", "items": table(plan, required, "For which claims, and their rules")},
            "fragment": {"type": "array", "items": table(fragment, ["id"], "Values that several plans use")},
        },
        [],
    )


def _rule_block() -> Schema:
    properties: dict[str, Schema] = {**PERIOD, **SUPPORT, "note": TEXT}
    for key in KEYS:
        properties[key.name] = _of_key(key) | {"description": f"{key.en} {key.zh}"}
    properties["cross_region"] = _cross_region() | {"description": " ".join(SPECIAL_KEYS["cross_region"])}
    properties["rate_derived"] = _rate_derived() | {"description": " ".join(SPECIAL_KEYS["rate_derived"])}
    return table(properties, ["from", "document", "evidence"], "Dated values with their evidence")


def _of_key(key: Key) -> Schema:
    if key.unit == "flag":
        return {"type": "boolean"}
    words = [choice_name(member) for member in key.members]
    if key.unit == "option":
        return {"enum": words}
    if key.unit == "names":
        one = {"enum": words + (list(ALIASES) if key.choices is BurdenPart else [])}
        return {"anyOf": [one, {"type": "array", "items": one}]}
    return _cells(of_number(number_kind(key.unit, key.most)), key.axes)


def _cells(number: Schema, axes: tuple[str, ...]) -> Schema:
    """Return the schema of a table: one number for all, a list along the last axis, or a table by name."""
    forms: list[Schema] = [number]
    if axes and axes[-1] in LISTED_AXES:
        forms.append({"type": "array", "items": number, "minItems": 1})
    named = [axis for axis in axes if axis not in LISTED_AXES]
    if named:
        rest = tuple(axis for axis in axes if axis != named[0])
        names: Schema = {"additionalProperties": _cells(number, rest)}
        if named == ["maternity"]:
            names = {"properties": dict.fromkeys(MATERNITY_TYPES, number), "additionalProperties": False}
        forms.append({"type": "object", **names})
    return forms[0] if len(forms) == 1 else {"anyOf": forms}


def _cross_region() -> Schema:
    by = {"place": Place, "filing": Filing, "channel": Channel}
    properties: dict[str, Schema] = {name: of_members(Members(members)) for name, members in by.items()}
    for name, (unit, _) in CROSS_FIELDS.items():
        if name != "defined":
            properties[name] = {"type": "boolean"} if unit == "flag" else of_number(number_kind(unit))
    return {"type": "array", "items": table(properties, ["place"])}


def _rate_derived() -> Schema:
    forms: dict[str, Any] = {
        name: of_number(number_kind("percent")) for name in ("plus_points", "patient_share_percent")
    }
    return {"type": "object", "additionalProperties": table({"of": TEXT, **forms}, ["of"])}
