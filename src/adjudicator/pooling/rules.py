"""``pooling.toml``: clearing terms, budgets, capitation, deficit sharing, levies and warning lines, dated and sourced.

A pooling file may stand alone (``packs/pooling_examples/*.toml``) or in a pack. Tables: docs/pooling.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from adjudicator.codes import SCHEME_CODES
from adjudicator.errors import E, refuse
from adjudicator.payment.point_values import POINT_KINDS, POOL_SUFFIXES
from adjudicator.payment.reader import Node, Source, read_toml
from adjudicator.pooling.calibrate import Calibration
from adjudicator.pooling.capitation import Weights
from adjudicator.pooling.clearing import FUND_ONLY, TOTAL_COST, Terms
from adjudicator.pooling.deficit import COUNTY, Levy, Rule, Shares, Step
from adjudicator.pooling.packages import QuotaTerms
from adjudicator.pooling.warning import Lines
from adjudicator.rounding import PPM
from adjudicator.rulefile.faults import Faults

FILE = "pooling.toml"
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Dated(Generic[Value]):
    """A value, the schemes it is for (empty: all), and where it comes from."""

    value: Value
    schemes: tuple[str, ...]
    source: Source
    kind: str = "drg"
    """Kind of points, for clearing terms and budgets."""


@dataclass(frozen=True, slots=True)
class CapitationTerms:
    """Terms of capitation; amounts in fen, rates in ppm."""

    quota_fen: int
    weights: Weights
    surplus_kept_ppm: int
    overspend_shared_ppm: int
    year_weights_ppm: tuple[int, ...]
    growth_ppm: int


@dataclass(slots=True)
class PoolingRules:
    """Everything pooling.toml says, in the order of the file."""

    name: str
    clearing: list[Dated[Terms]] = field(default_factory=list)
    budgets: list[Dated[int]] = field(default_factory=list)
    calibration: list[Dated[Calibration]] = field(default_factory=list)
    capitation: list[Dated[CapitationTerms]] = field(default_factory=list)
    quota_year: list[Dated[QuotaTerms]] = field(default_factory=list)
    deficit: list[Dated[Rule]] = field(default_factory=list)
    levies: list[Dated[Levy]] = field(default_factory=list)
    warnings: list[Dated[Lines]] = field(default_factory=list)
    old_gap_years: list[Dated[int]] = field(default_factory=list)

    def terms(self, date: int) -> dict[str, Terms]:
        """Clearing terms on a day by scheme code; ``310/outpatient`` for outpatient points."""
        return _by_pool(self.clearing, date)

    def budget(self, date: int) -> dict[str, int]:
        """The fund's budget of the year, keyed as the terms."""
        return _by_pool(self.budgets, date)

    def pick(self, kind: str, date: int, scheme: str) -> Any:
        """The value of one kind on a day for a scheme; a missing one is an error that names the table."""
        entry = _find(getattr(self, kind), date, scheme)
        if entry is None:
            raise refuse(E.PAYMENT_RULE_UNDEFINED, kind, f"{self.name} has no [[{kind}]] for scheme {scheme} on {date}")
        return entry.value

    def documents(self, date: int) -> list[str]:
        """Documents of the deficit, levy and warning rules of a day, with their clause."""
        entries: list[Dated] = [*self.deficit, *self.levies, *self.old_gap_years, *self.warnings]
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


def _by_pool(entries: list, date: int) -> dict:
    found: dict[str, Any] = {}
    for kind, suffix in zip(POINT_KINDS, POOL_SUFFIXES, strict=True):
        own = [entry for entry in entries if entry.kind == kind]
        found |= {code + suffix: entry.value for code in SCHEME_CODES if (entry := _find(own, date, code))}
    return found


def _find(entries: list, date: int, scheme: str) -> Any:
    for entry in entries:
        fits = not entry.schemes or scheme in entry.schemes
        if fits and entry.source.from_date <= date <= entry.source.to_date:
            return entry
    return None


def load_pooling(path: Path, faults: Faults) -> PoolingRules:
    """Reads a pooling file, or the one in a pack folder; every fault is collected."""
    folder, name = (path, FILE) if path.is_dir() else (path.parent, path.name)
    result = PoolingRules(folder.name if path.is_dir() else path.stem)
    node = read_toml(folder, name, faults)
    if node is None:
        if not (folder / name).exists():
            faults.add(name, "file", "does not exist", "add it, or name a pooling file")
        return result
    english = node.text("name", "")
    result.name = node.text("name_zh", "") or english or result.name
    readers: dict[str, tuple[list, Callable[[Node], Any]]] = {
        "clearing": (result.clearing, _clearing),
        "budget": (result.budgets, lambda table: table.fen("amount")),
        "calibration": (result.calibration, _calibration),
        "capitation": (result.capitation, _capitation),
        "quota_year": (result.quota_year, _quota_year),
        "deficit": (result.deficit, _deficit),
        "levy": (result.levies, _levy),
        "warning": (result.warnings, _warning),
        "old_gaps": (result.old_gap_years, lambda table: table.integer("years", low=1, high=50)),
    }
    for key, (into, reader) in readers.items():
        for table in node.children(key):
            into.append(_dated(table, reader))
        _check_overlap(name, key, into, faults)
    node.finish()
    return result


def _dated(table: Node, reader: Callable[[Node], Any]) -> Dated:
    schemes = tuple(table.texts("schemes", []))
    for code in schemes:
        if code not in SCHEME_CODES:
            table.fault("schemes", f"{code!r} is not a scheme", "write " + ", ".join(SCHEME_CODES))
    source = table.source()
    table.text("note", "")
    kind = table.choice("kind", POINT_KINDS, "drg") if table.key.startswith(("clearing", "budget")) else "drg"
    value = reader(table)
    table.finish()
    return Dated(value, schemes, source, kind)


def _check_overlap(name: str, key: str, entries: list[Dated], faults: Faults) -> None:
    for place, one in enumerate(entries):
        for other in entries[:place]:
            both = not one.schemes or not other.schemes or set(one.schemes) & set(other.schemes)
            alike = one.kind == other.kind and (key != "levy" or one.value.fund == other.value.fund)
            if both and alike and one.source.overlaps(other.source):
                faults.add(
                    name, f"{key}[{place}]", "overlaps an earlier table for the same scheme", "end that one before"
                )


def _clearing(table: Node) -> Terms:
    bands: tuple[tuple[int, int], ...] = ()
    deposit, forfeited = 0, "fund"
    quality = table.child("quality")
    if quality is not None:
        deposit = quality.ppm("deposit")
        forfeited = quality.choice("forfeited", ("fund", "redistribute"))
        listed = []
        for band in quality.children("band"):
            listed.append((band.integer("score_from", low=0, high=1000), band.ppm("released")))
            band.finish()
        if not listed or listed != sorted(listed):
            quality.fault("band", "bands are missing or out of order", "write them by score_from, lowest first")
        bands = tuple(listed)
        quality.finish()
    year_total = table.choice("year_total", ("budget", "shared"), "budget")
    shared = year_total == "shared"
    return Terms(
        mode=table.choice("mode", (TOTAL_COST, FUND_ONLY)),
        prepay_ppm=table.ppm("prepay"),
        reserve_ppm=table.ppm("reserve", 0),
        year_total=year_total,
        surplus_kept_ppm=table.ppm("surplus_kept") if shared else table.ppm("surplus_kept", 0),
        overspend_borne_ppm=table.ppm("overspend_borne") if shared else table.ppm("overspend_borne", PPM),
        deposit_ppm=deposit,
        deposit_bands=bands,
        forfeited=forfeited,
    )


def _calibration(table: Node) -> Calibration:
    bands = []
    for band in table.children("upper"):
        bands.append((band.e8("points_up_to", 10**14), band.ppm("multiple", high=50 * PPM)))
        band.finish()
    trim = table.choice("trim", ("none", "multiples", "middle"))
    if trim == "multiples" and (not bands or bands[-1][0] != 10**14):
        table.fault(
            "upper", "has no band without points_up_to", "write [[calibration.upper]] bands, the last without end"
        )
    return Calibration(
        scale_e8=table.e8("scale", 100 * 10**8),
        decimals=table.integer("decimals", 4, 0, 8),
        trim=trim,
        upper_ppm=tuple(bands) or ((10**14, 50 * PPM),),
        lower_ppm=table.ppm("lower") if trim == "multiples" else table.ppm("lower", 0),
        drop_ppm=table.ppm("drop", high=499_999) if trim == "middle" else table.ppm("drop", 0),
        min_cases=table.integer("min_cases", low=1, high=1000),
        cv_max_ppm=table.ppm("cv_max", high=10 * PPM),
        own_weight_ppm=table.ppm("own_weight", PPM),
        level_weight_ppm=table.ppm("level_weight", 0),
        coefficient_decimals=table.integer("coefficient_decimals", 4, 0, 8),
    )


def _capitation(table: Node) -> CapitationTerms:
    ages = []
    for band in table.children("age"):
        ages.append((band.integer("up_to_years", 200, 0, 200), band.ppm("weight", high=100 * PPM)))
        band.finish()
    weights = tuple(table.scaled(f"year_{n}_weight", 6, 0) for n in (1, 2, 3))
    if any(weights) and sum(weights) != PPM:
        table.fault(
            "year_1_weight", "the three years do not add up to 1", "write year_1_weight (oldest) to year_3_weight"
        )
    return CapitationTerms(
        table.fen("quota_per_person"),
        Weights(tuple(ages) or ((200, PPM),), table.ppm("chronic_weight", PPM, 100 * PPM)),
        table.ppm("surplus_kept"),
        table.ppm("overspend_shared"),
        weights if any(weights) else (),
        table.ppm("growth", 0),
    )


def _quota_year(table: Node) -> QuotaTerms:
    return QuotaTerms(
        table.ppm("band"),
        table.ppm("band_share"),
        table.ppm("reward"),
        table.ppm("reward_cap"),
        table.ppm("no_reward_above", PPM),
    )


def _shares(table: Node, key: str, required: bool) -> Shares:
    listed = []
    for entry in table.children(key):
        listed.append((entry.text("payer"), entry.ppm("rate")))
        entry.finish()
    if (required or listed) and sum(rate for _, rate in listed) != PPM:
        table.fault(
            key, "rates do not add up to 1", "write every payer with its rate, the one that takes the rest last"
        )
    return tuple(listed) or (((COUNTY, PPM),) if required else ())


def _deficit(table: Node) -> Rule:
    steps = tuple(_step(step) for step in table.children("step"))
    if not steps:
        table.fault("step", "is missing", "write [[deficit.step]] tables in order")
    funds = tuple(table.texts("funds", []))
    return Rule(table.text("id"), (), funds, steps)


def _step(table: Node) -> Step:
    kind = table.choice("kind", ("own_surplus", "share", "bands", "eligible", "matched"))
    bands = []
    for band in table.children("band"):
        bands.append((band.ppm("up_to", -1, 100 * PPM), _shares(band, "shares", True)))
        band.finish()
    limits = [limit for limit, _ in bands]
    if kind == "bands" and (not bands or limits != sorted(limits, key=lambda limit: limit if limit >= 0 else 10**12)):
        table.fault("band", "bands are missing or out of order", "order by up_to; only the last may have none")
    step = Step(
        kind=kind,
        counties=frozenset(table.texts("counties")) if table.has("counties") else None,
        shares=_shares(table, "shares", kind in ("share", "eligible")),
        shortage=_shares(table, "shortage", False),
        reading=table.choice("reading", ("whole", "marginal"), "whole"),
        bands=tuple(bands),
        eligible_ppm=table.ppm("over_plan_up_to", high=10 * PPM) if kind == "eligible" else 0,
        rest=table.text("rest", COUNTY),
        months_e2=table.scaled("months", 2) if kind == "matched" else 0,
        base_ppm=table.ppm("base_rate") if kind == "matched" else 0,
        fund=table.text("fund") if kind == "matched" else "",
    )
    table.finish()
    return step


def _levy(table: Node) -> Levy:
    basis = table.choice("basis", ("last_financing", "financing", "months"))
    return Levy(
        fund=table.text("fund"),
        schemes=(),
        basis=basis,
        rate_ppm=table.ppm("rate") if basis != "months" else 0,
        months_e2=table.scaled("months", 2) if basis == "months" else 0,
        cap_ppm=table.ppm("stops_at", -1, 10 * PPM),
        cut_at_cap=table.boolean("cut_at_cap", False),
    )


def _warning(table: Node) -> Lines:
    return Lines(
        low_months_e2=table.scaled("low_months", 2, 300),
        normal_from_e2=table.scaled("normal_from_months", 2, 600),
        normal_to_e2=table.scaled("normal_to_months", 2, 900),
        high_months_e2=table.scaled("high_months", 2, 1500),
        target_months_e2=table.scaled("target_months", 2, -1),
        target_surplus_ppm=table.ppm("target_surplus", -1),
        growth_at_most_ppm=table.ppm("growth_at_most", -1),
    )
