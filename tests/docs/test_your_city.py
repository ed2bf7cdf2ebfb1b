"""docs/your-city.md: the folder that the page makes, its cases, and a fault in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adjudicator.cli.main import main


@pytest.fixture
def city(root, tmp_path) -> Path:
    """The files of the page, written as it shows them."""
    page = (root / "docs" / "your-city.md").read_text(encoding="utf-8")
    files = re.findall(r"^\*\*`(guangzhou/[^`]+)`\*\*\n\n```\w+\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(files) == 11
    for name, text in files:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path / "guangzhou"


def test_the_pack_has_no_fault(city):
    assert main(["rules", "check", str(city)]) == 0


@pytest.mark.parametrize("file", ["cases.yaml", "lines.yaml"])
def test_its_cases_come_out(city, file):
    assert main(["settle", "--pack", str(city), str(city / file)]) == 0


def test_before_the_catalogue_the_cases_of_step_four_come_out(city):
    for file in (city / "catalogue").iterdir():
        file.unlink()
    (city / "catalogue").rmdir()
    assert main(["settle", "--pack", str(city), str(city / "cases.yaml")]) == 0


def test_a_misspelt_level_is_named_with_its_file(city, capsys):
    file = city / "benefit" / "employee.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("first = 90", "frist = 90"), encoding="utf-8")
    assert main(["settle", "--pack", str(city), str(city / "cases.yaml")]) == 1
    said = capsys.readouterr().err
    assert "employee.toml" in said and "frist" in said
