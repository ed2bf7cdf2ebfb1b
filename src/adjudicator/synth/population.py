"""The made-up people of a city: where and in what they are insured, how old, how poor, how often ill."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adjudicator.codes import SCHEME_NATIONAL, Scheme
from adjudicator.rulefile.pack import Pack
from adjudicator.synth.habits import USUAL, Habits

SHARES = {"11": 0.38, "12": 0.17, "13": 0.002, "14": 0.16, "15": 0.2, "16": 0.09}
"""Share of each person type (first two digits of [psn_type]) in a city."""

AGES = {"11": (20, 60), "12": (55, 95), "13": (85, 100), "14": (0, 18), "15": (19, 60), "16": (60, 96)}
"""Ages in years of each person type: from, and below."""

ASSISTED_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Population:
    """One row a person. ``group`` is the person group of the pack; codes are texts as the wire has them."""

    county: np.ndarray
    scheme: np.ndarray
    group: np.ndarray
    person_type: np.ndarray
    tier: np.ndarray
    age_years: np.ndarray
    sex: np.ndarray
    assistance: np.ndarray
    civil_servant: np.ndarray
    family_doctor: np.ndarray
    chronic: np.ndarray
    account_current_fen: np.ndarray
    account_past_fen: np.ndarray
    account_family_fen: np.ndarray

    def __len__(self) -> int:
        return len(self.county)


def draw_population(rng: np.random.Generator, pack: Pack, count: int, habits: Habits = USUAL) -> Population:
    """Draws the persons of one pool; numbers of county, group and assistance category are those of the pack.

    Everybody is insured as an employee or a resident; maternity insurance comes with the former.
    """
    types = [
        (number, code)
        for number, group in enumerate(pack.person_groups)
        for code in group.person_types
        if group.scheme in ("employee", "resident")
    ]
    shares = np.array([SHARES.get(code[:2], 0.01) for _, code in types])
    retired = np.array([code.startswith("12") for _, code in types])
    shares = np.where(retired, shares * habits.retired / 100, shares)
    employed = np.array([pack.person_groups[number].scheme == "employee" for number, _ in types])
    shares = np.where(employed, shares * habits.employees / 100, shares)
    chosen = rng.choice(len(types), count, p=shares / shares.sum())
    group = np.array([number for number, _ in types])[chosen]
    code = np.array([code for _, code in types])[chosen]
    schemes = [getattr(Scheme, entry.scheme.upper()) for entry in pack.person_groups]
    scheme = np.array([int(value) for value in schemes])[group]
    low, high = (np.array([AGES.get(code[:2], (20, 80))[end] for _, code in types])[chosen] for end in (0, 1))
    employee = scheme == Scheme.EMPLOYEE
    tiers = [entry.contribution_tiers or [0] for entry in pack.person_groups]
    assisted = rng.random(count) < (ASSISTED_SHARE if pack.assistance else 0)
    return Population(
        county=rng.integers(0, len(pack.areas), count),
        scheme=scheme,
        group=group,
        person_type=code,
        tier=np.array([options[0] for options in tiers])[group],
        age_years=(low + rng.random(count) * (high - low)).astype(np.int64),
        sex=rng.integers(1, 3, count),
        assistance=np.where(assisted, rng.integers(1, max(len(pack.assistance), 1) + 1, count), 0),
        civil_servant=employee & (rng.random(count) < 0.08),
        family_doctor=rng.random(count) < 0.3,
        chronic=rng.random(count) < np.where(low >= 50, 0.35, 0.08),
        account_current_fen=np.where(employee, rng.integers(0, 300_000, count), 0),
        account_past_fen=np.where(employee, rng.integers(0, 1_200_000, count), 0),
        account_family_fen=np.where(rng.random(count) < 0.2, rng.integers(0, 400_000, count), 0),
    )


def scheme_code(scheme: int) -> str:
    """Return the national code of a scheme [insutype].

    >>> scheme_code(1)
    '310'
    """
    return SCHEME_NATIONAL[Scheme(scheme)]
