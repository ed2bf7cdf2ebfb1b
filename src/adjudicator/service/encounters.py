"""Claims that are not the first settlement of their encounter: what stands of it is read before they are priced."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator.claim.batch import Resolved
from adjudicator.claim.state import StayParts
from adjudicator.errors import AdjudicatorError
from adjudicator.ledger.encounter import (
    Earlier,
    Name,
    chain_charged,
    check_lines,
    check_next,
    standing_parts,
    stay_parts,
)
from adjudicator.ledger.record import Record
from adjudicator.ledger.store import Ledger


class Checked(NamedTuple):
    """What the ledger says about some claims, by row of the batch."""

    refused: dict[int, AdjudicatorError]
    """Claims whose number is not the next one, or which settle something again."""
    stays: dict[int, StayParts]
    """The earlier parts of stays that go on."""


def name_of(resolved: Resolved, row: int) -> Name:
    """Return which settlement a claim is."""
    incoming = resolved.incoming
    return Name(
        incoming.text(row, "institution_code"), incoming.text(row, "encounter_id"),
        int(incoming.claims["settlement_sequence"][row]),
    )  # fmt: skip


async def check_encounters(ledger: Ledger, pool: str, resolved: Resolved, rows: np.ndarray) -> Checked:
    """Read what stands of the encounters of ``rows``, none of which is the first settlement of its encounter."""
    named = {row: name_of(resolved, row) for row in rows.tolist()}
    before = await _read(ledger, pool, [(name, [name.sequence - 1]) for name in named.values()])
    checked = Checked({}, {})
    open_rows = []
    for row, (earlier,) in zip(named, before, strict=True):
        try:
            check_next(named[row], resolved.persons[row].tobytes(), earlier)
            open_rows.append((row, earlier))
        except AdjudicatorError as refusal:
            checked.refused[row] = refusal
    older = await _read(ledger, pool, [(named[row], range(1, named[row].sequence - 1)) for row, _ in open_rows])
    for (row, last), others in zip(open_rows, older, strict=True):
        parts = standing_parts([*others, last])
        try:
            check_lines(_line_ids(resolved, row), parts)
        except AdjudicatorError as refusal:
            checked.refused[row] = refusal
        if parts:
            checked.stays[row] = stay_parts(parts, resolved.state_keys[row].tobytes())
    return checked


async def chains_of(
    ledger: Ledger, pool: str, resolved: Resolved, rows: np.ndarray, last: np.ndarray
) -> dict[int, int]:
    """Return what the referral chain of each claim was charged, in fen, or UNKNOWN_CHAIN, by row of the batch.

    ``rows``: claims that name an earlier stay; ``last`` uint8[k, 16]: key of the latest settlement of their years.
    """
    chains = {}
    for row, key in zip(rows.tolist(), last, strict=True):
        standing = [record async for record in ledger.standing(pool, key.tobytes())]
        chains[row] = chain_charged(standing, resolved.incoming.text(row, "referral_from_encounter"))
    return chains


async def stay_of(ledger: Ledger, record: Record) -> StayParts | None:
    """Return the earlier parts of the stay that a recorded settlement goes on with, None where it began the stay."""
    if record.sequence <= 1 or record.state_key is None:
        return None
    name = Name(record.institution, record.encounter, record.sequence)
    (earlier,) = await _read(ledger, f"{record.pool:06d}", [(name, range(1, record.sequence))])
    parts = standing_parts(earlier)
    return stay_parts(parts, record.state_key) if parts else None


async def _read(ledger: Ledger, pool: str, wanted: list[tuple[Name, list[int] | range]]) -> list[list[Earlier]]:
    """Return, for each encounter, what the ledger has of some of its numbers."""
    keys = b"".join(name.keys(numbers) for name, numbers in wanted)
    known = (await ledger.read(pool, keys, b"")).known if keys else {}
    found, place = [], 0
    for _, numbers in wanted:
        places = range(place, place + 2 * len(numbers), 2)
        found.append([Earlier(known.get(at), at + 1 in known) for at in places])
        place += 2 * len(numbers)
    return found


def _line_ids(resolved: Resolved, row: int) -> list[str]:
    """Return the line ids of a claim."""
    incoming = resolved.incoming
    lines = incoming.lines[incoming.claims["lines_start"][row] : incoming.claims["lines_end"][row]]
    spans = zip(lines["line_id_start"].tolist(), lines["line_id_size"].tolist(), strict=True)
    return [bytes(incoming.heap[start : start + size]).decode() for start, size in spans]
