"""The engine: wire bytes of claims in, wire bytes of settlements out; everything between is columns.

``prepare`` does what depends on the claim alone (decode, resolve, line split, grouping), ``price`` what depends on the
person's year (benefit cascade, provider payment), ``encode`` writes the answers. The service calls ``price`` again when
a person's year moved between reading and committing. No I/O here; the deciding dates come with the claims.
"""

from __future__ import annotations

import numpy as np

from adjudicator import columns
from adjudicator.benefit import settle as benefit
from adjudicator.catalogue import lines
from adjudicator.claim import problems
from adjudicator.claim.assemble import FUND_COUNT, IDENTITY_NAMES, OK, assemble
from adjudicator.claim.batch import CLAIM_SCHEMA, SETTLEMENT_SCHEMA, Batch, Priced
from adjudicator.claim.categories import choose_categories
from adjudicator.claim.coding import check_claims
from adjudicator.claim.groups import group_claims
from adjudicator.claim.keys import fill_keys
from adjudicator.claim.lookup import Lookup
from adjudicator.claim.resolve import MOST_PROBLEMS, PROBLEM, resolve
from adjudicator.claim.state import PersonYears
from adjudicator.claim.text import TextHeap, group_text, static_text
from adjudicator.claim.years import ClaimYears
from adjudicator.codes import CLEARING_WAY, Method
from adjudicator.errors import E, Problem, refuse
from adjudicator.grouping.group import describe
from adjudicator.limits import MAX_LINES_PER_CLAIM
from adjudicator.options import ExtraPosition
from adjudicator.payment import pay as payment
from adjudicator.rules.bundle import Bundle
from adjudicator.v1 import settlement_pb2
from adjudicator.wire.decode import MAX_DEPTH, decode
from adjudicator.wire.encode import encode

MOST_ROWS = 4 * MAX_LINES_PER_CLAIM
"""Rows of all tables that one claim may have: a small message of empty lines must not become a large one in memory."""

OUTCOME_TRIAL = int(settlement_pb2.OUTCOME_TRIAL)
OUTCOME_SETTLED = int(settlement_pb2.OUTCOME_SETTLED)
"""The outcomes that ``encode`` writes for a claim without error."""

_CLEARING_WAYS = np.array([CLEARING_WAY[method] for method in Method], np.uint32)


class Engine:
    """Prices claims under one immutable bundle; several threads may use it at once."""

    def __init__(self, bundle: Bundle):
        self.bundle = bundle
        self.lookup = Lookup(bundle)
        by_lines = int(ExtraPosition.LINES)
        self._extra_by_lines = bool((bundle.plans.rows["extra_position"] == by_lines).any())
        heap = TextHeap()
        self._text = static_text(heap, bundle.hash, bundle.rule_versions)
        self._group_text = group_text(
            heap,
            [
                (scheme.name, scheme.texts.mdc_codes, scheme.texts.adrg_codes, scheme.texts.drg_codes)
                for scheme in bundle.schemes
            ],
        )
        self._static_heap = heap.array()

    # ---------------------------------------------------------------- what depends on the claim alone

    def prepare(
        self, buffer: bytes | memoryview, starts: np.ndarray, ends: np.ndarray, *, max_depth: int = MAX_DEPTH
    ) -> Batch:
        """Decodes, resolves, splits and groups the claims at ``starts``, ``ends`` (int64[n]) of ``buffer``.

        A claim that is malformed or wrong has ``claims["error"]`` and problems; the others go on.
        """
        batch = self._resolve(buffer, starts, ends, max_depth)
        lines.split_lines(self.bundle, batch.claims, batch.lines, batch.line_splits, batch.splits)
        batch.codes = group_claims(
            self.bundle, batch.heap, batch.decoded.tables, batch.claims, batch.groups, batch.group_scheme
        )
        check_claims(self.bundle, batch)
        return batch

    def _resolve(self, buffer: bytes | memoryview, starts: np.ndarray, ends: np.ndarray, max_depth: int) -> Batch:
        count, size = starts.shape[0], len(buffer)
        heap = np.empty(size + 32 * count, np.uint8)
        heap[:size] = np.frombuffer(buffer, np.uint8)
        decoded = decode(CLAIM_SCHEMA, heap[:size], starts, ends, max_depth=max_depth, max_rows=MOST_ROWS)
        wire_claims, wire_lines = decoded.tables[""], decoded.tables["lines"]
        claims = np.zeros(count, columns.CLAIM)
        resolved_lines = np.empty(wire_lines.shape[0], columns.LINE)  # resolve and split write every column
        found = np.zeros(MOST_PROBLEMS * count, PROBLEM)
        kept = resolve(
            heap, wire_claims, wire_lines, decoded.status, self.lookup.arrays, self.lookup.hospitals,
            self.lookup.names, self.lookup.items, claims, resolved_lines, found, _scratch(wire_claims),
            int(E.MALFORMED_MESSAGE),
        )  # fmt: skip
        benefit.decide_dates(self.bundle, claims)
        keys, states, persons = fill_keys(heap, wire_claims, claims)
        return Batch(
            heap=heap, id_start=size, decoded=decoded, claims=claims, lines=resolved_lines,
            splits=np.zeros(count, columns.SPLIT), line_splits=np.empty(wire_lines.shape[0], columns.LINE_SPLIT),
            benefits=np.zeros(count, columns.BENEFIT), groups=np.zeros(count, columns.GROUP),
            group_scheme=np.full(count, -1, np.int64), codes=None, payments=np.zeros(count, columns.PAYMENT),
            found=found[found["number"] != 0] if kept else found[:0], keys=keys, state_keys=states, persons=persons,
        )  # fmt: skip

    # ---------------------------------------------------------------- what depends on the person's year

    def price(self, batch: Batch, rows: np.ndarray, state_rows: np.ndarray, years: PersonYears) -> Priced:
        """Prices ``rows`` (int64[k]) in order over ``years``, which it updates in place.

        state_rows int64[k]: row of ``years`` of each claim. Claims of one person follow each other, each over what the
        former left. ``batch.claims["error"]`` takes refusals; a refused claim leaves the year as it was.
        """
        count = rows.shape[0]
        before, after, seen = (np.zeros((count, columns.ACCUMULATOR_COUNT), np.int64) for _ in range(3))
        used = [np.zeros(count, np.int64) for _ in range(3)]
        priced = Priced(rows, state_rows, before, after, np.zeros(count, np.uint64), used[0], used[1], seen, used[2])
        for chosen in _rounds(state_rows):
            self._price_round(batch, priced, chosen, years)
        self._pay(batch, rows)
        return priced

    def _price_round(self, batch: Batch, priced: Priced, chosen: np.ndarray, years: PersonYears) -> None:
        """One round: at most one claim a person."""
        rows, state_rows = priced.rows[chosen], priced.state_rows[chosen]
        claims = batch.claims[rows]
        own = ClaimYears.gather(self.bundle, batch, rows, claims, state_rows, years)
        out = np.zeros(rows.shape[0], columns.BENEFIT)
        in_scope = np.ascontiguousarray(batch.line_splits["in_scope_fen"]) if self._extra_by_lines else None
        if batch.decoded.tables["other_assistance_categories"].shape[0]:
            choose_categories(self.bundle, batch, rows, claims, own, in_scope)
        benefit.settle(self.bundle, claims, batch.splits[rows], own.slots, own.quotas, out, in_scope)
        failed = (claims["error"] == 0) & (out["error"] != 0)
        claims["error"][failed] = out["error"][failed]
        batch.claims["error"][rows] = claims["error"]
        for position in np.flatnonzero(claims["error"] == E.RULE_UNDEFINED).tolist():
            pack = self.bundle.packs[claims["pack"][position]]
            batch.details[int(rows[position])] = problems.undefined_rule(pack, claims[position])
        batch.benefits[rows] = out
        priced.before[chosen] = years.slots[state_rows]
        own.give_back(state_rows, years)
        priced.after[chosen] = years.slots[state_rows]
        priced.seen[chosen], priced.quota_seen[chosen] = own.slots_before, own.quota_before
        priced.quota_keys[chosen] = own.quotas["key"]
        priced.quota_before[chosen] = own.ledger_quota
        priced.quota_after[chosen] = own.ledger_quota + own.quotas["used_fen"] - own.quota_before

    def _pay(self, batch: Batch, rows: np.ndarray) -> None:
        """What the fund owes the institution; a claim that no rule pays is settled with a warning and nothing due."""
        out = np.zeros(len(batch), columns.PAYMENT)
        payment.pay(self.bundle, batch.claims, batch.splits, batch.benefits, batch.groups, out, batch.codes)
        batch.payments[rows] = out[rows]
        for row in rows[out["error"][rows] != 0].tolist():
            number = int(out["error"][row])
            batch.payments[row] = 0
            if batch.claims["error"][row] == 0:
                unpaid = Problem(number, "payment", self._unpaid(batch, row, number), warning=True)
                kept = [warning for warning in batch.warnings.get(row, []) if warning.field != "payment"]
                batch.warnings[row] = [*kept, unpaid]

    def _unpaid(self, batch: Batch, row: int, number: int) -> str:
        """What a payment problem is about: the group, the institution, or the month."""
        claim, scheme = batch.claims[row], int(batch.group_scheme[row])
        if number == E.GROUP_WITHOUT_POINTS and scheme >= 0:
            return describe(self.bundle.schemes[scheme], batch.groups[row])[2]
        if number == E.NO_POINT_VALUE:
            return str(int(claim["settlement_date"]) // 100)
        return batch.text(row, "institution_code")

    # ---------------------------------------------------------------- answers

    def encode(self, batch: Batch, rows: np.ndarray, outcome: int) -> tuple[np.ndarray, np.ndarray]:
        """Answers of ``rows``: bytes uint8[:] and int64[k + 1] offsets. Refused claims get outcome REFUSED and why.

        Errors: E.INTERNAL when an identity of the national result (L1 … P1, A1, B1, D1) does not hold; then
        nothing may be recorded.
        """
        by_row = self._problem_lists(batch, rows)
        line_count = int((batch.claims["line_end"][rows] - batch.claims["line_start"][rows]).sum())
        counts = {
            "": len(rows), "lines": line_count, "funds": FUND_COUNT * len(rows), "grouping": len(rows),
            "payment": len(rows), "problems": sum(map(len, by_row.values())),
        }  # fmt: skip
        out = _empty_answers(counts)
        identities = np.zeros(len(rows), np.int32)
        assemble(
            rows, outcome, batch.heap, batch.id_start, batch.keys, batch.decoded.tables[""],
            batch.decoded.tables["lines"], batch.claims, batch.splits, batch.line_splits, batch.benefits, batch.groups,
            batch.group_scheme, batch.payments, _CLEARING_WAYS, self._text, self._group_text,
            out[""], out["lines"], out["funds"], out["grouping"], out["payment"], identities,
        )  # fmt: skip
        broken = np.flatnonzero(identities != OK)
        if broken.size:
            raise refuse(E.INTERNAL, detail=IDENTITY_NAMES[int(identities[broken[0]])])
        heap = batch.heap
        if by_row:
            texts = problems.fill_table(by_row, out[""], out["problems"], heap.shape[0])
            heap = np.concatenate((heap, np.frombuffer(texts, np.uint8)))
        return encode(SETTLEMENT_SCHEMA, out, heap, self._static_heap)

    def _problem_lists(self, batch: Batch, rows: np.ndarray) -> dict[int, list[Problem]]:
        """Problems by position in ``rows``."""
        wrong = set(np.flatnonzero(batch.claims["error"][rows] != 0).tolist())
        if batch.warnings:
            wrong |= {position for position, row in enumerate(rows.tolist()) if row in batch.warnings}
        return {position: batch.problems(int(rows[position])) for position in sorted(wrong)}


_EMPTY_ROWS = SETTLEMENT_SCHEMA.allocate({path: 1 for path in SETTLEMENT_SCHEMA.paths})


def _empty_answers(counts: dict[str, int]) -> dict[str, np.ndarray]:
    """Answer tables; the rows of lines, funds and problems are written in full and need no clearing."""
    out = SETTLEMENT_SCHEMA.allocate(counts, clear=False)
    for path in ("", "grouping", "payment"):
        row_bytes = f"V{out[path].dtype.itemsize}"
        out[path].view(row_bytes)[:] = _EMPTY_ROWS[path].view(row_bytes)[0]
    return out


def _scratch(wire_claims: np.ndarray) -> np.ndarray:
    """Table for the line serials of the longest claim, at most half full: int32[2**k, 2]."""
    longest = int((wire_claims["lines_end"] - wire_claims["lines_start"]).max(initial=0))
    return np.zeros((1 << max(4, (2 * longest).bit_length()), 2), np.int32)


def _rounds(state_rows: np.ndarray) -> list[np.ndarray]:
    """Splits claims into rounds with at most one claim a person each, in the order of the claims.

    >>> [chosen.tolist() for chosen in _rounds(np.array([0, 1, 0, 2, 0]))]
    [[0, 1, 3], [2], [4]]
    """
    if state_rows.shape[0] <= 1:
        return [np.arange(state_rows.shape[0])]
    order = np.argsort(state_rows, kind="stable")
    ordered = state_rows[order]
    first = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    nth = np.empty(len(order), np.int64)
    nth[order] = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
    return [np.flatnonzero(nth == number) for number in range(int(nth.max(initial=-1)) + 1)]
