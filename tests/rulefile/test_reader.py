"""The reader of rule files: kinds of values, and rows of CSV files as the same structs."""

from __future__ import annotations

import datetime
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from adjudicator.rulefile.faults import Faults
from adjudicator.rulefile.fields import CodeList, Date, Member, Percent, Points, Where, Word, Yuan
from adjudicator.rulefile.reader import read_csv, read_rows, read_struct
from adjudicator.rulefile.schema import of_struct


class Colour(IntEnum):
    """Two colours and none."""

    UNKNOWN = 0
    RED = 1
    DARK_BLUE = 2


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One of each kind."""

    where: Where
    name: str
    colour: Annotated[Colour, Member(Colour)] = Colour.RED
    size: Annotated[str, Word(("big", "small"))] = "big"
    sizes: tuple[Annotated[str, Word(("big", "small"))], ...] = ()
    codes: CodeList = ()
    day: Date = 0
    share_percent: Percent = 0
    part_percent: dict[str, Percent] = {}
    price_yuan: Yuan = 0
    points: Points = 0
    open: bool = False


def read(raw: dict[str, Any]) -> tuple[Row | None, list[str]]:
    faults = Faults()
    return read_struct(Row, {"name": "x", **raw}, "f.toml", "row[0]", faults), [str(fault) for fault in faults]


@pytest.mark.parametrize(
    ("raw", "name", "value"),
    [
        ({"colour": "dark_blue"}, "colour", Colour.DARK_BLUE),
        ({"codes": "F20*"}, "codes", ("F20*",)),
        ({"codes": ["a", "b"]}, "codes", ("a", "b")),
        ({"day": datetime.date(2025, 1, 31)}, "day", 20250131),
        ({"share_percent": Decimal("0.0001")}, "share_percent", 1),
        ({"part_percent": {"A": Decimal("0.5")}}, "part_percent", {"A": 5_000}),
        ({"points": Decimal("2.36182972")}, "points", 236_182_972),
        ({"sizes": ["small"]}, "sizes", ("small",)),
    ],
)
def test_each_kind_is_read_exactly(raw: dict[str, Any], name: str, value: object) -> None:
    row, faults = read(raw)
    assert not faults and getattr(row, name) == value


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"colour": "unknown"}, "row[0].colour: 'unknown' is not known — write one of red, dark_blue"),
        ({"size": "huge"}, "row[0].size: 'huge' is not known — write one of big, small"),
        ({"sizes": "small"}, "row[0].sizes: 'small' is not a list — write a list of entries, each one of big, small"),
        ({"sizes": ["huge"]}, "row[0].sizes[0]: 'huge' is not known — write one of big, small"),
        ({"codes": []}, "row[0].codes: [] is not a code or a list of codes — write each code in quotes"),
        ({"codes": [5]}, "row[0].codes: [5] is not a code or a list of codes — write each code in quotes"),
        (
            {"day": "31.1.2025"},
            "row[0].day: is missing or not a date — write a date without quotes, such as 2021-01-01",
        ),
        ({"part_percent": 5}, "row[0].part_percent: 5 is not a table — write { NAME = percent from 0 to 100, such as"),
        ({"part_percent": {"A": 101}}, "row[0].part_percent.A: 101 is a rate over 100 percent"),
        ({"points": "5"}, "row[0].points: '5' is not a number — write a number with at most 8 decimals"),
        ({"share": 5}, "row[0].share: unknown key — did you mean share_percent?"),
    ],
)
def test_a_wrong_value_is_named_with_what_to_write(raw: dict[str, Any], expected: str) -> None:
    row, faults = read(raw)
    assert len(faults) == 1 and faults[0].startswith(f"f.toml: {expected}")
    assert row is None or "unknown key" in expected


def rows(folder: Path, text: str) -> tuple[list[Row], list[str]]:
    (folder / "t.csv").write_text(text, "utf-8")
    faults = Faults()
    return read_rows(Row, folder, "t.csv", faults), [str(fault) for fault in faults]


def test_rows_of_a_csv_file(tmp_path: Path) -> None:
    found, faults = rows(
        tmp_path,
        "name,colour,codes,day,share_percent,price_yuan,open\nx,red,a b,2025-01-31,82.5,404.20,true\n"
        "y,,,20250131,,,\n\nz,dark_blue,,,,,false\n",
    )
    assert not faults and [row.where.key for row in found] == ["line 2", "line 3", "line 5"]
    assert (found[0].codes, found[0].share_percent, found[0].price_yuan) == (("a", "b"), 825_000, 40_420)
    assert [row.day for row in found] == [20250131, 20250131, 0] and [row.open for row in found] == [True, False, False]


def test_every_fault_of_a_csv_file_in_one_run(tmp_path: Path) -> None:
    found, faults = rows(tmp_path, "name,price_yuan\nx,404.205\ny,5,6\n,5\nz,1\n")
    assert [row.name for row in found] == ["z"]
    assert faults == [
        "t.csv: line 3: has more or fewer cells than the header — correct the row",
        "t.csv: line 2.price_yuan: 404.205 has a third decimal — write at most 2 decimals",
        "t.csv: line 4.name: is missing — write a text in quotes",
    ]


def test_a_wrong_header_is_one_fault_a_column(tmp_path: Path) -> None:
    assert rows(tmp_path, "nam,price\nx,5\n") == (
        [],
        [
            "t.csv: line 1: unknown column 'nam' — did you mean name?",
            "t.csv: line 1: unknown column 'price' — did you mean price_yuan?",
            "t.csv: line 1: has no column name — add the column to the header",
        ],
    )


def test_a_file_that_is_missing_or_no_text(tmp_path: Path) -> None:
    faults = Faults()
    assert read_csv(tmp_path, "none.csv", faults) is None
    (tmp_path / "t.csv").write_bytes(b"name\n\xff\n")
    assert read_csv(tmp_path, "t.csv", faults) is None
    assert [str(fault).split(" — ")[0].split(": 'utf-8'")[0] for fault in faults] == [
        "none.csv: file: does not exist", "t.csv: line 1: cannot be read",
    ]  # fmt: skip


def test_the_schema_follows_the_same_kinds() -> None:
    properties = of_struct(Row)["properties"]
    assert properties["colour"] == {"enum": ["red", "dark_blue"]}
    assert properties["part_percent"]["additionalProperties"]["maximum"] == 100
    assert properties["sizes"] == {"type": "array", "items": {"enum": ["big", "small"]}}
    assert "where" not in properties
