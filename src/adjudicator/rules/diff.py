"""What changes between two sets of rules, as a benefit officer would explain it: old, new, for whom, why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adjudicator.benefit.plan.cells import Cell, cells, key_names, unit_text, whom
from adjudicator.benefit.plan.keys import KEY, SPECIAL_KEYS
from adjudicator.benefit.plan.source import PlanSource
from adjudicator.dates import iso
from adjudicator.rulefile.dated import DatedValue, value_on
from adjudicator.rulefile.pack import NO_DEDUCTIBLE, Pack
from adjudicator.rules.blocks import TABLES_ZH, ShownBlock, blocks_on, rows_of
from adjudicator.rules.show import plans_on


@dataclass(frozen=True, slots=True)
class Change:
    """One change: ``old`` or ``new`` is empty where the rule has no such value."""

    plan: str
    plan_en: str
    plan_zh: str
    key: str
    en: str
    zh: str
    whom: str
    """For whom, empty: for everybody."""
    old: str
    new: str
    document: str
    from_date: str
    evidence: str
    """Grade of the evidence of the new value; empty where a change has no document."""


def diff_packs(old: Pack, old_date: int, new: Pack, new_date: int) -> list[Change]:
    """Return every change of a plan, a value, a disease quota, a programme and a table of payment or pooling."""
    before, after = plans_on(old, old_date), plans_on(new, new_date)
    changes: list[Change] = []
    for name, plan in after.items():
        if name not in before:
            first = next((dated[0].source for dated in plan.values.values()), None)
            document = first.document if first else plan.undefined
            changes.append(
                _whole(
                    plan, "", "new plan 新增方案", document, iso(plan.from_date), str(first.evidence) if first else ""
                )
            )
        else:
            changes += _plan_changes(old, before[name], old_date, new, plan, new_date)
    for name, plan in before.items():
        if name not in after:
            changes.append(_whole(plan, "plan 原方案", "", "", iso(plan.to_date), ""))
    changes += _disease_changes(old, old_date, new, new_date) + _programme_changes(old, old_date, new, new_date)
    changes += _block_changes(old, old_date, new, new_date)
    return changes + (_register_changes(old, old_date, new, new_date) if old.id == new.id else [])


def _whole(plan: PlanSource, old: str, new: str, document: str, day: str, evidence: str) -> Change:
    what = ("the whole plan", "整个方案")
    return Change(plan.id, plan.name, plan.name_zh, "", *what, "", old, new, document, day, evidence)


def _plan_changes(
    old: Pack, before: PlanSource, old_date: int, new: Pack, after: PlanSource, new_date: int
) -> list[Change]:
    """Return the changes of one plan's values between two days."""
    changes: list[Change] = []
    for name in (*KEY, *SPECIAL_KEYS):
        was, now = value_on(before.values.get(name, ()), old_date), value_on(after.values.get(name, ()), new_date)
        if was is None and now is None:
            continue
        old_cells = [] if was is None else cells(old, before, was, old_date)
        new_cells = [] if now is None else cells(new, after, now, new_date)
        for affected, from_text, to_text in _different(old_cells, new_cells):
            source = now.source if now else was.source if was else None
            assert source is not None
            changes.append(
                Change(
                    after.id, after.name, after.name_zh, name, *key_names(name), affected, from_text, to_text,
                    source.document if now else "", iso(source.from_date) if now else iso(new_date), source.evidence,
                )
            )  # fmt: skip
    return changes


def _different(old: list[Cell], new: list[Cell]) -> list[tuple[str, str, str]]:
    """(whom, old, new), cells with the same change joined; a value that is not written counts as its neutral one."""
    was, now = {cell.names: cell for cell in old}, {cell.names: cell for cell in new}
    every = list((now | was).values()) if len(now) >= len(was) else list((was | now).values())
    pairs: dict[tuple[str, str], list[Cell]] = {}
    for cell in every:
        before, after = was.get(cell.names), now.get(cell.names)
        if (before is None or before.neutral) and (after is None or after.neutral):
            continue
        texts = (before.text if before else "", after.text if after else "")
        if texts[0] != texts[1]:
            pairs.setdefault(texts, []).append(cell)
    return [(whom(same, every), before, after) for (before, after), same in pairs.items()]


DISEASE_WORDS = {
    "quota": ("quota", "病种限额"), "fixed_price": ("fixed price", "病种定价"),
    "stay": ("a long stay charges again after", "长期住院重新计起付线天数"),
}  # fmt: skip


def _disease_text(value: DatedValue) -> str:
    """Return a value of a disease in words."""
    number: int = value.value[2]
    if value.name != "stay":
        return unit_text("yuan", number)
    return "no deductible 不设起付线" if number == NO_DEDUCTIBLE else unit_text("days", number)


def _disease_changes(old: Pack, old_date: int, new: Pack, new_date: int) -> list[Change]:
    def on(pack: Pack, date: int) -> dict[tuple[Any, ...], tuple[str, str, DatedValue]]:
        listed = [
            *((one.code, one.name, one.name_zh, (*one.quotas, *one.fixed_prices, *one.stays)) for one in pack.diseases),
            *((one.id, one.name, one.name_zh, one.stays) for one in pack.wards),
        ]
        return {
            (id, value.name, (*value.value[:2], value.value[3])): (name, name_zh, value)
            for id, name, name_zh, values in listed
            for value in values
            if value.source.from_date <= date <= value.source.to_date
        }

    before, after, changes = on(old, old_date), on(new, new_date), []
    for key in dict.fromkeys([*after, *before]):
        was, now = (_disease_text(found[key][2]) if key in found else "" for found in (before, after))
        if was != now:
            en, zh, value = after.get(key) or before[key]
            what = DISEASE_WORDS[key[1]]
            source = value.source
            changes.append(
                Change(
                    key[0],
                    en,
                    zh,
                    key[1],
                    *what,
                    "",
                    was,
                    now,
                    source.document,
                    iso(source.from_date),
                    source.evidence,
                )
            )
    return changes


def _programme_changes(old: Pack, old_date: int, new: Pack, new_date: int) -> list[Change]:
    def on(pack: Pack, date: int) -> dict[str, Any]:
        return {p.id: p for p in pack.programmes if p.source.from_date <= date <= p.source.to_date}

    before, after, changes = on(old, old_date), on(new, new_date), []
    for name in dict.fromkeys([*after, *before]):
        if (name in before) != (name in after):
            programme = after.get(name) or before[name]
            state = ("", "runs 实施") if name in after else ("runs 实施", "ended 结束")
            day = programme.source.from_date if name in after else programme.source.to_date
            changes.append(
                Change(
                    name, programme.name, programme.name_zh, "programme", "programme", "专项保障", "", *state,
                    programme.source.document, iso(day), programme.source.evidence,
                )
            )  # fmt: skip
    return changes


def _block_changes(old: Pack, old_date: int, new: Pack, new_date: int) -> list[Change]:
    """Return what changes in the tables of payment and pooling, key by key, as written."""
    before, after = blocks_on(old, old_date), blocks_on(new, new_date)
    changes: list[Change] = []
    for identity in dict.fromkeys([*after, *before]):
        was, now = before.get(identity), after.get(identity)
        shown = now or was
        assert shown is not None
        document, day, evidence = (shown.document, shown.from_date, shown.evidence) if now else ("", iso(new_date), "")
        texts = (
            [("table", "", "new table 新增")] if was is None else [("table", "table 原表", "")] if now is None else []
        )
        if was is not None and now is not None:
            texts = [*_different_values(was, now), *_different_rows(old, was, new, now)]
        name = (f"{shown.file} {shown.label}", shown.label, TABLES_ZH.get(shown.table, ""))
        for key, former, latter in texts:
            changes.append(Change(*name, key, key, "", "", former, latter, document, day, evidence))
    return changes


def _different_values(was: ShownBlock, now: ShownBlock) -> list[tuple[str, str, str]]:
    """Return (key, old, new) of the values that two tables do not share."""
    before, after = dict(was.values), dict(now.values)
    keys = dict.fromkeys([*after, *before])
    pairs = [(key, before.get(key, ""), after.get(key, "")) for key in keys]
    return [(key, former, latter) for key, former, latter in pairs if former != latter]


def _different_rows(old: Pack, was: ShownBlock, new: Pack, now: ShownBlock) -> list[tuple[str, str, str]]:
    """Return (file, rows that went, rows that came) of each CSV file that both tables name."""
    if old is new:
        return []
    found = []
    for key, file in now.values:
        if key.rpartition(".")[2] == "file" and dict(was.values).get(key) == file:
            before, after = rows_of(old, file), rows_of(new, file)
            if before != after:
                went, came = len(before - after), len(after - before)
                found.append((file, f"{went} row(s) 行", f"{came} other row(s) 行"))
    return found


def _register_changes(old: Pack, old_date: int, new: Pack, new_date: int) -> list[Change]:
    """Counties and institutions that came, went or changed level or class, between two states or days of a pack."""
    changes, day = [], iso(new_date)

    def add(code: str, en: str, zh: str, key: str, what: tuple[str, str], was: str, now: str) -> None:
        if was != now:
            changes.append(Change(code, en, zh, key, *what, "", was, now, "", day, ""))

    was_area, now_area = ({area.code: area for area in pack.areas} for pack in (old, new))
    for number in dict.fromkeys([*now_area, *was_area]):
        area = now_area.get(number) or was_area[number]
        states = ("yes 是" if number in was_area else "", "yes 是" if number in now_area else "")
        add(str(number), area.name, area.name_zh, "area", ("county of the pool", "统筹区县区"), *states)
    was_hospital, now_hospital = old.register_on(old_date), new.register_on(new_date)
    for code in dict.fromkeys([*now_hospital, *was_hospital]):
        name = (now_hospital.get(code) or was_hospital[code]).name
        for key, what in (
            ("deductible_level", ("level group", "起付线医院等级")),
            ("price_level", ("price level", "限价医院等级")),
        ):
            texts = [
                pack.levels[getattr(register[code], key)].name_zh if code in register else ""
                for pack, register in ((old, was_hospital), (new, now_hospital))
            ]
            add(code, name, name, key, what, *texts)
        classes = [
            register[code].payment_class if code in register else "" for register in (was_hospital, now_hospital)
        ]
        add(code, name, name, "payment_class", ("payment class", "付费等级"), *classes)
    return changes


def joined(changes: list[Change]) -> list[tuple[list[Change], list[Change]]]:
    """Change that several plans share are told once: (one change for each plan concerned, the changes)."""
    by_change: dict[tuple[Any, ...], list[Change]] = {}
    for change in changes:
        what = (change.key, change.whom, change.old, change.new, change.document, change.from_date, change.evidence)
        by_change.setdefault(what, []).append(change)
    by_plans: dict[tuple[str, ...], tuple[list[Change], list[Change]]] = {}
    for same in by_change.values():
        plans = tuple(change.plan for change in same)
        by_plans.setdefault(plans, (same, []))[1].append(same[0])
    order = {change.plan: position for position, change in reversed(list(enumerate(changes)))}
    return sorted(by_plans.values(), key=lambda entry: (order[entry[0][0].plan], -len(entry[0])))
