"""The glossary names every accumulator, account, method and status that a caller can meet."""

from __future__ import annotations

import re

import pytest

from adjudicator import codes, columns, payers, steps
from adjudicator.payment.registry import NAMES_ZH


@pytest.fixture(scope="module")
def glossary(root) -> str:
    return (root / "docs" / "glossary.md").read_text(encoding="utf-8")


def test_accumulators(glossary):
    table = glossary.split("## Accumulators")[1].split("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)`", table, re.MULTILINE)
    used = columns.ACCUMULATOR_NAMES
    assert listed == list(dict.fromkeys(re.sub(r"level_\d", "level_N", name) for name in used))


def test_accounts_are_those_of_the_table_of_payers(glossary):
    table = glossary.split("## Accounts of the ledger")[1].split("\n## ")[0]
    listed = {
        tuple(re.findall(r"`(\w+)`", codes_of)): zh
        for codes_of, zh in re.findall(r"^\| [^|]+ \| (`[^|]+) \| ([^ |，]+)", table, re.MULTILINE)
    }
    assert listed == {payer.codes: payer.zh for payer in payers.LEDGER}


def test_steps_of_an_explanation(glossary):
    table = glossary.split("## Steps of an explanation")[1].split("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]+) \| ([^|]+) \|$", table, re.MULTILINE)
    assert listed == [(step.id, step.chain, step.en, step.zh) for step in steps.STEP_NAMES.values()]


def test_methods_have_their_chinese_names(glossary):
    table = glossary.split("## Payment methods")[1].split("\n## ")[0]
    listed = {int(number): zh for number, zh in re.findall(r"^\| (\d+) \| [a-z ]+ \| (.+) \|$", table, re.MULTILINE)}
    assert listed == {method.value: zh for method, zh in NAMES_ZH.items()}


def test_schemes_have_their_chinese_names(glossary):
    line = next(line for line in glossary.splitlines() if line.startswith("| scheme |"))
    assert re.findall(r"([a-z ]+) ([\u4e00-\u9fff]+)", line.split("|")[3]) == [
        (" " + entry.en, entry.zh) for entry in codes.SCHEMES
    ]


@pytest.mark.parametrize(
    ("heading", "members"), [("Payment methods", codes.Method), ("Grouping status", codes.GroupStatus)]
)
def test_numbers(glossary, heading, members):
    table = glossary.split(f"## {heading}")[1].split("\n## ")[0]
    listed = {int(number): name for number, name in re.findall(r"^\| (\d+) \| ([a-z ]+) \|", table, re.MULTILINE)}
    assert listed == {member.value: member.name.lower().replace("_", " ") for member in members}


def test_each_term_stands_once(glossary):
    terms = re.findall(
        r"^\| ([A-Za-z][^|`]+?) \| [^|]+ \| [^|]*\|$", glossary.split("## Accumulators")[0], re.MULTILINE
    )
    terms = [term for term in terms if term != "English"]
    assert len(terms) > 60 and len(terms) == len(set(terms))
