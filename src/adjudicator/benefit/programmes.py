"""Programmes of a pool (专项保障, 惠民保) in compiled form: what they change, and what their payer pays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adjudicator import limits
from adjudicator.rulefile.pack import Pack

PROGRAMME_PART = np.dtype(
    [
        # What counts of each part of the burden.
        ("in_scope_ppm", "i8"), ("first_pay_ppm", "i8"), ("over_ceiling_ppm", "i8"), ("self_paid_ppm", "i8"),
        ("threshold_fen", "i8"), ("rate_ppm", "i8"), ("cap_fen", "i8"),
    ]
)  # fmt: skip
"""A part of a supplementary insurance; a rate of 0 is no part."""

PROGRAMME = np.dtype(
    [
        ("from_date", "i8"), ("to_date", "i8"), ("pays_parts", "i8"), ("pays_ppm", "i8"), ("no_deductible", "i8"),
        ("no_cross_region", "i8"), ("no_cap", "i8"), ("rate_at_least_ppm", "i8"), ("whole_burden", "i8"),
        ("unverified", "i8"),
        ("parts", PROGRAMME_PART, (limits.MAX_PROGRAMME_PARTS,)),
    ]
)  # fmt: skip
"""One programme; ``pays_parts`` are bits of options.BurdenPart."""


def compile_programmes(packs: Sequence[Pack]) -> np.ndarray:
    """Return PROGRAMME[packs, programmes]; programme 0 of each pack is empty."""
    most = 1 + max((len(pack.programmes) for pack in packs), default=0)
    table = np.zeros((len(packs), most), PROGRAMME)
    for number, pack in enumerate(packs):
        for position, programme in enumerate(pack.programmes, 1):
            row, source = table[number, position], programme.source
            row["from_date"], row["to_date"], row["unverified"] = source.from_date, source.to_date, not source.verified
            row["whole_burden"] = programme.whole_burden
            for name in ("pays_parts", "pays_ppm", "no_deductible", "no_cross_region", "no_cap", "rate_at_least_ppm"):
                row[name] = getattr(programme, name)
            for part, terms in enumerate(programme.parts):
                row["parts"][part] = (*terms.counts_ppm, terms.threshold_fen, terms.rate_ppm, terms.cap_fen)
    return table
