"""What is most often a slip of the person who wrote a pack, and thresholds that are out of order.

A doubt is a warning: the value may be right, a person should look. A threshold that makes another one meaningless is a
fault. Each names the place, what is odd, and what to do, in both languages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from adjudicator.benefit.plan.cells import unit_text
from adjudicator.benefit.plan.compile import compile_plans
from adjudicator.benefit.plan.keys import KEY, LISTED_AXES, MATERNITY_TYPES, NO_LIMIT, Key
from adjudicator.benefit.plan.source import PlanSource
from adjudicator.dates import iso
from adjudicator.options import choice_name
from adjudicator.rulefile.dated import DatedValue, value_on
from adjudicator.rulefile.faults import Fault, Faults, Weight
from adjudicator.rulefile.pack import Pack
from adjudicator.rulefile.reader import read_csv, read_toml
from adjudicator.rules.blocks import FILES, ShownBlock, every_block

JUMP = 3
"""A value that grows or shrinks by more than this factor from one block to the next is doubted."""
NO_RATES = ("limit_percent", "limit_class_percent", "pot_percent")
"""Percent that are small: the share of cases that are reviewed, the part of spending that an assessment divides."""
RATIO_FILES = ("ratio.csv", "ratio_rule.csv")
"""Documents do have a first pay of 1 percent, so only less is doubted in them."""
CATALOGUE_FILE = "catalogue/catalogue.toml"

ORDERED = (
    ("deductible_yuan", "deductible_year_ceiling_yuan"),
    ("deductible_yuan", "deductible_level_ceiling_yuan"),
    ("deductible_yuan", "cap_yuan"),
    ("deductible_signed_yuan", "deductible_yuan"),
    ("limit_yuan", "limit_signed_yuan"),
    ("assistance_outpatient_cap_yuan", "assistance_cap_yuan"),
)
"""The first amount is never above the second."""


def check_doubts(pack: Pack, today: int) -> Iterator[Fault]:
    """Yield the doubts of a pack and its thresholds out of order; ``today`` YYYYMMDD."""
    files = {**pack.sources, **{file: read_toml(pack.folder / file, file, Faults()) or {} for file in FILES}}
    if (pack.folder / CATALOGUE_FILE).is_file():
        files[CATALOGUE_FILE] = read_toml(pack.folder / CATALOGUE_FILE, CATALOGUE_FILE, Faults()) or {}
    for file, raw in files.items():
        for path, key, value in _leaves(raw, ""):
            yield from _fraction(file, path, key, value)
            yield from _future(file, path, key, value, today)
    yield from _fractions_of_ratios(pack)
    yield from _thresholds(pack)
    yield from _levels_in_order(pack)
    for plan in pack.plans:
        for values in plan.values.values():
            for former, latter in pairwise(values):
                if latter.name != "deductible_yuan" or _same_counting(plan, former, latter):
                    yield from _jump(pack, former, latter)
                yield from _lost(pack, plan, former, latter)
    yield from _payment_blocks(pack)


def _warning(file: str, key: str, en: tuple[str, str], zh: tuple[str, str]) -> Fault:
    return Fault(file, key, *en, message_zh=zh[0], remedy_zh=zh[1], weight=Weight.WARNING)


def _leaves(raw: Any, path: str, key: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield path, key and value of every single value; ``key`` is the last name that is written with a value."""
    if isinstance(raw, Mapping):
        for name, value in raw.items():
            inside = key if key.endswith("_percent") else str(name)
            yield from _leaves(value, f"{path}.{name}" if path else str(name), inside)
    elif isinstance(raw, list):
        for number, value in enumerate(raw):
            yield from _leaves(value, f"{path}[{number}]", key)
    else:
        yield path, key, raw


# -------------------------------------------------------------------- single values


def _fraction(file: str, path: str, key: str, value: Any) -> Iterator[Fault]:
    if key.endswith("_percent") and key not in NO_RATES and isinstance(value, int | Decimal) and 0 < value <= 1:
        whole = format((Decimal(value) * 100).normalize(), "f")
        yield _warning(
            file, path, (f"{value} percent is hardly anything", f"write {whole} for {whole} percent"),
            (f"{value} 表示百分之 {value}，疑为小数写法", f"百分之 {whole} 请写 {whole}"),
        )  # fmt: skip


def _future(file: str, path: str, key: str, value: Any, today: int) -> Iterator[Fault]:
    if key == "checked_on" and str(value).replace("-", "")[:8] > str(today):
        yield _warning(
            file, path, (f"{value} is after today, {iso(today)}", "write the day on which a person compared the value"),
            (f"{value} 晚于今日 {iso(today)}", "请填写实际核对日期"),
        )  # fmt: skip


def _fractions_of_ratios(pack: Pack) -> Iterator[Fault]:
    for folder in (pack.folder, *pack.includes):
        for name in RATIO_FILES:
            table = read_csv(folder / "catalogue", name, Faults()) if (folder / "catalogue" / name).is_file() else None
            cells = [(line.where.key, line.cells.get("first_pay_percent", "")) for line in table.lines] if table else []
            small = [(where, text) for where, text in cells if 0 < (_number(text) or 0) < 1]
            if small:
                yield _warning(
                    f"catalogue/{name}", small[0][0],
                    (f"first_pay_percent {small[0][1]} is hardly anything ({len(small)} rows)", "write 10 for 10 %"),
                    (f"first_pay_percent {small[0][1]} 疑为小数写法（共 {len(small)} 行）", "百分之十请写 10"),
                )  # fmt: skip


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


# -------------------------------------------------------------------- thresholds


def _thresholds(pack: Pack) -> Iterator[Fault]:
    for version, row in _versions(pack):
        for low, high in ORDERED:
            lower, upper = (KEY[name] for name in (low, high))
            if low not in version.values or high not in version.values:
                continue
            source = version.values[low].source
            axes = tuple(axis for axis in dict.fromkeys((*lower.axes, *upper.axes)) if axis not in LISTED_AXES)
            for at in _places(pack, version.plan, axes):
                first, second = (
                    int(row[key.field][tuple(at.get(axis, 0) for axis in key.axes)]) for key in (lower, upper)
                )
                if second >= 0 and NO_LIMIT > first > second:
                    whom, whom_zh = _named(pack, at, "en"), _named(pack, at, "zh")
                    amounts = unit_text("yuan", first), unit_text("yuan", second)
                    yield Fault(
                        source.file, f"{source.key}.{low}",
                        f"{whom}{low} {amounts[0]} is above {high} {amounts[1]} from {iso(version.from_date)}",
                        "correct one of them",
                        message_zh=f"{whom_zh}{lower.zh} {amounts[0]} 高于{upper.zh} {amounts[1]}",
                        remedy_zh="请更正其中之一",
                    )  # fmt: skip
                    break
        least, most = row["cross_deductible_at_least_fen"], row["cross_deductible_at_most_fen"]
        if (least > most).any():
            source = version.values["cross_region"].source
            yield Fault(
                source.file, f"{source.key}.cross_region",
                "deductible_at_least_yuan is above deductible_at_most_yuan", "swap them",
                message_zh="异地起付线下限高于上限", remedy_zh="请对调",
            )  # fmt: skip


def _levels_in_order(pack: Pack) -> Iterator[Fault]:
    """Yield where a higher hospital, by its national level, has a lower deductible than a lower one."""
    ranked = sorted((min(level.hosp_lv), number) for number, level in enumerate(pack.levels) if level.hosp_lv)
    for version, row in _versions(pack):
        if "deductible_yuan" not in version.values:
            continue
        source = version.values["deductible_yuan"].source
        for at in _places(pack, version.plan, ("group",)):
            amounts = row["deductible_fen"][at["group"]]
            wrong = [
                (high, low) for (_, high), (_, low) in combinations(ranked, 2) if 0 <= amounts[high] < amounts[low]
            ]
            if wrong:
                (high, text), (low, other) = (
                    (pack.levels[number], unit_text("yuan", int(amounts[number]))) for number in wrong[0]
                )
                whom, whom_zh = _named(pack, at, "en"), _named(pack, at, "zh")
                yield _warning(
                    source.file, f"{source.key}.deductible_yuan",
                    (f"{whom}{high.id} {text} is below {low.id} {other}, a lower hospital", "check the order"),
                    (f"{whom_zh}{high.name_zh} {text} 低于级别更低的{low.name_zh} {other}", "请核对级别顺序"),
                )  # fmt: skip
                break


def _versions(pack: Pack) -> Iterator[tuple[Any, np.void]]:
    plans = compile_plans([pack])
    yield from zip(plans.versions, plans.rows, strict=True)


def _places(pack: Pack, plan: PlanSource, axes: Sequence[str]) -> Iterator[dict[str, int]]:
    """Yield the cells of some axes that a claim of the plan can need."""
    groups = [n for n, group in enumerate(pack.person_groups) if group.scheme == choice_name(plan.scheme)]
    length = {"level": range(len(pack.levels)), "category": range(len(pack.assistance_ids)), "group": groups}
    found: list[dict[str, int]] = [{}]
    for axis in axes:
        found = [{**at, axis: n} for at in found for n in length[axis]]
    yield from found


def _named(pack: Pack, at: Mapping[str, int], language: str) -> str:
    """Return the names of a cell and a blank, nothing for a value without axes."""
    words = []
    for axis, number in at.items():
        if axis in LISTED_AXES:
            words.append(f"{axis} {number + 1}" if language == "en" else f"第 {number + 1} 段")
        elif axis == "maternity":
            name = next((name for name, n in MATERNITY_TYPES.items() if n == number), str(number))
            words.append(name if language == "en" else f"生育类别 {number}")
        elif axis == "category" and number == 0:
            words.append("ordinary" if language == "en" else "普通人员")
        else:
            entries: Sequence[Any] = {"group": pack.person_groups, "level": pack.levels, "category": pack.assistance}[
                axis
            ]
            entry = entries[number - (axis == "category")]
            words.append(entry.id if language == "en" else entry.name_zh)
    return (" ".join(words) + " ") if words else ""


# -------------------------------------------------------------------- from one block to the next


def _same_counting(plan: PlanSource, former: DatedValue, latter: DatedValue) -> bool:
    """Return whether two deductibles are counted alike: one of a visit and one of a year cannot be compared."""
    values = plan.values.get("deductible_counting", ())
    one, other = (value_on(values, value.source.from_date) for value in (former, latter))
    return one is None or other is None or int(one.value) == int(other.value)


def _is_jump(old: Any, new: Any) -> bool:
    return bool(old > 0 and new > 0 and max(old, new) > JUMP * min(old, new))


def _jump(pack: Pack, former: DatedValue, latter: DatedValue) -> Iterator[Fault]:
    key = KEY.get(latter.name)
    if key is None or key.unit not in ("yuan", "percent", "points", "days"):
        return
    limits = {"group": len(pack.person_groups), "level": len(pack.levels), "category": len(pack.assistance_ids)}
    for at, new in np.ndenumerate(latter.value):
        old, inside = former.value[at], all(n < limits.get(axis, n + 1) for axis, n in zip(key.axes, at, strict=True))
        if inside and max(old, new) < NO_LIMIT and _is_jump(old, new):
            texts = unit_text(key.unit, int(old)), unit_text(key.unit, int(new))
            where = dict(zip(key.axes, at, strict=True))
            yield _jumped(latter, texts, (_named(pack, where, "en"), _named(pack, where, "zh")), key)
            return


def _jumped(latter: DatedValue, texts: tuple[str, str], whom: tuple[str, str], key: Key) -> Fault:
    source, (old, new) = latter.source, texts
    day = iso(source.from_date)
    return _warning(
        source.file, f"{source.key}.{latter.name}",
        (f"{whom[0]}{old} becomes {new} on {day}, more than {JUMP} times apart", "check the number and its unit"),
        (f"{whom[1]}{key.zh} {day} 由 {old} 变为 {new}，相差 {JUMP} 倍以上", "请核对数值与单位"),
    )  # fmt: skip


def _lost(pack: Pack, plan: PlanSource, former: DatedValue, latter: DatedValue) -> Iterator[Fault]:
    """Yield the names of levels, groups and categories that the former block gives a value and the latter does not."""
    key = KEY.get(latter.name)
    names = _lost_names(_written(pack, former), _written(pack, latter), pack)
    if key is not None and names:
        source, listed = latter.source, ", ".join(names)
        yield _warning(
            source.file, f"{source.key}.{latter.name}",
            (f"has no value for {listed} any more, from {iso(source.from_date)}", "add it, or write what holds now"),
            (f"自 {iso(source.from_date)} 起不再有 {listed} 的{key.zh}", "请补充，或写明现行规定"),
        )  # fmt: skip


def _written(pack: Pack, value: DatedValue) -> Any:
    """Return a value as it stands in its file."""
    raw: Any = pack.sources.get(value.source.file)
    for part in f"{value.source.key}.{value.name}".split("."):
        name, _, number = part.rstrip("]").partition("[")
        raw = raw.get(name) if isinstance(raw, Mapping) else None
        raw = raw[int(number)] if number and isinstance(raw, list) else raw
    return raw


def _lost_names(former: Any, latter: Any, pack: Pack) -> list[str]:
    """Return the names of one axis that only the former block has; of two different axes nothing."""
    if not isinstance(former, Mapping) or not isinstance(latter, Mapping):
        return []
    axes = (
        pack.group_ids,
        pack.level_ids,
        ("ordinary", *pack.assistance_ids),
        tuple(MATERNITY_TYPES),
        pack.payment_classes,
    )
    same = any(set(former) & set(axis) and set(latter) & set(axis) for axis in axes)
    if not same or "ordinary" in latter:  # a category that is not named takes the value of ordinary persons
        return []
    lost = [name for name in former if name not in latter]
    for name, value in former.items():
        lost += [f"{name} {inside}" for inside in _lost_names(value, latter.get(name), pack)]
    return lost


def _payment_blocks(pack: Pack) -> Iterator[Fault]:
    """Yield the jumps and the lost classes of the dated tables of payment and pooling."""
    series: dict[tuple[str, str], list[ShownBlock]] = {}
    for block in every_block(pack):
        series.setdefault((block.file, block.label), []).append(block)
    for blocks in series.values():
        for former, latter in pairwise(sorted(blocks, key=lambda block: block.from_date)):
            yield from _between(former, latter, {*pack.level_ids, *pack.payment_classes})


def _between(former: ShownBlock, latter: ShownBlock, names: set[str]) -> Iterator[Fault]:
    old, new, day = dict(former.values), dict(latter.values), latter.from_date
    for key, text in new.items():
        before, after = (_number(value) for value in (old.get(key, ""), text))
        if before is not None and after is not None and _is_jump(before, after):
            yield _warning(
                latter.file, f"{latter.label} {key}",
                (f"{before} becomes {after} on {day}, more than {JUMP} times apart", "check the number and its unit"),
                (f"{day} 由 {before} 变为 {after}，相差 {JUMP} 倍以上", "请核对数值与单位"),
            )  # fmt: skip
    lost = ", ".join(key for key in old if key not in new and key.rpartition(".")[2] in names)
    if lost:
        yield _warning(
            latter.file, latter.label,
            (f"has no value for {lost} any more, from {day}", "add it, or write what holds now"),
            (f"自 {day} 起不再有 {lost}", "请补充，或写明现行规定"),
        )  # fmt: skip
