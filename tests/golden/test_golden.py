"""Every golden case comes out to the fen, and published answers that are wrong do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from adjudicator.cases.file import Case, read_cases
from adjudicator.cases.run import Settled, results_of, run_case
from tests.golden.coverage import every_use, uses_of

FOLDER = Path(__file__).parent
ALL = list(read_cases(sorted(FOLDER.rglob("*.yaml"))))
CASES = [case for case in ALL if not case.kind_of_period]
"""Those about claims."""
PERIODS = [case for case in ALL if case.kind_of_period]
SETTLED: dict[str, list[Settled]] = {}


def settled_case(case: Case) -> list[Settled]:
    """The settlements of a case, once for all tests of this file."""
    if case.name not in SETTLED:
        SETTLED[case.name] = run_case(case)
    return SETTLED[case.name]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.file}:{case.name}" for case in CASES])
def test_case(case: Case) -> None:
    for settled in settled_case(case):
        assert settled.differences() == []


@pytest.mark.parametrize("case", PERIODS, ids=[f"{case.file}:{case.name}" for case in PERIODS])
def test_case_of_a_period(case: Case) -> None:
    assert case.claims[0].expect
    assert [computed.differences() for computed in results_of(case)] == [[]]


def test_every_option_is_used_by_a_case() -> None:
    """An option that no case settles by is proved by nothing: add a case to ``toy/`` that writes it."""
    used = set().union(*(uses_of(settled) for case in CASES for settled in settled_case(case)))
    assert sorted(every_use() - used) == []


@pytest.mark.parametrize("point", [f"V{number:02}" for number in range(1, 20)])
def test_every_point_where_cities_differ_has_cases(point: str) -> None:
    assert [case for case in CASES if point in case.source or case.name.startswith(point)]


def test_every_reading_of_the_benefit_has_a_case() -> None:
    """Readings of docs/readings.md that are an option of a plan or a catalogue; R12, R14 and R19 are pack data."""
    readings = {f"R{number:02}" for number in (*range(1, 12), 13, *range(15, 19), *range(20, 30), *range(33, 38))}
    named = {word.strip(",.:;()") for case in CASES for word in f"{case.name} {case.source} {case.title}".split()}
    assert sorted(readings - {word.split("-")[0].rstrip("bc") for word in named}) == []


def test_toy_cases_over_a_year_show_their_arithmetic() -> None:
    """A case of the invented city is worked out by hand, and its note says how."""
    for case in CASES:
        amounts = {outcome for claim in case.claims for outcome in claim.expect} - {"error"}
        if (FOLDER / "toy" / case.file).exists() and amounts and len(case.claims) > 1:
            assert case.note, case.name


def test_names_are_unique() -> None:
    names = [case.name for case in ALL]
    assert len(names) == len(set(names))


def test_published_cases_name_their_source() -> None:
    for case in ALL:
        if case.name.startswith(("BEN-", "PUB-", "NEG-", "AMB-", "DER-PAY-")):
            assert case.source, case.name


def test_every_published_example_is_there() -> None:
    """The numbers of the published examples; point values of a month: tests/payment/test_published.py."""
    names = {case.name for case in ALL}
    published = {
        "BEN-01", "BEN-03", "BEN-05b", "BEN-07", "BEN-08a", "BEN-08b", "BEN-09", "BEN-10a", "BEN-10b", "BEN-11",
        "BEN-13", "BEN-17a", "BEN-17b", "BEN-18", "BEN-19", "BEN-20", "BEN-21", "BEN-23", "BEN-24", "BEN-25", "BEN-29",
        "BEN-30", "BEN-31a", "BEN-31b", "BEN-33", "BEN-34a", "BEN-34b", "BEN-34c", "PUB-17", "AMB-01",
        "NEG-01", "NEG-02", "NEG-03", "NEG-04",
        "PUB-04a", "PUB-04b", "PUB-04c", "PUB-05", "PUB-06", "PUB-08", "PUB-09", "PUB-13a", "PUB-13b", "PUB-13c",
        "PUB-14", "PUB-15", "DER-16", "NEG-PAY-02", "NEG-PAY-04",
    }  # fmt: skip
    assert published <= names, sorted(published - names)


def test_a_case_of_a_period_can_fail(tmp_path: Path) -> None:
    path = tmp_path / "case.yaml"
    path.write_text(
        "case: X\ngrowth: {now: 11, before: 10}\nexpect: {growth_percent: 10.01}\nnever: {growth_percent: 10}\n"
    )
    (computed,) = results_of(next(iter(read_cases([path]))))
    assert computed.differences() == [("growth_percent", 1001, 1000), ("never growth_percent", 1000, 1000)]


def test_a_case_can_fail(tmp_path: Path) -> None:
    """The harness must see a wrong fen and a forbidden amount, or it proves nothing."""
    path = tmp_path / "case.yaml"
    path.write_text(
        "case: X\nplan: {rate_percent: 50}\nclaim: {amounts: {in_scope: 10}}\n"
        "expect: {pooled_fund: 5.01}\nnever: {pooled_fund: 5}\n"
    )
    (settled,) = run_case(next(iter(read_cases([path]))))
    assert settled.differences() == [("pooled_fund", 501, 500), ("never pooled_fund", 500, 500)]
