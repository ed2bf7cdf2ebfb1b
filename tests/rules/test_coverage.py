"""The proof of ``rules check``: each hole of a pack with its smallest example, no claim too many and none too few."""
# ruff: noqa: E501 (one line a hole)

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from adjudicator.codes import CareKind, Filing
from adjudicator.errors import E
from adjudicator.rulefile.faults import Fault, Weight
from adjudicator.rulefile.proof import Dimension, dimension_of, holes, kinds_of_claims, smallest_example
from adjudicator.rules import coverage
from adjudicator.rules.bundle import load_bundle
from adjudicator.rules.check import check_pack
from adjudicator.rules.coverage import MATERNITY, PROVED_UNTIL, WHERE, check_coverage
from adjudicator.rules.load import read_pack, shipped_packs
from tests.benefit.desk import Desk

TODAY = 20_261_128
PACK = """
id = "small"
name = "Small"
name_zh = "小城"
pool = 990000
[[area]]
code = 990001
name = "County"
name_zh = "县"
[[level]]
id = "low"
name = "low"
name_zh = "基层"
hosp_lv = ["05", "06", "07", "08", "09", "10", "11"]
[[level]]
id = "high"
name = "high"
name_zh = "三级"
hosp_lv = ["01", "02", "03", "04"]
[[person_group]]
id = "active"
name = "active"
name_zh = "在职"
scheme = "employee"
person_types = ["11"]
[[person_group]]
id = "retired"
name = "retired"
name_zh = "退休"
scheme = "employee"
person_types = ["12"]
[[not_covered]]
care = [
    "outpatient", "chronic", "special", "pharmacy", "day_surgery", "maternity_inpatient", "maternity_outpatient",
    "emergency", "bed_day_inpatient", "single_disease",
]
reason = "A pack of a test."
[[not_covered]]
place = ["province", "outside"]
reason = "A pack of a test."
"""
PLAN = """
[[plan]]
id = "inpatient"
name = "Inpatient"
name_zh = "住院"
scheme = "employee"
care = "inpatient"
place = "local"
from = 2024-01-01
[[plan.rule]]
from = 2024-01-01
document = "test"
evidence = "demonstration"
deductible_counting = "per_stay"
deductible_yuan = { low = 100, high = 200 }
rate_percent = { active = { low = 90, high = 80 }, retired = { low = 95, high = 85 } }
"""
RATES = "{ active = { low = 90, high = 80 }, retired = { low = 95, high = 85 } }"
METHOD = """
deciding_date = "discharge"
clearing_funds = ["pooled"]
[[method]]
id = "by_item"
method = "by_item"
from = 2000-01-01
document = "test"
evidence = "demonstration"
"""
HOSPITALS = """code,name,area,hosp_lv,deductible_level,price_level,payment_class,note
H99000100001,医院,990001,02,high,high,,test
"""


def city(folder: Path, pack: str = PACK, plan: str = PLAN, method: str = METHOD) -> Path:
    """A pack with one plan that covers everything that it does not declare."""
    (folder / "benefit").mkdir(parents=True)
    for name, text in (
        ("pack.toml", pack), ("benefit/plan.toml", plan), ("payment.toml", method), ("hospitals.csv", HOSPITALS),
    ):  # fmt: skip
        (folder / name).write_text(text, "utf-8")
    return folder


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


def findings(folder: Path, weight: Weight = Weight.FAULT) -> list[Fault]:
    return [found for found in check_pack(folder, TODAY) if found.weight is weight]


def test_a_pack_without_holes(tmp_path: Path) -> None:
    assert check_pack(city(tmp_path / "city"), TODAY) == []


HOLES = [
    ("a class without a rate", PLAN, ", retired = { low = 95, high = 85 }", "", "employee retired, inpatient, local: no rule", "退休，住院，本地：没有规则"),
    ("a level without a rate", PLAN, "active = { low = 90, high = 80 }", "active = { low = 90 }",
     "employee active, inpatient, local, level high: no rule", "在职，住院，本地，三级：没有规则"),
    ("a level without a deductible", PLAN, "{ low = 100, high = 200 }", "{ low = 100 }", "inpatient, local, level high: no rule", "住院，本地，三级：没有规则"),
    ("a plan that ends", PLAN, "from = 2024-01-01\n[[plan.rule]]", "from = 2024-01-01\nto = 2027-12-31\n[[plan.rule]]",
     "inpatient, local, from 2028-01-01 on: no rule", "住院，本地，2028-01-01 起：没有规则"),
    ("a person type in no group", PACK, 'person_types = ["12"]', 'person_types = ["1201"]', "employee person type 12, inpatient, local: no rule",
     "职工人员类别 12，住院，本地：没有规则"),
    ("a contribution tier in no group", PACK, 'person_types = ["12"]', 'person_types = ["12"]\ncontribution_tiers = [0, 2]',
     "employee person type 12 tier 1, inpatient, local: no rule", "职工人员类别 12缴费档次 1，住院，本地：没有规则"),
    ("a place without a plan", PACK, 'place = ["province", "outside"]', 'place = "province"', "inpatient, outside: no rule", "住院，省外：没有规则"),
    ("a declaration that ends", PACK, 'place = ["province", "outside"]', 'place = ["province", "outside"]\nto = 2025-06-30',
     "inpatient, province, from 2025-07-01 on: no rule (likewise outside)", "住院，省内异地，2025-07-01 起：没有规则（同样：省外）"),
    ("a place without its rule", PLAN, 'place = "local"', 'place = ["local", "province"]', "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "file", "old", "new", "en", "zh"), HOLES, ids=[row[0] for row in HOLES])
def test_a_hole_is_told_with_its_smallest_example(
    tmp_path: Path, name: str, file: str, old: str, new: str, en: str, zh: str
) -> None:
    text = changed(file, old, new)
    folder = city(tmp_path / "city", *((text, PLAN) if file is PACK else (PACK, text)))
    found = findings(folder)
    if not en:  # it is declared
        assert found == []
        return
    assert [one.message for one in found] == [en]
    assert found[0].message_zh == zh and "not_covered" in found[0].remedy and found[0].remedy_zh


def test_holes_of_filings_and_maternity_classes(tmp_path: Path) -> None:
    cross = '[[plan.rule.cross_region]]\nplace = "province"\nfiling = ["referred", "emergency"]\n'
    plan = changed(PLAN, 'place = "local"', 'place = ["local", "province"]') + cross
    pack = changed(PACK, 'place = ["province", "outside"]', 'place = "outside"')
    (found,) = findings(city(tmp_path / "filings", pack, plan))
    assert found.message == "inpatient, province (resettled, long_term, posted, temporary, none, not_direct): no rule"
    direct = plan + 'channel = "direct"\n'
    rest = cross.replace('"referred", "emergency"', '"resettled", "long_term", "posted", "temporary", "none"')
    (found,) = findings(city(tmp_path / "channel", pack, direct + rest + 'channel = "direct"\n'))
    assert found.message == "inpatient, province at the counter: no rule" and "省内异地零星报销" in found.message_zh
    (found,) = findings(city(tmp_path / "both", pack, direct))
    assert found.message == (
        "inpatient, province (resettled, long_term, posted, referred at the counter, emergency at the counter, "
        "temporary, none, not_direct): no rule"
    )
    plan = changed(PLAN, 'care = "inpatient"', 'care = "maternity_inpatient"')
    rates = plan[plan.index("rate_percent") :]
    plan = changed(plan, rates, 'quota_mode = "cost_up_to_quota"\nmaternity_quota_yuan = { normal = 2000 }\n')
    pack = changed(changed(PACK, '"maternity_inpatient", ', ""), "care = [", 'care = [ "inpatient",')
    found_here = findings(city(tmp_path / "maternity", pack, plan))
    assert [one.message for one in found_here] == [
        "maternity_inpatient, local, maternity assisted: no rule (likewise maternity caesarean, maternity difficult, maternity miscarriage, "
        "maternity termination, maternity prenatal, maternity other)"
    ]


def test_a_municipality_has_no_other_place_in_its_province(tmp_path: Path) -> None:
    pack = changed(PACK, "pool = 990000", "pool = 990000\nprovince_wide = true")
    assert (
        check_pack(
            city(tmp_path / "city", changed(pack, 'place = ["province", "outside"]', 'place = "outside"')), TODAY
        )
        == []
    )


def test_a_kind_of_care_that_no_plan_has_is_a_note(tmp_path: Path) -> None:
    folder = city(tmp_path / "city", changed(PACK, '"chronic", ', ""))
    assert findings(folder) == []
    (note,) = findings(folder, Weight.NOTE)
    assert note.message == "employee: no plan for chronic; such claims are refused"
    assert note.message_zh == "职工：门诊慢病没有待遇方案，此类结算单将被拒绝"


def test_a_declaration_that_declares_nothing_is_doubted(tmp_path: Path) -> None:
    pack = PACK + '[[not_covered]]\ncare = "inpatient"\nplace = "local"\nreason = "Wrong."\n'
    (warning,) = findings(city(tmp_path / "city", pack), Weight.WARNING)
    assert (warning.key, warning.message) == (
        "not_covered[2]",
        "declares claims that all have a rule, or that nobody has",
    )


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ('level = "hihg"\nreason = "x"', "not_covered[2].level: unknown level 'hihg' — did you mean high?"),
        ('person_group = "nobody"\nreason = "x"', "not_covered[2].person_group: unknown person_group 'nobody'"),
        ('maternity = "twins"\nreason = "x"', "not_covered[2].maternity: unknown maternity 'twins'"),
        ('reason = " "', "not_covered[2].reason: is empty"),
        ('care = "inpatient"', "not_covered[2].reason: is missing"),
        ('cares = "inpatient"\nreason = "x"', "not_covered[2].cares: unknown key"),
    ],
)
def test_faults_of_a_declaration(tmp_path: Path, entry: str, expected: str) -> None:
    found = [str(fault) for fault in findings(city(tmp_path / "city", f"{PACK}[[not_covered]]\n{entry}\n"))]
    assert any(expected in fault for fault in found), found


class TestRulesThatNobodyReaches:
    def test_a_plan_whose_care_no_category_leads_to(self, tmp_path: Path) -> None:
        second = changed(changed(PLAN, '"inpatient"\nname', '"home"\nname'), 'care = "inpatient"', 'care = "home_bed"')
        (fault,) = findings(city(tmp_path / "city", plan=PLAN + second))
        assert fault.key == "plan[1].care"
        assert fault.message == "no medical category leads to home_bed: nobody reaches the plan"

    def test_a_plan_of_a_scheme_without_persons(self, tmp_path: Path) -> None:
        second = changed(changed(PLAN, '"inpatient"\nname', '"cadre"\nname'), '"employee"', '"retired_cadre"')
        second = changed(second, RATES, "80")
        (fault,) = findings(city(tmp_path / "city", plan=PLAN + second))
        assert fault.message == "no person group is of retired_cadre: nobody reaches the plan"

    def test_a_block_outside_the_days_of_its_plan(self, tmp_path: Path) -> None:
        block = '[[plan.rule]]\nfrom = 2020-01-01\nto = 2022-12-31\ndocument = "test"\nevidence = "demonstration"\n'
        (fault,) = findings(city(tmp_path / "city", plan=f"{PLAN}{block}cap_yuan = 5000\n"))
        assert (fault.key, fault.message) == ("plan[0].rule[1]", "no plan takes this block on any of its days")

    def test_a_fragment_that_no_plan_uses(self, tmp_path: Path) -> None:
        fragment = '[[fragment]]\nid = "idle"\n[[fragment.rule]]\nfrom = 2024-01-01\ndocument = "test"\n'
        plan = f'{PLAN}{fragment}evidence = "demonstration"\ncap_yuan = 5000\n'
        assert [fault.key for fault in findings(city(tmp_path / "city", plan=plan))] == ["fragment[0].rule[0]"]

    def test_a_level_without_hospitals(self, tmp_path: Path) -> None:
        level = '[[level]]\nid = "none"\nname = "none"\nname_zh = "无"\n'
        plan = changed(PLAN, "low = 100,", "low = 100, none = 100,")
        plan = changed(plan, RATES, "80")
        (warning,) = findings(city(tmp_path / "city", PACK + level, plan), Weight.WARNING)
        assert warning.message == "no hospital and no hosp_lv leads to level 'none'"

    def test_a_method_row_below_others(self, tmp_path: Path) -> None:
        row = METHOD[METHOD.index("[[method]]") :]
        above = changed(changed(row, '"by_item"\n', '"above"\n'), "from", "priority = 5\nfrom")
        (fault,) = findings(city(tmp_path / "city", method=METHOD + above))
        assert fault.message == "no claim reaches row by_item: nothing fits it, or higher rows take it all"
        assert "没有结算单会用到行 by_item" in fault.message_zh


# -------------------------------------------------------------------- the proof itself


@pytest.mark.parametrize("name", [*shipped_packs(), "examples/guangzhou"])
def test_what_is_shipped_has_neither_holes_nor_doubts(name: str) -> None:
    begun = time.process_time()
    assert check_pack(name, TODAY) == []
    assert time.process_time() - begun < 5


def cells(dimensions: list[Dimension]) -> Iterator[tuple[int, ...]]:
    yield from itertools.product(*(range(len(dimension.atoms)) for dimension in dimensions))


WITHOUT_RULE = (E.RULE_UNDEFINED, E.NO_PLAN, E.NO_RULE_ON_DATE, E.CARE_NOT_COVERED)


@pytest.mark.parametrize("name", shipped_packs())
def test_the_holes_are_exactly_the_claims_that_the_engine_refuses(name: str) -> None:
    """A large bill of every kind of claim, settled: the engine is the twin of the proof."""
    desk = Desk(load_bundle([name]))
    pack = replace(desk.bundle.packs[0], not_covered=())
    persons, cares = list(coverage._persons(pack)), sorted(set(pack.care_types.values()))
    first = min(plan.from_date for plan in pack.plans)
    rules = [*coverage._plan_rules(pack, persons), *coverage._never(pack, persons, cares)]
    dimensions = coverage._dimensions(pack, rules, persons, cares, first)
    boxes = [box for _, box in holes(len(rules), dimensions)]
    planned = {(plan.scheme, care) for plan in pack.plans for care in plan.care}
    checked = 0
    for cell in cells(dimensions):
        person, care, (place, filing, channel), level, maternity, day = (
            dimension.atoms[place].values[0] for place, dimension in zip(cell, dimensions, strict=True)
        )
        undefined = any(
            plan.undefined and plan.scheme == person.scheme and care in plan.care and place in plan.places
            and plan.from_date <= day <= plan.to_date
            for plan in pack.plans
        )  # fmt: skip
        if (person.scheme, care) not in planned or undefined:
            continue
        inside = any(all(place in chosen for place, chosen in zip(cell, box, strict=True)) for box in boxes)
        answer = desk.settle(
            5_000_000, scheme=person.scheme.name, type=person.person_type, tier=person.tier, care=CareKind(care).name,
            place=place.name, filing=filing.name, settled_at_counter=int(channel), level=pack.level_ids[level],
            maternity=maternity, date=day,
            **({"disease": pack.diseases[0].code} if pack.diseases else {}),
        )  # fmt: skip
        desk.states[:] = 0
        assert answer["error"] in (E.NONE, *WITHOUT_RULE)
        assert inside == (answer["error"] != E.NONE), (
            person,
            care,
            place,
            filing,
            channel,
            level,
            maternity,
            day,
            answer["error"],
        )
        checked += 1
    assert checked >= 20


def test_dimensions_reach_to_2030_and_every_filing() -> None:
    assert PROVED_UNTIL == 20_301_231 and len(WHERE) == 2 + 2 * (2 * (len(Filing) - 2) + 1) and len(MATERNITY) == 8


def test_the_prover_finds_overlaps_holes_and_smallest_examples() -> None:
    def label(values: Sequence[object], _: str) -> list[str]:
        return [str(values[0])]

    boxes = [({1, 2}, {"a"}), ({2, 3}, None), (None, {"b"})]
    dimensions = [
        dimension_of([1, 2, 3, 4], [box[0] for box in boxes], label), dimension_of("abc", [box[1] for box in boxes], label),
    ]  # fmt: skip
    met = {
        sum(1 << n for n, (one, other) in enumerate(boxes) if (one is None or x in one) and (other is None or y in other))
        for x in [1, 2, 3, 4] for y in "abc"
    }  # fmt: skip
    assert set(kinds_of_claims(3, dimensions)) == met
    found = list(holes(3, dimensions))
    assert [smallest_example(choice, dimensions, "en") for choice, _ in found] == [["1", "c"], ["4", "a"]]


def test_an_overlap_of_two_plans_names_both(tmp_path: Path) -> None:
    second = changed(PLAN, '"inpatient"\nname', '"again"\nname')
    found = [str(fault) for fault in findings(city(tmp_path / "city", plan=PLAN + second))]
    assert any(
        "plans 'inpatient' (benefit/plan.toml) and 'again' both fit employee inpatient, local on 2024-01-01" in one
        for one in found
    )


def test_check_coverage_takes_a_pack_without_plans() -> None:
    assert check_coverage(replace(read_pack("huzhou"), plans=())) == []
