"""Claims without lines: the same answers as with the lines that the parts are sums of."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adjudicator.errors import AdjudicatorError
from tests.reprice.tables import nested, price_files, result_rows

PARTS = ("in_scope_fen", "wholly_self_paid_fen", "over_ceiling_fen", "first_pay_fen")


@pytest.fixture(scope="module")
def with_lines(claims, tmp_path_factory):
    """The claims as a nested table, and what they come to."""
    folder = tmp_path_factory.mktemp("lines")
    (folder / "in").mkdir()
    pq.write_table(nested(claims), folder / "in" / "claims.parquet")
    price_files(folder / "in", folder / "out", with_lines=True)
    return nested(claims).drop_columns(["lines"]), result_rows(folder / "out"), folder


def parts_of(folder, count: int) -> dict[str, list[int]]:
    """The sums over the lines of each claim, as the line split left them."""
    sums = {name: [0] * count for name in PARTS}
    for path in sorted((folder / "out" / "lines").glob("*.parquet")):
        for line in pq.read_table(path).to_pylist():
            for name in PARTS:
                sums[name][line["claim"]] += line[name]
    return sums


def write(folder, table: pa.Table, sums: dict[str, list[int]]) -> None:
    (folder / "in").mkdir()
    for name, column in sums.items():
        table = table.append_column(name, pa.array(column, pa.int64()))
    pq.write_table(table, folder / "in" / "claims.parquet")


def test_amounts_come_to_what_their_lines_come_to(with_lines, tmp_path):
    table, want, folder = with_lines
    write(tmp_path, table, parts_of(folder, len(want)))
    summary = price_files(tmp_path / "in", tmp_path / "out")
    got = result_rows(tmp_path / "out")
    different = [row for row, (one, other) in enumerate(zip(want, got, strict=True)) if one != other]
    # What a hospital bears over a ceiling, co-pay-free lines and special drugs are known by the line alone.
    assert summary.rejected == 0 and len(different) < len(want) // 10
    moved = {name for row in different for name in want[row] if want[row][name] != got[row][name]}
    assert not moved & {"total_fen", "in_scope_fen", "first_pay_fen", "deductible_fen", "drg", "outcome"}


def test_wrong_parts_are_refused(with_lines, tmp_path):
    table, want, folder = with_lines
    sums = parts_of(folder, len(want))
    sums["in_scope_fen"][0] += 1
    sums["first_pay_fen"][1] = -1
    write(tmp_path, table.set_column(table.schema.names.index("scheme"), "scheme",
                                     pa.array(["999" if row == 2 else one for row, one in
                                               enumerate(table.column("scheme").to_pylist())])), sums)  # fmt: skip
    summary = price_files(tmp_path / "in", tmp_path / "out")
    rejected = pq.read_table(tmp_path / "out" / "rejected.parquet").to_pylist()
    assert [(one["row"], one["code"], one["field"]) for one in rejected] == [
        (0, "ADJ-3009", "total_fen"), (1, "ADJ-3006", "total_fen"), (2, "ADJ-2012", "scheme")
    ]  # fmt: skip
    assert summary.rejected == 3


def test_a_part_that_is_no_whole_number_is_refused(with_lines, tmp_path):
    table, want, _ = with_lines
    (tmp_path / "in").mkdir()
    pq.write_table(table.append_column("in_scope_fen", pa.array([1.5] * len(want))), tmp_path / "in" / "a.parquet")
    with pytest.raises(AdjudicatorError, match="in_scope_fen"):
        price_files(tmp_path / "in", tmp_path / "out")
