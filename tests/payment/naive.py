"""Provider payment, slowly and plainly, from the documents (docs/law.md).

Takes rules as read from the pack, one claim at a time, and computes with fractions; nothing is shared with the kernel.
"""

from __future__ import annotations

from fractions import Fraction

from adjudicator.codes import GroupStatus, Method
from adjudicator.errors import E

HUNDRED_MILLION = 10**8


def half_up(value: Fraction) -> int:
    """Nearest whole number, half away from zero."""
    sign = -1 if value < 0 else 1
    doubled = abs(value) * 2 + 1
    return sign * (doubled.numerator // (2 * doubled.denominator))


def to_decimals(value: Fraction, decimals: int) -> Fraction:
    return Fraction(half_up(value * 10**decimals), 10**decimals)


class Refused(Exception):
    def __init__(self, number: E):
        self.number = number


def date_of(rules, claim) -> int:
    given = (claim["settlement_date"], claim["discharge_date"], claim["admission_date"])[rules.deciding_date]
    return int(given) or int(claim["settlement_date"])


def holds(entry, date: int) -> bool:
    return entry.source.from_date <= date <= entry.source.to_date


def has_contract(rules, claim, date: int) -> bool:
    return bool(claim["at_signed_institution"]) and any(
        holds(contract, date) and contract.hospital == claim["hospital"] and contract.scheme == claim["scheme"]
        for contract in rules.contracts
    )


def fits(rules, row, claim, group, codes, date: int) -> bool:
    diagnoses, procedures = codes
    facts = {
        "care_kind": claim["care_kind"],
        "scheme": claim["scheme"],
        "place": claim["place"],
        "filing": claim["filing"],
        "status": group["status"],
        "maternity_type": claim["maternity_type"],
        "person_type": claim["person_type"],
        "assistance": claim["assistance"],
        "hospital": claim["hospital"],
        "department": claim["department"],
        "disease": claim["disease"],
        "drg": group["drg"],
        "diagnosis": diagnoses[0] if diagnoses else -1,
    }
    for name, fact in facts.items():
        if row.accepts[name] is not None and int(fact) not in row.accepts[name]:
            return False
    if row.accepts["procedure"] is not None and not set(procedures) & row.accepts["procedure"]:
        return False
    if row.contract and (row.contract == 1) != has_contract(rules, claim, date):
        return False
    if not row.stay_days[0] <= claim["stay_days"] <= row.stay_days[1]:
        return False
    return bool(row.age_years[0] <= claim["age_years"] <= row.age_years[1])


def method_of(rules, claim, group, codes, date: int):
    rows = [row for row in rules.methods if holds(row, date) and fits(rules, row, claim, group, codes, date)]
    if not rows:
        raise Refused(E.NO_PAYMENT_METHOD)
    return max(rows, key=lambda row: row.priority)


def level_values(coefficients, classes, drg: str) -> dict[str, Fraction]:
    """Zigong: a missing level takes 90 % of the next higher one, else 110 % of the next lower one."""
    found: list[Fraction | None] = []
    for name in classes:
        value = coefficients.values_e8.get(("level", name, drg), coefficients.values_e8.get(("level", name, "")))
        found.append(None if value is None else Fraction(value, HUNDRED_MILLION))
    for i in range(1, len(found)):
        if found[i] is None and found[i - 1] is not None and coefficients.missing_up_ppm >= 0:
            found[i] = to_decimals(found[i - 1] * Fraction(coefficients.missing_up_ppm, 10**6), 8)
    for i in reversed(range(len(found) - 1)):
        if found[i] is None and found[i + 1] is not None and coefficients.missing_down_ppm >= 0:
            found[i] = to_decimals(found[i + 1] * Fraction(coefficients.missing_down_ppm, 10**6), 8)
    return {name: value for name, value in zip(classes, found, strict=True) if value is not None}


def coefficient_of(rules, terms, hospital: int, drg: str) -> Fraction | None:
    c = terms.coefficients
    if drg in c.no_coefficient or drg in c.new_groups:
        return Fraction(1)
    code, rank = rules.view.hospitals[hospital], rules.view.hospital_classes[hospital]

    def of(component: str) -> Fraction | None:
        value = c.values_e8.get((component, code, drg), c.values_e8.get((component, code, "")))
        return None if value is None else Fraction(value, HUNDRED_MILLION)

    level = level_values(c, rules.view.classes, drg).get(rank)
    own = of("hospital")
    if own is None and c.missing_hospital == "level":
        own = level
    if own is None:
        return None
    total = Fraction(0)
    for component, weight in c.weights_ppm.items():
        value = {"hospital": own, "level": level}.get(component, of(component))
        if value is None:
            return None
        total += value * Fraction(weight, 10**6)
    total = to_decimals(total, c.decimals)
    return min(max(total, Fraction(c.floor_e8, HUNDRED_MILLION)), Fraction(c.cap_e8, HUNDRED_MILLION))


def decimals_of(terms) -> int:
    return 8 - (len(str(int(terms.row["rounding_unit_e8"]))) - 1)


def case_points(rules, terms, claim, drg: str, value: Fraction) -> Fraction:
    """Points of a grouped case. ``value`` is fen a point."""
    row, decimals = terms.row, decimals_of(terms)
    points = terms.groups.get(drg)
    if points is None:
        raise Refused(E.GROUP_WITHOUT_POINTS)
    base = Fraction(points.base_e8, HUNDRED_MILLION)
    cost, average = int(claim["total_fen"]), points.average_fen
    if points.bed_day:
        return base * int(claim["stay_days"])
    incomplete = (row["incomplete_mid_stay"] and claim["mid_stay"]) or (
        int(row["incomplete_ways"]) >> int(claim["discharge_way"])
    ) & 1
    if incomplete and not row["incomplete_coefficient"]:
        found = to_decimals(base * cost / average, decimals)
        return min(found, base) if row["incomplete_cap"] == 1 else found
    hospital = int(claim["hospital"])
    coefficient = coefficient_of(rules, terms, hospital, drg) if hospital >= 0 else None
    if coefficient is None:
        raise Refused(E.HOSPITAL_WITHOUT_COEFFICIENT)
    full = to_decimals(base * coefficient, decimals)
    if incomplete:
        found = to_decimals(base * coefficient * cost / average, decimals)
        return min(found, {0: found, 1: base, 2: full}[int(row["incomplete_cap"])])
    return _unusual(rules, terms, claim, points, base, coefficient, full, value)


def _unusual(rules, terms, claim, points, base, coefficient, full, value) -> Fraction:
    row, decimals, cost = terms.row, decimals_of(terms), int(claim["total_fen"])
    level = points.class_average_fen.get(rules.view.hospital_classes[int(claim["hospital"])], 0)

    def reference(to: int) -> Fraction:
        return {
            0: Fraction(points.average_fen),
            1: Fraction(level),
            2: points.average_fen * coefficient,
            3: Fraction(half_up(full * value)),
        }[to]

    def average(to: int) -> int:
        return level if to == 1 else points.average_fen

    low, high = int(row["low_strategy"]), int(row["high_strategy"])
    if (low and average(int(row["low_ratio_to"])) <= 0) or (high and average(int(row["high_ratio_to"])) <= 0):
        raise Refused(E.PAYMENT_RULE_UNDEFINED)
    if low:
        line = reference(int(row["low_ratio_to"])) * Fraction(int(row["low_multiple_ppm"]), 10**6)
        if cost < line or (cost == line and row["low_inclusive"]):
            factor = coefficient if row["low_coefficient"] else 1
            actual = base * factor * cost / average(int(row["low_ratio_to"]))
            return to_decimals(actual, decimals) if low == 2 else full
    if high:
        upper = Fraction(next(m for limit, m in terms.high_bands if base * HUNDRED_MILLION <= limit), 10**6)
        line = reference(int(row["high_ratio_to"])) * upper
        if cost > line or (cost == line and row["high_inclusive"]):
            ratio = Fraction(cost, average(int(row["high_ratio_to"])))
            factor = coefficient if row["high_coefficient"] else 1
            if high == 2:
                return full + to_decimals(max(Fraction(0), base * factor * (ratio - upper)), decimals)
            if high == 3:
                return to_decimals(max(Fraction(0), base * factor * (ratio - 1)), decimals)
            if high == 4:
                return to_decimals(base * ratio, decimals) - to_decimals(full * (upper - 1), decimals)
    return full


def point_value(rules, claim, kind: int) -> Fraction:
    date = int(claim["settlement_date"])
    month = date // 100
    for entry in rules.point_values:
        same = (entry.scheme, entry.kind) == (claim["scheme"], kind)
        if same and entry.source.from_date // 100 <= month <= entry.source.to_date // 100:
            return Fraction(entry.value_e4, 10**4)
    raise Refused(E.NO_POINT_VALUE)


def highest(rules, rows, claim, group, codes, date: int) -> Fraction:
    rates = [row.rate_ppm for row in rows if fits(rules, row, claim, group, codes, date)]
    return Fraction(max(rates, default=0), 10**6)


def pay(rules, claim, split, benefit, group, drg: str, codes=((), ())) -> dict:
    """Method, points, value and amount due of one claim, or the error number."""
    nothing = {"method": 0, "points": Fraction(0), "value": Fraction(0), "due_fen": 0, "by_item": 0}
    try:
        return {**_pay(rules, claim, split, benefit, group, drg, codes), "error": 0}
    except Refused as refused:
        return {**nothing, "error": int(refused.number)}


def _pay(rules, claim, split, benefit, group, drg: str, codes) -> dict:
    date = date_of(rules, claim)
    row = method_of(rules, claim, group, codes, date)
    clearing = sum(int(benefit[f"{fund}_fen"]) for fund in rules.clearing_funds)
    if "assistance" in rules.clearing_funds:
        clearing += int(benefit["tilt_fen"])
    others = int(benefit["personal_total_fen"]) + int(benefit["fund_total_fen"]) - clearing
    result = {"method": int(row.method), "points": Fraction(0), "value": Fraction(0), "due_fen": 0, "by_item": clearing}
    if row.method is Method.BY_ITEM:
        return {**result, "due_fen": clearing}
    if row.method is Method.CAPITATION:
        return result
    if row.method is Method.DRG_POINTS:
        return _drg(rules, claim, group, drg, codes, date, clearing, others, result, Fraction(1), (split, benefit))
    if row.method is Method.BED_DAY:
        table = next(t for t in rules.bed_days if t.name == row.table and holds(t, date))
        return _bed_day(rules, table, claim, split, group, codes, date, clearing, others, result)
    table = next(t for t in rules.packages if t.name == row.table and holds(t, date))
    return _package(rules, table, claim, group, drg, codes, date, clearing, others, result, (split, benefit))


def _drg(rules, claim, group, drg, codes, date, clearing, others, result, factor, paid) -> dict:
    terms = next((t for t in rules.drg if holds(t, date)), None)
    if terms is None:
        raise Refused(E.GROUP_WITHOUT_POINTS)
    decimals = decimals_of(terms)
    if group["status"] != GroupStatus.GROUPED or len(drg) <= 3:
        if terms.row["ungrouped"] == 1:
            return {**result, "method": int(Method.BY_ITEM), "due_fen": clearing}
        if terms.row["ungrouped"] == 0:
            raise Refused(E.PAYMENT_RULE_UNDEFINED)
        scale = Fraction(int(terms.row["scale_e8"]), HUNDRED_MILLION)
        points = to_decimals(scale * int(claim["total_fen"]) / int(terms.row["all_average_fen"]), decimals)
        value = point_value(rules, claim, 0)
    else:
        try:
            value = point_value(rules, claim, 0)
        except Refused:
            value = Fraction(0)
        points = case_points(rules, terms, claim, drg, value)
    if factor != 1:
        points = to_decimals(points * factor, decimals)
    addition = highest(rules, terms.supports, claim, group, codes, date)
    if addition:
        points = to_decimals(points * (1 + addition), decimals)
    value = point_value(rules, claim, 0)
    due = half_up(points * value)
    if terms.row["mode"] == 0:
        due -= others
    if terms.row["mode"] == 2:
        split, benefit = paid
        in_scope = due - int(split["wholly_self_paid_fen"]) - int(benefit["first_pay_fen"])
        in_scope -= int(benefit["deductible_fen"])
        due = half_up(max(0, in_scope) * Fraction(int(benefit["pooled_rate_ppm"]), 10**6))
    return {**result, "points": points, "value": value, "due_fen": due}


def _bed_day(rules, table, claim, split, group, codes, date, clearing, others, result) -> dict:
    days = max(1, int(claim["stay_days"]))
    hospital = int(claim["hospital"])
    name = rules.view.hospital_classes[hospital] if hospital >= 0 else ""
    rank = rules.view.classes.index(name) if name in rules.view.classes else -1
    ranks = {rate[0] for rate in table.rates}
    if rank not in ranks:
        rank = -1
    rates = [rate for rate in table.rates if rate[0] == rank]
    if not rates:
        raise Refused(E.NO_BED_DAY_RATE)
    amount = Fraction(sum(next(r[3] for r in rates if r[1] <= day <= r[2]) for day in range(1, days + 1)))
    factor = highest(rules, table.factors, claim, group, codes, date)
    formula = int(table.row["formula"])
    if formula == 3:
        points = amount / HUNDRED_MILLION
        points = to_decimals(points * factor, 8) if factor else points
        value = point_value(rules, claim, 0)
        return {**result, "points": points, "value": value, "due_fen": half_up(points * value) - others}
    if factor:
        amount = Fraction(half_up(amount * factor))
    if formula == 0:
        return {**result, "due_fen": int(amount) - others}
    if formula == 1:
        return {**result, "due_fen": half_up(amount * Fraction(int(table.row["fund_ppm"]), 10**6))}
    if not claim["total_fen"]:
        return result
    rate_a, rate_b = (Fraction(int(table.row[f"rate_{letter}_ppm"]), 10**6) for letter in "ab")
    weighted = (rate_a * int(split["class_a_fen"]) + rate_b * int(split["class_b_fen"])) / int(claim["total_fen"])
    due = half_up(max(Fraction(0), weighted) * amount)
    if table.row["cap_ppm"]:
        due = min(due, half_up(clearing * Fraction(int(table.row["cap_ppm"]), 10**6)))
    return {**result, "due_fen": due}


def _package(rules, table, claim, group, drg, codes, date, clearing, others, result, paid) -> dict:
    row = table.row
    key = {
        0: 0,
        1: int(claim["disease"]),
        2: int(claim["maternity_type"]),
        3: int(claim["care_kind"]),
        4: int(group["drg"]),
    }[int(row["key"])]
    hospital = int(claim["hospital"])
    name = rules.view.hospital_classes[hospital] if hospital >= 0 else ""
    rank = rules.view.classes.index(name) if name in rules.view.classes else -1
    prices = table.prices.get((key, rank)) or table.prices.get((key, -1))
    if prices is None:
        raise Refused(E.PAYMENT_RULE_UNDEFINED)
    price, fund, second, first_ppm, second_ppm, points_e8, extra = prices
    more = extra * max(0, int(claim["fetus_count"]) - 1)
    price += more
    cost = int(claim["total_fen"])

    def part(amount: int, ppm) -> int:
        return half_up(amount * Fraction(int(ppm), 10**6))

    formula = int(row["formula"])
    if formula == 9:
        return _drg(rules, claim, group, drg, codes, date, clearing, others, result, Fraction(first_ppm, 10**6), paid)
    if formula == 8:
        points = Fraction(points_e8, HUNDRED_MILLION)
        if row["per_head"]:
            return {**result, "points": points}
        value = point_value(rules, claim, 1)
        return {**result, "points": points, "value": value, "due_fen": half_up(points * value)}
    if formula == 0:
        due = fund + more
    elif formula == 1:
        due = price - others
    elif formula == 2:
        due = clearing + part(price - cost, row["reward_ppm"]) if cost <= price else price - others
    elif formula == 3:
        if cost > price and not row["above_defined"]:
            raise Refused(E.PAYMENT_RULE_UNDEFINED)
        due = price - others
    elif formula == 4:
        if cost <= price:
            payable = cost + min(part(price - cost, row["reward_ppm"]), part(price, row["reward_cap_ppm"]))
        else:
            payable = price + part(min(cost - price, part(price, row["band_ppm"])), row["band_share_ppm"])
        due = payable - others
    elif formula == 5:
        due = cost - part(max(0, min(cost, second) - price), first_ppm) - part(max(0, cost - second), second_ppm)
    elif formula == 6:
        due = min(cost, price)
    else:
        due = clearing
    return {**result, "due_fen": due}
