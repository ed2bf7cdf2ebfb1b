"""What the grouping tests share: records to columns, answers to texts, random records over a scheme's own codes."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from adjudicator.columns import GROUP
from adjudicator.grouping import group as grouping
from adjudicator.grouping.scheme.load import Scheme
from tests.grouping.naive import NaiveGrouper, Record

Answer = tuple[str, str, str, str]


def known(value: int | None) -> int:
    """-1 stands for an unknown number in the columns."""
    return -1 if value is None else value


def columns_of(scheme: Scheme, records: Sequence[Record]) -> grouping.GroupColumns:
    """Columns of the naive twin's records."""
    numbers = {
        "sex": [record.sex for record in records],
        "age_years": [known(record.age_years) for record in records],
        "age_days": [known(record.age_days) for record in records],
        "birth_weight_g": [record.birth_weight_g for record in records],
        "stay_days": [known(record.stay_days) for record in records],
        "discharge_way": [record.discharge_way for record in records],
        "icu_hours": [known(record.icu_hours) for record in records],
    }
    return grouping.columns_from_codes(
        scheme, numbers, [record.department for record in records],
        [record.diagnoses for record in records], [record.procedures for record in records],
    )  # fmt: skip


def answers(scheme: Scheme, records: Sequence[Record], translate: bool = False) -> list[Answer]:
    """What the engine says: status, MDC, ADRG, DRG of each record."""
    out = np.zeros(len(records), GROUP)
    grouping.group(scheme, columns_of(scheme, records), out, translate)
    return [(grouping.STATUS_TEXTS[row["status"]], *grouping.describe(scheme, row)) for row in out]


def random_records(naive: NaiveGrouper, count: int, seed: int) -> list[Record]:
    """Records that reach many rules: codes of the scheme's lists, often several of one ADRG, a few unknown ones."""
    draw = random.Random(seed)
    pool = _Pool(naive)
    return [pool.record(draw) for _ in range(count)]


class _Pool:
    def __init__(self, naive: NaiveGrouper):
        self.principal = sorted({code for codes in naive.principal.values() for code in codes})
        self.secondary = sorted({*naive.mcc, *naive.cc})
        self.valid = sorted(naive.valid)
        self.rules = list(naive.adrg_codes.values()) + list(naive.drg_codes.values())
        self.mdc_codes = {mdc: sorted(codes) for mdc, codes in naive.principal.items()}
        self.rule_mdc = {}
        for (adrg, _), lists in naive.adrg_codes.items():
            self.rule_mdc[id(lists)] = adrg[0]
        self.sorted_lists: dict[int, list[str]] = {}
        rows = [row for rows in (*naive.drgs.values(), *naive.adrgs.values()) for row in rows]
        named = {name for row in rows for name in (row.get("department") or "").split("|")}
        self.departments = [*sorted(named), "0301"]

    def of(self, codes: set[str]) -> list[str]:
        if id(codes) not in self.sorted_lists:
            self.sorted_lists[id(codes)] = sorted(codes)
        return self.sorted_lists[id(codes)]

    def record(self, draw: random.Random) -> Record:
        newborn = draw.random() < 0.15
        age_years = 0 if newborn else draw.choice([0, 1, 5, 6, 7, 13, 14, 15, 16, 17, 18, 30, 45, 67, 89, None])
        age_days = draw.choice([0, 3, 28, 29, 200, None]) if age_years == 0 or draw.random() < 0.1 else None
        diagnoses = [draw.choice(self.principal)]
        procedures: list[str] = []
        if draw.random() < 0.8:
            lists = draw.choice(self.rules)
            for name, codes in lists.items():
                if draw.random() < 0.8 and codes:
                    (diagnoses if name[0] == "D" else procedures).append(draw.choice(self.of(codes)))
            home = self.mdc_codes.get(self.rule_mdc.get(id(lists), ""))
            if home and draw.random() < 0.8:
                diagnoses[0] = draw.choice(home)
            if len(diagnoses) > 1 and draw.random() < 0.7:
                diagnoses[0], diagnoses[1] = diagnoses[1], diagnoses[0]
        for _ in range(draw.choice([0, 0, 1, 2, 5, 12])):
            diagnoses.append(draw.choice(self.secondary if draw.random() < 0.5 else self.principal))
        for _ in range(draw.choice([0, 0, 0, 1, 2, 6])):
            procedures.append(draw.choice(self.valid) if draw.random() < 0.7 else "00.0000x999")
        if draw.random() < 0.3:
            draw.shuffle(procedures)
        if draw.random() < 0.05:
            diagnoses.insert(draw.randrange(len(diagnoses) + 1), "ZZZ.999")
        if draw.random() < 0.01:
            diagnoses = []
        return Record(
            sex=draw.choice([1, 2]) if draw.random() < 0.99 else draw.choice([0, 3, 9]),
            age_years=age_years,
            age_days=age_days,
            birth_weight_g=draw.choice([0, 800, 999, 1000, 1499, 1500, 1999, 2000, 2499, 2500, 3400]),
            department=draw.choice(self.departments),
            stay_days=draw.choice([None, 0, 1, 2, 4, 5, 6, 7, 13, 14, 30, 61]),
            discharge_way=draw.choice([0, 1, 2, 3, 4, 5, 9]),
            icu_hours=draw.choice([None, 0, 1, 60, 120, 121, 500]),
            diagnoses=diagnoses,
            procedures=procedures,
        )
