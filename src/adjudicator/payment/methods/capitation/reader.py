"""Reads ``[[contract]]`` tables: capitation contracts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np

from adjudicator.codes import Scheme
from adjudicator.payment.conditions import PackView
from adjudicator.payment.methods.capitation.formula import CONTRACT
from adjudicator.rulefile.dated import Source
from adjudicator.rulefile.faults import Faults
from adjudicator.rulefile.fields import Member, Where, Yuan


class ContractTable(msgspec.Struct, frozen=True, kw_only=True):
    """A capitation contract of one institution for some months."""

    where: Where
    source: Source
    id: str
    hospital: str
    scheme: Annotated[Scheme, Member(Scheme)]
    quota_per_person_yuan: Yuan = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """A capitation contract of one institution for some months."""

    id: str
    hospital: int
    """First row of the institution in the register."""
    scheme: int
    quota_fen: int
    source: Source


def contract_of(table: ContractTable, pack: PackView, faults: Faults) -> Contract | None:
    """Return a contract with the institution's row; a fault where the register does not have it."""
    if table.hospital not in pack.hospitals:
        file, key = table.where
        faults.add(
            file, f"{key}.hospital", f"{table.hospital!r} is not in the hospital register", "add it to hospitals.csv"
        )
        return None
    row = pack.hospitals.index(table.hospital)
    return Contract(table.id, row, int(table.scheme), table.quota_per_person_yuan, table.source)


def check_contracts(file: str, contracts: Sequence[Contract], faults: Faults) -> None:
    """Add a fault where months of contracts of one institution and scheme overlap."""
    for position, one in enumerate(contracts):
        for other in contracts[:position]:
            same = (one.hospital, one.scheme) == (other.hospital, other.scheme)
            if same and one.source.overlaps(other.source):
                message = f"months of {one.id} and {other.id} overlap"
                faults.add(file, one.source.key, message, "end one before the other")


def compiled_contracts(contracts: Sequence[Contract], pack: PackView) -> np.ndarray:
    """Return the contracts as rows of CONTRACT, one for each row that the institution has in the register."""
    rows = [
        (row, contract.scheme, contract.source.from_date, contract.source.to_date)
        for contract in contracts
        for row in pack.rows_of(pack.hospitals[contract.hospital])
    ]
    return np.array(rows, CONTRACT)
