"""Scenes as cases of the project's case files (docs/cases.md), with what is priced now as what is expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import yaml

from adjudicator.codes import PERSON_TYPES, CareKind, Filing, Place, Referral, Scheme
from adjudicator.columns import ACCUMULATOR_NAMES
from adjudicator.dates import iso
from adjudicator.options import choice_name
from adjudicator.payers import PAYERS
from adjudicator.probe.cells import ADULT
from adjudicator.probe.scenes import Pricer, Scenes

EXPECTED: dict[str, str] = {
    "deductible": "deductible_fen",
    **{name: columns[0] for payer in PAYERS for name, (_, columns) in payer.outcomes.items() if len(columns) == 1},
    "fund_total": "fund_total_fen",
    "personal_total": "personal_total_fen",
}
"""Outcomes of a case, each with its column of the result."""
ALWAYS = ("pooled_fund", "fund_total", "personal_total")
PART_NAMES = ("in_scope", "first_pay", "wholly_self_paid")


def case_of(pricer: Pricer, scene: Scenes, pack: str, words: Mapping[str, str]) -> dict[str, Any]:
    """Return one scene (the first of ``scene``) as a case; ``words``: its name, title and note."""
    one = scene.rows(np.arange(1))
    outcome = pricer.price(one)
    claims, out = pricer.claims_of(one)[0], outcome.out[0].copy()
    claim_dicts = [
        _claim(pricer, claims[number], one, number, _expected(out[number]))
        for number in range(len(out))
        if one.fen[0, number].sum() > 0
    ]
    # Scenes without a first claim have the second one only.
    if one.opening is not None and claim_dicts:
        opening = {
            name: _yuan(int(value)) if name.endswith("_fen") else int(value)
            for name, value in zip(ACCUMULATOR_NAMES, one.opening[0].tolist(), strict=True)
            if value
        }
        if opening:
            claim_dicts[0]["year_to_date"] = opening
    # What is expected stands last.
    claim_dicts = [{**entry, "expect": entry.pop("expect")} for entry in claim_dicts]
    case: dict[str, Any] = {**words, "pack": pack, "person": _person(pricer, claims[0])}
    return case | ({"claim": claim_dicts[0]} if len(claim_dicts) == 1 else {"claims": claim_dicts})


def _person(pricer: Pricer, claim: np.void) -> dict[str, Any]:
    pack = pricer.cells.pack
    person: dict[str, Any] = {
        "scheme": choice_name(Scheme(int(claim["scheme"]))), "type": PERSON_TYPES[int(claim["person_type"])],
    }  # fmt: skip
    if claim["age_years"] != ADULT:
        person["age"] = int(claim["age_years"])
    if claim["assistance"]:
        person["assistance"] = pack.assistance_ids[int(claim["assistance"])]
    if claim["contribution_tier"]:
        person["contribution_tier"] = int(claim["contribution_tier"])
    for name, field in (("civil_servant", "civil_servant"), ("family_doctor", "family_doctor")):
        if claim[field]:
            person[name] = True
    return person


def _claim(pricer: Pricer, claim: np.void, scene: Scenes, number: int, expected: dict[str, Decimal]) -> dict[str, Any]:
    pack = pricer.cells.pack
    found: dict[str, Any] = {
        "care": choice_name(CareKind(int(claim["care_kind"]))), "date": _Plain(iso(int(claim["settlement_date"]))),
        "level": pack.level_ids[int(claim["deductible_level"])],
    }  # fmt: skip
    if claim["place"]:
        found["place"] = choice_name(Place(int(claim["place"])))
        found["filing"] = choice_name(Filing(int(claim["filing"])))
    for name in ("settled_at_counter", "at_signed_institution"):
        if claim[name]:
            found[name] = True
    if claim["referral"]:
        found["referral"] = choice_name(Referral(int(claim["referral"])))
    if claim["disease"] >= 0:
        found["disease"] = pack.diseases[int(claim["disease"])].code
    if claim["programme"]:
        found["programme"] = pack.programmes[int(claim["programme"]) - 1].id
    if claim["maternity_type"]:
        found["maternity"] = int(claim["maternity_type"])
    if claim["fetus_count"] > 1:
        found["fetuses"] = int(claim["fetus_count"])
    if claim["use_account"]:
        found["account"] = {"current": _yuan(int(claim["account_current_fen"]))}
    if scene.more_days:
        found |= {"stay_days": 1 + scene.more_days, "admission": found["date"]}
    if scene.borne_fen and number == scene.fen.shape[1] - 1:
        found["hospital_borne"] = _yuan(scene.borne_fen)
    if scene.is_one_stay:
        found |= {"mid_stay": True} if number == 0 else {"stay": number}
    amounts = zip(PART_NAMES, scene.fen[0, number].tolist(), strict=True)
    found["amounts"] = {name: _yuan(amount) for name, amount in amounts if amount}
    return found | {"expect": expected}


def _expected(result: np.void) -> dict[str, Decimal]:
    """Return what is priced now: what every answer says, and every other payer that pays."""
    return {name: _yuan(int(result[column])) for name, column in EXPECTED.items() if name in ALWAYS or result[column]}


def _yuan(fen: int) -> Decimal:
    """Return fen as yuan, without zeros behind the point.

    >>> str(_yuan(666_000)), str(_yuan(1_050))
    ('6660', '10.50')
    """
    return Decimal(fen // 100) if fen % 100 == 0 else Decimal(fen).scaleb(-2)


class _Plain(str):
    """A word that is written without quotes."""


class _Writer(yaml.SafeDumper):
    """YAML with exact amounts."""


_Writer.add_representer(
    Decimal,
    lambda writer, value: writer.represent_scalar(
        "tag:yaml.org,2002:float" if value % 1 else "tag:yaml.org,2002:int", str(value)
    ),
)
_Writer.add_representer(
    _Plain, lambda writer, value: writer.represent_scalar("tag:yaml.org,2002:timestamp", str(value))
)


def text_of(cases: Sequence[Mapping[str, Any]], heading: str = "") -> str:
    """Return cases as the text of a file."""
    blocks = [
        yaml.dump([dict(case)], Dumper=_Writer, allow_unicode=True, sort_keys=False, default_flow_style=None, width=110)
        for case in cases
    ]
    head = "".join(f"# {line}\n" for line in heading.splitlines())
    return head + "\n".join(blocks)
