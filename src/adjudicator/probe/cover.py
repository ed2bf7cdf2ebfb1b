"""The smallest set of cases that reaches every value of every plan at its edges, for an officer to read and sign.

Elements are the sides of edges (one fen below and one fen above), each with the persons, categories, places or diseases
that its value tells apart, and each rate, category, way and circumstance in use. A case covers some; the greedy cover
takes the case that covers most that is not yet covered.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from adjudicator.benefit.plan.keys import KEY
from adjudicator.codes import CHANNEL_ZH, FILING_ZH, PLACE_ZH, Channel, Filing, Place
from adjudicator.money import fen_to_yuan
from adjudicator.probe.casefile import case_of
from adjudicator.probe.cells import Cells, cells_of
from adjudicator.probe.edges import Breaks, Sample, acting_edges, breaks_of, sample_of
from adjudicator.probe.scenes import Pricer, Scenes, batches, double, single
from adjudicator.rules.bundle import Bundle

AXES: dict[str, tuple[str, ...]] = {
    "disease_quota": ("disease", "care"), "fixed_price": ("disease", "care"), "cross_region": ("way",),
    "programme": ("programme",), "limit_yuan": ("group", "special"), "account_current": ("special",),
    "tier_from_yuan": ("group", "level"), "floor_percent": ("group", "level"),
    "maternity_quota_yuan": ("maternity", "fetuses"),
}  # fmt: skip
"""What tells the cells of an edge apart, where it is not the axes of its key."""
ORDINARY_FEN = 1_000_000
BELOW, ABOVE, IN_USE = "below", "above", "in use"
Element = tuple[Any, ...]

EDGE_ZH = {
    "disease_quota": "病种限额", "fixed_price": "病种定价", "cross_region": "异地起付线", "programme": "专项保障",
    "account_current": "个人账户先付",
}  # fmt: skip
SIDE_ZH = {(BELOW,): "差一分", (ABOVE,): "超一分", (BELOW, ABOVE): "差一分与超一分"}


class Candidate(NamedTuple):
    """A case that may be taken: a cell with one or two costs, and what it covers."""

    cell: int
    first_fen: int
    second_fen: int
    """0: one claim only."""
    covers: frozenset[Element]


class Cover(NamedTuple):
    """The cases that were taken."""

    pricer: Pricer
    candidates: list[Candidate]
    elements: int
    """Elements that some case reaches; the cover reaches them all."""


def cover_of(bundle: Bundle, date: int) -> Cover:
    """Return the smallest cover that greed finds for the plans of the first pack on a day."""
    cells = cells_of(bundle, date, is_apart=True)
    pricer, sample = Pricer(bundle, cells), sample_of(bundle, cells)
    breaks = breaks_of(pricer, sample)
    candidates = list(_candidates(pricer, sample, breaks))
    return Cover(pricer, *_greedy(cells, candidates))


def _greedy(cells: Cells, candidates: list[Candidate]) -> tuple[list[Candidate], int]:
    """Take the case that covers most; of those that cover the same the plainest and cheapest."""
    left = set().union(*(candidate.covers for candidate in candidates)) if candidates else set()
    every, taken = len(left), []
    heap = [
        (-len(one.covers), int(cells.weight[one.cell]), one.second_fen > 0, one.first_fen, number)
        for number, one in enumerate(candidates)
    ]
    heapq.heapify(heap)
    while left:
        known, weight, is_double, first_fen, number = heapq.heappop(heap)
        gain = len(candidates[number].covers & left)
        if gain == -known:
            taken.append(candidates[number])
            left -= candidates[number].covers
        elif gain:
            heapq.heappush(heap, (-gain, weight, is_double, first_fen, number))
    return sorted(taken, key=lambda one: (one.cell, one.first_fen)), every


# -------------------------------------------------------------------- candidates


def _candidates(pricer: Pricer, sample: Sample, breaks: Breaks) -> Iterator[Candidate]:
    """Yield for each cell an ordinary bill, and at each break a bill below, one above, and both after one another."""
    cells = pricer.cells
    fine = _priced(pricer, single(np.arange(len(cells)), np.full(len(cells), ORDINARY_FEN)))
    in_use = [frozenset(_in_use(cells, cell)) for cell in range(len(cells))]
    for cell in np.flatnonzero(fine).tolist():
        yield Candidate(cell, ORDINARY_FEN, 0, in_use[cell])
    crossed = _crossed(pricer, sample, breaks)
    order = np.lexsort((breaks.fen, breaks.cell))
    at: dict[tuple[int, int], list[int]] = {}
    for number in order.tolist():
        if fine[breaks.cell[number]]:
            at.setdefault((int(breaks.cell[number]), int(breaks.fen[number])), []).append(number)
    for (cell, fen), numbers in at.items():
        edges = {number: _element(cells, cell, breaks.edges[breaks.edge[number]]) for number in numbers}
        below, above = ({(*edge, side) for edge in edges.values()} for side in (BELOW, ABOVE))
        both = below | {(*edge, ABOVE) for number, edge in edges.items() if crossed[number]}
        yield Candidate(cell, fen - 1, 2, in_use[cell] | both)
        yield Candidate(cell, fen - 1, 0, in_use[cell] | below)
        yield Candidate(cell, fen + 1, 0, in_use[cell] | above)


def _crossed(pricer: Pricer, sample: Sample, breaks: Breaks) -> np.ndarray:
    """Return bool[breaks]: whether a second claim of two fen crosses the break that the first one stays below."""
    crossed, edges = np.zeros(len(breaks.cell), bool), acting_edges(sample)
    for number, edge in enumerate(edges):
        some = np.flatnonzero(breaks.edge == number)
        for batch in batches(len(some)):
            chosen = some[batch]
            cell = breaks.cell[chosen]
            outcome = pricer.price(double(cell, breaks.fen[chosen] - 1, np.full(len(chosen), 2)))
            reached = edge.quantity(sample.rows(cell), outcome) >= edge.threshold[cell]
            crossed[chosen] = reached & (outcome.error == 0)
    return crossed


def _priced(pricer: Pricer, scenes: Scenes) -> np.ndarray:
    """Return bool[n]: whether each scene has a rule."""
    parts = [
        pricer.price(scenes.rows(np.arange(batch.start, batch.stop))).error == 0 for batch in batches(len(scenes.cell))
    ]
    found: np.ndarray = np.concatenate(parts or [np.zeros(0, bool)])
    return found


# -------------------------------------------------------------------- elements


def _element(cells: Cells, cell: int, edge: tuple[str, int]) -> Element:
    """Return an edge with what tells its values apart."""
    key, number = edge
    axes = AXES.get(key) or (KEY[key].axes if key in KEY else ())
    return (int(cells.row[cell]), key, number, *_places(cells, cell, axes))


def _in_use(cells: Cells, cell: int) -> Iterable[Element]:
    """Yield what any bill of a cell reaches: its first rate, its category, its way, its circumstance."""
    row = int(cells.row[cell])
    for axis in (("group", "level"), ("category",), ("way",), ("special",)):
        yield (row, axis, *_places(cells, cell, axis), IN_USE)


def _places(cells: Cells, cell: int, axes: Iterable[str]) -> Iterator[Any]:
    claim = cells.claims[cell]
    fields = {
        "level": "deductible_level", "category": "assistance", "disease": "disease", "care": "care_kind",
        "programme": "programme", "maternity": "maternity_type", "fetuses": "fetus_count",
    }  # fmt: skip
    for axis in axes:
        if axis == "group":
            yield int(cells.group[cell])
        elif axis == "way":
            yield tuple(int(claim[name]) for name in ("place", "filing", "settled_at_counter"))
        elif axis == "special":
            yield cells.circumstance[cell]
        elif axis in fields:
            yield int(claim[fields[axis]])


# -------------------------------------------------------------------- cases


def cases_of(bundle: Bundle, cover: Cover) -> list[dict[str, Any]]:
    """Return the cases of a cover with Chinese titles, expecting what is priced now."""
    pack, found = bundle.packs[0], []
    for number, one in enumerate(cover.candidates, 1):
        cell = np.array([one.cell])
        first, second = np.array([one.first_fen]), np.array([one.second_fen])
        scene = double(cell, first, second) if one.second_fen else single(cell, first)
        words = {"case": f"{pack.id}-{number:03d}", "title": _title(bundle, cover.pricer.cells, one)}
        source = _source(bundle, cover.pricer.cells, one)
        if source:
            words["source"] = source
        found.append(case_of(cover.pricer, scene, pack.id, words))
    return found


def _title(bundle: Bundle, cells: Cells, one: Candidate) -> str:
    """Return who, where and which edge, in Chinese."""
    pack, claim = bundle.packs[0], cells.claims[one.cell]
    plan = bundle.plans.versions[int(cells.row[one.cell])].plan
    words = [
        plan.name_zh, pack.person_groups[int(cells.group[one.cell])].name_zh,
        pack.levels[int(claim["deductible_level"])].name_zh,
    ]  # fmt: skip
    if claim["assistance"]:
        words.append(pack.assistance[int(claim["assistance"]) - 1].name_zh)
    if claim["place"]:
        filing, channel = Filing(int(claim["filing"])), Channel(int(claim["settled_at_counter"]))
        words.append(f"{PLACE_ZH[Place(int(claim['place']))]}（{FILING_ZH[filing]}，{CHANNEL_ZH[channel]}）")
    words += _special(bundle, claim)
    edges: dict[str, set[str]] = {}
    for element in one.covers:
        if element[-1] != IN_USE:
            edges.setdefault(_edge_zh(element), set()).add(element[-1])
    texts = ((name, tuple(side for side in (BELOW, ABOVE) if side in sides)) for name, sides in sorted(edges.items()))
    reached = "、".join(f"{name}{SIDE_ZH[sides]}" for name, sides in texts)
    return "，".join(words) + f"：{reached or '一般费用 ' + fen_to_yuan(one.first_fen) + ' 元'}"


def _special(bundle: Bundle, claim: np.void) -> Iterator[str]:
    pack = bundle.packs[0]
    if claim["disease"] >= 0:
        yield pack.diseases[int(claim["disease"])].name_zh
    if claim["maternity_type"]:
        yield f"生育类别 {int(claim['maternity_type'])}"
    if claim["programme"]:
        yield pack.programmes[int(claim["programme"]) - 1].name_zh
    flags = (
        ("family_doctor", "签约家庭医生"), ("civil_servant", "公务员"), ("use_account", "使用个人账户"),
        ("referral", "未转诊"),
    )  # fmt: skip
    yield from (word for field, word in flags if claim[field])
    if claim["fetus_count"] > 1:
        yield "双胞胎"


def _edge_zh(element: Element) -> str:
    key, number = element[1], element[2]
    name = EDGE_ZH.get(key) or KEY[key].zh
    return f"{name}第 {number + 1} 段" if key.endswith("_from_yuan") else name


def _source(bundle: Bundle, cells: Cells, one: Candidate) -> str:
    """Return the documents of the values whose edges a case reaches."""
    version = bundle.plans.versions[int(cells.row[one.cell])]
    keys = [element[1] for element in one.covers if element[-1] != IN_USE] or ["rate_percent"]
    found = [version.values[key].source for key in dict.fromkeys(keys) if key in version.values]
    return "; ".join(dict.fromkeys(" ".join(filter(None, (source.document, source.clause))) for source in found))
