"""A claim made anew from what its record keeps, to be resolved under other rules.

It has no fee lines: the sums over them are kept, as the catalogue of then split them. It is nobody's claim either: a
record has a digest of the person and not the number. The raw medical category is not kept; any that means the same
kind of care under the rules stands for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from adjudicator.claim.basis import facts_of
from adjudicator.claim.engine import MOST_ROWS
from adjudicator.claim.fields import CLAIM_SCHEMA, RENAMED
from adjudicator.claim.incoming import ID_BYTES, Incoming
from adjudicator.codes import HOSPITAL_LEVELS, PERSON_TYPES, SCHEME_NATIONAL, CareKind, Scheme
from adjudicator.columns import ACCUMULATORS, CLAIM, SPLIT
from adjudicator.v1 import claim_pb2
from adjudicator.v1.record_pb2 import ClaimFacts, RecordBasis
from adjudicator.wire.decode import BATCH_DEPTH, decode, split_batch

NOBODY = "0"
"""Stands for the person's number."""
FOLLOWS = frozenset({"rule_date", "benefit_year", "place"})
"""Facts that are found anew."""
_CODED = frozenset(
    {"scheme", "person_type", "care_kind", "hospital_level", "suspended", "chain_continues", "accumulators_given"}
)
SUSPENDED = 2
"""Enrolment state [psn_insu_stas 参保状态]; an ended one has the same effect, and a record tells neither apart."""
_NAMES = dict(ACCUMULATORS)


class Settled(NamedTuple):
    """A settlement as its record names it, and what the record keeps of the claim."""

    institution: str
    encounter: str
    sequence: int
    county: int
    """Area code of the county of insurance."""
    kept: RecordBasis


def care_codes(care_types: Mapping[str, CareKind]) -> dict[int, str]:
    """Return for each kind of care a medical category of a pack that means it."""
    return {int(kind): code for code, kind in sorted(care_types.items(), reverse=True)}


def rebuilt(settled: Settled, care_type: str) -> claim_pb2.Claim:
    """Return the claim of a settlement whose record keeps the names; without care type the rules refuse it."""
    kept, facts = settled.kept, settled.kept.facts
    claim = claim_pb2.Claim(
        institution_code=settled.institution, encounter_id=settled.encounter,
        settlement_sequence=settled.sequence, person_id=NOBODY, insured_area=f"{settled.county:06d}",
        care_area=kept.care_area, scheme=SCHEME_NATIONAL[Scheme(facts.scheme)],
        person_type=PERSON_TYPES[facts.person_type], care_type=care_type,
        hospital_level=HOSPITAL_LEVELS[facts.hospital_level], department=kept.department,
        disease_code=kept.disease_code, programme=kept.programme, procedures=kept.procedures,
        referral_from_encounter=kept.referral_from_encounter if facts.chain_continues else "",
    )  # fmt: skip
    if kept.principal_diagnosis:
        claim.diagnoses.extend([kept.principal_diagnosis, *kept.further_diagnoses])
    if kept.assistance_categories:
        claim.assistance_category = kept.assistance_categories[0]
        claim.other_assistance_categories.extend(kept.assistance_categories[1:])
    for member in ClaimFacts.DESCRIPTOR.fields:
        name = member.name
        if name not in _CODED | FOLLOWS and (not member.has_presence or facts.HasField(name)):
            setattr(claim, RENAMED.get(name, name), getattr(facts, name))
    if facts.suspended:
        claim.enrolment_status = SUSPENDED
    if facts.accumulators_given:
        _give_year(claim, kept)
    return claim


def _give_year(claim: claim_pb2.Claim, kept: RecordBasis) -> None:
    """Let the claim bring the year that it brought."""
    claim.accumulators.SetInParent()
    for number, amount in zip(kept.year_numbers, kept.year_amounts, strict=True):
        claim.accumulators.entries.add(name=_NAMES[number], value=amount)


def with_category(claim: claim_pb2.Claim, kept: RecordBasis) -> claim_pb2.Claim:
    """Leave the person the one assistance category that counted."""
    claim.assistance_category = kept.assistance_categories[kept.assistance_chosen] if kept.assistance_categories else ""
    del claim.other_assistance_categories[:]
    return claim


def split_of(kept: RecordBasis) -> np.ndarray:
    """Return SPLIT[1]: the sums over the lines."""
    split = np.zeros(1, SPLIT)
    facts_of(kept, np.zeros(1, CLAIM), split)
    return split


def incoming_of(claims: Sequence[claim_pb2.Claim]) -> Incoming:
    """Return claims decoded, as if they had come in one call."""
    data = claim_pb2.ClaimBatch(claims=claims).SerializeToString()
    starts, ends, _ = split_batch(data)
    heap = np.empty(len(data) + ID_BYTES * len(claims), np.uint8)
    heap[: len(data)] = np.frombuffer(data, np.uint8)
    decoded = decode(CLAIM_SCHEMA, heap[: len(data)], starts, ends, max_depth=BATCH_DEPTH, max_rows=MOST_ROWS)
    return Incoming(heap, len(data), starts, ends, decoded, decoded.tables[""], decoded.tables["lines"])
