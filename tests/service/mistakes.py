"""The table of mistakes: what a hospital system may get wrong in each field of a claim, and what the caller sees.

``docs/mistakes.md`` is printed from it and ``test_mistakes.py`` sends every row to a running service. LEDGER_MISTAKES
are those that only the ledger can see: the claim contradicts what was settled before.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from adjudicator.errors import E
from adjudicator.v1 import claim_pb2

LEFT_OUT, ZERO, RANGE, UNIT, ENCODING, CONTRADICTION, NEIGHBOUR = (
    "left out", "zero", "out of range", "wrong unit", "wrong encoding", "contradiction", "neighbour's value",
)  # fmt: skip
KINDS_ZH = {
    LEFT_OUT: "漏填", ZERO: "填零", RANGE: "超出范围", UNIT: "单位错误", ENCODING: "编码错误",
    CONTRADICTION: "相互矛盾", NEIGHBOUR: "误填其他值",
}  # fmt: skip
REFUSED, WARNED = "refused", "warned"
DRUG = "XJ01DDB060B012030288891"
"""A class A drug of the demonstration catalogue without a price ceiling."""


class Gbk(str):
    """A text that is sent in GBK."""


class Mistake(NamedTuple):
    """One row: the field it is about, its kind, what is set (path -> value; None clears), and what the caller sees."""

    field: str
    kind: str
    changes: dict[str, Any]
    outcome: str
    code: E

    @property
    def sent(self) -> str:
        """What is sent in the field, for the page."""
        value = self.changes.get(self.field, next(iter(self.changes.values())))
        if isinstance(value, list):
            return ", ".join(map(str, value)) if len(value) < 5 else f"{len(value)} entries"
        if value is None:
            return "—"
        text = f"{value} (GBK)" if isinstance(value, Gbk) else str(value)
        text = text.replace("\0", "\\0")
        return text if len(text) <= 34 else f"{len(text)} characters"


class LedgerMistake(NamedTuple):
    """One row: what was settled before, as changes of the right claim and in words, and the mistake after it."""

    before: dict[str, Any]
    settled: str
    settled_zh: str
    mistake: Mistake


_numbers = itertools.count(1)


def right_claim(prefix: str = "M") -> claim_pb2.Claim:
    """A resident's stay of three days in order: three lines and the refund of a part of the third."""
    number = next(_numbers)
    claim = claim_pb2.Claim(
        institution_code="H33010200001", encounter_id=f"{prefix}{number}", settlement_sequence=1,
        person_id=f"{prefix}-{number}", insured_area="330106", scheme="390", person_type="15", care_type="21",
        settlement_date=20250314, admission_date=20250311, discharge_date=20250314, total_fen=360_000,
        diagnoses=["K35.300", "I10.x00x002"], procedures=["47.0100"], sex=1, age_years=60, stay_days=3,
        discharge_way=1, department="A04",
    )  # fmt: skip
    for serial, quantity, amount in (("1", 1, 300_000), ("2", 1, 50_000), ("3", 2, 20_000), ("4", -1, -10_000)):
        claim.lines.add(
            line_id=serial, item_code=DRUG, fee_date=20250312, unit_price_e4=abs(amount // quantity) * 10_000,
            quantity_e4=quantity * 10_000, amount_fen=amount, original_line_id="3" if quantity < 0 else "",
        )  # fmt: skip
    return claim


def message_of(mistake: Mistake, right: claim_pb2.Claim | None = None) -> bytes:
    """Return the right claim (without one a new one) with the mistake, on the wire."""
    claim = claim_pb2.Claim()
    claim.CopyFrom(right or right_claim())
    gbk = {}
    for path, value in mistake.changes.items():
        if isinstance(value, Gbk):
            text = value.encode("gbk")
            gbk[("\x01" * len(text)).encode()] = text
            put(claim, path, "\x01" * len(text))
        else:
            put(claim, path, value)
    message = claim.SerializeToString()
    for placeholder, text in gbk.items():
        message = message.replace(placeholder, text)
    return message


def put(claim: claim_pb2.Claim, path: str, value: Any) -> None:
    """Set one field of a claim or of a message in it; None clears it, a list replaces it."""
    message: Any = claim
    *parents, name = path.split(".")
    for parent in parents:
        listed = re.fullmatch(r"(\w+)\[(\d+)\]", parent)
        if listed:
            entries = getattr(message, listed[1])
            while len(entries) <= int(listed[2]):
                entries.add()
            message = entries[int(listed[2])]
        else:
            message = getattr(message, parent)
    listed = re.fullmatch(r"(\w+)\[(\d+)\]", name)
    if listed:
        entries = getattr(message, listed[1])
        entries[:] = [*entries, *[""] * (int(listed[2]) + 1 - len(entries))]
        entries[int(listed[2])] = value
    elif value is None:
        message.ClearField(name)
    elif isinstance(value, list):
        message.ClearField(name)
        getattr(message, name).extend(value)
    else:
        setattr(message, name, value)


def _refused(field: str, code: E, *sent: tuple[str, Any], **others: Any) -> Iterator[Mistake]:
    for kind, value in sent:
        yield Mistake(field, kind, {field: value, **others}, REFUSED, code)


def _warned(field: str, code: E, *sent: tuple[str, Any], **others: Any) -> Iterator[Mistake]:
    for kind, value in sent:
        yield Mistake(field, kind, {field: value, **others}, WARNED, code)


def _also(field: str, kind: str, outcome: str, code: E, changes: dict[str, Any]) -> Mistake:
    return Mistake(field, kind, changes, outcome, code)


TEXTS = (
    "institution_code", "encounter_id", "person_id", "insured_area", "care_area", "scheme", "person_type", "care_type",
    "diagnoses[1]", "procedures[0]", "assistance_category", "other_assistance_categories[0]",
    "referral_from_encounter", "hospital_level", "department", "disease_code", "programme",
    "accumulators.entries[0].name", "accumulators.entries[0].disease_code", "lines[1].line_id", "lines[1].item_code",
    "lines[3].original_line_id", "lines[1].institution_item_code", "lines[1].department",
)  # fmt: skip
"""Every text of a claim."""
LONG = {"institution_code": 13, "lines[1].item_code": 65, "lines[1].institution_item_code": 65}
AMOUNTS = (
    "account_current_fen", "account_past_fen", "account_family_fen", "hospital_borne_fen", "other_payer_fen",
    "referral_deductible_fen",
)  # fmt: skip
TOO_MUCH = 10**12 + 1
"""Fen: more than any amount of a claim."""
NEWBORN: dict[str, Any] = {
    "age_years": 0, "age_days": 2, "birth_weight_g": 3_200, "person_type": "1405", "diagnoses": ["P59.900"],
    "procedures": None,
}  # fmt: skip
EMPLOYEE: dict[str, Any] = {"scheme": "310", "person_type": "11", "age_years": 45}
OUTPATIENT: dict[str, Any] = {"care_type": "11", "discharge_date": 0, "stay_days": None, "procedures": None}

# fmt: off
MISTAKES: list[Mistake] = [
    # --- every text: another encoding
    *(Mistake(field, ENCODING, {field: Gbk("中文")}, REFUSED, E.NOT_UTF8) for field in TEXTS),
    # --- ids: Chinese, blanks, full width, control characters, too long
    *(
        mistake
        for field in ("institution_code", "encounter_id", "person_id", "lines[1].line_id")
        for mistake in _refused(
            field, E.INVALID_ID, (ENCODING, "编号"), (ENCODING, "A1 "), (ENCODING, " A1"), (ENCODING, "A1\0"),
            (ENCODING, "Ａ１"),
        )
    ),
    *(
        mistake
        for field in (
            "referral_from_encounter", "department", "lines[1].item_code", "lines[1].institution_item_code",
            "lines[1].department",
        )
        for mistake in _refused(field, E.INVALID_ID, (ENCODING, "中文"))
    ),
    *(
        mistake
        for field in (
            "institution_code", "encounter_id", "person_id", "referral_from_encounter", "department",
            "lines[1].line_id", "lines[1].item_code", "lines[1].institution_item_code", "lines[1].department",
        )
        for mistake in _refused(field, E.ID_TOO_LONG, (RANGE, "X" * LONG.get(field, 31)))
    ),
    # --- who, where, in what
    *_refused("institution_code", E.MISSING_INSTITUTION, (LEFT_OUT, None)),
    *_refused("institution_code", E.UNKNOWN_INSTITUTION, (NEIGHBOUR, "H33019999999"), (NEIGHBOUR, "330106")),
    *_refused("encounter_id", E.MISSING_ENCOUNTER, (LEFT_OUT, None)),
    *_refused("settlement_sequence", E.MISSING_SEQUENCE, (LEFT_OUT, None), (ZERO, 0)),
    *_refused("person_id", E.MISSING_PERSON, (LEFT_OUT, None)),
    *_refused(
        "insured_area", E.UNKNOWN_AREA, (LEFT_OUT, None), (NEIGHBOUR, "330100"), (NEIGHBOUR, "440106"),
        (UNIT, "330106000000"), (UNIT, "33010"), (ENCODING, "西湖区"), (ENCODING, "330106 "),
    ),
    *_refused("care_area", E.UNKNOWN_CARE_AREA, (UNIT, "3301"), (ZERO, "000000"), (ENCODING, "西湖区")),
    *_warned("care_area", E.CONTRADICTS_REGISTER, (CONTRADICTION, "330702"), filing=4),
    *_refused("scheme", E.UNKNOWN_SCHEME, (LEFT_OUT, None), (RANGE, "999"), (UNIT, "1"), (ENCODING, "居民")),
    *_refused("person_type", E.UNKNOWN_PERSON_TYPE, (LEFT_OUT, None), (RANGE, "77"), (UNIT, "1"), (ENCODING, "成年")),
    *_warned("person_type", E.FIELDS_CONTRADICT, (CONTRADICTION, "14"), (CONTRADICTION, "1405")),
    *_refused("care_type", E.UNKNOWN_CARE_TYPE, (LEFT_OUT, None), (RANGE, "9999"), (ENCODING, "住院")),
    *_warned("care_type", E.FIELDS_CONTRADICT, (NEIGHBOUR, "11")),
    # --- when
    *_refused("settlement_date", E.MISSING_DATE, (LEFT_OUT, None), (ZERO, 0)),
    *_refused(
        "settlement_date", E.INVALID_DATE, (RANGE, 20250231), (UNIT, 14032025), (UNIT, 1741910400),
    ),
    *_refused("settlement_date", E.SETTLED_IN_FUTURE, (RANGE, 20991231), (NEIGHBOUR, 20350314)),
    *_refused("settlement_date", E.DATE_OUT_OF_RANGE, (RANGE, 18990314), (UNIT, 250314)),
    *_refused("settlement_date", E.DATE_ORDER, (CONTRADICTION, 20250312), (NEIGHBOUR, 20240314)),
    *_warned("settlement_date", E.LATE_SETTLEMENT, (NEIGHBOUR, 20260314)),
    *_refused("admission_date", E.MISSING_DATE, (LEFT_OUT, None), (ZERO, 0)),
    *_refused("admission_date", E.INVALID_DATE, (RANGE, 20250230), (UNIT, 202503)),
    *_refused("admission_date", E.DATE_OUT_OF_RANGE, (RANGE, 18990101)),
    *_refused("admission_date", E.DATE_ORDER, (CONTRADICTION, 20250315), (NEIGHBOUR, 20260311)),
    *_warned("admission_date", E.STAY_CONTRADICTS_DATES, (NEIGHBOUR, 20240311)),
    *_refused("discharge_date", E.MISSING_DATE, (LEFT_OUT, None), (ZERO, 0)),
    *_refused("discharge_date", E.INVALID_DATE, (RANGE, 20250332)),
    *_refused("discharge_date", E.DATE_ORDER, (CONTRADICTION, 20250310), (CONTRADICTION, 20250315)),
    # --- the bill
    *_refused("total_fen", E.LINES_DO_NOT_ADD_UP, (LEFT_OUT, None), (ZERO, 0), (UNIT, 3_600), (NEIGHBOUR, 360_001)),
    *_refused("total_fen", E.NEGATIVE_AMOUNT, (RANGE, -1)),
    *_refused("total_fen", E.AMOUNT_OUT_OF_RANGE, (RANGE, TOO_MUCH)),
    *_refused("lines", E.NO_LINES, (LEFT_OUT, None), total_fen=0),
    _also("lines", UNIT, WARNED, E.PRICE_TIMES_QUANTITY, {
        "total_fen": 3_600, "lines[0].amount_fen": 3_000, "lines[1].amount_fen": 500, "lines[2].amount_fen": 200,
        "lines[3].amount_fen": -100,
    }),
    *_refused("diagnoses", E.NO_DIAGNOSIS, (LEFT_OUT, None)),
    *_refused("diagnoses", E.TOO_MANY_CODES, (RANGE, ["K35.300"] * 201)),
    *_warned(
        "diagnoses[0]", E.UNKNOWN_CODE, (ENCODING, "k35.300"), (ENCODING, "K35300"), (UNIT, "K35.3"),
        (RANGE, "ZZZ.999"), (ENCODING, "急性阑尾炎"), (ENCODING, "K35.300 "),
        (NEIGHBOUR, "47.0100"), (NEIGHBOUR, "I21.000x001"),
    ),
    *_refused("procedures", E.TOO_MANY_CODES, (RANGE, ["47.0100"] * 201)),
    *_warned(
        "procedures[0]", E.UNKNOWN_CODE, (UNIT, "47.01"), (ENCODING, "470100"), (ENCODING, "阑尾切除术"),
        (NEIGHBOUR, "K35.300"), (NEIGHBOUR, "36.0700x003"),
    ),
    # --- the person
    *_warned("sex", E.GROUPING_INVALID_RECORD, (LEFT_OUT, None), (ZERO, 0), (RANGE, 9)),
    *_refused("sex", E.INVALID_CODE_VALUE, (RANGE, 3), (UNIT, 77)),
    *_warned("sex", E.CODING_CHECK_FAILED, (NEIGHBOUR, 1), **{"diagnoses[1]": "N80.000"}),
    *_warned("age_years", E.GROUPING_INVALID_RECORD, (LEFT_OUT, None), (ZERO, 0)),
    *_refused("age_years", E.AGE_OUT_OF_RANGE, (UNIT, 720), (RANGE, 151), (UNIT, 1965)),
    *_warned("age_years", E.UNLIKELY_VALUE, (RANGE, 130)),
    *_warned("age_days", E.FIELDS_CONTRADICT, (CONTRADICTION, 12), (UNIT, 60)),
    *_refused("age_days", E.AGE_OUT_OF_RANGE, (RANGE, 10**6)),
    _also("age_days", LEFT_OUT, WARNED, E.GROUPING_INVALID_RECORD, NEWBORN | {"age_days": None}),
    _also("birth_weight_g", UNIT, WARNED, E.UNLIKELY_VALUE, NEWBORN | {"birth_weight_g": 3}),
    _also("birth_weight_g", UNIT, WARNED, E.UNLIKELY_VALUE, NEWBORN | {"birth_weight_g": 25_000}),
    _also("birth_weight_g", LEFT_OUT, WARNED, E.GROUPING_INVALID_RECORD, NEWBORN | {"birth_weight_g": None}),
    *_refused("birth_weight_g", E.INVALID_CODE_VALUE, (RANGE, 320_000)),
    *_warned("birth_weight_g", E.FIELDS_CONTRADICT, (CONTRADICTION, 3_200)),
    *_refused("contribution_tier", E.INVALID_CODE_VALUE, (UNIT, 380)),
    _also("contribution_tier", CONTRADICTION, WARNED, E.FIELDS_CONTRADICT, EMPLOYEE | {"contribution_tier": 2}),
    *_refused("assistance_category", E.UNKNOWN_ASSISTANCE_CATEGORY, (RANGE, "rich"), (ENCODING, "低保对象")),
    *_refused("other_assistance_categories", E.UNKNOWN_ASSISTANCE_CATEGORY, (RANGE, ["rich"]), (ENCODING, ["低保"])),
    *_warned("civil_servant", E.FIELDS_CONTRADICT, (CONTRADICTION, True)),
    *_refused("enrolment_status", E.INVALID_CODE_VALUE, (RANGE, 3), (RANGE, 5)),
    # --- filing and referral
    *_refused("filing", E.INVALID_CODE_VALUE, (RANGE, 9), (RANGE, -1)),
    *_warned("filing", E.FIELDS_CONTRADICT, (CONTRADICTION, 6), (CONTRADICTION, 7)),
    _also("settled_at_counter", CONTRADICTION, WARNED, E.FIELDS_CONTRADICT, {
        "settled_at_counter": True, "mid_stay": True, "discharge_date": 0,
    }),
    *_refused("referral", E.INVALID_CODE_VALUE, (RANGE, 5), (RANGE, -1)),
    # --- the institution and the stay
    *_refused(
        "hospital_level", E.UNKNOWN_HOSPITAL_LEVEL, (RANGE, "12"), (ZERO, "00"), (ENCODING, "三级"), (UNIT, "3A"),
    ),
    *_warned("hospital_level", E.CONTRADICTS_REGISTER, (CONTRADICTION, "11")),
    _also("hospital_level", LEFT_OUT, REFUSED, E.UNKNOWN_HOSPITAL_LEVEL, {
        "institution_code": "H33070200001", "care_area": "330702", "filing": 4,
    }),
    *_warned("stay_days", E.STAY_CONTRADICTS_DATES, (ZERO, 0), (RANGE, 300), (UNIT, 72)),
    *_refused("stay_days", E.STAY_OUT_OF_RANGE, (RANGE, 40_000)),
    _also("stay_days", CONTRADICTION, WARNED, E.FIELDS_CONTRADICT, OUTPATIENT | {"stay_days": 3}),
    *_refused("discharge_way", E.INVALID_CODE_VALUE, (RANGE, 6), (RANGE, 7)),
    *_warned("icu_hours", E.FIELDS_CONTRADICT, (UNIT, 4_320)),
    *_refused("icu_hours", E.STAY_OUT_OF_RANGE, (RANGE, 10**6)),
    _also("icu_hours", CONTRADICTION, WARNED, E.FIELDS_CONTRADICT, OUTPATIENT | {"icu_hours": 5}),
    *_refused("disease_code", E.UNKNOWN_DISEASE, (RANGE, "M99999"), (ENCODING, "m03900"), (ENCODING, "高血压")),
    *_warned("mid_stay", E.FIELDS_CONTRADICT, (CONTRADICTION, True)),
    *_refused("programme", E.UNKNOWN_PROGRAMME, (RANGE, "flood"), (ENCODING, "疫情")),
    *_refused("maternity_type", E.INVALID_CODE_VALUE, (RANGE, 8), (RANGE, 10)),
    *_warned("maternity_type", E.FIELDS_CONTRADICT, (CONTRADICTION, 3)),
    *_refused("fetus_count", E.INVALID_CODE_VALUE, (RANGE, 21)),
    *_warned("fetus_count", E.UNLIKELY_VALUE, (RANGE, 6)),
    # --- accounts and other payers
    *(mistake for field in AMOUNTS for mistake in _refused(field, E.NEGATIVE_AMOUNT, (RANGE, -1))),
    *(mistake for field in AMOUNTS for mistake in _refused(field, E.AMOUNT_OUT_OF_RANGE, (RANGE, TOO_MUCH))),
    *(mistake for field in AMOUNTS[:3] for mistake in _warned(field, E.UNLIKELY_VALUE, (UNIT, 153_000 * 10_000))),
    *_refused("hospital_borne_fen", E.PAYERS_EXCEED_TOTAL, (UNIT, 36_000_000)),
    *_refused("other_payer_fen", E.PAYERS_EXCEED_TOTAL, (UNIT, 36_000_000)),
    # --- year-to-date amounts
    _also("accumulators.year", NEIGHBOUR, REFUSED, E.INVALID_ACCUMULATOR, {"accumulators.year": 2024}),
    _also("accumulators.entries[0].name", RANGE, REFUSED, E.INVALID_ACCUMULATOR, {
        "accumulators.year": 2025, "accumulators.entries[0].name": "no_such_amount",
    }),
    _also("accumulators.entries[0].name", ENCODING, REFUSED, E.INVALID_ACCUMULATOR, {
        "accumulators.year": 2025, "accumulators.entries[0].name": "起付线",
    }),
    _also("accumulators.entries[0].value", RANGE, REFUSED, E.INVALID_ACCUMULATOR, {
        "accumulators.year": 2025, "accumulators.entries[0].name": "stays", "accumulators.entries[0].value": -1,
    }),
    # --- a line
    *_refused("lines[1].line_id", E.MISSING_LINE_ID, (LEFT_OUT, None)),
    *_refused("lines[1].line_id", E.DUPLICATE_LINE_ID, (NEIGHBOUR, "1")),
    *_refused("lines[1].item_code", E.UNKNOWN_ITEM, (LEFT_OUT, None), (NEIGHBOUR, "A04.01"), (RANGE, "XA01AAA0000")),
    *_refused("lines[1].fee_date", E.INVALID_FEE_DATE, (LEFT_OUT, None), (ZERO, 0), (RANGE, 20251301), (UNIT, 250312)),
    *_refused("lines[0].fee_date", E.INVALID_FEE_DATE, (LEFT_OUT, None)),
    *_refused("lines[3].fee_date", E.INVALID_FEE_DATE, (LEFT_OUT, None)),
    *_refused("lines[1].fee_date", E.FEE_AFTER_SETTLEMENT, (CONTRADICTION, 20250315), (NEIGHBOUR, 20260312)),
    *_warned("lines[1].fee_date", E.FEE_OUTSIDE_STAY, (CONTRADICTION, 20250310), (NEIGHBOUR, 20240312)),
    *_warned("lines[1].fee_date", E.FEE_OUTSIDE_STAY, (CONTRADICTION, 20250315), settlement_date=20250320),
    *_warned(
        "lines[1].unit_price_e4", E.PRICE_TIMES_QUANTITY, (LEFT_OUT, None), (ZERO, 0), (UNIT, 50_000), (UNIT, 500),
        (NEIGHBOUR, 3_000_000_000),
    ),
    *_refused("lines[1].unit_price_e4", E.PRICE_OUT_OF_RANGE, (RANGE, -1), (RANGE, 10**12)),
    *_refused("lines[1].quantity_e4", E.ZERO_QUANTITY, (LEFT_OUT, None), (ZERO, 0)),
    *_warned("lines[1].quantity_e4", E.PRICE_TIMES_QUANTITY, (UNIT, 1), (UNIT, 100_000_000), (NEIGHBOUR, 20_000)),
    *_refused("lines[1].quantity_e4", E.QUANTITY_OUT_OF_RANGE, (RANGE, 10**10 + 1)),
    *_refused("lines[1].amount_fen", E.LINE_SIGN, (RANGE, -50_000)),
    *_refused("lines[3].amount_fen", E.LINE_SIGN, (CONTRADICTION, 10_000)),
    *_refused("lines[1].amount_fen", E.LINE_AMOUNT_OUT_OF_RANGE, (RANGE, TOO_MUCH)),
    *_refused("lines[1].amount_fen", E.LINES_DO_NOT_ADD_UP, (LEFT_OUT, None), (ZERO, 0), (UNIT, 500)),
    *_warned("lines[1].amount_fen", E.PRICE_TIMES_QUANTITY, (UNIT, 500), total_fen=310_500),
    *_refused(
        "lines[3].original_line_id", E.REFUND_WITHOUT_ORIGINAL, (LEFT_OUT, None), (RANGE, "99"), (NEIGHBOUR, "4"),
        (ENCODING, "明细三"),
    ),
    *_warned("lines[1].original_line_id", E.FIELDS_CONTRADICT, (CONTRADICTION, "1")),
    *_refused("lines[3].amount_fen", E.REFUND_EXCEEDS_ORIGINAL, (RANGE, -30_000), total_fen=340_000),
    *_refused("lines[1].approval", E.INVALID_CODE_VALUE, (RANGE, 3)),
    *_refused("lines[1].before_admission", E.INVALID_CODE_VALUE, (RANGE, 3)),
    *_warned("lines[1].before_admission", E.FIELDS_CONTRADICT, (CONTRADICTION, 1)),
    *_warned("lines[1].before_admission", E.FEE_OUTSIDE_STAY, (NEIGHBOUR, 2), **{"lines[1].fee_date": 20240312}),
    _also("lines[1].discharge_drug", CONTRADICTION, WARNED, E.FIELDS_CONTRADICT,
          OUTPATIENT | {"lines[1].discharge_drug": True}),
]

THE_CLAIM = ("this claim", "本结算单")
A_PART = {"mid_stay": True, "discharge_date": 0}
THE_PART = ("this claim as a mid-stay part", "本结算单（中途结算）")
A_WEEK = {
    "encounter_id": "B-1", "admission_date": 20250301, "discharge_date": 20250312, "settlement_date": 20250312,
    "stay_days": 11, "institution_code": "H33010600001",
}  # fmt: skip
OTHER_STAY = ("another hospital's stay, 1 to 12 March", "另一医院 3 月 1 日至 12 日住院")
AS_EMPLOYEE = EMPLOYEE | {"encounter_id": "B-2", "institution_code": "H33010600001"}
OF_ANOTHER_SCHEME = ("the same days in another hospital and scheme", "另一医院、另一险种同期住院")

LEDGER_MISTAKES: list[LedgerMistake] = [
    *(
        LedgerMistake({}, *THE_CLAIM, Mistake(field, kind, changes, outcome, code))
        for field, kind, changes, outcome, code in (
            ("settlement_sequence", NEIGHBOUR, {"settlement_sequence": 2}, REFUSED, E.ENCOUNTER_SETTLED),
            ("settlement_sequence", RANGE, {"settlement_sequence": 5}, REFUSED, E.SEQUENCE_NOT_NEXT),
            ("person_id", NEIGHBOUR, {"person_id": "P-other"}, REFUSED, E.KEY_REUSED),
            ("person_id", CONTRADICTION, {"person_id": "P-other", "settlement_sequence": 2}, REFUSED,
             E.ENCOUNTER_OF_ANOTHER_PERSON),
            ("department", NEIGHBOUR, {"department": "A05"}, REFUSED, E.KEY_REUSED),
            ("encounter_id", NEIGHBOUR, {"encounter_id": "A-1"}, WARNED, E.SAME_STAY),
            ("institution_code", NEIGHBOUR, {"institution_code": "H33010600001"}, WARNED, E.OVERLAPPING_STAYS),
            ("discharge_date", NEIGHBOUR, {
                "encounter_id": "A-2", "discharge_date": 20250320, "settlement_date": 20250320, "stay_days": 9,
            }, WARNED, E.SAME_STAY),
            ("care_type", NEIGHBOUR, OUTPATIENT | {
                "encounter_id": "A-3", "institution_code": "H33010600001", "admission_date": 20250312,
            }, WARNED, E.VISIT_IN_STAY),
        )
    ),
    *(
        LedgerMistake(A_PART, *THE_PART, Mistake(field, kind, changes, REFUSED, code))
        for field, kind, changes, code in (
            ("settlement_sequence", LEFT_OUT, {"settlement_sequence": None}, E.MISSING_SEQUENCE),
            ("settlement_sequence", RANGE, {"settlement_sequence": 3}, E.SEQUENCE_NOT_NEXT),
            ("lines[1].line_id", NEIGHBOUR, {"settlement_sequence": 2}, E.LINE_SETTLED_BEFORE),
        )
    ),
    LedgerMistake(A_WEEK, *OTHER_STAY, Mistake(
        "admission_date", NEIGHBOUR, {"admission_date": 20250311}, WARNED, E.OVERLAPPING_STAYS
    )),
    LedgerMistake(AS_EMPLOYEE, *OF_ANOTHER_SCHEME, Mistake(
        "scheme", NEIGHBOUR, {"scheme": "390"}, WARNED, E.OVERLAPPING_STAYS
    )),
    LedgerMistake(
        OUTPATIENT | {"encounter_id": "B-3", "admission_date": 20250312, "settlement_date": 20250312},
        "a visit on 12 March", "3 月 12 日门诊",
        Mistake("admission_date", CONTRADICTION, {"admission_date": 20250311}, WARNED, E.VISIT_IN_STAY),
    ),
]
# fmt: on
"""What only the ledger can see."""

NOT_SEEN = {
    "family_doctor_signed, at_signed_institution, use_account, lines.external_prescription, lines.maternity": (
        "each value is possible for any claim"
    ),
    "settled_at_counter, but for a settlement in mid-stay": "a bill of any place and filing may come over the counter",
    "a wrong value that is right for another claim": (
        "another county of the pool, another person of the same type and age, another item of the same price"
    ),
    "`referral_from_encounter` and `referral_deductible_fen` where the pack has no rule for referral chains": (
        "they decide nothing; where it has one, the ledger knows the chain (ADJ-9016, 9017)"
    ),
    "all amounts, prices and balances in yuan at once": "the claim is right for a bill of a hundredth",
}
"""What no field of the claim contradicts, and why."""
