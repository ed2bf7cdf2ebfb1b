"""The compiled form of conditions: which claims a row of the method table, a factor or a support takes."""

from __future__ import annotations

import numpy as np

CONDITION = np.dtype(
    [
        ("care_kinds", "u8"), ("schemes", "u8"), ("places", "u8"), ("filings", "u8"), ("channels", "u8"),
        ("statuses", "u8"), ("maternity_types", "u8"), ("person_types", "u8"),
        ("assistances", "u8"),  # bit n accepts the number n
        ("contract", "i8"),  # CONTRACT_ANY …
        ("stay_from_days", "i8"), ("stay_to_days", "i8"), ("age_from_years", "i8"), ("age_to_years", "i8"),
        ("hospitals", "i8"), ("departments", "i8"), ("diseases", "i8"), ("drgs", "i8"),  # row of the sets, -1 any
        ("diagnoses", "i8"), ("procedures", "i8"),
        ("method", "i8"), ("table", "i8"), ("rate_ppm", "i8"), ("priority", "i8"), ("unverified", "i8"),
    ],
    align=True,
)  # fmt: skip
"""One compiled row. A set is a byte a member: position 0 stands for "none or not listed", id n for position n + 1."""

CONTRACT_ANY, CONTRACT_YES, CONTRACT_NO = 0, 1, 2
"""What a row says about capitation contracts: does not ask, asks for one, asks for none."""
CONTRACT_WORDS = ("any", "yes", "no")
