"""Writes a grouping scheme of invented codes that uses every value of every column, at random but reproducible.

Every gate, match, combination shape, limit, severity, ambiguity and way out without a DRG occurs; many of its rules
overlap, so that the order of evaluation matters everywhere.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

DIAGNOSES = [f"D{number:02d}.{number % 7}00" for number in range(60)]
PROCEDURES = [f"{number:02d}.{number % 5}100" for number in range(40)]
GATES = (
    "main_procedure_valid", "principal", "any_diagnosis", "principal_and_regions", "any_diagnosis_and_regions",
    "always",
)  # fmt: skip
COMBINATIONS = ("1&2", "1|2&3", "1&2|1&3&4", "1|2", "1&2&3", "2&3|4")
DIAGNOSIS_MATCHES = ("-", "principal", "principal", "any", "secondary", "not_principal")
PROCEDURE_MATCHES = (
    "-", "main", "main", "any", "other", "main_valid", "any_valid", "none_valid", "main_not_valid", "combo",
    "main&other", "main&combo", "main_valid&any", "any_valid&main_not_valid",
)  # fmt: skip
LIMITS = {
    "sex": ("1", "2"),
    "age_years_min": ("1", "15"),
    "age_years_max": ("6", "13", "17"),
    "age_days_min": ("29",),
    "age_days_max": ("28",),
    "weight_min_g": ("1500",),
    "weight_below_g": ("1000", "2500"),
    "stay_days_min": ("2", "7"),
    "stay_days_max": ("4", "30"),
    "icu_hours_min": ("1", "121"),
    "icu_hours_max": ("120",),
    "discharge_way": ("2|5", "1"),
    "department": ("ICU", "ICU|0700"),
}


class _Tables:
    def __init__(self, folder: Path):
        self.folder = folder
        self.rows: dict[str, list[dict[str, str]]] = {}

    def add(self, table: str, **values: object) -> None:
        self.rows.setdefault(table, []).append({name: str(value) for name, value in values.items()})

    def write(self) -> None:
        for table, rows in self.rows.items():
            columns = list(dict.fromkeys(name for row in rows for name in row))
            with (self.folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)


def write_scheme(folder: Path, seed: int) -> Path:
    """Writes the scheme into ``folder`` and returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(seed)
    tables = _Tables(folder)
    for order, letter in enumerate("APYZMNBCDE"):
        _mdc(tables, draw, order, letter)
    for code in draw.sample(PROCEDURES, 18):
        tables.add("valid_procedure", code=code)
    graded = draw.sample(DIAGNOSES, 24)
    for code in graded[:12]:
        tables.add("mcc", code=code, exclusion_table=draw.randrange(5))
    for code in graded[12:]:
        tables.add("cc", code=code, exclusion_table=draw.randrange(5))
    for code in draw.sample(DIAGNOSES, 40):
        tables.add("exclusion", principal_code=code, exclusion_table=draw.randrange(5))
    tables.write()
    options = [f'no_drg_fits = "{draw.choice(("bare_adrg", "next_adrg"))}"']
    options.append("as_published = true")
    options.append(f"retry_other_procedures = {'true' if seed % 2 else 'false'}")
    (folder / "scheme.toml").write_text("\n".join(options) + "\n", "utf-8")
    return folder


def _mdc(tables: _Tables, draw: random.Random, order: int, letter: str) -> None:
    gate = GATES[order] if order < len(GATES) else draw.choice(GATES[:5])
    regions = draw.randint(1, 3) if gate.endswith("regions") else ""
    row = {"order": order, "mdc": letter, "gate": gate, "min_regions": regions}
    row["ambiguity"] = draw.choice(("", "main_valid", "any_valid"))
    row["sex"] = draw.choice(("", "", "1", "2"))
    row["age_years_max"] = draw.choice(("", "", "0", "14"))
    tables.add("mdc", **row)
    if gate == "main_procedure_valid":
        for code in draw.sample(PROCEDURES, 3):
            tables.add("mdc_procedure", mdc=letter, code=code)
    elif gate != "always":
        for code in draw.sample(DIAGNOSES, 30):
            region = f"region {draw.randrange(5)}" if gate.endswith("regions") else ""
            tables.add("mdc_principal_diagnosis", mdc=letter, code=code, region=region)
    position = 0
    for section, letters in (("surgical", "BCD"), ("medical", "RST")):
        for second in letters:
            adrg = f"{letter}{second}1"
            drgs = draw.randint(1, 4)
            for rule in ("", "2", "3")[: draw.choice((1, 1, 2, 3))]:
                position += 1
                way = draw.choice(("", "bare_adrg", "next_adrg"))
                common = {
                    "mdc": letter,
                    "order": position,
                    "adrg": adrg,
                    "rule": rule,
                    "section": section,
                    "no_drg": way,
                }
                tables.add(
                    "adrg", **common, **_condition(tables, draw, "adrg_code", {"adrg": adrg, "rule": rule}, 0.15)
                )
            for number in range(drgs):
                _drg(tables, draw, adrg, number)


def _drg(tables: _Tables, draw: random.Random, adrg: str, number: int) -> None:
    severity = draw.choice(("any", "mcc", "mcc_or_cc", "cc"))
    drg = f"{adrg}{number}"
    condition = _condition(tables, draw, "drg_code", {"drg": drg}, 0.3) if draw.random() < 0.5 else {}
    rule = (
        draw.choice(("", "", "2"))
        if any(row["adrg"] == adrg and row["rule"] == "2" for row in tables.rows["adrg"])
        else ""
    )
    tables.add("drg", adrg=adrg, order=number, drg=drg, rule=rule, severity=severity, **condition)


def _condition(
    tables: _Tables, draw: random.Random, table: str, owner: dict[str, str], limit_share: float
) -> dict[str, str]:
    condition = {"diagnosis_match": draw.choice(DIAGNOSIS_MATCHES), "procedure_match": draw.choice(PROCEDURE_MATCHES)}
    lists: set[str] = set()
    if condition["diagnosis_match"] != "-":
        lists.add("D1")
    if {"main", "any", "other"} & set(condition["procedure_match"].split("&")):
        lists.add("P1")
    if "combo" in condition["procedure_match"]:
        condition["combination"] = draw.choice(COMBINATIONS)
        lists |= {f"P{digit}" for digit in condition["combination"] if digit.isdigit()}
    for name in sorted(lists):
        for code in draw.sample(DIAGNOSES if name[0] == "D" else PROCEDURES, draw.randint(3, 12)):
            tables.add(table, **owner, system=name[0], list=name[1], code=code)
    for column in draw.sample(sorted(LIMITS), 2):
        opposite = column.removesuffix("_min").removesuffix("_max")
        if draw.random() < limit_share and not any(name.startswith(opposite[:6]) for name in condition):
            condition[column] = draw.choice(LIMITS[column])
    return condition
