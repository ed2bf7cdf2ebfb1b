"""Diagnoses and procedures of made-up stays, from the lists of a grouping scheme so that most find a group."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

NEWBORN_DAYS = 28
_SEXES = {"1": 1, "2": 2, "male": 1, "female": 2}


@dataclass(frozen=True, slots=True)
class Illness:
    """One way into a group: a principal diagnosis list, a main-procedure list (empty for medical groups), a sex."""

    diagnoses: tuple[str, ...]
    procedures: tuple[str, ...]
    sex: int


@dataclass(frozen=True, slots=True)
class Illnesses:
    """The ways of a scheme; ``further`` are codes for secondary diagnoses."""

    ways: tuple[Illness, ...] = ()
    of_sex: dict[int, np.ndarray] = field(default_factory=dict)
    births: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    further: tuple[str, ...] = ()


NONE = Illnesses()
FALLBACK_DIAGNOSES = ("I10.x05", "E11.900", "J18.900", "K29.700", "M54.500")
"""Hypertension, diabetes, pneumonia, gastritis, low back pain: for packs without a grouping scheme."""


def read_illnesses(folder: Path) -> Illnesses:
    """Read the lists of a scheme folder; newborn and pre-MDC groups are left to the grouping tests."""
    sexes = {row["mdc"]: _SEXES.get(row.get("sex", ""), 0) for row in _rows(folder, "mdc")}
    gates = {row["mdc"]: row.get("gate", "principal") for row in _rows(folder, "mdc")}
    principal: dict[str, list[str]] = {}
    for row in _rows(folder, "mdc_principal_diagnosis"):
        principal.setdefault(row["mdc"], []).append(row["code"])
    codes: dict[tuple[str, str], list[str]] = {}
    for row in _rows(folder, "adrg_code"):
        if row.get("list", "1") in ("", "1"):
            codes.setdefault((row["adrg"], row["system"]), []).append(row["code"])
    ways, births = [], []
    for row in _rows(folder, "adrg"):
        if gates.get(row["mdc"]) != "principal" or row["mdc"].removeprefix("MDC") == "P":
            continue
        surgical = row.get("section") == "surgical"
        procedures = tuple(codes.get((row["adrg"], "P"), ()))
        diagnoses = tuple(codes.get((row["adrg"], "D"), ()) if not surgical else ()) or tuple(
            principal.get(row["mdc"], ())
        )
        if diagnoses and (procedures or not surgical):
            ways.append(Illness(diagnoses, procedures if surgical else (), sexes.get(row["mdc"], 0)))
            births.append(row["mdc"].removeprefix("MDC") == "O")
    further = tuple(sorted({row["code"] for name in ("mcc", "cc") for row in _rows(folder, name)}))
    of_sex = {
        sex: np.array([n for n, way in enumerate(ways) if way.sex in (0, sex) and not births[n]], np.int64)
        for sex in (1, 2)
    }
    return Illnesses(tuple(ways), of_sex, np.flatnonzero(births), further)


def _rows(folder: Path, name: str) -> list[dict[str, str]]:
    path = folder / f"{name}.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
