"""Everything that ``rules check`` says of a pack: its faults, and where it has none what is proved and doubted."""

from __future__ import annotations

from pathlib import Path

from adjudicator.payment.needs import check_days, check_hospitals
from adjudicator.rulefile.faults import Fault, PackError
from adjudicator.rules.bundle import load_bundle
from adjudicator.rules.coverage import check_coverage
from adjudicator.rules.doubts import check_doubts
from adjudicator.rules.register import check_register

PHARMACY = "P"
"""First letter of a pharmacy's code; pharmacies give no care that is paid by case or day."""


def check_pack(name_or_path: str | Path, today: int) -> list[Fault]:
    """Return the findings of a pack, faults first; ``today`` YYYYMMDD.

    The proof and the doubts need a pack that can be read, so they come once every fault of its files is corrected.
    """
    try:
        bundle = load_bundle([name_or_path])
    except PackError as error:
        return error.faults
    pack = bundle.packs[0]
    paid = {one.code for one in pack.hospitals if one.county >= 0 and not one.code.startswith(PHARMACY)}
    found = {*check_coverage(pack), *check_doubts(pack, today), *check_register(pack)}
    for rules in bundle.payment.sources:
        found |= {*check_hospitals(rules, paid), *check_days(rules)}
    order = ("fault", "warning", "note")
    return sorted(found, key=lambda fault: (order.index(fault.weight), fault.file, fault.key, fault.message))
