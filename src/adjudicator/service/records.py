"""Calls about what is recorded: the stored answer, its reversal, its explanation, a person's year."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from adjudicator import limits
from adjudicator.claim.engine import Engine
from adjudicator.claim.keys import DIRECTION_REVERSE, DIRECTION_SETTLE, person_key, settlement_key, state_key
from adjudicator.claim.state import quota_key
from adjudicator.codes import SCHEME_CODES
from adjudicator.columns import ACCUMULATOR_NAMES
from adjudicator.dates import is_date
from adjudicator.errors import AdjudicatorError, E, Problem, refuse
from adjudicator.ledger.layout import OF_CLAIMS, Kind
from adjudicator.ledger.record import Record
from adjudicator.options import QuotaPeriod
from adjudicator.service.calls import parse
from adjudicator.service.encounters import stay_of
from adjudicator.service.explaining import explain_record
from adjudicator.service.status import reversed_notice
from adjudicator.service.store import Store
from adjudicator.service.taking_back import Independence
from adjudicator.v1 import adjudication_pb2, claim_pb2, settlement_pb2


class Reversal(NamedTuple):
    """What is to be taken back: the keys of the settlement and of its negative in a pool."""

    pool: str
    original: bytes
    reversal: bytes
    person_id: str
    date: int
    """YYYYMMDD; 0: as the ledger says."""


class Records:
    """Settlements and person-years of the pools of one engine."""

    def __init__(self, engine: Engine, store: Store):
        self.engine = engine
        self.store = store

    async def get_settlement(self, message: bytes) -> bytes:
        """Return the stored answer of a SettlementKey; of one that has been reversed with a warning that says so.

        Errors: SETTLEMENT_NOT_FOUND and those of the key.
        """
        key = parse(settlement_pb2.SettlementKey, message)
        record = await self._find(key)
        return record.answer + await self._reversed_since(key, record)

    def read_reversal(self, message: bytes) -> Reversal:
        """Read a ReverseRequest. Errors: MISSING_PERSON, INVALID_DATE, REVERSAL_OF_REVERSAL, those of the key."""
        request = parse(settlement_pb2.ReverseRequest, message)
        key = request.settlement
        _check_key(key, "settlement.")
        pool = self.pool_of(key.insured_area, "settlement.insured_area")
        if key.direction == settlement_pb2.DIRECTION_REVERSE:
            raise refuse(E.REVERSAL_OF_REVERSAL, "settlement.direction")
        if not request.person_id:
            raise refuse(E.MISSING_PERSON, "person_id")
        if request.reversal_date and not is_known_day(request.reversal_date):
            raise refuse(E.INVALID_DATE, "reversal_date")
        identity = (key.institution_code, key.encounter_id, key.settlement_sequence)
        return Reversal(
            pool, settlement_key(*identity, DIRECTION_SETTLE), settlement_key(*identity, DIRECTION_REVERSE),
            request.person_id, request.reversal_date,
        )  # fmt: skip

    async def reverse(self, asked: Reversal) -> Record:
        """Take a settlement back and return its negative; asked again with the same date, the stored one.

        Errors: those of the ledger.
        """
        ledger = self.store.ledger()
        independence = Independence(ledger, self.engine.bundle, asked.pool, asked.person_id)
        return await ledger.reverse(
            asked.pool,
            asked.original,
            asked.reversal,
            person=person_key(asked.person_id),
            date=asked.date,
            first_dependent=independence.first_dependent,
            first_elsewhere=independence.first_elsewhere,
        )

    async def explain(self, message: bytes) -> bytes:
        """Every step of a stored settlement."""
        key = parse(settlement_pb2.SettlementKey, message)
        record = await self._find(key)
        stay = await stay_of(self.store.ledger(), record)
        return explain_record(key, record, self.engine.bundle, stay).SerializeToString()

    async def get_accumulators(self, message: bytes, patients_of: Collection[str] | None = None) -> bytes:
        """Year-to-date amounts of a person, those that are not zero. Errors: UNKNOWN_AREA, UNKNOWN_SCHEME, ...

        ``patients_of``: only of persons with a standing settlement of these institutions in the year; E.NOT_A_PATIENT.
        """
        query = parse(adjudication_pb2.AccumulatorQuery, message)
        problems = []
        if not query.person_id:
            problems.append(Problem(E.MISSING_PERSON, "person_id"))
        if query.scheme not in SCHEME_CODES:
            problems.append(Problem(E.UNKNOWN_SCHEME, "scheme"))
        if not limits.FIRST_DATE // 10_000 <= query.year <= limits.LAST_DATE // 10_000:
            problems.append(Problem(E.DATE_OUT_OF_RANGE, "year"))
        if problems:
            raise AdjudicatorError(*problems)
        pool = self.pool_of(query.insured_area, "insured_area")
        key = state_key(query.person_id, SCHEME_CODES[query.scheme], query.year)
        states = await self.store.ledger().accumulators(pool, key)
        if patients_of is not None:
            await self._check_patient(pool, states.last[0].tobytes(), patients_of)
        answer = claim_pb2.Accumulators(year=query.year)
        for name, value in zip(ACCUMULATOR_NAMES, states.slots[0].tolist(), strict=True):
            if value:
                answer.entries.add(name=name, value=value)
        names = self._quota_names(pool, query.year)
        for number, used_fen in sorted(states.quotas_of(0).items()):
            disease, period = names.get(number, ("", 0))
            answer.entries.add(name="quota_fen", value=used_fen, disease_code=disease, period=period)
        return answer.SerializeToString()

    async def _check_patient(self, pool: str, last: bytes, institutions: Collection[str]) -> None:
        """Refuse who has no standing settlement of the institutions in the year whose latest is ``last``."""
        async for settlement in self.store.ledger().standing(pool, last):
            if settlement.institution in institutions:
                return
        raise refuse(E.NOT_A_PATIENT, "person_id")

    def pool_of(self, area: str, field: str) -> str:
        """Pool of a place of insurance. Errors: E.UNKNOWN_AREA."""
        pack = self.engine.bundle.pack_of_area(area) if area.isascii() and area.isdigit() else None
        if pack is None:
            raise refuse(E.UNKNOWN_AREA, field)
        return f"{int(pack.pool):06d}"

    async def _find(self, key: settlement_pb2.SettlementKey) -> Record:
        _check_key(key)
        pool = self.pool_of(key.insured_area, "insured_area")
        direction = key.direction or DIRECTION_SETTLE
        digest = settlement_key(key.institution_code, key.encounter_id, key.settlement_sequence, direction)
        record = await self.store.ledger().get(pool, digest)
        if record is None or record.kind not in OF_CLAIMS:
            raise refuse(E.SETTLEMENT_NOT_FOUND)
        return record

    async def _reversed_since(self, key: settlement_pb2.SettlementKey, record: Record) -> bytes:
        """Return what follows the answer of a settlement on the wire when it has been reversed: one more problem."""
        if record.kind != Kind.SETTLE:
            return b""
        identity = (key.institution_code, key.encounter_id, key.settlement_sequence)
        reversal = await self.store.ledger().get(record.pool_code, settlement_key(*identity, DIRECTION_REVERSE))
        return b"" if reversal is None else reversed_notice(reversal.settlement_date)

    def _quota_names(self, pool: str, year: int) -> dict[int, tuple[str, int]]:
        """Disease and period of every quota key that the year can have."""
        periods = {
            QuotaPeriod.MONTH: [year * 100 + month for month in range(1, 13)],
            QuotaPeriod.QUARTER: [year * 10 + quarter for quarter in range(1, 5)],
            QuotaPeriod.YEAR: [year],
        }
        pack = self.engine.bundle.packs[self.engine.bundle.pack_number(str(int(pool)))]
        return {
            quota_key(disease.code, period): (disease.code, period)
            for disease in pack.diseases
            for period in periods.get(disease.period, ())
        }


def _check_key(key: settlement_pb2.SettlementKey, prefix: str = "") -> None:
    """Refuses a key that names nothing, with everything that is wrong with it."""
    problems = []
    if not key.institution_code:
        problems.append(Problem(E.MISSING_INSTITUTION, prefix + "institution_code"))
    if not key.encounter_id:
        problems.append(Problem(E.MISSING_ENCOUNTER, prefix + "encounter_id"))
    if not key.settlement_sequence:
        problems.append(Problem(E.MISSING_SEQUENCE, prefix + "settlement_sequence"))
    for name in ("institution_code", "encounter_id"):
        if len(getattr(key, name).encode()) > limits.MAX_ID_BYTES:
            problems.append(Problem(E.ID_TOO_LONG, prefix + name, str(limits.MAX_ID_BYTES)))
    if key.direction not in settlement_pb2.Direction.values():
        problems.append(Problem(E.INVALID_CODE_VALUE, prefix + "direction"))
    if problems:
        raise AdjudicatorError(*problems)


def is_known_day(number: int) -> bool:
    """Return whether YYYYMMDD is a day that the service knows.

    >>> is_known_day(20240229), is_known_day(20230229), is_known_day(18991231)
    (True, False, False)
    """
    return limits.FIRST_DATE <= number <= limits.LAST_DATE and is_date(number)
