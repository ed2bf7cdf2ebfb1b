"""Totals of a pool: what each county's funds owe, by month and scheme, as of one moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from adjudicator.codes import Scheme
from adjudicator.errors import E, refuse
from adjudicator.ledger import keys as names
from adjudicator.ledger.connection import Connection, Script
from adjudicator.ledger.names import fund_text, parse_scheme, parse_total_field, scheme_text
from adjudicator.payers import Fund

TOTALS = Script("totals.lua")


@dataclass(frozen=True, slots=True, order=True)
class Total:
    """One total; ``amount_fen`` is a count for Fund.CLAIMS."""

    county: str
    month: int
    scheme: Scheme
    fund: Fund
    amount_fen: int

    @property
    def scheme_code(self) -> str:
        """National code of the scheme."""
        return scheme_text(self.scheme)

    @property
    def fund_code(self) -> str:
        """Fund payment type."""
        return fund_text(self.scheme, self.fund)


@dataclass(frozen=True, slots=True)
class Totals:
    """Totals of a pool at one moment; ``version`` is the position of the journal they stand for."""

    pool: str
    version: int
    rows: list[Total] = field(default_factory=list)


class Selection(NamedTuple):
    """Which totals somebody asks for; the usual values mean all."""

    county: str = ""
    month: int = 0
    scheme: Scheme | None = None

    @classmethod
    def of(cls, county: str | None, month: int, scheme: str | Scheme | None) -> Selection:
        """``month`` YYYYMM or 0, ``scheme`` a national code or codes.Scheme. Errors: E.UNKNOWN_SCHEME."""
        wanted = parse_scheme(scheme) if isinstance(scheme, str) and scheme else scheme or None
        return cls(county or "", month, wanted if isinstance(wanted, Scheme) else None)

    def has(self, total: Total) -> bool:
        """Whether a total is one of these."""
        return (
            self.county in ("", total.county) and self.month in (0, total.month) and self.scheme in (None, total.scheme)
        )


async def read_totals(connection: Connection, pool: str, selection: Selection) -> Totals:
    """Read totals as of one moment; what it costs does not depend on the number of settlements.

    Errors: E.LEDGER_CORRUPT for a total that the ledger never writes, E.STORE_AWAY.
    """
    month = f"{selection.month:06d}" if selection.month else ""
    version, _, *months = await connection.call(TOTALS, names.version(pool), [names.prefix(pool), month])
    rows = []
    for month_text, values in zip(months[::2], months[1::2], strict=True):
        for name, amount in zip(values[::2], values[1::2], strict=True):
            try:
                county, scheme, fund = parse_total_field(name.decode())
            except (KeyError, ValueError) as error:
                raise refuse(E.LEDGER_CORRUPT, detail="a total of an unknown field") from error
            total = Total(f"{county:06d}", int(month_text), scheme, fund, int(amount))
            if selection.has(total):
                rows.append(total)
    return Totals(pool, int(version), sorted(rows))
