"""The first rule change of the README, done as it says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from adjudicator.cli.main import main


@pytest.fixture
def case(root) -> str:
    return str(root / "docs" / "first-call" / "case.yaml")


@pytest.fixture(params=["README.md", "README.zh-CN.md"])
def my_city(request, root, packs, tmp_path) -> Path:
    """The toy city with the old block closed and the new block of the page behind it."""
    block = re.search(r"```toml\n(.*?)```", (root / request.param).read_text(encoding="utf-8"), re.DOTALL).group(1)
    folder = tmp_path / "my-city"
    shutil.copytree(packs / "taohuayuan", folder)
    file = folder / "benefit" / "employee.toml"
    text = file.read_text(encoding="utf-8")
    start = text.rindex("[[plan.rule]]", 0, text.index("tertiary = 1200"))
    end = text.index("[[plan.rule]]", start + 1)
    closed = text[start:end].replace("from = 2024-01-01\n", "from = 2024-01-01\nto = 2026-12-31\n")
    file.write_text(text[:start] + closed + block + "\n" + text[end:], encoding="utf-8")
    return folder


def test_today_the_case_differs(case, capsys):
    assert main(["settle", "--pack", "taohuayuan", case]) == 1
    assert "1200.00" in capsys.readouterr().out


def test_after_the_change_it_comes_out(my_city, case, root, capsys):
    assert main(["rules", "check", str(my_city)]) == 0
    assert main(["settle", "--pack", str(my_city), case]) == 0
    capsys.readouterr()
    main(["rules", "diff", f"{my_city}@2026-12-31", f"{my_city}@2027-01-01"])
    said = capsys.readouterr().out
    page = (root / "README.md").read_text(encoding="utf-8")
    assert said.split("\n\n")[1].strip() in page, "the page shows what the command prints"


def test_two_blocks_on_one_day_are_found(my_city, capsys):
    file = my_city / "benefit" / "employee.toml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("from = 2027-01-01", "from = 2026-06-01"), encoding="utf-8"
    )
    assert main(["rules", "check", str(my_city)]) == 1
    assert "employee.toml" in "".join(capsys.readouterr())
