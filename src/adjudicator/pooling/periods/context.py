"""What the pooling commands read of a pack: codes, payment rules of the period, pooling rules."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adjudicator.codes import SCHEME_CODES
from adjudicator.errors import E, refuse
from adjudicator.money import MoneyError, split_by_weight, yuan_to_fen
from adjudicator.payment import section as payment
from adjudicator.payment.compile import PackPayment
from adjudicator.payment.methods.drg.reader import DrgTerms
from adjudicator.payment.point_values import POOL_SUFFIXES
from adjudicator.pooling.cases import Cases, check_cases
from adjudicator.pooling.hospitals.settlement import Rules
from adjudicator.pooling.rules import PoolingRules, load_pooling
from adjudicator.rulefile.faults import Faults
from adjudicator.rules.load import load_pack


@dataclass(slots=True)
class PoolContext:
    """One pool's rules for settlement."""

    id: str
    pool: str
    areas: dict[str, str]
    """County code -> Chinese name."""
    payment: PackPayment
    pooling: PoolingRules
    folder: Path
    """Of the pack."""
    names: dict[str, str] = field(default_factory=dict)
    """Institution code -> name in the register."""
    of_the_pool: frozenset[str] = frozenset()
    """Institutions inside the pool; the register also has others, which no method row takes by their code."""

    def drg_terms(self, date: int) -> DrgTerms | None:
        """DRG terms of a day."""
        for terms in self.payment.drg:
            if terms.source.from_date <= date <= terms.source.to_date:
                return terms
        return None

    def check(self, cases: Cases) -> None:
        """Raise :class:`adjudicator.rulefile.faults.PackError` naming what the pack does not know in the cases."""
        schemes = [self.payment.groupings.on(terms.source.from_date) for terms in self.payment.drg]
        groups = {group for codes in schemes if codes is not None for group in codes.drgs}
        check_cases(cases, self.areas, self.payment.view.hospitals, groups).raise_if_any("cases")

    def contract_fen(self, institution: str, scheme: str, month: int) -> int:
        """Quota a head of an institution's own capitation contract on a month's first day, 0 without one."""
        day = month * 100 + 1
        for contract in self.payment.contracts:
            mine = self.payment.view.hospitals[contract.hospital] == institution
            if (
                mine
                and contract.scheme == SCHEME_CODES[scheme]
                and contract.source.from_date <= day <= contract.source.to_date
            ):
                return int(contract.quota_fen)
        return 0

    def rules(self, date: int) -> Rules:
        """Return what a settlement of a period needs, as of its last day."""
        terms = self.drg_terms(date)
        if terms is None:
            return Rules(self.pooling.terms(date))
        return Rules(
            self.pooling.terms(date),
            terms.readmission,
            terms.special,
            self.payment.view.classes_on(date),
            int(terms.row["scale_e8"]),
            int(terms.row["all_average_fen"]),
            int(terms.row["rounding_unit_e8"]),
        )


def load_context(name: str) -> PoolContext:
    """Read a pack for pooling. Raises :class:`adjudicator.rulefile.faults.PackError` with every fault."""
    faults = Faults()
    pack = load_pack(name, faults)
    faults.raise_if_any(f"rule pack {name}")
    assert pack is not None
    rules = payment.load_section(pack.folder, pack, faults)
    pooling = load_pooling(pack.folder, faults)
    faults.raise_if_any(f"rule pack {name}")
    areas = {str(area.code): area.name_zh for area in pack.areas}
    own = frozenset(hospital.code for hospital in pack.hospitals if hospital.county >= 0)
    names = {hospital.code: hospital.name for hospital in pack.hospitals}
    return PoolContext(pack.id, str(pack.pool), areas, rules, pooling, Path(pack.folder), names, own)


def check_month(month: int) -> None:
    """Refuse what is not a month YYYYMM. Errors: E.CANNOT_CLEAR."""
    if not (190001 <= month <= 209912 and 1 <= month % 100 <= 12):
        detail = f"{month} is not a month; write YYYYMM, for example 202503"
        raise refuse(E.CANNOT_CLEAR, "month", detail, f"{month} 不是月份，请填写六位年月，如 202503")


def check_period(period: int) -> None:
    """Refuse what is neither a month YYYYMM nor a year YYYY. Errors: E.CANNOT_CLEAR."""
    if period > 10_000:
        check_month(period)
    elif not 1900 <= period <= 2099:
        detail = f"{period} is neither a year nor a month; write YYYY or YYYYMM, for example 2025 or 202503"
        raise refuse(
            E.CANNOT_CLEAR, "period", detail, f"{period} 不是年度或月份，请填写年度或六位年月，如 2025 或 202503"
        )


def first_month(period: int) -> int:
    """Return the first month of a month YYYYMM or a year YYYY.

    >>> first_month(2025), first_month(202503)
    (202501, 202503)
    """
    return period if period > 10_000 else period * 100 + 1


def last_day(period: int) -> int:
    """Last day of a month YYYYMM or a year YYYY.

    >>> last_day(202402), last_day(2025)
    (20240229, 20251231)
    """
    if period < 10_000:
        return period * 10_000 + 1231
    check_month(period)
    year, month = divmod(period, 100)
    return period * 100 + calendar.monthrange(year, month)[1]


def budgets(pooling: PoolingRules, period: int, decided_fen: Mapping[str, int]) -> dict[str, int]:
    """Budget of a period by scheme: as decided, else the pack's year, a month a twelfth."""
    year = pooling.budget(last_day(period))
    result = dict(year)
    if period > 10_000:
        result = {
            code: split_by_weight(amount, [1] * 12)[period % 100 - 1] for code, amount in year.items() if amount > 0
        }
        result |= {code: amount for code, amount in year.items() if amount <= 0}
    return {**result, **decided_fen}


def read_budgets(texts: Sequence[str]) -> dict[str, int]:
    """Budgets given as ``310=1234.56`` or ``310/outpatient=…``, in fen. Errors: E.UNKNOWN_SCHEME, E.NOT_AN_AMOUNT."""
    result = {}
    for text in texts:
        code, _, amount = text.partition("=")
        if code not in {scheme + suffix for scheme in SCHEME_CODES for suffix in POOL_SUFFIXES}:
            raise refuse(E.UNKNOWN_SCHEME, "budget", code)
        try:
            result[code] = yuan_to_fen(amount)
        except MoneyError as error:
            raise refuse(E.NOT_AN_AMOUNT, "budget", text) from error
    return result


def read_funds(texts: Sequence[str]) -> dict[str, int]:
    """Fund balances given as ``reserve=1234.56`` or ``310:reserve=…``; keys stay as given."""
    result = {}
    for text in texts:
        name, _, amount = text.partition("=")
        if name in result:
            detail = f"{name} is given twice; give each fund once"
            raise refuse(E.CANNOT_CLEAR, "fund", detail, f"{name} 给出两次，每个基金只给一次")
        try:
            result[name] = yuan_to_fen(amount)
        except MoneyError as error:
            raise refuse(E.NOT_AN_AMOUNT, "fund", text) from error
    return result
