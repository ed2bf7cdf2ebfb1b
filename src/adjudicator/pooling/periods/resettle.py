"""Price stored settlements again: what the fund owes the institution under the payment rules that are loaded now.

A missing coefficient was added, a rate was corrected backwards: each settlement that stands is priced anew from what
its record keeps, and the difference becomes a record of its own (``Kind.RESETTLE``) that points at the settlement. The
month's run takes the newest price; a month that is closed takes it as a difference. Settled again under the former
rules, the difference goes back.

What the person and the funds pay (the benefit side) stays as it was settled, because it went into the person's year
and was paid at the counter; a claim whose benefits are wrong is taken back and sent again.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from adjudicator.claim.basis import facts_of, read_basis
from adjudicator.claim.keys import DIRECTION_REVERSE, settlement_key
from adjudicator.columns import BENEFIT, CLAIM, GROUP, PAYMENT, SPLIT
from adjudicator.errors import E, Problem
from adjudicator.ledger import journal
from adjudicator.ledger.batch import new_commit, now_ms, pack_records
from adjudicator.ledger.layout import Kind
from adjudicator.ledger.record import Record
from adjudicator.ledger.resettlement import resettlement_key, resettlements_of, with_resettlements
from adjudicator.ledger.states import encode_state
from adjudicator.ledger.store import Ledger
from adjudicator.payers import FUNDS, Fund
from adjudicator.payment.case import ClaimCodes
from adjudicator.payment.compile import PackPayment, compile_packs
from adjudicator.payment.pay import pay
from adjudicator.pooling.periods.context import PoolContext
from adjudicator.v1 import settlement_pb2

RESETTLE = "resettle"
"""Kind of the act that says who settled again."""
NOT_KEPT = ("procedure",)
"""What a method row may ask for and no record keeps."""
NUMBERED = ("disease", "department", "assistance")
"""What a record keeps as a number of the rules that settled it."""
AT_ONCE = 1_000
"""Settlements that are priced in one call."""


class Wanted(NamedTuple):
    """Which settlements are priced again."""

    months: tuple[int, ...]
    hospital: str = ""
    """Institution code; empty: all."""
    only_unpriced: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """A settlement that stands, and its newest price."""

    record: Record
    answer: settlement_pb2.Settlement
    times: int
    """How often it was settled again."""


@dataclass(frozen=True, slots=True)
class Priced:
    """A settlement with its new price, or why it cannot have one."""

    stored: Stored
    payment: np.void | None
    """Row of PAYMENT."""
    reason: int = 0
    """Number of the error table; with a payment: why it has no method now."""

    @property
    def difference_fen(self) -> int:
        """What the institution is owed more, or less."""
        return 0 if self.payment is None else int(self.payment["due_fen"]) - self.stored.answer.payment.due_fen

    @property
    def changes(self) -> bool:
        """Whether the price is another one."""
        if self.payment is None:
            return False
        old, new = self.stored.answer.payment, self.payment
        return any(
            getattr(old, name) != int(new[name]) for name in ("method", "points_e8", "point_value_e4", "due_fen")
        )


async def standing_settlements(ledger: Ledger, pool: str, wanted: Wanted) -> AsyncIterator[list[Stored]]:
    """Yield the settlements of some months that stand, in groups. Errors: E.LEDGER_CORRUPT."""
    for month in wanted.months:
        async for chunk in journal.scan(ledger.connection, pool, month):
            if chunk.unreadable:
                raise chunk.refusal()
            records = [chunk.record(row) for row in np.flatnonzero(chunk.kinds == Kind.SETTLE).tolist()]
            records = [record for record in records if wanted.hospital in ("", record.institution)]
            for first in range(0, len(records), AT_ONCE):
                found = await newest(ledger, pool, records[first : first + AT_ONCE])
                yield [one for one in found if not (wanted.only_unpriced and one.answer.payment.method)]


async def newest(ledger: Ledger, pool: str, records: Sequence[Record]) -> list[Stored]:
    """Return the settlements that were not taken back, each with its newest price."""
    reversals = [reversal_key(record) for record in records]
    again = [resettlement_key(pool, record.key, 1) for record in records]
    known = (await ledger.read(pool, b"".join(reversals + again), b"")).known if records else {}
    found = []
    for row, record in enumerate(records):
        if row in known:
            continue
        series = await resettlements_of(ledger, pool, record.key) if row + len(records) in known else []
        stands = with_resettlements(record, series)
        found.append(Stored(record, settlement_pb2.Settlement.FromString(stands.answer), len(series)))
    return found


def reversal_key(record: Record) -> bytes:
    """Return the key of the reversal of a settlement."""
    return settlement_key(record.institution, record.encounter, record.sequence, DIRECTION_REVERSE)


def price_again(context: PoolContext, listed: Sequence[Stored]) -> list[Priced]:
    """Return the settlements with the prices of the payment rules of ``context``.

    One that its record cannot tell enough of has the code of the problem: E.CANNOT_PRICE_AGAIN.
    """
    payment = context.payment
    rules = SimpleNamespace(payment=compile_packs([payment]))
    count = len(listed)
    claims, splits = np.zeros(count, CLAIM), np.zeros(count, SPLIT)
    benefits, groups, out = np.zeros(count, BENEFIT), np.zeros(count, GROUP), np.zeros(count, PAYMENT)
    diagnoses, unknown = np.full(count, -1, np.int32), np.zeros(count, bool)
    for row, stored in enumerate(listed):
        basis = read_basis(stored.record.basis)
        if basis is None:
            unknown[row] = True
            continue
        facts_of(basis, claims[row : row + 1], splits[row : row + 1])
        _fill_benefit(benefits[row : row + 1], stored.answer)
        date = int(claims[row]["rule_date"]) or stored.record.settlement_date
        claims[row]["pack"] = 0
        claims[row]["hospital"] = _register_row(context, stored.record.institution, date)
        unknown[row] = not _group(payment, groups[row : row + 1], stored.answer, date)
        codes = payment.groupings.on(date)
        diagnoses[row] = codes.diagnoses.get(basis.principal_diagnosis, -1) if codes else -1
        unknown[row] |= _asks_for_more(payment, claims[row], date)
    offsets = np.arange(count + 1, dtype=np.int64)
    codes_of = ClaimCodes(offsets, diagnoses, np.zeros(count + 1, np.int64), np.zeros(1, np.int32))
    pay(rules, claims, splits, benefits, groups, out, SimpleNamespace(**codes_of._asdict()))
    results = []
    for row, stored in enumerate(listed):
        if unknown[row]:
            results.append(Priced(stored, None, int(E.CANNOT_PRICE_AGAIN)))
            continue
        error = int(out[row]["error"])
        if error:
            out[row] = 0
        results.append(Priced(stored, out[row], error))
    return results


def rules_digest(payment: PackPayment) -> str:
    """Return the SHA-256 of the payment rules as they are compiled, hexadecimal."""
    return hashlib.sha256(b"".join(compile_packs([payment]).hash_parts())).hexdigest()


def _fill_benefit(row: np.ndarray, answer: settlement_pb2.Settlement) -> None:
    """Set what the funds and the person paid; of a fund with several columns the first one has it all."""
    for payer in FUNDS:
        row[payer.columns[0]] = getattr(answer, payer.field)
    row["fund_total_fen"], row["personal_total_fen"] = answer.fund_total_fen, answer.personal_total_fen


def _register_row(context: PoolContext, code: str, date: int) -> int:
    """Return the row of the register of an institution on a day, -1 where it is not registered or outside the pool."""
    view = context.payment.view
    for row in view.rows_of(code) if code in context.of_the_pool else ():
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
    none = {"disease": -1, "department": 0, "assistance": 0}
    given = {name for name in NUMBERED if int(claim[name]) > none[name]}
    return bool(asked & set(NOT_KEPT)) or bool(asked & given)


async def post(ledger: Ledger, pool: str, priced: Priced) -> bool:
    """Write the difference of one settlement; return False where nothing is left to write.

    Exact beside others: a settlement that is taken back meanwhile is left alone, and of two who settle again one
    writes and the other looks again. Errors: those of ``Ledger.commit``.
    """
    while True:
        current = await newest(ledger, pool, [priced.stored.record])
        now = replace(priced, stored=current[0]) if current else None
        if now is None or not now.changes:
            return False
        record, states = _resettlement(now), list[tuple[bytes, int, bytes]]()
        state_key = record.state_key
        if state_key is not None:
            read = await ledger.accumulators(pool, state_key)
            if await newest(ledger, pool, [now.stored.record]) != current:
                continue
            last, version = read.last[0].tobytes(), int(read.versions[0])
            record = replace(record, previous=last, last=last)
            value = encode_state(version + 1, last, read.slots[0], read.quotas_of(0), read.days_of(0))
            states.append((state_key, version, value))
        if (await ledger.commit(pack_records(pool, [record], states))).done:
            return True


def _resettlement(priced: Priced) -> Record:
    """Return the record that says what a settlement is priced at now."""
    assert priced.payment is not None
    record, answer = priced.stored.record, settlement_pb2.Settlement()
    answer.CopyFrom(priced.stored.answer)
    for name in ("method", "points_e8", "point_value_e4", "due_fen"):
        setattr(answer.payment, name, int(priced.payment[name]))
    answer.payment.difference_fen = int(priced.payment["due_fen"]) - int(priced.payment["by_item_fen"])
    kept = [problem for problem in answer.problems if problem.field != "payment"]
    del answer.problems[:]
    answer.problems.extend(kept)
    if priced.reason:
        said = Problem(priced.reason, "payment", record.institution, warning=True)
        answer.problems.add(
            code=said.row.code, field="payment", message=said.message, message_zh=said.message_zh, warning=True
        )
    fen = priced.difference_fen
    postings = ((record.county, record.scheme, int(Fund.PROVIDER_DUE), fen),) if fen else ()
    return replace(
        record,
        kind=Kind.RESETTLE,
        key=resettlement_key(f"{record.pool:06d}", record.key, priced.stored.times + 1),
        original=record.key,
        postings=postings,
        changes=(),
        quotas=(),
        days=(),
        field_digests=(),
        answer=answer.SerializeToString(),
        commit=new_commit(),
        recorded_ms=now_ms(),
        position=0,
    )


class Sum(NamedTuple):
    """What settling again changes for an institution and a county."""

    settlements: int = 0
    newly_priced: int = 0
    no_longer_priced: int = 0
    before_fen: int = 0
    after_fen: int = 0
    not_told: int = 0
    """Settlements of which the records do not tell enough."""

    def plus(self, priced: Priced) -> Sum:
        """Return the sum with one settlement more."""
        if priced.payment is None:
            return self._replace(not_told=self.not_told + 1)
        if not priced.changes:
            return self
        old, new = bool(priced.stored.answer.payment.method), bool(priced.payment["method"])
        due = priced.stored.answer.payment.due_fen
        return self._replace(
            settlements=self.settlements + 1,
            newly_priced=self.newly_priced + (new and not old),
            no_longer_priced=self.no_longer_priced + (old and not new),
            before_fen=self.before_fen + due,
            after_fen=self.after_fen + due + priced.difference_fen,
        )


def sums_of(listed: Iterable[Priced], into: dict[tuple[str, int], Sum]) -> None:
    """Add settlements to the sums by institution and county."""
    for one in listed:
        place = (one.stored.record.institution, one.stored.record.county)
        into[place] = into.get(place, Sum()).plus(one)
