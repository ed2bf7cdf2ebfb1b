"""The tables of ``[[drg]]`` and the rows of its CSV files as they are written."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from adjudicator.payment.conditions import ConditionTable
from adjudicator.payment.exact import E8
from adjudicator.payment.methods.drg.terms import Cap, High, Low, Mode, RatioTo, Ungrouped
from adjudicator.rounding import PPM
from adjudicator.rulefile.dated import Source
from adjudicator.rulefile.evidence import Support
from adjudicator.rulefile.fields import (
    CodeList,
    Coefficient,
    Decimals,
    Member,
    Number,
    Percent,
    Points,
    Where,
    Yuan,
    count,
    factor,
)

ALL_POINTS = 10**14
"""Points of a band without end, in 1e-8."""
Neighbour = Annotated[int, Number("percent", 4, 0, 10 * PPM)]
"""Part of the coefficient of a neighbouring level."""
Multiple = Annotated[int, factor(50)]
Weight = Annotated[int, factor(1)]
Ratio = Annotated[RatioTo, Member(RatioTo)]


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """What every block inside a ``[[drg]]`` table says: its evidence."""

    where: Where
    support: Support

    @property
    def unverified(self) -> int:
        """1 where nobody compared the block with its document."""
        return int(not self.support.evidence.verified)


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """The weight of each component of a coefficient; together they make 1."""

    hospital: Weight | None = None
    level: Weight | None = None
    burden: Weight | None = None
    cmi: Weight | None = None
    visits: Weight | None = None


class CoefficientTable(Block, frozen=True, kw_only=True):
    """How the coefficient of a hospital and group comes about."""

    family: Annotated[int, count(1, 3)]
    weights: Weights | None = None
    file: str = ""
    missing_up_percent: Neighbour | None = None
    """A level without value takes this part of the next higher level (R30)."""
    missing_down_percent: Neighbour | None = None
    """A level without value takes this part of the next lower level (R30)."""
    missing_hospital: Literal["error", "level"] = "error"
    floor: Coefficient = 0
    cap: Coefficient = 100 * E8
    decimals: Decimals = 8
    no_coefficient: CodeList = ()
    new_groups: CodeList = ()


class IncompleteTable(Block, frozen=True, kw_only=True):
    """Incomplete stays: by cost, up to a cap."""

    discharge_way: CodeList = ()
    mid_stay: bool = False
    use_coefficient: bool
    cap: Annotated[Cap, Member(Cap)]


class LowTable(Block, frozen=True, kw_only=True):
    """Cases of low cost."""

    strategy: Annotated[Low, Member(Low)]
    ratio_to: Ratio
    inclusive: bool = False
    use_coefficient: bool = False
    multiple: Multiple


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """The multiple above which a case of a group of up to these points is high."""

    up_to_points: Points = ALL_POINTS
    multiple: Multiple


class HighTable(Block, frozen=True, kw_only=True):
    """Cases of high cost."""

    strategy: Annotated[High, Member(High)]
    ratio_to: Ratio
    inclusive: bool = False
    use_coefficient: bool = False
    band: tuple[Band, ...]


class SupportTable(ConditionTable, frozen=True, kw_only=True):
    """Cases that have more points; the highest rate that fits is added."""

    rate_percent: Annotated[int, Number("percent", 4, 1, 10 * PPM)]


class ReadmissionTable(Block, frozen=True, kw_only=True):
    """A second stay within some days in the same group takes points from the earlier one (R31)."""

    days: Annotated[int, count(0, 365)]
    factor_percent: Percent
    exempt_drg: CodeList = ()
    exempt_diagnosis: CodeList = ()


class SpecialCasesTable(Block, frozen=True, kw_only=True):
    """Special-case review (特例单议)."""

    limit_percent: Percent = 0
    limit_class_percent: dict[str, Percent] = {}
    rounding: Literal["up", "down", "undefined"]
    swap_percent: Percent = 0


class DrgTable(msgspec.Struct, frozen=True, kw_only=True):
    """DRG points: base points, hospital coefficients, what becomes of unusual cases."""

    where: Where
    source: Source
    note: str = ""
    file: str
    """CSV of the base points."""
    scale_points: Annotated[int, Number("points", 8, 1, ALL_POINTS)] = 100 * E8
    decimals: Decimals = 4
    all_average_yuan: Yuan = 0
    mode: Annotated[Mode, Member(Mode)]
    ungrouped: Annotated[Ungrouped, Member(Ungrouped)] = Ungrouped.UNDEFINED
    no_points: CodeList = ()
    no_points_reason: str = ""
    coefficient: CoefficientTable
    incomplete: IncompleteTable | None = None
    low: LowTable | None = None
    high: HighTable | None = None
    support: tuple[SupportTable, ...] = ()
    readmission: ReadmissionTable | None = None
    special_cases: SpecialCasesTable | None = None


class GroupRow(msgspec.Struct, frozen=True, kw_only=True):
    """One group in the CSV of base points; a column ``average_CLASS_yuan`` a payment class may follow."""

    where: Where
    drg: str
    kind: Literal["case", "bed_day"] = "case"
    base_points: Points | None = None
    average_yuan: Yuan = 0


class CoefficientRow(msgspec.Struct, frozen=True, kw_only=True):
    """One value in the CSV of coefficients."""

    where: Where
    component: Literal["hospital", "level", "burden", "cmi", "visits"]
    subject: str
    drg: str = ""
    value: Annotated[int, Number("", 8, 1, 100 * E8)]
