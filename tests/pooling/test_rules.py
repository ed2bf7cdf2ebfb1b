"""Pooling files: what ships can be read; bad ones name every fault at once."""

from __future__ import annotations

import pytest

from adjudicator.pooling.rules import load_pooling
from adjudicator.rulefile.faults import Faults

SHIPPED = ["hangzhou", "huzhou", "taizhou", "zhuzhou", "taohuayuan"] + [
    f"pooling_examples/{name}.toml" for name in ("chongqing", "guangyuan", "lishui", "province")
]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_pooling_rules_have_no_faults(packs, name: str) -> None:
    faults = Faults()
    load_pooling(packs / name, faults)
    assert not faults, "\n".join(map(str, faults))


BAD = """
[[deficit]]
id = "bad"
from = 2020-01-01
document = "none"
evidence = "reading"
[[deficit.step]]
kind = "share"
shares = [{payer = "city", rate_percent = 50}, {payer = "county", rate_percent = 40}]
[[deficit.step]]
kind = "bands"
[[deficit.step.band]]
up_to_percent = 50
shares = [{payer = "city", rate_percent = 100}]
[[deficit.step.band]]
up_to_percent = 30
shares = [{payer = "city", rate_percent = 100}]

[[clearing]]
from = 2021-01-01
to = 2020-01-01
mode = "total_cost"
prepay_percent = 185
document = "none"
evidence = "official"
surplus = 5
"""


def test_all_faults_come_in_one_run(tmp_path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(BAD, encoding="utf-8")
    faults = Faults()
    load_pooling(path, faults)
    keys = {fault.key for fault in faults}
    assert keys == {
        "deficit[0].step[0].shares", "deficit[0].step[1].band", "clearing[0].to", "clearing[0].prepay_percent",
        "clearing[0].checked_on", "clearing[0].surplus",
    }  # fmt: skip
    assert all(fault.remedy for fault in faults)


def test_a_missing_file_is_named(tmp_path) -> None:
    faults = Faults()
    load_pooling(tmp_path, faults)
    assert [str(fault) for fault in faults] == [
        "pooling.toml: file: is missing — add it; docs/your-city.md shows a small one"
    ]
