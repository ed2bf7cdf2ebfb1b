"""A comparison within a memory: fewer claims at a time change no byte, and what cannot be done is refused first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adjudicator.cli.main import main
from adjudicator.compare.memory import BASE_BYTES, CLAIM_BYTES, LEAST_ROWS, LINES_BYTES, MEBIBYTE, ROW_BYTES, room_for
from adjudicator.compare.people import MOST_LARGEST, People
from adjudicator.compare.run import compare
from adjudicator.compare.sides import Folder
from adjudicator.compare.through import MONTH, Plan
from adjudicator.errors import AdjudicatorError, E
from adjudicator.reprice.results import ROWS_AT_ONCE
from tests.compare.test_lines import sides as sides

LEAST = BASE_BYTES + LEAST_ROWS * ROW_BYTES


@pytest.mark.parametrize(
    ("memory", "claims", "cases"),
    [(2 << 30, 0, 0), (2 << 30, 10_000_000, 0), (LEAST, 0, 0), (LEAST + 9000, 100, 0), (3 << 30, 10**7, 3 * 10**6)],
)
def test_what_is_said_is_within_what_is_given(memory, claims, cases):
    room = room_for(memory, claims, cases)
    assert LEAST_ROWS <= room.rows <= ROWS_AT_ONCE
    assert room.memory_bytes <= memory


def test_fee_lines_need_more():
    assert (
        room_for(1 << 30, 1000, 0, with_lines=True).memory_bytes
        == room_for(1 << 30, 1000, 0).memory_bytes + LINES_BYTES
    )


def test_more_claims_leave_less_room_at_a_time():
    memory = LEAST + 10_000_000 * CLAIM_BYTES + 1000 * ROW_BYTES
    assert room_for(memory, 10_000_000, 0).rows == LEAST_ROWS + 1000
    assert room_for(memory, 9_000_000, 0).rows > LEAST_ROWS + 1000
    with pytest.raises(AdjudicatorError) as refused:
        room_for(memory, 11_000_000, 0)
    (problem,) = refused.value.problems
    least = -(-(LEAST + 11_000_000 * CLAIM_BYTES) // MEBIBYTE)
    assert (problem.number, problem.field) == (E.MEMORY_TOO_SMALL, "memory")
    assert f"{least} MiB" in problem.message and f"{least} MiB" in problem.message_zh


def test_the_persons_with_the_largest_change_are_those_of_a_plain_sort(monkeypatch):
    monkeypatch.setattr("adjudicator.compare.people._AT_ONCE", 64)
    people, rng = People(1000), np.random.default_rng(15)
    people.new[:] = rng.integers(-40, 41, 1000)  # many of the same size
    expected = sorted(np.flatnonzero(people.new).tolist(), key=lambda row: (-abs(int(people.new[row])), row))
    assert people._most_changed().tolist() == expected[:MOST_LARGEST]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


@pytest.mark.check
def test_few_claims_at_a_time_change_no_byte(sides, tmp_path):
    old, new = map(Folder, sides)
    for rows in (61, ROWS_AT_ONCE):
        compare(old, new, tmp_path / str(rows), Plan(MONTH), rows)
    few, all_at_once = (files(tmp_path / str(rows)) for rows in (61, ROWS_AT_ONCE))
    assert few.keys() == all_at_once.keys() >= {"differences.parquet", "lines_that_differ.parquet", "totals.parquet"}
    assert [name for name in few if few[name] != all_at_once[name]] == []


@pytest.mark.check
def test_the_command_says_what_it_takes_and_refuses_too_little(sides, tmp_path, capsys):
    command = ["reprice", "compare", *map(str, sides), "--no-report", "--output"]
    assert main([*command, str(tmp_path / "a"), "--memory", "1GB"]) == 0
    assert "MiB of memory" in capsys.readouterr().err
    assert main([*command, str(tmp_path / "b"), "--memory", "100MB"]) != 0
    assert "ADJ-1104" in capsys.readouterr().err
    assert not (tmp_path / "b").exists()
