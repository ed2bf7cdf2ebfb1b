"""Bed-day rates that leave a day or a class out."""

from __future__ import annotations

import pytest

from adjudicator.errors import E
from tests.payment import toy
from tests.payment.bad import faults_of, method


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ("psych,,1,30,100\npsych,,32,,90", "gap or overlap at day 32 — begin at 31"),
        ("psych,,1,30,100\npsych,,30,,90", "gap or overlap at day 30 — begin at 31"),
        ("psych,,1,30,100", "ends at day 30"),
        ("other,,1,,100", "bed_day.csv has no rate of the table 'psych'"),
        ("psych,village,1,,100", "'village' is not a class"),
    ],
)
def test_bed_day_rates_leave_no_day_out(tmp_path, rates: str, expected: str) -> None:
    toml = toy.THIN + f'[[bed_day]]\nid = "psych"\n{toy.SOURCE}file = "bed_day.csv"\nformula = "less_patient"\n'
    found = faults_of(tmp_path, toml, bed_day="table,payment_class,day_from,day_to,rate_yuan\n" + rates)
    assert any(expected in fault for fault in found), "\n".join(found)


def test_a_class_without_bed_day_rate_is_refused(tmp_path) -> None:
    toml = (
        toy.HEAD + toy.BY_ITEM + method("a", "bed_day", 'table = "psych"\ncare = ["inpatient"]')
        + f'[[bed_day]]\nid = "psych"\n{toy.SOURCE}file = "bed_day.csv"\nformula = "less_patient"\n'
    )  # fmt: skip
    b = toy.batch(2)
    b.claims["hospital"] = [0, 1]
    rules = toy.bundle(tmp_path, toml, bed_day="table,payment_class,day_from,day_to,rate_yuan\npsych,tertiary,1,,100")
    assert toy.paid(rules, b)["error"].tolist() == [0, E.NO_BED_DAY_RATE]
