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
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from adjudicator.claim.basis import read_basis
from adjudicator.claim.keys import DIRECTION_REVERSE, settlement_key
from adjudicator.claim.problems import unpaid
from adjudicator.columns import BENEFIT, PAYMENT
from adjudicator.errors import E, Problem
from adjudicator.ledger import journal
from adjudicator.ledger.batch import new_commit, now_ms, pack_records
from adjudicator.ledger.layout import Kind
from adjudicator.ledger.record import Record
from adjudicator.ledger.resettlement import resettlement_key, resettlements_of, with_resettlements
from adjudicator.ledger.states import encode_state
from adjudicator.ledger.store import Ledger
from adjudicator.payers import FUNDS, Fund
from adjudicator.payment.compile import PackPayment, compile_packs
from adjudicator.payment.pay import pay
from adjudicator.pooling.periods.resettle_cases import Cases, Rules, Stored, as_kept, grouping_of, resolve_anew
from adjudicator.v1 import settlement_pb2

RESETTLE = "resettle"
"""Kind of the act that says who settled again."""
AT_ONCE = 1_000
"""Settlements that are priced in one call."""


class Wanted(NamedTuple):
    """Which settlements are priced again."""

    months: tuple[int, ...]
    hospital: str = ""
    """Institution code; empty: all."""
    only_unpriced: bool = False


@dataclass(frozen=True, slots=True)
class Priced:
    """A settlement with its new price, or why it cannot have one."""

    stored: Stored
    payment: np.void | None
    """Row of PAYMENT."""
    grouping: settlement_pb2.Grouping | None
    """Its group, with a payment."""
    reason: int = 0
    """Number of the error table; with a payment: why it has no method now."""
    detail: str = ""
    """What the reason is about."""

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
        return self.grouping != self.stored.answer.grouping or any(
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


def price_again(rules: Rules, listed: Sequence[Stored]) -> list[Priced]:
    """Return the settlements with the prices of ``rules``.

    One that these rules cannot price again has the code of the problem: E.CANNOT_PRICE_AGAIN where its record, of an
    older version, keeps too little, else why a claim like it is refused now.
    """
    results: dict[int, Priced] = {}
    kept = {row: read_basis(stored.record.basis) for row, stored in enumerate(listed)}
    named = {row: basis for row, basis in kept.items() if basis is not None and basis.names_kept}
    numbered = {row: basis for row, basis in kept.items() if row not in named}
    if named:
        chosen = [listed[row] for row in named]
        cases = resolve_anew(rules, chosen, list(named.values()))
        results |= zip(named, _priced(rules, chosen, cases), strict=True)
    if numbered:
        chosen = [listed[row] for row in numbered]
        cases = as_kept(rules, chosen, list(numbered.values()))
        results |= zip(numbered, _priced(rules, chosen, cases), strict=True)
    return [results[row] for row in range(len(listed))]


def _priced(rules: Rules, listed: Sequence[Stored], cases: Cases) -> Iterator[Priced]:
    """Yield the settlements with what is due for them."""
    benefits, out = np.zeros(len(listed), BENEFIT), np.zeros(len(listed), PAYMENT)
    for row, stored in enumerate(listed):
        _fill_benefit(benefits[row : row + 1], stored.answer)
    pay(rules.bundle, cases.claims, cases.splits, benefits, cases.groups, out, cases.codes)
    for row, stored in enumerate(listed):
        refused, error = int(cases.claims[row]["error"]), int(out[row]["error"])
        if refused:
            yield Priced(stored, None, None, refused)
            continue
        scheme, detail = int(cases.schemes[row]), ""
        if error:
            out[row] = 0
            detail = unpaid(rules.bundle, error, cases.claims[row], cases.groups[row], scheme)
        grouping = grouping_of(rules.bundle, cases.groups[row], scheme) if cases.by_name else stored.answer.grouping
        yield Priced(stored, out[row], grouping, error, detail or stored.record.institution)


def rules_digest(payment: PackPayment) -> str:
    """Return the SHA-256 of the payment rules as they are compiled, hexadecimal."""
    return hashlib.sha256(b"".join(compile_packs([payment]).hash_parts())).hexdigest()


def _fill_benefit(row: np.ndarray, answer: settlement_pb2.Settlement) -> None:
    """Set what the funds and the person paid; of a fund with several columns the first one has it all."""
    for payer in FUNDS:
        row[payer.columns[0]] = getattr(answer, payer.field)
    row["fund_total_fen"], row["personal_total_fen"] = answer.fund_total_fen, answer.personal_total_fen


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
    if priced.grouping is not None and priced.grouping != answer.grouping:
        answer.grouping.CopyFrom(priced.grouping)
    answer.payment.difference_fen = int(priced.payment["due_fen"]) - int(priced.payment["by_item_fen"])
    kept = [problem for problem in answer.problems if problem.field != "payment"]
    del answer.problems[:]
    answer.problems.extend(kept)
    if priced.reason:
        said = Problem(priced.reason, "payment", priced.detail, warning=True)
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
    """Settlements of which the records, of an older version, do not tell enough."""
    refused: int = 0
    """Settlements that the rules would refuse as a claim now."""

    def plus(self, priced: Priced) -> Sum:
        """Return the sum with one settlement more."""
        if priced.payment is None:
            if priced.reason == E.CANNOT_PRICE_AGAIN:
                return self._replace(not_told=self.not_told + 1)
            return self._replace(refused=self.refused + 1)
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
