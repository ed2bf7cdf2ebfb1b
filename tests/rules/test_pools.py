"""A pool that is a whole municipality, and hospitals elsewhere that a register gives a level of the pool."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from adjudicator.cases.file import read_cases
from adjudicator.cases.run import run_case
from adjudicator.rulefile.faults import PackError
from adjudicator.rules.load import read_pack

GUANGZHOU = Path(__file__).parents[2] / "examples" / "guangzhou"
COUNTY = """
[[area]]
code = 500229
name = "Chengkou"
name_zh = "城口县"
"""
CASES = """
- case: district
  pack: {folder}
  claim: {{hospital: H50010300001, amounts: {{in_scope: 21600}}}}
  expect: {{deductible: 1600, pooled_fund: 16000}}
- case: county
  pack: {folder}
  claim: {{hospital: H50022900001, amounts: {{in_scope: 21600}}}}
  expect: {{deductible: 1600, pooled_fund: 16000}}
- case: elsewhere
  pack: {folder}
  claim: {{hospital: H51010700001, amounts: {{in_scope: 21600}}}}
"""


def municipality(folder: Path, province_wide: bool = True) -> Path:
    """The pack of examples/guangzhou as if it were Chongqing, whose counties have codes of another series."""
    shutil.copytree(GUANGZHOU, folder)
    for path in sorted(folder.rglob("*.*")):
        text = path.read_text("utf-8").replace("440100", "500000").replace("4401", "5001")
        path.write_text(text, "utf-8")
    pack = folder / "pack.toml"
    words = "pool = 500000" + ("\nprovince_wide = true" if province_wide else "")
    pack.write_text(pack.read_text("utf-8").replace("pool = 500000", words) + COUNTY, "utf-8")
    with (folder / "hospitals.csv").open("a", encoding="utf-8") as register:
        register.write("H50022900001,城口示例医院,500229,02,third,third,,invented\n")
        register.write("H51010700001,成都示例医院,510107,02,third,third,,invented\n")
    return folder


def test_every_area_of_a_municipality_is_local(tmp_path: Path) -> None:
    folder = municipality(tmp_path / "chongqing")
    file = tmp_path / "cases.yaml"
    file.write_text(CASES.format(folder=folder), "utf-8")
    settled = {case.name: run_case(case)[0] for case in read_cases([file])}
    assert {name: one.facts.place for name, one in settled.items()} == {"district": 0, "county": 0, "elsewhere": 2}
    assert [settled[name].differences() for name in ("district", "county")] == [[], []]


def test_without_the_word_the_fault_names_it(tmp_path: Path) -> None:
    with pytest.raises(PackError) as refused:
        read_pack(municipality(tmp_path / "chongqing", province_wide=False))
    assert "province_wide = true" in str(refused.value)


def test_a_city_is_no_province(tmp_path: Path) -> None:
    folder = tmp_path / "guangzhou"
    shutil.copytree(GUANGZHOU, folder)
    pack = folder / "pack.toml"
    pack.write_text(pack.read_text("utf-8").replace("pool = 440100", "pool = 440100\nprovince_wide = true"), "utf-8")
    with pytest.raises(PackError, match="no province or municipality"):
        read_pack(folder)
