"""The grouping scheme of a case with a plan of its own."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from adjudicator.cases.file import Case
from adjudicator.errors import E, refuse
from adjudicator.grouping.scheme.load import Scheme, load_scheme
from adjudicator.grouping.scheme.tables import SHAPES

NAME = "case"
"""Name of a scheme that a case brings with it."""
MORE = {"drg": ("diagnosis_match",)}
"""Columns that are written beside those that a table must have."""


def scheme_of(case: Case) -> tuple[Scheme, ...]:
    """Return the grouping scheme of a case, none where it names none.

    Raises :class:`adjudicator.rulefile.faults.PackError` for a scheme with faults. Errors: E.CORRUPT_CASE_FILE.
    """
    if not case.grouping:
        return ()
    if isinstance(case.grouping, str):
        return (load_scheme(case.grouping),)
    if not isinstance(case.grouping, Mapping):
        what = f"{case.name}: grouping is neither a name nor groups with their principal diagnoses"
        raise refuse(E.CORRUPT_CASE_FILE, case.name, what)
    groups = {str(drg): list(map(str, diagnoses)) for drg, diagnoses in case.grouping.items()}
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / NAME
        own.mkdir()
        for name, rows in _tables(groups).items():
            with (own / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
                csv.writer(stream, lineterminator="\n").writerows(
                    [(*SHAPES[name].required, *MORE.get(name, ())), *rows]
                )
        return (load_scheme(own, use_cache=False),)


def _tables(groups: Mapping[str, Sequence[str]]) -> dict[str, list[tuple[str, ...]]]:
    """Return the tables of a scheme in which the principal diagnosis alone leads to a group.

    >>> tables = _tables({"FR21": ["I50.900"], "FR23": ["I50.100"]})
    >>> tables["adrg"], tables["drg"]
    ([('F', '1', 'FR2', 'medical', 'principal', '-')], [('FR2', '1', 'FR21', 'any', 'principal'), \
('FR2', '2', 'FR23', 'any', '-')])
    """
    by_adrg: dict[str, list[str]] = {}
    for drg in groups:
        by_adrg.setdefault(drg[:3], []).append(drg)
    letters = list(dict.fromkeys(drg[:1] for drg in groups))
    last = {drgs[-1] for drgs in by_adrg.values()}
    tables: dict[str, list[tuple[str, ...]]] = {name: [] for name, shape in SHAPES.items() if not shape.optional_file}
    tables["mdc"] = [(str(place), letter, "principal") for place, letter in enumerate(letters, 1)]
    tables["mdc_principal_diagnosis"] = [(drg[:1], code) for drg, codes in groups.items() for code in codes]
    tables["adrg"] = [
        (adrg[:1], str(place), adrg, "medical", "principal", "-") for place, adrg in enumerate(by_adrg, 1)
    ]
    tables["adrg_code"] = [(drg[:3], "D", "1", code) for drg, codes in groups.items() for code in codes]
    tables["drg_code"] = [(drg, "D", "1", code) for drg, codes in groups.items() if drg not in last for code in codes]
    tables["drg"] = [
        (adrg, str(place), drg, "any", "-" if drg in last else "principal")
        for adrg, drgs in by_adrg.items()
        for place, drg in enumerate(drgs, 1)
    ]
    return tables
