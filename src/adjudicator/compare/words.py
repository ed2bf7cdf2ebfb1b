"""What the columns, stages and groups of a comparison are called, in English and Chinese."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property

from adjudicator.benefit.plan.cells import key_names
from adjudicator.benefit.plan.keys import KEY, SPECIAL_KEYS
from adjudicator.codes import CARE_KIND_ZH, SCHEMES, CareKind, ItemClass
from adjudicator.compare.answers import STAGE
from adjudicator.compare.causes import KINDS
from adjudicator.limits import NO_CEILING_E4
from adjudicator.payers import PAYERS
from adjudicator.rules.bundle import Bundle

Words = dict[str, tuple[str, str]]
"""Id -> (English, Chinese)."""

AMOUNTS: Words = {payer.field: (payer.en, payer.zh) for payer in PAYERS} | {
    "fund_total_fen": ("all funds", "基金支付合计"),
    "personal_total_fen": ("all that persons pay", "个人负担合计"),
    "total_fen": ("total cost", "医疗费总额"),
    "due_fen": ("owed to institutions", "应付医疗机构"),
}
PARTS_OF_A_LINE: Words = {
    "wholly_self_paid_fen": ("wholly self-paid", "全自费"),
    "over_ceiling_fen": ("over the ceiling", "超限价"),
    "first_pay_fen": ("first pay", "先行自付"),
    "in_scope_fen": ("in scope", "符合政策范围"),
}
PERSON_TYPES: Words = {
    "11": ("active employees", "在职"), "12": ("retired employees", "退休"), "13": ("retired cadres", "离休"),
    "14": ("residents, minors", "居民（未成年）"), "15": ("residents, adults", "居民（成年）"),
    "16": ("residents, elderly", "居民（老年）"),
}  # fmt: skip
"""The first two digits of a person type [psn_type]."""
KEYS: Words = {
    "county": ("county of insurance", "参保地"),
    "scheme": ("scheme", "险种"),
    "level": ("level of hospital", "医院等级"),
    "care_kind": ("kind of care", "医疗类别"),
    "person_type": ("class of person", "人员类别"),
    "assistance": ("assistance", "救助类别"),
    "category": ("assistance", "救助类别"),
    "month": ("month of settlement", "结算月份"),
    "institution_code": ("institution", "医疗机构"),
    "encounter_id": ("encounter", "就诊ID"),
    "settlement_sequence": ("settlement", "结算序号"),
    "row": ("row", "行号"),
    "stage": ("first differing stage", "首个差异环节"),
    "cause": ("kind of cause", "原因类型"),
    "keys": ("values that differ", "不同的规则项"),
    "document": ("document", "文件"),
    "clause": ("clause", "条款"),
    "drg_old": ("old group", "原分组"),
    "drg_new": ("new group", "新分组"),
    "grouping_scheme_old": ("old grouping scheme", "原分组方案"),
    "grouping_scheme_new": ("new grouping scheme", "新分组方案"),
    "item_code": ("item", "项目编码"),
    "item_name": ("name", "项目名称"),
    "item_class_old": ("old class", "原等级"),
    "item_class_new": ("new class", "新等级"),
    "first_pay_ppm_old": ("old first pay", "原先行自付比例"),
    "first_pay_ppm_new": ("new first pay", "新先行自付比例"),
    "price_ceiling_e4_old": ("old ceiling, yuan", "原限价（元）"),
    "price_ceiling_e4_new": ("new ceiling, yuan", "新限价（元）"),
    "lines": ("fee lines", "明细条数"),
    "amount_fen": ("amount", "金额"),
    "claims": ("claims", "结算笔数"),
    "claims_differ": ("claims that differ", "结果不同笔数"),
    "claims_pay_less": ("claims: person pays less", "个人少付笔数"),
    "claims_pay_more": ("claims: person pays more", "个人多付笔数"),
    "period": ("period", "期间"),
    "points_of": ("scheme and kind of points", "险种与点数类别"),
    "value_old": ("old value of a point, yuan", "原点值（元）"),
    "value_new": ("new value of a point, yuan", "新点值（元）"),
    "cleared_old_fen": ("cleared, old", "清算应付，原"),
    "cleared_new_fen": ("cleared, new", "清算应付，新"),
    "cleared_difference_fen": ("cleared, difference", "清算应付，差额"),
    "part": ("gap and who pays it", "缺口与承担方"),
    "share_old_fen": ("old, yuan", "原金额"),
    "share_new_fen": ("new, yuan", "新金额"),
    "share_difference_fen": ("difference, yuan", "增减额"),
    "payer": ("payer", "支付方"),
    "claims_only_old": ("priced under the old rules only", "仅原规则受理笔数"),
    "claims_only_new": ("priced under the new rules only", "仅新规则受理笔数"),
    "who": ("persons", "人群"),
    "tenth": ("tenth by old burden", "按原负担十等分"),
    "persons": ("persons", "人数"),
    "persons_pay_less": ("pay less", "负担减少人数"),
    "persons_pay_more": ("pay more", "负担增加人数"),
    "least_old_fen": ("least old burden", "原负担下限"),
    "most_old_fen": ("most old burden", "原负担上限"),
    "burden_old_fen": ("old", "原"),
    "burden_new_fen": ("new", "新"),
    "burden_difference_fen": ("difference", "差额"),
    "less_fen": ("paid less in all", "少负担合计"),
    "more_fen": ("paid more in all", "多负担合计"),
    "claim_difference_fen": ("difference of the claim", "本笔差额"),
}
SIDES: Words = {"old": ("old", "原"), "new": ("new", "新"), "difference": ("difference", "差额")}
PARTS: Words = {
    "gap": ("gap", "缺口"),
    "own_surplus": ("own surplus", "本级累计结余"),
    "carried_after": ("carried on", "年末结余"),
    "reserve": ("reserve", "调剂金"),
    "collected": ("collected fund", "归集基金"),
    "risk": ("risk fund", "风险调剂金"),
    "county": ("county's treasury", "县级财政"),
    "city": ("city's treasury", "市级财政"),
    "district": ("district's treasury", "区级财政"),
}
"""Parts of a county's year in a table of deficits."""
WHO: Words = {
    "all": ("all persons", "全部人员"),
    "ordinary": ("without assistance", "普通人员"),
    "assisted": ("with assistance", "救助对象"),
}


def said(words: tuple[str, str], language: str) -> str:
    """Return the English or the Chinese."""
    return words[language == "zh"]


def amount_name(name: str, language: str) -> str:
    """Return the name of an amount.

    >>> amount_name("cash_fen", "zh"), amount_name("due_fen", "en")
    ('个人现金支付', 'owed to institutions')
    """
    return said(AMOUNTS[name], language)


def heading(column: str, language: str) -> str:
    """Return the heading of a column of a table.

    >>> heading("due_difference_fen", "en"), heading("month", "zh")
    ('owed to institutions, difference', '结算月份')
    """
    if column in KEYS:
        return said(KEYS[column], language)
    stem, side = column.removesuffix("_fen").rsplit("_", 1)
    amount = said((AMOUNTS | PARTS_OF_A_LINE)[f"{stem}_fen"], language)
    which = said(SIDES[side], language)
    return f"{amount}，{which}" if language == "zh" else f"{amount}, {which}"


def _key_name(key: str, language: str) -> str:
    """Return what a key of a plan is called; tables and codes have no other name."""
    return said(key_names(key), language) if key in KEY or key in SPECIAL_KEYS else key


_TERMS = ("item_class", "first_pay_ppm", "price_ceiling_e4")
"""Terms of a fee line, old and new."""


def _term(key: str, number: int) -> str:
    """Return a term of a fee line as a person reads it.

    >>> _term("item_class_old", 2), _term("first_pay_ppm_new", 125_000), _term("price_ceiling_e4_old", 25_500_000)
    ('B', '12.5%', '25.5')
    """
    if key.startswith("item_class"):
        return ItemClass(number).name if number else "—"
    if key.startswith("first_pay_ppm"):
        return f"{Decimal(number).scaleb(-4).normalize():f}%"
    return "—" if number in (0, NO_CEILING_E4) else f"{Decimal(number).scaleb(-6).normalize():f}"


class Names:
    """What the codes of a comparison are called under its rules."""

    def __init__(self, bundle: Bundle, language: str) -> None:
        self._packs, self.language = bundle.packs, language

    @cached_property
    def _by_key(self) -> dict[str, dict[str, str]]:
        """Column -> code -> name."""
        language = self.language
        counties = {str(area.code): (area.name, area.name_zh) for pack in self._packs for area in pack.areas}
        levels = {level.id: (level.name, level.name_zh) for pack in self._packs for level in pack.levels}
        assisted = {one.id: (one.name, one.name_zh) for pack in self._packs for one in pack.assistance}
        schemes = {code: (one.en, one.zh) for one in SCHEMES for code in one.codes}
        cares = {
            kind.name.lower(): (kind.name.lower().replace("_", " "), CARE_KIND_ZH.get(kind, "")) for kind in CareKind
        }
        tables: dict[str, Words] = {
            "county": counties, "level": levels, "assistance": assisted, "category": assisted, "scheme": schemes,
            "care_kind": cares, "stage": {stage.id: (stage.en, stage.zh) for stage in STAGE.values()},
            "cause": KINDS, "who": WHO, "part": PARTS,
        }  # fmt: skip
        found = {key: {code: said(words, language) for code, words in table.items()} for key, table in tables.items()}
        found["institution_code"] = {one.code: one.name for pack in self._packs for one in pack.hospitals}
        return found

    def of(self, key: str, code: object) -> str:
        """Return the name of a code in a column; the code itself where it has none."""
        if key.startswith(_TERMS):
            return _term(key, int(str(code)))
        if key == "month" and code:
            return f"{int(str(code)) // 100}-{int(str(code)) % 100:02d}"
        if key == "keys" and code:
            return "; ".join(_key_name(one, self.language) for one in str(code).split("; "))
        if key == "person_type" and str(code)[:2] in PERSON_TYPES:
            return f"{code} {said(PERSON_TYPES[str(code)[:2]], self.language)}"
        text = "" if code is None else str(code)
        if not text or (text == "0" and key != "row"):
            return "—"
        return self._by_key.get(key, {}).get(text, text)
