"""Who pays a claim, and which accounts the ledger keeps: one table from which every other list follows.

Postings, identities, county tables, reconciliation, explanations, case files, the national JSON and the glossary loop
over this table; none of them names a payer by hand (``tests/test_payers.py``).
National codes and fields: fund payment type [fund_pay_type] and settlement result [setlinfo] of the national interface.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum

from adjudicator.codes import Scheme


class Fund(IntEnum):
    """Stored numbers of payers and accounts of the ledger; everything else about them is in the table below."""

    POOLED = 0
    LARGE_SUM = 1
    CATASTROPHIC = 2
    CIVIL_SERVANT = 3
    ENTERPRISE = 4
    ASSISTANCE = 5
    OTHER = 6
    ACCOUNT = 7
    HOSPITAL = 8
    PROVIDER_DUE = 9
    CLAIMS = 10
    TOTAL_COST = 11
    FAMILY_ACCOUNT = 12
    PROVIDER_FINAL = 13
    PROVIDER_PREPAID = 14
    PROVIDER_YEAR = 15
    PROVIDER_CAPITATION = 16
    PROVIDER_PRIOR = 17


class Identity(Enum):
    """The sum of the national result that an amount belongs to."""

    FUND = "fund"
    """F1: the funds add up to ``fund_total_fen``."""
    HOSPITAL = "hospital"
    """F2: total = funds + personal + hospital."""
    ACCOUNT = "account"
    """P1: personal = accounts + cash."""
    CASH = "cash"
    LEDGER = "ledger"
    """No payer of a settlement: an account that only the ledger has."""


class Origin(Enum):
    """The record that an account of the ledger is posted from."""

    BENEFIT = "columns.BENEFIT"
    PAYMENT = "columns.PAYMENT"
    CLAIM = "columns.CLAIM"
    COUNT = "one a settlement"
    POOLING = "posted by the month and the year, not by settlements"


@dataclass(frozen=True, slots=True)
class Payer:
    """One payer of a settlement or one account of the ledger."""

    id: str
    """Name in rule packs, explanations and reports."""
    fund: Fund | None
    """Stored number, the place in postings; None for cash, which no county owes and no total keeps."""
    en: str
    zh: str
    zh_short: str
    """Heading of a column."""
    identity: Identity
    code: str | Mapping[Scheme, str] = ""
    """Fund payment type, by scheme where it differs; the id for an account of this ledger."""
    field: str = ""
    """Field of ``Settlement`` in the answer."""
    national: str = ""
    """Field of the national result."""
    national_zh: str = ""
    """Chinese name of that field."""
    origin: Origin = Origin.BENEFIT
    columns: tuple[str, ...] = ()
    """Columns of the origin that add up to the amount."""
    columns_zh: tuple[str, ...] = ()
    """Chinese names of the columns where there are several; a case may expect each of them."""
    accumulators: tuple[str, ...] = ()
    """What the payer has paid this year in ``columns.ACCUMULATORS``."""
    is_liability: bool = False
    """True where the fund of the person's county owes the amount."""
    has_row: bool = False
    """True where an amount gets a row in ``funds`` of the answer [setldetail]."""

    @property
    def outcomes(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """What a case may expect of a payer: name, with the Chinese name and the columns that it sums.

        The whole has the name of the answer's field; where a column has that name, the whole is the ``_total``.

        >>> list(of(Fund.ASSISTANCE).outcomes), list(of(Fund.ACCOUNT).outcomes)
        (['assistance', 'tilt', 'assistance_total'], ['account_current', 'account_past', 'account'])
        """
        if len(self.columns) == 1:
            return {self.field.removesuffix("_fen"): (self.national_zh, self.columns)}
        named = zip(self.columns, self.columns_zh, strict=True)
        parts = {column.removesuffix("_fen"): (zh, (column,)) for column, zh in named}
        whole = self.field.removesuffix("_fen")
        return parts | {f"{whole}_total" if whole in parts else whole: (self.national_zh, self.columns)}

    def code_in(self, scheme: Scheme) -> str:
        """Return the fund payment type in a scheme. Errors: ValueError for a scheme that has no such fund."""
        if not self.exists_in(scheme):
            raise ValueError(f"the scheme {Scheme(scheme).name.lower()} has no fund {self.en!r}")
        return self.code if isinstance(self.code, str) else self.code[scheme]

    def exists_in(self, scheme: Scheme) -> bool:
        """Return whether a scheme has it."""
        return isinstance(self.code, str) or scheme in self.code

    @property
    def codes(self) -> tuple[str, ...]:
        """Every fund payment type that it goes by."""
        return (self.code,) if isinstance(self.code, str) else tuple(self.code.values())

    @property
    def is_national(self) -> bool:
        """True where the national interface has a code for it."""
        return all(code.isdigit() for code in self.codes)


PAYERS: tuple[Payer, ...] = (
    Payer(
        "pooled", Fund.POOLED, "pooled fund", "统筹基金", "统筹基金", Identity.FUND,
        {
            Scheme.EMPLOYEE: "310100", Scheme.RESIDENT: "390100",
            Scheme.RETIRED_CADRE: "340100", Scheme.MATERNITY: "510100",
        },
        "pooled_fund_fen", "hifp_pay", "统筹基金支出",
        columns=("pooled_fen",),
        accumulators=(
            "pooled_inpatient_fen", "pooled_outpatient_fen", "pooled_chronic_fen", "pooled_special_fen",
            "pooled_two_diseases_fen", "pooled_dual_channel_fen", "pooled_maternity_fen", "pooled_prenatal_fen",
        ),
        is_liability=True, has_row=True,
    ),
    Payer(
        "large_sum", Fund.LARGE_SUM, "large-sum fund", "职工大额医疗费用补助", "大额补助", Identity.FUND,
        "330100", "large_sum_fen", "hifob_pay", "职工大额医疗费用补助",
        columns=("large_sum_fen",),
        accumulators=("large_sum_fen",), is_liability=True, has_row=True,
    ),
    Payer(
        "catastrophic", Fund.CATASTROPHIC, "catastrophic insurance", "大病保险", "大病保险", Identity.FUND,
        "390200", "catastrophic_fen", "hifmi_pay", "居民大病保险",
        columns=("catastrophic_fen",),
        accumulators=("catastrophic_fen",), is_liability=True, has_row=True,
    ),
    Payer(
        "civil_servant", Fund.CIVIL_SERVANT, "civil-servant supplement", "公务员医疗补助", "公务员补助", Identity.FUND,
        "320100", "civil_servant_fen", "cvlserv_pay", "公务员医疗补助",
        columns=("civil_servant_fen",),
        accumulators=("civil_servant_fen",), is_liability=True, has_row=True,
    ),
    Payer(
        "enterprise", Fund.ENTERPRISE, "enterprise supplement", "企业补充医疗保险", "企业补充", Identity.FUND,
        "370100", "enterprise_fen", "hifes_pay", "企业补充医疗保险",
        columns=("enterprise_fen",),
        accumulators=("enterprise_fen",), is_liability=True, has_row=True,
    ),
    Payer(
        "assistance", Fund.ASSISTANCE, "medical assistance", "医疗救助", "医疗救助", Identity.FUND,
        "610100", "assistance_fen", "maf_pay", "医疗救助",
        columns=("assistance_fen", "tilt_fen"), columns_zh=("医疗救助支出", "倾斜救助支出"),
        accumulators=("assistance_inpatient_fen", "assistance_outpatient_fen", "tilt_fen"),
        is_liability=True, has_row=True,
    ),
    Payer(
        "other", Fund.OTHER, "other payers", "其他支出", "其他支出", Identity.FUND,
        "999997", "other_fund_fen", "oth_pay", "其他支出",
        columns=("other_fen",),
        accumulators=("other_fen",), is_liability=True, has_row=True,
    ),
    Payer(
        "hospital_borne", Fund.HOSPITAL, "borne by the hospital", "医院负担", "医院负担", Identity.HOSPITAL,
        "999996", "hospital_borne_fen", "hosp_part_amt", "医院负担金额",
        columns=("hospital_borne_fen",), has_row=True,
    ),
    Payer(
        "account", Fund.ACCOUNT, "own personal account", "个人账户", "个人账户", Identity.ACCOUNT,
        "310200", "account_fen", "acct_pay", "个人账户支出",
        columns=("account_current_fen", "account_past_fen"), columns_zh=("当年账户支出", "历年账户支出"),
        accumulators=("account_fen",), has_row=True,
    ),
    Payer(
        "family_account", Fund.FAMILY_ACCOUNT, "family account", "个人账户共济", "家庭共济", Identity.ACCOUNT,
        "family_account", "family_account_fen", "acct_mulaid_pay", "个人账户共济支付",
        columns=("account_family_fen",), has_row=True,
    ),
    Payer(
        "cash", None, "cash", "个人现金支付", "个人现金", Identity.CASH,
        "", "cash_fen", "psn_cash_pay", "个人现金支出",
        columns=("cash_fen",),
    ),
)  # fmt: skip
"""Who pays, in the order of the cascade; their amounts add up to the total."""

ACCOUNTS: tuple[Payer, ...] = (
    Payer(
        "provider_due", Fund.PROVIDER_DUE, "owed to institutions, provisional", "应付医疗机构（预付口径）", "应付医院",
        Identity.LEDGER, "provider_due", origin=Origin.PAYMENT,
        columns=("due_fen",), is_liability=True,
    ),
    Payer(
        "claims", Fund.CLAIMS, "number of settlements", "结算人次", "结算笔数",
        Identity.LEDGER, "claims", origin=Origin.COUNT,
    ),
    Payer(
        "total_cost", Fund.TOTAL_COST, "total cost", "医疗费总额", "医疗费总额",
        Identity.LEDGER, "total_cost", origin=Origin.CLAIM, columns=("total_fen",),
    ),
    Payer(
        "provider_final", Fund.PROVIDER_FINAL, "owed to institutions after the month or year",
        "应付医疗机构（结算口径）", "月度应付",
        Identity.LEDGER, "provider_final", origin=Origin.POOLING, is_liability=True,
    ),
    Payer(
        "provider_prepaid", Fund.PROVIDER_PREPAID, "paid ahead to institutions", "已预付医疗机构", "月度预付",
        Identity.LEDGER, "provider_prepaid", origin=Origin.POOLING, is_liability=True,
    ),
    Payer(
        "provider_year", Fund.PROVIDER_YEAR, "difference of the year's clearing", "年度清算差额", "年度清算",
        Identity.LEDGER, "provider_year", origin=Origin.POOLING, is_liability=True,
    ),
    Payer(
        "provider_capitation", Fund.PROVIDER_CAPITATION, "owed to institutions under capitation", "按人头付费应付",
        "按人头", Identity.LEDGER, "provider_capitation", origin=Origin.POOLING, is_liability=True,
    ),
    Payer(
        "provider_prior", Fund.PROVIDER_PRIOR, "differences of months and years closed before", "已结期间差额",
        "往期差额", Identity.LEDGER, "provider_prior", origin=Origin.POOLING, is_liability=True,
    ),
)  # fmt: skip
"""What the ledger keeps beside the payers; one of them is a count, the others are fen."""

FUNDS: tuple[Payer, ...] = tuple(payer for payer in PAYERS if payer.identity is Identity.FUND)
"""The funds that ``fund_total_fen`` [fund_pay_sumamt] adds up (F1); the place is the bit in a pack's clearing funds."""

LEDGER: tuple[Payer, ...] = tuple(
    sorted((payer for payer in PAYERS + ACCOUNTS if payer.fund is not None), key=lambda payer: payer.fund or 0)
)
"""What has postings and totals; the place is the stored number ``Fund``."""
assert [payer.fund for payer in LEDGER] == list(Fund), "each member of Fund has one row of the table"

ROWS: tuple[Payer, ...] = tuple(payer for payer in LEDGER if payer.has_row)
"""Payers that get a row in ``funds`` of the answer, in its order; the place is not the stored number."""

LEDGER_COUNT, ROW_COUNT = len(LEDGER), len(ROWS)


def of(fund: int) -> Payer:
    """Return the payer or account of a stored number. Errors: ValueError for a number that no version has written.

    >>> of(Fund.TOTAL_COST).zh
    '医疗费总额'
    """
    return LEDGER[Fund(fund)]


def fund_type(scheme: Scheme, fund: Fund) -> str:
    """Return the fund payment type of a payer in a scheme. Errors: ValueError for a scheme without such a fund.

    >>> fund_type(Scheme.RESIDENT, Fund.POOLED)
    '390100'
    >>> fund_type(Scheme.UNKNOWN, Fund.POOLED)
    Traceback (most recent call last):
    ...
    ValueError: the scheme unknown has no fund 'pooled fund'
    """
    return of(fund).code_in(Scheme(scheme))
