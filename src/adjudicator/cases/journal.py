"""The journal of one case: what the ledger would hold of its person, kept in memory.

Years are kept in the ledger's stored form, and a reversal is made by the ledger's own code (``ledger.reversal``), so
that a case takes a settlement back as the service does; only the store is missing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator.claim.batch import Resolved
from adjudicator.claim.care_days import StoredDays
from adjudicator.claim.keys import DIRECTION_REVERSE, person_key, settlement_key
from adjudicator.claim.kin import name_years
from adjudicator.claim.local import Years
from adjudicator.claim.state import STORED, PersonYears
from adjudicator.columns import SLOT
from adjudicator.ledger.encounter import (
    Earlier,
    Name,
    chain_charged,
    check_lines,
    check_next,
    standing_parts,
    stay_parts,
)
from adjudicator.ledger.layout import ZERO_DIGEST, Kind
from adjudicator.ledger.record import Record
from adjudicator.ledger.reversal import check_date, is_latest, not_latest, reversal_of, reversible, same_reversal
from adjudicator.ledger.states import StateRead, encode_state
from adjudicator.rules.bundle import Bundle
from adjudicator.v1 import claim_pb2, settlement_pb2
from adjudicator.v1.record_pb2 import ClaimFacts, RecordBasis, StayPart


class _Priced(NamedTuple):
    """The year that the latest claim was priced over: as it was read, and as pricing left it."""

    before: StateRead
    years: PersonYears


class Journal(Years):
    """Person's years and settlements of one case; the engine prices each claim over ``rows``."""

    def __init__(self) -> None:
        """Begin without any settlement."""
        super().__init__()
        self._bundle: Bundle
        self._states: dict[bytes, bytes] = {}
        self._records: dict[int, Record] = {}
        self._reversals: dict[int, Record] = {}
        self._priced: _Priced | None = None
        self._claimed: Name | None = None
        """The claim that is priced next, where it is not the first of its encounter."""

    def rows(self, resolved: Resolved, chosen: np.ndarray) -> tuple[np.ndarray, PersonYears]:
        """Return the row of the claim's person, and the year it indexes as it is stored."""
        self._priced = None
        if not len(chosen):
            return chosen, PersonYears.new(1)
        names, _, kin = name_years(self._bundle, resolved.incoming, resolved.claims, resolved.state_keys, chosen)
        before = self._read(*map(bytes, names))
        years = PersonYears.read(before.slots, [before.quotas_of(0)])
        years.days = StoredDays(before.days_offsets[:-1], before.days_offsets[1:], before.days)
        years.kin = kin
        parts = standing_parts(self._earlier(self._claimed)) if self._claimed is not None else []
        years.stays = {int(chosen[0]): stay_parts(parts, before.keys[0].tobytes())} if parts else {}
        if resolved.claims["chain_continues"][chosen[0]]:
            standing = [record for number, record in self._records.items() if number not in self._reversals]
            named = resolved.incoming.text(int(chosen[0]), "referral_from_encounter")
            years.chains = {int(chosen[0]): chain_charged(standing, named)}
        self._priced = _Priced(before, years)
        return np.zeros(len(chosen), np.int64), years

    def claim(self, claim: claim_pb2.Claim, bundle: Bundle) -> None:
        """Note which claim is priced next, and under which rules.

        Errors: those of ``ledger.encounter`` where its number is not the next.
        """
        name = Name(claim.institution_code, claim.encounter_id, claim.settlement_sequence)
        self._bundle = bundle
        self._claimed = name if name.sequence > 1 else None
        if self._claimed is not None:
            earlier = self._earlier(name)
            check_next(name, person_key(claim.person_id), earlier[-1])
            check_lines([line.line_id for line in claim.lines], standing_parts(earlier))

    def _earlier(self, name: Name) -> list[Earlier]:
        """Return what there is of the earlier numbers of an encounter, in order."""
        records = {record.key: (record, number in self._reversals) for number, record in self._records.items()}
        return [Earlier(*records.get(name.key(number), (None, False))) for number in range(1, name.sequence)]

    def record(self, number: int, claim: claim_pb2.Claim, answer: settlement_pb2.Settlement) -> None:
        """Keep the settlement of the claim that was just priced, and the year that it left."""
        if self._priced is None or answer.outcome == settlement_pb2.OUTCOME_REFUSED:
            return
        before, years = self._priced
        key = settlement_key(claim.institution_code, claim.encounter_id, claim.settlement_sequence)
        after = {used_key: used for (_, used_key), used in years.quotas.items()}
        used_before = before.quotas_of(0)
        added = (years.slots[0] - before.slots[0])[STORED.places]
        quotas = {used_key: used - used_before.get(used_key, 0) for used_key, used in after.items()}
        took = [] if years.took is None else [entry for entry in years.took.tolist() if entry[0]]
        days = before.days_of(0)
        for days_key, change in took:
            days[days_key] = days.get(days_key, 0) + change
        self._records[number] = Record(
            Kind.SETTLE, int(claim.insured_area), claim.settlement_date // 100, key, ZERO_DIGEST,
            settlement_date=claim.settlement_date, benefit_year=answer.benefit_year,
            institution=claim.institution_code, encounter=claim.encounter_id, sequence=claim.settlement_sequence,
            state_key=before.keys[0].tobytes(), previous=before.last[0].tobytes(), last=key,
            changes=tuple(
                (int(slot), int(change)) for slot, change in zip(STORED.numbers, added, strict=True) if change
            ),
            quotas=tuple((used_key, change) for used_key, change in quotas.items() if change),
            days=tuple(took),
            answer=answer.SerializeToString(deterministic=True), basis=_basis(claim, before, years),
            person=person_key(claim.person_id),
        )  # fmt: skip
        self._states[before.keys[0].tobytes()] = encode_state(
            int(before.versions[0]) + 1, key, years.slots[0], after, days
        )

    def reverse(self, number: int, date: int = 0) -> settlement_pb2.Settlement:
        """Take the settlement of a claim back (date YYYYMMDD, 0: as settled) and return the answer; a second time too.

        Errors, as from the service: E.SETTLEMENT_NOT_FOUND, DATE_ORDER, ALREADY_REVERSED on another date,
        NOT_LATEST_SETTLEMENT of the person's year.
        """
        record = reversible(self._records.get(number))
        if number in self._reversals:
            return settlement_pb2.Settlement.FromString(same_reversal(self._reversals[number], date).answer)
        check_date(record, date)
        state = self._read(record.state_key or ZERO_DIGEST)
        if not is_latest(record, state):
            raise not_latest(record, self._by_key(state.last[0].tobytes()))
        reversal_key = settlement_key(record.institution, record.encounter, record.sequence, DIRECTION_REVERSE)
        batch = reversal_of(record, reversal_key, state, date)
        self._states |= batch.new_states()
        self._reversals[number] = Record.from_bytes(bytes(batch.entries[0].block))
        return settlement_pb2.Settlement.FromString(self._reversals[number].answer)

    def _read(self, *state_keys: bytes) -> StateRead:
        keys = np.frombuffer(b"".join(state_keys), np.uint8).reshape(-1, 16)
        return StateRead.parse(keys, [self._states.get(key, b"") for key in state_keys])

    def _by_key(self, key: bytes) -> Record | None:
        return next((record for record in self._records.values() if record.key == key), None)


def _basis(claim: claim_pb2.Claim, before: StateRead, years: PersonYears) -> bytes:
    """Return what a later part of the stay needs to know: the year that the claim was priced over, and what it was."""
    year = before.slots[0]
    if claim.HasField("accumulators"):
        year = np.zeros_like(year)
        for entry in claim.accumulators.entries:
            if entry.name in SLOT:
                year[SLOT[entry.name]] = entry.value
    amounts = year[STORED.places]
    there = np.flatnonzero(amounts)
    part = None
    if claim.mid_stay and years.parts is not None and len(years.parts):
        part = StayPart(**{name: int(years.parts[name][0]) for name in years.parts.dtype.names or ()})
    return RecordBasis(
        facts=ClaimFacts(
            mid_stay=claim.mid_stay, chain_continues=bool(claim.referral_from_encounter),
            chain_deductible_fen=claim.referral_deductible_fen,
        ), year_numbers=STORED.numbers[there].tolist(),
        year_amounts=amounts[there].tolist(), stay_part=part,
    ).SerializeToString()  # fmt: skip
