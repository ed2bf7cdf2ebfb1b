"""docs/cases.md names every key that a case may have, and its example comes out."""

from __future__ import annotations

import re

import pytest

from adjudicator.cases import file as case_file
from adjudicator.cli.main import main


@pytest.fixture(scope="module")
def page(root) -> str:
    return (root / "docs" / "cases.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("heading", "keys"),
    [
        ("A case", case_file.CASE_KEYS),
        ("`person`", case_file.PERSON_KEYS),
        ("`claim`", case_file.CLAIM_KEYS),
    ],
)
def test_tables_of_keys(page, heading, keys):
    table = page.split(f"## {heading}\n")[1].split("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == sorted(keys)


@pytest.mark.parametrize(("start", "keys"), [("`amounts`:", case_file.AMOUNT_KEYS), ("`lines`:", case_file.LINE_KEYS)])
def test_lists_of_keys(page, start, keys):
    listed = set(re.findall(r"`(\w+)`", page.split(f"\n{start}")[1].split("\n\n")[0]))
    assert listed - {"total"} == set(keys) - {"total"}


def test_outcomes(page):
    text = page.split("## What may be expected")[1].split("\n## ")[0]
    assert re.findall(r"`([a-z_]+)`", text) == list(case_file.OUTCOMES)


def test_the_example_comes_out(page, tmp_path):
    file = tmp_path / "example.yaml"
    file.write_text(re.search(r"```yaml\n(.*?)```", page, re.DOTALL).group(1), encoding="utf-8")
    assert main(["settle", str(file)]) == 0
