"""Gaps between the periods of an institution in hospitals.csv; periods that overlap are a fault when it is read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, pairwise

from adjudicator.dates import day_before, iso, next_day
from adjudicator.rulefile.faults import Fault, Weight
from adjudicator.rulefile.pack import Pack


def check_register(pack: Pack) -> Iterator[Fault]:
    """Yield a warning for each institution that is not registered on some days between two of its periods.

    A contract may be suspended, so a gap is no fault; claims of those days are refused (E.UNKNOWN_INSTITUTION).
    """
    for code, rows in groupby(pack.hospitals, key=lambda hospital: hospital.code):
        for former, latter in pairwise(rows):
            if next_day(former.to_date) < latter.from_date:
                first, last = iso(next_day(former.to_date)), iso(day_before(latter.from_date))
                yield Fault(
                    "hospitals.csv", code, f"is in no row from {first} to {last}: its claims of these days are refused",
                    "begin the later period on the day after the earlier one, or leave the gap on purpose",
                    message_zh=f"{first} 至 {last} 没有登记，该期间的结算申请将被拒绝",
                    remedy_zh="请使后一时段紧接前一时段；若确为停止协议期间可保留", weight=Weight.WARNING,
                )  # fmt: skip
