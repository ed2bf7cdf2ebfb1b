"""The break points of a plan: the costs at which a threshold, a tier, a cap or a limit of the plan row begins to act.

The cascade is piecewise linear in the cost of a claim, and each kink belongs to a value of the plan row. A break is the
smallest cost at which the quantity that the value looks at (cost on the scale of the tiers, fund paid, burden that
counts) reaches it; it is found by halving, all breaks of all cells at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from adjudicator import limits
from adjudicator.benefit.amounts import EXACT_LIMIT
from adjudicator.benefit.plan.keys import AXIS_LENGTH, NO_LIMIT, UNDEFINED
from adjudicator.options import (
    Account,
    BandOrigin,
    CapMeasure,
    DeductibleCounting,
    PaidCategory,
    QuotaMode,
    TierMeasure,
)
from adjudicator.probe.cells import Cells
from adjudicator.probe.scenes import BATCH_SCENES, Outcome, Pricer, batches, single
from adjudicator.rounding import PPM
from adjudicator.rules.bundle import Bundle

TOP_FEN = 10**9
"""Ten million yuan, above every limit of a year."""
NONE = NO_LIMIT
"""No such value."""
Quantity = Callable[["Sample", Outcome], np.ndarray]


class PlanRows(NamedTuple):
    """The plan row of each of some cells; a field is read for all of them."""

    plans: np.ndarray
    """PLAN[k]: all plans."""
    row: np.ndarray
    """int64[n]"""

    def __getitem__(self, field: str) -> np.ndarray:  # type: ignore[override]
        """Return one field of each row."""
        found: np.ndarray = self.plans[field][self.row]
        return found


class Sample(NamedTuple):
    """Some cells with the rules that hold for them, one a row."""

    plan: PlanRows
    cell: np.ndarray
    """int64[n]"""
    claims: np.ndarray
    """CLAIM[k]: all cells."""
    group: np.ndarray
    disease: np.ndarray
    """int64[n, 2]: the quota and the fixed price that hold, -1 none."""
    programmes: np.ndarray
    """PROGRAMME[m] of the pack."""

    def rows(self, chosen: np.ndarray) -> Sample:
        """Return the rules of some cells."""
        plan = PlanRows(self.plan.plans, self.plan.row[chosen])
        return self._replace(
            plan=plan, cell=self.cell[chosen], group=self.group[chosen], disease=self.disease[chosen]
        )  # fmt: skip

    def at(self, field: str, *index: np.ndarray) -> np.ndarray:
        """Return a value of each row's plan, one place of its table."""
        found: np.ndarray = self.plan.plans[field][(self.plan.row, *index)]
        return found

    def claim(self, field: str) -> np.ndarray:
        """Return one field of each row's claim."""
        found: np.ndarray = self.claims[field][self.cell]
        return found

    @property
    def category(self) -> np.ndarray:
        """Category of assistance of each row."""
        return self.claim("assistance")

    @property
    def level(self) -> np.ndarray:
        """Level group of each row."""
        return self.claim("deductible_level")

    @property
    def way(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Place, filing and channel of each row."""
        return self.claim("place"), self.claim("filing"), self.claim("settled_at_counter")


class Edge(NamedTuple):
    """One value of a plan: its key, its position, where it lies, and the quantity that reaches it."""

    key: str
    number: int
    threshold: np.ndarray
    """int64[n], NONE where the cell has no such value."""
    quantity: Quantity


class Breaks(NamedTuple):
    """The breaks of some cells, ordered by cell and cost."""

    cell: np.ndarray
    fen: np.ndarray
    """Smallest cost at which the value acts."""
    edge: np.ndarray
    """Position in ``edges``."""
    edges: tuple[tuple[str, int], ...]
    """Key of the plan, and the number of the tier or band."""

    def of(self, cell: int) -> np.ndarray:
        """Return the costs of the breaks of a cell."""
        first, last = np.searchsorted(self.cell, (cell, cell + 1))
        return self.fen[first:last]

    def near(self, cell: int, fen: int, most: int = 2) -> list[str]:
        """Return the keys of the breaks of a cell within some fen of a cost."""
        first, last = np.searchsorted(self.cell, (cell, cell + 1))
        found = [self.edges[edge][0] for edge in self.edge[first:last][abs(self.fen[first:last] - fen) <= most]]
        return list(dict.fromkeys(found))


def sample_of(bundle: Bundle, cells: Cells) -> Sample:
    """Return the rules of each cell."""
    rules = bundle.benefit.rules
    disease = np.full((len(cells), 2), -1, np.int64)
    for number in np.flatnonzero(cells.claims["disease"] >= 0):
        disease[number] = _disease_values(bundle, cells.claims[number], int(cells.group[number]))
    plan = PlanRows(rules.plans, cells.row)
    return Sample(plan, np.arange(len(cells)), cells.claims, cells.group, disease, rules.programmes[0])


def _disease_values(bundle: Bundle, claim: np.void, group: int) -> tuple[int, int]:
    """Return the quota and the fixed price of a claim's disease: the narrowest that fits."""
    rules = bundle.benefit.rules
    listed = rules.disease_ranges[0, claim["disease"]]
    values = rules.disease_values[listed["start"] : listed["end"]]
    fits = (values["scheme"] == 0) | (values["scheme"] == claim["scheme"])
    fits &= ((values["group"] < 0) | (values["group"] == group)) & (
        (values["care"] >> int(claim["care_kind"])) & 1 == 1
    )
    fits &= (values["from_date"] <= claim["rule_date"]) & (claim["rule_date"] <= values["to_date"])
    width = 2 * (values["group"] >= 0) + (values["scheme"] > 0)
    found = []
    for name in ("quota_fen", "price_fen"):
        number = np.flatnonzero(fits & (values[name] >= 0))
        found.append(int(values[name][number[np.argmax(width[number])]]) if len(number) else -1)
    return found[0], found[1]


# -------------------------------------------------------------------- quantities


def _base(sample: Sample, outcome: Outcome) -> np.ndarray:
    """Return the cost that the tiers see, without the deductible where the scale begins behind it."""
    out = outcome.out[:, -1]
    after = np.isin(sample.plan["tier_measure"], (TierMeasure.YEAR_AFTER_DEDUCTIBLE, TierMeasure.STAY_AFTER_DEDUCTIBLE))
    scope: np.ndarray = out["in_scope_fen"] - np.where(after, out["deductible_fen"], 0)
    return scope


def _after_deductible(sample: Sample, outcome: Outcome) -> np.ndarray:
    out = outcome.out[:, -1]
    found: np.ndarray = out["in_scope_fen"] - out["deductible_fen"]
    return found


def _owed(sample: Sample, outcome: Outcome) -> np.ndarray:
    out = outcome.out[:, -1]
    found: np.ndarray = out["deductible_fen"] - out["deductible_due_fen"]
    return found


def _above_floor(sample: Sample, outcome: Outcome) -> np.ndarray:
    """Return what the tiers pay beyond the guaranteed share."""
    out = outcome.out[:, -1]
    least: np.ndarray = (2 * out["in_scope_fen"] * sample.plan["floor_ppm"] + PPM) // (2 * PPM)
    found: np.ndarray = out["pooled_fen"] - least
    return found


def _in_cap(sample: Sample, outcome: Outcome) -> np.ndarray:
    on_cost = sample.plan["cap_measure"] == CapMeasure.COST
    return np.where(on_cost, outcome.years["cost_inpatient_fen"], _paid_in(outcome, sample.plan["cap_counts"]))


def _in_limit(sample: Sample, outcome: Outcome) -> np.ndarray:
    return _paid_in(outcome, sample.plan["limit_counts"])


def _paid_in(outcome: Outcome, counts: np.ndarray) -> np.ndarray:
    kinds = (counts[:, None] >> np.arange(len(PaidCategory))) & 1
    found: np.ndarray = (outcome.years["pooled_by_care_fen"] * kinds).sum(axis=1)
    return found


def of_year(name: str) -> Quantity:
    """Return the quantity that an amount of the year is."""

    def quantity(sample: Sample, outcome: Outcome) -> np.ndarray:
        found: np.ndarray = outcome.years[name]
        return found

    return quantity


def of_claim(name: str) -> Quantity:
    """Return the quantity that an amount of the answer is."""

    def quantity(sample: Sample, outcome: Outcome) -> np.ndarray:
        found: np.ndarray = outcome.out[:, -1][name]
        return found

    return quantity


def _assisted(sample: Sample, outcome: Outcome) -> np.ndarray:
    found: np.ndarray = outcome.years["assistance_inpatient_fen"] + outcome.years["assistance_outpatient_fen"]
    return found


# -------------------------------------------------------------------- edges


def edges_of(sample: Sample) -> list[Edge]:
    """Return every value of the plans at which the slope of an amount may change."""
    return [
        *_of_deductible(sample), *_of_pooled_fund(sample), *_of_catastrophic(sample), *_of_supplements(sample),
        *_of_assistance(sample), *_of_programmes(sample),
    ]  # fmt: skip


def _of_deductible(sample: Sample) -> list[Edge]:
    charged = sample.plan["deductible_counting"] != DeductibleCounting.NONE
    by_share = charged & (sample.at("cross_deductible_ppm", *sample.way) > 0)
    edges = [Edge("deductible_yuan", 0, np.where(charged, 0, NONE), _owed)]
    for number, name in enumerate(("at_least", "at_most")):
        limit = sample.at(f"cross_deductible_{name}_fen", *sample.way)
        threshold = np.where(by_share & (limit > 0), limit + (number == 0), NONE)
        edges.append(Edge("cross_region", number, threshold, of_claim("deductible_standard_fen")))
    return edges


def _of_pooled_fund(sample: Sample) -> list[Edge]:
    plan, group = sample.plan, sample.group
    edges = [
        Edge("tier_from_yuan", tier, plan["tier_from_fen"][:, tier], _base) for tier in range(1, AXIS_LENGTH["tier"])
    ]
    cap = sample.at("cap_fen", group)
    counted = (plan["cap_measure"] == CapMeasure.PAID) | (plan["cost_account"] == Account.INPATIENT)
    edges.append(Edge("cap_yuan", 0, np.where(counted, cap, NONE), _in_cap))
    edges.append(Edge("above_cap_limit_yuan", 0, sample.at("above_cap_limit_fen", group), of_year("large_sum_fen")))
    limit, signed = sample.at("limit_fen", group), sample.at("limit_signed_fen", group)
    limit = np.where((limit < NONE) & (sample.claim("family_doctor") != 0) & (signed != UNDEFINED), signed, limit)
    extra = np.where(sample.claim("disease") >= 0, sample.at("limit_disease_extra_fen", group), 0)
    edges.append(Edge("limit_yuan", 0, np.where(limit < NONE, limit + extra, NONE), _in_limit))
    edges.append(Edge("floor_percent", 0, np.where(plan["floor_ppm"] > 0, 1, NONE), _above_floor))
    quota = sample.at("maternity_quota_fen", np.minimum(sample.claim("maternity_type"), AXIS_LENGTH["maternity"] - 1))
    quota = np.where(
        quota >= 0, quota + np.maximum(sample.claim("fetus_count") - 1, 0) * plan["maternity_child_fen"], NONE
    )
    on_cost, on_payment = (plan["quota_mode"] == mode for mode in list(QuotaMode)[1:])
    edges.append(Edge("maternity_quota_yuan", 0, np.where(on_cost, quota, NONE), _after_deductible))
    edges.append(Edge("maternity_quota_yuan", 1, np.where(on_payment, quota, NONE), of_claim("pooled_fen")))
    of_disease = np.where(sample.disease >= 0, sample.disease, NONE)
    edges.append(Edge("disease_quota", 0, of_disease[:, 0], of_claim("pooled_fen")))
    edges.append(
        Edge("fixed_price", 0, np.where(plan["fixed_price"] > 0, of_disease[:, 1], NONE), of_claim("in_scope_fen"))
    )
    return edges


def _of_catastrophic(sample: Sample) -> list[Edge]:
    plan, category = sample.plan, sample.category
    has = plan["catastrophic_base"] != 0
    threshold = sample.at("catastrophic_threshold_fen", category)
    origin = np.where(plan["catastrophic_origin"] == BandOrigin.THRESHOLD, threshold, 0)
    base = of_year("catastrophic_base_fen")
    edges = [Edge("catastrophic_threshold_yuan", 0, np.where(has, threshold, NONE), base)]
    for band in range(AXIS_LENGTH["band"]):
        begin = plan["catastrophic_from_fen"][:, band]
        edges.append(Edge("catastrophic_from_yuan", band, np.where(has & (begin < NONE), begin + origin, NONE), base))
    cap = sample.at("catastrophic_cap_fen", category)
    edges.append(Edge("catastrophic_cap_yuan", 0, np.where(has, cap, NONE), of_year("catastrophic_fen")))
    return edges


def _of_supplements(sample: Sample) -> list[Edge]:
    group, servant, balance = sample.group, sample.claim("civil_servant") != 0, sample.claim("account_current_fen")
    own, cap = sample.at("civil_servant_own_deductible_fen", group), sample.at("civil_servant_cap_fen", group)
    return [
        Edge("civil_servant_own_deductible_yuan", 0, np.where(servant & (own > 0), own, NONE),
             of_year("deductible_civil_servant_fen")),
        Edge("civil_servant_cap_yuan", 0, np.where(servant, cap, NONE), of_year("civil_servant_fen")),
        Edge("enterprise_cap_yuan", 0, sample.at("enterprise_cap_fen", group), of_year("enterprise_fen")),
        Edge("account_current", 0, np.where(sample.claim("use_account") != 0, balance, NONE),
             of_claim("account_current_fen")),
    ]  # fmt: skip


def _of_assistance(sample: Sample) -> list[Edge]:
    plan, category = sample.plan, sample.category
    has, base = plan["has_assistance"] != 0, of_year("assistance_base_fen")
    threshold = sample.at("assistance_threshold_fen", category)
    origin = np.where(plan["assistance_origin"] == BandOrigin.THRESHOLD, threshold, 0)
    edges = [Edge("assistance_threshold_yuan", 0, np.where(has, threshold, NONE), base)]
    for band in range(AXIS_LENGTH["burden"]):
        begin = plan["assistance_from_fen"][:, band]
        at = np.where(has & (begin < NONE), begin + origin, NONE)
        # The rate of a band begins above its first fen, its limit one fen later.
        edges.append(Edge("assistance_from_yuan", band, at, base))
        edges.append(Edge("assistance_from_yuan", band, np.where(at < NONE, at + 1, NONE), base))
        cap = sample.at("assistance_cap_fen", category, np.full(len(category), band))
        edges.append(Edge("assistance_cap_yuan", band, np.where(has & (begin < NONE), cap, NONE), _assisted))
    for name in ("outpatient", "inpatient"):
        cap = sample.at(f"assistance_{name}_cap_fen", category)
        edges.append(
            Edge(f"assistance_{name}_cap_yuan", 0, np.where(has, cap, NONE), of_year(f"assistance_{name}_fen"))
        )
    tilted = sample.at("tilt_ppm", category) > 0
    tilt = sample.at("tilt_threshold_fen", category)
    edges.append(Edge("tilt_threshold_yuan", 0, np.where(tilted, tilt, NONE), of_year("tilt_base_fen")))
    edges.append(
        Edge("tilt_cap_yuan", 0, np.where(tilted, sample.at("tilt_cap_fen", category), NONE), of_year("tilt_fen"))
    )
    return edges


def _of_programmes(sample: Sample) -> list[Edge]:
    """Return threshold and limit of each part of a supplementary insurance (惠民保), on the scale of what counts."""
    edges = []
    for part in range(limits.MAX_PROGRAMME_PARTS):
        terms = sample.programmes["parts"][sample.claim("programme"), part]
        rate, base = np.maximum(terms["rate_ppm"], 1), _counted(part)
        paid, capped = terms["rate_ppm"] > 0, terms["cap_fen"] < EXACT_LIMIT
        full = terms["threshold_fen"] - (-np.where(capped, terms["cap_fen"], 0) * PPM // rate)
        threshold = np.where(paid & (terms["threshold_fen"] > 0), terms["threshold_fen"], NONE)
        edges.append(Edge("programme", 2 * part, threshold, base))
        edges.append(Edge("programme", 2 * part + 1, np.where(paid & capped, full, NONE), base))
    return edges


def _counted(part: int) -> Quantity:
    """Return the quantity that the burden which counts for a part of a supplementary insurance is."""

    def quantity(sample: Sample, outcome: Outcome) -> np.ndarray:
        found: np.ndarray = outcome.years["supplementary_base_fen"][:, part]
        return found

    return quantity


# -------------------------------------------------------------------- halving


def acting_edges(sample: Sample) -> list[Edge]:
    """Return the edges that some cell has; the positions in ``Breaks.edges`` are theirs."""
    return [edge for edge in edges_of(sample) if (edge.threshold < NONE).any()]


def breaks_of(pricer: Pricer, sample: Sample) -> Breaks:
    """Return the breaks of every cell, each found by halving the cost from nothing to TOP_FEN."""
    edges = acting_edges(sample)
    found: list[tuple[np.ndarray, np.ndarray, int]] = []
    for number, edge in enumerate(edges):
        cell = np.flatnonzero(edge.threshold < NONE)
        fen = np.concatenate([_halve(pricer, sample, edge, cell[batch]) for batch in batches(len(cell))])
        inside = (fen > 1) & (fen < TOP_FEN)
        found.append((cell[inside], fen[inside], number))
    cell, fen, edge_number = (
        np.concatenate(
            [part[n] if n < 2 else np.full(len(part[0]), part[2]) for part in found] or [np.zeros(0, np.int64)]
        )
        for n in range(3)
    )
    order = np.lexsort((fen, cell))
    return Breaks(cell[order], fen[order], edge_number[order], tuple((edge.key, edge.number) for edge in edges))


def _halve(pricer: Pricer, sample: Sample, edge: Edge, cell: np.ndarray) -> np.ndarray:
    """Return the smallest cost at which the quantity reaches its value; TOP_FEN where it never does."""
    assert len(cell) <= BATCH_SCENES
    rows = sample.rows(cell)
    threshold = edge.threshold[cell]
    low, high = np.zeros(len(cell), np.int64), np.full(len(cell), TOP_FEN)
    while (high - low).max() > 1:
        middle = (low + high) // 2
        outcome = pricer.price(single(cell, middle))
        reached = (edge.quantity(rows, outcome) >= threshold) & (outcome.error == 0)
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return high
