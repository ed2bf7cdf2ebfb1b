"""Draws some hundred claims of one pool at once, in columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from adjudicator.claim.care_days import NOTHING, TAKEN_BY
from adjudicator.codes import CareKind, Filing, Place, Referral, Scheme
from adjudicator.errors import E, refuse
from adjudicator.rulefile.pack import Hospital, Pack
from adjudicator.synth.goods import KIND, Goods
from adjudicator.synth.habits import USUAL, Habits
from adjudicator.synth.illness import FALLBACK_DIAGNOSES, Illnesses
from adjudicator.synth.population import Population

OUTPATIENT_MIX = {
    CareKind.OUTPATIENT: 0.76, CareKind.CHRONIC: 0.09, CareKind.SPECIAL: 0.03, CareKind.PHARMACY: 0.08,
    CareKind.EMERGENCY: 0.02, CareKind.INTERNET: 0.02,
}  # fmt: skip
INPATIENT_MIX = {CareKind.INPATIENT: 0.9, CareKind.DAY_SURGERY: 0.06, CareKind.BED_DAY_INPATIENT: 0.04}
OVERNIGHT = (CareKind.INPATIENT, CareKind.BED_DAY_INPATIENT, CareKind.MATERNITY_INPATIENT, CareKind.SINGLE_DISEASE)
"""Kinds of care with a stay of several days."""
STAYS = (*OVERNIGHT, CareKind.DAY_SURGERY)

BIRTH_SHARE = 0.15
"""Of the stays of women from 20 to 42."""
MOST_TRIES = 60
"""Draws of a case before a pack is said to have no rule for it."""
SINGLE_DISEASE_SHARE = 0.02
"""Of the stays, where the pack has diseases with a fixed price."""

AWAY_SHARE = 0.05
"""Of the stays: care outside the pool."""
LEAST_LINES, MOST_LINES = 5, 100
"""Of a stay."""
MOST_SCALED_E4 = 30_000_00 * 10_000
"""No line grows beyond 30,000 yuan, in 1/10000 fen, where costs lie further apart."""
REFUND_SHARE = 0.03
"""Of the stays: a line is taken back, wholly or in part."""
DEAR_SHARE = 0.04
"""Of the lines: a price well above the listed one."""

DRIFT_SHARE = 0.002
"""Of the lines: an amount that is a fen more than price times quantity, as some hospitals send."""

_PRICE_PERCENT = {
    "01": 100,
    "02": 100,
    "03": 97,
    "04": 95,
    "05": 90,
    "06": 88,
    "07": 86,
    "08": 76,
    "09": 74,
    "10": 72,
    "11": 70,
}
"""Usual price of services by hospital level, percent of the listed one."""

_STAY_LINES = np.array(
    [KIND["bed"], KIND["nursing"], KIND["consultation"], *([KIND["laboratory"]] * 6), *([KIND["imaging"]] * 2)]
    + [KIND["treatment"]] * 4 + [KIND["drug"]] * 8 + [KIND["consumable"]] * 2 + [KIND["herb"]]
)  # fmt: skip
_VISIT_LINES = np.array(
    [KIND["drug"]] * 6 + [KIND["laboratory"]] * 3 + [KIND["imaging"], KIND["treatment"], KIND["herb"]]
)
_SERVICES = np.array(
    [KIND[name] for name in ("bed", "consultation", "imaging", "laboratory", "treatment", "surgery", "nursing")]
)


@dataclass(slots=True)
class Chunk:
    """Claims of one pool in columns; ``line_start`` has one entry more than claims. Codes are indices or texts.

    Day numbers count from 1970. ``original`` is the line (of the claim) that a refund takes back, -1 none.
    """

    pack: int
    first: int
    """Number of the first claim in the whole run."""
    person: np.ndarray
    scheme: np.ndarray
    kind: np.ndarray
    hospital: np.ndarray
    """Row of the pack's register, -1 outside."""
    place: np.ndarray
    filing: np.ndarray
    referral: np.ndarray
    chain_deductible_fen: np.ndarray
    admission: np.ndarray
    discharge: np.ndarray
    icu_hours: np.ndarray
    discharge_way: np.ndarray
    use_account: np.ndarray
    line_start: np.ndarray
    item: np.ndarray
    fee_day: np.ndarray
    price_e4: np.ndarray
    quantity_e4: np.ndarray
    amount_fen: np.ndarray
    approval: np.ndarray
    original: np.ndarray
    total_fen: np.ndarray
    diagnoses: list[tuple[str, ...]] = field(default_factory=list)
    procedures: list[tuple[str, ...]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.person)


@dataclass(slots=True)
class Rules:
    """What a pool has rules for: kinds of care by scheme, and (place, filing) for stays away from home.

    ``fixed_price`` and ``lasting``: disease-list codes with a fixed price for a stay, and for chronic outpatient care.
    ``allowed`` bool (months, person groups, kinds of care, hospitals and then places away): the case settles.
    """

    kinds: dict[int, frozenset[int]]
    away: list[tuple[int, int]]
    fixed_price: tuple[str, ...]
    lasting: tuple[str, ...]
    allowed: np.ndarray = field(default_factory=lambda: np.zeros((12, 0, 0, 0), bool))
    habits: Habits = USUAL

    def payer(self, scheme: int, kind: int) -> int:
        """Return the scheme that pays a person of a scheme for a birth: maternity insurance for employees; 0 none."""
        insured = int(Scheme.MATERNITY)
        if scheme == Scheme.EMPLOYEE and kind in self.kinds.get(insured, ()):
            return insured
        return scheme if kind in self.kinds.get(scheme, ()) else 0

    def drawn_kinds(self) -> list[int]:
        """Every kind of care that the draw may make."""
        covered = {kind for kinds in self.kinds.values() for kind in kinds}
        births_and_fixed = (CareKind.MATERNITY_INPATIENT, CareKind.SINGLE_DISEASE)
        drawn = (*OUTPATIENT_MIX, *INPATIENT_MIX, *births_and_fixed)
        return sorted(int(kind) for kind in drawn if int(kind) in covered)


def rules_of(pack: Pack, year: int) -> Rules:
    """Read from a pack's plans what made-up claims of a year may be; ``allowed`` is left to ``synth.probe``."""
    coded = set(pack.care_types.values())
    kinds: dict[int, set[int]] = {}
    away: set[tuple[int, int]] = set()
    at_home = {Place.LOCAL, Place.PROVINCE} if pack.province_wide else {Place.LOCAL}
    for plan in pack.plans:
        if plan.undefined or plan.from_date > year * 10_000 + 1231 or plan.to_date < year * 10_000 + 101:
            continue
        if Place.LOCAL in plan.places:
            kinds.setdefault(int(plan.scheme), set()).update(int(kind) for kind in plan.care if kind in coded)
        if CareKind.INPATIENT in plan.care:
            filings = {Filing.LONG_TERM, Filing.TEMPORARY} & set(plan.filings)
            away |= {(int(place), int(f)) for place in set(plan.places) - at_home for f in filings}
    return Rules(
        {scheme: frozenset(found) for scheme, found in kinds.items()},
        sorted(away),
        tuple(disease.code for disease in pack.diseases if disease.fixed_prices),
        tuple(disease.code for disease in pack.diseases if not disease.fixed_prices),
    )


def draw_chunk(
    rng: np.random.Generator, pack: Pack, people: Population, goods: Goods, illnesses: Illnesses, rules: Rules,
    days: np.ndarray, inpatient_share: float, busy_until: np.ndarray, number: int, first: int,
) -> Chunk:  # fmt: skip
    """Draws one claim for each settlement day of ``days`` (ascending); ``busy_until`` (a day a person) is moved on."""
    count = len(days)
    person, scheme, kind, spot = _cases(rng, pack, people, rules, days, rng.random(count) < inpatient_share)
    admission = _admissions(rng, kind, days, person, busy_until, rules.habits.stay_days)
    overnight = np.isin(kind, OVERNIGHT)
    home = len(pack.hospitals)
    hospital = np.where(spot < home, spot, -1)
    elsewhere = np.array([(int(Place.LOCAL), 0), *rules.away])[np.maximum(spot - home + 1, 0)]
    place, filing = elsewhere[:, 0], elsewhere[:, 1]
    chunk = Chunk(
        number, first, person, scheme, kind, hospital, place, filing,
        referral=np.where(overnight & (rng.random(count) < 0.06) & (place == Place.LOCAL), Referral.UP, 0),
        chain_deductible_fen=np.zeros(count, np.int64),
        admission=admission, discharge=np.where(np.isin(kind, STAYS), days, 0),
        icu_hours=np.where(overnight & (rng.random(count) < 0.03), rng.integers(1, 96, count), 0),
        discharge_way=np.where(overnight, rng.choice([1, 1, 1, 1, 1, 1, 1, 1, 2, 4], count), 0),
        use_account=(scheme == Scheme.EMPLOYEE) & (rng.random(count) < 0.8),
        diagnoses=[], procedures=[],
        **_lines(
            rng, pack.hospitals, goods, Care(kind, hospital, admission, days), _cost(rng, rules.habits, scheme)
        ),
    )  # fmt: skip
    up = chunk.referral == Referral.UP
    chunk.chain_deductible_fen[up] = rng.choice([0, 30_000, 50_000], int(up.sum()))
    _fall_ill(rng, chunk, people, illnesses, rules)
    return chunk


def _cases(
    rng: np.random.Generator, pack: Pack, people: Population, rules: Rules, days: np.ndarray, inpatient: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Who has which kind of care where: drawn again until the pack has a rule for each case.

    Raises AdjudicatorError (rule undefined) where the pack has none for a sort of care in a month.
    """
    month = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
    person, scheme, kind, spot = (np.zeros(len(days), np.int64) for _ in range(4))
    rows = np.arange(len(days))
    for _ in range(MOST_TRIES):
        person[rows] = (len(people) * rng.random(len(rows)) ** 1.4).astype(np.int64)
        group = people.group[person[rows]]
        kind[rows] = _kinds(rng, rules, people.scheme[person[rows]], inpatient[rows])
        scheme[rows], kind[rows] = _special_stays(rng, rules, people, person[rows], kind[rows])
        spot[rows] = _spots(rng, pack.hospitals, rules, scheme[rows], kind[rows])
        rows = rows[~rules.allowed[month[rows], group, kind[rows], spot[rows]]]
        if not len(rows):
            return person, scheme, kind, spot
    what = "stays" if inpatient[rows[0]] else "visits"
    raise refuse(E.RULE_UNDEFINED, "year", f"{what} in month {month[rows[0]] + 1} of the year, pack {pack.id}")


def _kinds(rng: np.random.Generator, rules: Rules, scheme: np.ndarray, inpatient: np.ndarray) -> np.ndarray:
    """Return a kind of care that some plan of the scheme covers; where there is none of the sort, the most usual
    one.
    """
    kind = np.zeros(len(scheme), np.int64)
    for number in np.unique(scheme):
        for stay, mix in ((True, INPATIENT_MIX), (False, OUTPATIENT_MIX)):
            rows = np.flatnonzero((scheme == number) & (inpatient == stay))
            covered = rules.kinds.get(int(number), frozenset())
            allowed = {k: share for k, share in mix.items() if int(k) in covered} or dict([next(iter(mix.items()))])
            shares = np.array(list(allowed.values()))
            kind[rows] = rng.choice([int(k) for k in allowed], len(rows), p=shares / shares.sum())
    return kind


def _special_stays(
    rng: np.random.Generator, rules: Rules, people: Population, person: np.ndarray, kind: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Turn some stays into births and into stays at a fixed price; return the paying scheme and the kind of each."""
    age, stay, scheme = people.age_years[person], kind == CareKind.INPATIENT, people.scheme[person]
    mothers = stay & (people.sex[person] == 2) & (age >= 20) & (age <= 42) & (rng.random(len(kind)) < BIRTH_SHARE)
    payer = np.array([rules.payer(int(number), CareKind.MATERNITY_INPATIENT) for number in scheme], np.int64)
    mothers &= payer > 0
    scheme, kind = np.where(mothers, payer, scheme), np.where(mothers, int(CareKind.MATERNITY_INPATIENT), kind)
    fixed = (kind == CareKind.INPATIENT) & (rng.random(len(kind)) < SINGLE_DISEASE_SHARE) & bool(rules.fixed_price)
    covered = [number for number, kinds in rules.kinds.items() if CareKind.SINGLE_DISEASE in kinds]
    return scheme, np.where(fixed & np.isin(scheme, covered), int(CareKind.SINGLE_DISEASE), kind)


def _admissions(
    rng: np.random.Generator, kind: np.ndarray, days: np.ndarray, person: np.ndarray, busy_until: np.ndarray,
    percent: int,
) -> np.ndarray:  # fmt: skip
    """First days: a stay begins after the person's last stay ended and after the last visit.

    ``percent`` of the usual length.
    """
    length = np.minimum(1 + (rng.exponential(7.5, len(kind)) * percent / 100).astype(np.int64), 60)
    length = np.where(kind == CareKind.BED_DAY_INPATIENT, 20 + rng.integers(0, 70, len(kind)), length)
    admission = days.copy()
    for row in np.flatnonzero(TAKEN_BY[kind] != NOTHING).tolist():
        if kind[row] in OVERNIGHT:
            admission[row] = min(max(busy_until[person[row]] + 1, days[row] - length[row]), days[row])
        busy_until[person[row]] = days[row]
    return admission


def _spots(
    rng: np.random.Generator, register: tuple[Hospital, ...], rules: Rules, scheme: np.ndarray, kind: np.ndarray
) -> np.ndarray:
    """Return a hospital of the register, or behind them a place outside the pool with its filing."""
    spot = _hospitals(rng, register, kind, rules.habits)
    if rules.away:
        leaves = (kind == CareKind.INPATIENT) & (rng.random(len(kind)) < AWAY_SHARE)
        spot = np.where(leaves, len(register) + rng.integers(0, len(rules.away), len(kind)), spot)
    return spot


def _hospitals(
    rng: np.random.Generator, register: tuple[Hospital, ...], kind: np.ndarray, habits: Habits
) -> np.ndarray:
    """Return a hospital of the register: stays rather in high levels, visits rather in low ones, pharmacies for
    their own.
    """
    level = np.array([int(hospital.hosp_lv or 11) for hospital in register])
    shop = np.array([hospital.code.startswith("P") for hospital in register])
    high, low = 6.0 * habits.high_levels / 100, 0.8 * habits.low_levels / 100
    weights = {
        "stay": np.where(shop, 0, np.where(level <= 4, high, np.where(level <= 7, 5.0, low))),
        "visit": np.where(shop, 0, np.where(level <= 4, 3.0, 2.0)),
        "shop": shop.astype(float) if shop.any() else np.ones(len(register)),
    }
    chosen = np.zeros(len(kind), np.int64)
    stay, shopping = np.isin(kind, STAYS), kind == CareKind.PHARMACY
    for name, rows in (("stay", stay), ("shop", shopping), ("visit", ~stay & ~shopping)):
        share = weights[name] / weights[name].sum()
        chosen[rows] = rng.choice(len(register), int(rows.sum()), p=share)
    return chosen


class Care(NamedTuple):
    """Kind, hospital and first and last days of the claims of a chunk."""

    kind: np.ndarray
    hospital: np.ndarray
    admission: np.ndarray
    days: np.ndarray


class Cost(NamedTuple):
    """How dear the stays of a chunk are."""

    percent: np.ndarray
    """Of the usual number of lines."""
    factor: np.ndarray
    """Of the usual quantities."""


_LEAST_FACTOR, _MOST_FACTOR = 0.3, 60.0


def _cost(rng: np.random.Generator, habits: Habits, scheme: np.ndarray) -> Cost:
    """Return how dear each stay is; nothing is drawn where costs lie as usual."""
    residents = scheme == Scheme.RESIDENT
    factor = np.ones(len(scheme))
    if habits.employee_spread != habits.resident_spread or habits.employee_spread != USUAL.employee_spread:
        sigma = np.where(residents, habits.resident_spread, habits.employee_spread) / 100 - 1
        factor = np.clip(np.exp(sigma * rng.standard_normal(len(scheme))), _LEAST_FACTOR, _MOST_FACTOR)
    return Cost(np.where(residents, habits.resident_cost, habits.employee_cost), factor)


def _lines(
    rng: np.random.Generator, register: tuple[Hospital, ...], goods: Goods, care: Care, cost: Cost
) -> dict[str, np.ndarray]:
    """Fee lines of all claims of the chunk."""
    kind, hospital, admission, days = care
    stay, shop = np.isin(kind, STAYS), kind == CareKind.PHARMACY
    nights = np.maximum(days - admission, 1)
    size = np.where(
        stay, 12 + np.minimum(nights * 2, 20) + rng.integers(0, 24, len(kind)), rng.integers(5, 13, len(kind))
    )
    size = np.where(shop, rng.integers(1, 5, len(kind)), size)
    size = np.where(stay, np.clip(size * cost.percent // 100, LEAST_LINES, MOST_LINES), size)
    line_start = np.concatenate([[0], np.cumsum(size)])
    claim = np.repeat(np.arange(len(kind)), size)
    position = np.arange(len(claim)) - line_start[claim]
    total = len(claim)
    visit_sort = _VISIT_LINES[rng.integers(0, len(_VISIT_LINES), total)]
    sort = np.where(shop[claim], KIND["drug"], visit_sort)
    sort = np.where(stay[claim], _STAY_LINES[rng.integers(0, len(_STAY_LINES), total)], sort)
    sort[(position == 0) & stay[claim]] = KIND["bed"]
    sort[(position == 1) & stay[claim]] = KIND["nursing"]
    sort[(position == 0) & ~stay[claim] & ~shop[claim]] = KIND["consultation"]
    surgery = stay & (rng.random(len(kind)) < 0.3)
    sort[(position == 2) & surgery[claim]] = KIND["surgery"]
    item = goods.draw(rng, sort)
    levels = np.array([int(entry.hosp_lv or 11) for entry in register] + [2])[hospital][claim]
    price = np.array([100, *_PRICE_PERCENT.values()])[levels]
    price = np.where(np.isin(sort, _SERVICES), price, 100) + np.where(rng.random(total) < DEAR_SHARE, 25, 0)
    price_e4 = (goods.price_e4[item] * price // 100 + 5_000) // 10_000 * 10_000
    price_e4 = np.maximum(price_e4, 10_000)
    quantity = np.where(price_e4 > 2_000_000_000, 1, rng.integers(1, 8, total))
    scaled = np.maximum(np.rint(quantity * cost.factor[claim]), 1).astype(np.int64)
    scaled = np.minimum(scaled, np.maximum(quantity, MOST_SCALED_E4 // price_e4))
    quantity = np.where(stay[claim], scaled, quantity)
    daily = np.isin(sort, [KIND["bed"], KIND["nursing"]])
    quantity = np.where(daily, nights[claim], np.where(sort == KIND["surgery"], 1, quantity))
    quantity_e4 = quantity * 10_000
    half = (sort == KIND["drug"]) & (rng.random(total) < 0.03)
    quantity_e4 = np.where(half, quantity_e4 + 5_000, np.where(sort == KIND["herb"], quantity_e4 * 15, quantity_e4))
    lines = {
        "line_start": line_start, "item": item, "price_e4": price_e4, "quantity_e4": quantity_e4,
        "fee_day": admission[claim] + (rng.random(total) * (days - admission + 1)[claim]).astype(np.int64),
        "approval": np.where(goods.restricted[item], np.where(rng.random(total) < 0.93, 1, 2), 0),
        "original": np.full(total, -1),
    }  # fmt: skip
    _take_back(rng, lines, stay, sort)
    drift = (rng.random(total) < DRIFT_SHARE) & (lines["quantity_e4"] > 0)
    lines["amount_fen"] = _product_fen(lines["price_e4"], lines["quantity_e4"]) + drift
    lines["total_fen"] = np.add.reduceat(lines["amount_fen"], line_start[:-1])
    return lines


def _product_fen(price_e4: np.ndarray, quantity_e4: np.ndarray) -> np.ndarray:
    """Price times quantity, half-up; the product of made-up numbers stays below 2**63."""
    assert np.multiply(price_e4, np.abs(quantity_e4), dtype=float).max() < 2**62
    magnitude = (price_e4 * np.abs(quantity_e4) + 50_000_000) // 100_000_000
    product_fen: np.ndarray = np.where(quantity_e4 < 0, -magnitude, magnitude)
    return product_fen


def _take_back(rng: np.random.Generator, lines: dict[str, np.ndarray], stay: np.ndarray, sort: np.ndarray) -> None:
    """Make the last line of some stays a refund of an earlier line, of the whole or of a part of its quantity."""
    start = lines["line_start"]
    for row in np.flatnonzero(stay & (rng.random(len(stay)) < REFUND_SHARE)).tolist():
        refund = start[row + 1] - 1
        source = int(rng.integers(start[row], refund))
        quantity_e4 = int(lines["quantity_e4"][source])
        for name in ("item", "price_e4", "fee_day"):
            lines[name][refund] = lines[name][source]
        lines["quantity_e4"][refund] = -quantity_e4 if rng.random() < 0.5 else -max(quantity_e4 // 2, 1)
        lines["approval"][refund] = lines["approval"][source]
        lines["original"][refund] = source - start[row]
        sort[refund] = sort[source]


def _fall_ill(rng: np.random.Generator, chunk: Chunk, people: Population, illnesses: Illnesses, rules: Rules) -> None:
    """Diagnoses of every claim, procedures of some stays."""
    stay, kinds = np.isin(chunk.kind, STAYS).tolist(), chunk.kind.tolist()
    sex, age = people.sex[chunk.person].tolist(), people.age_years[chunk.person].tolist()
    draws = rng.random((len(chunk), 5)).tolist()
    for row, (first, second, third, fourth, fifth) in enumerate(draws):
        if kinds[row] == CareKind.SINGLE_DISEASE:
            chunk.diagnoses.append((rules.fixed_price[int(first * len(rules.fixed_price))],))
            chunk.procedures.append(())
            continue
        if not stay[row] or not illnesses.ways or age[row] < 1:
            chunk.diagnoses.append((FALLBACK_DIAGNOSES[int(first * len(FALLBACK_DIAGNOSES))],))
            chunk.procedures.append(())
            continue
        birth = kinds[row] == CareKind.MATERNITY_INPATIENT and len(illnesses.births)
        options = illnesses.births if birth else illnesses.of_sex[sex[row]]
        way = illnesses.ways[options[int(first * len(options))]]
        codes = [way.diagnoses[int(second * len(way.diagnoses))]]
        for draw in (third, fourth):
            if draw < 0.45 and illnesses.further:
                codes.append(illnesses.further[int(draw / 0.45 * len(illnesses.further))])
        chunk.diagnoses.append(tuple(dict.fromkeys(codes)))
        chunk.procedures.append((way.procedures[int(fifth * len(way.procedures))],) if way.procedures else ())
