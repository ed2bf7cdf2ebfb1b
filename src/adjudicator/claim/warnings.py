"""What is doubtful about a claim that can be settled: each doubt is a warning that names the fields.

Only the claims that the sieve of ``claim.doubts`` lets through come here, one at a time. Nothing here changes an
amount. The fields of a person are named, their values are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from adjudicator import limits
from adjudicator.catalogue.layout import LineRules
from adjudicator.catalogue.line_amounts import FEN_A_LINE, FEN_A_UNIT
from adjudicator.catalogue.settings import OPTIONS
from adjudicator.claim.doubts import AGES_OF_TYPE, DAY_HOURS, INFANT_DAYS, MALE
from adjudicator.claim.incoming import Incoming
from adjudicator.claim.lookup import INPATIENT_KINDS
from adjudicator.claim.received import received
from adjudicator.codes import HOSPITAL_LEVELS, PERSON_TYPES, CareKind, Filing, Place, Scheme
from adjudicator.dates import day_number
from adjudicator.errors import E, Problem
from adjudicator.rulefile.pack import Pack
from adjudicator.rules.bundle import Bundle

MOST_LINES_NAMED = 8
"""Lines of one claim that are named for one kind of doubt."""
REFUSE = OPTIONS["price_mismatch"].index("refuse")
BALANCES = ("account_current_fen", "account_past_fen", "account_family_fen")


def doubts_of(incoming: Incoming, bundle: Bundle, claim: np.void, row: int) -> list[Problem]:
    """Return the problems of a claim without an error (CLAIM) that its fields give, in the order of the table.

    All are warnings, but for prices that differ from amounts where the pack refuses them.
    """
    wire, pack = incoming.claims[row], bundle.packs[claim["pack"]]
    lines = incoming.lines[int(wire["lines_start"]) : int(wire["lines_end"])]
    option = option_on(bundle.catalogue.rules, int(claim["pack"]), int(claim["settlement_date"]))
    inpatient = CareKind(claim["care_kind"]) in INPATIENT_KINDS
    found = [
        *_register(incoming, row, pack, claim),
        *_person(wire, claim),
        *_contradictions(wire, claim, inpatient),
        *_days(wire, inpatient),
        *_lines(lines, wire, inpatient),
        *islice(_prices(lines, int(option["price_rounding"])), MOST_LINES_NAMED),
    ]
    refused = E.PRICE_TIMES_QUANTITY if option["price_mismatch"] == REFUSE else E.NONE
    return [
        Problem(number, field, detail, number != refused, received(incoming, row, field), detail_zh)
        for number, field, detail, detail_zh in sorted(found, key=lambda doubt: doubt[0])
    ]


def option_on(rules: LineRules, pack: int, date: int) -> np.void:
    """Return the row of ``settings.OPTION`` that holds for a pack on a day (YYYYMMDD)."""
    rows = rules.options[int(rules.option_start[pack]) : int(rules.option_start[pack + 1])]
    held = np.flatnonzero(rows["to"] >= date)
    row: np.void = rows[held[0] if held.size else -1]
    return row


Doubt = tuple[int, str, str, str]
"""Number of the error table, field, detail, and the detail in Chinese where it is another one."""


def _contradict(*fields: str) -> Doubt:
    return int(E.FIELDS_CONTRADICT), fields[0], ", ".join(fields), "、".join(fields)


def _unlikely(field: str, least: int, most: int) -> Doubt:
    return int(E.UNLIKELY_VALUE), field, f"{least}–{most}", ""


def _register(incoming: Incoming, row: int, pack: Pack, claim: np.void) -> Iterator[Doubt]:
    """Compare with the pack's hospital register, and the filing with the place."""
    place, filing = Place(claim["place"]), claim["filing"]
    if claim["hospital"] >= 0:
        hospital = pack.hospitals[claim["hospital"]]
        registered = HOSPITAL_LEVELS[claim["hospital_level"]]
        level = incoming.text(row, "hospital_level")
        if level and int(level) != claim["hospital_level"]:
            yield int(E.CONTRADICTS_REGISTER), "hospital_level", registered, ""
        if place != Place.LOCAL:
            yield int(E.CONTRADICTS_REGISTER), "care_area", f"{hospital.area:06d}", ""
    if place == Place.LOCAL and filing in (Filing.NONE, Filing.TEMPORARY):
        yield _contradict("filing", "institution_code")


def _person(wire: np.void, claim: np.void) -> Iterator[Doubt]:
    """Look at age, sex, birth weight, maternity, person type and scheme."""
    years = int(wire["age_years"]) if wire["has_age_years"] else None
    days = int(wire["age_days"]) if wire["has_age_days"] else None
    weight, person_type, scheme = int(wire["birth_weight_g"]), PERSON_TYPES[claim["person_type"]], claim["scheme"]
    if wire["maternity_type"] and wire["sex"] == MALE:
        yield _contradict("maternity_type", "sex")
    if weight and not limits.LEAST_BIRTH_WEIGHT_G <= weight <= limits.MOST_BIRTH_WEIGHT_G:
        yield _unlikely("birth_weight_g", limits.LEAST_BIRTH_WEIGHT_G, limits.MOST_BIRTH_WEIGHT_G)
    if weight and ((years or 0) > 0 or (days or 0) > INFANT_DAYS):
        yield _contradict("birth_weight_g", "age_years" if years else "age_days")
    if years is not None and days is not None and not 365 * years <= days <= 366 * (years + 1):
        yield _contradict("age_days", "age_years")
    if years is not None and years > limits.MOST_USUAL_AGE_YEARS:
        yield _unlikely("age_years", 0, limits.MOST_USUAL_AGE_YEARS)
    elif years is not None:
        ages = [ages for beginning, ages in AGES_OF_TYPE.items() if person_type.startswith(beginning)]
        if ages and not ages[-1][0] <= years <= ages[-1][1]:
            yield _contradict("person_type", "age_years")
    if wire["fetus_count"] > limits.MOST_USUAL_FETUSES:
        yield _unlikely("fetus_count", 0, limits.MOST_USUAL_FETUSES)
    if wire["contribution_tier"] and scheme != Scheme.RESIDENT:
        yield _contradict("contribution_tier", "scheme")
    if wire["civil_servant"] and scheme == Scheme.RESIDENT:
        yield _contradict("civil_servant", "scheme")
    for name in BALANCES:
        if wire[name] > limits.MOST_USUAL_BALANCE_FEN:
            yield _unlikely(name, 0, limits.MOST_USUAL_BALANCE_FEN)


def _contradictions(wire: np.void, claim: np.void, inpatient: bool) -> Iterator[Doubt]:
    """Look at what belongs to stays alone, and at a bill of a stay that goes on and was claimed at the counter."""
    if wire["mid_stay"] and wire["discharge_date"]:
        yield _contradict("mid_stay", "discharge_date")
    if wire["mid_stay"] and wire["settled_at_counter"]:
        yield _contradict("settled_at_counter", "mid_stay")
    if not inpatient:
        if wire["mid_stay"]:
            yield _contradict("mid_stay", "care_type")
        if wire["icu_hours"]:
            yield _contradict("icu_hours", "care_type")
        if wire["stay_days"] > 1:
            yield _contradict("stay_days", "care_type")


def _days(wire: np.void, inpatient: bool) -> Iterator[Doubt]:
    """Look at the days of the stay and at those between care and settlement; the dates are in order."""
    settled, admitted = int(wire["settlement_date"]), int(wire["admission_date"])
    end = int(wire["discharge_date"]) or (settled if inpatient else admitted)
    late = day_number(settled) - day_number(end)
    if late > limits.LATE_DAYS:
        yield int(E.LATE_SETTLEMENT), "settlement_date", str(late), ""
    days = day_number(end) - day_number(admitted)
    stated = inpatient and wire["has_stay_days"] and not wire["mid_stay"]
    if stated and abs(int(wire["stay_days"]) - max(days, 1)) > 1:
        yield int(E.STAY_CONTRADICTS_DATES), "stay_days", str(max(days, 1)), ""
    if inpatient and int(wire["icu_hours"]) > (days + 1) * DAY_HOURS:
        yield _contradict("icu_hours", "admission_date", "discharge_date")


def _lines(lines: np.ndarray, wire: np.void, inpatient: bool) -> list[Doubt]:
    """Look at the days and flags of the lines; of each kind of doubt the first MOST_LINES_NAMED are named."""
    by_kind: dict[tuple[int, str], list[Doubt]] = {}
    for number, line in enumerate(lines):
        for doubt in _line(line, wire, inpatient):
            named = by_kind.setdefault((doubt[0], doubt[2]), [])
            if len(named) < MOST_LINES_NAMED:
                named.append((doubt[0], f"lines[{number}].{doubt[1]}", doubt[2], doubt[3]))
    return [doubt for named in by_kind.values() for doubt in named]


def _line(line: np.void, wire: np.void, inpatient: bool) -> Iterator[Doubt]:
    first, last = int(wire["admission_date"]), int(wire["discharge_date"]) or int(wire["settlement_date"])
    day, before = int(line["fee_date"]), line["before_admission"]
    if before and day > first:
        yield _contradict("before_admission", "fee_date")
    early = before and day < first and day_number(first) - day_number(day) > limits.BEFORE_ADMISSION_DAYS
    if early or (not before and not first <= day <= last):
        yield int(E.FEE_OUTSIDE_STAY), "fee_date", f"{first} to {last}", f"{first} 至 {last}"
    if line["original_line_id_size"] and line["quantity_e4"] > 0:
        yield _contradict("quantity_e4", "original_line_id")
    if line["discharge_drug"] and not inpatient:
        yield _contradict("discharge_drug", "care_type")


def _prices(lines: np.ndarray, rounding: int) -> Iterator[Doubt]:
    """Yield the lines whose price times quantity differs from the amount by more than rounding."""
    for number, line in enumerate(lines):
        price, quantity, amount = (int(line[name]) for name in ("unit_price_e4", "quantity_e4", "amount_fen"))
        product = (price * abs(quantity) + 50_000_000) // 100_000_000  # half up, 1e-8 fen to fen
        tolerated = {FEN_A_UNIT: -(-abs(quantity) // 10_000), FEN_A_LINE: 1}.get(rounding, 0)
        if abs(product - abs(amount)) > tolerated:
            yield (
                int(E.PRICE_TIMES_QUANTITY),
                f"lines[{number}].amount_fen",
                str(-product if quantity < 0 else product),
                "",
            )
