"""The sweep: scenes at every break ± 1 fen, alone and after one another, then a walk, through every relation."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from adjudicator.probe.cells import Cells, cells_of
from adjudicator.probe.edges import TOP_FEN, Breaks, Sample, breaks_of, sample_of
from adjudicator.probe.relations import FAMILIES, RELATIONS, Relation, View
from adjudicator.probe.scenes import (
    AFTER_FUNDS,
    BATCH_SCENES,
    DEDUCTIBLE,
    FIRST_FUND,
    FIRST_PAY,
    IN_SCOPE,
    PAID,
    PERSONAL,
    SELF_PAID,
    Outcome,
    Pricer,
    Scenes,
    batches,
    double,
    single,
)
from adjudicator.rules.bundle import Bundle

ORDINARY_FEN = 1_000_000
MOST_PAIRS = 48
"""Scenes of two claims that the sweep draws of one cell; the walk goes on from there."""
EVERY_WITH_FIRST_PAY = 4
"""So many scenes one is swept again with a first pay of a fifth of the cost in scope."""
SINGLE_FAMILIES = tuple(
    name for name in FAMILIES if name not in ("other_order", "two_hospitals", "cut_in_two", "in_parts")
)
PAYERS_TO_BLAME = tuple(name.removesuffix("_fen") for name in PAID[:AFTER_FUNDS])
"""The deductible and the funds, as a finding names them."""
_FAMILY_RELATIONS: dict[str, tuple[Relation, ...]] = {
    name: tuple(relation for relation in RELATIONS if relation.family == name) for name in FAMILIES
}


class Witness(NamedTuple):
    """Scenes of the base that break a relation."""

    cell: int
    partner: int
    """The better cell of a relation between two cells, -1 none."""
    fen: np.ndarray
    """int64[w, 3]"""
    by_fen: int
    """By how much it is broken."""
    weight: tuple[int, int, int]
    """Plainness of the cell, number of claims, cost; the least one is kept."""


@dataclass(slots=True)
class Broken:
    """One relation broken in one plan by one payer."""

    relation: str
    plan: str
    by: str
    """The payer to blame."""
    count: int = 0
    worst_fen: int = 0
    witness: Witness | None = None


@dataclass(slots=True)
class Probe:
    """What a probe of a pack has seen so far."""

    bundle: Bundle
    cells: Cells
    pricer: Pricer
    rules: Sample
    breaks: Breaks
    broken: dict[tuple[str, str, str], Broken] = field(default_factory=dict)
    scenes: int = 0
    seconds: float = 0.0
    """CPU seconds of the process."""

    @property
    def claims(self) -> int:
        """Claims priced."""
        return self.pricer.count

    def plan_of(self, cell: int) -> str:
        """Return the id of a cell's plan."""
        return str(self.bundle.plans.versions[int(self.cells.row[cell])].plan.id)


def probe_of(bundle: Bundle, date: int = 0) -> Probe:
    """Return a probe of the first pack of a bundle with its cells and breaks, before any sweep."""
    began = time.process_time()
    cells = cells_of(bundle, date)
    pricer, rules = Pricer(bundle, cells), sample_of(bundle, cells)
    probe = Probe(bundle, cells, pricer, rules, breaks_of(pricer, rules))
    probe.seconds = time.process_time() - began
    return probe


def sweep(probe: Probe, claims: int = 0, seed: int = 1) -> None:
    """Run every scene at the breaks, then a walk until ``claims`` have been priced in all."""
    began = time.process_time()
    for scenes in (*_at_breaks(probe), *_two_at_breaks(probe)):
        for batch in batches(len(scenes.cell)):
            _run(probe, scenes.rows(np.arange(batch.start, batch.stop)))
    for scenes in walk(probe, seed):
        if probe.claims >= claims:
            break
        _run(probe, scenes)
    probe.seconds += time.process_time() - began


# -------------------------------------------------------------------- scenes


def _at_breaks(probe: Probe) -> Iterator[Scenes]:
    """Yield scenes of one claim: each cell at its own breaks and those of the cells it is compared with."""
    pairs = np.concatenate([np.zeros((0, 2), np.int64), *probe.cells.steps.values()])
    cells, fens = [probe.breaks.cell], [probe.breaks.fen]
    better = np.unique(pairs, axis=0)
    for cell, other in better.tolist():
        of_other = probe.breaks.of(other)
        cells.append(np.full(len(of_other), cell))
        fens.append(of_other)
    of_cell, fen = np.concatenate(cells), np.concatenate(fens)
    every = np.arange(len(probe.cells))
    of_cell = np.concatenate([of_cell, of_cell, of_cell, every, every])
    fen = np.concatenate([fen - 1, fen, fen + 1, np.full(len(every), 100), np.full(len(every), TOP_FEN // 2)])
    both = np.unique(np.stack((of_cell, fen), axis=1), axis=0)
    middle = (both[1:, 1] + both[:-1, 1]) // 2
    inside = (both[1:, 0] == both[:-1, 0]) & (middle > both[:-1, 1])
    more = np.stack((both[1:, 0], middle), axis=1)[inside]
    both = np.concatenate([both, more])
    both = both[both[:, 1] > 0]
    yield single(both[:, 0], both[:, 1])
    scenes = single(both[::EVERY_WITH_FIRST_PAY, 0], both[::EVERY_WITH_FIRST_PAY, 1])
    scenes.fen[:, 0, FIRST_PAY] = scenes.fen[:, 0, IN_SCOPE] // 5
    yield scenes


def _two_at_breaks(probe: Probe) -> Iterator[Scenes]:
    """Yield scenes of two claims: the first ends at a break of the year ± 1 fen, the second at one of its own.

    A stay of one fen before each break is always among them, and each break in halves: that is how a stay is cut.
    """
    pairs = [_pairs(number, np.unique(probe.breaks.of(number))) for number in range(len(probe.cells))]
    if pairs:
        cell = np.repeat(np.arange(len(pairs)), [len(some) for some in pairs])
        both = np.concatenate(pairs)
        scenes = double(cell, both[:, 0], both[:, 1])
        yield scenes
        scenes = scenes.rows(np.arange(0, len(cell), EVERY_WITH_FIRST_PAY))
        scenes.fen[:, -1, FIRST_PAY] = scenes.fen[:, -1, IN_SCOPE] // 5
        yield scenes


def _pairs(number: int, fen: np.ndarray) -> np.ndarray:
    """Return int64[n, 2]: costs of two claims of a cell with some breaks."""
    fen = fen if len(fen) else np.array([ORDINARY_FEN])
    one = np.ones(len(fen), np.int64)
    always = [(one, fen), (one, fen + 1), (fen, fen), (fen // 2, fen - fen // 2), (fen - 1, 2 * one), (fen, one)]
    near = np.concatenate([fen - 1, fen, fen + 1, fen // 2])
    left, right = (grid.ravel() for grid in np.meshgrid(near, near, indexing="ij"))
    more = np.stack((np.tile(left, 2), np.concatenate([right, np.maximum(right - left, 1)])), axis=1)
    more = np.unique(more, axis=0)
    chosen = np.random.default_rng(number).permutation(len(more))[:MOST_PAIRS]
    both = np.unique(np.concatenate([*(np.stack(pair, axis=1) for pair in always), more[chosen]]), axis=0)
    found: np.ndarray = both[both.min(axis=1) > 0]
    return found


GOLDEN = np.array([0.8191725133961645, 0.6710436067037893, 0.5497004779019703])
"""Steps of a sequence that fills the cube evenly (R3 of M. Roberts): powers of the root of x**4 = x + 1."""


def walk(probe: Probe, seed: int) -> Iterator[Scenes]:
    """Yield batches of scenes without end: costs spread evenly over their magnitudes, one or two claims, three parts.

    Costs are a point of an even sequence; a quarter of the claims has first pay and cost outside the catalogue.
    """
    random, position, top = np.random.default_rng(seed), 0, np.log(TOP_FEN)
    if not len(probe.cells):
        return
    while True:
        point = (seed * 0.5 + GOLDEN * np.arange(position, position + BATCH_SCENES)[:, None]) % 1
        position += BATCH_SCENES
        cell = np.sort(random.integers(0, len(probe.cells), BATCH_SCENES))
        fen = np.maximum(np.exp(point * top).astype(np.int64), 1)
        scenes = double(cell, fen[:, 0], fen[:, 1]) if position // BATCH_SCENES % 2 else single(cell, fen[:, 0])
        other = random.random(BATCH_SCENES) < 0.25
        scenes.fen[other, -1, FIRST_PAY] = fen[other, 2]
        scenes.fen[other, -1, SELF_PAID] = fen[other, 2] // 2
        yield scenes


# -------------------------------------------------------------------- relations


def _run(probe: Probe, base: Scenes) -> None:
    """Price a batch and what each family makes of it, and note what is broken."""
    pricer, rules = probe.pricer, probe.rules.rows(base.cell[:, 0])
    outcome = pricer.price(base)
    probe.scenes += len(base.cell)
    _judge(probe, base, View(outcome, outcome, rules), "alone", np.arange(len(base.cell)), None)
    names = FAMILIES if base.cell.shape[1] == 2 else SINGLE_FAMILIES
    for name in names:
        if name != "alone":
            compare(probe, name, base, rules, outcome)


def compare(probe: Probe, name: str, base: Scenes, rules: Sample, outcome: Outcome) -> None:
    """Price what a family makes of some scenes, and note what is broken."""
    pair = FAMILIES[name](base, rules, probe.cells.steps)
    if pair is None or pair.b is None:
        return
    for batch in batches(len(pair.rows)):
        some = np.arange(batch.start, batch.stop)
        own = pair.rows[some]
        a = outcome.rows(own) if pair.a is None else probe.pricer.price(pair.a.rows(some))
        b_scenes = pair.b.rows(some)
        b = outcome.rows(own) if pair.b is base else probe.pricer.price(b_scenes)
        partner = None if pair.partner is None else pair.partner[some]
        _judge(probe, base, View(a, b, rules.rows(own)), name, own, partner)


def blame(view: View, relation: Relation) -> np.ndarray:
    """Return for each pair the position in PAYERS_TO_BLAME of the payer that breaks a relation."""
    if relation.blamed is not None:
        return np.full(len(view.a.paid), relation.blamed)
    if view.a is view.b:
        return np.asarray(view.a.paid[:, :AFTER_FUNDS].argmin(axis=1))
    change = view.b.paid[:, :AFTER_FUNDS] - view.a.paid[:, :AFTER_FUNDS]
    if relation.sign == 0:
        rise = view.b.paid[:, PERSONAL] - view.a.paid[:, PERSONAL]
        change = change * np.where(rise < 0, -1, 1)[:, None]
    sign = relation.sign or -1
    funds = change[:, FIRST_FUND:] * sign
    payer = funds.argmax(axis=1)
    deductible = -sign * change[:, DEDUCTIBLE]
    return np.where((deductible > 0) & (2 * deductible >= funds.max(axis=1)), DEDUCTIBLE, FIRST_FUND + payer)


def _judge(probe: Probe, base: Scenes, view: View, family: str, own: np.ndarray, partner: np.ndarray | None) -> None:
    fine = (view.a.error == 0) & (view.b.error == 0)
    for relation in _FAMILY_RELATIONS[family]:
        amount = relation.broken(view)
        wrong = np.flatnonzero(fine & (amount > relation.most_fen))
        if len(wrong):
            _note(probe, base, relation, own[wrong], amount[wrong], blame(view, relation)[wrong],
                  None if partner is None else partner[wrong])  # fmt: skip


def _note(
    probe: Probe, base: Scenes, relation: Relation, own: np.ndarray, amount: np.ndarray, payer: np.ndarray,
    partner: np.ndarray | None,
) -> None:  # fmt: skip
    """Count what is broken by plan and payer, and keep the plainest and cheapest witness of each."""
    cell = base.cell[own, 0]
    row, weight = probe.cells.row[cell], probe.cells.weight[cell]
    cost = base.fen[own].sum(axis=(1, 2))
    key = row * len(PAYERS_TO_BLAME) + payer
    order = np.lexsort((cost, weight, key))
    _, firsts, counts = np.unique(key[order], return_index=True, return_counts=True)
    worst = np.maximum.reduceat(amount[order], firsts)
    for at, count, most in zip(order[firsts].tolist(), counts.tolist(), worst.tolist(), strict=True):
        name = (relation.name, probe.plan_of(int(cell[at])), PAYERS_TO_BLAME[int(payer[at])])
        broken = probe.broken.setdefault(name, Broken(*name))
        broken.count += count
        broken.worst_fen = max(broken.worst_fen, most)
        new = (int(weight[at]), base.cell.shape[1], int(cost[at]))
        if broken.witness is None or new < broken.witness.weight:
            other = -1 if partner is None else int(partner[at])
            broken.witness = Witness(int(cell[at]), other, base.fen[own[at]].copy(), int(amount[at]), new)


# -------------------------------------------------------------------- combinations without a rule


class Undefined(NamedTuple):
    """Cells of a plan that refuse a claim of 10,000 yuan."""

    plan: str
    error: int
    cells: tuple[int, ...]
    whole: tuple[tuple[str, int], ...]
    """Fields of CLAIM (``group`` for the person group) with a value of which every cell of the plan is refused."""


UNDEFINED_BY = ("group", "deductible_level", "place", "filing", "settled_at_counter", "maternity_type")


def undefined_of(probe: Probe) -> list[Undefined]:
    """Return the cells without a rule, by plan and error."""
    every = np.arange(len(probe.cells))
    errors = [probe.pricer.price(single(every[some], np.full(len(every[some]), ORDINARY_FEN))).error
              for some in batches(len(every))]  # fmt: skip
    error = np.concatenate(errors or [np.zeros(0, np.int64)])
    plans = np.array([probe.plan_of(cell) for cell in range(len(probe.cells))])
    values = {name: probe.cells.claims[name] for name in UNDEFINED_BY[1:]} | {"group": probe.cells.group}
    found = []
    for plan, number in dict.fromkeys(zip(plans[error != 0].tolist(), error[error != 0].tolist(), strict=True)):
        of_plan = plans == plan
        whole = [
            (name, int(value))
            for name in UNDEFINED_BY
            for value in np.unique(values[name][of_plan])
            if (error[of_plan & (values[name] == value)] != 0).all()
        ]
        cells = np.flatnonzero(of_plan & (error == number)).tolist()
        found.append(Undefined(plan, number, tuple(cells), tuple(whole)))
    return found
