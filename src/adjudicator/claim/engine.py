"""The engine: wire bytes of claims in, wire bytes of settlements out; everything between is columns.

``prepare`` does what depends on the claim alone (decode, resolve, line split, grouping) and gives ``Resolved``,
``price`` what depends on the person's year (benefit cascade, provider payment) and gives a ``Result``, ``encode``
writes the answers of a result. ``Resolved`` never changes: the service calls ``price`` again over the same facts when a
person's year moved between reading and committing. No I/O here; the deciding dates come with the claims.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator import columns
from adjudicator.benefit import settle as benefit
from adjudicator.benefit.records import PART
from adjudicator.claim import basis, care_days, problems
from adjudicator.claim import facts as own
from adjudicator.claim.answer_kernel import NO_PROBLEMS, PROBLEM_ROW, answer_rules, write_answers
from adjudicator.claim.assemble import IDENTITY_NAMES, OK, Amounts, Facts, Texts, Wanted, WireTables
from adjudicator.claim.batch import NOT_DIGESTED, Resolved, Result
from adjudicator.claim.care_days import CareDays
from adjudicator.claim.categories import choose_categories
from adjudicator.claim.fields import CLAIM_SCHEMA
from adjudicator.claim.groups import ClaimGrouper, Grouped, codes_of_rows
from adjudicator.claim.incoming import ID_BYTES, Incoming
from adjudicator.claim.kept_names import names_of
from adjudicator.claim.kin import ELSEWHERE, NO_KIN, Kin
from adjudicator.claim.lookup import Lookup
from adjudicator.claim.round_kernel import (
    IS_REFUSED,
    IS_UNDEFINED,
    Around,
    Priced,
    Round,
    pay_result,
    price_round,
)
from adjudicator.claim.state import UNKNOWN_CHAIN, PersonYears
from adjudicator.claim.text import TextHeap, group_text, static_text
from adjudicator.claim.warnings import doubts_of
from adjudicator.claim.without_lines import take_parts
from adjudicator.claim.years import ClaimYears
from adjudicator.compiled.held import hold
from adjudicator.errors import E, Problem, refuse
from adjudicator.limits import LAST_DATE, MAX_LINES_PER_CLAIM
from adjudicator.money import fen_to_yuan
from adjudicator.options import ExtraPosition, ReferralDeductible
from adjudicator.payment import pay as payment
from adjudicator.payment.registry import CLEARING_WAYS
from adjudicator.rules.bundle import Bundle
from adjudicator.v1 import settlement_pb2
from adjudicator.wire.decode import MAX_DEPTH, decode
from adjudicator.wire.digest import Digests, digests

MOST_ROWS = 4 * MAX_LINES_PER_CLAIM
"""Rows of all tables that one claim may have: a small message of empty lines must not become a large one in memory."""

OUTCOME_TRIAL = int(settlement_pb2.OUTCOME_TRIAL)
OUTCOME_SETTLED = int(settlement_pb2.OUTCOME_SETTLED)
"""The outcomes that ``encode`` writes for a claim without error."""


class Engine:
    """Prices claims under one immutable bundle; several threads may use it at once."""

    def __init__(self, bundle: Bundle):
        self.bundle = bundle
        self.lookup = Lookup(bundle)
        self._fact_rules = own.fact_rules(bundle, self.lookup)
        self._grouper = ClaimGrouper(bundle)
        self._benefit_rules = hold(bundle.benefit.rules)
        self._payment_rules = hold(bundle.payment.tables)
        by_lines = int(ExtraPosition.LINES)
        self._extra_by_lines = bool((bundle.plans.rows["extra_position"] == by_lines).any())
        heap = TextHeap()
        constant = static_text(heap, bundle.hash, bundle.rule_versions)
        schemes = [(one.name, one.texts.mdc_codes, one.texts.adrg_codes, one.texts.drg_codes) for one in bundle.schemes]
        texts = Texts(constant, group_text(heap, schemes), CLEARING_WAYS)
        self._answer_rules = answer_rules(texts, heap.array())
        self._basis_rules = basis.basis_rules(bundle.hash, self.lookup.arrays)

    # ---------------------------------------------------------------- what depends on the claim alone

    def prepare(
        self,
        buffer: bytes | memoryview,
        starts: np.ndarray,
        ends: np.ndarray,
        *,
        max_depth: int = MAX_DEPTH,
        digested: bool = False,
        latest: int = LAST_DATE,
    ) -> Resolved:
        """Decode, resolve, split and group the claims at ``starts``, ``ends`` (int64[n]) of ``buffer``.

        A claim that is malformed or wrong has ``claims["error"]`` and problems; the others go on (``good``). With
        ``digested`` the content gets digests, by which the ledger knows a claim that comes again. One that is settled
        after ``latest`` (YYYYMMDD) is refused: who has a clock names the day.
        """
        count, size = starts.shape[0], len(buffer)
        heap = np.empty(size + ID_BYTES * count, np.uint8)
        heap[:size] = np.frombuffer(buffer, np.uint8)
        decoded = decode(CLAIM_SCHEMA, heap[:size], starts, ends, max_depth=max_depth, max_rows=MOST_ROWS)
        content = digests(CLAIM_SCHEMA, heap[:size], starts, ends, decoded) if digested else NOT_DIGESTED
        incoming = Incoming(heap, size, starts, ends, decoded, decoded.tables[""], decoded.tables["lines"], latest)
        return self.resolve(incoming, content)

    def resolve(self, incoming: Incoming, content: Digests = NOT_DIGESTED, parts: np.ndarray | None = None) -> Resolved:
        """Resolve, split and group claims that are columns already, whatever they were decoded from.

        ``parts`` SPLIT[n]: the claims have no lines, and these are the parts of their totals.
        """
        came = own.came_of(incoming)
        noted, doubtful, facts = own.resolve_claims(self._fact_rules, came, incoming.latest, parts is None)
        claims = facts.claims
        found = facts.problems[facts.problems["number"] != 0] if noted else facts.problems[:0]
        if parts is not None:
            found = take_parts(claims, found, parts)
            facts = facts._replace(splits=parts)
            own.name_claims(self._fact_rules, came, facts)
        grouped = self._grouper.group(incoming, claims)
        if doubtful:
            self._look_again(incoming, claims, facts.doubtful, grouped)
        keys, states, persons = facts.names.view(np.uint8)
        for array in (*facts[:5], grouped.groups, grouped.scheme, keys, states, persons, found):
            array.setflags(write=False)
        return Resolved(
            incoming=incoming, claims=claims, lines=facts.lines, splits=facts.splits, line_splits=facts.line_splits,
            groups=grouped.groups, group_scheme=grouped.scheme, codes=grouped.codes,
            keys=keys, state_keys=states, persons=persons, good=(claims["error"] == 0).nonzero()[0],
            found=found, warnings=grouped.warnings, digests=content,
        )  # fmt: skip

    def _look_again(self, incoming: Incoming, claims: np.ndarray, doubtful: np.ndarray, grouped: Grouped) -> None:
        """Add the warnings about the claims that the sieve let through; refuse where the pack refuses a doubt."""
        for row in np.flatnonzero((doubtful != 0) & (claims["error"] == 0)).tolist():
            found = doubts_of(incoming, self.bundle, claims[row], row)
            refused = [problem.number for problem in found if not problem.warning]
            if refused:
                claims["error"][row] = min(refused)
            if found:
                grouped.warnings[row] = found + grouped.warnings.get(row, [])

    # ---------------------------------------------------------------- what depends on the person's year

    def price(self, resolved: Resolved, rows: np.ndarray, state_rows: np.ndarray, years: PersonYears) -> Result:
        """Price ``rows`` (int64[k], ascending) in order over ``years``, which it updates in place.

        state_rows int64[k]: row of ``years`` of each claim. Claims of one person follow each other, each over what the
        former left. ``Result.errors`` has the refusals; a refused claim leaves the year as it was.
        """
        count = rows.shape[0]
        amounts = np.zeros((6, count), np.int64)
        claims = resolved.claims.take(rows)  # as it stands; indexing would copy a record field by field
        result = Result(
            resolved=resolved, rows=rows, claims=claims, errors=claims["error"],
            benefits=np.zeros(count, columns.BENEFIT),
            payments=np.empty(count, columns.PAYMENT), state_rows=state_rows,
            before=np.empty((count, columns.ACCUMULATOR_COUNT), np.int64),
            after=np.empty((count, columns.ACCUMULATOR_COUNT), np.int64),
            quota_keys=np.zeros(count, np.uint64), quota_before=amounts[0], quota_after=amounts[1],
            days=np.zeros(count, columns.CARE_DAYS),
            elsewhere=np.zeros((count, len(ELSEWHERE)), np.int64),
            seen=np.empty((count, columns.ACCUMULATOR_COUNT), np.int64), quota_seen=amounts[2],
            parts=np.zeros(count if np.count_nonzero(claims["mid_stay"]) else 0, PART), warnings={}, details={},
        )  # fmt: skip
        days = None if years.days is None else CareDays.of(years.days, count)
        people = state_rows if years.kin is None else _people(result, years.kin, len(years.slots))
        for chosen in _rounds(people) if count > 1 else [slice(None)]:
            self._price_round(result, chosen, years, days)
        years.took, years.parts = result.days, result.parts
        if years.chains:
            self._doubt_chains(result, years)
        self._pay(result)
        return result

    def _price_round(
        self, result: Result, chosen: np.ndarray | slice, years: PersonYears, days: CareDays | None
    ) -> None:
        """Price one round: at most one claim a person."""
        whole = isinstance(chosen, slice)
        resolved, rows, state_rows = result.resolved, result.rows[chosen], result.state_rows[chosen]
        places = np.arange(len(rows)) if isinstance(chosen, slice) else chosen
        claims = result.claims if whole else result.claims.take(places)
        out = result.benefits if whole else np.zeros(len(rows), columns.BENEFIT)
        took = result.days if whole else np.zeros(len(rows), columns.CARE_DAYS)
        kin = NO_KIN if years.kin is None else years.kin.of(chosen)
        if days is not None:
            overlaps = days.take(resolved.incoming, rows, claims, (state_rows, kin), took)
            if overlaps is not None:
                self._doubt_days(result, rows, claims, overlaps)
        own = ClaimYears.gather(self.bundle, resolved.incoming, rows, claims, state_rows, years, result.details)
        if kin.rows.size:
            result.elsewhere[chosen] = own.add_elsewhere(claims, kin.elsewhere(years.slots))
        in_scope = (
            np.ascontiguousarray(resolved.line_splits["in_scope_fen"]) if self._extra_by_lines else benefit.NO_LINES
        )
        if resolved.incoming.decoded.tables["other_assistance_categories"].shape[0]:
            choose_categories(self.bundle, resolved, rows, claims, own, in_scope)
        parts = np.zeros(len(rows) if len(result.parts) else 0, PART)
        found = price_round(
            self._benefit_rules,
            Round(
                claims, rows, state_rows, own.slots, own.quotas, own.ledger_quota, own.stays.years_or_none,
                own.stays.parts, parts,
            ),
            resolved.splits, in_scope, out, years.slots,
            Around(
                places, result.before, result.after, result.seen, result.quota_keys,
                result.quota_before, result.quota_after, result.quota_seen,
            ),
        )  # fmt: skip
        if found & IS_UNDEFINED:
            for position in np.flatnonzero(claims["error"] == E.RULE_UNDEFINED).tolist():
                pack = self.bundle.packs[claims["pack"][position]]
                result.details[int(rows[position])] = problems.undefined_rule(pack, claims[position])
        own.give_quotas_back(state_rows, result.quota_after[chosen], years)
        if days is not None and found & IS_REFUSED:
            took["key"][claims["error"] != 0] = 0
        if days is not None and len(rows) < len(result.rows):  # further rounds look at what this one took
            days.add(took, state_rows)
        if not whole:
            for table, records in ((result.claims, claims), (result.benefits, out), (result.days, took)):
                _put(table, places, records)
        if len(parts):
            result.parts[chosen] = parts

    def _doubt_days(self, result: Result, rows: np.ndarray, claims: np.ndarray, overlaps: np.ndarray) -> None:
        """Warn of claims whose days overlap settled ones (OVERLAP[k]), or refuse them, as the pack says."""
        for position in np.flatnonzero((overlaps["found"] != 0) & (claims["error"] == 0)).tolist():
            is_visit = care_days.TAKEN_BY[claims["care_kind"][position]] == care_days.VISIT
            choices = self.bundle.packs[claims["pack"][position]].overlaps
            found = care_days.problems_of(overlaps[position], is_visit, choices)
            refused = [problem.number for problem in found if not problem.warning]
            if refused:
                claims["error"][position] = min(refused)
            if found:
                result.warnings.setdefault(int(rows[position]), []).extend(found)

    def _doubt_chains(self, result: Result, years: PersonYears) -> None:
        """Warn of referral chains that the ledger does not know, or knows with another amount than the claim (V03)."""
        knows_chains = self.bundle.plans.rows["deductible_referral"] != int(ReferralDeductible.NORMAL)
        for position, row in enumerate(result.rows.tolist()):
            charged_fen, plan = years.chains.get(row), int(result.benefits["plan"][position])
            if charged_fen is None or plan < 0 or not knows_chains[plan] or result.errors[position]:
                continue
            stated_fen = int(result.resolved.claims["chain_deductible_fen"][row])
            if charged_fen == UNKNOWN_CHAIN:
                problem = Problem(int(E.EARLIER_STAY_UNKNOWN), "referral_from_encounter", warning=True)
            elif stated_fen not in (0, charged_fen):
                detail = fen_to_yuan(charged_fen)
                problem = Problem(int(E.CHAIN_DEDUCTIBLE_DIFFERS), "referral_deductible_fen", detail, warning=True)
            else:
                continue
            result.warnings.setdefault(row, []).append(problem)

    def _pay(self, result: Result) -> None:
        """Fill in what the fund owes the institution.

        A claim that no rule pays is settled with a warning and nothing due.
        """
        resolved, rows, out, codes = result.resolved, result.rows, result.payments, result.resolved.codes
        if codes is not None and len(rows) < len(resolved.claims):
            codes = codes_of_rows(codes, rows)
        ids = payment.code_ids(self.bundle, len(rows), codes)
        priced = Priced(rows, result.claims, result.benefits, ids)
        if not pay_result(self._payment_rules, priced, resolved.splits, resolved.groups, out):
            return
        for position in np.flatnonzero(out["error"]).tolist():
            number = int(out["error"][position])
            out[position] = 0
            if result.claims["error"][position] == 0:
                row = int(rows[position])
                detail = problems.unpaid(
                    self.bundle, number, result.claims[position], resolved.groups[row], int(resolved.group_scheme[row])
                ) or resolved.incoming.text(row, "institution_code")
                problem = Problem(number, "payment", detail, warning=True)
                result.warnings.setdefault(row, []).append(problem)

    # ---------------------------------------------------------------- answers

    def encode(self, result: Result, outcome: int, rows: np.ndarray | None = None) -> Encoded:
        """Return the answers of ``rows`` of the batch, or, without them, of those of the result.

        A refused claim, and one that could not be priced, gets outcome REFUSED and why. Errors: E.INTERNAL when an
        identity of the national result (L1 … P1, A1, B1, D1) does not hold; then nothing may be recorded.
        """
        places = np.arange(len(result.rows))
        if rows is None:
            rows = result.rows
        elif len(rows) != len(places) or (rows != result.rows).any():
            of_batch = np.full(len(result.resolved), -1, np.int64)
            of_batch[result.rows] = places
            places = of_batch[rows]
        return self._answers(result, Wanted(rows, places, outcome))

    def encode_settled(self, result: Result, kept: np.ndarray) -> tuple[Encoded, Encoded]:
        """Return the answers of the claims at the positions ``kept`` of the result, and what their records keep."""
        answers = self._answers(result, Wanted(result.rows.take(kept), kept, OUTCOME_SETTLED))
        return answers, Encoded(*basis.write_basis(self._basis_rules, self._origin(result, kept)))

    def _origin(self, result: Result, kept: np.ndarray) -> basis.Origin:
        """Return what the records of the claims at the positions ``kept`` are made of."""
        incoming, rows = result.resolved.incoming, result.rows.take(kept)
        # The usual case, every claim of the batch, takes no copies.
        chosen: np.ndarray | slice = slice(None) if len(kept) == len(result.rows) else kept
        wire = incoming.claims if len(kept) == len(incoming.claims) else incoming.claims.take(rows)
        return basis.Origin(
            result.claims if isinstance(chosen, slice) else result.claims.take(kept), result.resolved.splits.take(rows),
            basis.PricedOver(
                result.seen[chosen], result.quota_keys[chosen], result.quota_seen[chosen], result.elsewhere[chosen]
            ),
            names_of(incoming, wire),
            result.parts.take(kept) if len(result.parts) else result.parts,
        )  # fmt: skip

    def _answers(self, result: Result, wanted: Wanted) -> Encoded:
        """Return the answers that are wanted."""
        resolved, incoming = result.resolved, result.resolved.incoming
        listed = _problem_lists(result, wanted.rows, wanted.places)
        heap, told = incoming.heap, NO_PROBLEMS
        if listed:
            count = len(wanted.rows)
            told = problems.ProblemTexts(
                np.zeros(sum(map(len, listed.values())), PROBLEM_ROW), *np.zeros((2, count), np.int64)
            )
            texts = problems.fill_table(listed, told, heap.shape[0])
            heap = np.concatenate((heap, np.frombuffer(texts, np.uint8)))
        octets, offsets, broken = write_answers(
            self._answer_rules,
            wanted,
            WireTables(heap, incoming.size, incoming.claims, incoming.lines),
            Facts(
                resolved.claims, resolved.splits, resolved.line_splits, resolved.groups, resolved.group_scheme,
                resolved.keys,
            ),
            Amounts(result.claims, result.benefits, result.payments),
            told,
        )  # fmt: skip
        if broken != OK:
            raise refuse(E.INTERNAL, detail=IDENTITY_NAMES[broken])
        if offsets[-1] < 0:
            raise refuse(E.INTERNAL, detail="a text of an answer lies outside its heap")
        return Encoded(octets, offsets)


class Encoded(NamedTuple):
    """Messages one after the other: uint8[:], and int64[n + 1] where each begins."""

    octets: np.ndarray
    offsets: np.ndarray


def _problem_lists(result: Result, rows: np.ndarray, places: np.ndarray) -> dict[int, list[Problem]]:
    """Return the problems by position in ``rows``; ``places`` int64[k] are their rows in the result, -1 none."""
    resolved = result.resolved
    silent = not (resolved.warnings or result.warnings or np.count_nonzero(result.errors))
    if silent and len(resolved.good) == len(resolved.claims):
        return {}
    unpriced = places < 0
    refused = unpriced | (result.claims["error"][places] != 0) if len(result.rows) else unpriced
    wrong = set(np.flatnonzero(refused).tolist())
    if resolved.warnings or result.warnings:
        warned = resolved.warnings.keys() | result.warnings.keys()
        wrong.update(position for position, row in enumerate(rows.tolist()) if row in warned)
    lists = {}
    for position in sorted(wrong):
        place = int(places[position])
        lists[position] = result.problems(place) if place >= 0 else resolved.problems(int(rows[position]))
    return lists


def _people(result: Result, kin: Kin, years: int) -> np.ndarray:
    """Return a number for each claim, int64[k], by which the claims of one person come in order.

    ``years``: person-years of the call. The row of the year will do, unless another year of the same person changes
    in this call too.
    """
    changing = np.zeros(years, np.bool_)
    changing[result.state_rows] = True
    if not changing[kin.rows].any():
        return result.state_rows
    persons = np.ascontiguousarray(result.resolved.persons[result.rows]).view(np.uint64)
    numbers: np.ndarray = np.unique(persons, axis=0, return_inverse=True)[1].reshape(-1)
    return numbers


def _put(table: np.ndarray, rows: np.ndarray, records: np.ndarray) -> None:
    """Write records to some rows of a table, each as it stands: assigning would go field by field."""
    whole = np.dtype((np.void, table.dtype.itemsize))
    table.view(whole)[rows] = records.view(whole)


def _rounds(state_rows: np.ndarray) -> list[np.ndarray | slice]:
    """Split claims into rounds with at most one claim a person each, in the order of the claims.

    >>> [chosen.tolist() for chosen in _rounds(np.array([0, 1, 0, 2, 0]))]
    [[0, 1, 3], [2], [4]]
    >>> _rounds(np.array([1, 0]))
    [slice(None, None, None)]
    """
    if state_rows.shape[0] <= 1:
        return [slice(None)]
    order = np.argsort(state_rows, kind="stable")
    ordered = state_rows[order]
    first = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    nth = np.empty(len(order), np.int64)
    nth[order] = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
    last = int(nth.max(initial=0))
    return [np.flatnonzero(nth == number) for number in range(last + 1)] if last else [slice(None)]
