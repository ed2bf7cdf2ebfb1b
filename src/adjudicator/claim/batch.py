"""What came in, what was resolved and what came out: the three stages of the claims of one call, as columns.

``Incoming`` is the decoded request, ``Resolved`` the facts that follow from the request and the rules alone, and
``Result`` what one round of pricing found over the persons' years. Each stage is handed to the next and never changed
by it: the arrays of ``Resolved`` are read-only, and a second round of pricing starts from the same facts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adjudicator.claim import problems
from adjudicator.claim.incoming import Incoming
from adjudicator.errors import Problem
from adjudicator.grouping.layout import GroupColumns
from adjudicator.v1 import settlement_pb2
from adjudicator.wire.digest import Digests
from adjudicator.wire.schema import compile_schema

SETTLEMENT_SCHEMA = compile_schema(settlement_pb2.Settlement.DESCRIPTOR)
NOT_DIGESTED = Digests(np.empty((0, 0), np.uint32), np.empty((0, 2), np.uint64))


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """What follows from the claims and the rules alone; arrays have one row a claim unless they say otherwise.

    Nothing changes it: the arrays are read-only.
    """

    incoming: Incoming
    claims: np.ndarray
    """CLAIM; ``error`` tells the claims that are refused whatever the person's year is."""
    lines: np.ndarray
    """LINE, all lines of the batch."""
    splits: np.ndarray
    line_splits: np.ndarray
    groups: np.ndarray
    group_scheme: np.ndarray
    """int64: scheme of the bundle that grouped the claim, -1 none."""
    codes: GroupColumns | None
    """Code ids of all claims, for the payment rules that look at diagnoses and procedures."""
    keys: np.ndarray
    """uint8[n, 16]: digest of institution, encounter, sequence and direction."""
    state_keys: np.ndarray
    """uint8[n, 16]: digest of person, scheme and benefit year."""
    persons: np.ndarray
    """uint8[n, 16]: digest of the person number."""
    good: np.ndarray
    """int64: rows of the claims that can be priced."""
    found: np.ndarray
    """PROBLEM, all problems that resolving noted."""
    warnings: Mapping[int, Sequence[Problem]]
    """Warnings of the coding checks, by row."""
    digests: Digests
    """Of the content of each claim; ``NOT_DIGESTED`` where nobody asked for them."""

    def __len__(self) -> int:
        return len(self.claims)

    def problems(self, row: int) -> list[Problem]:
        """Return everything that is wrong with a claim that cannot be priced, the decisive problem first."""
        found, warnings = self.found_in(row), self.warnings.get(row, ())
        return problems.collect(self.incoming, row, found, self.claims[row], problems.NO_DETAIL, warnings)

    def found_in(self, row: int) -> list[Problem]:
        """Return what resolving found wrong with a claim."""
        return problems.found_in(self.incoming, self.found[self.found["claim"] == row], row)


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What one round of pricing found: one row for each of ``rows``, rows of ``resolved``."""

    resolved: Resolved
    rows: np.ndarray
    claims: np.ndarray
    """CLAIM[k] as priced: with the assistance category that was chosen, and with ``error`` where it was refused."""
    errors: np.ndarray
    """int32[k]: number of the error that refused the claim, 0 for a priced one; ``claims["error"]``."""
    benefits: np.ndarray
    payments: np.ndarray
    state_rows: np.ndarray
    """int64[k]: row of the person-years that the claim changed."""
    before: np.ndarray
    """int64[k, 64]: the person's year before the claim."""
    after: np.ndarray
    """int64[k, 64]: the person's year after it."""
    quota_keys: np.ndarray
    """uint64[k]: disease quota that the claim used, 0 none."""
    quota_before: np.ndarray
    quota_after: np.ndarray
    days: np.ndarray
    """CARE_DAYS[k]: the days that the claim takes of the person's year, key 0 where it takes none or was refused."""
    elsewhere: np.ndarray
    """int64[k, len(kin.ELSEWHERE)]: of ``seen``, what is in the person's years in other schemes."""
    seen: np.ndarray
    """int64[k, 64]: the year that the claim was priced over: ``before``, or the one that it brought."""
    quota_seen: np.ndarray
    """int64[k]: what its disease quota had used in that year."""
    parts: np.ndarray
    """PART[k]: what each claim is as a part of its stay; no row where none is a part of a stay that goes on."""
    warnings: dict[int, list[Problem]]
    """Row of the batch -> what pricing noticed about a claim that is settled all the same."""
    details: dict[int, problems.Detail]
    """Row of the batch -> what its refusal is about, in words."""

    def problems(self, position: int) -> list[Problem]:
        """Return everything that is wrong with the claim at a position, the decisive problem first, then warnings."""
        row, facts = int(self.rows[position]), self.resolved
        warnings = [*facts.warnings.get(row, ()), *self.warnings.get(row, ())]
        detail = self.details.get(row, problems.NO_DETAIL)
        return problems.collect(facts.incoming, row, facts.found_in(row), self.claims[position], detail, warnings)
