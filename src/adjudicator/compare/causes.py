"""Which rule made two answers differ: looked up once for each kind of difference, never claim by claim.

Claims that differ first in the same stage, under the same two plan rows and in the same cells of their tables, differ
for the same reason. The values of the plan that belong to the stage are compared in those cells; one that differs names
its document and clause, as an explanation does (``benefit.explain``). Where none differs, the person's year before the
claim does: an earlier claim of the year is the cause.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np

from adjudicator.benefit.plan.cells import key_names
from adjudicator.benefit.plan.compile import PlanVersion
from adjudicator.benefit.plan.keys import CROSS_FIELDS, KEYS, Key, Stage, field_of
from adjudicator.codes import Place
from adjudicator.rulefile.dated import Source
from adjudicator.rulefile.faults import Faults
from adjudicator.rulefile.pack import Pack
from adjudicator.rulefile.reader import read_toml
from adjudicator.rules.blocks import ShownBlock, blocks_on, rows_of
from adjudicator.rules.bundle import Bundle

RULE, EARLIER, REFUSAL, UNKNOWN = "rule", "earlier", "refusal", "unknown"
KINDS: dict[str, tuple[str, str]] = {
    RULE: ("a rule differs", "规则不同"),
    EARLIER: ("follows from an earlier claim of the person", "由本人此前结算引起"),
    REFUSAL: ("refused under one of the rules", "其中一方不予受理"),
    UNKNOWN: ("not known", "未能确定"),
}
"""Why a claim differs, in English and Chinese."""

OF_STAGE: dict[str, tuple[Stage, ...]] = {
    "first_pay": (Stage.CROSS_REGION,),
    "deductible": (Stage.DEDUCTIBLE, Stage.CROSS_REGION),
    "pooled": (Stage.POOLED, Stage.CAP, Stage.CROSS_REGION, Stage.DEDUCTIBLE),
    "large_sum": (Stage.LARGE_SUM, Stage.CAP),
    "catastrophic": (Stage.CATASTROPHIC, Stage.LARGE_SUM, Stage.CAP),
    "civil_servant": (Stage.CIVIL_SERVANT,),
    "enterprise": (Stage.ENTERPRISE,),
    "assistance": (Stage.ASSISTANCE, Stage.TILT, Stage.CROSS_REGION),
    "other": (Stage.PROGRAMME,),
    "hospital_borne": (Stage.PROGRAMME, Stage.POOLED),
    "account": (Stage.ACCOUNT,),
    "family_account": (Stage.ACCOUNT,),
    "cash": (Stage.ACCOUNT,),
}
"""Stage of an answer -> stages of the plan whose values decide it. Where none of them differs, an earlier claim of the
year does it, or, where the person has none that differs, another value of the plan."""
_CATALOGUE_FILES: dict[str, tuple[str, ...]] = {
    "over_ceiling": ("ceiling.csv",),
    "first_pay": ("ratio.csv", "ratio_rule.csv", "class.csv"),
    "wholly_self_paid": ("class.csv", "item.csv"),
}
"""Stage of an answer -> tables of the catalogue that decide it."""
_PAYMENT, _METHOD, _VALUE = "payment.toml", "method", "point_value"
_MONTH_END = 28


class Cause(NamedTuple):
    """Why claims differ. One that follows from an earlier claim names what else of the plan differs, if anything."""

    kind: str
    """Of ``KINDS``."""
    keys: str = ""
    """What differs: keys of the plan, tables, codes of problems."""
    keys_en: str = ""
    keys_zh: str = ""
    document: str = ""
    clause: str = ""


class Cells(NamedTuple):
    """Where a claim stands in the tables of both plans; -1 where it has none."""

    plan_old: int
    level_old: int
    plan_new: int
    level: int
    """Level of the institution under the new rules; -1 for all, as the others."""
    group: int
    category: int
    disease: int
    programme: int
    place: int


class Case(NamedTuple):
    """What claims with one cause share."""

    stage: str
    pack: str
    cells: Cells
    month: int
    """0 where the cause does not depend on the day."""
    what: str
    """Of a payment: what of it differs; of grouping: both schemes."""


class Causes:
    """Looks causes up between two bundles; ``old`` is None where nothing is known of the old rules."""

    def __init__(self, old: Bundle | None, new: Bundle, days: tuple[int, int] = (0, 0)) -> None:
        self._old, self._new, self._days = old, new, days
        """``days``: on which the rules of each side are taken (``rules.as_on``), 0 those of the claim."""
        self.of = lru_cache(maxsize=None)(self._of)

    def _of(self, case: Case) -> Cause:
        """Return the cause of a case."""
        if case.stage == "grouping":
            return self._grouping(case)
        if case.stage == "payment":
            return self._payment(case)
        if self._old is None:
            return self._recorded(case)
        if case.stage in _CATALOGUE_FILES:
            return self._cross_region(case) or self._catalogue(case) or self._level(case) or Cause(UNKNOWN)
        if min(case.cells.plan_old, case.cells.plan_new) < 0:
            return self._level(case) or Cause(UNKNOWN)
        first = OF_STAGE.get(case.stage, ())
        found = self._level(case) or self._plan(case, first) or self._lists(case)
        if found is not None:
            return found
        others = self._plan(case, [stage for stage in Stage if stage not in first])
        return (others or Cause(EARLIER))._replace(kind=EARLIER)

    # ---------------------------------------------------------------- the plan

    def _plan(self, case: Case, stages: Sequence[Stage]) -> Cause | None:
        """Return what differs between two plan rows in some stages, None where nothing does."""
        assert self._old is not None
        if _names(self._old, case.pack) != _names(self._new, case.pack):
            case = case._replace(cells=case.cells._replace(group=-1, level=-1, category=-1))
        named = list(_different(self._old, self._new, case, stages))
        return _cause(named) if named else None

    def _cross_region(self, case: Case) -> Cause | None:
        """Return what differs in the first pay of care elsewhere, before the tables of the catalogue are asked."""
        cells = case.cells
        if case.stage != "first_pay" or cells.place == Place.LOCAL or min(cells.plan_old, cells.plan_new) < 0:
            return None
        return self._plan(case, OF_STAGE["first_pay"])

    def _level(self, case: Case) -> Cause | None:
        """Return that the register has the institution at another level, None where it does not."""
        old, new = _pack(self._old, case.pack), _pack(self._new, case.pack)
        levels = case.cells.level_old, case.cells.level
        if old is None or new is None or min(levels) < 0:
            return None
        before, after = (pack.levels[level].id for pack, level in zip((old, new), levels, strict=True))
        if before == after:
            return None
        return Cause(RULE, f"level {before} → {after}", "level of the institution", "医疗机构等级", "hospitals.csv")

    def _lists(self, case: Case) -> Cause | None:
        """Return what differs in the pack's lists: values of the disease, programmes."""
        old, new = _pack(self._old, case.pack), _pack(self._new, case.pack)
        if old is None or new is None:
            return None
        values = [
            _values_of(pack, case.cells, day or case.month * 100 + _MONTH_END)
            for pack, day in zip((old, new), self._days, strict=True)
        ]
        changed = [pair for pair in values[1].items() if values[0].get(pair[0]) != pair[1]]
        if not changed and values[0].keys() != values[1].keys():
            changed = [pair for pair in values[0].items() if pair[0] not in values[1]]
        if not changed:
            return None
        names = {"disease": ("values of the disease", "病种限额或定价"), "programme": ("programme", "专项保障")}
        return _cause([(kind, *names[kind], source) for (kind, *_), (_, source) in changed])

    def _recorded(self, case: Case) -> Cause:
        """Return the rules that decide a stage today; how the recorded answer came about is not known."""
        if case.cells.plan_new < 0 or case.stage not in OF_STAGE:
            return Cause(UNKNOWN)
        version = self._new.plans.versions[case.cells.plan_new]
        stages = OF_STAGE[case.stage][:1]
        named = [
            (key.name, key.en, key.zh, version.values[key.name].source)
            for key in KEYS
            if key.stage in stages and key.name in version.values
        ]
        return _cause(named)._replace(kind=UNKNOWN) if named else Cause(UNKNOWN)

    # ---------------------------------------------------------------- catalogue, grouping, payment

    @cached_property
    def _same_catalogues(self) -> bool:
        """True where both catalogues have the same tables."""
        assert self._old is not None
        sides = zip(_line_tables(self._old), _line_tables(self._new), strict=True)
        return all(one.shape == other.shape and bool((one == other).all()) for one, other in sides)

    def _catalogue(self, case: Case) -> Cause | None:
        """Return which tables of the catalogue differ that decide a stage, None where they are the same."""
        assert self._old is not None
        if self._same_catalogues:
            return None
        old, new = _pack(self._old, case.pack), _pack(self._new, case.pack)
        if old is None or new is None:
            return None
        files = [name for name in _CATALOGUE_FILES[case.stage] if _rows(old, name) != _rows(new, name)]
        # Rules of one pack on two days: the tables are the same files, and other rows of them hold.
        files = files or [name for name in _CATALOGUE_FILES[case.stage] if _rows(new, name)]
        heads = [_heading(new, name) for name in files]
        documents, clauses = (_joined(head[place] for head in heads) for place in (0, 1))
        return Cause(RULE, "; ".join(files), "tables of the catalogue", "目录表", documents, clauses)

    def _grouping(self, case: Case) -> Cause:
        """Return the change of the grouping scheme."""
        before, _, after = case.what.partition("→")
        if before == after:
            return (
                Cause(RULE, case.what, "tables of the grouping scheme", "分组方案的表") if self._old else Cause(UNKNOWN)
            )
        return Cause(RULE, f"{before} → {after}", "grouping scheme", "分组方案", after)

    def _payment(self, case: Case) -> Cause:
        """Return the tables of payment.toml that differ in what of a payment differs."""
        old, new = (_pack(one, case.pack) if one else None for one in (self._old, self._new))
        if old is None or new is None:
            return Cause(UNKNOWN)
        days = [day or case.month * 100 + _MONTH_END for day in self._days]
        before, after = _payment_tables(old, days[0]), _payment_tables(new, days[1])
        found = [
            (label, block)
            for label, block in (before | after).items()
            if _text_of(old, before.get(label)) != _text_of(new, after.get(label)) and _fits(block.table, case.what)
        ]
        if not found:
            return Cause(UNKNOWN)
        return Cause(
            RULE, "; ".join(" ".join(label) for label, _ in found), "table of payment", "付费表",
            _joined(after.get(label, block).document for label, block in found),
            _joined(after.get(label, block).clause for label, block in found),
        )  # fmt: skip


def _fits(table: str, what: str) -> bool:
    """Return whether a table of payment.toml decides what differs in a payment."""
    if what == _METHOD:
        return table in (_METHOD, "contract")
    return table == what if what == _VALUE else table not in (_METHOD, _VALUE)


def _payment_tables(pack: Pack, day: int) -> dict[tuple[str, str], ShownBlock]:
    return {(table, name): block for (file, table, name), block in blocks_on(pack, day).items() if file == _PAYMENT}


def _text_of(pack: Pack, block: ShownBlock | None) -> Any:
    """Return everything that a table says, with the rows of the files that it names."""
    if block is None:
        return None
    files = [value for key, value in block.values if key.rpartition(".")[2] == "file"]
    return block.values, [rows_of(pack, file) for file in files]


def _different(
    old: Bundle, new: Bundle, case: Case, stages: Sequence[Stage]
) -> Iterable[tuple[str, str, str, Source | None]]:
    """Yield the key, its names and where it stands, of each value of two plan rows that differs in a claim's cells."""
    rows = old.plans.rows[case.cells.plan_old], new.plans.rows[case.cells.plan_new]
    versions = old.plans.versions[case.cells.plan_old], new.plans.versions[case.cells.plan_new]
    for key in KEYS:
        if key.stage in stages:
            before, after = (_cells(row[key.field], key, case.cells) for row in rows)
            if not np.array_equal(before, after):
                yield key.name, *key_names(key.name), _source(versions, key.name)
    if Stage.CROSS_REGION in stages and case.cells.place != Place.LOCAL:
        fields = [field_of(f"cross_{name}") for name in CROSS_FIELDS]
        if any(not np.array_equal(*(row[name][case.cells.place] for row in rows)) for name in fields):
            yield "cross_region", *key_names("cross_region"), _source(versions, "cross_region")


def _cells(table: np.ndarray, key: Key, cells: Cells) -> np.ndarray:
    """Return what a value says for the group, level and category of a claim."""
    own = {"group": cells.group, "level": cells.level, "category": cells.category}
    index = tuple(own[axis] if own.get(axis, -1) >= 0 else slice(None) for axis in key.axes)
    return np.asarray(table[index] if key.axes else table)


def _source(versions: tuple[PlanVersion, PlanVersion], key: str) -> Source | None:
    """Return where the new value stands, else where the old one stood."""
    for version in reversed(versions):
        for name in (key, "rate_derived") if key == "rate_percent" else (key,):
            if name in version.values:
                return version.values[name].source
    return None


def _cause(named: Sequence[tuple[str, str, str, Source | None]]) -> Cause:
    sources = [source for *_, source in named if source is not None]
    return Cause(
        RULE, "; ".join(dict.fromkeys(key for key, *_ in named)), _joined(en for _, en, _, _ in named),
        _joined((zh for _, _, zh, _ in named), "；"), _joined(source.document for source in sources),
        _joined(source.clause for source in sources),
    )  # fmt: skip


def _joined(texts: Iterable[str], separator: str = "; ") -> str:
    return separator.join(dict.fromkeys(text for text in texts if text))


def _names(bundle: Bundle, name: str) -> list[list[str]]:
    """Return what the groups, levels and categories of a pack are called, by their numbers."""
    pack = _pack(bundle, name)
    return (
        [[one.id for one in entries] for entries in (pack.person_groups, pack.levels, pack.assistance)] if pack else []
    )


def _values_of(pack: Pack, cells: Cells, day: int) -> dict[tuple[Any, ...], tuple[Any, Source]]:
    """Return the values of a claim's disease and its programme that hold on a day."""
    found: dict[tuple[Any, ...], tuple[Any, Source]] = {}
    if 0 <= cells.disease < len(pack.diseases):
        one = pack.diseases[cells.disease]
        for value in (*one.quotas, *one.fixed_prices, *one.stays):
            found["disease", value.name, repr(value.value[:2])] = repr(value.value), value.source
    for programme in pack.programmes[cells.programme - 1 : cells.programme] if cells.programme > 0 else ():
        found["programme", programme.id, ""] = repr(programme), programme.source
    return {at: (text, source) for at, (text, source) in found.items() if source.from_date <= day <= source.to_date}


def _pack(bundle: Bundle | None, name: str) -> Pack | None:
    return next((pack for pack in bundle.packs if pack.id == name), None) if bundle else None


def _line_tables(bundle: Bundle) -> list[np.ndarray]:
    return [np.asarray(part) for part in bundle.catalogue.rules[:-1]] + [np.array(bundle.catalogue.codes)]


def _catalogue_folders(pack: Pack) -> list[Any]:
    return [folder / "catalogue" for folder in (pack.folder, *pack.includes)]


def _rows(pack: Pack, name: str) -> bytes:
    """Return what the files of a table of the catalogue hold."""
    paths = (folder / name for folder in _catalogue_folders(pack))
    return b"".join(path.read_bytes() for path in paths if path.is_file())


def _heading(pack: Pack, name: str) -> tuple[str, str]:
    """Return document and clause of a table of the catalogue."""
    for folder in _catalogue_folders(pack):
        raw: Mapping[str, Any] = read_toml(folder / "catalogue.toml", "catalogue.toml", Faults()) or {}
        said = raw.get("files", {}).get(name)
        if said:
            return str(said.get("document", "")), str(said.get("clause", ""))
    return "", ""
