"""Cells of a plan value with their names, for people: which person, level and tier, and what stands there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from adjudicator.benefit.plan.keys import (
    CROSS_FIELDS,
    KEY,
    LISTED_AXES,
    MATERNITY_TYPES,
    NO_LIMIT,
    UNDEFINED,
    Key,
    field_of,
)
from adjudicator.benefit.plan.source import PlanSource
from adjudicator.codes import CARE_KIND_ZH, CHANNEL_ZH, FILING_ZH, PLACE_ZH, CareKind, Channel, Filing, Place, Scheme
from adjudicator.money import fen_to_yuan
from adjudicator.options import choice_name, in_words
from adjudicator.rulefile.dated import DatedValue, value_on
from adjudicator.rulefile.pack import Pack

CROSS_NAMES = {
    "defined": ("has a rule", "有规定"),
    "extra_first_pay_percent": ("extra first-pay", "先行自付比例"),
    "minus_points": ("rate lower by", "支付比例降低"),
    "factor_percent": ("rate times", "支付比例系数"),
    "deductible_yuan": ("deductible", "起付线"),
    "deductible_percent": ("deductible as a share of the cost", "起付线占总费用比例"),
    "deductible_at_least_yuan": ("deductible at least", "起付线下限"),
    "deductible_at_most_yuan": ("deductible at most", "起付线上限"),
    "no_tilt": ("no tilt assistance", "不享受倾斜救助"),
}
STEPS = {"tier": "tier_from_yuan", "band": "catastrophic_from_yuan", "burden": "assistance_from_yuan"}
"""Axis -> the key with the lower ends of its steps."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: what names it on each axis, (Chinese, English), and its number; no names: it holds for everybody."""

    names: tuple[tuple[str, str], ...]
    text: str
    neutral: bool = False
    """True: the same as if the key were not written."""


def key_names(name: str) -> tuple[str, str]:
    """English and Chinese name of a key."""
    if name in KEY:
        return KEY[name].en, KEY[name].zh
    return {
        "cross_region": ("cross-region care (V11)", "异地就医"),
        "rate_derived": ("rate of a group by another's (V14)", "按其他人群推算支付比例"),
    }[name]


def value_text(key: Key, number: int) -> str:
    """One number as an officer writes it."""
    if key.unit == "option":
        return in_words(key.choices(number))
    if key.unit == "names":
        bits = [member for member in key.choices if number & _bit(key, member)]
        return " + ".join(map(in_words, bits)) or "none 无"
    return unit_text(key.unit, number)


def _bit(key: Key, member: int) -> int:
    return int(member) if key.choices.__name__ == "BurdenPart" else 1 << int(member)


def unit_text(unit: str, number: int) -> str:
    """Return a number of a unit: fen as yuan, parts per million as percent."""
    if number == NO_LIMIT:
        return "no limit 不设限"
    if number == UNDEFINED:
        return "not given 未规定"
    if unit == "yuan":
        yuan, fen = fen_to_yuan(number).split(".")
        return f"{int(yuan):,}" + (f".{fen}" if fen != "00" else "")
    if unit in ("percent", "points"):
        percent = f"{number // 10_000}.{number % 10_000:04d}".rstrip("0").rstrip(".")
        return f"{percent}%" if unit == "percent" else f"{percent} points 个百分点"
    if unit == "flag":
        return "yes 是" if number else "no 否"
    return f"{number:,}"


def groups_of(pack: Pack, scheme: Scheme) -> list[int]:
    """Person groups that a plan of a scheme can meet."""
    word = choice_name(scheme)
    return [number for number, group in enumerate(pack.person_groups) if group.scheme == word]


def steps(plan: PlanSource, name: str, date: int) -> list[int]:
    """Lower ends of tiers or bands on a day."""
    found = value_on(plan.values.get(name, ()), date)
    return [0] if found is None else [int(low) for low in found.value if low < NO_LIMIT]


def cells(pack: Pack, plan: PlanSource, value: DatedValue, date: int) -> list[Cell]:
    """Return the cells of a value that mean something in this pack, in order."""
    if value.name == "cross_region":
        return list(_cross_cells(value))
    if value.name == "rate_derived":
        return [_derived_cell(pack, entry) for entry in value.value]
    key = KEY[value.name]
    if key.name in (*STEPS.values(), "age_from_years"):
        return [Cell((), " / ".join(unit_text(key.unit, int(low)) for low in value.value if low != key.default))]
    axes = [_axis(pack, plan, key, axis, date) for axis in key.axes]
    listed = axes.pop() if key.axes and key.axes[-1] in LISTED_AXES else [(None, "", "")]
    found = []
    for index in np.ndindex(*(len(axis) for axis in axes)):
        parts = [axis[position] for axis, position in zip(axes, index, strict=True)]
        at = tuple(part[0] for part in parts)
        row = [int(value.value[at if step[0] is None else (*at, step[0])]) for step in listed]
        text = " / ".join(value_text(key, number) for number in row)
        if set(row) == {UNDEFINED}:
            text = value_text(key, UNDEFINED)
        neutral = set(row) == {key.default} and key.default != UNDEFINED
        found.append(Cell(tuple((part[2], part[1]) for part in parts), text, neutral))
    return found


def _axis(pack: Pack, plan: PlanSource, key: Key, axis: str, date: int) -> list[tuple[int, str, str]]:
    """(position, English, Chinese) of the cells of an axis that are in use."""
    if axis == "group":
        return [(n, pack.person_groups[n].id, pack.person_groups[n].name_zh) for n in groups_of(pack, plan.scheme)]
    if axis == "level":
        return [(n, level.id, level.name_zh) for n, level in enumerate(pack.levels)]
    if axis == "category":
        named = [(n, entry.id, entry.name_zh) for n, entry in enumerate(pack.assistance, 1)]
        return [(0, "ordinary", "普通人员"), *named]
    if axis in STEPS:
        lows = steps(plan, STEPS[axis], date)
        return [(n, f"from {unit_text('yuan', low)}", f"{unit_text('yuan', low)}元以上") for n, low in enumerate(lows)]
    if axis == "maternity":
        return [(number, name, f"生育类别{number}") for name, number in MATERNITY_TYPES.items()]
    if axis == "age":
        lows = [int(low) for low in value_or_blank(plan, "age_from_years", date) if low <= 150]
        return [(n, f"from age {low}", f"{low}岁起") for n, low in enumerate(lows)]
    return [
        (n, f"stay {n + 1}" + ("+" if n == 3 else ""), f"第{n + 1}次" + ("及以后" if n == 3 else "")) for n in range(4)
    ]


def value_or_blank(plan: PlanSource, name: str, date: int) -> np.ndarray:
    """Cells of a key on a day, or those of a plan that does not name it."""
    found = value_on(plan.values.get(name, ()), date)
    return KEY[name].blank() if found is None else found.value


def _cross_cells(value: DatedValue) -> Iterator[Cell]:
    """One cell for each place, filing and channel that has a rule, with everything it changes."""
    tables = {name: value.value[field_of(f"cross_{name}")] for name in CROSS_FIELDS}
    told_apart = any((table[..., 0] != table[..., 1])[:, : Filing.NOT_DIRECT].any() for table in tables.values())
    for place, filing, channel in product(Place, Filing, Channel):
        if tables["defined"][place, filing, channel] and (told_apart or channel == Channel.COUNTER):
            if filing == Filing.NOT_DIRECT and channel == Channel.DIRECT:
                continue  # no claim is so
            texts = []
            for name, (unit, default) in list(CROSS_FIELDS.items())[1:]:
                number = int(tables[name][place, filing, channel])
                if number != default:
                    en, zh = CROSS_NAMES[name]
                    texts.append(f"{zh} {en} {unit_text(unit, number)}")
            names = [(PLACE_ZH[place], choice_name(place)), (FILING_ZH[filing], choice_name(filing))]
            if told_apart:
                names.append((CHANNEL_ZH[channel], choice_name(channel)))
            yield Cell(tuple(names), "; ".join(texts) or "as local care 同本地")


def _derived_cell(pack: Pack, entry: tuple[int, int, str, int]) -> Cell:
    group, of_group, form, ppm = entry
    names = [(group.name_zh, group.id) for group in pack.person_groups]
    if form == "plus_points":
        text = f"{names[of_group][0]} + {unit_text('points', ppm)}"
    else:
        text = (
            f"自付比例为{names[of_group][0]}的 {unit_text('percent', ppm)} (own share of that of {names[of_group][1]})"
        )
    return Cell((names[group],), text)


def care_names(plan: PlanSource) -> str:
    """Kinds of care of a plan, in Chinese."""
    return "、".join(CARE_KIND_ZH.get(kind, "") for kind in plan.care if kind is not CareKind.UNKNOWN)


def whom(same: list[Cell], every: list[Cell]) -> str:
    """Names of some cells of a table; an axis on which all are meant is left out, empty: everybody."""
    if len(same) == len(every):
        return ""
    return "; ".join(_factored([cell.names for cell in same], [cell.names for cell in every]))


def _factored(names: list[tuple[Any, ...]], every: list[tuple[Any, ...]]) -> list[str]:
    """Names of cells as products of axes where they are one, else one part for each name of the first axis."""
    if not names or not names[0]:
        return [""]
    chosen = [list(dict.fromkeys(name[axis] for name in names)) for axis in range(len(names[0]))]
    full = [set(name[axis] for name in every) for axis in range(len(names[0]))]
    size = 1
    for part in chosen:
        size *= len(part)
    if size == len(set(names)):
        parts = [_joined(part) for part, whole in zip(chosen, full, strict=True) if set(part) != whole]
        return [" · ".join(parts)]
    by_rest: dict[tuple[Any, ...], list[Any]] = {}
    for first in chosen[0]:
        rest = tuple(name[1:] for name in names if name[0] == first)
        by_rest.setdefault(rest, []).append(first)
    rest_every = [name[1:] for name in every]
    found = []
    for rest, firsts in by_rest.items():
        for text in _factored(list(rest), rest_every):
            lead = "" if set(firsts) == full[0] else _joined(firsts)
            found.append(" · ".join(part for part in (lead, text) if part))
    return found


def _joined(names: list[tuple[str, str]]) -> str:
    return "、".join(zh for zh, _ in names) + " (" + ", ".join(en for _, en in names) + ")"


def grouped(found: list[Cell]) -> list[tuple[str, str]]:
    """(whom it is for, value): cells of one value joined; cells that have no effect are left out."""
    by_text: dict[str, list[Cell]] = {}
    for cell in found:
        by_text.setdefault(cell.text, []).append(cell)
    alone = len(by_text) == 1
    return [(whom(same, found), text) for text, same in by_text.items() if alone or not same[0].neutral]
