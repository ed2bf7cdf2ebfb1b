"""Prints docs/plan-keys.md, the keys of a benefit plan, from the table the loader checks packs with (`./dev docs`)."""

from enum import IntEnum

from adjudicator.benefit.plan.keys import CROSS_FIELDS, KEYS, NO_LIMIT, SPECIAL_KEYS, STAGE_NAMES, UNDEFINED, Key
from adjudicator.options import BurdenPart

HEAD = """# Keys of a benefit plan

Printed by `./dev docs` from `src/adjudicator/benefit/plan/keys.py`; do not edit.
How a pack is built: [your-city.md](your-city.md).

- *By*: a table has one entry a person group, level or assistance category (written by name), or a tier, band, nth stay
  or age step (written as a list).
- *If absent*: what holds for a plan that does not name the key. "No rule": a claim that needs it is refused (ADJ-5004).
- Words in brackets (V01, R06) name the point where cities differ and the reading of the documents.
"""
# ruff: noqa: E501 - rows of a printed table
OF_THE_PACK = """
## Diseases, wards and programmes, in pack.toml

A `[[disease]]` has a `code`, a `period` (`month`, `quarter`, `year`) for its quotas, and dated blocks, each for all or for a `scheme`, a
person `group` and kinds of `care`:

| block | value | meaning |
| --- | --- | --- |
| `[[disease.quota]]` | `value_yuan` | most that the pooled fund pays for the disease in a period; without `care` it limits outpatient care, never a stay |
| `[[disease.fixed_price]]` | `value_yuan` | price of the disease where the plan has `fixed_price = "share_of_price"` |
| `[[disease.stay]]` | `deductible_period_days` | a stay with the disease is charged again after so many days; `"none"`: never; `"no_deductible"`: it is not charged at all |

Two diseases with one quota for both are a third entry of the list, with a code of its own that a claim names for a person who has both.

A `[[ward]]` has an `id` and the `department` codes of discharge [dscg_caty] that belong to it; a code of three characters stands for its parts
too (A17: A17.02). Its `[[ward.stay]]` blocks are those of a disease: tuberculosis 180 days, psychiatry none. Terms of the claim's disease hold
before those of the ward, and these before `deductible_period_days` of the plan.

A `[[programme]]` has `pays` and `pays_percent` (its share of what is left of these parts of the burden), `no_deductible`,
`no_cross_region`, `no_cap`, `rate_at_least_percent`, and up to three `[[programme.part]]` of a supplementary insurance: `counts_percent`
of each part of the burden, `threshold_yuan` and `cap_yuan` of the year, `percent`. Parts are paid in their order, before the share of
`pays`. `parts_count = "what_is_left"` (if absent): a part counts what the funds and the parts before it left. `"whole_burden"`: every part
counts what the funds left, so that the bands of one formula are written as they are printed: 30 % above 5,000 and 20 % more above 30,000.
No part pays more than is left of what it counts."""
TABLE = """
| key | unit | by | if absent | meaning | 含义 |
| --- | --- | --- | --- | --- | --- |"""
FRACTIONS = {"percent": 10_000, "points": 10_000, "yuan": 100}


def bit(member: IntEnum) -> int:
    """Bit of a name in a list: parts of the burden are bits themselves, categories are numbered."""
    return int(member) if isinstance(member, BurdenPart) else 1 << member


def absent(key: Key) -> str:
    """What holds where the key is not written."""
    if key.unit == "option":
        return f"`{key.choices(key.default).name.lower()}`"
    if key.unit == "names":
        return " ".join(f"`{member.name.lower()}`" for member in key.choices if key.default & bit(member)) or "none"
    if key.default in (NO_LIMIT, UNDEFINED):
        return "no limit" if key.default == NO_LIMIT else "no rule"
    return "no" if key.unit == "flag" else f"{key.default // FRACTIONS.get(key.unit, 1)}"


def unit(key: Key) -> str:
    """Unit, or the words that may be written."""
    if not len(key.choices):
        return {"points": "percentage points", "flag": "true, false"}.get(key.unit, key.unit)
    words = ", ".join(f"`{member.name.lower()}`" for member in key.members)
    return f"list of {words}" if key.unit == "names" else words


def main() -> None:
    """Prints the page."""
    print(HEAD)
    stage = None
    for key in KEYS:
        if key.stage != stage:
            stage = key.stage
            en, zh = STAGE_NAMES[stage]
            print(f"\n## {en.capitalize()} {zh}\n{TABLE}")
        print(f"| `{key.name}` | {unit(key)} | {', '.join(key.axes)} | {absent(key)} | {key.en} | {key.zh} |")
    print("\n## Tables of their own\n\n| key | meaning | 含义 |\n| --- | --- | --- |")
    for name, (en, zh) in SPECIAL_KEYS.items():
        print(f"| `{name}` | {en} | {zh} |")
    print(
        "\n`cross_region` has an entry for each `place`, `filing` and `channel` (`direct`, `counter`: claimed at the counter); a key that is not "
        "written is all. What an entry may change: " + ", ".join(f"`{name}`" for name in CROSS_FIELDS) + "."
    )
    print(OF_THE_PACK)


if __name__ == "__main__":
    main()
