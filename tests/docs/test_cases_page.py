"""docs/cases.md names every key that a case may have with an example of it, and its whole examples come out."""

from __future__ import annotations

import re

import pytest
import yaml

from adjudicator.cases import file as case_file
from adjudicator.cli.main import main


@pytest.fixture(scope="module")
def page(root) -> str:
    return (root / "docs" / "cases.md").read_text(encoding="utf-8")


TABLES = [
    ("A case", case_file.CASE_KEYS),
    ("`person`", case_file.PERSON_KEYS),
    ("`claim`", case_file.CLAIM_KEYS),
    ("What may be expected", case_file.OUTCOMES),
]


def rows(page: str, heading: str) -> list[tuple[str, str]]:
    """Key and example of each row of the table under a heading."""
    table = page.split(f"## {heading}\n")[1].split("\n## ")[0].split("\n### ")[0]
    return re.findall(r"^\| `(\w+)` \|.*\| `([^|]+)` \|$", table, re.MULTILINE)


@pytest.mark.parametrize(("heading", "keys"), TABLES)
def test_every_key_has_a_row_with_an_example(page, heading, keys):
    listed = rows(page, heading)
    assert sorted(key for key, _ in listed) == sorted(keys)
    for key, example in listed:
        assert list(yaml.safe_load(example)) == [key]


def test_every_example_can_be_read(page, tmp_path):
    """Each example, put where its key belongs, makes a case file that is read without a fault."""
    places = {"A case": "", "`person`": "person", "`claim`": "claim", "What may be expected": "expect"}
    for heading, place in places.items():
        for _, example in rows(page, heading):
            own = yaml.safe_load(example)
            file = tmp_path / "example.yaml"
            plan = {} if set(own) & set(case_file.PERIOD_KEYS) and not place else {"plan": {"rate_percent": 70}}
            file.write_text(yaml.safe_dump(plan | ({place: own} if place else own)), "utf-8")
            assert len(list(case_file.read_cases([file]))) == 1


@pytest.mark.parametrize(("start", "keys"), [("`amounts`:", case_file.AMOUNT_KEYS), ("`lines`:", case_file.LINE_KEYS)])
def test_lists_of_keys(page, start, keys):
    listed = set(re.findall(r"`(\w+)`", page.split(f"\n{start}")[1].split("\n\n")[0]))
    assert listed - {"total"} == set(keys) - {"total"}


def test_the_examples_come_out(page, tmp_path):
    examples = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 4
    for example in examples:
        file = tmp_path / "example.yaml"
        file.write_text(example, encoding="utf-8")
        assert main(["settle", str(file)]) == 0
