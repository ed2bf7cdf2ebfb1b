"""Stored settlements as cases of the payment rules: resolved anew by the names that their records keep, or as kept.

A record of an older version keeps no names. Its group stays as it was, and a method row that asks for procedures, or
for the number of a disease, a department or an assistance category, cannot be answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from adjudicator.claim.basis import facts_of
from adjudicator.claim.engine import Engine
from adjudicator.claim.rebuilt import Settled, care_codes, incoming_of, rebuilt, split_of, with_category
from adjudicator.columns import CLAIM, GROUP, SPLIT
from adjudicator.errors import E
from adjudicator.ledger.record import Record
from adjudicator.payment.case import ClaimCodes
from adjudicator.payment.compile import PackPayment
from adjudicator.pooling.periods.context import PoolContext, load_context
from adjudicator.rules.bundle import Bundle, load_bundle
from adjudicator.v1 import settlement_pb2

if TYPE_CHECKING:
    from adjudicator.grouping.layout import GroupColumns
    from adjudicator.v1.record_pb2 import RecordBasis

NOT_KEPT = ("procedure",)
"""What a method row may ask for and a record without names does not keep."""
NUMBERED = {"disease": -1, "department": 0, "assistance": 0}
"""What such a record keeps as a number of the rules that settled it, and which number says that there is none."""


class Rules(NamedTuple):
    """The rules under which settlements are priced again."""

    context: PoolContext
    engine: Engine
    """Of the same pack."""

    @property
    def bundle(self) -> Bundle:
        """The pack, compiled."""
        return self.engine.bundle


def load_rules(pack: str) -> Rules:
    """Read a pack for pooling and for settling. Raises PackError with every fault."""
    return Rules(load_context(pack), Engine(load_bundle([pack])))


@dataclass(frozen=True, slots=True)
class Stored:
    """A settlement that stands, and its newest price."""

    record: Record
    answer: settlement_pb2.Settlement
    times: int
    """How often it was settled again."""


class Cases(NamedTuple):
    """Settlements as the payment rules take them, one row each."""

    claims: np.ndarray
    """CLAIM; ``error`` says why a settlement cannot be priced again."""
    splits: np.ndarray
    """SPLIT"""
    groups: np.ndarray
    """GROUP"""
    schemes: np.ndarray
    """int64: scheme of the bundle that grouped them, -1 none."""
    codes: GroupColumns | ClaimCodes | None
    by_name: bool
    """Whether they were resolved and grouped anew."""


def resolve_anew(rules: Rules, listed: Sequence[Stored], kept: Sequence[RecordBasis]) -> Cases:
    """Resolve and group settlements under ``rules``, by name; the assistance category that counted stays."""
    codes = care_codes(rules.bundle.packs[0].care_types)
    claims = [
        with_category(rebuilt(settled_of(stored, basis), codes.get(basis.facts.care_kind, "")), basis)
        for stored, basis in zip(listed, kept, strict=True)
    ]
    found = rules.engine.resolve(incoming_of(claims), parts=np.concatenate([split_of(basis) for basis in kept]))
    return Cases(found.claims, found.splits, found.groups, found.group_scheme, found.codes, True)


def settled_of(stored: Stored, kept: RecordBasis) -> Settled:
    """Return a settlement as its record names it."""
    record = stored.record
    return Settled(record.institution, record.encounter, record.sequence, record.county, kept)


def grouping_of(bundle: Bundle, group: np.void, scheme: int) -> settlement_pb2.Grouping:
    """Return a row of GROUP as an answer tells it."""
    grouping = settlement_pb2.Grouping()
    if scheme >= 0 and group["status"]:
        texts = bundle.schemes[scheme].texts
        grouping.scheme, grouping.status = bundle.schemes[scheme].name, int(group["status"])
        for name, codes in (("mdc", texts.mdc_codes), ("adrg", texts.adrg_codes), ("drg", texts.drg_codes)):
            if group[name] >= 0:
                setattr(grouping, name, codes[group[name]])
    return grouping


def as_kept(rules: Rules, listed: Sequence[Stored], kept: Sequence[RecordBasis | None]) -> Cases:
    """Return settlements without names as they were resolved, and the institution as it is registered now."""
    payment, count = rules.context.payment, len(listed)
    claims, splits, groups = np.zeros(count, CLAIM), np.zeros(count, SPLIT), np.zeros(count, GROUP)
    diagnoses = np.full(count, -1, np.int32)
    for row, (stored, basis) in enumerate(zip(listed, kept, strict=True)):
        if basis is None:
            claims[row]["error"] = int(E.CANNOT_PRICE_AGAIN)
            continue
        facts_of(basis, claims[row : row + 1], splits[row : row + 1])
        date = int(claims[row]["rule_date"]) or stored.record.settlement_date
        claims[row]["pack"] = 0
        claims[row]["hospital"] = _register_row(rules, stored.record.institution, date)
        grouped = _group(payment, groups[row : row + 1], stored.answer, date)
        codes = payment.groupings.on(date)
        diagnoses[row] = codes.diagnoses.get(basis.principal_diagnosis, -1) if codes else -1
        if not grouped or _asks_for_more(payment, claims[row], date):
            claims[row]["error"] = int(E.CANNOT_PRICE_AGAIN)
    offsets = np.arange(count + 1, dtype=np.int64)
    codes_of = ClaimCodes(offsets, diagnoses, np.zeros(count + 1, np.int64), np.zeros(1, np.int32))
    return Cases(claims, splits, groups, np.full(count, -1, np.int64), codes_of, False)


def _register_row(rules: Rules, code: str, date: int) -> int:
    """Return the row of the register of an institution on a day, -1 where it is not registered or outside the pool."""
    view = rules.context.payment.view
    for row in view.rows_of(code) if code in rules.context.of_the_pool else ():
        first, last = view.days_of(row)
        if first <= date <= last:
            return row
    return -1


def _group(payment: PackPayment, row: np.ndarray, answer: settlement_pb2.Settlement, date: int) -> bool:
    """Set the group of a claim; return whether the rules know the group that it was settled with."""
    row["status"], row["drg"], row["mdc"], row["adrg"] = answer.grouping.status, -1, -1, -1
    if not answer.grouping.drg:
        return True
    codes = payment.groupings.on(date)
    row["drg"] = -1 if codes is None else codes.drgs.get(answer.grouping.drg, -1)
    return bool(row["drg"][0] >= 0)


def _asks_for_more(payment: PackPayment, claim: np.void, date: int) -> bool:
    """Return whether a method row of the day asks for something of the claim that its record does not tell.

    A number of a disease, a department or a category means something under the rules that settled the claim only.
    """
    asked = set()
    for row in payment.methods:
        care = row.accepts["care_kind"]
        if row.source.from_date <= date <= row.source.to_date and (care is None or int(claim["care_kind"]) in care):
            asked |= {name for name in (*NOT_KEPT, *NUMBERED) if row.accepts[name] is not None}
    given = {name for name, none in NUMBERED.items() if int(claim[name]) > none}
    return bool(asked & set(NOT_KEPT)) or bool(asked & given)
