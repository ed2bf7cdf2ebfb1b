"""``pooling.toml``: clearing terms, budgets, capitation, deficit sharing, levies and warning lines, dated and sourced.

A pooling file may stand alone (``packs/pooling_examples/*.toml``) or in a pack. Tables: docs/pooling.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from adjudicator.codes import SCHEME_CODES
from adjudicator.dates import iso
from adjudicator.errors import AdjudicatorError, E, refuse
from adjudicator.payment.point_values import POOL_SUFFIXES, PointKind
from adjudicator.pooling import tables as t
from adjudicator.pooling.budget.terms import Funding, Growth, Indicator, Performance
from adjudicator.pooling.counties.deficit import COUNTY, Rule, Shares, Step
from adjudicator.pooling.counties.insurances import BASIC, name_zh, parts_of
from adjudicator.pooling.counties.levy import Levy
from adjudicator.pooling.counties.warning import UNWATCHED, Lines
from adjudicator.pooling.heads.capitation import CapitationTerms, Weights
from adjudicator.pooling.hospitals.clearing import Terms
from adjudicator.pooling.hospitals.packages import QuotaTerms
from adjudicator.pooling.points.calibrate import Calibration
from adjudicator.rounding import PPM
from adjudicator.rulefile.dated import Source
from adjudicator.rulefile.faults import Faults
from adjudicator.rulefile.fields import Where
from adjudicator.rulefile.reader import keys_of, read_structs, read_toml, unknown_keys

FILE = "pooling.toml"
TABLES = {"levies": "levy", "warnings": "warning", "budgets": "budget", "old_gap_years": "old_gaps"}
"""Names of the tables whose rules are kept under another name."""
OF_THE_POOL = ("deficit", "levies", "warnings", "old_gap_years")
"""What the rules of a pooling year are, which hold on its last day or on the day that is asked for."""
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Dated(Generic[Value]):
    """A value, the schemes it is for (empty: all), and where it comes from."""

    value: Value
    schemes: tuple[str, ...]
    source: Source
    kind: PointKind = PointKind.DRG
    """Kind of points, for clearing terms and budgets."""
    insurance: str = BASIC
    """Whose money it is about (``pooling.insurances``)."""

    def is_for(self, key: str) -> bool:
        """Return whether it is for a scheme and insurance, named by its key."""
        scheme, insurance = parts_of(key)
        return (not self.schemes or scheme in self.schemes) and insurance == self.insurance

    def holds_on(self, date: int) -> bool:
        """Return whether it holds on a day."""
        return self.source.from_date <= date <= self.source.to_date


@dataclass(slots=True)
class PoolingRules:
    """Everything pooling.toml says, in the order of the file."""

    name: str
    clearing: list[Dated[Terms]] = field(default_factory=list)
    budgets: list[Dated[int]] = field(default_factory=list)
    calibration: list[Dated[Calibration]] = field(default_factory=list)
    review: list[Dated[int]] = field(default_factory=list)
    """Multiple of a group's average above which a case may be applied for, ppm."""
    capitation: list[Dated[CapitationTerms]] = field(default_factory=list)
    quota_year: list[Dated[QuotaTerms]] = field(default_factory=list)
    deficit: list[Dated[Rule]] = field(default_factory=list)
    levies: list[Dated[Levy]] = field(default_factory=list)
    warnings: list[Dated[Lines]] = field(default_factory=list)
    old_gap_years: list[Dated[int]] = field(default_factory=list)
    county_budget: list[Dated[Growth]] = field(default_factory=list)
    funding: list[Dated[Funding]] = field(default_factory=list)
    performance: list[Dated[Performance]] = field(default_factory=list)

    def terms(self, date: int) -> dict[str, Terms]:
        """Return the clearing terms on a day by scheme code; ``310/outpatient`` for outpatient points."""
        return _by_pool(self.clearing, date)

    def budget(self, date: int) -> dict[str, int]:
        """Return the fund's budget of the year, keyed as the terms."""
        return _by_pool(self.budgets, date)

    def pick(self, kind: str, date: int, scheme: str) -> Any:
        """Return the value of one kind on a day for a scheme; a missing one is an error that names the table."""
        entry = _find(getattr(self, kind), date, scheme)
        if entry is None:
            raise self.no_rule(kind, date, scheme)
        return entry.value

    def no_rule(self, kind: str, date: int, scheme: str) -> AdjudicatorError:
        """Return the refusal of a scheme without a table of some kind on a day, with the tables it has on others."""
        table = TABLES.get(kind, kind)
        known = [entry.source for entry in getattr(self, kind) if entry.is_for(scheme)]
        spans = [(source.document, iso(source.from_date), iso(source.to_date)) for source in known]
        en = "".join(f"; {document} holds from {first} to {last}" for document, first, last in spans)
        zh = "".join(f"；{document} 自 {first} 至 {last} 有效" for document, first, last in spans)
        if kind in OF_THE_POOL:
            year = date // 10_000
            days = [min(one.to_date, year * 10_000 + 1231) for one in known if one.from_date // 10_000 <= year]
            held = [day for day in days if day // 10_000 == year]
            en += "; add the rule that holds" + (f", or take a day with one: --date {held[-1]}" if held else "")
            zh += "；请补充当日有效的规定" + (f"，或用 --date {held[-1]} 按原规定计算" if held else "")
        return refuse(
            E.PAYMENT_RULE_UNDEFINED, kind, f"{self.name} has no [[{table}]] for scheme {scheme} on {iso(date)}{en}",
            f"{self.name} 在 {iso(date)} 没有险种 {name_zh(scheme)} 的 [[{table}]]{zh}",
        )  # fmt: skip

    def ended(self, date: int, scheme: str) -> list[Source]:
        """Return the rules of the year of a day that ended before it and have no successor on it."""
        found = []
        for kind in OF_THE_POOL:
            own = [entry for entry in getattr(self, kind) if entry.is_for(scheme)]
            for entry in own:
                follows = [other for other in own if other.holds_on(date) and _names(other) == _names(entry)]
                if date // 10_000 * 10_000 < entry.source.to_date < date and not follows:
                    found.append(entry.source)
        return found

    def has(self, kind: str, date: int, scheme: str) -> bool:
        """Return whether a scheme has a table of some kind on a day."""
        return _find(getattr(self, kind), date, scheme) is not None

    def levies_on(self, date: int, scheme: str) -> list[Levy]:
        """Return the levies of a scheme on a day, in the order of the file."""
        return [entry.value for entry in self.levies if entry.is_for(scheme) and entry.holds_on(date)]

    def lines(self, date: int, scheme: str) -> Lines:
        """Return the warning lines of a scheme on a day; without a table the national guide's for basic funds."""
        entry = _find(self.warnings, date, scheme)
        if entry is None:
            return Lines() if parts_of(scheme)[1] == BASIC else UNWATCHED
        lines: Lines = entry.value
        return lines

    def growth(self, date: int, scheme: str, fund: str) -> Growth | None:
        """Return the growth agreed for the budget of a fund on a day, ``None`` where no table says it."""
        entry = _find([entry for entry in self.county_budget if entry.value.fund == fund], date, scheme)
        return None if entry is None else entry.value

    def scored_indicators(self, date: int) -> list[str]:
        """Return the indicators whose scores a file gives, of the assessments that hold on a day."""
        entries = [one for one in self.performance if one.holds_on(date)]
        found = [one.id for entry in entries for one in entry.value.indicators if one.measure == "scored"]
        return list(dict.fromkeys(found))

    def budget_sources(self, date: int) -> list[Source]:
        """Return where the tables of budgets that hold on a day come from."""
        entries: list[Dated[Any]] = [*self.county_budget, *self.funding, *self.performance, *self.warnings]
        return [entry.source for entry in entries if entry.holds_on(date)]

    def funds(self, date: int, scheme: str) -> list[str]:
        """Return the funds with a balance that the rules of a scheme name on a day."""
        own = self.pick("deficit", date, scheme).funds if self.has("deficit", date, scheme) else ()
        return list(dict.fromkeys([*own, *(levy.fund for levy in self.levies_on(date, scheme))]))

    def documents(self, date: int) -> list[str]:
        """Documents of the deficit, levy and warning rules of a day, with their clause."""
        entries: list[Dated[Any]] = [*self.deficit, *self.levies, *self.old_gap_years, *self.warnings]
        sources = [entry.source for entry in entries if entry.source.from_date <= date <= entry.source.to_date]
        return list(dict.fromkeys(f"{source.document}: {source.clause}".rstrip(": ") for source in sources))

    def unverified(self, date: int) -> list[str]:
        """Tables in use on a day that nobody has compared with their document."""
        found = []
        kinds = ("clearing", "budgets", "capitation", "quota_year", "deficit", "levies", "warnings", "old_gap_years")
        for kind in kinds:
            entries = [entry for entry in getattr(self, kind) if entry.source.from_date <= date <= entry.source.to_date]
            found += [f"{kind}: {entry.source.document}" for entry in entries if not entry.source.verified]
        return found


def _by_pool(entries: list[Any], date: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind, suffix in zip(PointKind, POOL_SUFFIXES, strict=True):
        own = [entry for entry in entries if entry.kind == kind]
        found |= {code + suffix: entry.value for code in SCHEME_CODES if (entry := _find(own, date, code))}
    return found


def _find(entries: list[Any], date: int, scheme: str) -> Any:
    return next((entry for entry in entries if entry.is_for(scheme) and entry.holds_on(date)), None)


def _names(entry: Dated[Any]) -> str:
    """Return what a levy fills; other rules have nothing of the kind."""
    return getattr(entry.value, "fund", "")


def load_pooling(path: Path, faults: Faults) -> PoolingRules:
    """Read a pooling file, or the one in a pack folder; every fault is collected."""
    folder, name = (path, FILE) if path.is_dir() else (path.parent, path.name)
    result = PoolingRules(folder.name if path.is_dir() else path.stem)
    raw = read_toml(folder / name, name, faults)
    if raw is None:
        return result
    unknown_keys(raw, keys_of(t.PoolingFile), name, "", faults)
    result.name = str(raw.get("name_zh") or raw.get("name") or result.name)
    for key, table, into, build in (
        ("clearing", t.Clearing, result.clearing, _clearing),
        ("budget", t.Budget, result.budgets, lambda budget, _: budget.amount_yuan),
        ("calibration", t.CalibrationTable, result.calibration, _calibration),
        ("review", t.ReviewTable, result.review, lambda review, _: review.multiple),
        ("capitation", t.Capitation, result.capitation, _capitation),
        ("quota_year", t.QuotaYear, result.quota_year, _quota_year),
        ("deficit", t.Deficit, result.deficit, _deficit),
        ("levy", t.LevyTable, result.levies, _levy),
        ("warning", t.Warning, result.warnings, _warning),
        ("old_gaps", t.OldGaps, result.old_gap_years, lambda gaps, _: gaps.years),
        ("county_budget", t.CountyBudget, result.county_budget, _county_budget),
        ("funding", t.FundingTable, result.funding, _funding),
        ("performance", t.PerformanceTable, result.performance, _performance),
    ):
        _read(raw.get(key), key, (table, build), into, name, faults)
    return result


def _read(
    raw: Any,
    key: str,
    kind: tuple[Any, Callable[[Any, Faults], Any]],
    into: list[Dated[Any]],
    name: str,
    faults: Faults,
) -> None:
    """Read the tables of one key into rules; two for one scheme on one day are a fault."""
    table, build = kind
    entries: tuple[Any, ...] = read_structs(table, raw, name, key, faults)
    for entry in entries:
        codes = tuple(code for code, scheme in SCHEME_CODES.items() if int(scheme) in entry.scheme)
        kind_of_points, insurance = getattr(entry, "kind", PointKind.DRG), getattr(entry, "insurance", BASIC)
        into.append(Dated(build(entry, faults), codes, entry.source, kind_of_points, insurance))
    _check_overlap(name, key, into, faults)


def _check_overlap(name: str, key: str, entries: Sequence[Dated[Any]], faults: Faults) -> None:
    for place, one in enumerate(entries):
        for other in entries[:place]:
            both = not one.schemes or not other.schemes or set(one.schemes) & set(other.schemes)
            alike = (one.kind, one.insurance, _names(one)) == (other.kind, other.insurance, _names(other))
            if both and alike and one.source.overlaps(other.source):
                faults.add(name, one.source.key, "overlaps an earlier table for the same scheme", "end that one before")


def _needed(value: int | None, name: str, where: Where, wanted: bool, faults: Faults, default: int = 0) -> int:
    """Return a value that some tables need; the default where this one does not."""
    if value is None and wanted:
        faults.add(where.file, f"{where.key}.{name}", "is missing", f"write {name}, which this kind of table needs")
    return default if value is None else value


def _clearing(table: t.Clearing, faults: Faults) -> Terms:
    shared = table.year_total == "shared"
    bands: tuple[tuple[int, int], ...] = ()
    deposit, forfeited = 0, "fund"
    if table.quality is not None:
        deposit, forfeited = table.quality.deposit_percent, table.quality.forfeited
        bands = tuple((band.score_from, band.released_percent) for band in table.quality.band)
        if not bands or list(bands) != sorted(bands):
            _fault(table.quality.where, "band", "bands are missing or out of order", "write the lowest first", faults)
    kept, borne = table.surplus_kept_percent, table.overspend_borne_percent
    return Terms(
        mode=table.mode,
        prepay_ppm=table.prepay_percent,
        reserve_ppm=table.reserve_percent,
        year_total=table.year_total,
        surplus_kept_ppm=_needed(kept, "surplus_kept_percent", table.where, shared, faults),
        overspend_borne_ppm=_needed(borne, "overspend_borne_percent", table.where, shared, faults, PPM),
        deposit_ppm=deposit,
        deposit_bands=bands,
        forfeited=forfeited,
    )


def _fault(where: Where, name: str, message: str, remedy: str, faults: Faults) -> None:
    faults.add(where.file, f"{where.key}.{name}", message, remedy)


def _calibration(table: t.CalibrationTable, faults: Faults) -> Calibration:
    bands = tuple((band.up_to_points, band.multiple) for band in table.upper)
    multiples = table.trim == "multiples"
    if multiples and (not bands or bands[-1][0] != t.ALL_POINTS):
        remedy = "write [[calibration.upper]] bands, the last without end"
        _fault(table.where, "upper", "has no band without up_to_points", remedy, faults)
    return Calibration(
        scale_e8=table.scale_points,
        decimals=table.decimals,
        trim=table.trim,
        upper_ppm=bands or ((t.ALL_POINTS, 50 * PPM),),
        lower_ppm=_needed(table.lower_multiple, "lower_multiple", table.where, multiples, faults),
        drop_ppm=_needed(table.drop_percent, "drop_percent", table.where, table.trim == "middle", faults),
        min_cases=table.min_cases,
        cv_max_ppm=table.cv_max,
        own_weight_ppm=table.own_weight,
        level_weight_ppm=table.level_weight,
        coefficient_decimals=table.coefficient_decimals,
    )


def _capitation(table: t.Capitation, faults: Faults) -> CapitationTerms:
    ages = tuple((band.up_to_years, band.weight) for band in table.age)
    weights = (table.year_1_weight, table.year_2_weight, table.year_3_weight)
    if any(weights) and sum(weights) != PPM:
        remedy = "write year_1_weight (oldest) to year_3_weight"
        _fault(table.where, "year_1_weight", "the three years do not add up to 1", remedy, faults)
    return CapitationTerms(
        table.quota_per_person_yuan,
        Weights(ages or ((t.NO_END, PPM),), table.chronic_weight),
        table.surplus_kept_percent,
        table.overspend_shared_percent,
        weights if any(weights) else (),
        table.growth_percent,
    )


def _quota_year(table: t.QuotaYear, _faults: Faults) -> QuotaTerms:
    return QuotaTerms(
        table.band_percent,
        table.band_share_percent,
        table.reward_percent,
        table.reward_cap_percent,
        table.no_reward_above_percent,
    )


def _shares(entries: Sequence[t.Share], where: Where, key: str, required: bool, faults: Faults) -> Shares:
    listed = tuple((entry.payer, entry.rate_percent) for entry in entries)
    if (required or listed) and sum(rate for _, rate in listed) != PPM:
        remedy = "write every payer with its rate, the one that takes the rest last"
        _fault(where, key, "rates do not add up to 100", remedy, faults)
    return listed or (((COUNTY, PPM),) if required else ())


def _deficit(table: t.Deficit, faults: Faults) -> Rule:
    if not table.step:
        _fault(table.where, "step", "is missing", "write [[deficit.step]] tables in order", faults)
    return Rule(table.id, (), table.funds, tuple(_step(step, faults) for step in table.step))


def _step(table: t.StepTable, faults: Faults) -> Step:
    where, matched = table.where, table.kind == "matched"
    bands = tuple(
        (band.up_to_percent, _shares(band.shares, where, f"band[{number}].shares", True, faults))
        for number, band in enumerate(table.band)
    )
    limits = [limit for limit, _ in bands]
    ordered = sorted(limits, key=lambda limit: limit if limit >= 0 else 10**12)
    if table.kind == "bands" and (not bands or limits != ordered):
        remedy = "order by up_to_percent; only the last may have none"
        _fault(where, "band", "bands are missing or out of order", remedy, faults)
    if matched and not table.fund:
        _fault(where, "fund", "is missing", "name the fund that grants as much as the treasury paid", faults)
    eligible = _needed(
        table.over_plan_up_to_percent, "over_plan_up_to_percent", where, table.kind == "eligible", faults
    )
    return Step(
        kind=table.kind,
        counties=None if table.counties is None else frozenset(map(str, table.counties)),
        shares=_shares(table.shares, where, "shares", table.kind in ("share", "eligible"), faults),
        shortage=_shares(table.shortage, where, "shortage", False, faults),
        reading=table.reading,
        bands=bands,
        eligible_ppm=eligible,
        rest=table.rest,
        months_e2=_needed(table.months, "months", where, matched, faults),
        base_ppm=_needed(table.base_rate_percent, "base_rate_percent", where, matched, faults),
        fund=table.fund,
    )


def _levy(table: t.LevyTable, faults: Faults) -> Levy:
    months = table.basis == "months"
    return Levy(
        fund=table.fund,
        basis=table.basis,
        rate_ppm=_needed(table.rate_percent, "rate_percent", table.where, not months, faults),
        months_e2=_needed(table.months, "months", table.where, months, faults),
        cap_ppm=table.stops_at_percent,
        cut_at_cap=table.cut_at_cap,
        booked_as=table.booked_as,
    )


def _warning(table: t.Warning, _faults: Faults) -> Lines:
    return Lines(
        low_months_e2=table.low_months,
        normal_from_e2=table.normal_from_months,
        normal_to_e2=table.normal_to_months,
        high_months_e2=table.high_months,
        target_months_e2=table.target_months,
        target_surplus_ppm=table.target_surplus_percent,
        growth_at_most_ppm=table.growth_at_most_percent,
        ahead_at_most_ppm=table.ahead_at_most_percent,
    )


def _county_budget(table: t.CountyBudget, _faults: Faults) -> Growth:
    return Growth(table.fund, table.expenditure_growth_percent, table.income_growth_percent)


def _funding(table: t.FundingTable, faults: Faults) -> Funding:
    if 12 % table.every_months:
        key = f"{table.where.key}.every_months"
        faults.add(table.where.file, key, "does not divide the year", "write 1, 2, 3, 4, 6 or 12")
    return Funding(table.float_months, table.every_months)


def _performance(table: t.PerformanceTable, faults: Faults) -> Performance:
    bands = tuple((band.score_from, band.released_percent) for band in table.band)
    if not bands or list(bands) != sorted(bands) or bands[0][0] != 0:
        remedy = "write the lowest first, from score 0"
        faults.add(table.where.file, f"{table.where.key}.band", "bands are missing or out of order", remedy)
    if sum(indicator.weight_percent for indicator in table.indicator) != PPM:
        message = "the weights do not add up to 100 percent"
        faults.add(table.where.file, f"{table.where.key}.indicator", message, "correct the weights")
    return Performance(
        pot_ppm=table.pot_percent,
        redistributes=table.forfeited == "redistribute",
        bands=bands,
        indicators=tuple(_indicator(indicator, faults) for indicator in table.indicator),
    )


def _indicator(table: t.IndicatorTable, faults: Faults) -> Indicator:
    limits = [band.up_to for band in table.band]
    ends = [limit for limit in limits[:-1] if limit is not None]
    measured = table.measure != "scored"
    right = bool(limits) and limits[-1] is None and len(ends) == len(limits) - 1 and ends == sorted(ends)
    if measured and not right:
        remedy = "order by up_to; the last, and only it, has none"
        faults.add(table.where.file, f"{table.where.key}.band", "bands are missing or out of order", remedy)
    if limits and not measured:
        message = "is not read where a file gives the score"
        faults.add(table.where.file, f"{table.where.key}.band", message, "remove the bands")
    scores = tuple((band.up_to, band.score) for band in table.band)
    return Indicator(table.id, table.name_zh, table.weight_percent, table.basis, table.measure, scores)
