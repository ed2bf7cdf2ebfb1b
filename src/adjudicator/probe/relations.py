"""What must hold between two similar people, claims or days: metamorphic relations, for which no answer is needed.

A family makes from some scenes (``base``) two lists of scenes that belong together, a and b. A relation of the family
says how much their outcomes break it, in fen; 0 is kept. Amounts of money within ``ROUNDING_FEN`` of each other are
equal: each stage rounds once for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from adjudicator.benefit.plan.keys import NO_LIMIT
from adjudicator.benefit.records import years_of
from adjudicator.claim.lookup import INPATIENT_KINDS
from adjudicator.columns import ACCUMULATOR_COUNT
from adjudicator.options import Account, Increment
from adjudicator.probe.edges import Sample
from adjudicator.probe.scenes import (
    AFTER_FUNDS,
    DEDUCTIBLE,
    FIRST_FUND,
    FIRST_PAY,
    FUND,
    HOSPITAL,
    IN_SCOPE,
    OTHER_FUND,
    PERSONAL,
    SELF_PAID,
    Outcome,
    Scenes,
)

ROUNDING_FEN = 5
YUAN = 100
PAIR = 2
MOVED_FEN = 100_000
"""Cost that moves between the parts of a bill, 1,000 yuan."""
STEP_FEN = 10_000
"""100 yuan: a slope that is wrong by some points shows in it, and not in one fen."""
BORNE_FEN = 10_000
PAID_BEFORE_FEN = 5_000_000
"""Fund paid before in a year that is fuller."""


class Pair(NamedTuple):
    """Two lists of scenes that belong together."""

    rows: np.ndarray
    """int64[n]: the scene of the base that each pair comes from."""
    a: Scenes | None
    """None: the scenes of the base themselves."""
    b: Scenes | None
    """None: the relation looks at a alone."""
    partner: np.ndarray | None = None
    """int64[n]: the better cell of a relation between two cells."""


class View(NamedTuple):
    """Outcomes of a pair, and the rules of the first claim's cell."""

    a: Outcome
    b: Outcome
    rules: Sample


class Relation(NamedTuple):
    """One statement; ``name`` is what a pack accepts."""

    name: str
    en: str
    zh: str
    family: str
    broken: Callable[[View], np.ndarray]
    """int64[n]: by how many fen a pair breaks it, 0 or less: it holds."""
    most_fen: int = ROUNDING_FEN
    """How much may be."""
    sign: int = -1
    """Whose change is to blame: -1 the payer that pays less in b, 1 the one that pays more, 0 where the patient's
    share is higher."""
    blamed: int | None = None
    """The payer to blame where the relation is about one, as a position in ``scenes.PAID``."""


Family = Callable[[Scenes, Sample, dict[str, np.ndarray]], Pair | None]


# -------------------------------------------------------------------- families: one cell


def one_fen_more(base: Scenes, rules: Sample, steps: dict[str, np.ndarray]) -> Pair:
    """Make the last claim one fen dearer."""
    return Pair(_every(base), None, _changed(base, -1, IN_SCOPE, 1))


def dearer(base: Scenes, rules: Sample, steps: dict[str, np.ndarray]) -> Pair:
    """Make the last claim 100 yuan dearer."""
    return Pair(_every(base), None, _changed(base, -1, IN_SCOPE, STEP_FEN))


def alone(base: Scenes, rules: Sample, steps: dict[str, np.ndarray]) -> Pair:
    """Look at one scene alone."""
    return Pair(_every(base), None, None)


def from_scope(base: Scenes, rules: Sample, steps: dict[str, np.ndarray]) -> Pair:
    """Move cost in scope to the first pay."""
    moved = np.minimum(base.fen[:, -1, IN_SCOPE], MOVED_FEN)
    return Pair(_every(base), None, _changed(_changed(base, -1, IN_SCOPE, -moved), -1, FIRST_PAY, moved))


def from_first_pay(base: Scenes, rules: Sample, steps: dict[str, np.ndarray]) -> Pair:
    """Move cost from the first pay out of the catalogue."""
    return Pair(_every(base), _changed(base, -1, FIRST_PAY, MOVED_FEN), _changed(base, -1, SELF_PAID, MOVED_FEN))


def more_self_paid(base: Scenes, rules: Sample, steps: dict[str, np.ndarray]) -> Pair:
    """Add cost outside the catalogue."""
    return Pair(_every(base), None, _changed(base, -1, SELF_PAID, MOVED_FEN))


def borne_by_hospital(base: Scenes, rules: Sample, steps: dict[str, np.ndarray]) -> Pair:
    """Let the hospital bear some of the bill."""
    return Pair(_every(base), None, base._replace(borne_fen=BORNE_FEN))


def next_day(base: Scenes, rules: Sample, steps: dict[str, np.ndarray]) -> Pair:
    """Settle the same a day later, under the same rule."""
    return Pair(_every(base), None, base._replace(days=base.days + 1))


def longer_stay(base: Scenes, rules: Sample, steps: dict[str, np.ndarray]) -> Pair:
    """Let each stay last a hundred days longer."""
    return Pair(_every(base), None, base._replace(more_days=100))


def deductible_used(base: Scenes, rules: Sample, steps: dict[str, np.ndarray]) -> Pair | None:
    """Begin in a year in which more of the deductible has been charged."""
    if base.cell.shape[1] != 1:
        return None
    opening = _year(base)
    year, rows = years_of(opening), np.arange(len(opening))
    account, level = rules.plan["deductible_account"], rules.level
    charged = np.where(account == Account.NONE, 0, 20_000)
    for kind, name in ((Account.INPATIENT, "deductible_charged"), (Account.OUTPATIENT, "deductible_outpatient")):
        amount = np.where(account == kind, charged, 0)
        year[f"{name}_fen"] += amount
        year[f"{name}_level_fen"][rows, level] += amount
    return Pair(_every(base), None, base._replace(opening=opening))


def paid_before(base: Scenes, rules: Sample, steps: dict[str, np.ndarray]) -> Pair | None:
    """Begin in a year in which the pooled fund has paid more."""
    if base.cell.shape[1] != 1:
        return None
    opening = _year(base)
    years_of(opening)["pooled_by_care_fen"][np.arange(len(opening)), rules.plan["paid_category"]] += PAID_BEFORE_FEN
    return Pair(_every(base), None, base._replace(opening=opening))


def burden_before(base: Scenes, rules: Sample, steps: dict[str, np.ndarray]) -> Pair | None:
    """Begin in a year with more burden that counts, below every threshold, so that nothing was paid of it."""
    if base.cell.shape[1] != 1:
        return None
    opening = _year(base)
    year, category = years_of(opening), rules.category
    kept = rules.plan["catastrophic_increment"] != Increment.YEAR_LESS_PAID
    for name in ("catastrophic", "assistance", "tilt"):
        threshold = rules.at(f"{name}_threshold_fen", category)
        year[f"{name}_base_fen"] += np.where(kept & (threshold < NO_LIMIT), threshold // 2, 0)
    return Pair(_every(base), None, base._replace(opening=opening))


def _year(base: Scenes) -> np.ndarray:
    if base.opening is not None:
        return base.opening.copy()
    return np.zeros((len(base.cell), ACCUMULATOR_COUNT), np.int64)


def _changed(base: Scenes, claim: int, part: int, amount: np.ndarray | int) -> Scenes:
    fen = base.fen.copy()
    fen[:, claim, part] += amount
    return base._replace(fen=fen)


def _every(base: Scenes) -> np.ndarray:
    return np.arange(len(base.cell))


# -------------------------------------------------------------------- families: two stays


def other_order(base: Scenes, rules: Sample, steps: dict[str, np.ndarray]) -> Pair | None:
    """Settle two claims of one cell in the other order."""
    if base.cell.shape[1] != 2:
        return None
    return Pair(_every(base), None, base._replace(fen=base.fen[:, ::-1]))


def two_hospitals(base: Scenes, rules: Sample, steps: dict[str, np.ndarray]) -> Pair | None:
    """Settle two claims, at hospitals of neighbouring levels, in either order."""
    pair = stepped("lower_level_pays_no_more")(base, rules, steps) if base.cell.shape[1] == 2 else None
    if pair is None or pair.b is None:
        return None
    own, other = base.rows(pair.rows), pair.b
    cells = np.stack((own.cell[:, 0], other.cell[:, 1]), axis=1)
    b = own._replace(cell=np.ascontiguousarray(cells[:, ::-1]), fen=own.fen[:, ::-1])
    return Pair(pair.rows, own._replace(cell=cells), b, pair.partner)


def cut_in_two(base: Scenes, rules: Sample, steps: dict[str, np.ndarray]) -> Pair | None:
    """Compare one stay (a) with the same cost as two stays (b)."""
    if base.cell.shape[1] != 2:
        return None
    return Pair(_every(base), _as_one(base), base)


def in_parts(base: Scenes, rules: Sample, steps: dict[str, np.ndarray]) -> Pair | None:
    """Compare one stay (a) with the same stay settled in two parts (b)."""
    if base.cell.shape[1] != 2:
        return None
    stays = np.flatnonzero(np.isin(rules.claim("care_kind"), tuple(INPATIENT_KINDS)))
    some = base.rows(stays)
    return Pair(stays, _as_one(some), some._replace(is_one_stay=True))


def _as_one(base: Scenes) -> Scenes:
    return base._replace(cell=base.cell[:, :1], fen=base.fen.sum(axis=1, keepdims=True))


# -------------------------------------------------------------------- families: two persons, places, categories


def stepped(relation: str) -> Family:
    """Return the family that gives the same bills to the cells that are better off by a relation."""

    def family(base: Scenes, rules: Sample, steps: dict[str, np.ndarray]) -> Pair | None:
        """Take the last claim's cell to every cell that it leads to; scenes of two different cells stay out."""
        pairs = steps.get(relation)
        if pairs is None:
            return None
        cell = base.cell[:, 0]
        first, last = np.searchsorted(pairs[:, 0], cell, "left"), np.searchsorted(pairs[:, 0], cell, "right")
        rows = np.repeat(np.arange(len(cell)), last - first)
        if not len(rows):
            return None
        nth = np.arange(len(rows)) - np.repeat(np.cumsum(last - first) - (last - first), last - first)
        better = pairs[first[rows] + nth, 1]
        b = base.rows(rows)
        return Pair(rows, None, b._replace(cell=np.repeat(better[:, None], base.cell.shape[1], axis=1)), better)

    return family


# -------------------------------------------------------------------- what must hold


def _share_rises(view: View) -> np.ndarray:
    found: np.ndarray = view.b.paid[:, PERSONAL] - view.a.paid[:, PERSONAL]
    return found


def _share_falls(view: View) -> np.ndarray:
    return -_share_rises(view)


def _steep(view: View) -> np.ndarray:
    """Return how much more than the cost the share rises, where it is no cliff."""
    rise = _share_rises(view)
    return np.where(rise > YUAN, 0, rise - (view.b.total - view.a.total))


def _slope(view: View) -> np.ndarray:
    """Return by how much the rise of the share leaves what is between nothing and the rise of the cost."""
    rise = _share_rises(view)
    found: np.ndarray = np.maximum(-rise, rise - (view.b.total - view.a.total))
    return found


def _fund_falls(view: View) -> np.ndarray:
    change = view.b.paid[:, FIRST_FUND:AFTER_FUNDS] - view.a.paid[:, FIRST_FUND:AFTER_FUNDS]
    found: np.ndarray = -change.min(axis=1)
    return found


def _fund_changes(view: View) -> np.ndarray:
    """Return the largest change of a fund; a programme may pay for what is outside the catalogue."""
    change = view.b.paid[:, FIRST_FUND:OTHER_FUND] - view.a.paid[:, FIRST_FUND:OTHER_FUND]
    found: np.ndarray = abs(change).max(axis=1)
    return found


def _any_change(view: View) -> np.ndarray:
    found: np.ndarray = abs(view.b.paid - view.a.paid).max(axis=1)
    return found


def _negative(view: View) -> np.ndarray:
    found: np.ndarray = -view.a.paid.min(axis=1)
    return found


def _unequal(view: View) -> np.ndarray:
    paid = view.a.paid
    found: np.ndarray = abs(view.a.total - paid[:, FUND] - paid[:, PERSONAL] - paid[:, HOSPITAL])
    return found


def _above_scope(view: View) -> np.ndarray:
    """Return by how much the pooled fund and the large-sum fund pay more than the cost in scope after the deductible."""
    paid = view.a.paid
    found: np.ndarray = paid[:, FIRST_FUND] + paid[:, DEDUCTIBLE] - view.a.total
    return found


def _above_limits(view: View) -> np.ndarray:
    """Return by how much a fund has paid more in the year than its limit."""
    year, rules = view.a.years, view.rules
    pairs = (
        (year["large_sum_fen"], rules.at("above_cap_limit_fen", rules.group)),
        (year["catastrophic_fen"], rules.at("catastrophic_cap_fen", rules.category)),
        (year["civil_servant_fen"], rules.at("civil_servant_cap_fen", rules.group)),
        (year["enterprise_fen"], rules.at("enterprise_cap_fen", rules.group)),
        (year["tilt_fen"], rules.at("tilt_cap_fen", rules.category)),
        (year["assistance_inpatient_fen"], rules.at("assistance_inpatient_cap_fen", rules.category)),
        (year["assistance_outpatient_fen"], rules.at("assistance_outpatient_cap_fen", rules.category)),
        (
            year["assistance_inpatient_fen"] + year["assistance_outpatient_fen"],
            rules.at("assistance_cap_fen", rules.category).max(axis=-1),
        ),
    )
    found: np.ndarray = np.max([paid - limit for paid, limit in pairs], axis=0)
    return found


def _order_matters(view: View) -> np.ndarray:
    return abs(_share_rises(view))


def _more_than_deductible(view: View) -> np.ndarray:
    """Return by how much two stays cost the patient more than one, beyond the deductible that they are charged more."""
    more = view.b.paid[:, DEDUCTIBLE] - view.a.paid[:, DEDUCTIBLE]
    found: np.ndarray = _share_rises(view) - np.maximum(more, 0)
    return found


def _deductible_rises(view: View) -> np.ndarray:
    found: np.ndarray = view.b.paid[:, DEDUCTIBLE] - view.a.paid[:, DEDUCTIBLE]
    return found


def _deductible_falls(view: View) -> np.ndarray:
    return -_deductible_rises(view)


def _second_deductible(view: View) -> np.ndarray:
    """Return by how much the second of two stays (a) is charged more than the first."""
    charged, is_second = view.a.out["deductible_due_fen"], view.a.out["plan"][:, 0] >= 0
    return np.where(is_second & (charged.shape[1] == PAIR), charged[:, -1] - charged[:, 0], 0)


def _relief_lost(view: View) -> np.ndarray:
    """Return by how much the person's share falls otherwise than by what the hospital bears more."""
    borne = view.b.paid[:, HOSPITAL] - view.a.paid[:, HOSPITAL]
    found: np.ndarray = abs(_share_rises(view) + borne)
    return found


FAMILIES: dict[str, Family] = {
    "one_fen_more": one_fen_more, "dearer": dearer, "alone": alone, "from_scope": from_scope, "from_first_pay": from_first_pay,
    "more_self_paid": more_self_paid, "borne_by_hospital": borne_by_hospital, "next_day": next_day,
    "longer_stay": longer_stay, "deductible_used": deductible_used, "paid_before": paid_before,
    "burden_before": burden_before, "other_order": other_order, "two_hospitals": two_hospitals,
    "cut_in_two": cut_in_two, "in_parts": in_parts,
}  # fmt: skip
# fmt: off
# ruff: noqa: E501
_OF_ONE = (
    Relation("no_cliff", "One fen more of cost costs the patient no more than a yuan more.", "费用多一分，个人负担增加不超过一元。", "one_fen_more", _share_rises, YUAN),
    Relation("share_rises_no_more_than_cost", "The patient's share rises no more than the cost.", "个人负担的增加不超过费用的增加。", "one_fen_more", _steep),
    Relation("share_does_not_fall", "The patient's share does not fall as the cost rises.", "费用增加，个人负担不减少。", "one_fen_more", _share_falls, sign=1),
    Relation("no_fund_falls", "No fund pays less as the cost rises.", "费用增加，任何一项基金支付不减少。", "one_fen_more", _fund_falls),
    Relation("slope_of_share", "100 yuan more of cost cost the patient from nothing to 100 yuan more.", "费用每增加一百元，个人负担增加零至一百元。", "dearer", _slope),
    Relation("slope_of_funds", "100 yuan more of cost lower no fund.", "费用每增加一百元，任何一项基金支付不减少。", "dearer", _fund_falls),
    Relation("no_negative_payer", "No payer pays less than nothing.", "任何一方支付不为负数。", "alone", _negative, 0),
    Relation("payers_add_up", "The payers add up to the cost.", "各方支付之和等于总费用。", "alone", _unequal, 0),
    Relation("pooled_fund_within_cost", "The pooled fund and the deductible stay within the cost.", "统筹基金支付与起付线之和不超过费用。", "alone", _above_scope, 0, blamed=FIRST_FUND),
    Relation("limits_hold", "No fund pays more in a year than its limit.", "各项基金年度支付不超过限额。", "alone", _above_limits, 0),
    Relation("scope_costs_no_more", "Cost in scope costs the patient no more than the same cost as a first pay.", "政策范围内费用的个人负担不高于同额先行自付。", "from_scope", _share_falls),
    Relation("first_pay_costs_no_more", "A first pay costs the patient no more than the same cost outside the catalogue.", "先行自付的个人负担不高于同额目录外费用。", "from_first_pay", _share_falls),
    Relation("no_fund_for_self_paid", "Cost outside the catalogue changes no fund.", "目录外费用不改变任何基金支付。", "more_self_paid", _fund_changes, sign=1),
    Relation("hospital_relieves_the_patient", "What the hospital bears lowers the patient's share by as much.", "医院负担多少，个人负担就减少多少。", "borne_by_hospital", _relief_lost, sign=1),
    Relation("next_day_is_equal", "The same claim a day later, under the same rule, has the same answer.", "同一政策期内晚一天结算，结果相同。", "next_day", _any_change, 0),
    Relation("longer_stay_pays_no_less", "A longer stay is charged no lower deductible.", "住院天数增加，起付线不降低。", "longer_stay", _deductible_falls, blamed=DEDUCTIBLE),
    Relation("used_deductible_helps", "Who has paid more of the year's deductible pays no more.", "已付起付线较多的，个人负担不增加。", "deductible_used", _share_rises),
    Relation("fuller_year_pays_no_less", "Who has been paid more by the pooled fund pays no less.", "年度内统筹已支付较多的，个人负担不减少。", "paid_before", _share_falls, sign=1),
    Relation("heavier_year_pays_no_more", "Who has borne more in the year pays no more.", "年度内负担较重的，个人负担不增加。", "burden_before", _share_rises),
)
_OF_TWO = (
    Relation("order_does_not_matter", "Two stays at one hospital cost the same in either order.", "同一医院两次住院，先后次序不影响个人负担。", "other_order", _order_matters, YUAN, sign=0),
    Relation("order_of_hospitals_does_not_matter", "Two stays at hospitals of two levels cost the same in either order.", "不同等级医院两次住院，先后次序不影响个人负担。", "two_hospitals", _order_matters, YUAN, sign=0),
    Relation("cutting_gains_nothing", "One stay cut in two costs the patient no less.", "一次住院分解为两次，个人负担不减少。", "cut_in_two", _share_falls, YUAN, sign=1),
    Relation("cutting_costs_a_deductible", "One stay cut in two costs the patient no more than the further deductible.", "一次住院分解为两次，个人负担只增加另一次起付线。", "cut_in_two", _more_than_deductible, YUAN),
    Relation("parts_are_the_whole", "A stay settled in two parts costs what the whole stay costs.", "分段结算与一次结算的个人负担相同。", "in_parts", _order_matters, sign=0),
    Relation("second_deductible_no_higher", "The second stay is charged no higher deductible.", "第二次住院起付线不高于第一次。", "alone", _second_deductible, blamed=DEDUCTIBLE),
)
_OF_PERSONS = (
    Relation("retired_pay_no_more", "Retired persons pay no more than active ones.", "退休人员个人负担不高于在职人员。", "", _share_rises),
    Relation("lower_level_pays_no_more", "Care at a lower level costs the patient no more.", "低等级医院就医个人负担不高于高等级医院。", "", _share_rises),
    Relation("filed_pay_no_more", "Persons with a filing pay no more than those without.", "已备案的异地就医个人负担不高于未备案的。", "", _share_rises),
    Relation("direct_pays_no_more", "Direct settlement costs the patient no more than a claim at the counter.", "直接结算个人负担不高于零星报销。", "", _share_rises),
    Relation("nearer_pays_no_more", "Care nearer by costs the patient no more than care farther away.", "就近就医个人负担不高于远地就医。", "", _share_rises),
    Relation("poorer_pay_no_more", "A poorer category pays no more than a richer one.", "困难程度较重的对象个人负担不高于较轻的。", "", _share_rises),
    Relation("signed_pay_no_more", "Persons signed with a family doctor pay no more there.", "签约家庭医生的个人负担不高于未签约的。", "", _share_rises),
    Relation("civil_servants_pay_no_more", "Civil servants pay no more than others.", "公务员个人负担不高于其他职工。", "", _share_rises),
    Relation("referred_pay_no_more", "Persons who were referred pay no more than those who were not.", "经转诊的个人负担不高于未经转诊的。", "", _share_rises),
    Relation("older_pay_no_more", "Older persons pay no more where age raises the rate.", "按年龄提高比例的，年长者个人负担不高于年轻者。", "", _share_rises),
    Relation("programme_helps", "A programme does not raise the patient's share.", "专项保障不增加个人负担。", "", _share_rises),
    Relation("account_takes_no_more", "Using the account raises the patient's share by no more than it pays.", "使用个人账户不增加个人负担。", "", _share_rises),
    Relation("twins_pay_no_more", "A birth of twins costs no more than one child at the same cost.", "多胞胎生育在同等费用下个人负担不高于单胎。", "", _share_rises),
)
# fmt: on
RELATIONS: tuple[Relation, ...] = (
    *_OF_ONE,
    *_OF_TWO,
    *(relation._replace(family=relation.name) for relation in _OF_PERSONS),
)  # fmt: skip
FAMILIES |= {relation.name: stepped(relation.name) for relation in _OF_PERSONS}
BY_NAME = {relation.name: relation for relation in RELATIONS}
