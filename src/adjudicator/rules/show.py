"""What a pack says on a day: every plan, every value, with its document."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from adjudicator.benefit.plan.cells import care_names, cells, grouped, key_names
from adjudicator.benefit.plan.keys import KEY
from adjudicator.benefit.plan.source import PlanSource
from adjudicator.codes import SCHEME_ZH
from adjudicator.dates import iso
from adjudicator.rulefile.dated import value_on
from adjudicator.rulefile.pack import Pack
from adjudicator.rules.shown import Shown


@dataclass(frozen=True, slots=True)
class ShownValue(Shown):
    """One value of a plan on a day; ``values`` (whom it is for, value), no names where it holds for everybody."""

    key: str
    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class ShownPlan:
    """One plan on a day."""

    id: str
    en: str
    zh: str
    scheme_zh: str
    care_zh: str
    undefined: str
    values: tuple[ShownValue, ...]


def plans_on(pack: Pack, date: int) -> dict[str, PlanSource]:
    """Plans that hold on a day, by id."""
    return {plan.id: plan for plan in pack.plans if plan.from_date <= date <= plan.to_date}


def show_pack(pack: Pack, date: int) -> tuple[ShownPlan, ...]:
    """Every plan of a pack on a day."""
    return tuple(show_plan(pack, plan, date) for plan in plans_on(pack, date).values())


def show_plan(pack: Pack, plan: PlanSource, date: int) -> ShownPlan:
    """One plan on a day; values in the order of the cascade."""
    values = []
    for name in [key for key in (*KEY, "cross_region", "rate_derived") if key in plan.values]:
        value = value_on(plan.values[name], date)
        if value is None:
            continue
        source = value.source
        texts = grouped(cells(pack, plan, value, date))
        values.append(
            ShownValue(
                name, *key_names(name), values=tuple(texts), from_date=iso(source.from_date),
                to_date=iso(source.to_date), document=source.document, clause=source.clause, link=source.link,
                checked_on=iso(source.checked_on) if source.checked_on else "", evidence=source.evidence,
            )
        )  # fmt: skip
    zh = SCHEME_ZH.get(plan.scheme, "")
    undefined = " ".join(filter(None, (plan.undefined_zh, plan.undefined)))
    return ShownPlan(plan.id, plan.name, plan.name_zh, zh, care_names(plan), undefined, tuple(values))


def as_data(shown: Any) -> Any:
    """Return the same as plain data, for JSON."""
    return [asdict(one) for one in shown]
