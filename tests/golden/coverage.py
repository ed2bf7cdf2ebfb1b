"""Which words of options, and which keys, the golden cases settle by: what no case uses is proved by nothing."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from adjudicator.benefit.plan.keys import CROSS_FIELDS, KEYS, SPECIAL_KEYS, field_of
from adjudicator.cases.run import Settled
from adjudicator.catalogue.section import OPTIONS as CATALOGUE_OPTIONS
from adjudicator.codes import Filing
from adjudicator.options import BurdenPart, PaidCategory, QuotaPeriod, YearBy, choice_name

CROSS_FORMS = tuple(name for name in CROSS_FIELDS if name != "defined")
Use = tuple[str, str]
"""Key and word; a key with numbers has the word ""."""


def every_use() -> set[Use]:
    """Every option that a pack can write, each with every word, and every key.

    Whose catalogue holds elsewhere (``cross_region`` of a catalogue) needs two packs: see tests/lines.
    """
    uses: set[Use] = {(name, "") for name in SPECIAL_KEYS} | {("cross_region", name) for name in CROSS_FORMS}
    for key in KEYS:
        if key.unit == "option":
            uses |= _words(key.name, key.choices)
        elif key.unit == "flag":
            uses |= {(key.name, "true"), (key.name, "false")}
        elif key.unit != "names":
            uses.add((key.name, ""))
        elif key.choices is BurdenPart:
            uses |= _words(key.name, key.members)
        else:
            uses |= _words("counts", PaidCategory)
    uses |= _words("options.rule_date", YearBy) | _words("options.benefit_year", YearBy)
    uses |= _words("period", set(QuotaPeriod) - {QuotaPeriod.NONE})
    in_a_case = {name: words for name, words in CATALOGUE_OPTIONS.items() if name != "cross_region"}
    return uses | {(f"catalogue.{name}", word) for name, words in in_a_case.items() for word in words}


def _words(name: str, members: Iterable[IntEnum]) -> set[Use]:
    return {(name, choice_name(member)) for member in members}


def uses_of(settled: Settled) -> set[Use]:
    """What one settlement went by: what its plan writes on the day; a value that is left out is not used."""
    row = settled.facts.plan
    uses: set[Use] = {(f"catalogue.{name}", str(word)) for name, word in settled.case.catalogue.items()}
    uses |= {(f"options.{name}", str(word)) for name, word in settled.case.plan.get("options", {}).items()}
    if row < 0:
        return uses
    if settled.facts.disease >= 0:
        uses.add(("period", choice_name(settled.bundle.packs[0].diseases[settled.facts.disease].period)))
    values = settled.bundle.plans.versions[row].values
    uses |= {(name, "") for name in values}
    if "cross_region" in values:
        uses |= _cross_forms(settled, row)
    for key in KEYS:
        if key.name not in values:
            continue
        number = int(values[key.name].value) if key.unit in ("option", "flag", "names") else 0
        if key.unit == "option":
            uses.add((key.name, choice_name(key.choices(number))))
        elif key.unit == "flag":
            uses.add((key.name, "true" if number else "false"))
        elif key.unit == "names" and key.choices is BurdenPart:
            uses |= {(key.name, choice_name(part)) for part in BurdenPart if number & part}
        elif key.unit == "names":
            uses |= {("counts", choice_name(member)) for member in PaidCategory if number >> member & 1}
    return uses


def _cross_forms(settled: Settled, row: int) -> set[Use]:
    """The forms of V11 that changed this claim."""
    facts = settled.facts
    way = facts.place, facts.filing, int(facts.settled_at_counter or facts.filing == Filing.NOT_DIRECT)
    plan = settled.bundle.plans.rows[row]
    blank = {name: default for name, (_, default) in CROSS_FIELDS.items()}
    return {("cross_region", name) for name in CROSS_FORMS if plan[field_of(f"cross_{name}")][way] != blank[name]}
