"""The figures of one county and scheme in a year, as a pool's rules read them."""

from __future__ import annotations

from dataclasses import dataclass

from adjudicator.errors import E, refuse

NOT_GIVEN = -1
"""An amount that was not given; it is never counted as 0."""

FIGURES_ZH = {
    "income": "当年收入", "expenditure": "当年支出", "carried": "年初累计结余", "financing": "当年统筹基金筹资",
    "last_financing": "上年统筹基金筹资", "last_expenditure": "上年支出", "plan_expenditure": "计划支出",
    "contribution_base": "上年缴费基数", "treasury_paid": "财政已补助",
}  # fmt: skip
"""Figures by the name of their column, without ``_yuan``."""


@dataclass(frozen=True, slots=True)
class CountyYear:
    """One county and scheme in one year; amounts in fen, :data:`NOT_GIVEN` where not given."""

    county: str
    name: str
    scheme: str
    income_fen: int
    expenditure_fen: int
    """Payments for care; levies are not part of it."""
    carried_fen: int | None
    """Accumulated surplus at the start of the year, negative for an accumulated deficit; ``None``: not given."""
    financing_fen: int = NOT_GIVEN
    """Pooled financing of the year (统筹基金筹资)."""
    last_financing_fen: int = NOT_GIVEN
    last_expenditure_fen: int = NOT_GIVEN
    plan_expenditure_fen: int = NOT_GIVEN
    contribution_base_fen: int = NOT_GIVEN
    """Last year's contribution base (缴费基数)."""
    treasury_paid_fen: int = NOT_GIVEN
    old_gap_fen: int = 0
    levied_fen: int = 0
    """Levies that are booked as spending of the year."""

    @property
    def gap_fen(self) -> int:
        """Spending, with the levies that are booked as such, less income; a surplus is negative."""
        return self.expenditure_fen + self.levied_fen - self.income_fen

    @property
    def opening_fen(self) -> int:
        """Accumulated balance at the start of the year. Errors: E.CANNOT_CLEAR where it was not given."""
        return figure(self, "carried")


def figure(county: CountyYear, name: str) -> int:
    """Return a figure of a county in fen. Errors: E.CANNOT_CLEAR with county and column where it was not given."""
    value: int | None = getattr(county, f"{name}_fen")
    if value is None or (value < 0 and name != "carried"):
        column, zh = f"{name}_yuan", FIGURES_ZH[name]
        raise refuse(
            E.CANNOT_CLEAR, column, f"{column}: is missing for county {county.county}; fill the column",
            f"区县 {county.county} 缺少{zh}（{column}），请填写该列",
        )  # fmt: skip
    return value
