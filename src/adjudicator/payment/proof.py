"""The proof that the method table gives every claim exactly one method, and that each row decides some claim."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from adjudicator.codes import (
    CARE_KIND_ZH,
    CHANNEL_ZH,
    FILING_ZH,
    PERSON_TYPES,
    PLACE_ZH,
    SCHEME_ZH,
    CareKind,
    Channel,
    Filing,
    GroupStatus,
    Place,
    Scheme,
)
from adjudicator.dates import iso, next_day
from adjudicator.limits import LAST_DATE, MAX_AGE_YEARS, MAX_STAY_DAYS
from adjudicator.payment.condition_terms import CONTRACT_NO, CONTRACT_YES
from adjudicator.payment.conditions import MASKS, SETS, Condition, PackView
from adjudicator.rulefile.faults import Fault, Faults
from adjudicator.rulefile.proof import (
    Atom,
    Choice,
    Dimension,
    Label,
    dimension_of,
    example_of,
    kinds_of_claims,
    smallest_example,
)

MOST_LISTS = 10
"""Of more lists of procedures the proof combines only the first ones."""

_Names = Callable[[int, PackView], tuple[str, str]]
_LABELS: dict[str, _Names] = {
    "care_kind": lambda n, pack: (CareKind(n).name.lower(), CARE_KIND_ZH[CareKind(n)]),
    "scheme": lambda n, pack: (Scheme(n).name.lower(), SCHEME_ZH[Scheme(n)]),
    "place": lambda n, pack: (Place(n).name.lower(), PLACE_ZH[Place(n)]),
    "filing": lambda n, pack: (Filing(n).name.lower(), FILING_ZH[Filing(n)]),
    "channel": lambda n, pack: (Channel(n).name.lower(), CHANNEL_ZH[Channel(n)]),
    "status": lambda n, pack: ("group " + GroupStatus(n).name.lower(), f"分组状态 {n}"),
    "maternity_type": lambda n, pack: (f"maternity type {n}", f"生育类别 {n}"),
    "person_type": lambda n, pack: (
        f"person type {PERSON_TYPES[n] or 'unknown'}",
        f"人员类别 {PERSON_TYPES[n] or '未知'}",
    ),
    "assistance": lambda n, pack: (f"assistance category {n}", f"救助类别 {n}"),
    "disease": lambda n, pack: (f"disease {pack.diseases[n]}", f"病种 {pack.diseases[n]}") if n >= 0 else ("", ""),
    "hospital": lambda n, pack: (
        (f"hospital {pack.hospitals[n]}", f"医院 {pack.hospitals[n]}")
        if n >= 0
        else ("a hospital outside the register", "登记表外的医院")
    ),
}
_OTHERS_ZH = {"department": "科室", "drg": "病组", "diagnosis": "诊断", "procedure": "手术操作"}
_DOMAIN: dict[str, Callable[[PackView], Iterable[int]]] = {
    "care_kind": lambda pack: [int(kind) for kind in CareKind if kind],
    "scheme": lambda pack: [int(scheme) for scheme in Scheme if scheme],
    "place": lambda pack: [int(place) for place in Place],
    "filing": lambda pack: [int(filing) for filing in Filing],
    "channel": lambda pack: [int(channel) for channel in Channel],
    "status": lambda pack: [int(status) for status in GroupStatus],
    "maternity_type": lambda pack: range(10),
    "person_type": lambda pack: range(len(PERSON_TYPES)),
    "assistance": lambda pack: [0, *pack.assistances.values()],
    "hospital": lambda pack: range(-1, len(pack.hospitals)),
}


def _label(dimension: str, pack: PackView) -> Label:
    """Return how the values of a dimension are called: by the first of them."""

    def label(values: Sequence[int], language: str) -> list[str]:
        value, zh = values[0], language == "zh"
        name = _OTHERS_ZH.get(dimension, dimension) if zh else dimension
        word = f"{name} #{value}" if value >= 0 else ""
        if dimension in _LABELS:
            word = _LABELS[dimension](value, pack)[zh]
        return [word] if word else []

    return label


def _dimension(name: str, rows: Sequence[Condition], pack: PackView) -> Dimension:
    if name == "procedure":
        return _several(rows)
    sets = [row.accepts[name] for row in rows]
    if name in _DOMAIN:
        return dimension_of(_DOMAIN[name](pack), sets, _label(name, pack))
    listed = sorted(set().union(*(some for some in sets if some is not None)))
    return dimension_of([-1, *listed], sets, _label(name, pack))


def _several(rows: Sequence[Condition]) -> Dimension:
    """Return every choice of the listed sets: a claim has any number of procedures, so they can occur together."""
    sets = sorted({row.accepts["procedure"] for row in rows if row.accepts["procedure"] is not None}, key=sorted)
    masks: dict[int, int] = {}
    for chosen in range(1 << min(len(sets), MOST_LISTS)):
        hit = {entry for n, entry in enumerate(sets) if chosen >> n & 1}
        mask = sum(
            1 << n for n, row in enumerate(rows) if row.accepts["procedure"] in hit or row.accepts["procedure"] is None
        )
        masks.setdefault(mask, len(hit))

    def label(values: Sequence[int], language: str) -> list[str]:
        if not values[0]:
            return []
        return [f"{values[0]} 组手术操作" if language == "zh" else f"procedures of {values[0]} list(s)"]

    return Dimension([Atom((lists,), mask) for mask, lists in masks.items()], label)


def _interval(name: tuple[str, str], ranges: Sequence[tuple[int, int]], highest: int) -> Dimension:
    """Return the atoms of a number: each begins where some range begins or has just ended."""
    starts = sorted({-1, 0} | {max(low, -1) for low, _ in ranges} | {high + 1 for _, high in ranges})
    accepted = [range(low, high + 1) for low, high in ranges]

    def label(values: Sequence[int], language: str) -> list[str]:
        return [f"{name[language == 'zh']} {values[0]}"]

    return dimension_of([start for start in starts if start <= highest], accepted, label)


def _contract(rows: Sequence[Condition]) -> Dimension:
    accepted = [{CONTRACT_NO: {0}, CONTRACT_YES: {1}}.get(row.contract) for row in rows]
    names = {"en": ("no capitation contract", "capitation contract"), "zh": ("无按人头协议", "有按人头协议")}
    return dimension_of((0, 1), accepted, lambda values, language: [names[language][values[0]]])


def check_methods(file: str, rows: Sequence[Condition], pack: PackView, faults: Faults) -> None:
    """Prove that each claim from the table's first day on has one deciding row, and that each row decides some claim.

    A fault names a claim that has none or two, or the row that no claim reaches.
    """
    starts = sorted({row.source.from_date for row in rows})
    ends = {next_day(row.source.to_date) for row in rows}
    reached: set[str] = set()
    for day in sorted({*starts, *(end for end in ends if starts and starts[0] <= end < LAST_DATE)}):
        active = [row for row in rows if row.source.from_date <= day <= row.source.to_date]
        reached |= _check_day(file, day, active, pack, faults)
    for row in rows:
        if row.key not in reached:
            name = row.name or row.key
            faults.append(
                Fault(
                    file, row.key, f"no claim reaches row {name}: nothing fits it, or higher rows take it all",
                    "correct its conditions or its priority, or take it out",
                    message_zh=f"没有结算单会用到行 {name}：条件无一符合，或优先级更高的行已全部接管",
                    remedy_zh="请修改其条件或优先级，或删除该行",
                )
            )  # fmt: skip


def _check_day(file: str, day: int, rows: list[Condition], pack: PackView, faults: Faults) -> set[str]:
    """Check the claims of one day; return the keys of the rows that decide some claim."""
    dimensions = [_dimension(name, rows, pack) for name in (*MASKS, *SETS)]
    dimensions.append(_contract(rows))
    dimensions.append(_interval(("stay days", "住院天数"), [row.stay_days for row in rows], MAX_STAY_DAYS))
    dimensions.append(_interval(("age", "年龄"), [row.age_years for row in rows], MAX_AGE_YEARS))
    decided: set[str] = set()
    seen: set[tuple[str, str]] = set()
    for mask, choice in kinds_of_claims(len(rows), dimensions).items():
        hits = [row for n, row in enumerate(rows) if mask >> n & 1]
        if not hits:
            _no_row(file, day, choice, dimensions, faults)
            continue
        top = max(row.priority for row in hits)
        tied = [row for row in hits if row.priority == top]
        decided |= {row.key for row in tied}
        pair = (tied[0].key, tied[-1].key)
        if len(tied) > 1 and pair not in seen:
            seen.add(pair)
            examples = [example_of(choice, dimensions, language) for language in ("en", "zh")]
            _two_rows(file, day, tied, examples, faults)
    return decided


def _no_row(file: str, day: int, choice: Choice, dimensions: Sequence[Dimension], faults: Faults) -> None:
    en, zh = (smallest_example(choice, dimensions, language) for language in ("en", "zh"))
    faults.append(
        Fault(
            file, "method", f"no row gives a method to a claim on {day}: {', '.join(en or ['any claim'])}",
            "add a row that takes it",
            message_zh=f"{iso(day)} 没有付费方式行接受此类结算单：{'，'.join(zh or ['任意结算单'])}",
            remedy_zh="请增加接受该类结算单的行",
        )
    )  # fmt: skip


def _two_rows(file: str, day: int, tied: Sequence[Condition], examples: Sequence[list[str]], faults: Faults) -> None:
    names, (en, zh) = [row.name or row.key for row in tied], examples
    faults.append(
        Fault(
            file, tied[-1].key,
            f"rows {' and '.join(names)} both take a claim on {day}: {', '.join(en or ['any claim'])}",
            "give one of them a higher priority",
            message_zh=f"{iso(day)} 行 {' 与 '.join(names)} 同时接受结算单：{'，'.join(zh or ['任意结算单'])}",
            remedy_zh="请提高其中一行的优先级",
        )
    )  # fmt: skip
