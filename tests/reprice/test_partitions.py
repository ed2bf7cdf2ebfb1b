"""The function that Spark calls gives the answers of the command, also on a real local Spark."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from adjudicator.cli.main import main
from adjudicator.errors import AdjudicatorError, E
from adjudicator.reprice import partitions
from tests.reprice.tables import contents, nested, price_files, write_nested

KEY = ("institution_code", "encounter_id", "settlement_sequence")
SIZES = [(100, 7), *(pytest.param(*size, marks=pytest.mark.check) for size in ((16_384, 500), (1, 10_000)))]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def damaged(claims) -> list:
    """Claims of the year in a chance order, some of them wrong."""
    found = [type(claim).FromString(claim.SerializeToString()) for claim in claims[:1200]]
    for claim in found[::70]:
        claim.total_fen += 1
    for claim in found[35::70]:
        claim.lines[0].amount_fen += 100
        claim.total_fen += 100
    return random.Random(3).sample(found, len(found))


@pytest.fixture(scope="module")
def expected(damaged, tmp_path_factory) -> pa.Table:
    """What the command writes, problems beside their claims, in the order of the keys."""
    folder = tmp_path_factory.mktemp("expected")
    write_nested(damaged, folder / "in" / "claims.parquet")
    price_files(folder / "in", folder / "out")
    answers = pq.read_table(folder / "out" / "settlements")
    told = defaultdict(list)
    for name, warning in (("rejected", False), ("warnings", True)):
        for row in pq.read_table(folder / "out" / f"{name}.parquet").to_pylist():
            told[row["row"]].append(
                {key: row[key] for key in ("code", "field", "message", "message_zh")} | {"warning": warning}
            )
    assert len(told) > 15
    kind = partitions.result_schema().field(partitions.PROBLEMS).type
    problems = pa.array([told[row] for row in range(len(answers))], kind)
    answers = answers.append_column(partitions.PROBLEMS, problems)
    return in_order(answers.cast(partitions.result_schema()))


def in_order(answers: pa.Table) -> pa.Table:
    return answers.take(pc.sort_indices(answers, [(name, "ascending") for name in KEY])).combine_chunks()


@pytest.mark.parametrize(("at_once", "rows"), SIZES)
def test_batches_of_any_size_give_the_answers_of_the_command(damaged, expected, monkeypatch, at_once, rows):
    monkeypatch.setattr(partitions, "AT_ONCE", at_once)
    table = nested(damaged)
    table = table.take(pc.sort_indices(table, [("person_id", "ascending")])).combine_chunks()
    batches = table.to_batches(rows)
    answers = pa.Table.from_batches(partitions.price_partition(batches, partitions.rules_of(["taohuayuan"])))
    assert in_order(answers).equals(expected)


def test_a_process_with_other_rules_or_wrong_columns_refuses(damaged):
    rules = partitions.rules_of(["taohuayuan"])
    batches = nested(damaged[:3]).to_batches()
    for changed, number in (
        (rules._replace(rules_hash="0"), E.WORKER_DIFFERS),
        (rules._replace(software="0"), E.WORKER_DIFFERS),
        (rules._replace(mapping="national"), E.INPUT_COLUMN),
    ):
        with pytest.raises(AdjudicatorError) as refused:
            list(partitions.price_partition(batches, changed))
        assert refused.value.problems[0].number == number


@pytest.mark.full
@pytest.mark.skipif(shutil.which("java") is None, reason="needs Java, which runs Spark")
@pytest.mark.skipif(find_spec("pyspark") is None, reason="needs pyspark: pip install 'pyspark[sql]>=4.3,<5'")
def test_a_local_spark_gives_the_answers_of_the_command(damaged, expected, tmp_path):
    for number in range(3):  # several files, so that persons lie in several partitions before the job
        write_nested(damaged[number::3], tmp_path / "in" / f"{number}.parquet")
    job = [sys.executable, str(ROOT / "deploy" / "spark" / "reprice.py"), "--pack", "taohuayuan", "--partitions", "3"]
    done = subprocess.run(
        [*job, "--input", str(tmp_path / "in"), "--output", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        env=os.environ | {"PYSPARK_PYTHON": sys.executable},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(list((tmp_path / "out").glob("part-*.parquet"))) == 3
    answers = pq.read_table(tmp_path / "out")
    assert in_order(answers.cast(partitions.result_schema())).equals(expected)


@pytest.mark.full
@pytest.mark.skipif(shutil.which("java") is None, reason="needs Java, which runs Spark")
@pytest.mark.skipif(find_spec("pyspark") is None, reason="needs pyspark: pip install 'pyspark[sql]>=4.3,<5'")
def test_the_tasks_of_the_command_on_a_local_spark_write_the_same_bytes(year, tmp_path):
    price_files(year / "parquet", tmp_path / "plain")
    job = [sys.executable, str(ROOT / "deploy" / "spark" / "reprice_files.py"), "--pack", "taohuayuan"]
    done = subprocess.run(
        [*job, "--input", str(year / "parquet"), "--output", str(tmp_path / "out")], capture_output=True, text=True,
        env=os.environ | {"PYSPARK_PYTHON": sys.executable},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert contents(tmp_path / "out") == contents(tmp_path / "plain")
    assert main(["reprice", "verify", str(tmp_path / "out" / "manifest.json"), "--sample", "5"]) == 0
