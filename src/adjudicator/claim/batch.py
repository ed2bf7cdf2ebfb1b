"""What travels through the engine: the claims of one call as columns, and what pricing found."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from adjudicator.claim import problems
from adjudicator.errors import Problem
from adjudicator.grouping.group import GroupColumns
from adjudicator.v1 import claim_pb2, settlement_pb2
from adjudicator.wire import digest
from adjudicator.wire.schema import compile_schema

CLAIM_SCHEMA = compile_schema(claim_pb2.Claim.DESCRIPTOR)
SETTLEMENT_SCHEMA = compile_schema(settlement_pb2.Settlement.DESCRIPTOR)
FIELD_NAMES: tuple[str, ...] = tuple(CLAIM_SCHEMA.root_fields)
"""Names of the columns of ``Batch.digests``."""


@dataclass(slots=True)
class Batch:
    """Claims of one call, decoded and resolved; arrays have one row a claim unless they say otherwise."""

    heap: np.ndarray
    """uint8: the request bytes, then 32 bytes a claim for settlement ids."""
    id_start: int
    decoded: object
    """Wire tables of ``wire.decode``, by field path in ``decoded.tables``."""
    claims: np.ndarray
    lines: np.ndarray
    """LINE, all lines of the batch."""
    splits: np.ndarray
    line_splits: np.ndarray
    benefits: np.ndarray
    groups: np.ndarray
    group_scheme: np.ndarray
    """int64: scheme of the bundle that grouped the claim, -1 none."""
    codes: GroupColumns | None
    payments: np.ndarray
    found: np.ndarray
    """PROBLEM, all problems that resolving noted."""
    keys: np.ndarray
    """uint8[n, 16]: digest of institution, encounter, sequence and direction."""
    state_keys: np.ndarray
    """uint8[n, 16]: digest of person, scheme and benefit year."""
    persons: np.ndarray
    """uint8[n, 16]: digest of the person number."""
    warnings: dict[int, list[Problem]] = field(default_factory=dict)
    """Warnings of claims that are settled all the same."""
    details: dict[int, str] = field(default_factory=dict)
    """What a refusal of the benefit stage is about, in words, by row."""

    def __len__(self) -> int:
        return self.claims.shape[0]

    def good_rows(self) -> np.ndarray:
        """int64: the claims without an error so far."""
        return np.flatnonzero(self.claims["error"] == 0)

    def text(self, row: int, name: str) -> str:
        """A string field of one claim, for messages and the rare paths."""
        wire = self.decoded.tables[""][row]
        start = int(wire[f"{name}_start"])
        return bytes(self.heap[start : start + int(wire[f"{name}_size"])]).decode()

    def names(self, rows: np.ndarray) -> np.ndarray:
        """int64[k, 4]: start and size in ``heap`` of institution code and encounter id of the rows."""
        wire = self.decoded.tables[""][rows]
        parts = ("institution_code_start", "institution_code_size", "encounter_id_start", "encounter_id_size")
        return np.stack([wire[part].astype(np.int64) for part in parts], axis=1)

    def sequences(self, rows: np.ndarray) -> np.ndarray:
        """uint32[k]: settlement sequence of the rows."""
        return np.ascontiguousarray(self.decoded.tables[""]["settlement_sequence"][rows], np.uint32)

    def digests(self) -> tuple[np.ndarray, np.ndarray]:
        """Digests of each field uint32[n, fields] and of the content uint64[n, 2], whatever the order on the wire."""
        return digest.digests(CLAIM_SCHEMA, self.heap[: self.id_start], self.decoded)

    def problems(self, row: int) -> list[Problem]:
        """Everything that is wrong with a claim, the decisive problem first, then its warnings."""
        return problems.collect(self.found, self.claims, row, self.details.get(row, ""), self.warnings.get(row, ()))


@dataclass(slots=True)
class Priced:
    """What ``price`` found, one row for each of ``rows``."""

    rows: np.ndarray
    state_rows: np.ndarray
    """int64: row of the person-years that the claim changed."""
    before: np.ndarray
    """int64[k, 64]: the person's year before the claim."""
    after: np.ndarray
    """int64[k, 64]: the person's year after it."""
    quota_keys: np.ndarray
    """uint64: disease quota that the claim used, 0 none."""
    quota_before: np.ndarray
    quota_after: np.ndarray
    seen: np.ndarray
    """int64[k, 64]: the year that the claim was priced over: ``before``, or the one that it brought."""
    quota_seen: np.ndarray
    """int64[k]: what its disease quota had used in that year."""
