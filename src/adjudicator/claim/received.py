"""What a claim says in a field, for messages: never what says something about the person."""

from __future__ import annotations

import re

from adjudicator.claim.incoming import Incoming

SHOWN = frozenset(
    {
        "institution_code", "encounter_id", "settlement_sequence", "insured_area", "care_area", "scheme", "person_type",
        "care_type", "settlement_date", "admission_date", "discharge_date", "total_fen", "filing", "referral",
        "referral_from_encounter", "referral_deductible_fen", "hospital_level", "department", "stay_days",
        "discharge_way", "icu_hours", "programme", "hospital_borne_fen", "other_payer_fen", "lines[].line_id",
        "lines[].item_code", "lines[].fee_date", "lines[].unit_price_e4", "lines[].quantity_e4", "lines[].amount_fen",
        "lines[].original_line_id", "lines[].approval", "lines[].institution_item_code", "lines[].department",
        "lines[].before_admission",
    }
)  # fmt: skip
"""Fields whose value may be shown. The others are about the person: number, sex, age, illness, category, balances."""
MOST_SHOWN = 40
"""Characters of a value in a message."""
_LINE = re.compile(r"lines\[(\d+)\]\.")


def received(incoming: Incoming, row: int, path: str) -> str:
    """Return the value of a field of the claim in a row as text; empty where it may not be shown or was not sent."""
    place = _LINE.match(path)
    if _LINE.sub("lines[].", path) not in SHOWN:
        return ""
    wire, name = incoming.claims[row], path
    if place:
        wire = incoming.lines[int(wire["lines_start"]) + int(place[1])]
        name = path.removeprefix(place[0])
    if f"{name}_start" not in wire.dtype.names:
        return str(int(wire[name])) if wire[name] else ""
    start = int(wire[f"{name}_start"])
    return readable(bytes(incoming.heap[start : start + int(wire[f"{name}_size"])]).decode("utf-8", "replace"))


def readable(text: str) -> str:
    r"""Return a text with its blanks at the ends and its unprintable characters visible, cut to MOST_SHOWN.

    >>> readable("E1 "), readable("E" + chr(0)), readable("E1")
    ("'E1 '", "'E\\x00'", 'E1')
    """
    short = text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "…"
    return short if short == short.strip() and short.isprintable() else repr(short)
