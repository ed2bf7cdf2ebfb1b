"""From claims to clearing and deficits under both rules: the same money as from cases written out one by one."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from adjudicator.cli.main import main
from adjudicator.errors import E
from adjudicator.pooling.cases import Cases, from_columns
from adjudicator.pooling.hospitals.settlement import settle
from adjudicator.pooling.periods.context import budgets, last_day, load_context
from tests.compare.runs import rows

pytestmark = pytest.mark.check
COUNTIES = """county,scheme,income_yuan,expenditure_yuan,carried_yuan,financing_yuan,last_financing_yuan
990001,employee,390000,400000,3000,390000,380000
990002,employee,390000,400000,3000,390000,380000
990001,resident,390000,380000,3000,390000,380000
"""


def cases_of(output: Path) -> Cases:
    """One case a claim, as ``pooling.ledger_cases`` makes them of settlements."""
    table = defaultdict(list)
    for number, (answer, known) in enumerate(zip(rows(output / "settlements"), rows(output / "facts"), strict=True)):
        if not known["county"]:
            continue
        by_item = answer["due_fen"] - answer["difference_fen"]
        values = {
            "case": str(number), "hospital": answer["institution_code"], "county": known["county"],
            "scheme": known["scheme"], "group": answer["drg"], "method": answer["payment_method"],
            "month": known["month"], "admission_date": known["admission_date"],
            "discharge_date": known["discharge_date"], "person": str(known["person"]), "exempt": 0, "sign": 1,
            "points_e8": answer["points_e8"], "total_fen": answer["total_fen"],
            "patient_fen": answer["personal_total_fen"], "others_fen": answer["fund_total_fen"] - by_item,
            "fund_fen": by_item, "due_fen": answer["due_fen"], "diagnosis": known["principal_diagnosis"] or "",
        }  # fmt: skip
        for name, value in values.items():
            table[name].append(value)
    return from_columns(table)


def cleared(output: Path, periods: list[int]) -> dict[str, int]:
    """What each hospital is owed for some periods."""
    context, cases = load_context("taohuayuan"), cases_of(output)
    found: dict[str, int] = defaultdict(int)
    for period in periods:
        settled = settle(cases, period, budgets(context.pooling, period, {}), context.rules(last_day(period)))
        for hospital, amount in settled.hospital_fen().items():
            found[hospital] += amount
    return dict(found)


def through(base: Path, changed: Path, output: Path, *options: str) -> Path:
    command = ["reprice", "compare", str(base), str(changed), "--output", str(output), "--no-report", "--through"]
    assert main([*command, *options]) == 0
    return output


@pytest.mark.parametrize(("level", "periods"), [("year", [2023]), ("month", [202300 + one for one in range(1, 13)])])
def test_clearing_is_that_of_cases_one_by_one(base, deductible, tmp_path, level, periods):
    output = through(base, deductible, tmp_path / "out", level)
    found = rows(output / "cleared_hospitals.parquet")
    assert {row["institution_code"]: row["cleared_old_fen"] for row in found} == cleared(base, periods)
    assert {row["institution_code"]: row["cleared_new_fen"] for row in found} == cleared(deductible, periods)
    changes = [sum(row["cleared_difference_fen"] for row in rows(output / f"cleared_{one}.parquet"))
               for one in ("hospitals", "counties")]  # fmt: skip
    assert changes[0] == changes[1] != 0


def test_gaps_move_with_the_clearing_and_are_paid_in_full(base, deductible, tmp_path):
    counties = tmp_path / "counties.csv"
    counties.write_text(COUNTIES, "utf-8")
    funds = ["--fund", "310:reserve=5000", "--fund", "390:reserve=5000"]
    output = through(base, deductible, tmp_path / "out", "pool", "--counties", str(counties), *funds)
    moved = {(row["county"], row["scheme"]): row["cleared_difference_fen"]
             for row in rows(output / "cleared_counties.parquet")}  # fmt: skip
    found = defaultdict(dict)
    for row in rows(output / "deficits.parquet"):
        found[row["county"], row["scheme"]][row["part"]] = row
    assert len(found) == 3
    for place, parts in found.items():
        if parts["gap"]["share_old_fen"] and parts["gap"]["share_new_fen"]:
            assert parts["gap"]["share_difference_fen"] == moved[place]
        for side in ("share_old_fen", "share_new_fen"):
            paid = sum(row[side] for part, row in parts.items() if part not in ("gap", "carried_after"))
            assert paid == parts["gap"][side]
    assert any(parts["gap"]["share_difference_fen"] for parts in found.values())


def test_deficits_without_figures_of_the_counties_are_refused(base, deductible, tmp_path, capsys):
    command = ["reprice", "compare", str(base), str(deductible), "--output", str(tmp_path / "out"), "--through", "pool"]
    assert main(command) != 0
    assert f"ADJ-{int(E.NOT_COMPARABLE)}" in capsys.readouterr().err
