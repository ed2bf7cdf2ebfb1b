"""Every golden case comes out to the fen, and published answers that are wrong do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from adjudicator.interop.case_file import Case, read_cases
from adjudicator.interop.case_run import run_case

FOLDER = Path(__file__).parent
CASES = list(read_cases(sorted(FOLDER.rglob("*.yaml"))))


@pytest.mark.parametrize("case", CASES, ids=[f"{case.file}:{case.name}" for case in CASES])
def test_case(case: Case) -> None:
    for settled in run_case(case):
        assert settled.differences() == []


def test_names_are_unique() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))


def test_published_cases_name_their_source() -> None:
    for case in CASES:
        if case.name.startswith(("BEN-", "NEG-", "AMB-")):
            assert case.source, case.name


def test_every_published_example_is_there() -> None:
    """The numbers of the published examples of the benefit side; BEN-24 and BEN-25 are supplementary insurance."""
    names = {case.name for case in CASES}
    published = {
        "BEN-01", "BEN-03", "BEN-05b", "BEN-07", "BEN-08a", "BEN-08b", "BEN-09", "BEN-10a", "BEN-10b", "BEN-11",
        "BEN-13", "BEN-17a", "BEN-17b", "BEN-18", "BEN-19", "BEN-20", "BEN-21", "BEN-23", "BEN-29",
        "BEN-30", "BEN-31a", "BEN-31b", "BEN-33", "BEN-34a", "BEN-34b", "BEN-34c", "PUB-17", "AMB-01",
        "NEG-01", "NEG-02", "NEG-03", "NEG-04",
    }  # fmt: skip
    assert published <= names, sorted(published - names)


def test_a_case_can_fail(tmp_path: Path) -> None:
    """The harness must see a wrong fen and a forbidden amount, or it proves nothing."""
    path = tmp_path / "case.yaml"
    path.write_text(
        "case: X\nplan: {rate_percent: 50}\nclaim: {amounts: {in_scope: 10}}\n"
        "expect: {pooled_fund: 5.01}\nnever: {pooled_fund: 5}\n"
    )
    (settled,) = run_case(next(iter(read_cases([path]))))
    assert settled.differences() == [("pooled_fund", 501, 500), ("never pooled_fund", 500, 500)]
