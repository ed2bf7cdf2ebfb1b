"""The encounter (就诊): which settlements of it stand, and whether one more may be taken.

An encounter is paid once. Its settlements are numbered 1, 2, 3, …: the next number is taken only when the settlement
before it was a part of a stay that goes on, or has been taken back. Both facts never change once they are true, and
each number is committed once; so two callers at the same time cannot both be paid, whichever of them is faster.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from adjudicator.claim.basis import read_basis, stay_part_of, year_before
from adjudicator.claim.keys import DIRECTION_REVERSE, DIRECTION_SETTLE, settlement_key
from adjudicator.claim.state import UNKNOWN_CHAIN, Part, StayParts, stay_of_parts
from adjudicator.errors import E, refuse
from adjudicator.ledger.layout import Kind
from adjudicator.ledger.record import Record
from adjudicator.v1 import settlement_pb2


class Name(NamedTuple):
    """Which settlement it is: the parts of its key."""

    institution: str
    encounter: str
    sequence: int

    def key(self, sequence: int, direction: int = DIRECTION_SETTLE) -> bytes:
        """Return the key of a settlement of the same encounter, or of its reversal."""
        return settlement_key(self.institution, self.encounter, sequence, direction)

    def keys(self, sequences: Iterable[int]) -> bytes:
        """Return two keys for each number, 16 bytes each: of the settlement and of its reversal."""
        pairs = ((self.key(number), self.key(number, DIRECTION_REVERSE)) for number in sequences)
        return b"".join(key for pair in pairs for key in pair)


class Earlier(NamedTuple):
    """An earlier settlement of the encounter; None where the ledger has none of that number."""

    record: Record | None
    is_reversed: bool


def check_next(name: Name, person: bytes, before: Earlier) -> None:
    """Refuse a settlement whose number is not the next one of its encounter.

    ``before`` is the settlement of the number before, ``person`` the digest of the claim's person number. Errors:
    E.SEQUENCE_NOT_NEXT, ENCOUNTER_OF_ANOTHER_PERSON, ENCOUNTER_SETTLED.
    """
    number = str(name.sequence - 1)
    if before.record is None:
        raise refuse(E.SEQUENCE_NOT_NEXT, "settlement_sequence", number)
    if before.record.person != person:
        raise refuse(E.ENCOUNTER_OF_ANOTHER_PERSON, "person_id")
    if not before.is_reversed and not is_part(before.record):
        raise refuse(E.ENCOUNTER_SETTLED, "settlement_sequence", number)


def is_part(record: Record) -> bool:
    """Return whether a settlement was a part of a stay that goes on (mid-stay, 中途结算)."""
    basis = read_basis(record.basis)
    return basis is not None and basis.facts.mid_stay


def standing_parts(earlier: Iterable[Earlier]) -> list[Record]:
    """Return the settlements of the encounter that stand, in order: all of them parts of the stay."""
    return [one.record for one in earlier if one.record is not None and not one.is_reversed]


def stay_parts(parts: Sequence[Record], state_key: bytes) -> StayParts:
    """Return what pricing needs of a stay that goes on: ``parts`` (at least one) in order, the claim's person-year."""
    return stay_of_parts([_part_of(part) for part in parts], state_key)


def _part_of(part: Record) -> Part:
    """Return what pricing needs of one part. Errors: E.LEDGER_CORRUPT."""
    basis = read_basis(part.basis)
    if basis is None:
        raise refuse(E.LEDGER_CORRUPT, detail="a part of a stay keeps nothing of its claim")
    return Part(part.state_key, year_before(basis), _charged_fen(part), stay_part_of(basis))


def _charged_fen(part: Record) -> int:
    return settlement_pb2.Settlement.FromString(part.answer).deductible_fen


def chain_charged(standing: Iterable[Record], encounter: str) -> int:
    """Return the deductible that a referral chain was charged up to an encounter, in fen, or UNKNOWN_CHAIN.

    ``standing``: settlements of the person's year that stand. The parts of a stay belong together; what the chain was
    charged before it stands in its basis.
    """
    parts = [record for record in standing if record.encounter == encounter and record.kind == Kind.SETTLE]
    if not parts:
        return UNKNOWN_CHAIN
    basis = read_basis(parts[0].basis)
    before = basis.facts.chain_deductible_fen if basis is not None and basis.facts.chain_continues else 0
    return before + sum(map(_charged_fen, parts))


def check_lines(line_ids: Sequence[str], parts: Iterable[Record]) -> None:
    """Refuse a fee line that an earlier part of the stay has settled. Errors: E.LINE_SETTLED_BEFORE."""
    for part in parts:
        settled = {line.line_id for line in settlement_pb2.Settlement.FromString(part.answer).lines}
        for position, line_id in enumerate(line_ids):
            if line_id in settled:
                raise refuse(E.LINE_SETTLED_BEFORE, f"lines[{position}].line_id", str(part.sequence))
