"""Parquet and messages give the same answers, to the fen and to the byte of every text."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from adjudicator.v1 import settlement_pb2
from tests.reprice.tables import assert_same, contents, price_files, protobuf_way, result_rows, write_nested


def test_tables_of_synth_are_read_as_they_are(year, claims, engine, tmp_path):
    summary = price_files(year / "parquet", tmp_path / "out", with_lines=True)
    answers = protobuf_way(claims, engine)
    rows = result_rows(tmp_path / "out")
    assert summary.claims == len(rows) == len(claims) and summary.rejected == 0
    for row, answer in zip(rows, answers, strict=True):
        assert_same(row, answer)
    lines = pq.read_table(tmp_path / "out" / "lines" / "part-00000.parquet").to_pylist()
    told = [(claim, line) for claim, answer in enumerate(answers) for line in answer.lines]
    assert len(lines) == len(told)
    for row, (claim, line) in zip(lines, told, strict=True):
        assert row["claim"] == claim
        brought = claims[claim].lines[row["line"]]
        assert (row["line_id"], row["item_code"]) == (brought.line_id, brought.item_code)
        told_of = row.keys() - {"claim", "line", "item_code"}
        assert {name: row[name] for name in told_of} == {name: getattr(line, name) for name in told_of}


def test_every_layout_gives_the_same_bytes(year, claims, tmp_path):
    write_nested(claims, tmp_path / "nested" / "claims.parquet")
    layouts = {"tables": year / "parquet", "messages": year / "pb", "nested": tmp_path / "nested"}
    found = {}
    for name, source in layouts.items():
        price_files(source, tmp_path / name / "out")
        found[name] = contents(tmp_path / name / "out")
    assert found["tables"]["settlements/part-00000.parquet"] == found["nested"]["settlements/part-00000.parquet"]
    assert found["tables"]["settlements/part-00000.parquet"] == found["messages"]["settlements/part-00000.parquet"]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_the_rows_changes_no_amount(claims, engine, tmp_path, seed):
    shuffled = random.Random(seed).sample(claims, len(claims))
    write_nested(shuffled, tmp_path / "in" / "claims.parquet")
    price_files(tmp_path / "in", tmp_path / "out", buckets=5)
    for row, answer in zip(result_rows(tmp_path / "out"), protobuf_way(shuffled, engine), strict=True):
        assert_same(row, answer)


def test_warnings_are_those_of_the_answer(claims, engine, tmp_path):
    """Code, field and both texts, in the same order; a refused claim has what refused it first."""
    damaged = [type(claim).FromString(claim.SerializeToString()) for claim in claims[:300]]
    for number, claim in enumerate(damaged):
        if number % 7 == 0:
            claim.total_fen += 1
        if number % 11 == 0:
            claim.person_type = "99"
        if number % 13 == 0:
            claim.lines[0].amount_fen += 100
            claim.total_fen += 100
    write_nested(damaged, tmp_path / "in" / "claims.parquet", rows=50)
    summary = price_files(tmp_path / "in", tmp_path / "out", buckets=3)
    answers = protobuf_way(damaged, engine)
    told = {False: [], True: []}
    for row, answer in enumerate(answers):
        for problem in answer.problems:
            told[problem.warning].append((row, problem.code, problem.field, problem.message, problem.message_zh))
    for name, warning in (("rejected", False), ("warnings", True)):
        table = pq.read_table(tmp_path / "out" / f"{name}.parquet").to_pylist()
        got = [tuple(row[key] for key in ("row", "code", "field", "message", "message_zh")) for row in table]
        if warning:  # of a refused claim they are told with the refusal alone
            refused = {row for row, answer in enumerate(answers) if answer.outcome == settlement_pb2.OUTCOME_REFUSED}
            told[True] = [entry for entry in told[True] if entry[0] not in refused]
            got = [entry for entry in got if entry[0] not in refused]
        assert got == told[warning]
    assert summary.rejected == sum(answer.outcome == settlement_pb2.OUTCOME_REFUSED for answer in answers) > 40


def test_a_file_of_messages_that_was_cut_off_is_refused(year, tmp_path):
    from adjudicator.errors import AdjudicatorError

    whole = (year / "pb" / "claims.pb").read_bytes()
    cut = Path(tmp_path / "in" / "claims.pb")
    cut.parent.mkdir()
    cut.write_bytes(whole[:-3])
    with pytest.raises(AdjudicatorError, match="cut off"):
        price_files(cut, tmp_path / "out")
