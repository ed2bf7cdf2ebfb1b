"""What `settle-month` refuses, in English and in Chinese."""

from __future__ import annotations

import re
import shutil

import pytest

from adjudicator.cli.main import main
from tests.pooling.test_commands import case_file


@pytest.mark.parametrize("month", ["202513", "202500", "2025"])
def test_what_is_not_a_month_is_named_in_both_languages(capsys, tmp_path, month: str) -> None:
    path = case_file(tmp_path / "c.csv", [{"case": "a"}])
    words = ["settle-month", "--pack", "taohuayuan", "--month", month, "--cases", str(path)]
    assert main(words) == 1
    english, chinese = capsys.readouterr().err.splitlines()
    assert f"{month} is not a month; write YYYYMM" in english
    assert f"{month} 不是月份" in chinese and "month" not in chinese


@pytest.mark.parametrize(("month", "budget"), [("202504", "310=1"), ("202503", "390=1")])
def test_refusals_of_a_month_are_chinese_in_chinese(capsys, tmp_path, packs, month: str, budget: str) -> None:
    """Neither a missing case nor a missing budget brings an English sentence into the Chinese line."""
    pack = tmp_path / "city"
    shutil.copytree(packs / "taohuayuan", pack)
    text = (pack / "pooling.toml").read_text(encoding="utf-8")
    parts = re.split(r"(?m)^(?=\[\[)", text)
    (pack / "pooling.toml").write_text("".join(p for p in parts if not p.startswith("[[budget]]")), encoding="utf-8")
    path = case_file(tmp_path / "c.csv", [{"case": "a"}])
    words = ["settle-month", "--pack", str(pack), "--month", month, "--cases", str(path), "--budget", budget]
    assert main(words) == 1
    chinese = capsys.readouterr().err.splitlines()[1]
    assert re.search("没有", chinese) and not re.search(r"[a-z]+ [a-z]+ [a-z]+", chinese)
