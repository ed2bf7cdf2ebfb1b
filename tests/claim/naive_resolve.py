"""The slow twin of ``claim/resolve.py``: one protobuf message at a time, against the packs themselves."""

from __future__ import annotations

from typing import Any

from adjudicator import limits
from adjudicator.claim.lookup import INPATIENT_KINDS
from adjudicator.codes import HOSPITAL_LEVELS, PERSON_TYPES, SCHEME_CODES, CareKind, Place
from adjudicator.dates import day_number, is_date
from adjudicator.errors import E
from adjudicator.options import YearBy
from adjudicator.rulefile.pack import Hospital, Pack
from adjudicator.rules.bundle import Bundle
from adjudicator.v1 import claim_pb2

Found = tuple[int, str, int]
"""Number of the error table, field path with ``[]`` for the line, line or -1."""


ID_BYTES = {
    "institution_code": 12, "encounter_id": 30, "person_id": 30, "referral_from_encounter": 30, "department": 30,
    "line_id": 30, "item_code": 64, "institution_item_code": 64,
}  # fmt: skip


def text_fault(field: str, text: str) -> E:
    """Return what is wrong with an id or code: its length, a blank at an end, or what is not printable ASCII."""
    if len(text.encode()) > ID_BYTES[field]:
        return E.ID_TOO_LONG
    printable = all(" " <= character <= "~" for character in text)
    return E.NONE if printable and text == text.strip(" ") else E.INVALID_ID


def digits(text: str, most: int) -> int:
    """Return the value of 1 to ``most`` ASCII digits, -1 for any other text."""
    return int(text) if 1 <= len(text.encode()) <= most and text.isascii() and text.isdigit() else -1


class NaiveResolver:
    """Resolves one claim; ``claim`` and ``lines`` are the columns by name, ``found`` every problem."""

    def __init__(self, bundle: Bundle, message: claim_pb2.Claim, first_line: int = 0, latest: int = 20991231):
        self.bundle, self.message, self.first_line, self.latest = bundle, message, first_line, latest
        self.claim: dict[str, int] = {}
        self.lines: list[dict[str, int]] = []
        self.found: list[Found] = []
        self.pack: Pack | None = None
        self._copy()
        self._identity()
        self._place()
        self._person()
        self._codes()
        self._dates()
        self._amounts()
        self._code_lists()
        self._lines()
        worst = min(self.found, default=(0, "", -1))
        self.claim |= {"error": worst[0]}

    def note(self, number: E, field: str, line: int = -1) -> None:
        self.found.append((int(number), field, line))

    @property
    def is_inpatient(self) -> bool:
        return CareKind(self.claim["care_kind"]) in INPATIENT_KINDS

    def _copy(self) -> None:
        m = self.message
        plain = (
            "filing", "referral", "settlement_date", "admission_date", "discharge_date", "total_fen",
            "account_current_fen", "account_past_fen", "account_family_fen", "hospital_borne_fen",
        )  # fmt: skip
        self.claim = {name: getattr(m, name) for name in plain}
        flags = ("civil_servant", "at_signed_institution", "mid_stay", "use_account", "settled_at_counter")
        self.claim |= {name: int(getattr(m, name)) for name in flags}
        capped = (("contribution_tier", 1000), ("maternity_type", 1000), ("fetus_count", 1000), ("sex", 1000),
                  ("discharge_way", 1000), ("birth_weight_g", 10**6), ("icu_hours", 10**7))  # fmt: skip
        self.claim |= {name: min(getattr(m, name), most) for name, most in capped}
        self.claim |= {
            "state": -1, "quota": -1, "pack": -1, "county": -1, "care_county": -1, "hospital": -1, "scheme": 0,
            "person_type": 0, "assistance": 0, "care_kind": 0, "place": int(Place.LOCAL), "hospital_level": 0,
            "deductible_level": -1, "price_level": -1, "disease": -1, "ward": -1, "programme": 0, "care_catalogue": 0,
            "department": 0, "stay_days": 0,
            "age_years": min(m.age_years, 10**5) if m.HasField("age_years") else -1,
            "age_days": min(m.age_days, 10**6) if m.HasField("age_days") else -1,
            "family_doctor": int(m.family_doctor_signed), "suspended": int(m.enrolment_status in (2, 4)),
            "chain_continues": int(m.referral_from_encounter != ""),
            "accumulators_given": int(m.HasField("accumulators")),
            "other_payer_fen": m.other_payer_fen, "chain_deductible_fen": m.referral_deductible_fen,
        }  # fmt: skip

    def _identity(self) -> None:
        m = self.message
        for field, missing in (
            ("institution_code", E.MISSING_INSTITUTION), ("encounter_id", E.MISSING_ENCOUNTER),
            ("person_id", E.MISSING_PERSON),
        ):  # fmt: skip
            text = getattr(m, field)
            if fault := text_fault(field, text) if text else missing:
                self.note(fault, field)
        for field in ("referral_from_encounter", "department"):
            if fault := text_fault(field, getattr(m, field)):
                self.note(fault, field)
        if m.settlement_sequence == 0:
            self.note(E.MISSING_SEQUENCE, "settlement_sequence")

    # ---------------------------------------------------------------- where

    def _place(self) -> None:
        m = self.message
        insured = digits(m.insured_area, 6) if len(m.insured_area.encode()) == 6 else -1
        for number, pack in enumerate(self.bundle.packs):
            for county, area in enumerate(pack.areas):
                if area.code == insured:
                    self.pack = pack
                    self.claim |= {"pack": number, "county": county}
        if self.pack is None:
            self.note(E.UNKNOWN_AREA, "insured_area")
        owner, hospital = next(
            (
                (pack, hospital)
                for pack in self.bundle.packs
                for hospital in pack.hospitals
                if hospital.code == m.institution_code and self._is_registered(hospital)
            ),
            (None, None),
        )
        care = self._care_area(insured, hospital)
        if self.pack is None or care < 0:
            return
        digits_of_pool = 2 if self.pack.province_wide else 4 if f"{self.pack.pool:06d}".endswith("00") else 6
        if f"{care:06d}"[:digits_of_pool] != f"{insured:06d}"[:digits_of_pool]:
            same_province = care // 10_000 == insured // 10_000
            self.claim["place"] = int(Place.PROVINCE if same_province else Place.OUTSIDE)
            self.claim["care_catalogue"] = 1 + self.bundle.catalogue.area_group(f"{care:06d}")
        counties = [area.code for area in self.pack.areas]
        if care in counties:
            self.claim["care_county"] = counties.index(care)
        if hospital is not None and owner is self.pack:
            self.claim |= {
                "hospital": self.pack.hospitals.index(hospital) if hospital.area in counties else -1,
                "hospital_level": HOSPITAL_LEVELS.index(hospital.hosp_lv),
                "deductible_level": hospital.deductible_level, "price_level": hospital.price_level,
            }  # fmt: skip
            if m.hospital_level and not 1 <= digits(m.hospital_level, 2) <= 11:
                self.note(E.UNKNOWN_HOSPITAL_LEVEL, "hospital_level")
        elif self.claim["place"] == Place.LOCAL:
            self.note(E.UNKNOWN_INSTITUTION, "institution_code")
        else:
            self._level_elsewhere(hospital)

    def _is_registered(self, hospital: Hospital) -> bool:
        m, day = self.message, self.message.settlement_date
        if self.pack is not None and self.pack.rule_date == YearBy.ADMISSION:
            day = m.admission_date
        elif self.pack is not None and self.pack.rule_date == YearBy.DISCHARGE:
            day = m.discharge_date or m.settlement_date
        begun = hospital.from_date == limits.FIRST_DATE or hospital.from_date <= day
        return begun and (hospital.to_date == limits.LAST_DATE or day <= hospital.to_date)

    def _care_area(self, insured: int, hospital: Hospital | None) -> int:
        text = self.message.care_area
        if not text:
            return hospital.area if hospital is not None else insured
        care = digits(text, 6) if len(text.encode()) == 6 else -1
        if care < 110_000:
            self.note(E.UNKNOWN_CARE_AREA, "care_area")
            return -1
        return care

    def _level_elsewhere(self, hospital: Hospital | None) -> None:
        assert self.pack is not None
        level = digits(self.message.hospital_level, 2)
        if not self.message.hospital_level and hospital is not None:
            level = HOSPITAL_LEVELS.index(hospital.hosp_lv)
        if not 1 <= level <= 11:
            self.note(E.UNKNOWN_HOSPITAL_LEVEL, "hospital_level")
            return
        groups = [at for at, group in enumerate(self.pack.levels) if HOSPITAL_LEVELS[level] in group.hosp_lv]
        group = groups[-1] if groups else -1
        if group < 0:
            self.note(E.UNKNOWN_HOSPITAL_LEVEL, "hospital_level")
        self.claim |= {"hospital_level": level, "deductible_level": group, "price_level": group}

    # ---------------------------------------------------------------- who

    def _person(self) -> None:
        m, pack = self.message, self.pack
        scheme = {int(code): scheme for code, scheme in SCHEME_CODES.items()}.get(digits(m.scheme, 3), 0)
        self.claim["scheme"] = int(scheme)
        if not scheme or (pack is not None and scheme not in pack.schemes):
            self.note(E.UNKNOWN_SCHEME, "scheme")
        types = {int(code): at for at, code in enumerate(PERSON_TYPES) if code}
        self.claim["person_type"] = types.get(digits(m.person_type, 4), 0)
        if not self.claim["person_type"]:
            self.note(E.UNKNOWN_PERSON_TYPE, "person_type")
        if pack is None:
            return
        kinds = {int(code): kind for code, kind in pack.care_types.items()}
        self.claim["care_kind"] = int(kinds.get(digits(m.care_type, 6), 0))
        if not self.claim["care_kind"]:
            self.note(E.UNKNOWN_CARE_TYPE, "care_type")
        categories, programmes = list(pack.assistance_ids), ["", *(entry.id for entry in pack.programmes)]
        for field, column, name, names, wrong in (
            ("assistance_category", "assistance", m.assistance_category, categories, E.UNKNOWN_ASSISTANCE_CATEGORY),
            ("programme", "programme", m.programme, programmes, E.UNKNOWN_PROGRAMME),
        ):
            if name and name in names:
                self.claim[column] = names.index(name)
            elif name:
                self.note(wrong, field)
        wards = {code: number for number, ward in enumerate(pack.wards) for code in ward.departments}
        self.claim["ward"] = wards.get(m.department, wards.get(m.department[:3], -1))
        schemes = {grouping.scheme for grouping in pack.groupings}
        known = [scheme.departments for scheme in self.bundle.schemes if scheme.name in schemes]
        departments = sorted({name for listed in known for name in listed})
        if m.department in departments:
            self.claim["department"] = departments.index(m.department) + 1
        if m.disease_code:
            diseases = [disease.code for disease in pack.diseases]
            self.claim["disease"] = diseases.index(m.disease_code) if m.disease_code in diseases else -1
            if self.claim["disease"] < 0:
                self.note(E.UNKNOWN_DISEASE, "disease_code")

    def _codes(self) -> None:
        m = self.message
        for field, is_wrong in (
            ("sex", m.sex not in (0, 1, 2, 9)), ("filing", not 0 <= m.filing <= 8),
            ("referral", not 0 <= m.referral <= 4), ("discharge_way", m.discharge_way > 5 and m.discharge_way != 9),
            ("maternity_type", m.maternity_type > 7 and m.maternity_type != 9), ("fetus_count", m.fetus_count > 20),
            ("enrolment_status", m.enrolment_status not in (0, 1, 2, 4)),
            ("contribution_tier", m.contribution_tier > 99), ("birth_weight_g", m.birth_weight_g > 30_000),
        ):  # fmt: skip
            if is_wrong:
                self.note(E.INVALID_CODE_VALUE, field)
        if m.age_years > limits.MAX_AGE_YEARS:
            self.note(E.AGE_OUT_OF_RANGE, "age_years")
        if m.age_days > limits.MAX_AGE_YEARS * 366:
            self.note(E.AGE_OUT_OF_RANGE, "age_days")
        if m.icu_hours > limits.MAX_STAY_DAYS * 24:
            self.note(E.STAY_OUT_OF_RANGE, "icu_hours")

    # ---------------------------------------------------------------- when

    @staticmethod
    def date_error(date: int) -> E:
        if date == 0:
            return E.MISSING_DATE
        if not is_date(date):
            return E.INVALID_DATE
        return E.NONE if limits.FIRST_DATE <= date <= limits.LAST_DATE else E.DATE_OUT_OF_RANGE

    def _dates(self) -> None:
        m = self.message
        wrong = False
        for field in ("settlement_date", "admission_date", "discharge_date"):
            date = getattr(m, field)
            error = self.date_error(date)
            if field == "discharge_date" and date == 0 and not (self.is_inpatient and not m.mid_stay):
                error = E.NONE
            if error:
                self.note(error, field)
                wrong = True
            elif field == "settlement_date" and date > self.latest:
                self.note(E.SETTLED_IN_FUTURE, field)
        if wrong:
            return
        end = m.discharge_date or m.settlement_date
        if not m.admission_date <= end <= m.settlement_date:
            self.note(E.DATE_ORDER, "discharge_date")
        elif m.HasField("stay_days"):
            if m.stay_days > limits.MAX_STAY_DAYS:
                self.note(E.STAY_OUT_OF_RANGE, "stay_days")
            else:
                self.claim["stay_days"] = m.stay_days
        else:
            self.claim["stay_days"] = max(day_number(end) - day_number(m.admission_date), 1)

    # ---------------------------------------------------------------- how much

    def _amounts(self) -> None:
        m = self.message
        for field in (
            "total_fen", "account_current_fen", "account_past_fen", "account_family_fen", "hospital_borne_fen",
            "other_payer_fen", "referral_deductible_fen",
        ):  # fmt: skip
            amount = getattr(m, field)
            if amount < 0:
                self.note(E.NEGATIVE_AMOUNT, field)
            elif amount > limits.MAX_AMOUNT_FEN:
                self.note(E.AMOUNT_OUT_OF_RANGE, field)
        payers = (m.hospital_borne_fen, m.other_payer_fen)
        if (
            m.total_fen >= 0
            and all(0 <= part <= limits.MAX_AMOUNT_FEN for part in payers)
            and sum(payers) > m.total_fen
        ):
            self.note(E.PAYERS_EXCEED_TOTAL, "other_payer_fen")

    def _code_lists(self) -> None:
        m = self.message
        if len(m.diagnoses) > limits.MAX_DIAGNOSES_PER_CLAIM:
            self.note(E.TOO_MANY_CODES, "diagnoses")
        if len(m.procedures) > limits.MAX_PROCEDURES_PER_CLAIM:
            self.note(E.TOO_MANY_CODES, "procedures")
        if self.is_inpatient and not m.diagnoses:
            self.note(E.NO_DIAGNOSIS, "diagnoses")

    def _lines(self) -> None:
        m = self.message
        count = len(m.lines)
        self.claim |= {"line_start": self.first_line, "line_end": self.first_line + count}
        if count == 0:
            self.note(E.NO_LINES, "lines")
        if count > limits.MAX_LINES_PER_CLAIM:
            self.note(E.TOO_MANY_LINES, "lines")
            self.claim["line_end"] = self.first_line
            return
        serials: dict[str, int] = {}
        for number, line in enumerate(m.lines):
            self.lines.append(self._line(line))
            self._check_line(number, line, serials)
        for number, line in enumerate(m.lines):
            if line.quantity_e4 < 0:
                if line.original_line_id in serials:
                    self.lines[number]["original"] = self.first_line + serials[line.original_line_id]
                else:
                    self.note(E.REFUND_WITHOUT_ORIGINAL, "lines[].original_line_id", number)
        counted = sum(line.amount_fen for line in m.lines if abs(line.amount_fen) <= limits.MAX_AMOUNT_FEN)
        if count and counted != m.total_fen:
            self.note(E.LINES_DO_NOT_ADD_UP, "total_fen")

    def _line(self, line: claim_pb2.Line) -> dict[str, int]:
        flags = (
            line.quantity_e4 < 0, line.before_admission != 0, line.discharge_drug, line.external_prescription,
            line.maternity,
        )  # fmt: skip
        return {
            "item": self.bundle.catalogue.item(line.item_code), "unit_price_e4": line.unit_price_e4,
            "quantity_e4": line.quantity_e4, "amount_fen": line.amount_fen, "fee_date": line.fee_date,
            "approval": min(line.approval, 1000), "flags": sum(flag << bit for bit, flag in enumerate(flags)),
            "original": -1,
        }  # fmt: skip

    def _check_line(self, number: int, line: claim_pb2.Line, serials: dict[str, int]) -> None:
        def note(error: E, field: str) -> None:
            self.note(error, f"lines[].{field}", number)

        if not line.line_id:
            note(E.MISSING_LINE_ID, "line_id")
        elif fault := text_fault("line_id", line.line_id):
            note(fault, "line_id")
        elif line.line_id in serials:
            note(E.DUPLICATE_LINE_ID, "line_id")
        else:
            serials[line.line_id] = number
        for field in ("item_code", "department", "institution_item_code"):
            fault = text_fault(field, getattr(line, field))
            if fault and not (field == "item_code" and self.bundle.catalogue.item(line.item_code) >= 0):
                note(fault, field)
        if self.date_error(line.fee_date):
            note(E.INVALID_FEE_DATE, "fee_date")
        elif 0 < self.message.settlement_date < line.fee_date:
            note(E.FEE_AFTER_SETTLEMENT, "fee_date")
        for field in ("before_admission", "approval"):
            if getattr(line, field) > 2:
                note(E.INVALID_CODE_VALUE, field)
        if line.quantity_e4 == 0:
            note(E.ZERO_QUANTITY, "quantity_e4")
        elif abs(line.quantity_e4) > limits.MAX_QUANTITY_E4:
            note(E.QUANTITY_OUT_OF_RANGE, "quantity_e4")
        elif line.quantity_e4 * line.amount_fen < 0:
            note(E.LINE_SIGN, "amount_fen")
        if not 0 <= line.unit_price_e4 <= limits.MAX_UNIT_PRICE_E4:
            note(E.PRICE_OUT_OF_RANGE, "unit_price_e4")
        if abs(line.amount_fen) > limits.MAX_AMOUNT_FEN:
            note(E.LINE_AMOUNT_OUT_OF_RANGE, "amount_fen")


def resolve(bundle: Bundle, message: claim_pb2.Claim, first_line: int = 0, latest: int = 20991231) -> NaiveResolver:
    """Resolve one claim; ``first_line`` is the position of its first line among the lines of the batch."""
    return NaiveResolver(bundle, message, first_line, latest)


__all__: list[Any] = ["Found", "NaiveResolver", "digits", "resolve"]
