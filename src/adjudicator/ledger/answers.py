"""An answer as a record keeps it: without what follows from the rest of the record, and put together again.

``ledger.record_kernel`` takes the answers of a batch apart; this module does it with single ones, and puts together.
"""

from __future__ import annotations

from typing import NamedTuple

from google.protobuf.message import DecodeError

from adjudicator.ledger.checksums import checksum
from adjudicator.ledger.fee_lines import decode_lines, encode_lines
from adjudicator.ledger.record_kernel import FOLLOWS
from adjudicator.v1.record_pb2 import RecordBasis
from adjudicator.v1.settlement_pb2 import Settlement


class Frame(NamedTuple):
    """What an answer shares with its record."""

    institution: str
    encounter: str
    sequence: int
    direction: int
    key: bytes
    basis: bytes

    def fill(self, answer: Settlement) -> None:
        """Set the fields that follow from the record."""
        answer.institution_code, answer.encounter_id = self.institution, self.encounter
        answer.settlement_sequence, answer.direction = self.sequence, self.direction  # type: ignore[assignment]
        answer.settlement_id = self.key.hex()
        if self.basis:
            answer.rules_hash = f"{RecordBasis.FromString(self.basis).rules_hash:016x}"


def checksum_of(answer: bytes) -> int:
    """Return the 32 bits that a record keeps of the whole answer."""
    return checksum(answer) & 0xFFFFFFFF


def take_apart(answer: bytes, frame: Frame) -> tuple[bytes, bytes] | None:
    """Return the answer without what follows, and its lines; None where it would not come out the same again."""
    try:
        rest = Settlement.FromString(answer)
        lines = encode_lines(rest.lines)
        if lines is None:
            return None
        for name in FOLLOWS:
            rest.ClearField(name)
        kept = rest.SerializeToString()
        return (kept, lines) if kept and put_together(kept, lines, frame) == answer else None
    except (DecodeError, ValueError):
        return None


def put_together(kept: bytes, lines: bytes, frame: Frame) -> bytes:
    """Return the answer as it was sent. Raises ValueError where what is kept cannot be read."""
    try:
        answer = Settlement.FromString(kept)
        frame.fill(answer)
    except DecodeError as error:
        raise ValueError("its answer cannot be read") from error
    answer.lines.extend(decode_lines(lines))
    return answer.SerializeToString()
