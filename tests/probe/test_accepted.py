"""What a pack accepts, and the command as a bureau's clerk runs it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from adjudicator.cases.file import read_cases
from adjudicator.cases.run import run_case
from adjudicator.cli.main import main
from adjudicator.probe.accepted import read_accepted
from adjudicator.rulefile.faults import PackError
from adjudicator.rules.bundle import load_bundle

ENTRY = """
[[accepted]]
relation = "{relation}"
reason = "Known."
reason_zh = "已知。"
document = "assumption"
evidence = "reading"
"""

ORDERS = ("order_does_not_matter", "order_of_hospitals_does_not_matter", "cutting_gains_nothing")
"""What half a deductible at the second stay breaks."""


@pytest.fixture
def pack(packs: Path, tmp_path: Path) -> Path:
    """A copy of a shipped pack that accepts nothing."""
    folder = tmp_path / "huzhou"
    for name in ("huzhou", "zhejiang"):
        shutil.copytree(packs / name, tmp_path / name)
    (folder / "accepted.toml").unlink(missing_ok=True)
    return folder


def test_findings_are_named_and_their_witnesses_settle_alike_through_the_engine(pack, tmp_path, capsys):
    assert main(["rules", "probe", str(pack), "--json", "--output", str(tmp_path / "found")]) == 1
    (report,) = json.loads(capsys.readouterr().out)
    assert {finding["relation"] for finding in report["findings"]} == set(ORDERS)
    cases = list(read_cases([tmp_path / "found" / "huzhou.yaml"]))
    assert len(cases) == sum(len(finding["cases"]) for finding in report["findings"])
    for case in cases:
        case.pack = str(pack)
        assert [settled.differences() for settled in run_case(case)] == [[] for _ in case.claims]


def test_a_pack_that_accepts_its_findings_is_fine_and_its_hash_is_the_same(pack, capsys):
    before = load_bundle([pack]).hash
    names = (*ORDERS, "no_cliff")
    (pack / "accepted.toml").write_text("".join(ENTRY.format(relation=name) for name in names), "utf-8")
    assert main(["rules", "probe", str(pack), "--lang", "zh"]) == 0
    said = capsys.readouterr().out
    assert "已说明: 已知。" in said and "accepted.toml accepted[3]: 没有对应的发现" in said
    assert load_bundle([pack]).hash == before


def test_an_entry_that_names_nothing_of_the_pack_is_a_fault(pack):
    (pack / "accepted.toml").write_text(ENTRY.format(relation="no_clif") + 'plan = ["moon"]\nby = "sun"\n', "utf-8")
    with pytest.raises(PackError) as raised:
        read_accepted(load_bundle([pack]).packs[0])
    faults = {fault.key: fault for fault in raised.value.faults}
    assert set(faults) == {"accepted[0].relation", "accepted[0].plan", "accepted[0].by"}
    assert faults["accepted[0].relation"].remedy == "did you mean no_cliff?"


LIMIT = "assistance_cap_yuan = { destitute = 80000,"
MISTAKES = {
    # A limit that falls where the burden rises: a cliff, and a fund that falls.
    "limit": (LIMIT, "assistance_from_yuan = [0, 20000]\n" + LIMIT.replace("80000", "[80000, 9000]")),
    # A richer category that gets more.
    "rates": ("low_income = 70, low_edge = 60", "low_income = 60, low_edge = 70"),
}


@pytest.mark.check
@pytest.mark.parametrize(
    ("mistake", "relations"),
    [("limit", {"no_cliff", "no_fund_falls"}), ("rates", {"poorer_pay_no_more"})],
    ids=["cliff and falling fund", "richer gets more"],
)
def test_a_value_broken_in_a_copied_pack_is_found(packs, tmp_path, capsys, mistake, relations):
    for name in ("taizhou", "zhejiang"):
        shutil.copytree(packs / name, tmp_path / name)
    shared = tmp_path / "zhejiang" / "benefit" / "shared.toml"
    text, found = shared.read_text("utf-8"), []
    assert MISTAKES[mistake][0] in text
    for content in (text, text.replace(*MISTAKES[mistake])):
        shared.write_text(content, "utf-8")
        main(["rules", "probe", str(tmp_path / "taizhou"), "--json"])
        (report,) = json.loads(capsys.readouterr().out)
        found.append({one["relation"] for one in report["findings"]})
    assert not relations & found[0] and relations <= found[1]


@pytest.mark.check
def test_diff_says_which_findings_a_change_adds_and_removes(packs, tmp_path, capsys):
    for name in ("taizhou", "zhejiang"):
        shutil.copytree(packs / name, tmp_path / name)
    shared = tmp_path / "zhejiang" / "benefit" / "shared.toml"
    shared.write_text(shared.read_text("utf-8").replace(*MISTAKES["rates"]), "utf-8")
    old, new = "taizhou@2026-11-01", f"{tmp_path / 'taizhou'}@2026-11-01"
    for first, second, key in ((old, new, "added"), (new, old, "removed")):
        assert main(["rules", "diff", first, second, "--probe", "--json"]) == 0
        findings = json.loads(capsys.readouterr().out)["findings"]
        assert "resident-inpatient" in findings[key]["poorer_pay_no_more-assistance"]
    assert main(["rules", "diff", old, old, "--probe", "--lang", "en"]) == 0
    assert "the same findings" in capsys.readouterr().out


LOOKED_AT = {
    # What is left of the in-scope burden is assisted, and catastrophic insurance counts first pays too but is taken
    # from that burden first (R09).
    "hangzhou": {
        "slope_of_funds", "order_does_not_matter", "order_of_hospitals_does_not_matter", "retired_pay_no_more",
        "lower_level_pays_no_more",
    },
    "huzhou": set(),
    "taizhou": {
        "slope_of_funds", "order_does_not_matter", "order_of_hospitals_does_not_matter", "retired_pay_no_more",
        "lower_level_pays_no_more",
    },
    "zhuzhou": set(),
}  # fmt: skip
"""Relations that shipped packs break and do not accept: a change of rules or software shows here."""


@pytest.mark.check
@pytest.mark.parametrize("name", LOOKED_AT)
def test_the_open_findings_of_the_shipped_cities_are_these(name, capsys):
    assert main(["rules", "probe", name, "--json"]) == (1 if LOOKED_AT[name] else 0)
    (report,) = json.loads(capsys.readouterr().out)
    assert {one["relation"] for one in report["findings"] if not one["accepted"]} == LOOKED_AT[name]
    assert report["idle"] == []
