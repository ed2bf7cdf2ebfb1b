"""What changes the points of a case after it was priced: readmission, special-case review, deductions.

Sources: docs/law.md#S-02 (readmission halves the earlier stay, R31), section "Special-case review".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from adjudicator.codes import Method
from adjudicator.errors import E, refuse
from adjudicator.payment.methods.drg.terms import Readmission, SpecialCases
from adjudicator.pooling.cases import Cases, days_since_epoch, inside
from adjudicator.rounding import PPM, divide_half_up, divide_up


def readmitted(cases: Cases, days: int) -> np.ndarray:
    """bool[n]: stays that are followed by the next stay of the same person and group within 0 to ``days`` days (R31).

    The next stay in the same group decides, in any hospital; other stays between do not matter. Of stays with the same
    days the one with the smaller case id is the earlier, so that the order of the cases changes nothing.
    """
    rows = cases.rows
    if not len(rows):
        return np.zeros(0, bool)
    admission, discharge = days_since_epoch(rows["admission_date"]), days_since_epoch(rows["discharge_date"])
    keys = [discharge, admission, rows["group"], rows["person"]]
    order = np.lexsort(keys)
    alike = np.logical_and.reduce([key[order[:-1]] == key[order[1:]] for key in keys])
    if alike.any():
        tied = order[np.append(alike, False) | np.insert(alike, 0, False)]
        rank = np.zeros(len(rows), np.int64)
        rank[tied[np.argsort(cases.ids[tied])]] = np.arange(len(tied))
        order = np.lexsort([rank, *keys])
    first, second = order[:-1], order[1:]
    same = (rows["person"][first] == rows["person"][second]) & (rows["group"][first] == rows["group"][second])
    gap = admission[second] - discharge[first]
    known = (discharge[first] > 0) & (admission[second] > 0)
    hit = np.zeros(len(rows), bool)
    hit[first] = (
        same & known & (gap >= 0) & (gap <= days) & (rows["exempt"][second] == 0) & (rows["exempt"][first] == 0)
    )
    return hit


def halve_readmissions(cases: Cases, rule: Readmission, rounding_unit_e8: int = 1) -> np.ndarray:
    """int64[n] points after the rule: the earlier stay keeps ``factor`` of its points, once."""
    judged = cases
    if cases.diagnoses is not None and rule.exempt_diagnoses:
        judged = replace(cases, rows=cases.rows.copy())
        judged.rows["exempt"] |= exempt_by_diagnosis(cases.diagnoses, rule.exempt_diagnoses)
    hit = readmitted(judged, rule.days)
    exempt = np.isin(cases.rows["group"], [n for n, group in enumerate(cases.groups) if group in rule.exempt_drgs])
    points = cases.rows["points_e8"].copy()
    for row in np.flatnonzero(hit & ~exempt):
        points[row] = divide_half_up(int(points[row]) * rule.factor_ppm, PPM * rounding_unit_e8) * rounding_unit_e8
    return points


def exempt_by_diagnosis(diagnoses: np.ndarray, patterns: Sequence[str]) -> np.ndarray:
    """int8[n]: cases whose principal diagnosis is listed; ``Z51.1*`` stands for all that begin so.

    >>> exempt_by_diagnosis(np.array(["Z51.102", "I21.000"], object), ["Z51.1*"]).tolist()
    [1, 0]
    """
    begins = tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*"))
    whole = {pattern for pattern in patterns if not pattern.endswith("*")}
    known = {code: code in whole or bool(begins and code.startswith(begins)) for code in set(diagnoses.tolist())}
    return np.array([known[code] for code in diagnoses.tolist()], np.int8)


def review_quota(cases: int, limit_ppm: int, rounding: str) -> int:
    """How many cases may go to special-case review.

    >>> review_quota(1529, 1_000, "up")
    2
    >>> review_quota(1529, 5_000, "down")
    7
    """
    if rounding == "up":
        return divide_up(cases * limit_ppm, PPM)
    if rounding == "down" or cases * limit_ppm % PPM == 0:
        return cases * limit_ppm // PPM
    raise refuse(
        E.PAYMENT_RULE_UNDEFINED, "special_cases.rounding", "the document does not say how the quota is rounded",
        "文件未规定特例单议名额如何取整",
    )  # fmt: skip


def check_quota(reviewed: int, cases: int, limit_ppm: int, rounding: str) -> None:
    """Refuses more reviewed cases than the limit allows; where rounding is undefined, the case in doubt as well."""
    exact_down = cases * limit_ppm // PPM
    if reviewed <= exact_down:
        return
    allowed = review_quota(cases, limit_ppm, rounding)
    if reviewed > allowed:
        raise refuse(
            E.CANNOT_CLEAR, "decisions", f"{reviewed} cases reviewed, {allowed} of {cases} may be; leave some out",
            f"特例单议 {reviewed} 例，{cases} 例中最多 {allowed} 例，请减少",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decision:
    """What a review decided on one case: points, or the reasonable cost to be turned into points."""

    points_e8: int = -1
    reasonable_cost_fen: int = -1
    replaces: str = ""
    """Case that was applied for before and gave its place to this one (with the year only)."""


def apply_decisions(
    cases: Cases,
    points_e8: np.ndarray,
    decisions: Mapping[str, Decision],
    scale_e8: int,
    all_average_fen: int,
    rounding_unit_e8: int,
) -> np.ndarray:
    """int64[n] points with reviewed cases replaced; a cost counts scale x cost / average of all groups.

    A decision on a case that is not there is refused by its id.
    """
    place = {case: position for position, case in enumerate(cases.ids.tolist())}
    result = points_e8.copy()
    for case, decision in decisions.items():
        if case not in place:
            raise refuse(E.SETTLEMENT_NOT_FOUND, "case", case)
        if decision.points_e8 >= 0:
            result[place[case]] = decision.points_e8
        elif all_average_fen <= 0:
            raise refuse(
                E.CANNOT_CLEAR, "all_average_yuan",
                "a reasonable cost becomes points by the average of all groups; write all_average_yuan in [[drg]]",
                "合理费用按全部病组均费折算点数，请在 [[drg]] 中填写 all_average_yuan",
            )  # fmt: skip
        else:
            part = decision.reasonable_cost_fen * scale_e8
            result[place[case]] = divide_half_up(part, all_average_fen * rounding_unit_e8) * rounding_unit_e8
    return result


def check_swaps(applied: int, swapped: int, swap_ppm: int, hospital: str) -> None:
    """Before the year's settlement a hospital may swap a share of the applied cases."""
    allowed = applied * swap_ppm // PPM
    if swapped > allowed:
        raise refuse(
            E.CANNOT_CLEAR, "decisions",
            f"{swapped} of {applied} applied cases of {hospital} were swapped, {allowed} may be; leave some out",
            f"医院 {hospital} 申请的 {applied} 例中替换了 {swapped} 例，最多 {allowed} 例，请减少",
        )  # fmt: skip


def check_reviews(
    standing: Cases, period: int, decisions: Mapping[str, Decision], special: SpecialCases, classes: Mapping[str, str]
) -> None:
    """Refuse more reviewed cases than the limit of a period's DRG cases: of the pool, or of each class."""
    chosen = inside(standing, period) & (standing.rows["method"] == Method.DRG_POINTS)
    reviewed = np.array([case in decisions for case in standing.ids.tolist()], bool)
    if not special.limit_by_class_ppm:
        check_quota(int((chosen & reviewed).sum()), int(chosen.sum()), special.limit_ppm, special.rounding)
        return
    for name, limit in special.limit_by_class_ppm.items():
        members = [place for place, code in enumerate(standing.hospitals) if classes.get(code) == name]
        own = chosen & np.isin(standing.rows["hospital"], members)
        check_quota(int((own & reviewed).sum()), int(own.sum()), limit, special.rounding)


def check_review_swaps(standing: Cases, period: int, decisions: Mapping[str, Decision], special: SpecialCases) -> None:
    """Before the year is settled a hospital may swap some of the cases that it applied for (decision.replaces)."""
    hospital_of = dict(zip(standing.ids.tolist(), standing.rows["hospital"].tolist(), strict=True))
    mine = {case: decision for case, decision in decisions.items() if case in hospital_of}
    swaps = {case: decision.replaces for case, decision in mine.items() if decision.replaces}
    if swaps and period > 10_000:
        raise refuse(
            E.CANNOT_CLEAR, "decisions",
            "cases are swapped with the year's settlement, not in a month; leave the column replaces empty",
            "病例替换只在年度清算时进行，月度请将 replaces 列留空",
        )  # fmt: skip
    for case, replaced in swaps.items():
        if replaced in decisions or hospital_of.get(replaced) != hospital_of[case]:
            raise refuse(
                E.CANNOT_CLEAR, "decisions",
                f"case {case} replaces {replaced}, which must be another standing case of the same hospital without a "
                "decision of its own",
                f"病例 {case} 替换的 {replaced} 应为同一医院另一例有效且没有评审结果的病例，请更正",
            )  # fmt: skip
    for number, name in enumerate(standing.hospitals):
        applied = sum(hospital_of[case] == number for case in mine)
        swapped = sum(hospital_of[case] == number for case in swaps)
        if swapped:
            check_swaps(applied, swapped, special.swap_ppm, name)
