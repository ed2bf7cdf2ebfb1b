"""The calendar of ``adjudicator.dates`` for kernels: the same source, compiled into each kernel that calls it."""

from __future__ import annotations

from adjudicator import dates
from adjudicator.compiled.jit import inlined

is_date = inlined(dates.is_date)
day_number = inlined(dates.day_number)
