"""Checks the content of a grouping scheme: what the single tables cannot show."""

from __future__ import annotations

from adjudicator.rules.faults import Faults
from adjudicator.rules.scheme_model import SchemeModel


def check_model(model: SchemeModel, faults: Faults) -> None:
    """Adds every fault of ``model``."""
    for code in sorted(model.mcc.keys() & model.cc.keys()):
        faults.add("cc.csv", code, "is in mcc.csv too", "leave it in one of them")
