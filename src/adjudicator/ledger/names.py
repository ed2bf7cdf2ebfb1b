"""Fields of the totals: ``county|scheme|fund`` in national codes, so that a person can read them with any client."""

from __future__ import annotations

from functools import cache

from adjudicator.codes import SCHEME_CODES, SCHEME_NATIONAL, Scheme
from adjudicator.errors import E, refuse
from adjudicator.payers import LEDGER, Fund, of


@cache
def scheme_text(scheme: int) -> str:
    """National code of a scheme; its number where there is none.

    >>> scheme_text(1)
    '310'
    """
    return SCHEME_NATIONAL.get(Scheme(scheme)) or str(int(scheme))


@cache
def fund_text(scheme: int, fund: int) -> str:
    """Fund payment type, or the name of an account of the ledger.

    Errors: E.UNKNOWN_SCHEME for a scheme that has no such fund; nothing is posted to the fund of another scheme.

    >>> fund_text(2, 0), fund_text(2, 10)
    ('390100', 'claims')
    """
    payer, known = of(fund), Scheme(scheme)
    if not payer.exists_in(known):
        raise refuse(E.UNKNOWN_SCHEME, "scheme")
    return payer.code_in(known)


@cache
def total_field(county: int, scheme: int, fund: int) -> str:
    """Field of a month's totals.

    >>> total_field(330102, 2, 0)
    '330102|390|390100'
    """
    return f"{county:06d}|{scheme_text(scheme)}|{fund_text(scheme, fund)}"


_SCHEMES = {scheme_text(scheme): scheme for scheme in Scheme}
_FUNDS: dict[tuple[Scheme, str], Fund] = {
    (scheme, payer.code_in(scheme)): Fund(place)
    for place, payer in enumerate(LEDGER)
    for scheme in Scheme
    if payer.exists_in(scheme)
}


def parse_scheme(text: str) -> Scheme:
    """Scheme of a national code. Errors: E.UNKNOWN_SCHEME.

    >>> parse_scheme("391")
    <Scheme.RESIDENT: 2>
    """
    known = SCHEME_CODES.get(text, _SCHEMES.get(text))
    if known is None:
        raise refuse(E.UNKNOWN_SCHEME, "scheme")
    return known


@cache
def parse_total_field(text: str) -> tuple[int, Scheme, Fund]:
    """County, scheme and fund of a field. Errors: KeyError or ValueError for a field that this ledger never writes.

    >>> parse_total_field("330102|390|390100")
    (330102, <Scheme.RESIDENT: 2>, <Fund.POOLED: 0>)
    """
    county, scheme, fund = text.split("|")
    known = _SCHEMES[scheme]
    return int(county), known, _FUNDS[known, fund]
