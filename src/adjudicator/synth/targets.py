"""Published figures of a city that a synthetic one should come to: a TOML file, one ``[[target]]`` a figure.

::

    name = "Huzhou 2020"
    name_zh = "湖州市2020年"
    year = 2020

    [[target]]
    measure = "inpatient_rate"      # one of MEASURES
    scheme = "employee"             # or resident; left out: both
    percent = 85.67                 # or days, or yuan, as the measure asks
    tolerance_points = 1            # or tolerance_percent of a number of days or yuan
    document = "where it is published"
    evidence = "primary"            # primary, reprint or secondary: whether the document itself was read
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from adjudicator.codes import Scheme

SHIPPED = Path(__file__).resolve().parents[1] / "packs" / "published"
LEAST_CLAIMS = 2_000
"""A city with fewer comes to figures by chance."""
EVIDENCE = ("primary", "reprint", "secondary")


class Measure(NamedTuple):
    """One kind of figure."""

    unit: str
    """Key of the value: percent, days or yuan."""
    en: str
    zh: str
    of: str = ""
    """A further key that names what the figure is of."""


MEASURES: dict[str, Measure] = {
    "inpatient_rate": Measure("percent", "funds' share of stays' cost in scope", "政策范围内住院报销比例"),
    "inpatient_total_rate": Measure("percent", "funds' share of stays' cost", "住院费用实际报销比例"),
    "stays_share": Measure("percent", "share of all stays", "住院人次占比"),
    "level_share": Measure("percent", "share of stays at a level", "该级别医院住院人次占比", "level"),
    "fund_share": Measure("percent", "share of what all funds pay for stays", "该基金占住院基金支出比例", "fund"),
    "mean_stay_days": Measure("days", "mean length of a stay", "平均住院日"),
    "mean_stay_cost": Measure("yuan", "mean cost of a stay", "次均住院费用"),
}
FUNDS = ("pooled_fund", "large_sum", "catastrophic", "civil_servant", "enterprise", "assistance")
SCHEMES = {"employee": Scheme.EMPLOYEE, "resident": Scheme.RESIDENT}


class TargetsError(ValueError):
    """A file of targets that cannot be used; each line says where the fault is and what to write instead."""

    def __init__(self, file: str, faults: list[str]) -> None:
        head = f"{file} is no file of targets (docs/synth.md); 目标文件有误（见 docs/synth.md）: {len(faults)} fault(s)"
        super().__init__("\n".join([head, *(f"  {file}: {fault}" for fault in faults)]))


class Target(NamedTuple):
    """One published figure."""

    measure: str
    scheme: str
    """employee, resident, or "" for both."""
    of: str
    """Level or fund, where the measure has one."""
    value: float
    tolerance: float
    """In the unit of the value."""
    document: str
    evidence: str

    @property
    def unit(self) -> str:
        """Return percent, days or yuan."""
        return MEASURES[self.measure].unit


class Targets(NamedTuple):
    """The figures of a city's year."""

    name: str
    name_zh: str
    year: int
    targets: tuple[Target, ...]


def read_targets(name: str, levels: tuple[str, ...]) -> Targets:
    """Return the targets of a file, or of a shipped one by its name; ``levels`` are those of the pack.

    Errors: TargetsError with every fault of the file.
    """
    shipped = SHIPPED / f"{name}.toml"
    path = Path(name) if Path(name).is_file() or not shipped.is_file() else shipped
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise TargetsError(path.name, [str(error)]) from error
    faults: list[str] = [f"{key}: no such key" for key in raw if key not in ("name", "name_zh", "year", "target")]
    if not isinstance(raw.get("year"), int) or not 1990 <= raw["year"] <= 2099:
        faults.append("year: write the year of the figures, such as 2020")
    entries = raw.get("target", [])
    if not isinstance(entries, list) or not entries:
        faults.append("[[target]]: write at least one")
        entries = []
    found = [_target(number, entry, levels, faults) for number, entry in enumerate(entries, 1)]
    if faults:
        raise TargetsError(path.name, faults)
    own = str(raw.get("name", path.stem))
    return Targets(own, str(raw.get("name_zh", own)), raw["year"], tuple(one for one in found if one is not None))


def _target(number: int, entry: dict[str, Any], levels: tuple[str, ...], faults: list[str]) -> Target | None:
    """Return one target; what is wrong with it goes to ``faults``."""
    place, known = f"[[target]] {number}", MEASURES.get(str(entry.get("measure")))
    if known is None:
        faults.append(f"{place} measure: write one of {', '.join(MEASURES)}")
        return None
    before = len(faults)
    tolerance = "tolerance_points" if known.unit == "percent" else "tolerance_percent"
    of = {"level": levels, "fund": FUNDS}.get(known.of, ())
    keys = {"measure", "scheme", known.unit, tolerance, "document", "evidence", *([known.of] if known.of else [])}
    faults += [f"{place} {key}: no such key of {entry['measure']}" for key in entry if key not in keys]
    if entry.get("scheme", "employee") not in SCHEMES:
        faults.append(f"{place} scheme: write one of {', '.join(SCHEMES)}")
    if known.of and entry.get(known.of) not in of:
        faults.append(f"{place} {known.of}: write one of {', '.join(of)}")
    for key, most in ((known.unit, 100 if known.unit == "percent" else 10**8), (tolerance, 100)):
        value = entry.get(key)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= most:
            faults.append(f"{place} {key}: write a number above 0, at most {most}")
    if not str(entry.get("document", "")).strip():
        faults.append(f"{place} document: name where the figure is published")
    if entry.get("evidence") not in EVIDENCE:
        faults.append(f"{place} evidence: write one of {', '.join(EVIDENCE)}")
    if len(faults) > before:
        return None
    value = float(entry[known.unit])
    width = float(entry[tolerance]) if known.unit == "percent" else value * entry[tolerance] / 100
    return Target(
        entry["measure"], entry.get("scheme", ""), str(entry.get(known.of, "")) if known.of else "", value, width,
        entry["document"], entry["evidence"],
    )  # fmt: skip
