"""The proof that a pack has exactly one rule for each claim, from its first day to the end of 2030.

Claims are told apart by scheme and person class, kind of care, place with filing and channel of settlement, hospital
level, maternity class and day. A rule is a plan with the values that a settlement cannot do without: a rate or a
quota, and a deductible where one is charged. Claims without a rule are faults unless a plan is marked ``undefined`` or
``[[not_covered]]`` of pack.toml declares them; a kind of care that no plan of a scheme ever has is a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from adjudicator.benefit.plan.compile import compile_plans
from adjudicator.benefit.plan.keys import MATERNITY_TYPES, NO_LIMIT
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
    Place,
    Scheme,
)
from adjudicator.dates import day_before, iso, next_day
from adjudicator.limits import MAX_CONTRIBUTION_TIERS
from adjudicator.options import DeductibleCounting, QuotaMode, choice_name
from adjudicator.rulefile.faults import Fault, Weight
from adjudicator.rulefile.pack import NotCovered, Pack
from adjudicator.rulefile.proof import Dimension, Label, dimension_of, holes, kinds_of_claims, words_of
from adjudicator.rules.pack_codes import PACK_FILE

PROVED_UNTIL = 20_301_231
MOST_HOLES = 20
"""So many holes of a pack are told."""
CLASSES = {Scheme.EMPLOYEE: ("11", "12"), Scheme.RESIDENT: ("14", "15", "16")}
"""Person types that a scheme always has; a pack's groups may name others."""
Way = tuple[Place, Filing, Channel]
WHERE: list[Way] = [
    *((Place.LOCAL, Filing.UNSPECIFIED, channel) for channel in Channel),
    *(
        way
        for way in product((Place.PROVINCE, Place.OUTSIDE), list(Filing)[1:], Channel)
        if way[1:] != (Filing.NOT_DIRECT, Channel.DIRECT)
    ),
]
"""Where care is given and how it is settled; elsewhere a claim without a filing counts as not filed."""
CHANNEL_EN = {Channel.DIRECT: "settled directly", Channel.COUNTER: "at the counter"}
MATERNITY = {number: name for name, number in MATERNITY_TYPES.items()}


class Person(NamedTuple):
    """Persons that no person group tells apart."""

    scheme: Scheme
    person_type: str
    tier: int
    group: int
    """Position in the pack's groups, -1 none."""


class Claims(NamedTuple):
    """What a rule accepts on each dimension; None is everything."""

    persons: frozenset[Person] | None
    care: frozenset[int] | None
    where: frozenset[Way] | None
    levels: frozenset[int] | None
    maternity: frozenset[int] | None
    days: range


class Rule(NamedTuple):
    """A part of a plan with all that a settlement needs, or a declaration that there is none."""

    claims: Claims
    plan: Any = None
    """PlanSource; None for what is declared or left to a note."""
    declared: NotCovered | None = None


def check_coverage(pack: Pack) -> list[Fault]:
    """Return what is wrong: holes, declarations without a hole, plans that nobody can reach, and notes."""
    if not pack.plans:
        return []
    first = min(plan.from_date for plan in pack.plans)
    persons, cares = list(_persons(pack)), sorted(set(pack.care_types.values()))
    rules = [*_plan_rules(pack, persons), *_declared(pack, persons), *_never(pack, persons, cares)]
    dimensions = _dimensions(pack, rules, persons, cares, first)
    found = [*_unreachable(pack, cares), *_idle(rules, dimensions), *_notes(pack, cares)]
    for number, (_, box) in enumerate(holes(len(rules), dimensions)):
        if number == MOST_HOLES:
            break
        found.append(_hole(words_of(box, dimensions, "en"), words_of(box, dimensions, "zh")))
    return found


# -------------------------------------------------------------------- what there is


def _persons(pack: Pack) -> Iterator[Person]:
    """Yield the persons of the pack's schemes, each with its group; tiers up to the highest that a group names."""
    for scheme in sorted(pack.schemes):
        groups = [(n, group) for n, group in enumerate(pack.person_groups) if group.scheme == choice_name(scheme)]
        named = {code for _, group in groups for code in group.person_types}
        families = {code[:2] for code in named} | set(CLASSES.get(scheme, ()))
        tiers = range(1 + max((tier for _, group in groups for tier in group.contribution_tiers), default=0))
        for code in PERSON_TYPES[1:]:
            if code[:2] in families and (len(code) == len("11") or code in named):
                for tier in tiers:
                    yield Person(scheme, code, tier, _group_of(groups, code, tier))


def _group_of(groups: Sequence[tuple[int, Any]], code: str, tier: int) -> int:
    """Return the group of a person: that of its own type, else of the first two digits; -1 none."""
    for wanted in (code, code[:2]):
        for number, group in groups:
            tiers = group.contribution_tiers or range(MAX_CONTRIBUTION_TIERS)
            if wanted in group.person_types and tier in tiers:
                return number
    return -1


def _plan_rules(pack: Pack, persons: Sequence[Person]) -> Iterator[Rule]:
    """Yield the rules of each plan and span of days; groups with the same levels are one rule."""
    plans = compile_plans([pack])
    for version, row in zip(plans.versions, plans.rows, strict=True):
        plan, days = version.plan, range(version.from_date, version.to_date + 1)
        ways = _where(plan.places, plan.filings, plan.channels)
        given = frozenset(way for way in ways if row["cross_defined"][way])
        fixed = frozenset(
            way for way in given if row["cross_deductible_fen"][way] >= 0 or row["cross_deductible_ppm"][way]
        )
        of_levels: dict[tuple[frozenset[int], frozenset[int]], list[int]] = {}
        for number in {person.group for person in persons if person.scheme == plan.scheme} - {-1}:
            rated, charged = _levels(pack, row, number)
            of_levels.setdefault((rated & charged, rated - charged), []).append(number)
        quota = row["quota_mode"] != QuotaMode.NONE
        classes = frozenset(n for n in MATERNITY if row["maternity_quota_fen"][n] >= 0) if quota else None
        for (whole, elsewhere), groups in of_levels.items():
            some = frozenset(person for person in persons if person.scheme == plan.scheme and person.group in groups)
            for levels, where in ((whole, given), (elsewhere, fixed)):
                if levels and where:
                    yield Rule(Claims(some, frozenset(plan.care), where, levels, classes, days), plan)
    for plan in pack.plans:
        if plan.undefined:
            some = frozenset(person for person in persons if person.scheme == plan.scheme)
            days = range(plan.from_date, plan.to_date + 1)
            where = frozenset(_where(plan.places, plan.filings, plan.channels))
            yield Rule(Claims(some, frozenset(plan.care), where, None, None, days), plan)


def _levels(pack: Pack, row: np.void, group: int) -> tuple[frozenset[int], frozenset[int]]:
    """Return the levels where a plan has a rate of every tier for a group, and those where it has a deductible."""
    every = range(len(pack.levels))
    tiers = max(1, int((row["tier_from_fen"] < NO_LIMIT).sum()))
    rated, charged = (row["rate_ppm"][group, :, :tiers] >= 0).all(axis=-1), row["deductible_fen"][group] >= 0
    rated = rated | bool(row["quota_mode"] == QuotaMode.COST_UP_TO_QUOTA)
    charged = charged | bool(row["deductible_counting"] == DeductibleCounting.NONE)
    return frozenset(n for n in every if rated[n]), frozenset(n for n in every if charged[n])


def _where(places: Iterable[int], filings: Iterable[int], channels: Iterable[int]) -> Iterator[Way]:
    for place, filing, channel in WHERE:
        if place in places and (place == Place.LOCAL or filing in filings) and channel in channels:
            yield place, filing, channel


def _declared(pack: Pack, persons: Sequence[Person]) -> Iterator[Rule]:
    for entry in pack.not_covered:
        groups = {pack.group_ids.index(name) for name in entry.person_group}
        some = [person for person in persons if not entry.scheme or person.scheme in entry.scheme]
        yield Rule(
            Claims(
                frozenset(person for person in some if not groups or person.group in groups),
                frozenset(entry.care) or None,
                frozenset(
                    _where(entry.place or tuple(Place), entry.filing or tuple(Filing), entry.channel or tuple(Channel))
                ),
                frozenset(pack.level_ids.index(name) for name in entry.level) or None,
                frozenset(MATERNITY_TYPES[name] for name in entry.maternity) or None,
                range(entry.from_, entry.to + 1),
            ),
            declared=entry,
        )  # fmt: skip


def _never(pack: Pack, persons: Sequence[Person], cares: Sequence[CareKind]) -> Iterator[Rule]:
    """Yield the kinds of care that no plan of a scheme ever has: notes tell them."""
    for scheme in sorted(pack.schemes):
        planned = {care for plan in pack.plans if plan.scheme == scheme for care in plan.care}
        some = frozenset(person for person in persons if person.scheme == scheme)
        yield Rule(Claims(some, frozenset(cares) - planned, None, None, None, range(PROVED_UNTIL + 1)))


# -------------------------------------------------------------------- dimensions


def _dimensions(
    pack: Pack, rules: Sequence[Rule], persons: Sequence[Person], cares: Sequence[CareKind], first: int
) -> list[Dimension]:
    days = {first, *(rule.claims.days.start for rule in rules), *(_day_after(rule.claims.days) for rule in rules)}
    inside = sorted(day for day in days if first <= day <= PROVED_UNTIL)
    values: tuple[tuple[Iterable[Any], Label], ...] = (
        (persons, lambda some, language: _persons_text(pack, some, persons, language)),
        (cares, lambda some, language: [_care(care, language) for care in some]),
        ([way for way in WHERE if not (pack.province_wide and way[0] == Place.PROVINCE)], _where_text),
        (range(len(pack.levels)), lambda some, language: [_level(pack, n, language) for n in some]),
        (sorted(MATERNITY), _maternity_text), (inside, lambda some, language: _days_text(some, inside, language)),
    )  # fmt: skip
    accepted = list(zip(*(rule.claims for rule in rules), strict=True))
    return [dimension_of(some, accepted[n], label) for n, (some, label) in enumerate(values)]


def _day_after(days: range) -> int:
    return next_day(days.stop - 1) if days.stop <= PROVED_UNTIL else PROVED_UNTIL + 1


def _care(care: CareKind, language: str) -> str:
    return CARE_KIND_ZH[care] if language == "zh" else choice_name(care)


def _level(pack: Pack, number: int, language: str) -> str:
    level = pack.levels[number]
    return level.name_zh if language == "zh" else f"level {level.id}"


def _persons_text(pack: Pack, some: Sequence[Person], every: Sequence[Person], language: str) -> list[str]:
    """Return whole schemes by their name, else person groups, else person types without a group."""
    zh, words = language == "zh", []
    for scheme in dict.fromkeys(person.scheme for person in some):
        of_scheme = [person for person in some if person.scheme == scheme]
        name = SCHEME_ZH[scheme] if zh else choice_name(scheme)
        if len(of_scheme) == sum(person.scheme == scheme for person in every):
            words.append(name)
            continue
        for person in of_scheme:
            if person.group >= 0:
                group = pack.person_groups[person.group]
                words.append(group.name_zh if zh else f"{name} {group.id}")
            else:
                tier = (f"缴费档次 {person.tier}" if zh else f" tier {person.tier}") if person.tier else ""
                words.append(
                    f"{name}人员类别 {person.person_type}{tier}"
                    if zh
                    else f"{name} person type {person.person_type}{tier}"
                )
    return list(dict.fromkeys(words))


def _where_text(some: Sequence[Way], language: str) -> list[str]:
    """Return places by their name, with the channel or the filings where some of the place are left out."""
    zh, words = language == "zh", []
    for place in dict.fromkeys(way[0] for way in some):
        ways, every = ([way[1:] for way in listed if way[0] == place] for listed in (some, WHERE))
        name = PLACE_ZH[place] if zh else choice_name(place)
        channels = {channel for _, channel in ways}
        if set(ways) == {way for way in every if way[1] in channels}:
            name += "" if len(channels) > 1 else _channel(channels.pop(), language)
        else:
            filings = [_filing_text(filing, ways, every, language) for filing in dict.fromkeys(way[0] for way in ways)]
            name += f"（{'、'.join(filings)}）" if zh else f" ({', '.join(filings)})"
        words.append(name)
    return list(dict.fromkeys(words))


def _filing_text(
    filing: Filing, ways: Sequence[tuple[Filing, Channel]], every: Sequence[tuple[Filing, Channel]], language: str
) -> str:
    """Return the name of a filing, with its channel where the other one is left out."""
    name = FILING_ZH[filing] if language == "zh" else choice_name(filing)
    channels = [channel for other, channel in ways if other == filing]
    left_out = len(channels) < sum(other == filing for other, _ in every)
    return name + _channel(channels[0], language) if left_out else name


def _channel(channel: Channel, language: str) -> str:
    return CHANNEL_ZH[channel] if language == "zh" else f" {CHANNEL_EN[channel]}"


def _maternity_text(some: Sequence[int], language: str) -> list[str]:
    name = "生育类别" if language == "zh" else "maternity"
    return [f"{name} {n if language == 'zh' else MATERNITY[n]}" for n in some]


def _days_text(some: Sequence[int], every: Sequence[int], language: str) -> list[str]:
    """Return spans of days; days are named by the first of each span."""
    spans: list[list[int]] = []
    for day in some:
        following = every.index(day) + 1
        end = day_before(every[following]) if following < len(every) else PROVED_UNTIL
        if spans and next_day(spans[-1][1]) == day:
            spans[-1][1] = end
        else:
            spans.append([day, end])
    if language == "zh":
        return [f"{iso(a)} 起" if b == PROVED_UNTIL else f"{iso(a)} 至 {iso(b)}" for a, b in spans]
    return [f"from {iso(a)} on" if b == PROVED_UNTIL else f"from {iso(a)} to {iso(b)}" for a, b in spans]


# -------------------------------------------------------------------- findings


def _hole(en: Sequence[Sequence[str]], zh: Sequence[Sequence[str]]) -> Fault:
    """Return the fault of a hole: its smallest example, then what else is in it."""
    more = "; ".join(", ".join(words[1:]) for words in en if len(words) > 1)
    more_zh = "；".join("、".join(words[1:]) for words in zh if len(words) > 1)
    more, more_zh = f" (likewise {more})" if more else "", f"（同样：{more_zh}）" if more_zh else ""
    return Fault(
        "benefit", "plan",
        f"{', '.join(words[0] for words in en) or 'any claim'}: no rule{more}",
        "add the plan or the value, or declare it with its reason in [[not_covered]] of pack.toml",
        message_zh=f"{'，'.join(words[0] for words in zh) or '任意结算单'}：没有规则{more_zh}",
        remedy_zh="请补充方案或数值；确无规定的，在 pack.toml 的 [[not_covered]] 中注明原因",
    )  # fmt: skip


def _idle(rules: Sequence[Rule], dimensions: Sequence[Dimension]) -> Iterator[Fault]:
    """Yield the declarations whose claims all have a rule."""
    planned = sum(1 << n for n, rule in enumerate(rules) if rule.plan is not None)
    needed = 0
    for mask in kinds_of_claims(len(rules), dimensions):
        needed |= 0 if mask & planned else mask
    for number, rule in enumerate(rules):
        if rule.declared is not None and not needed >> number & 1:
            yield Fault(
                PACK_FILE, rule.declared.where.key, "declares claims that all have a rule, or that nobody has",
                "take it out, or correct it", message_zh="所声明的结算单均有规则，或不会出现",
                remedy_zh="请删除或更正", weight=Weight.WARNING,
            )  # fmt: skip


def _notes(pack: Pack, cares: Sequence[CareKind]) -> Iterator[Fault]:
    """Yield a note for each scheme with kinds of care that no plan has and nothing declares."""
    for scheme in sorted(pack.schemes):
        planned = {care for plan in pack.plans if plan.scheme == scheme for care in plan.care}
        declared = {
            care
            for entry in pack.not_covered
            if (not entry.scheme or scheme in entry.scheme) and not (entry.level or entry.person_group or entry.place)
            for care in entry.care or tuple(CareKind)
        }
        left = [care for care in cares if care not in planned | declared]
        if left:
            names_zh = "、".join(CARE_KIND_ZH[care] for care in left)
            yield Fault(
                "benefit", "plan",
                f"{choice_name(scheme)}: no plan for {', '.join(map(choice_name, left))}; such claims are refused",
                "add a plan, or declare it in [[not_covered]] of pack.toml",
                message_zh=f"{SCHEME_ZH[scheme]}：{names_zh}没有待遇方案，此类结算单将被拒绝",
                remedy_zh="请补充方案，或在 pack.toml 的 [[not_covered]] 中声明", weight=Weight.NOTE,
            )  # fmt: skip


def _unreachable(pack: Pack, cares: Sequence[CareKind]) -> Iterator[Fault]:
    """Yield plans, blocks and levels that no claim can reach."""
    grouped = {group.scheme for group in pack.person_groups}
    for plan in pack.plans:
        if choice_name(plan.scheme) not in grouped:
            yield Fault(
                plan.file, f"{plan.key}.scheme",
                f"no person group is of {choice_name(plan.scheme)}: nobody reaches the plan",
                "write a [[person_group]] of the scheme in pack.toml",
                message_zh=f"没有{SCHEME_ZH[plan.scheme]}险种的人群，该方案不会被用到",
                remedy_zh="请在 pack.toml 的 [[person_group]] 中写明该险种的人群",
            )  # fmt: skip
        if not set(plan.care) & set(cares):
            names = [", ".join(map(choice_name, plan.care)), "、".join(CARE_KIND_ZH[care] for care in plan.care)]
            yield Fault(
                plan.file, f"{plan.key}.care", f"no medical category leads to {names[0]}: nobody reaches the plan",
                "map a med_type to it with [[care_type]] in pack.toml",
                message_zh=f"没有医疗类别对应{names[1]}，该方案不会被用到",
                remedy_zh="请在 pack.toml 的 [[care_type]] 中对应医疗类别",
            )  # fmt: skip
    used = {
        (value.source.file, value.source.key) for plan in pack.plans for some in plan.values.values() for value in some
    }
    for file, key in _blocks(pack):
        if (file, key) not in used:
            yield Fault(
                file, key, "no plan takes this block on any of its days", "correct its dates, or use or remove it",
                message_zh="没有方案在其有效期内使用该规则块", remedy_zh="请更正日期，或引用、删除该规则块",
            )  # fmt: skip
    levels = {hospital.deductible_level for hospital in pack.hospitals}
    for number, level in enumerate(pack.levels):
        if number not in levels and not level.hosp_lv:
            yield Fault(
                PACK_FILE, f"level[{number}]", f"no hospital and no hosp_lv leads to level {level.id!r}",
                "add hosp_lv, or hospitals of the level", weight=Weight.WARNING,
                message_zh=f"没有医院或医院等级代码对应“{level.name_zh}”", remedy_zh="请填写 hosp_lv 或登记该等级医院",
            )  # fmt: skip


def _blocks(pack: Pack) -> Iterator[tuple[str, str]]:
    """Yield file and key of each rule block of the pack's own files; plans marked undefined need none."""
    undefined = {(plan.file, plan.key) for plan in pack.plans if plan.undefined}
    for file, raw in pack.sources.items():
        if file.startswith("benefit/"):
            for kind in ("plan", "fragment"):
                for number, entry in enumerate(raw.get(kind, ())):
                    key = f"{kind}[{number}]"
                    if (file, key) not in undefined:
                        yield from ((file, f"{key}.rule[{n}]") for n in range(len(entry.get("rule", ()))))
