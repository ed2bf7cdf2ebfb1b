"""Stage 6: what a cap left unpaid, paid at its own rate up to a yearly limit (R10)."""

from __future__ import annotations

from typing import Any

from adjudicator.benefit.amounts import not_negative
from adjudicator.benefit.plan.keys import Stage
from adjudicator.benefit.stages.burden import had_part
from adjudicator.benefit.trace import TRACED, trace
from adjudicator.compiled.jit import inlined
from adjudicator.compiled.rounding import per_million


@inlined
def above_the_cap(plan: Any, year: Any, work: Any) -> None:
    """Fill the payment above the cap; a cap on payment is turned back into cost, exactly."""
    rate_ppm = plan.above_cap_ppm[work.group, work.level]
    amount = 0
    if work.over_cap_fen > 0:
        divisor = work.over_cap_divisor
        whole = work.over_cap_whole_fen + work.over_cap_numerator // divisor
        exact = whole * rate_ppm + (work.over_cap_numerator % divisor) * rate_ppm // divisor
        amount = min(per_million(exact), work.over_cap_fen)
        room = not_negative(plan.above_cap_limit_fen[work.group] - year.large_sum_fen)
        if TRACED:
            trace.part("above_cap", work.over_cap_fen, rate_ppm)
            trace.cite("above_cap", "above_cap_percent")
            if amount != per_million(work.over_cap_fen * rate_ppm):
                trace.note("above_cap", "fraction_of_a_fen")
            trace.because("above_cap", "above_cap_limit_yuan", amount > room)
        # A guaranteed payment of the whole stay may lie on cost of its last part that is above the cap.
        amount = min(min(amount, room), work.base_fen + work.copay_free_fen - work.pooled_fen)
        had_part(work, Stage.LARGE_SUM)
    work.large_sum_fen = amount
    if TRACED:
        trace.step("above_cap", amount)
