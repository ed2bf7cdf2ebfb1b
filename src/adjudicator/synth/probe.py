"""Finds out what a pack has rules for, by settling one made-up claim of every kind at the ends of every month.

The documents of real cities leave cases open; a claim of such a case is refused, so made-up claims keep away from it.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator
from itertools import pairwise, product
from typing import Any

import numpy as np

from adjudicator.claim.engine import Engine
from adjudicator.claim.local import Years, price_batch
from adjudicator.codes import CareKind
from adjudicator.rulefile.pack import Pack
from adjudicator.rules.bundle import Bundle
from adjudicator.v1 import claim_pb2, settlement_pb2

Fields = Callable[[int, int, int, int], Iterator[dict[str, Any]]]
"""Person group, kind of care, spot, day YYYYMMDD -> the fields of claims that the draw may make of it."""


AMOUNTS_FEN = (800_000, 90_000_000)
"""Above every deductible, and above every cap."""


def allowed_cases(
    bundle: Bundle, pack: Pack, kinds: list[int], away: int, fields: Fields, item: str, year: int
) -> np.ndarray:
    """bool (months, person groups, kinds of care, spots): every claim of the case settles all month long.

    A spot is a hospital of the register or, behind them, one of ``away`` places outside the pool. Hospitals of one
    level are alike, pharmacies are not. ``item``: a code of class A without a ceiling.
    """
    alike = [(hospital.code[0], hospital.deductible_level, hospital.hosp_lv) for hospital in pack.hospitals]
    example = [alike.index(key) for key in alike] + [len(alike) + spot for spot in range(away)]
    allowed = np.zeros((12, len(pack.person_groups), max((*CareKind, *kinds)) + 1, len(example)), bool)
    cases: list[tuple[int, int, int, int]] = []
    batch = claim_pb2.ClaimBatch()
    for month in range(12):
        last = calendar.monthrange(year, month + 1)[1]
        for group in range(len(pack.person_groups)):
            for kind in kinds:
                for row in sorted(set(example)):
                    allowed[month, group, kind, row] = True
                    for day in (1, last):
                        date = year * 10_000 + (month + 1) * 100 + day
                        for values, amount_fen in product(fields(group, kind, row, date), AMOUNTS_FEN):
                            claim = batch.claims.add(**values, encounter_id=str(len(cases)), total_fen=amount_fen)
                            claim.person_id = str(len(cases))
                            claim.lines.add(
                                line_id="1", item_code=item, fee_date=date, unit_price_e4=amount_fen * 10_000,
                                quantity_e4=10_000, amount_fen=amount_fen,
                            )  # fmt: skip
                            cases.append((month, group, kind, row))
    for case, settled in zip(cases, _settled(bundle, batch), strict=True):
        allowed[case] &= settled
    return allowed[..., example]


def _settled(bundle: Bundle, batch: claim_pb2.ClaimBatch) -> list[bool]:
    """Whether each claim settles, each for a person of its own."""
    engine, found = Engine(bundle), []
    for first in range(0, len(batch.claims), 1000):
        part = claim_pb2.ClaimBatch(claims=batch.claims[first : first + 1000])
        answers, offsets = price_batch(engine, part.SerializeToString(), Years())
        for start, end in pairwise(offsets.tolist()):
            answer = settlement_pb2.Settlement.FromString(answers[start:end].tobytes())
            found.append(answer.outcome == settlement_pb2.OUTCOME_TRIAL)
    return found
