"""What is shown of any rule: what it says, from when until when, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The part that the values of plans and the dated tables have in common; empty where a file states nothing."""

    values: tuple[tuple[str, str], ...]
    from_date: str = ""
    to_date: str = ""
    document: str = ""
    clause: str = ""
    link: str = ""
    checked_on: str = ""
    """Empty where nothing was compared."""
    evidence: str = ""
    """Grade of the evidence; only ``official`` counts as verified."""
