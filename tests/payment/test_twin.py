"""The payment kernel and its slow twin agree on every claim, for every method and strategy."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from adjudicator.codes import CareKind, GroupStatus
from tests.payment import naive, toy

LOW = '[drg.low]\nstrategy = "actual"\nratio_to = "group_average"\nmultiple = 0.4\n' + toy.MARK
HIGH = (
    '[drg.high]\nstrategy = "extra"\nratio_to = "group_average"\n' + toy.MARK + "[[drg.high.band]]\n"
    "up_to_points = 100\nmultiple = 3\n[[drg.high.band]]\nup_to_points = 300\nmultiple = 2\n"
    "[[drg.high.band]]\nmultiple = 1.5\n"
)


def drg(**changes: str) -> str:
    text = toy.DRG
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


SUPPORT = (
    f'[[drg.support]]\nid = "tcm"\n{toy.SOURCE}rate_percent = 10\ndepartment = ["A08"]\n'
    f'[[drg.support]]\nid = "key"\n{toy.SOURCE}rate_percent = 5\nhospital = ["H00000000001"]\n'
)
METHODS = "".join(
    f'[[method]]\nid = "{name}"\n{toy.SOURCE}method = "{method}"\npriority = {priority}\n{conditions}\n'
    for name, method, priority, conditions in [
        ("psychiatric", "bed_day", 20, 'table = "psych"\ncare = ["bed_day_inpatient"]'),
        ("share", "bed_day", 21, 'table = "share"\ncare = ["bed_day_inpatient"]\nscheme = ["resident"]'),
        ("points", "bed_day", 22, 'table = "points"\ncare = ["bed_day_inpatient"]\nplace = ["province"]'),
        ("fixed", "bed_day", 23, 'table = "fixed"\ncare = ["bed_day_inpatient"]\nplace = ["outside"]'),
        ("one", "single_disease", 20, 'table = "single"\ndisease = ["M01", "M02"]\ncare = ["single_disease"]'),
        ("day", "day_surgery", 20, 'table = "day"\ncare = ["day_surgery"]\ngroup_status = ["grouped"]'),
        ("birth", "quota", 20, 'table = "birth"\ncare = ["maternity_inpatient"]\nmaternity_type = ["1", "3"]'),
        ("bands", "quota", 20, 'table = "bands"\ncare = ["home_bed"]'),
        ("visit", "outpatient_points", 20, 'table = "visit"\ncare = ["outpatient", "chronic"]'),
        ("heads", "capitation", 30, 'care = ["outpatient"]\ncontract = "yes"'),
        ("counter", "by_item", 50, 'channel = "counter"\nfiling = ["long_term", "not_direct"]'),
        ("long", "by_item", 30, 'care = ["inpatient"]\nstay_days = {from = 61}'),
        ("appendix", "single_disease", 40, 'table = "any"\ncare = ["inpatient"]\nprocedure = ["47.0100"]\n'
         'diagnosis = ["K35*"]'),
    ]
)  # fmt: skip


def table(kind: str, name: str, keys: str) -> str:
    return f'[[{kind}]]\nid = "{name}"\n{toy.SOURCE}file = "{kind}.csv"\n{keys}\n'


TABLES = (
    table("bed_day", "psych", 'formula = "less_patient"')
    + f'[[bed_day.factor]]\n{toy.SOURCE}rate_percent = 80\nassistance = ["low_income"]\n'
    + table("bed_day", "share", 'formula = "class_share"\nrate_a_percent = 90\nrate_b_percent = 85\ncap_percent = 102')
    + table("bed_day", "points", 'formula = "points"')
    + table("bed_day", "fixed", 'formula = "fund_share"\nfund_share_percent = 70')
    + table("package", "single", 'formula = "ceiling"\nby = "disease"\nreward_percent = 50')
    + table("package", "any", 'formula = "package"\nby = "none"')
    + table("package", "day", 'formula = "drg_share"\nby = "none"')
    + table("package", "birth", 'formula = "cost_bands"\nby = "maternity_type"')
    + table(
        "package",
        "bands",
        'formula = "quota_bands"\nby = "none"\nband_percent = 20\nband_share_percent = 50\nreward_percent = 30\n'
        "reward_cap_percent = 3",
    )
    + table("package", "visit", 'formula = "points"\nby = "care"')
    + f'[[contract]]\nid = "c1"\nhospital = "H00000000003"\nscheme = "employee"\n{toy.SOURCE}'
    + f'[[point_value]]\n{toy.SOURCE}scheme = "employee"\nkind = "outpatient"\nvalue_yuan = 1.25\n'
)
BED_DAY = """table,payment_class,day_from,day_to,rate_yuan,rate_points
psych,tertiary,1,30,260.00,
psych,tertiary,31,90,230.55,
psych,tertiary,91,,180.00,
psych,,1,,130.00,
share,,1,,260.00,
points,tertiary,1,,,2.36182972
fixed,secondary,1,,380.00,"""
PACKAGE = """\
table,code,payment_class,price_yuan,fund_yuan,second_from_yuan,first_rate_percent,second_rate_percent,points,extra_fetus_yuan
single,M01,,8000.00,,,,,,
single,M02,tertiary,12000.00,,,,,,
any,,,6000.00,,,,,,
day,,,,,,85,,,
birth,1,tertiary,2000.00,,4000.00,5,25,,300.00
birth,3,,3500.00,,6000.00,5,25,,
bands,,,9000.00,,,,,,
visit,outpatient,,,,,,,1.5000,
visit,chronic,primary,,,,,,0.8500,"""


RULES = {
    "plain": toy.HEAD + toy.BY_ITEM + toy.INPATIENT_DRG + drg() + LOW + HIGH + SUPPORT + METHODS + TABLES + toy.VALUE,
    "jinhua": toy.THIN.replace("use_coefficient = true", "use_coefficient = false"),
    "level": toy.HEAD
    + toy.BY_ITEM
    + toy.INPATIENT_DRG
    + drg(**{"family = 1": 'family = 2\nmissing_up_percent = 90\nmissing_down_percent = 110\n'
             'missing_hospital = "level"\ncap = 1.06\nweights = {hospital = 0.7, level = 0.3}',
             '"total_cost"': '"fund_only"', '"cost_points"': '"by_item"',
             'cap = "base"': 'cap = "full"'})
    + LOW.replace("group_average", "level_average").replace("false", "true")
    + HIGH.replace("group_average", "level_average").replace("extra", "excess")
    + toy.VALUE,
    "dip": toy.HEAD
    + toy.BY_ITEM
    + toy.INPATIENT_DRG
    + drg(**{'ungrouped = "cost_points"\n': ""})
    + LOW.replace("group_average", "standard_points").replace("multiple = 0.4", "multiple = 0.6\ninclusive = true")
    + HIGH.replace("group_average", "standard_points").replace("extra", "continuous")
    + toy.VALUE,
    "rate form": toy.HEAD
    + toy.BY_ITEM
    + toy.INPATIENT_DRG
    + drg(**{'"total_cost"': '"rate"'})
    + toy.VALUE,
    "rate": toy.HEAD
    + toy.BY_ITEM
    + toy.INPATIENT_DRG
    + drg()
    + HIGH.replace("group_average", "standard_money").replace('"extra"', '"extra"\nuse_coefficient = true')
    + toy.VALUE,
}  # fmt: skip


def random_batch(generator: np.random.Generator, count: int) -> tuple[SimpleNamespace, SimpleNamespace]:
    """Claims of every kind; costs include exact multiples of the averages, where the boundaries lie."""
    b = toy.batch(count)
    pick = generator.choice
    claims, groups = b.claims, b.groups
    claims["care_kind"] = pick([7, 7, 7, 14, 15, 9, 10, 8, 1, 2], count)
    claims["scheme"], claims["place"] = pick([1, 1, 2], count), pick([0, 0, 0, 1, 2], count)
    claims["hospital"], claims["disease"] = pick([-1, 0, 0, 1, 2, 3], count), pick([-1, 0, 1, 2], count)
    claims["discharge_way"], claims["mid_stay"] = pick([0, 1, 1, 2, 3, 4, 5, 9], count), pick([0, 1], count)
    claims["stay_days"], claims["assistance"] = pick([0, 1, 7, 30, 31, 60, 61, 95], count), pick([0, 0, 1], count)
    claims["department"], claims["maternity_type"] = pick([0, 1, 2], count), pick([0, 1, 3], count)
    claims["fetus_count"], claims["at_signed_institution"] = pick([0, 1, 2], count), pick([0, 1], count)
    claims["filing"], claims["settled_at_counter"] = pick([0, 2, 8], count), pick([0, 0, 1], count)
    claims["discharge_date"] = pick([0, 20250115, 20250309, 20241231], count)
    averages = pick([1_200_000, 800_000, 3_105_000, 1_400_000, 900_000, 1_260_000], count)
    exact = averages * pick([2, 3, 4, 5, 6, 10, 15, 20, 30], count) // 10
    cost = np.where(
        generator.random(count) < 0.5, exact + pick([-1, 0, 0, 1], count), generator.integers(1, 20_000_000, count)
    )
    claims["total_fen"] = np.where(generator.random(count) < 0.01, generator.integers(10**11, 10**12, count), cost)
    groups["status"], groups["drg"] = pick([1, 1, 1, 1, 2], count), pick([0, 0, 1, 1, 2, 2, 3, 4], count)
    groups["drg"][groups["status"] != GroupStatus.GROUPED] = -1
    total = claims["total_fen"]
    b.benefits["pooled_fen"] = total * generator.integers(0, 90, count) // 100
    b.benefits["catastrophic_fen"] = (total - b.benefits["pooled_fen"]) // 7
    b.benefits["fund_total_fen"] = b.benefits["pooled_fen"] + b.benefits["catastrophic_fen"]
    b.benefits["personal_total_fen"] = total - b.benefits["fund_total_fen"]
    b.splits["class_a_fen"] = total // 3
    b.splits["class_b_fen"] = total // 4
    b.splits["wholly_self_paid_fen"] = total // 20
    b.benefits["first_pay_fen"], b.benefits["deductible_fen"] = total // 15, pick([0, 60_000, 120_000], count)
    b.benefits["pooled_rate_ppm"] = pick([0, 700_000, 853_333], count)
    diagnoses, procedures = pick([0, 1, 2, 3], count).astype(np.int32), pick([0, 1], count).astype(np.int32)
    offsets = np.arange(count + 1)
    return b, SimpleNamespace(
        diagnosis_offsets=offsets, diagnoses=diagnoses, procedure_offsets=offsets, procedures=procedures
    )


@pytest.mark.parametrize("name", RULES)
def test_kernel_equals_its_twin(name: str, tmp_path) -> None:
    rules = toy.bundle(tmp_path, RULES[name], bed_day=BED_DAY, package=PACKAGE)
    source = rules.payment.sources[0]
    b, codes = random_batch(np.random.default_rng(7), 1500)
    out = toy.paid(rules, b, codes)
    drgs = list(toy.CODES.drgs)
    seen = set()
    for i in range(len(out)):
        drg_code = drgs[b.groups["drg"][i]] if b.groups["drg"][i] >= 0 else ""
        ids = ([int(codes.diagnoses[i])], [int(codes.procedures[i])])
        expected = naive.pay(source, b.claims[i], b.splits[i], b.benefits[i], b.groups[i], drg_code, ids)
        got = {
            "method": int(out["method"][i]),
            "points": Fraction(int(out["points_e8"][i]), 10**8),
            "value": Fraction(int(out["point_value_e4"][i]), 10**4),
            "due_fen": int(out["due_fen"][i]),
            "by_item": int(out["by_item_fen"][i]),
            "error": int(out["error"][i]),
        }
        assert got == expected, f"claim {i}: {b.claims[i]}"
        seen.add((got["method"], got["error"]))
    assert len(seen) > (12 if name == "plain" else 3), "the random claims must reach many methods and errors"


def test_care_kinds_of_the_random_claims_exist() -> None:
    assert {CareKind(kind) for kind in (7, 14, 15, 9, 10, 8, 1, 2)}
