"""Code lists of the national interface (医保信息平台) and the dense numbers that columns and kernels use for them.

A dense number is stable: it is part of compiled bundles and stored records, so members are only ever appended. Names in
Chinese stand beside the enumeration; payers and accounts are in ``payers``. A name in [brackets] is the field of the
national interface (医疗保障信息平台 定点医药机构接口规范) whose code list it is.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import NamedTuple


class Scheme(IntEnum):
    """Insurance schemes (险种类型) [insutype]."""

    UNKNOWN = 0
    EMPLOYEE = 1
    RESIDENT = 2
    RETIRED_CADRE = 3
    MATERNITY = 4


class SchemeNames(NamedTuple):
    """One scheme: the national codes that mean it, the one written first, and its names."""

    scheme: Scheme
    codes: tuple[str, ...]
    en: str
    zh: str


SCHEMES: tuple[SchemeNames, ...] = (
    SchemeNames(Scheme.EMPLOYEE, ("310",), "employees", "职工"),
    SchemeNames(Scheme.RESIDENT, ("390", "391"), "residents", "居民"),
    SchemeNames(Scheme.RETIRED_CADRE, ("340",), "retired cadres", "离休"),
    SchemeNames(Scheme.MATERNITY, ("510",), "maternity", "生育"),
)
SCHEME_CODES: dict[str, Scheme] = {code: entry.scheme for entry in SCHEMES for code in entry.codes}
SCHEME_NATIONAL: dict[Scheme, str] = {entry.scheme: entry.codes[0] for entry in SCHEMES}
SCHEME_ZH: dict[Scheme, str] = {entry.scheme: entry.zh for entry in SCHEMES}


def scheme_zh(code: str) -> str:
    """Return the Chinese name of a national scheme code; the code itself where no scheme has it.

    >>> scheme_zh("390"), scheme_zh("999")
    ('居民', '999')
    """
    return SCHEME_ZH[SCHEME_CODES[code]] if code in SCHEME_CODES else code


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

CARE_OF_A_DISEASE = (
    CareKind.OUTPATIENT, CareKind.CHRONIC, CareKind.SPECIAL, CareKind.TWO_DISEASES, CareKind.PHARMACY,
    CareKind.DUAL_CHANNEL, CareKind.INTERNET,
)  # fmt: skip
"""Outpatient care in which a listed disease is treated: what a quota of the disease limits where it names no care."""

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


PLACE_ZH: dict[Place, str] = {Place.LOCAL: "本地", Place.PROVINCE: "省内异地", Place.OUTSIDE: "省外"}


class Filing(IntEnum):
    """Cross-region filing (异地就医备案); same numbers as the wire.

    NOT_DIRECT says that a bill was claimed at the counter and not how its care was filed.
    """

    UNSPECIFIED = 0
    RESETTLED = 1
    LONG_TERM = 2
    POSTED = 3
    REFERRED = 4
    EMERGENCY = 5
    TEMPORARY = 6
    NONE = 7
    NOT_DIRECT = 8


FILING_ZH: dict[Filing, str] = {
    Filing.UNSPECIFIED: "未填",
    Filing.RESETTLED: "异地安置",
    Filing.LONG_TERM: "长期居住",
    Filing.POSTED: "常驻异地",
    Filing.REFERRED: "转诊",
    Filing.EMERGENCY: "急诊",
    Filing.TEMPORARY: "自行外出",
    Filing.NONE: "未备案",
    Filing.NOT_DIRECT: "非直接结算",
}


class Channel(IntEnum):
    """How a bill reaches the fund (结算方式) [setl_type]: settled directly, or paid and claimed at the counter."""

    DIRECT = 0
    COUNTER = 1


CHANNEL_ZH: dict[Channel, str] = {Channel.DIRECT: "直接结算", Channel.COUNTER: "零星报销"}


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
    """How the fund pays the institution (付费方式); what belongs to each is in ``payment.registry``."""

    NONE = 0
    BY_ITEM = 1
    SINGLE_DISEASE = 2
    OUTPATIENT_POINTS = 3
    DRG_POINTS = 4
    BED_DAY = 5
    CAPITATION = 6
    DAY_SURGERY = 7
    QUOTA = 8


class GroupStatus(IntEnum):
    """Result of DRG grouping."""

    NOT_ASKED = 0
    GROUPED = 1
    UNGROUPED = 2
    INVALID = 3
    AMBIGUOUS = 4
    UNMAPPABLE = 5


class LineFlag(IntFlag):
    """What is special about a fee line: the bits of ``columns.LINE.flags``."""

    REFUND = 1
    BEFORE_ADMISSION = 2
    DISCHARGE_DRUG = 4
    EXTERNAL_PRESCRIPTION = 8
    MATERNITY = 16


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
