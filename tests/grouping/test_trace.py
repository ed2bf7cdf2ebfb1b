"""Traces: what opened, what fitted, what was struck out, and what the group rests on."""

from __future__ import annotations

import numpy as np
import pytest

from adjudicator.columns import GROUP
from adjudicator.grouping import group as grouping
from adjudicator.grouping.trace import rests_on, trace_records
from tests.grouping.conftest import Pair
from tests.grouping.naive import Record
from tests.grouping.support import columns_of, random_records


def traces(pair: Pair, records: list[Record], translate: bool = False) -> list[list[str]]:
    """Trace lines of records. The trace itself asserts that it leads where the kernel went."""
    columns, out = columns_of(pair.scheme, records), np.zeros(len(records), GROUP)
    grouping.group(pair.scheme, columns, out, translate)
    return trace_records(pair.scheme, columns, out, translate)


def test_a_heart_attack_with_respiratory_failure(demo: Pair) -> None:
    record = Record(1, 66, diagnoses=["I21.003", "J96.000", "I21.900", "E87.200"], procedures=["87.0300"])
    assert traces(demo, [record])[0] == [
        "MDCF 循环系统疾病及功能障碍: opens, principal diagnosis I21.003",
        "FR1 急性心肌梗死: fits, principal diagnosis I21.003",
        "diagnosis 2 J96.000: MCC",
        "diagnosis 3 I21.900: MCC, struck out: same exclusion table as the principal diagnosis",
        "diagnosis 4 E87.200: CC",
        "FR11: MCC",
        "grouped: MDCF FR1 FR11 急性心肌梗死，伴严重并发症或合并症",
        "rests on principal diagnosis I21.003: without it ungrouped",
        "rests on diagnosis 2 J96.000: without it FR13",
    ]


def test_gates_that_open_in_vain_and_gates_that_stay_closed(demo: Pair) -> None:
    lines = traces(demo, [Record(2, 50, diagnoses=["N40.x00", "S06.500"], procedures=["51.2300"])])[0]
    assert lines[:3] == [
        "MDCA 先期分组疾病及相关操作: opens, main procedure 51.2300 counts as an operation",
        "MDCA: no rule fits",
        "MDCM 男性生殖系统疾病及功能障碍: closed, principal diagnosis N40.x00, but of the other sex",
    ]
    injured = traces(demo, [Record(1, 50, diagnoses=["S72.000"])])[0]
    assert injured[0] == "MDCZ 多发严重创伤: closed, principal diagnosis S72.000, 1 regions touched, 2 needed"


def test_an_invalid_and_an_unmappable_record(demo: Pair) -> None:
    assert traces(demo, [Record(1, None, diagnoses=["J18.900"])])[0] == ["invalid: age_years is missing"]
    unmappable = [Record(1, 50, diagnoses=["Q99.999"])]
    assert traces(demo, unmappable, translate=True)[0] == ["a code has no translation in the code map"]


@pytest.mark.compiled
def test_the_trace_leads_where_the_kernel_goes(demo: Pair, extended: list[Pair]) -> None:
    for pair in (demo, *extended):
        for lines in traces(pair, random_records(pair.naive, 400, seed=31)):
            assert lines


def test_what_a_group_rests_on(demo: Pair, extended: list[Pair]) -> None:
    """Taking each code out and asking the naive twin gives the same codes and the same other groups."""
    for pair in (demo, *extended[:3]):
        records = random_records(pair.naive, 150, seed=41)
        columns, out = columns_of(pair.scheme, records), np.zeros(len(records), GROUP)
        grouping.group(pair.scheme, columns, out)
        for record, rests in zip(records, rests_on(pair.scheme, columns, out), strict=True):
            found = {(rest.code, rest.instead) for rest in rests if rest.code != "unknown code"}
            assert found == naive_rests(pair, record)


def naive_rests(pair: Pair, record: Record) -> set[tuple[str, str]]:
    """Each known code without which the naive twin answers otherwise, and that answer."""
    status, *_, drg = pair.naive.group(record)
    known = {*pair.scheme.texts.diagnosis_codes, *pair.scheme.texts.procedure_codes}
    found = set()
    for name in ("diagnoses", "procedures"):
        codes = getattr(record, name)
        for code in set(codes) & known:
            without = Record(**{**record.__dict__, name: [other for other in codes if other != code]})
            other_status, *_, other = pair.naive.group(without)
            if (other_status, other) != (status, drg):
                found.add((code, other if other != "0000" else other_status))
    return found
