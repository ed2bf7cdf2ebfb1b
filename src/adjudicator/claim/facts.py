"""What follows from claims and rules alone, in one compiled call: codes, dates, names and the fee lines.

Claims without lines take two: between them their caller puts in the parts of their totals (``claim.without_lines``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator import columns
from adjudicator.benefit.dates import decide
from adjudicator.catalogue.layout import LineRules
from adjudicator.catalogue.line_split import LineBatch
from adjudicator.catalogue.lines import split_lines
from adjudicator.claim.fields import EMPTY_CLAIM, MOST_PROBLEMS, PROBLEM, Records
from adjudicator.claim.incoming import Incoming
from adjudicator.claim.keys import MATERIAL_BYTES, DigestKey, identity_keys
from adjudicator.claim.lookup import Lookup
from adjudicator.claim.resolve import LookupArrays, ResolvedColumns, WireClaims, resolve
from adjudicator.compiled.held import Held, hold
from adjudicator.compiled.jit import inlined, kernel
from adjudicator.rules.bundle import Bundle
from adjudicator.wire.digest import KEY


class FactRules(NamedTuple):
    """What the kernels read of a bundle."""

    look: LookupArrays
    rule_date: np.ndarray
    benefit_year: np.ndarray
    year_begins: np.ndarray
    lines: LineRules
    key: DigestKey


class Came(NamedTuple):
    """Claims as they were decoded."""

    heap: np.ndarray
    claims: np.ndarray  # wire table
    lines: np.ndarray  # wire table
    status: np.ndarray  # int32[n]: 0, or why the decoder refused the message


class Facts(NamedTuple):
    """What the claims of a batch are by themselves, n claims with m lines."""

    claims: np.ndarray  # CLAIM[n]
    lines: np.ndarray  # LINE[m]
    line_splits: np.ndarray  # LINE_SPLIT[m]
    splits: np.ndarray  # SPLIT[n]
    names: np.ndarray  # uint64[3, n, 2]: digests of settlement, person's year, person
    problems: np.ndarray  # PROBLEM[MOST_PROBLEMS * n]; number 0 where none was noted
    doubtful: np.ndarray  # uint8[n]: 1 where claim.warnings has to look


def fact_rules(bundle: Bundle, lookup: Lookup) -> Held:
    """Return what the kernels read of a bundle."""
    dates = bundle.benefit
    days = (dates.rule_date, dates.benefit_year, dates.year_begins)
    return hold(FactRules(lookup.arrays, *days, bundle.catalogue.rules, DigestKey(*KEY)))


def came_of(incoming: Incoming) -> Came:
    """Return the decoded claims as the kernels take them."""
    return Came(incoming.heap, incoming.claims, incoming.lines, incoming.decoded.status)


@inlined
def _numbers(records: np.ndarray) -> Records:
    """Return records as numbers of each size."""
    count, size = records.shape[0], records.itemsize
    return Records(
        records.view(np.int64).reshape(count, size // 8),
        records.view(np.int32).reshape(count, size // 4),
        records.view(np.int8).reshape(count, size),
    )


@inlined
def _most_lines(wire_claims: np.ndarray) -> int:
    """Return the lines of the longest claim."""
    most = np.int64(0)
    for row in range(wire_claims.shape[0]):
        most = max(most, wire_claims[row].lines_end - wire_claims[row].lines_start)
    return most


@inlined
def _room(count: int, line_count: int) -> Facts:
    """Return room for so many claims and lines."""
    claims = np.empty(count, columns.CLAIM)
    for row in range(count):
        claims[row] = EMPTY_CLAIM[0]
    return Facts(
        claims, np.empty(line_count, columns.LINE), np.empty(line_count, columns.LINE_SPLIT),
        np.empty(count, columns.SPLIT), np.empty((3, count, 2), np.uint64),
        np.zeros(MOST_PROBLEMS * count, PROBLEM), np.zeros(count, np.uint8),
    )  # fmt: skip


@inlined
def _name(rules: FactRules, came: Came, facts: Facts) -> None:
    """Decide the deciding dates, and name settlement, year and person."""
    decide(facts.claims, rules.rule_date, rules.benefit_year, rules.year_begins)
    identity_keys(came.heap, came.claims, facts.claims, rules.key, np.empty(MATERIAL_BYTES, np.uint8), facts.names)


@kernel
def resolve_claims(held: Held, came: Came, latest: int, with_lines: bool) -> tuple[int, int, Facts]:
    """Resolve the claims (``claim.resolve``), and with their lines name them and split the lines.

    ``latest``: a claim that is settled after this day (YYYYMMDD) is refused. Returns how many problems were noted, how
    many claims are doubtful, and the facts.
    """
    rules = held.it
    side = 16
    while side < 2 * _most_lines(came.claims):
        side *= 2
    facts = _room(came.claims.shape[0], came.lines.shape[0])
    wire = WireClaims(came.heap, came.claims, came.lines, came.status, _numbers(came.claims))
    out = ResolvedColumns(facts.claims, facts.lines, facts.problems, _numbers(facts.claims), facts.doubtful)
    noted, doubtful = resolve(wire, rules.look, out, np.zeros((side, 2), np.int32), latest), 0
    if with_lines:
        _name(rules, came, facts)
        split_lines(rules.lines, LineBatch(facts.claims, facts.lines, facts.line_splits, facts.splits))
    for row in range(facts.doubtful.shape[0]):
        doubtful += facts.doubtful[row] != 0
    return noted, doubtful, facts


@kernel
def name_claims(held: Held, came: Came, facts: Facts) -> None:
    """Decide the deciding dates, and name settlement, year and person, of claims without lines."""
    _name(held.it, came, facts)
