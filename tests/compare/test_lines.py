"""The fee lines behind a difference of the catalogue: each is that of a plain dictionary, and sums are proved."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adjudicator.compare.differences import names_of
from adjudicator.compare.lines import PARTS, TERMS
from adjudicator.compare.sides import Folder
from adjudicator.errors import AdjudicatorError, E
from adjudicator.payers import PAYERS
from tests.compare import naive
from tests.compare.runs import Edits, compared, copied, priced, rows

pytestmark = pytest.mark.check

BED, LAYERED = "001109000020000", "001109000030000"
CATALOGUE: Edits = {
    "catalogue/class.csv": (f"{BED},990000,B", f"{BED},990000,C"),
    "catalogue/ceiling.csv": (f"{LAYERED},990000,secondary,190", f"{LAYERED},990000,secondary,150"),
    "catalogue/ratio_rule.csv": ("*,201,B,990000,*,*,10", "*,201,B,990000,*,*,12"),
}
"""A bed of intensive care becomes class C, another gets a lower ceiling, services of class B a higher first pay."""


@pytest.fixture(scope="session")
def sides(year: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The year under its own rules and under another catalogue, with facts and lines."""
    folder = tmp_path_factory.mktemp("lines")
    pack = str(copied(folder / "pack", CATALOGUE))
    return (
        priced(year / "parquet", folder / "old", "taohuayuan", with_lines=True),
        priced(year / "parquet", folder / "new", pack, with_lines=True),
    )


def test_differing_lines_and_items_are_those_of_plain_dictionaries(sides, claims, tmp_path):
    compared(*sides, tmp_path)
    expected = naive.lines_that_differ(*sides)
    found = rows(tmp_path / "lines_that_differ.parquet")
    assert [(row["row"], row["line"]) for row in found] == list(expected)
    assert len(found) > 1000
    for row in found:
        before, after = expected[row["row"], row["line"]]
        claim = claims[row["row"]]
        line = claim.lines[row["line"]]
        assert (row["institution_code"], row["encounter_id"]) == (claim.institution_code, claim.encounter_id)
        assert (row["settlement_sequence"], row["line_id"]) == (claim.settlement_sequence, line.line_id)
        assert (row["item_code"], row["amount_fen"]) == (line.item_code, line.amount_fen)
        assert all((row[f"{name}_old"], row[f"{name}_new"]) == (before[name], after[name]) for name in TERMS)
        for name in PARTS:
            assert [row[one] for one in names_of(name)] == [before[name], after[name], after[name] - before[name]]
    items: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0] * (2 + len(PARTS)))
    keys = ["item_code", *(f"{name}_{side}" for name in TERMS[:3] for side in ("old", "new"))]
    for row in found:
        amounts = [1, row["amount_fen"], *(row[names_of(name)[2]] for name in PARTS)]
        sums = items[tuple(row[key] for key in keys)]
        sums[:] = [one + more for one, more in zip(sums, amounts, strict=True)]
    shown = rows(tmp_path / "items_that_differ.parquet")
    columns = ["lines", "amount_fen", *(names_of(name)[2] for name in PARTS)]
    assert {tuple(row[key] for key in keys): [row[name] for name in columns] for row in shown} == items
    sizes = [abs(row["in_scope_difference_fen"]) for row in shown]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > 0


def test_the_catalogue_that_changed_is_named_by_item(sides, tmp_path):
    compared(*sides, tmp_path)
    found = rows(tmp_path / "lines_that_differ.parquet")
    bed = [row for row in found if row["item_code"] == BED]
    assert {(row["item_class_old"], row["item_class_new"]) for row in bed} == {(2, 3)}
    assert all(row["in_scope_new_fen"] == 0 for row in bed)
    assert sum(row["wholly_self_paid_difference_fen"] for row in bed) > 0
    ceilings = {
        (row["price_ceiling_e4_old"], row["price_ceiling_e4_new"]) for row in found if row["item_code"] == LAYERED
    }
    assert (190_000_000, 150_000_000) in ceilings
    assert {(row["first_pay_ppm_old"], row["first_pay_ppm_new"]) for row in found if row["item_code"] == LAYERED} == {
        (100_000, 120_000)
    }
    names = {row["item_code"]: row["item_name"] for row in rows(tmp_path / "items_that_differ.parquet")}
    assert names[BED] == "监护病房床位费"


def test_differences_of_lines_add_up_to_those_of_the_claims_that_both_price(sides, tmp_path):
    compared(*sides, tmp_path)
    told = json.loads((tmp_path / "summary.json").read_text("utf-8"))["lines"]
    found = rows(tmp_path / "lines_that_differ.parquet")
    assert told["differ"] == len(found) < told["compared"]
    assert told["difference"] == {name: sum(row[names_of(name)[2]] for row in found) for name in PARTS}
    pairs = zip(*(rows(side / "settlements") for side in sides), strict=True)
    both = [(old, new) for old, new in pairs if naive.REFUSED not in (old["outcome"], new["outcome"])]
    of_claims = {name: sum(new[name] - old[name] for old, new in both) for name in PARTS}
    beyond = told["first_pay_of_claims_difference_fen"]
    assert beyond != 0  # care elsewhere: a share of what is in scope is paid first
    assert of_claims == {
        **told["difference"],
        "first_pay_fen": told["difference"]["first_pay_fen"] + beyond,
        "in_scope_fen": told["difference"]["in_scope_fen"] - beyond,
    }


def test_a_comparison_of_a_run_without_lines_has_no_lines(sides, base, tmp_path):
    compared(base, sides[1], tmp_path)
    assert json.loads((tmp_path / "summary.json").read_text("utf-8"))["lines"] is None
    assert not (tmp_path / "lines_that_differ.parquet").exists()


def changed(folder: Path, target: Path, place: str, change: Any) -> Path:
    """A copy of a run with another table in place of one of its files."""
    shutil.copytree(folder, target)
    path = target / place / "part-00000.parquet"
    pq.write_table(change(pq.read_table(path)), path)
    return target


def one_more(name: str) -> Any:
    """Add 1 to the first value of a column."""

    def change(table: pa.Table) -> pa.Table:
        values = table.column(name).to_numpy().copy()
        values[0] += 1
        return table.set_column(table.schema.get_field_index(name), name, pa.array(values.astype(np.int64)))

    return change


@pytest.mark.parametrize(
    ("name", "number"),
    [("in_scope_fen", E.INTERNAL), ("over_ceiling_fen", E.INTERNAL), ("amount_fen", E.NOT_COMPARABLE)],
)
def test_lines_that_are_not_those_of_their_claims_are_refused(sides, tmp_path, name, number):
    other = changed(sides[1], tmp_path / "other", "lines", one_more(name))
    with pytest.raises(AdjudicatorError) as refused:
        compared(sides[0], other, tmp_path / "out")
    assert refused.value.problems[0].number == number


@pytest.mark.parametrize(
    ("place", "column", "remedy"),
    [
        ("facts", "principal_diagnosis", "price the claims again with --facts"),
        ("lines", "item_code", "price the claims again with --lines"),
        ("settlements", PAYERS[0].field, "price the claims again"),
    ],
)
@pytest.mark.parametrize("is_old", [True, False], ids=["old", "new"])
def test_a_run_of_an_earlier_version_is_refused_by_file_and_column(sides, tmp_path, place, column, remedy, is_old):
    older = changed(sides[0], tmp_path / "older", place, lambda table: table.drop_columns([column]))
    pair = (older, sides[1]) if is_old else (sides[1], older)
    with pytest.raises(AdjudicatorError) as refused:
        compared(*pair, tmp_path / "out")
    problem = refused.value.problems[0]
    assert (problem.number, problem.field) == (E.NOT_COMPARABLE, f"older/{place}/part-00000.parquet")
    for message in (problem.message, problem.message_zh):
        assert f"older/{place}/part-00000.parquet" in message and column in message
    assert remedy in problem.message and "请重新计算" in problem.message_zh
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_cut_off_is_refused(sides, tmp_path):
    shutil.copytree(sides[0], tmp_path / "cut")
    path = tmp_path / "cut" / "facts" / "part-00000.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(AdjudicatorError) as refused:
        compared(tmp_path / "cut", sides[1], tmp_path / "out")
    assert refused.value.problems[0].number == E.NOT_COMPARABLE


def test_a_batch_of_few_claims_finds_the_same_lines(sides, tmp_path, monkeypatch):
    compared(*sides, tmp_path / "whole")
    monkeypatch.setattr("adjudicator.compare.lines.LINES_IN_MEMORY", 100)
    monkeypatch.setattr("adjudicator.compare.lines._LINES_AT_ONCE", 50)
    compared(*sides, tmp_path / "few")
    assert rows(tmp_path / "few" / "lines_that_differ.parquet") == rows(
        tmp_path / "whole" / "lines_that_differ.parquet"
    )
    same = [(tmp_path / name / "items_that_differ.parquet").read_bytes() for name in ("few", "whole")]
    assert same[0] == same[1]


def test_claims_without_lines_have_none_to_compare(sides):
    manifest = Folder(sides[0])
    assert manifest.has_lines
    manifest.manifest["layout"] = "amounts"
    assert not manifest.has_lines
