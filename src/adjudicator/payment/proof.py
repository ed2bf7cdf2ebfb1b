"""The proof that the method table gives every claim exactly one method.

Claims that no row tells apart are one atom of a dimension; combining the atoms of all dimensions by the rows that take
them reaches every kind of claim without listing them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from adjudicator.codes import PERSON_TYPES, CareKind, Filing, GroupStatus, Place, Scheme
from adjudicator.dates import next_day
from adjudicator.limits import MAX_AGE_YEARS, MAX_STAY_DAYS
from adjudicator.payment.condition_terms import CONTRACT_NO, CONTRACT_YES
from adjudicator.payment.conditions import MASKS, SETS, Condition, PackView
from adjudicator.rulefile.faults import Faults

Atoms = list[tuple[str, int]]
"""Labels of claims that no row tells apart, with the bit mask of the rows that accept them."""

_LABELS: dict[str, Callable[[int, PackView], str]] = {
    "care_kind": lambda n, pack: CareKind(n).name.lower(),
    "scheme": lambda n, pack: Scheme(n).name.lower(),
    "place": lambda n, pack: Place(n).name.lower(),
    "filing": lambda n, pack: Filing(n).name.lower(),
    "status": lambda n, pack: "group " + GroupStatus(n).name.lower(),
    "maternity_type": lambda n, pack: f"maternity type {n}",
    "person_type": lambda n, pack: f"person type {PERSON_TYPES[n] or 'unknown'}",
    "assistance": lambda n, pack: f"assistance category {n}",
    "disease": lambda n, pack: f"disease {pack.diseases[n]}" if n >= 0 else "",
    "hospital": lambda n, pack: f"hospital {pack.hospitals[n]}" if n >= 0 else "a hospital outside the register",
}
_DOMAIN: dict[str, Callable[[PackView], Iterable[int]]] = {
    "care_kind": lambda pack: [int(kind) for kind in CareKind if kind],
    "scheme": lambda pack: [int(scheme) for scheme in Scheme if scheme],
    "place": lambda pack: [int(place) for place in Place],
    "filing": lambda pack: [int(filing) for filing in Filing],
    "status": lambda pack: [int(status) for status in GroupStatus],
    "maternity_type": lambda pack: range(10),
    "person_type": lambda pack: range(len(PERSON_TYPES)),
    "assistance": lambda pack: [0, *pack.assistances.values()],
    "hospital": lambda pack: range(-1, len(pack.hospitals)),
}


def _atoms(dimension: str, rows: Sequence[Condition], pack: PackView) -> Atoms:
    if dimension == "procedure":
        return _several(rows)
    sets = [row.accepts[dimension] for row in rows]
    if dimension in _DOMAIN:
        values = list(_DOMAIN[dimension](pack))
    else:
        values = [-1, *sorted(set().union(*(entry for entry in sets if entry is not None)))]
    found: dict[int, str] = {}
    for value in values:
        mask = sum(1 << n for n, entry in enumerate(sets) if entry is None or value in entry)
        label = (
            _LABELS[dimension](value, pack) if dimension in _LABELS else f"{dimension} #{value}" if value >= 0 else ""
        )
        found.setdefault(mask, label)
    return [(label, mask) for mask, label in found.items()]


def _several(rows: Sequence[Condition]) -> Atoms:
    """Return every choice of the listed sets: a claim has any number of procedures, so they can occur together."""
    sets = sorted({row.accepts["procedure"] for row in rows if row.accepts["procedure"] is not None}, key=sorted)
    masks: dict[int, str] = {}
    for chosen in range(1 << min(len(sets), 10)):
        hit = {entry for n, entry in enumerate(sets) if chosen >> n & 1}
        mask = sum(
            1 << n for n, row in enumerate(rows) if row.accepts["procedure"] in hit or row.accepts["procedure"] is None
        )
        masks.setdefault(mask, f"procedures of {len(hit)} list(s)" if hit else "")
    return [(label, mask) for mask, label in masks.items()]


def _interval_atoms(name: str, ranges: list[tuple[int, int]], highest: int) -> Atoms:
    starts = sorted({-1, 0} | {max(low, -1) for low, _ in ranges} | {high + 1 for _, high in ranges})
    found: dict[int, str] = {}
    for start in (start for start in starts if start <= highest):
        mask = sum(1 << n for n, (low, high) in enumerate(ranges) if low <= start <= high)
        found.setdefault(mask, f"{name} {start}")
    return [(label, mask) for mask, label in found.items()]


def _contract_atoms(rows: Sequence[Condition]) -> Atoms:
    with_contract = sum(1 << n for n, row in enumerate(rows) if row.contract != CONTRACT_NO)
    without = sum(1 << n for n, row in enumerate(rows) if row.contract != CONTRACT_YES)
    if with_contract == without:
        return [("", without)]
    return [("no capitation contract", without), ("capitation contract", with_contract)]


def check_methods(file: str, rows: Sequence[Condition], pack: PackView, faults: Faults) -> None:
    """Every claim from the table's first day on has exactly one deciding row; else a fault with an example claim."""
    starts = sorted({row.source.from_date for row in rows})
    ends = {next_day(row.source.to_date) for row in rows}
    for day in sorted({*starts, *(end for end in ends if starts and starts[0] <= end < 20_991_231)}):
        active = [row for row in rows if row.source.from_date <= day <= row.source.to_date]
        _check_day(file, day, active, pack, faults)


def _check_day(file: str, day: int, rows: list[Condition], pack: PackView, faults: Faults) -> None:
    combinations: dict[int, tuple[str, ...]] = {(1 << len(rows)) - 1: ()}
    dimensions = [_atoms(name, rows, pack) for name in (*MASKS, *SETS)]
    dimensions.append(_contract_atoms(rows))
    dimensions.append(_interval_atoms("stay days", [row.stay_days for row in rows], MAX_STAY_DAYS))
    dimensions.append(_interval_atoms("age", [row.age_years for row in rows], MAX_AGE_YEARS))
    for atoms in dimensions:
        grown: dict[int, tuple[str, ...]] = {}
        for mask, labels in combinations.items():
            for label, accepted in atoms:
                grown.setdefault(mask & accepted, (*labels, label) if label and len(atoms) > 1 else labels)
        combinations = grown
    seen: set[tuple[str, str]] = set()
    for mask, labels in combinations.items():
        hits = [row for n, row in enumerate(rows) if mask >> n & 1]
        example = f"on {day}: " + ", ".join(labels or ("any claim",))
        if not hits:
            if ("", "") not in seen:
                faults.add(file, "method", f"no row gives a method to a claim {example}", "add a row that takes it")
            seen.add(("", ""))
            continue
        top = max(row.priority for row in hits)
        tied = [row for row in hits if row.priority == top]
        pair = (tied[0].key, tied[-1].key)
        if len(tied) > 1 and pair not in seen:
            seen.add(pair)
            names = " and ".join(row.name or row.key for row in tied)
            faults.add(
                file, tied[-1].key, f"rows {names} both take a claim {example}", "give one of them a higher priority"
            )
