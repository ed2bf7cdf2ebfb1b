"""Case files say clearly what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adjudicator.cases.file import read_cases
from adjudicator.cases.run import run_case
from adjudicator.cli.main import main
from adjudicator.errors import AdjudicatorError


def _run(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    for case in read_cases([path]):
        run_case(case)


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("case: X\nplan: {rate_percent: 70}\nclaim: {amounts: {in_scope: 10.005}}\n", "ADJ-3015", "third decimal"),
        ("case: X\nplan: {rate_percent: 70}\nclaim: {amounts: {in_scope: 10000000001}}\n", "ADJ-3005", "1000000000000"),
        ("case: X\nplan: {rate_percent: 70}\nclaim: {amount: {in_scope: 10}}\n", "ADJ-5008", "did you mean amounts"),
        (
            "case: X\nplan: {rate_percent: 70}\nclaim: {date: 2024-02-30, amounts: {in_scope: 1}}\n",
            "ADJ-5008",
            "no YAML or JSON",
        ),
        (
            "case: X\nplan: {rate_percent: 70}\nclaim: {date: '20240230', amounts: {in_scope: 1}}\n",
            "ADJ-3001",
            "YYYYMMDD",
        ),
        ("case: X\nclaim: {}\n", "ADJ-5008", "neither pack nor plan"),
        (
            "case: X\nplan: {rate_percent: 70}\nclaim: {level: moon, amounts: {in_scope: 1}}\n",
            "ADJ-5008",
            "level 'moon'",
        ),
        ("case: X\nplan: {rate_percent: 70}\nclaim: {year_to_date: {stay: 1}}\n", "ADJ-3014", "stay"),
        ("case: X\nplan: {rate_percent: 70}\nclaim: {amounts: {total: 5, in_scope: 4}}\n", "ADJ-3009", "add up"),
        ("case: [\n", "ADJ-5008", "no YAML or JSON"),
        ("- 5\n", "ADJ-5008", "not a mapping"),
        ("case: X\nplan: {}\nclaim: {diagnosis: [I50.900]}\n", "ADJ-5008", "did you mean diagnoses"),
        ("case: X\nplan: {}\nexpect: {dew: 1}\n", "ADJ-5008", "did you mean due"),
        ("case: X\nplan: {}\nexpect: {method: drg_point}\n", "ADJ-5008", "did you mean drg_points"),
        ("case: X\nplan: {}\nnever: {error: DATE_ODER}\n", "ADJ-5008", "did you mean DATE_ORDER"),
        ("case: X\nplan: {}\nexpect: {points: 1.123456789}\n", "ADJ-5008", "more than 8 decimals"),
    ],
)
def test_faults(tmp_path: Path, text: str, code: str, says: str) -> None:
    with pytest.raises(AdjudicatorError) as caught:
        _run(tmp_path / "case.yaml", text)
    assert code in str(caught.value) and says in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "case.yaml").write_bytes(b"case: \xd2\xff")
    with pytest.raises(AdjudicatorError, match="ADJ-5008"):
        list(read_cases([tmp_path / "case.yaml"]))


def test_a_year_goes_on_from_claim_to_claim(tmp_path: Path) -> None:
    """The second claim of a case is priced over what the first one left."""
    path = tmp_path / "case.yaml"
    path.write_text(
        "case: X\n"
        "plan: {deductible_yuan: 100, deductible_counting: year_highest, rate_percent: 50}\n"
        "claims:\n"
        "- {amounts: {in_scope: 100}, expect: {deductible: 100, pooled_fund: 0}}\n"
        "- {amounts: {in_scope: 100}, expect: {deductible: 0, pooled_fund: 50}}\n"
    )
    (case,) = read_cases([path])
    assert [settled.differences() for settled in run_case(case)] == [[], []]


def test_command_says_expected_and_got(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "case.yaml"
    path.write_text("case: X\nplan: {rate_percent: 70}\nclaim: {amounts: {in_scope: 10}}\nexpect: {pooled_fund: 7}\n")
    assert main(["settle", "--json", str(path)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report[0]["as_expected"] and report[0]["got"]["pooled_fund"] == "7.00"
    path.write_text(path.read_text().replace("pooled_fund: 7", "pooled_fund: 8"))
    assert main(["settle", str(path)]) == 1
    assert "differs" in capsys.readouterr().out
