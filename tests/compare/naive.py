"""Two outputs compared with plain dictionaries, claim by claim: what ``adjudicator.compare`` must come to."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from adjudicator.payers import PAYERS
from tests.compare.runs import rows

REFUSED = 4
MONEY = [*(payer.field for payer in PAYERS), "fund_total_fen", "personal_total_fen", "total_fen", "due_fen"]
NO_ANSWER = {
    "institution_code", "encounter_id", "settlement_sequence", "rules_hash", "rules_version", "unverified_rules",
}  # fmt: skip
"""Columns that name the claim or the rules."""


def differing(old: Path, new: Path) -> dict[int, tuple[dict[str, Any], dict[str, Any]]]:
    """Row of the input -> both answers, of the claims whose answers are not the same."""
    pairs = enumerate(zip(rows(old / "settlements"), rows(new / "settlements"), strict=True))
    return {
        row: (before, after)
        for row, (before, after) in pairs
        if any(before[name] != after[name] for name in before.keys() - NO_ANSWER)
    }


def totals(old: Path, new: Path, keys: tuple[str, ...]) -> dict[tuple[Any, ...], dict[str, tuple[int, int]]]:
    """Key of the facts or the answers -> each amount old and new."""
    found: dict[tuple[Any, ...], dict[str, list[int]]] = defaultdict(lambda: {name: [0, 0] for name in MONEY})
    sides = (rows(old / "settlements"), rows(new / "settlements"), rows(old / "facts"), rows(new / "facts"))
    for before, after, first, second in zip(*sides, strict=True):
        known = (second if second["pack"] is not None else first) | {"institution_code": after["institution_code"]}
        for name in ("grouping_scheme", "drg"):
            known[f"{name}_old"], known[f"{name}_new"] = before[name], after[name]
        at = tuple(known[key] if known[key] is not None else 0 if key == "month" else "" for key in keys)
        for name in MONEY:
            found[at][name][0] += before[name]
            found[at][name][1] += after[name]
    return {at: {name: (one[0], one[1]) for name, one in amounts.items()} for at, amounts in found.items()}


def burdens(old: Path, new: Path) -> dict[int, list[int]]:
    """Row of a person's first claim -> what the person pays, old and new."""
    found: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    sides = (rows(old / "settlements"), rows(new / "settlements"), rows(old / "facts"), rows(new / "facts"))
    for before, after, first, second in zip(*sides, strict=True):
        known = second if second["pack"] is not None else first
        if known["person"] is not None and REFUSED not in (before["outcome"], after["outcome"]):
            found[known["person"]][0] += before["personal_total_fen"]
            found[known["person"]][1] += after["personal_total_fen"]
    return found


def lines_that_differ(old: Path, new: Path) -> dict[tuple[int, int], tuple[dict[str, Any], dict[str, Any]]]:
    """Row of the claim and line -> both splits, of the lines that are not split the same; of claims that both price."""
    outcomes = zip(*([row["outcome"] for row in rows(side / "settlements")] for side in (old, new)), strict=True)
    priced = {row for row, pair in enumerate(outcomes) if REFUSED not in pair}
    before, after = (
        {(row["claim"], row["line"]): row for row in rows(side / "lines") if row["claim"] in priced}
        for side in (old, new)
    )
    assert before.keys() == after.keys()
    return {at: (before[at], after[at]) for at in before if before[at] != after[at]}
