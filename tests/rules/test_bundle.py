"""Packs compiled: selection of the plan by day, place and kind; look-up tables; the hash; provincial values once."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from adjudicator.benefit.plan.keys import NO_LIMIT, Stage
from adjudicator.codes import CareKind, Filing, Place, Scheme
from adjudicator.errors import E
from adjudicator.rulefile.evidence import Evidence
from adjudicator.rules.bundle import compile_bundle
from adjudicator.rules.inline import inline_bundle
from adjudicator.rules.load import PACKS, read_pack
from tests.benefit.made import PACKS as ALL
from tests.benefit.made import benefit_bundle

EMPLOYEE, INPATIENT = Scheme.EMPLOYEE, CareKind.INPATIENT


def row_on(date: int, place: Place = Place.LOCAL, filing: Filing = Filing.UNSPECIFIED, care: CareKind = INPATIENT):
    bundle = benefit_bundle("hangzhou")
    return bundle, *bundle.plans.select(0, EMPLOYEE, care, place, filing, date)


@pytest.mark.parametrize(
    ("date", "cap_fen"),
    [(20190601, 24_000_000), (20201231, 36_000_000), (20210101, 40_000_000), (20260101, 40_000_000)],
)
def test_the_top_of_hangzhou_by_date(date: int, cap_fen: int) -> None:
    bundle, row, error = row_on(date)
    assert error == E.NONE and bundle.plans.rows[row]["cap_fen"][0] == cap_fen


def test_no_rule_between_the_old_table_and_that_of_december_2020() -> None:
    assert row_on(20200615)[2] == E.NO_RULE_ON_DATE
    assert row_on(20180101)[2] == E.NO_RULE_ON_DATE


def test_no_plan_for_chronic_care_and_undefined_old_outpatient() -> None:
    assert row_on(20220101, care=CareKind.CHRONIC)[2] == E.NO_PLAN
    assert row_on(20190601, care=CareKind.OUTPATIENT)[2] == E.RULE_UNDEFINED


def test_old_rule_is_local_only() -> None:
    assert row_on(20190601, Place.OUTSIDE, Filing.TEMPORARY)[2] == E.NO_RULE_ON_DATE


def test_versions_name_the_day_a_rule_begins() -> None:
    bundle, row, _ = row_on(20210615)
    assert bundle.rule_versions[row] == "hangzhou@2021-01-01"


def test_shared_provincial_values_exist_once() -> None:
    bundle = benefit_bundle("hangzhou", "huzhou", "taizhou")
    bases = {}
    for version in bundle.plans.versions:
        value = version.values.get("catastrophic_base")
        if value is not None and version.plan.id == "resident-inpatient":
            bases[bundle.packs[version.pack].id] = (value.source.file, int(value.value))
    assert set(bases) == {"hangzhou", "huzhou", "taizhou"}
    assert len(set(bases.values())) == 1
    assert next(iter(bases.values()))[0] == "zhejiang/benefit/shared.toml"


def test_the_hash_is_of_the_content_not_of_comments(tmp_path: Path) -> None:
    def copy(name: str, edit) -> str:
        folder = tmp_path / name / "taohuayuan"
        shutil.copytree(PACKS / "taohuayuan", folder, ignore=shutil.ignore_patterns("catalogue", "payment*"))
        path = folder / "benefit" / "employee.toml"
        path.write_text(edit(path.read_text("utf-8")), "utf-8")
        return compile_bundle([read_pack(folder)], {"catalogue": [], "payment": []}, []).hash

    same = copy("a", lambda text: text)
    assert copy("b", lambda text: "# another comment\n" + text.replace(" = ", "  =  ")) == same
    assert copy("c", lambda text: text.replace("cap_yuan = 150000", "cap_yuan = 150001")) != same
    assert len(same) == 16


def test_several_bundles_live_side_by_side_and_cannot_be_changed() -> None:
    one, other = benefit_bundle("hangzhou"), benefit_bundle("zhuzhou")
    assert one.hash != other.hash
    with pytest.raises(ValueError, match="read-only"):
        one.plans.rows["cap_fen"][0] = 0
    with pytest.raises(ValueError, match="read-only"):
        one.plans.selector["start"] = 0


def test_lookup_names_every_code() -> None:
    bundle = benefit_bundle(*ALL)
    lookup = bundle.lookup
    assert (np.diff(lookup.area_codes) > 0).all()
    at = int(np.searchsorted(lookup.area_codes, 330102))
    pack = bundle.packs[lookup.area_pack[at]]
    assert pack.id == "hangzhou" and pack.areas[lookup.area_county[at]].name_zh == "上城区"
    assert len([area for area in pack.areas]) == 14
    assert bundle.pack_of_area("430281").id == "zhuzhou" and bundle.pack_of_area(110101) is None
    hospital = lookup.hospitals[lookup.hospital_codes.index("H33010200001")]
    assert pack.levels[hospital["deductible_level"]].id == "tertiary"
    assert lookup.assistance[0][0] == "" and "epidemic" in lookup.programmes[1]
    kinds = {(number, code): kind for number, code, kind in lookup.care_types}
    zhuzhou = [pack.id for pack in bundle.packs].index("zhuzhou")
    assert kinds[zhuzhou, "9901"] == CareKind.TWO_DISEASES and kinds[zhuzhou, "21"] == CareKind.INPATIENT


def test_person_groups_by_type_and_tier() -> None:
    table = benefit_bundle("hangzhou").benefit.rules.person_group
    types = benefit_bundle("hangzhou").lookup.person_types
    groups = benefit_bundle("hangzhou").packs[0].group_ids
    assert groups[table[0, Scheme.EMPLOYEE, types.index("1101"), 0]] == "active"
    assert groups[table[0, Scheme.RESIDENT, types.index("16"), 2]] == "resident_tier_2"
    assert table[0, Scheme.RESIDENT, types.index("15"), 5] == -1
    assert table[0, Scheme.RESIDENT, types.index("11"), 0] == -1


def test_inline_plan_reads_numbers_by_their_printed_digits() -> None:
    bundle = inline_bundle({"rate_percent": 88.8, "deductible_yuan": 404.20, "cap_yuan": "none"})
    row = bundle.plans.rows[0]
    assert row["rate_ppm"][0, 0, 0] == 888_000 and row["deductible_fen"][0, 0] == 40_420
    assert row["cap_fen"][0] == NO_LIMIT


def test_unverified_values_are_marked_by_stage(tmp_path: Path) -> None:
    folder = tmp_path / "taohuayuan"
    shutil.copytree(PACKS / "taohuayuan", folder, ignore=shutil.ignore_patterns("catalogue", "payment*"))
    official = 'link = "https://example.org/rules/1.html"\nevidence = "official"'
    path = folder / "benefit" / "employee.toml"  # the cross-region values are in shared.toml
    path.write_text(path.read_text("utf-8").replace('evidence = "demonstration"', official), "utf-8")
    bundle = compile_bundle([read_pack(folder)], {"catalogue": [], "payment": []}, [])
    row, _ = bundle.plans.select(0, EMPLOYEE, INPATIENT, Place.LOCAL, Filing.UNSPECIFIED, 20240601)
    marked = int(bundle.plans.rows[row]["unverified"])
    assert marked >> Stage.CROSS_REGION & 1 and not marked >> Stage.POOLED & 1


@pytest.mark.parametrize("grade", Evidence)
def test_only_official_evidence_counts_as_verified(grade: Evidence) -> None:
    source = {"document": "玩医保〔2025〕1号", "link": "https://example.org/1.html", "checked_on": "2025-01-01"}
    plans = inline_bundle({"rate_percent": 80, "evidence": str(grade), **source}).plans
    assert (int(plans.rows[0]["unverified"]) == 0) == (grade is Evidence.OFFICIAL)


def test_no_shipped_value_of_a_real_city_claims_more_than_was_done() -> None:
    """Nobody compared a value of these packs with the document itself; the day somebody does, this test changes."""
    for pack in benefit_bundle("hangzhou", "huzhou", "taizhou", "zhuzhou").packs:
        grades = {value.source.evidence for plan in pack.plans for dated in plan.values.values() for value in dated}
        assert Evidence.OFFICIAL not in grades and Evidence.SECONDARY in grades
