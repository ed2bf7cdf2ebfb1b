"""Capitation (按人头): a contract pays the institution a quota for each signed person, and nothing for the claim.

The year's payments of a contract are computed in ``pooling.capitation``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from adjudicator.codes import SCHEME_CODES
from adjudicator.compiled.jit import uncounted_inlined
from adjudicator.payment.case import Case, ClaimCodes
from adjudicator.payment.conditions import PackView
from adjudicator.payment.reader import Node
from adjudicator.rulefile.dated import Source
from adjudicator.rulefile.faults import Faults

CONTRACT = np.dtype([("hospital", "i8"), ("scheme", "i8"), ("from_date", "i8"), ("to_date", "i8")], align=True)
"""One contract; dates YYYYMMDD, both inclusive."""


@dataclass(frozen=True, slots=True)
class Contract:
    """A capitation contract of one institution for some months."""

    id: str
    hospital: int
    scheme: int
    quota_fen: int
    source: Source


def read_contract(node: Node, pack: PackView) -> Contract:
    """Read a capitation contract: institution, scheme, quota a person and year, months."""
    hospital = node.text("institution")
    if hospital not in pack.hospitals:
        node.fault("institution", f"{hospital!r} is not in the hospital register", "add it to hospitals.csv")
    scheme = node.choice("scheme", SCHEME_CODES)
    row = pack.hospitals.index(hospital) if hospital in pack.hospitals else -1
    contract = Contract(
        node.text("id"), row, int(SCHEME_CODES.get(scheme, 0)), node.fen("quota_per_person", 0), node.source()
    )
    node.text("note", "")
    node.finish()
    return contract


def check_contracts(file: str, contracts: list[Contract], faults: Faults) -> None:
    """Add a fault where months of contracts of one institution and scheme overlap."""
    for position, one in enumerate(contracts):
        for other in contracts[:position]:
            same = (one.hospital, one.scheme) == (other.hospital, other.scheme)
            if same and one.source.overlaps(other.source):
                faults.add(
                    file,
                    f"contract[{position}]",
                    f"months of {one.id} and {other.id} overlap",
                    "end one before the other",
                )


def compiled_contracts(contracts: list[Contract]) -> np.ndarray:
    """Return the contracts as rows of CONTRACT."""
    rows = [(c.hospital, c.scheme, c.source.from_date, c.source.to_date) for c in contracts]
    return np.array(rows, CONTRACT)


@uncounted_inlined
def signed(rules: Any, claim: Any, pack: Any, date: int) -> bool:
    """Return whether the person is signed with the institution and it has a contract on the day."""
    found = False
    if claim.at_signed_institution != 0:
        for place in range(pack.contract_start, pack.contract_end):
            contract = rules.contracts[place]
            if (
                contract.hospital == claim.hospital
                and contract.scheme == claim.scheme
                and contract.from_date <= date <= contract.to_date
            ):
                found = True
    return found


@uncounted_inlined
def nothing_for_the_claim(rules: Any, codes: ClaimCodes, case: Case, table: int, due: Any) -> None:
    """Pay nothing: the contract pays a quota for each person."""
    due.due_fen = 0
