"""Grouping: records a second on one core and on two, and from TSV file to TSV file, beside the naive twin.

The scheme is CHS-DRG 1.1 where ``../shared`` is there, else the shipped one. The twin is a plain set-based Python
grouper over the same tables; the open grouper OpenDRG (Python) was measured at 4,330 records/s on a like machine. The
records are random over the scheme's own codes, so that nearly every rule is reached; turns alternate.
"""

from __future__ import annotations

import io
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from adjudicator.columns import GROUP
from adjudicator.grouping.group import group
from adjudicator.grouping.layout import GroupColumns
from adjudicator.grouping.records.files import Task, group_text
from adjudicator.grouping.scheme.load import SHIPPED, load_scheme

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.grouping.naive import NaiveGrouper  # noqa: E402
from tests.grouping.support import columns_of, random_records  # noqa: E402
from tests.grouping.test_group_command import text_of  # noqa: E402

NATIONAL = ROOT.parent / "shared" / "chs-drg-1.1"
RECORDS, TIMES, ROUNDS = 100_000, 5, 7
GROUPING_AIM, FILE_AIM, PEER = 4_300_000, 400_000, 4_330


@pytest.fixture(scope="module")
def setting():
    folder = NATIONAL if NATIONAL.is_dir() else SHIPPED / "chs-demo"
    naive = NaiveGrouper(folder)
    scheme = load_scheme(folder)
    return scheme, naive, random_records(naive, RECORDS, seed=1)


def repeated(columns: GroupColumns, times: int) -> GroupColumns:
    """The records several times over."""
    parts = {name: np.tile(getattr(columns, name), times) for name in GroupColumns._fields[:8]}
    for name in ("diagnos", "procedur"):
        offsets, codes = (
            getattr(columns, f"{name}{end}") for end in ("is_offsets" if name[0] == "d" else "e_offsets", "es")
        )
        sizes = np.tile(np.diff(offsets), times)
        parts["diagnosis_offsets" if name[0] == "d" else "procedure_offsets"] = np.concatenate(([0], np.cumsum(sizes)))
        parts[f"{name}es"] = np.tile(codes, times)
    return GroupColumns(**parts)


def best_of(action: Callable[[], None]) -> float:
    """Seconds of the best round after a warm one."""
    action()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    print(f"  median {statistics.median(times) * 1e3:8.1f} ms, best {min(times) * 1e3:8.1f} ms", end="")
    return min(times)


def naive_rate(naive: NaiveGrouper, records: list) -> float:
    """Records a second of the twin, in the same run."""
    start = time.perf_counter()
    for record in records[:20_000]:
        naive.group(record)
    return 20_000 / (time.perf_counter() - start)


def slices(columns: GroupColumns, parts: int) -> list[GroupColumns]:
    """The records in equal parts."""
    cuts = np.linspace(0, columns.count, parts + 1).astype(int)
    result = []
    for low, high in pairwise(cuts):
        part = {name: getattr(columns, name)[low:high] for name in GroupColumns._fields[:8]}
        offsets = {name: getattr(columns, name)[low : high + 1] for name in ("diagnosis_offsets", "procedure_offsets")}
        result.append(GroupColumns(**part, **offsets, diagnoses=columns.diagnoses, procedures=columns.procedures))
    return result


def test_grouping_only(setting, benchmark) -> None:
    scheme, naive, records = setting
    columns = repeated(columns_of(scheme, records), TIMES)
    out = np.zeros(columns.count, GROUP)
    print(f"\n{scheme.name}: {columns.count:,} records, {len(columns.diagnoses) / columns.count:.1f} diagnoses and "
          f"{len(columns.procedures) / columns.count:.1f} procedures each")  # fmt: skip
    benchmark.pedantic(lambda: group(scheme, columns, out), rounds=ROUNDS, warmup_rounds=1)
    rate = columns.count / benchmark.stats.stats.min
    twin = naive_rate(naive, records)
    print(f"  one core: {rate:,.0f} records/s, aim {GROUPING_AIM:,}; {rate / twin:,.0f} × the naive twin ({twin:,.0f})")
    print(f"  that is {rate / PEER:,.0f} × OpenDRG Python as measured before")
    parts = slices(columns, 2)
    outs = [np.zeros(part.count, GROUP) for part in parts]
    with ThreadPoolExecutor(2) as pool:
        seconds = best_of(lambda: list(pool.map(lambda pair: group(scheme, *pair), zip(parts, outs, strict=True))))
    print(f"\n  two threads: {columns.count / seconds:,.0f} records/s")
    assert np.array_equal(np.concatenate(outs), out)


def test_file_to_file(setting, benchmark, tmp_path: Path) -> None:
    scheme, naive, records = setting
    source, target = tmp_path / "records.tsv", tmp_path / "groups.tsv"
    header, body = text_of(records).split(b"\n", 1)
    source.write_bytes(header + b"\n" + body * TIMES)
    count = RECORDS * TIMES

    def run(threads: int) -> None:
        with source.open("rb") as read, target.open("wb") as write:
            group_text(Task(scheme, threads=threads), read, write, b"\t")

    print(f"\n{scheme.name}: {count:,} records, {source.stat().st_size / 1e6:,.0f} MB of TSV")
    benchmark.pedantic(lambda: run(1), rounds=3, warmup_rounds=1)
    rate = count / benchmark.stats.stats.min
    twin = naive_file_rate(naive, header + b"\n" + body)
    print(f"  file to file, one thread: {rate:,.0f} records/s, aim {FILE_AIM:,}")
    print(f"  that is {rate / twin:,.0f} × the naive twin with Python's csv ({twin:,.0f})")
    start = time.perf_counter()
    run(2)
    print(f"  two threads: {count / (time.perf_counter() - start):,.0f} records/s")


def naive_file_rate(naive: NaiveGrouper, content: bytes) -> float:
    """Records a second of the twin from text to text."""
    import csv

    from tests.grouping.naive import Record

    start = time.perf_counter()
    target = io.StringIO()
    for row in list(csv.DictReader(io.StringIO(content.decode()), delimiter="\t"))[:20_000]:
        number = {name: int(row[name]) if row[name] else None for name in ("sex", "age_years", "age_days", "los_days")}
        answer = naive.group(
            Record(
                number["sex"], number["age_years"], number["age_days"], int(row["birth_weight_g"] or 0),
                row["department"], number["los_days"], int(row["discharge_way"] or 0),
                int(row["icu_hours"]) if row["icu_hours"] else None,
                row["diagnoses"].split("|") if row["diagnoses"] else [],
                row["procedures"].split("|") if row["procedures"] else [],
            )
        )  # fmt: skip
        target.write("\t".join((row["id"], *answer)) + "\n")
    return 20_000 / (time.perf_counter() - start)


def test_memory_of_ten_million_records(setting) -> None:
    """Bytes of columns and answers in memory, counted; a file needs only the blocks in work."""
    scheme, _, records = setting
    columns = columns_of(scheme, records)
    size = sum(array.nbytes for array in columns) + len(records) * GROUP.itemsize
    print(f"\n10,000,000 records in columns with their groups: {size / len(records) * 1e7 / 1e9:.2f} GB "
          f"({size / len(records):.0f} bytes a record); from file to file: a few blocks of 8 MiB")  # fmt: skip
