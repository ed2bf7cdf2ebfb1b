"""Records that come as messages of the ``Group`` call."""

from __future__ import annotations

import numpy as np

from adjudicator.columns import GROUP
from adjudicator.grouping import group as grouping
from adjudicator.v1.grouping_pb2 import GroupRecord
from tests.grouping.conftest import Pair
from tests.grouping.naive import Record
from tests.grouping.support import columns_of, random_records


def message_of(record: Record) -> GroupRecord:
    """The record as a message; an unknown stay cannot be said there and is 0."""
    message = GroupRecord(
        sex=record.sex, birth_weight_g=record.birth_weight_g, department=record.department,
        stay_days=record.stay_days or 0, discharge_way=record.discharge_way, icu_hours=record.icu_hours or 0,
        diagnoses=record.diagnoses, procedures=record.procedures,
    )  # fmt: skip
    if record.age_years is not None:
        message.age_years = record.age_years
    if record.age_days is not None:
        message.age_days = record.age_days
    return message


def test_messages_become_the_same_columns(demo: Pair) -> None:
    records = random_records(demo.naive, 500, seed=71)
    for record in records:
        record.stay_days, record.icu_hours = record.stay_days or 0, record.icu_hours or 0
    got = grouping.columns_from_records(demo.scheme, [message_of(record) for record in records])
    for name, expected in columns_of(demo.scheme, records)._asdict().items():
        assert np.array_equal(getattr(got, name), expected), name


def test_numbers_beyond_the_columns(demo: Pair) -> None:
    huge = GroupRecord(sex=2**32 - 1, age_years=2**32 - 1, stay_days=2**32 - 1, diagnoses=["J18.900"])
    columns = grouping.columns_from_records(demo.scheme, [huge])
    out = np.zeros(1, GROUP)
    grouping.group(demo.scheme, columns, out)
    assert grouping.STATUS_TEXTS[out[0]["status"]] == "invalid"
    assert grouping.columns_from_records(demo.scheme, []).count == 0
