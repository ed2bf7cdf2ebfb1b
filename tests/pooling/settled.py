"""Settlements priced by DRG points, put into a real ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adjudicator.codes import Method
from adjudicator.ledger.store import Ledger
from adjudicator.v1 import record_pb2, settlement_pb2
from tests.ledger import made

POOL = "990000"
HOSPITAL = "H99000100001"


@dataclass
class DrgCase(made.Case):
    """A settlement priced by DRG points."""

    institution: str = HOSPITAL
    county: int = 990001
    date: int = 20250310
    points_e8: int = 100 * 10**8
    group: str = "FR21"
    stay: tuple[int, int] = (0, 0)
    """Admission and discharge; (0, 0): the record keeps nothing to explain with."""
    principal: str = ""
    method: int = int(Method.DRG_POINTS)

    @property
    def basis(self) -> bytes:
        if self.stay == (0, 0):
            return b""
        basis = record_pb2.RecordBasis(rules_hash=self.total_fen + 2**63, principal_diagnosis=self.principal)
        basis.facts.admission_date, basis.facts.discharge_date = self.stay
        return basis.SerializeToString()

    @property
    def answer(self) -> bytes:
        answer = settlement_pb2.Settlement.FromString(super().answer)
        answer.personal_total_fen = self.total_fen - self.pooled_fen - self.catastrophic_fen
        answer.payment.method, answer.payment.points_e8 = self.method, self.points_e8
        answer.payment.difference_fen = self.due_fen - self.pooled_fen
        answer.grouping.drg = self.group
        return answer.SerializeToString()


async def settle_all(url: str, cases: Sequence[DrgCase], reverse: DrgCase | None = None) -> None:
    async with await Ledger.open(url, allow_volatile=True) as ledger:
        for case in cases:
            await made.settle(ledger, [case], POOL)
        if reverse is not None:
            await ledger.reverse(POOL, reverse.key, reverse.reversal_key)
