"""A rule pack: the folder of one pool (统筹区) and what ``pack.toml`` and ``hospitals.csv`` say.

``pack.toml`` names the codes of the pool: counties, level groups, person groups, kinds of care, assistance categories,
diseases, programmes, grouping schemes. Values of law stand in ``benefit/*.toml`` and the files of other sections.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec

from adjudicator.codes import CareKind, Channel, Filing, Place, Scheme
from adjudicator.limits import FIRST_DATE, LAST_DATE
from adjudicator.options import Overlap, QuotaPeriod, YearBy
from adjudicator.rulefile.dated import DatedValue, Source
from adjudicator.rulefile.fields import CodeList, Date, Members, Schemes, Where


class Area(msgspec.Struct, frozen=True):
    """A county of the pool (参保区划)."""

    code: int
    name: str
    name_zh: str


class LevelGroup(msgspec.Struct, frozen=True):
    """A group of hospital levels with its own deductible and rates (起付线医院等级)."""

    id: str
    name: str
    name_zh: str
    hosp_lv: list[str] = []
    """National levels that fall into it outside the pool's register."""


class PersonGroup(msgspec.Struct, frozen=True):
    """Persons with their own values; the longest person type that fits decides."""

    id: str
    name: str
    name_zh: str
    scheme: str
    person_types: list[str]
    contribution_tiers: list[int] = []
    """Empty: every tier."""


class CareType(msgspec.Struct, frozen=True):
    """A local medical category (医疗类别), beside the national ones."""

    code: str
    kind: str


class AssistanceCategory(msgspec.Struct, frozen=True):
    """A category of medical assistance (救助对象类别)."""

    id: str
    name: str
    name_zh: str


class Overlaps(NamedTuple):
    """What happens to a claim whose days overlap a settled one; the names are those of the options."""

    same_stay: Overlap = Overlap.WARN
    """A stay that the institution has settled under another encounter id."""
    overlapping_stays: Overlap = Overlap.WARN
    """Stays of two institutions at one time."""
    visit_in_stay: Overlap = Overlap.WARN
    """An outpatient visit within a stay; a stay around an earlier visit is never refused."""


OVERLAPS_WARN = Overlaps()


class PackOptions(msgspec.Struct, frozen=True):
    """Which date decides (V08), and what happens to overlapping stays."""

    rule_date: str = "discharge"
    benefit_year: str = "discharge"
    benefit_year_begins: str = "01-01"
    """Month and day on which a benefit year begins."""
    same_stay: str = "warn"
    overlapping_stays: str = "warn"
    visit_in_stay: str = "warn"
    document: str = ""
    clause: str = ""
    link: str = ""
    checked_on: datetime.date | None = None
    evidence: str = ""


class GroupingName(msgspec.Struct, frozen=True):
    """A DRG grouping scheme and from when it is used."""

    scheme: str
    from_: datetime.date = msgspec.field(name="from")
    to: datetime.date | None = None


class NotCovered(msgspec.Struct, frozen=True, kw_only=True):
    """Claims that the pack has no rule for on purpose; what is not written is all."""

    where: Where
    scheme: Schemes = ()
    care: Annotated[tuple[int, ...], Members(CareKind)] = ()
    place: Annotated[tuple[int, ...], Members(Place)] = ()
    filing: Annotated[tuple[int, ...], Members(Filing)] = ()
    """Only of care outside the pool."""
    channel: Annotated[tuple[int, ...], Members(Channel)] = ()
    person_group: CodeList = ()
    level: CodeList = ()
    maternity: CodeList = ()
    """Maternity classes, as in ``maternity_quota_yuan``."""
    from_: Date = msgspec.field(name="from", default=FIRST_DATE)
    to: Date = LAST_DATE
    reason: str
    """Why, such as what the documents leave out."""


class PackHeader(msgspec.Struct, frozen=True):
    """The single values at the top of ``pack.toml``."""

    id: str
    name: str
    name_zh: str
    pool: int
    province_wide: bool = False
    """The pool is a whole province or a municipality such as Beijing: all its areas are local to each other."""
    include: list[str] = []
    note: str = ""


NO_DEDUCTIBLE = -2
"""In place of days: a stay with the disease, or in the ward, has no deductible."""


def span_of(pool: int, province_wide: bool) -> int:
    """Return what divides the six digits of an area so that the pool is left: of a province, a city or a county.

    >>> span_of(500_000, True), span_of(330_100, False), span_of(429_004, False)
    (10000, 100, 1)
    """
    if province_wide:
        return 10_000
    return 100 if pool % 100 == 0 else 1


@dataclass(frozen=True, slots=True)
class Hospital:
    """A row of the hospital register."""

    code: str
    name: str
    area: int
    county: int
    """Index of the area in the pack, -1 for a hospital outside the pool, which has a level of the pool all the same."""
    hosp_lv: str
    deductible_level: int
    """Index of the level group for deductible and rates."""
    price_level: int
    """Index of the level group for price ceilings."""
    payment_class: str
    """Class of the hospital in provider payment, e.g. a points city's coefficient class."""
    note: str
    from_date: int = FIRST_DATE
    """First day of the row; an institution has a row for each period in which it is the same."""
    to_date: int = LAST_DATE

    def holds_on(self, date: int) -> bool:
        """Return whether the row is the institution's on a day YYYYMMDD."""
        return self.from_date <= date <= self.to_date


@dataclass(frozen=True, slots=True)
class Disease:
    """A row of the disease list (病种目录)."""

    code: str
    name: str
    name_zh: str
    period: QuotaPeriod
    quotas: tuple[DatedValue, ...] = ()
    """Most that the fund pays in one period; ``value`` is (scheme or UNKNOWN for all, person group or -1, fen, care).

    The last one names the kinds of care that it limits, as bits ``1 << CareKind``.
    """
    fixed_prices: tuple[DatedValue, ...] = ()
    """Fixed price in fen, in the same form."""
    stays: tuple[DatedValue, ...] = ()
    """After how many days a long stay is charged again, 0 never, or NO_DEDUCTIBLE, in the same form."""


@dataclass(frozen=True, slots=True)
class Ward:
    """Departments in which the deductible of a stay is counted in their own way, such as psychiatric wards."""

    id: str
    name: str
    name_zh: str
    departments: tuple[str, ...]
    """Codes of the department of discharge; one of three characters stands for its parts too (A15: A15.01)."""
    stays: tuple[DatedValue, ...] = ()
    """In the form of ``Disease.stays``."""


@dataclass(frozen=True, slots=True)
class ProgrammePart:
    """A part of a supplementary insurance (惠民保): what counts, and its threshold, rate and limit of the year."""

    counts_ppm: tuple[int, int, int, int]
    """Share of the personal burden that counts: in scope, first pay, over the ceiling, self-paid."""
    threshold_fen: int
    rate_ppm: int
    cap_fen: int


@dataclass(frozen=True, slots=True)
class Programme:
    """A dated programme (专项保障), such as the epidemic rule: it overrides and adds a payer."""

    id: str
    name: str
    name_zh: str
    source: Source
    pays_parts: int
    """Bit mask of options.BurdenPart: which personal share it takes."""
    pays_ppm: int
    no_deductible: bool
    no_cross_region: bool
    no_cap: bool
    rate_at_least_ppm: int
    """The pooled fund pays at least this rate; 0 no such rule."""
    parts: tuple[ProgrammePart, ...] = ()
    """What it pays above thresholds of the year, before what it pays of the rest."""
    whole_burden: bool = False
    """Each part counts the burden before all parts; else what the parts before it left."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """A DRG grouping scheme of the pack and when it is used; dates YYYYMMDD."""

    scheme: str
    from_date: int
    to_date: int


@dataclass(frozen=True, slots=True)
class Pack:
    """One pool's rules, read and checked."""

    id: str
    name: str
    name_zh: str
    pool: int
    """Six-digit code of the city, e.g. 330100."""
    folder: Path
    includes: tuple[Path, ...]
    """Folders of shared provincial values."""
    areas: tuple[Area, ...]
    levels: tuple[LevelGroup, ...]
    person_groups: tuple[PersonGroup, ...]
    care_types: dict[str, CareKind]
    """Medical category -> kind of care: the national defaults with the pack's own on top."""
    assistance: tuple[AssistanceCategory, ...]
    """Category n of a claim is entry n - 1; 0 is none."""
    diseases: tuple[Disease, ...]
    programmes: tuple[Programme, ...]
    """Programme n of a claim is entry n - 1; 0 is none."""
    hospitals: tuple[Hospital, ...]
    groupings: tuple[Grouping, ...]
    schemes: frozenset[Scheme]
    rule_date: YearBy
    benefit_year: YearBy
    year_begins: int
    """Month and day, MMDD."""
    overlaps: Overlaps = OVERLAPS_WARN
    not_covered: tuple[NotCovered, ...] = ()
    """Holes of the rules that are on purpose; ``rules check`` reports all others."""
    plans: tuple[Any, ...] = ()
    """plan_source.PlanSource of the pack, in order."""
    wards: tuple[Ward, ...] = ()
    province_wide: bool = False
    raw: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """``pack.toml`` as read, for sections that keep options there."""
    sources: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """Every file of the pack as canonical data, for the hash."""

    @property
    def span(self) -> int:
        """What divides the six digits of an area so that the pool is left (``span_of``)."""
        return span_of(self.pool, self.province_wide)

    @property
    def province(self) -> int:
        """First two digits of the pool's code."""
        return self.pool // 10_000

    @property
    def level_ids(self) -> tuple[str, ...]:
        """Names of the level groups, by index."""
        return tuple(level.id for level in self.levels)

    @property
    def group_ids(self) -> tuple[str, ...]:
        """Names of the person groups, by index."""
        return tuple(group.id for group in self.person_groups)

    @property
    def assistance_ids(self) -> tuple[str, ...]:
        """Names of the assistance categories; index 0 is none."""
        return ("", *(category.id for category in self.assistance))

    @property
    def payment_classes(self) -> tuple[str, ...]:
        """Payment classes of the register, in order of appearance."""
        return tuple(dict.fromkeys(hospital.payment_class for hospital in self.hospitals if hospital.payment_class))

    def register_on(self, date: int) -> dict[str, Hospital]:
        """Return the institutions that are registered on a day, by code."""
        return {one.code: one for one in self.hospitals if one.holds_on(date)}

    def grouping_on(self, date: int) -> str:
        """Name of the grouping scheme of a day, "" if none."""
        for grouping in self.groupings:
            if grouping.from_date <= date <= grouping.to_date:
                return grouping.scheme
        return ""
