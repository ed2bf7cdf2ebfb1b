"""Settlements for the tests: small cases in the words of the domain, turned into the columns that the ledger takes."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field

import numpy as np

from adjudicator.claim.keys import DIRECTION_REVERSE, settlement_key
from adjudicator.codes import Scheme
from adjudicator.columns import ACCUMULATOR_COUNT, BENEFIT, CARE_DAYS, CLAIM, LINE_SPLIT, PAYMENT, SLOT
from adjudicator.ledger.batch import Settlements, pack
from adjudicator.ledger.commit_kernel import Identities, Money, post_amounts
from adjudicator.ledger.fee_lines import Lines
from adjudicator.ledger.record_kernel import Names, Parts
from adjudicator.ledger.state_kernel import Changes
from adjudicator.ledger.states import StateRead
from adjudicator.ledger.store import Committed
from adjudicator.payers import LEDGER_COUNT
from adjudicator.v1 import claim_pb2, record_pb2, settlement_pb2
from adjudicator.wire.schema import compile_schema

POOL = "990100"


def digest(*parts: object) -> bytes:
    """A 16-byte digest, as the service makes them from keys and contents."""
    return hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=16).digest()


@dataclass
class Case:
    """One settlement: who, where, when, and what each payer pays (fen)."""

    person: str
    encounter: str = "E1"
    institution: str = "H99010100001"
    sequence: int = 1
    county: int = 990101
    scheme: Scheme = Scheme.RESIDENT
    date: int = 20240531
    total_fen: int = 100_000
    pooled_fen: int = 60_000
    catastrophic_fen: int = 0
    account_fen: int = 0
    due_fen: int = 61_000
    deltas: dict[str, int] = field(default_factory=lambda: {"stays": 1, "pooled_inpatient_fen": 60_000})
    quota: tuple[int, int] | None = None  # key, fen used by this settlement
    days: tuple[int, int] = (0, 0)  # key and days that it takes

    @property
    def key(self) -> bytes:
        return settlement_key(self.institution, self.encounter, self.sequence)

    @property
    def reversal_key(self) -> bytes:
        return settlement_key(self.institution, self.encounter, self.sequence, DIRECTION_REVERSE)

    @property
    def state_key(self) -> bytes:
        return digest("year", self.person, self.scheme, self.date // 10000)

    @property
    def person_digest(self) -> bytes:
        return digest("person", self.person)

    @property
    def field_digests(self) -> tuple[int, ...]:
        values = (self.institution, self.encounter, self.sequence, self.person, self.total_fen)
        return tuple(int.from_bytes(digest(value)[:4], "little") for value in values)

    @property
    def basis(self) -> bytes:
        """What it was priced from: of some nothing is kept."""
        if self.total_fen % 3 == 0:
            return b""
        basis = record_pb2.RecordBasis(rules_hash=self.total_fen + 2**63, principal_diagnosis="I10.x00")
        return basis.SerializeToString()

    @property
    def content(self) -> bytes:
        return digest(self)

    @property
    def lines(self) -> list[settlement_pb2.LineResult]:
        """Its fee lines: all in scope but a few fen."""
        count, kept = 1 + self.total_fen % 5, []
        for number in range(count):
            amount = self.total_fen // count + (self.total_fen % count if number == 0 else 0)
            wholly = amount if number == 3 else amount // 7 if number == 2 else 0
            over = amount // 9 if number == 1 else 0
            first_pay = (amount - wholly - over) // 20 if self.total_fen % 2 else 0
            line = settlement_pb2.LineResult(
                line_id=f"L{self.total_fen % 13 + number}", amount_fen=amount, wholly_self_paid_fen=wholly,
                over_ceiling_fen=over, first_pay_fen=first_pay, in_scope_fen=amount - wholly - over - first_pay,
                price_ceiling_e4=7 if number % 2 else 999_999_000_000, first_pay_ppm=50_000 * (number % 2),
                item_class=1 + number % 3, note=number // 4,
            )  # fmt: skip
            kept.append(line)
        return kept

    @property
    def answer(self) -> bytes:
        """The answer as the service would send it."""
        answer = settlement_pb2.Settlement(
            institution_code=self.institution,
            encounter_id=self.encounter,
            settlement_sequence=self.sequence,
            direction=settlement_pb2.DIRECTION_SETTLE,
            outcome=settlement_pb2.OUTCOME_SETTLED,
            settlement_id=self.key.hex(),
            total_fen=self.total_fen,
            in_scope_fen=self.total_fen,
            pooled_fund_fen=self.pooled_fen,
            catastrophic_fen=self.catastrophic_fen,
            fund_total_fen=self.pooled_fen + self.catastrophic_fen,
            account_fen=self.account_fen,
            cash_fen=self.total_fen - self.pooled_fen - self.catastrophic_fen - self.account_fen,
            account_balance_fen=5_000_000 - self.account_fen,
            pooled_rate_ppm=600_000,
        )
        if self.basis:
            answer.rules_hash = f"{self.total_fen + 2**63:016x}"
        for line in self.lines:
            answer.lines.append(line)
        answer.funds.add(fund_type="390100", amount_fen=self.pooled_fen)
        answer.payment.due_fen, answer.payment.points_e8 = self.due_fen, 123
        return answer.SerializeToString()


def unique_states(cases: list[Case]) -> tuple[list[bytes], np.ndarray]:
    """State keys, each once, and the row of each case."""
    order: dict[bytes, int] = {}
    rows = np.array([order.setdefault(case.state_key, len(order)) for case in cases], np.int64)
    return list(order), rows


def settlements(
    cases: list[Case], states: StateRead, rows: np.ndarray, pool: str = POOL, guarded: np.ndarray | None = None
) -> Settlements:
    """Prices the cases over the states read: adds each case's deltas, in order."""
    count = len(cases)
    claims, benefits, payments = np.zeros(count, CLAIM), np.zeros(count, BENEFIT), np.zeros(count, PAYMENT)
    before, after = (np.zeros((count, ACCUMULATOR_COUNT), np.int64) for _ in range(2))
    quota_keys = np.zeros(count, np.uint64)
    quota_before, quota_after = np.zeros(count, np.int64), np.zeros(count, np.int64)
    days = np.array([case.days for case in cases], CARE_DAYS)
    slots = states.slots.copy()
    quotas = [states.quotas_of(row) for row in range(len(states.keys))]
    text, names = bytearray(), np.zeros((count, 4), np.int64)
    for i, case in enumerate(cases):
        claims[i]["settlement_date"], claims[i]["benefit_year"] = case.date, case.date // 10000
        claims[i]["scheme"], claims[i]["total_fen"] = case.scheme, case.total_fen
        benefits[i]["pooled_fen"], benefits[i]["catastrophic_fen"] = case.pooled_fen, case.catastrophic_fen
        benefits[i]["account_current_fen"], payments[i]["due_fen"] = case.account_fen, case.due_fen
        before[i] = slots[rows[i]]
        for name, change in case.deltas.items():
            slots[rows[i], SLOT[name]] += change
        after[i] = slots[rows[i]]
        if case.quota:
            used = quotas[rows[i]]
            quota_keys[i], quota_before[i] = case.quota[0], used.get(case.quota[0], 0)
            quota_after[i] = used[case.quota[0]] = int(quota_before[i]) + case.quota[1]
        for at, value in ((0, case.institution), (2, case.encounter)):
            names[i, at], names[i, at + 1] = len(text), len(value.encode())
            text += value.encode()
    return Settlements(
        pool,
        Identities(
            keys=_rows(case.key for case in cases), contents=_rows(case.content for case in cases),
            field_digests=np.array([case.field_digests for case in cases], np.uint32).reshape(count, 5),
            persons=_rows(case.person_digest for case in cases),
            counties=np.array([case.county for case in cases], np.uint32),
            sequences=np.array([case.sequence for case in cases], np.uint32),
            names=Names(np.frombuffer(bytes(text), np.uint8), *np.ascontiguousarray(names.T)),
        ),
        Money(claims, benefits, payments),
        states,
        Changes(rows, before, after, quota_keys, quota_before, quota_after, days["key"], days["days"]),
        guarded=np.zeros(0, np.int64) if guarded is None else guarded,
        answers=_parts([case.answer for case in cases]),
        basis=_parts([case.basis for case in cases]),
        lines=fee_lines([case.lines for case in cases]),
    )  # fmt: skip


LINE = compile_schema(claim_pb2.Claim.DESCRIPTOR).dtype("lines")


def fee_lines(claims: list[list[settlement_pb2.LineResult]]) -> Lines:
    """The lines of some claims as columns."""
    lines = [line for of_claim in claims for line in of_claim]
    wire, splits, text = np.zeros(len(lines), LINE), np.zeros(len(lines), LINE_SPLIT), bytearray(b"-")
    for place, line in enumerate(lines):
        wire[place]["line_id_start"], wire[place]["line_id_size"] = len(text), len(line.line_id.encode())
        text += line.line_id.encode()
        wire[place]["amount_fen"] = line.amount_fen
        for name in LINE_SPLIT.names:
            if name != "error":
                splits[place][name] = getattr(line, name)
    ends = np.cumsum([len(of_claim) for of_claim in claims], dtype=np.int64)
    return Lines(np.frombuffer(bytes(text), np.uint8), wire, splits, np.append(0, ends)[:-1], ends)


def _parts(values: list[bytes]) -> Parts:
    offsets = np.zeros(len(values) + 1, np.int64)
    np.cumsum([len(value) for value in values], out=offsets[1:])
    return Parts(np.frombuffer(b"".join(values), np.uint8), offsets)


def _rows(digests) -> np.ndarray:
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 16)


def random_case(random_: random.Random, number: int, people: int = 20) -> Case:
    """A settlement of a small city."""
    total = random_.randrange(1, 5_000_000)
    pooled = random_.randrange(0, total + 1)
    catastrophic = random_.choice((0, 0, random_.randrange(0, total - pooled + 1)))
    account = random_.randrange(0, total - pooled - catastrophic + 1)
    person = random_.randrange(people)
    return Case(
        person=f"P{person}",
        encounter=f"E{number}",
        institution=f"H9901010000{random_.randrange(4)}",
        county=990101 + person % 3,
        scheme=Scheme.EMPLOYEE if person % 2 else Scheme.RESIDENT,
        date=random_.choice((20240531, 20240601, 20240630, 20231231)),
        total_fen=total,
        pooled_fen=pooled,
        catastrophic_fen=catastrophic,
        account_fen=account,
        due_fen=random_.randrange(-10_000, total + 1),
        deltas={"stays": 1, "pooled_inpatient_fen": pooled, "account_fen": account},
        quota=(random_.randrange(1, 4), random_.randrange(1, 1000)) if random_.random() < 0.3 else None,
        days=(2**63 + random_.randrange(1, 4), random_.randrange(1, 1000)) if random_.random() < 0.7 else (0, 0),
    )


async def settle(ledger, cases: list[Case], pool: str, attempts: int = 50) -> Committed:
    """Reads, prices and commits, again where others were faster; skips what is known, as the service does."""
    for _ in range(attempts):
        state_keys, rows = unique_states(cases)
        read = await ledger.read(pool, b"".join(case.key for case in cases), b"".join(state_keys))
        cases = [case for number, case in enumerate(cases) if number not in read.known]
        if not cases:
            return Committed(True, await ledger.version(pool))
        if read.known:
            continue
        outcome = await ledger.commit(pack(settlements(cases, read.states, rows, pool)))
        if outcome.done:
            return outcome
    raise AssertionError("others were always faster")


async def dump(ledger, pool: str) -> dict[bytes, bytes]:
    """Everything the store holds of a pool."""
    client = ledger.connection.client
    keys = [key async for key in client.scan_iter(match=f"adj:\\{{{pool}}}:*", count=1000)]
    return {key: await client.dump(key) for key in keys}


def fund_amounts(claims: np.ndarray, benefits: np.ndarray, payments: np.ndarray) -> np.ndarray:
    """What each settlement posts: int64[n, accounts] in fen."""
    amounts = np.empty((len(claims), LEDGER_COUNT), np.int64)
    post_amounts(claims, benefits, payments, amounts)
    return amounts
