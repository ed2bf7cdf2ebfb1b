"""Assessment of the counties by weighted indicators, and the part of a pot that each score releases (目标考核).

Scores are exact: hundredths of a point weighted in ppm, never rounded before they are compared with the bands. The pot
is split over the counties by their planned spending, and what is redistributed by what the scores released, both by
largest remainder (R32); what a score releases of a county's part is rounded half away from zero to the fen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from adjudicator.money import split_by_weight
from adjudicator.pooling.budget.figures import Lacking
from adjudicator.pooling.budget.terms import Indicator, Performance, Place
from adjudicator.rounding import PPM, share


@dataclass(frozen=True, slots=True)
class Assessed:
    """What is assessed of one county."""

    place: Place
    name: str
    plan_fen: int | None
    """Planned spending of the year."""
    measures: Mapping[str, Fraction | None]
    """Figures of the final account by measure; ``None`` is not known."""


@dataclass(slots=True)
class CountyScore:
    """Scores of one county, and its money; ``None`` is not known."""

    place: Place
    name: str
    scores: dict[str, int | None]
    """By indicator, in hundredths."""
    total: Fraction | None
    """0 to 100."""
    part_fen: int | None = None
    """Its part of the pot."""
    released_fen: int | None = None
    """What of it the score releases."""
    redistributed_fen: int = 0

    @property
    def paid_fen(self) -> int | None:
        """What it gets."""
        return None if self.released_fen is None else self.released_fen + self.redistributed_fen


@dataclass(slots=True)
class Assessment:
    """The assessment of a scheme's counties."""

    scheme: str
    terms: Performance
    pot_fen: int | None = None
    """``None``: a county has no planned spending, so the pot cannot be split."""
    counties: list[CountyScore] = field(default_factory=list)

    @property
    def paid_fen(self) -> int:
        """What is paid."""
        return sum(one.paid_fen or 0 for one in self.counties)

    @property
    def open_fen(self) -> int:
        """Parts of counties whose score is not known."""
        return sum(one.part_fen or 0 for one in self.counties if one.released_fen is None)

    @property
    def kept_fen(self) -> int:
        """What stays in the fund: paid + open + kept = pot."""
        return (self.pot_fen or 0) - self.paid_fen - self.open_fen


def score_of(figure: Fraction, indicator: Indicator) -> int:
    """Return the score of a measured figure, in hundredths: that of the first band whose limit it does not pass.

    >>> bands = ((1000, 10_000), (None, 5_000))
    >>> growth = Indicator("growth", "支出增幅", 1_000_000, "", "growth", bands)
    >>> score_of(Fraction(1, 10), growth), score_of(Fraction(11, 100), growth)
    (10000, 5000)
    """
    scaled = figure * 100 if indicator.measure == "capacity_months" else figure * 100 * 100
    return next(score for limit, score in indicator.bands if limit is None or scaled <= limit)


def released_ppm(total: Fraction, terms: Performance) -> int:
    """Return the share of a county's part that its score releases.

    >>> terms = Performance(20_000, False, ((0, 0), (60, 500_000), (90, 1_000_000)), ())
    >>> released_ppm(Fraction(8999, 100), terms), released_ppm(Fraction(90), terms)
    (500000, 1000000)
    """
    return [rate for lowest, rate in terms.bands if total >= lowest][-1]


def assess(
    scheme: str, terms: Performance, counties: Sequence[Assessed], scores: Mapping[tuple[Place, str], int]
) -> tuple[Assessment, list[Lacking]]:
    """Return the assessment of a scheme and what is lacking for it.

    ``scores``: of the indicators that a file scores, in hundredths. A county with a missing score has no total; its
    part of the pot is open, and nothing is redistributed before all counties are scored.
    """
    result, lacking = Assessment(scheme, terms), []
    for county in counties:
        found: dict[str, int | None] = {}
        for indicator in terms.indicators:
            found[indicator.id] = _score(county, indicator, scores)
            if found[indicator.id] is None:
                lacking.append(_lack(county, indicator))
        result.counties.append(CountyScore(county.place, county.name, found, _total(terms, found)))
    plans = [county.plan_fen for county in counties]
    known = [plan for plan in plans if plan is not None]
    if known and len(known) == len(plans) and sum(known) > 0:
        _share_pot(result, known)
    return result, lacking


def _score(county: Assessed, indicator: Indicator, scores: Mapping[tuple[Place, str], int]) -> int | None:
    if indicator.measure == "scored":
        return scores.get((county.place, indicator.id))
    figure = county.measures[indicator.measure]
    return None if figure is None else score_of(figure, indicator)


def _total(terms: Performance, scores: Mapping[str, int | None]) -> Fraction | None:
    weighted = Fraction(0)
    for indicator in terms.indicators:
        score = scores[indicator.id]
        if score is None:
            return None
        weighted += Fraction(score * indicator.weight_ppm, 100 * PPM)
    return weighted


def _share_pot(result: Assessment, plans: Sequence[int]) -> None:
    """Split the pot by planned spending, release by score, and give what is forfeited to where the terms say."""
    terms = result.terms
    result.pot_fen = share(sum(plans), terms.pot_ppm)
    for one, part in zip(result.counties, split_by_weight(result.pot_fen, plans), strict=True):
        one.part_fen = part
        if one.total is not None:
            one.released_fen = share(part, released_ppm(one.total, terms))
    released = [one.released_fen for one in result.counties if one.released_fen is not None]
    if terms.redistributes and len(released) == len(result.counties) and sum(released) > 0:
        rest = result.pot_fen - sum(released)
        for one, part in zip(result.counties, split_by_weight(rest, released), strict=True):
            one.redistributed_fen = part


def _lack(county: Assessed, indicator: Indicator) -> Lacking:
    if indicator.measure == "scored":
        reason = f"there is no score of {indicator.id}; add it to the file of scores (--scores)"
        reason_zh = f"没有指标“{indicator.name_zh}”的得分，请补充到得分文件（--scores）"
    else:
        reason = f"there is no {indicator.measure}, which {indicator.id} is scored by; complete the final account"
        reason_zh = f"缺少指标“{indicator.name_zh}”所依据的决算数据，请补充"
    return Lacking(county.place, county.name, "score", "scores", reason, reason_zh)
