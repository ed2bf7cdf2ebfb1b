"""Code lists of the national interface (医保信息平台) and the dense numbers that columns and kernels use for them.

Source: national-interface.md section 10. A dense number is stable: it is part of compiled bundles and stored records,
so members are only ever appended.
"""

from __future__ import annotations

from enum import IntEnum


class Scheme(IntEnum):
    """Insurance schemes (险种类型) [insutype]."""

    UNKNOWN = 0
    EMPLOYEE = 1
    RESIDENT = 2
    RETIRED_CADRE = 3
    MATERNITY = 4


SCHEME_CODES: dict[str, Scheme] = {
    "310": Scheme.EMPLOYEE,
    "390": Scheme.RESIDENT,
    "391": Scheme.RESIDENT,
    "340": Scheme.RETIRED_CADRE,
    "510": Scheme.MATERNITY,
}
SCHEME_NATIONAL: dict[Scheme, str] = {
    Scheme.EMPLOYEE: "310",
    Scheme.RESIDENT: "390",
    Scheme.RETIRED_CADRE: "340",
    Scheme.MATERNITY: "510",
}

PERSON_TYPES: tuple[str, ...] = (
    "", "11", "1101", "1102", "1103", "1160", "12", "1201", "1202", "1203", "1260", "13", "1300", "1360",
    "14", "1401", "1402", "1403", "1404", "1405", "1460", "15", "1501", "1560", "16", "1601", "1660",
)  # fmt: skip
"""Person types (人员类别) [psn_type]; the dense number is the position, 0 is unknown."""


class CareKind(IntEnum):
    """Kinds of care; a pack maps the national ``med_type`` codes to them."""

    UNKNOWN = 0
    OUTPATIENT = 1
    CHRONIC = 2
    SPECIAL = 3
    TWO_DISEASES = 4
    PHARMACY = 5
    DUAL_CHANNEL = 6
    INPATIENT = 7
    HOME_BED = 8
    DAY_SURGERY = 9
    MATERNITY_INPATIENT = 10
    MATERNITY_OUTPATIENT = 11
    EMERGENCY = 12
    INTERNET = 13
    BED_DAY_INPATIENT = 14
    SINGLE_DISEASE = 15


CARE_KIND_ZH: dict[CareKind, str] = {
    CareKind.OUTPATIENT: "普通门诊",
    CareKind.CHRONIC: "门诊慢病",
    CareKind.SPECIAL: "门诊特病",
    CareKind.TWO_DISEASES: "两病门诊",
    CareKind.PHARMACY: "定点药店购药",
    CareKind.DUAL_CHANNEL: "双通道药品",
    CareKind.INPATIENT: "住院",
    CareKind.HOME_BED: "家庭病床",
    CareKind.DAY_SURGERY: "日间手术",
    CareKind.MATERNITY_INPATIENT: "生育住院",
    CareKind.MATERNITY_OUTPATIENT: "生育门诊",
    CareKind.EMERGENCY: "急诊抢救",
    CareKind.INTERNET: "互联网复诊",
    CareKind.BED_DAY_INPATIENT: "床日住院",
    CareKind.SINGLE_DISEASE: "单病种住院",
}

NATIONAL_CARE_TYPES: dict[str, CareKind] = {
    "11": CareKind.OUTPATIENT,
    "12": CareKind.OUTPATIENT,
    "13": CareKind.EMERGENCY,
    "1301": CareKind.EMERGENCY,
    "14": CareKind.CHRONIC,
    "140104": CareKind.CHRONIC,
    "140101": CareKind.SPECIAL,
    "140201": CareKind.SPECIAL,
    "21": CareKind.INPATIENT,
    "22": CareKind.INPATIENT,
    "23": CareKind.INPATIENT,
    "24": CareKind.INPATIENT,
    "27": CareKind.INPATIENT,
    "26": CareKind.SINGLE_DISEASE,
    "28": CareKind.DAY_SURGERY,
    "2105": CareKind.BED_DAY_INPATIENT,
    "41": CareKind.PHARMACY,
    "51": CareKind.MATERNITY_OUTPATIENT,
    "52": CareKind.MATERNITY_INPATIENT,
    "53": CareKind.MATERNITY_OUTPATIENT,
}
"""Default meaning of ``med_type`` (医疗类别); longer codes differ by province, so a pack may add and override."""

HOSPITAL_LEVELS: tuple[str, ...] = ("", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11")
"""Hospital levels (医院等级) [hosp_lv]; the dense number is the position, 0 is unknown."""


class Place(IntEnum):
    """Where care was given, seen from the place of insurance (就医地)."""

    LOCAL = 0
    PROVINCE = 1
    OUTSIDE = 2


class Filing(IntEnum):
    """Cross-region filing (异地就医备案); same numbers as the wire."""

    UNSPECIFIED = 0
    RESETTLED = 1
    LONG_TERM = 2
    POSTED = 3
    REFERRED = 4
    EMERGENCY = 5
    TEMPORARY = 6
    NONE = 7
    NOT_DIRECT = 8


class Referral(IntEnum):
    """Referral state (转诊); same numbers as the wire."""

    UNSPECIFIED = 0
    UP = 1
    DOWN = 2
    SAME = 3
    MISSING = 4


class ItemClass(IntEnum):
    """Catalogue class (收费项目等级) [chrgitm_lv]."""

    NONE = 0
    A = 1
    B = 2
    C = 3


class Method(IntEnum):
    """How the fund pays the institution (付费方式)."""

    NONE = 0
    BY_ITEM = 1
    SINGLE_DISEASE = 2
    OUTPATIENT_POINTS = 3
    DRG_POINTS = 4
    BED_DAY = 5
    CAPITATION = 6
    DAY_SURGERY = 7
    QUOTA = 8


CLEARING_WAY: dict[Method, int] = {
    Method.NONE: 9,
    Method.BY_ITEM: 1,
    Method.SINGLE_DISEASE: 2,
    Method.OUTPATIENT_POINTS: 3,
    Method.DRG_POINTS: 4,
    Method.BED_DAY: 5,
    Method.CAPITATION: 6,
    Method.DAY_SURGERY: 2,
    Method.QUOTA: 9,
}
"""Clearing way (清算方式) [clr_way] of each method."""


class Fund(IntEnum):
    """Payers of a settlement in the order of the cascade; also the fund dimension of the ledger."""

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


FUND_TYPES: dict[tuple[Scheme, Fund], str] = {
    (Scheme.EMPLOYEE, Fund.POOLED): "310100",
    (Scheme.RESIDENT, Fund.POOLED): "390100",
    (Scheme.RETIRED_CADRE, Fund.POOLED): "340100",
    (Scheme.MATERNITY, Fund.POOLED): "510100",
}
FUND_TYPE_COMMON: dict[Fund, str] = {
    Fund.LARGE_SUM: "330100",
    Fund.CATASTROPHIC: "390200",
    Fund.CIVIL_SERVANT: "320100",
    Fund.ENTERPRISE: "370100",
    Fund.ASSISTANCE: "610100",
    Fund.OTHER: "999997",
    Fund.ACCOUNT: "310200",
    Fund.HOSPITAL: "999996",
    Fund.PROVIDER_DUE: "provider_due",
    Fund.CLAIMS: "claims",
    Fund.TOTAL_COST: "total_cost",
    Fund.FAMILY_ACCOUNT: "family_account",
    Fund.PROVIDER_FINAL: "provider_final",
    Fund.PROVIDER_PREPAID: "provider_prepaid",
    Fund.PROVIDER_YEAR: "provider_year",
    Fund.PROVIDER_CAPITATION: "provider_capitation",
}
"""Fund payment types (基金支付类型) [fund_pay_type], section 10.7; the last eight are accounts of this ledger."""


def fund_type(scheme: Scheme, fund: Fund) -> str:
    """Fund payment type of a payer in a scheme.

    >>> fund_type(Scheme.RESIDENT, Fund.POOLED)
    '390100'
    """
    return FUND_TYPES.get((scheme, fund)) or FUND_TYPE_COMMON.get(fund) or "310100"


class GroupStatus(IntEnum):
    """Result of DRG grouping."""

    NOT_ASKED = 0
    GROUPED = 1
    UNGROUPED = 2
    INVALID = 3
    AMBIGUOUS = 4
    UNMAPPABLE = 5


class LineNote(IntEnum):
    """Why a fee line was not split in the normal way (docs/errors.md, line notes)."""

    NONE = 0
    CLASS_C = 1
    RESTRICTED_USE_REFUSED = 2
    NOT_IN_CATALOGUE = 3
    NOT_VALID_ON_FEE_DATE = 4
    OVER_CEILING_WHOLE_SELF_PAID = 5
    OVER_CEILING_SELF_PAID = 6
    OVER_CEILING_BORNE_BY_HOSPITAL = 7
    REFUND = 8
    PRICE_TIMES_QUANTITY_DIFFERS = 9
    ENROLMENT_SUSPENDED = 10
    PROGRAMME_COVERS = 11
    CO_PAY_FREE = 12
    OVER_CEILING_IN_CATALOGUE = 13
