"""Taking a settlement back (撤销, 2208 / 2305): a record with the opposite sign, the person's year as before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from google.protobuf.message import DecodeError, Message

from adjudicator.claim.state import STORED
from adjudicator.dates import iso
from adjudicator.errors import AdjudicatorError, E, refuse
from adjudicator.ledger.batch import CommitBatch, new_commit, now_ms, pack_records, posting_record
from adjudicator.ledger.layout import OF_CLAIMS, ZERO_DIGEST, Kind
from adjudicator.ledger.record import Record
from adjudicator.ledger.states import StateRead, encode_state
from adjudicator.v1 import settlement_pb2


class Guards(NamedTuple):
    """States that are looked at and must be as they were when a batch is written."""

    keys: bytes
    """16 bytes each."""
    versions: bytes
    """8 bytes each, as read."""


NO_GUARDS = Guards(b"", b"")

_SAME_SIGN = {"account_balance_fen"}
"""A balance is no flow: it is restored by what goes back to the account (identity A1), not mirrored."""


def negate_settlement(answer: bytes, settlement_id: str = "") -> bytes:
    """Return the answer of the reversal of a settlement: with it, every money field adds up to 0 (R1v), lines and
    funds too.

    The account balance is that after the reversal (A1). Points change their sign with the money; rates and prices stay.
    Errors: E.LEDGER_CORRUPT when the bytes are no Settlement; E.INTERNAL when R1v does not hold.
    """
    try:
        settlement = settlement_pb2.Settlement.FromString(answer)
    except DecodeError as error:
        raise refuse(E.LEDGER_CORRUPT, detail="a stored answer cannot be read") from error
    whole = settlement_pb2.Settlement.FromString(answer)
    settlement.account_balance_fen += settlement.account_fen
    _negate(settlement)
    if any(left != 0 for left in _left(whole, settlement)):
        raise refuse(E.INTERNAL, detail="R1v")
    settlement.direction = settlement_pb2.DIRECTION_REVERSE
    settlement.outcome = settlement_pb2.OUTCOME_REVERSED
    settlement.settlement_id = settlement_id
    return settlement.SerializeToString(deterministic=True)


def _negate(message: Message) -> None:
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if field.is_repeated else [value]:
                _negate(part)
        elif field.name == "points_e8" or (field.name.endswith("_fen") and field.name not in _SAME_SIGN):
            setattr(message, field.name, -value)


def _left(settlement: settlement_pb2.Settlement, reversal: settlement_pb2.Settlement) -> Iterator[int]:
    """Yield what is left of each amount when a settlement and its reversal are added (R1v): nothing."""
    flows = [name for name in settlement.DESCRIPTOR.fields_by_name if name.endswith("_fen") and name not in _SAME_SIGN]
    yield from (getattr(settlement, name) + getattr(reversal, name) for name in flows)
    for line, taken_back in zip(settlement.lines, reversal.lines, strict=True):
        yield line.amount_fen + taken_back.amount_fen
    for fund, returned in zip(settlement.funds, reversal.funds, strict=True):
        yield fund.amount_fen + returned.amount_fen
    yield settlement.payment.due_fen + reversal.payment.due_fen


def reversible(record: Record | None, person: bytes | None = None) -> Record:
    """Return the settlement, if it is one that can be taken back at all; ``person``: digest it must be of.

    Errors: E.SETTLEMENT_NOT_FOUND, REVERSAL_OF_REVERSAL, PERSON_MISMATCH.
    """
    if record is None or record.kind not in OF_CLAIMS:
        raise refuse(E.SETTLEMENT_NOT_FOUND)
    if record.kind == Kind.REVERSE:
        raise refuse(E.REVERSAL_OF_REVERSAL)
    if person is not None and person != record.person:
        raise refuse(E.PERSON_MISMATCH)
    return record


def same_reversal(reversal: Record, date: int) -> Record:
    """Return the stored reversal. Errors: E.ALREADY_REVERSED where another date is asked for now."""
    if date not in (0, reversal.settlement_date):
        raise refuse(E.ALREADY_REVERSED, "reversal_date", str(reversal.settlement_date))
    return reversal


def check_date(record: Record, date: int) -> None:
    """Refuse a reversal before its settlement (YYYYMMDD, 0: as settled). Errors: E.DATE_ORDER."""
    if 0 < date < record.settlement_date:
        raise refuse(E.DATE_ORDER, "reversal_date")


def is_latest(record: Record, states: StateRead) -> bool:
    """Return whether no later settlement stands in the person's year (row 0); one that counts in no year always is."""
    return record.state_key is None or states.last[0].tobytes() == record.key


def not_latest(record: Record, later: Record | None) -> AdjudicatorError:
    """Return the refusal of a reversal because of a later settlement.

    It names that settlement where it is one of the same institution, and of another institution the date alone: no
    hospital learns of a person's visits elsewhere.
    """
    if later is None:
        detail = ""
    elif later.institution == record.institution:
        detail = later.name
    else:
        detail = iso(later.settlement_date)
    return refuse(E.NOT_LATEST_SETTLEMENT, detail=detail)


def reversal_of(
    record: Record,
    reversal_key: bytes,
    states: StateRead,
    date: int,
    last: bytes | None = None,
    guards: Guards = NO_GUARDS,
    seal: bytes | None = None,
) -> CommitBatch:
    """Return the batch that takes a settlement back.

    ``states``: row of its person's year; date YYYYMMDD, 0: as settled; ``last``: key of the latest settlement of the
    year that stands afterwards, without it the one before; ``guards``: states that must not have moved; ``seal``:
    a key that must be free, and is taken.
    """
    date = date or record.settlement_date
    commit = new_commit()
    last = record.previous if last is None else last
    values = [] if record.state_key is None else [_restored(record, record.state_key, states, last)]
    reversal = replace(
        record,
        kind=Kind.REVERSE,
        month=date // 100,
        settlement_date=date,
        key=reversal_key,
        previous=states.last[0].tobytes() if record.state_key is not None else ZERO_DIGEST,
        last=last,
        original=record.key,
        postings=tuple((county, scheme, fund, -amount) for county, scheme, fund, amount in record.postings),
        changes=tuple((number, -change) for number, change in record.changes),
        quotas=tuple((key, -change) for key, change in record.quotas),
        days=tuple((key, -change) for key, change in record.days),
        answer=negate_settlement(record.answer, reversal_key.hex()),
        commit=commit,
        recorded_ms=now_ms(),
        position=0,
    )
    records = [reversal]
    if seal is not None:
        closing = posting_record(record.pool_code, seal, reversal.month, (), {"what": "reversal"})
        records.append(replace(closing, commit=commit))
    batch = pack_records(record.pool_code, records, values)
    batch.guard_keys, batch.guard_versions = guards
    return batch


def take_off(record: Record, slots: np.ndarray, quotas: dict[int, int]) -> None:
    """Take what a settlement changed off a person's year. Errors: E.LEDGER_CORRUPT for an amount this version lacks."""
    for number, change in record.changes:
        if number >= len(STORED.place_of) or STORED.place_of[number] < 0:
            raise refuse(E.LEDGER_CORRUPT, detail=f"settlement {record.name} changes an amount this version lacks")
        slots[STORED.place_of[number]] -= change
    for key, change in record.quotas:
        quotas[key] = quotas.get(key, 0) - change


def _restored(record: Record, state_key: bytes, states: StateRead, last: bytes) -> tuple[bytes, int, bytes]:
    """Return the person's year without the settlement: its key, its version as read, the value to store."""
    slots, quotas, version = states.slots[0].copy(), states.quotas_of(0), int(states.versions[0])
    take_off(record, slots, quotas)
    days = states.days_of(0)
    for key, change in record.days:
        days[key] = days.get(key, 0) - change
    return state_key, version, encode_state(version + 1, last, slots, quotas, days)
