"""Scenes, one or two claims of one person's year, priced in big batches straight through the benefit kernel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from adjudicator.benefit import settle as benefit
from adjudicator.benefit.records import PART, WORK, YEAR, years_of
from adjudicator.benefit.tables import Claims, Stays, part_words
from adjudicator.columns import ACCUMULATOR_COUNT, BENEFIT, CLAIM, QUOTA, SPLIT
from adjudicator.payers import FUNDS, PAYERS, Identity
from adjudicator.probe.cells import DATES, Cells, next_date
from adjudicator.rules.bundle import Bundle

IN_SCOPE, FIRST_PAY, SELF_PAID = range(3)
"""Parts of a bill that a scene has."""
BATCH_SCENES = 4096
"""Scenes priced in one call: their claims, results and years stay in the cache of a core."""
NO_CLAIM = 1
"""In ``error`` of a claim that a scene does not have: the kernel passes over it."""

PAID = ("deductible_fen", *(column for payer in FUNDS for column in payer.columns), "hospital_borne_fen")
"""Amounts that relations compare, each the sum over the claims of a scene: the deductible, each fund, the hospital."""
OTHER_PAID = tuple(
    column for payer in PAYERS if payer.identity in (Identity.ACCOUNT, Identity.CASH) for column in payer.columns
)
SUMS = ("fund_total_fen", "personal_total_fen")
_WORDS = np.array([BENEFIT.fields[name][1] // 8 for name in (*PAID, *OTHER_PAID, *SUMS)])  # type: ignore[index]
FUND, PERSONAL = len(PAID) + len(OTHER_PAID), len(PAID) + len(OTHER_PAID) + 1
"""Columns of the sums in ``Outcome.paid``."""
DEDUCTIBLE, FIRST_FUND, AFTER_FUNDS = 0, 1, len(PAID) - 1
HOSPITAL = AFTER_FUNDS
OTHER_FUND = PAID.index("other_fen")


class Scenes(NamedTuple):
    """Some scenes; ``w`` claims in each, a claim without cost is none."""

    cell: np.ndarray
    """int64[n, w]"""
    fen: np.ndarray
    """int64[n, w, 3]: the three parts of each bill."""
    opening: np.ndarray | None = None
    """int64[n, ACCUMULATOR_COUNT]: the year before the first claim; None: an empty one."""
    days: int = 0
    """Days after the cell's day on which the first claim is settled."""
    is_one_stay: bool = False
    """The second claim settles the rest of the first one's stay (mid-stay settlement)."""
    more_days: int = 0
    """Days of stay beyond one."""
    borne_fen: int = 0
    """What the hospital bears of the last claim."""

    def rows(self, chosen: np.ndarray) -> Scenes:
        """Return some of the scenes."""
        opening = None if self.opening is None else self.opening[chosen]
        return self._replace(cell=self.cell[chosen], fen=self.fen[chosen], opening=opening)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of some scenes."""

    paid: np.ndarray
    """int64[n, k]: PAID, the accounts and cash, then FUND and PERSONAL; summed over the claims."""
    total: np.ndarray
    """int64[n]: cost."""
    error: np.ndarray
    """int64[n]: error number of a claim that was refused, 0 none."""
    years: np.ndarray
    """YEAR[n] after the last claim; overwritten by the next pricing."""
    out: np.ndarray
    """BENEFIT[n, w]; overwritten by the next pricing."""

    def rows(self, chosen: np.ndarray) -> Outcome:
        """Return the outcome of some scenes."""
        return replace(self, paid=self.paid[chosen], total=self.total[chosen], error=self.error[chosen])


class Pricer:
    """Prices scenes of some cells; ``count`` counts the claims."""

    def __init__(self, bundle: Bundle, cells: Cells):
        self.benefit, self.cells, self.count = bundle.benefit, cells, 0
        most = 2 * BATCH_SCENES
        self._claims, self._splits = np.empty(most, CLAIM), np.zeros(most, SPLIT)
        self._out, self._work = np.zeros(most, BENEFIT), np.empty(1, WORK)
        self._slots = np.zeros((BATCH_SCENES, ACCUMULATOR_COUNT), np.int64)
        self._quotas = np.zeros(BATCH_SCENES, QUOTA)
        self._by_day: dict[int, np.ndarray] = {}
        self._taken: tuple[np.ndarray | None, int] = (None, 0)
        quota_of = bundle.benefit.rules.disease_values["quota_fen"] >= 0
        self._has_quotas = bool(quota_of.any())

    def _templates(self, days: int) -> np.ndarray:
        """Return CLAIM[2 * cells]: each cell some days later, then one more day later.

        A day that a cell's rule or its year does not reach stays as it is.
        """
        if days not in self._by_day:
            self._by_day[days] = np.concatenate([self._moved(days), self._moved(days + 1)])
        return self._by_day[days]

    def _moved(self, days: int) -> np.ndarray:
        claims = self.cells.claims.copy()
        ends = self.benefit.rules.plans["to_date"][self.cells.row]
        for number, claim in enumerate(claims if days else ()):
            later = next_date(int(claim["rule_date"]), days)
            if later <= ends[number] and later // 10_000 == claim["rule_date"] // 10_000:
                for name in DATES:
                    claim[name] = later
        return claims

    def _take(self, scenes: Scenes, claims: np.ndarray) -> None:
        """Copy the claims of the cells, unless they are those of the call before."""
        if self._taken[0] is not scenes.cell or self._taken[1] != scenes.days:
            place = scenes.cell + len(self.cells) * np.arange(scenes.cell.shape[1])
            np.take(self._templates(scenes.days), place.ravel(), out=claims.ravel(), mode="clip")
        self._taken = (scenes.cell, scenes.days)

    def claims_of(self, scenes: Scenes) -> np.ndarray:
        """Return CLAIM[n, w]: the claims of some scenes without their amounts."""
        place = scenes.cell + len(self.cells) * np.arange(scenes.cell.shape[1])
        return self._templates(scenes.days)[place]

    def price(self, scenes: Scenes) -> Outcome:
        """Price at most BATCH_SCENES scenes; what is not copied is overwritten by the next call."""
        count, width = scenes.cell.shape
        assert count <= BATCH_SCENES
        claims = self._claims[: count * width].reshape(count, width)
        splits, out = self._splits[: count * width].reshape(count, width), self._out[: count * width]
        self._take(scenes, claims)
        total = scenes.fen.sum(axis=2)
        splits["in_scope_fen"], splits["first_pay_fen"] = scenes.fen[:, :, IN_SCOPE], scenes.fen[:, :, FIRST_PAY]
        splits["wholly_self_paid_fen"] = scenes.fen[:, :, SELF_PAID]
        claims["total_fen"], claims["state"] = total, np.arange(count)[:, None]
        claims["error"] = np.where(total > 0, 0, NO_CLAIM)
        claims["stay_days"] = 1 + scenes.more_days
        claims["hospital_borne_fen"][:, -1] = scenes.borne_fen
        slots, quotas = self._slots[:count], self._quotas[: count if self._has_quotas else 0]
        quotas["used_fen"] = 0
        if self._has_quotas:
            claims["quota"] = np.where(claims["disease"] >= 0, claims["state"], -1)
        slots[:] = 0 if scenes.opening is None else scenes.opening
        self._run(scenes, claims, splits, slots, quotas)
        self.count += int(np.count_nonzero(total))
        words = out.view(np.int64).reshape(count, width, -1)
        paid = words[:, 0, _WORDS] if width == 1 else words[:, :, _WORDS].sum(axis=1)
        error = np.where(total > 0, claims["error"], 0).max(axis=1)
        return Outcome(paid, total.sum(axis=1), error, years_of(slots), out.reshape(count, width))

    def _run(
        self, scenes: Scenes, claims: np.ndarray, splits: np.ndarray, slots: np.ndarray, quotas: np.ndarray
    ) -> None:
        out = self._out[: claims.size].reshape(claims.shape)
        if not scenes.is_one_stay:
            batch = Claims.over(claims.ravel(), splits.ravel(), benefit.NO_LINES, slots, quotas)
            benefit.run(self.benefit, batch, out.ravel(), self._work)
            return
        before = Stays(slots.copy(), np.zeros(1 + len(claims), PART))
        amounts = np.zeros(len(claims), PART)
        for part in range(claims.shape[1]):
            own, result = np.ascontiguousarray(claims[:, part]), np.zeros(len(claims), BENEFIT)
            if part:
                part_words(before.parts)[1:] += part_words(amounts)
                own["stay_row"] = own["stay_row_over_years"] = np.arange(1, len(own) + 1)
                own["stay_charged_fen"] = own["stay_charged_over_years_fen"] = out[:, :part]["deductible_fen"].sum(
                    axis=1
                )
            split = np.ascontiguousarray(splits[:, part])
            batch = Claims.over(own, split, benefit.NO_LINES, slots, quotas, before, amounts)
            benefit.run(self.benefit, batch, result, self._work)
            out[:, part] = result
            claims["error"][:, part] = own["error"]


def single(cell: np.ndarray, in_scope: np.ndarray) -> Scenes:
    """Return scenes of one claim whose cost is all in scope."""
    fen = np.zeros((len(cell), 1, 3), np.int64)
    fen[:, 0, IN_SCOPE] = in_scope
    return Scenes(np.asarray(cell, np.int64)[:, None], fen)


def double(cell: np.ndarray, first: np.ndarray, second: np.ndarray) -> Scenes:
    """Return scenes of two claims of one cell whose costs are all in scope."""
    fen = np.zeros((len(cell), 2, 3), np.int64)
    fen[:, 0, IN_SCOPE], fen[:, 1, IN_SCOPE] = first, second
    return Scenes(np.stack((cell, cell), axis=1).astype(np.int64), fen)


def batches(count: int) -> list[slice]:
    """Return the slices of BATCH_SCENES that ``count`` scenes are priced in."""
    return [slice(start, min(start + BATCH_SCENES, count)) for start in range(0, count, BATCH_SCENES)]


assert YEAR.itemsize == 8 * ACCUMULATOR_COUNT
