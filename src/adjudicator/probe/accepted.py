"""Findings that a pack accepts, each with its reason: ``accepted.toml`` in the folder of the pack.

The file is no part of the rules: it changes no amount and no hash of a bundle.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from adjudicator.probe.relations import BY_NAME
from adjudicator.probe.sweep import PAYERS_TO_BLAME, Broken
from adjudicator.rulefile.evidence import Support
from adjudicator.rulefile.faults import Faults, nearest
from adjudicator.rulefile.fields import CodeList, Where
from adjudicator.rulefile.pack import Pack
from adjudicator.rulefile.reader import read_structs, read_toml, unknown_keys
from adjudicator.rules.pack_codes import ACCEPTED_FILE


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """Findings that are the law's own, or known; what is not written is all."""

    where: Where
    relation: str
    """A relation of docs/probe.md."""
    by: CodeList = ()
    """The payers to blame."""
    plan: CodeList = ()
    """Plans of the pack."""
    reason: str
    """Why it is so, such as what the document orders."""
    reason_zh: str
    source: Support

    def takes(self, broken: Broken) -> bool:
        """Return whether it accepts what is broken."""
        return (
            self.relation == broken.relation
            and (not self.by or broken.by in self.by)
            and (not self.plan or broken.plan in self.plan)
        )  # fmt: skip


def read_accepted(pack: Pack) -> tuple[Accepted, ...]:
    """Return what a pack accepts. Errors: PackError with every fault of the file."""
    path, faults = Path(pack.folder) / ACCEPTED_FILE, Faults()
    raw = read_toml(path, ACCEPTED_FILE, faults) if path.is_file() else {}
    unknown_keys(raw or {}, ("accepted",), ACCEPTED_FILE, "", faults)
    entries = read_structs(Accepted, (raw or {}).get("accepted"), ACCEPTED_FILE, "accepted", faults)
    plans = sorted({plan.id for plan in pack.plans})
    for entry in entries:
        _check(entry, "relation", [entry.relation], list(BY_NAME), faults)
        _check(entry, "by", entry.by, PAYERS_TO_BLAME, faults)
        _check(entry, "plan", entry.plan, plans, faults)
    faults.raise_if_any(f"{pack.id}/{ACCEPTED_FILE}")
    return entries


def _check(entry: Accepted, key: str, names: Sequence[str], known: Sequence[str], faults: Faults) -> None:
    for name in names:
        if name not in known:
            remedy = nearest(name, known, "correct the name")
            faults.add(entry.where.file, f"{entry.where.key}.{key}", f"{name!r} is not known", remedy)
