"""Two answers to the same claims: every figure is that of plain dictionaries, and a rule that changed is found."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adjudicator.claim.engine import Engine
from adjudicator.claim.traced import settle_traced
from adjudicator.cli.main import main
from adjudicator.compare.answers import MONEY
from adjudicator.compare.differences import names_of
from adjudicator.compare.totals import CUBES, GROUPS, HOSPITALS, TOTALS
from adjudicator.errors import AdjudicatorError, E
from adjudicator.grouping.scheme import load
from adjudicator.payers import PAYERS
from adjudicator.reprice.fields import CLAIM_FIELDS, LINE_FIELDS
from adjudicator.reprice.mapping import SHIPPED
from adjudicator.rules.as_on import load_rules
from tests.compare import naive
from tests.compare.runs import PACKS, Edits, compared, copied, priced, rows, with_recorded

pytestmark = pytest.mark.check


def test_differences_totals_and_people_are_those_of_plain_dictionaries(base, deductible, tmp_path):
    found = compared(base, deductible, tmp_path)
    expected = naive.differing(base, deductible)
    differences = rows(tmp_path / "differences.parquet")
    assert found.differ == len(expected) > 30
    assert [row["row"] for row in differences] == list(expected)
    for row in differences:
        before, after = expected[row["row"]]
        assert row["encounter_id"] == after["encounter_id"]
        for name in MONEY:
            assert [row[one] for one in names_of(name)] == [before[name], after[name], after[name] - before[name]]
        assert (row["drg_old"], row["drg_new"]) == (before["drg"], after["drg"])
    for cube in (TOTALS, HOSPITALS, GROUPS):
        whole = rows(tmp_path / f"{cube.file}.parquet")
        expected_totals = naive.totals(base, deductible, cube.keys)
        if cube is HOSPITALS:
            assert {row["institution_code"] for row in whole} == {at[0] for at in expected_totals}
        assert {tuple(row[key] for key in cube.keys) for row in whole} == expected_totals.keys()
        for row in whole:
            amounts = expected_totals[tuple(row[key] for key in cube.keys)]
            for name in MONEY:
                old, new = amounts[name]
                assert [row[one] for one in names_of(name)] == [old, new, new - old]
    people = naive.burdens(base, deductible)
    everybody, ordinary, *tenths = rows(tmp_path / "tenths.parquet")
    changes = [new - old for old, new in people.values()]
    assert everybody["persons"] == len(people)
    assert everybody["burden_difference_fen"] == sum(changes)
    assert everybody["persons_pay_more"] == sum(change > 0 for change in changes)
    of_tenths = [row for row in tenths if row["who"] == "ordinary"]
    assert len(of_tenths) == 10
    assert sum(row["persons"] for row in of_tenths) == ordinary["persons"]
    assert all(one["most_old_fen"] <= next["least_old_fen"] for one, next in pairwise(of_tenths))
    largest = rows(tmp_path / "largest.parquet")
    sizes = sorted((abs(change) for change in changes if change), reverse=True)
    assert [abs(row["burden_difference_fen"]) for row in largest] == sizes[:100]


def test_a_changed_deductible_is_named_with_its_clause_and_what_follows_from_it(base, deductible, tmp_path):
    compared(base, deductible, tmp_path)
    differences = rows(tmp_path / "differences.parquet")
    first = [row for row in differences if row["cause"] == "rule"]
    assert {(row["stage"], row["keys"], row["clause"]) for row in first} == {
        ("deductible", "deductible_yuan", "deductible")
    }
    assert {(row["level"], row["scheme"]) for row in first} == {("secondary", "310")}
    # Higher burdens of the year reach other layers sooner, so not each claim of these persons costs them more.
    assert sum(row["pooled_fund_difference_fen"] <= 0 for row in first) > 0.9 * len(first)
    assert sum(row["personal_total_difference_fen"] for row in first) > 0
    ruled = {row["row"] for row in first}
    later = [row for row in differences if row["cause"] == "earlier"]
    assert {row["follows_row"] for row in later} <= ruled
    assert all(row["clause"] == "deductible" for row in later)


def test_the_clause_is_one_that_the_explanation_of_the_claim_names(base, deductible, claims, tmp_path):
    """The stages themselves tell which values they used: for each person's first claim, over an empty year."""
    compared(base, deductible, tmp_path)
    engine = Engine(load_rules(json.loads((deductible / "manifest.json").read_text("utf-8"))["packs"]))
    checked = 0
    for row in rows(tmp_path / "differences.parquet"):
        if row["cause"] == "rule" and row["row"] == row["person"]:
            steps = {step.stage: step for step in settle_traced(engine, claims[row["row"]]).steps}
            assert row["document"] in steps[row["stage"]].document
            assert row["clause"] in steps[row["stage"]].clause
            checked += 1
    assert checked > 10


def test_nothing_names_a_person(base, deductible, tmp_path, year):
    compared(base, deductible, tmp_path)
    persons = set(pq.read_table(year / "parquet" / "claims.parquet").column("person_id").to_pylist())
    for path in [*tmp_path.glob("*.parquet"), *(deductible / "facts").glob("*.parquet")]:
        for row in rows(path):
            assert not persons & {value for value in row.values() if isinstance(value, str)}, path.name


def test_the_recorded_year_under_its_own_rules_has_no_difference(year, base, tmp_path, capsys):
    source = with_recorded(year / "parquet", tmp_path / "year", base)
    command = ["reprice", "--pack", "taohuayuan", "--input", str(source), "--output", str(tmp_path / "out")]
    assert main([*command, "--against", "recorded", "--no-report", "--lang", "en"]) == 0
    said = capsys.readouterr().out
    assert "0 of 3,000 claims differ" in said
    assert "add up to the difference of the sums" in said
    folder = tmp_path / "out" / "compare"
    assert rows(folder / "differences.parquet") == rows(folder / "largest.parquet") == []
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    assert summary["sums_old"] == summary["sums_new"]
    assert set(summary["difference"].values()) == {0}
    for name in (path.name for path in (base / "settlements").iterdir()):
        assert (tmp_path / "out" / "settlements" / name).read_bytes() == (base / "settlements" / name).read_bytes()


def changed_columns(source: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """Change the claims of a folder in place."""
    path = source / "claims.parquet"
    pq.write_table(change(pq.read_table(path)), path)


def yuan_by_national_names(table: pa.Table) -> pa.Table:
    """Recorded amounts as a city's warehouse has them: national names, yuan with two decimals, no other columns."""
    columns = {name: table.column(name) for name in table.column_names if not name.startswith("recorded_")}
    for payer in PAYERS:
        fen = table.column(f"recorded_{payer.field}").to_pylist()
        columns[payer.national] = pa.array([Decimal(one) / 100 for one in fen], pa.decimal128(18, 2))
    return pa.table(columns)


def against_recorded(source: Path, output: Path, *options: str) -> int:
    command = ["reprice", "--pack", "taohuayuan", "--input", str(source), "--output", str(output), "--no-report"]
    return main([*command, "--against", "recorded", *options])


def test_recorded_amounts_are_read_by_a_mapping_in_yuan(year, base, tmp_path):
    source = with_recorded(year / "parquet", tmp_path / "year", base)
    changed_columns(source, yuan_by_national_names)
    mapping = tmp_path / "mapping.toml"
    own = []
    for section, table, fields in (("claim", "claims", CLAIM_FIELDS), ("line", "lines", LINE_FIELDS)):
        there = pq.read_schema(source / f"{table}.parquet").names
        own += [f"[{section}]", *(f'{name} = "{name}"' for name in fields if name in there)]
    shipped = (SHIPPED / "national.toml").read_text("utf-8")
    own.append(shipped[shipped.index("[recorded]") :])
    mapping.write_text("\n".join(own), "utf-8")
    assert against_recorded(source, tmp_path / "out", "--mapping", str(mapping)) == 0
    assert rows(tmp_path / "out" / "compare" / "differences.parquet") == []


def test_the_shipped_mapping_has_the_national_field_of_each_payer():
    recorded = tomllib.loads((SHIPPED / "national.toml").read_text("utf-8"))["recorded"]
    assert {name: one["column"] for name, one in recorded.items() if name in {payer.field for payer in PAYERS}} == {
        payer.field: payer.national for payer in PAYERS
    }


def test_a_claim_without_recorded_amounts_was_refused_and_its_cost_is_a_difference(year, base, tmp_path):
    source = with_recorded(year / "parquet", tmp_path / "year", base)

    def refused(table: pa.Table) -> pa.Table:
        for place, name in enumerate(table.column_names):
            if name.startswith("recorded_") and name.endswith("_fen"):
                values = [None, *table.column(name).to_pylist()[1:]]
                table = table.set_column(place, name, pa.array(values, pa.int64()))
        return table.drop_columns("recorded_outcome")

    changed_columns(source, refused)
    assert against_recorded(source, tmp_path / "out") == 0
    (row,) = rows(tmp_path / "out" / "compare" / "differences.parquet")
    assert (row["row"], row["stage"], row["cause"]) == (0, "outcome", "refusal")
    assert (row["outcome_old"], row["outcome_new"]) == (4, 1)
    assert row["total_difference_fen"] == rows(base / "settlements")[0]["total_fen"] > 0
    summary = json.loads((tmp_path / "out" / "compare" / "summary.json").read_text("utf-8"))
    assert (summary["counts"]["claims_only_new"], summary["persons"]["persons_pay_more"]) == (1, 0)


def test_recorded_payers_that_do_not_add_up_are_refused_by_row(year, base, tmp_path, capsys):
    source = with_recorded(year / "parquet", tmp_path / "year", base)

    def wrong(table: pa.Table) -> pa.Table:
        place = table.column_names.index("recorded_cash_fen")
        cash = table.column(place).to_pylist()
        cash[17] += 1
        return table.set_column(place, "recorded_cash_fen", pa.array(cash, pa.int64()))

    changed_columns(source, wrong)
    assert against_recorded(source, tmp_path / "out") != 0
    assert "row 17" in capsys.readouterr().err


def test_an_ended_comparison_goes_on(year, base, deductible, tmp_path, monkeypatch):
    pack = json.loads((deductible / "manifest.json").read_text("utf-8"))["packs"][0]
    command = ["reprice", "--pack", pack, "--input", str(year / "parquet"), "--output", str(tmp_path / "out"),
               "--against", "taohuayuan", "--no-report"]  # fmt: skip

    def ended(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("adjudicator.compare.run.compare", ended)
        assert main(command) != 0
    assert main([*command, "--resume"]) == 0
    compared(base, deductible, tmp_path / "again")
    name = "differences.parquet"
    assert (tmp_path / "out" / "compare" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert main(["reprice", "verify", str(tmp_path / "out" / "manifest.json")]) == 0


MUTATIONS: dict[str, tuple[Edits, str, str, str, int]] = {
    "rate": (
        {"benefit/employee.toml": ("secondary = [86, 89, 93]", "secondary = [88, 89, 93]")},
        "pooled", "rate_percent", "pooled_fund_fen", 1,
    ),
    "ceiling": (
        {"catalogue/ceiling.csv": ("secondary,25.65,", "secondary,20,")},
        "over_ceiling", "ceiling.csv", "fund_total_fen", -1,
    ),
    "payment": (
        {"payment.toml": ("value_yuan = 88.5", "value_yuan = 90.5")},
        "payment", "point_value", "due_fen", 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_changed_value_is_found_in_its_stage_with_its_clause(year, base, tmp_path, name):
    edits, stage, key, amount, sign = MUTATIONS[name]
    changed = priced(year / "parquet", tmp_path / "out", str(copied(tmp_path / "pack", edits)))
    compared(base, changed, tmp_path / "compare")
    expected = naive.differing(base, changed)
    differences = rows(tmp_path / "compare" / "differences.parquet")
    assert [row["row"] for row in differences] == list(expected)
    first = [row for row in differences if row["cause"] == "rule"]
    assert first
    assert {row["stage"] for row in first} == {stage}
    assert all(key in row["keys"] and row["document"].startswith("桃医保") and row["clause"] for row in first)
    assert len(first) > 0.5 * len(differences)
    hospitals = rows(tmp_path / "compare" / "hospitals.parquet")
    changed_at = {row["institution_code"] for row in hospitals if row[names_of(amount)[2]]}
    assert changed_at <= {row["institution_code"] for row in differences}
    whole = sum(row[names_of(amount)[2]] for row in hospitals)
    assert whole * sign > 0
    if name != "payment":
        assert {row["level"] for row in first} == {"secondary"}


def test_a_hospital_at_another_level_is_named_and_no_other(year, base, tmp_path):
    edits = {"hospitals.csv": ("落英区医院,990004,06,secondary,", "落英区医院,990004,06,tertiary,")}
    changed = priced(year / "parquet", tmp_path / "out", str(copied(tmp_path / "pack", edits)))
    compared(base, changed, tmp_path / "compare")
    differences = rows(tmp_path / "compare" / "differences.parquet")
    first = [row for row in differences if row["cause"] == "rule"]
    assert {(row["institution_code"], row["keys"]) for row in first} == {("H99000400001", "level secondary → tertiary")}
    assert {row["cause"] for row in differences} <= {"rule", "earlier"}


def test_another_grouping_scheme_moves_groups_and_money(year, base, tmp_path, monkeypatch):
    code = min({row["drg"] for row in rows(base / "settlements")} - {""})
    renamed = f"{code[:-1]}8"
    scheme = copied(
        tmp_path / "schemes" / "chs-next", {"scheme.toml": ('"chs-demo"', '"chs-next"')}, "schemes/chs-demo"
    )
    copied(tmp_path / "schemes" / "chs-demo", {}, "schemes/chs-demo")
    monkeypatch.setattr(load, "SHIPPED", tmp_path / "schemes")
    pack = copied(tmp_path / "pack", {"pack.toml": ('scheme = "chs-demo"', 'scheme = "chs-next"')})
    for path in (scheme / "drg.csv", *(pack / "payment").glob("points_*.csv")):
        path.write_text(path.read_text("utf-8").replace(code, renamed), "utf-8")
    changed = priced(year / "parquet", tmp_path / "out", str(pack))
    compared(base, changed, tmp_path / "compare")
    differences = rows(tmp_path / "compare" / "differences.parquet")
    assert {row["stage"] for row in differences} == {"grouping"}
    assert {row["keys"] for row in differences} == {"chs-demo → chs-next"}
    flows = [row for row in rows(tmp_path / "compare" / "groups.parquet") if row["drg_old"] == code]
    assert flows
    assert {row["drg_new"] for row in flows} == {renamed}


def test_rules_of_a_day_hold_on_all_days(year, base, tmp_path):
    """2023 under the rules of 2024: the deductible of 2024, not that of the claims' own year."""
    pack = copied(tmp_path / "pack", {})
    for path in (pack / "benefit").glob("*.toml"):  # the rules of 2024 a year earlier
        text = path.read_text("utf-8").replace("to = 2023-12-31", "to = 2022-12-31")
        path.write_text(text.replace("from = 2024-01-01", "from = 2023-01-01"), "utf-8")
    early = priced(year / "parquet", tmp_path / "early", str(pack))
    on_day = priced(year / "parquet", tmp_path / "day", "taohuayuan@2024-06-30")
    found = compared(base, on_day, tmp_path / "compare")
    assert found.differ > 30
    standards = [[row["deductible_standard_fen"] for row in rows(one / "settlements")] for one in (early, on_day)]
    assert standards[0] == standards[1]
    causes = {row["keys"] for row in rows(tmp_path / "compare" / "differences.parquet") if row["cause"] == "rule"}
    assert any("deductible_yuan" in keys for keys in causes)


@pytest.mark.parametrize("options", [{"buckets": 5}, {"workers": 2}])
def test_buckets_and_processes_change_no_byte_of_a_comparison(year, base, deductible, tmp_path, options):
    pack = json.loads((deductible / "manifest.json").read_text("utf-8"))["packs"][0]
    again = priced(year / "parquet", tmp_path / "again", pack, **options)
    compared(base, deductible, tmp_path / "one")
    compared(base, again, tmp_path / "other")
    names = [f"{cube.file}.parquet" for cube in CUBES] + ["differences.parquet", "tenths.parquet", "largest.parquet"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def test_runs_over_other_claims_are_refused(year, base, tmp_path):
    other = priced(year / "pb", tmp_path / "pb", "taohuayuan")
    assert compared(base, other, tmp_path / "same").differ == 0  # the same claims in another layout
    table = pq.read_table(other / "settlements" / "part-00000.parquet")
    path = other / "settlements" / "part-00000.parquet"
    pq.write_table(table.take(list(reversed(range(len(table))))), path)
    with pytest.raises(AdjudicatorError) as refused:
        compared(base, other, tmp_path / "none")
    assert refused.value.problems[0].number == E.NOT_COMPARABLE
    assert PACKS.is_dir()
