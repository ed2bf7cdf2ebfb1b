"""The claim of a case as the message that a hospital system would send."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from adjudicator import codes, columns
from adjudicator.cases.file import Case, fen
from adjudicator.cases.rules import part_item
from adjudicator.claim.lookup import INPATIENT_KINDS
from adjudicator.claim.state import quota_key
from adjudicator.claim.years import QUOTA_NAME, period_of
from adjudicator.codes import CareKind, Place
from adjudicator.errors import AdjudicatorError, E, Problem, refuse
from adjudicator.limits import MAX_UNIT_PRICE_E4
from adjudicator.money import decimal_to_scaled
from adjudicator.options import QuotaPeriod, YearBy
from adjudicator.rulefile.pack import Pack
from adjudicator.rules.bundle import Bundle
from adjudicator.v1 import claim_pb2

DEFAULT_DATE = 20240601
DEFAULT_DIAGNOSIS = "J18.900"
"""Pneumonia: the diagnosis of an inpatient claim whose case does not name one."""
PERSON = "P1"
MALE, FEMALE = 1, 2

_SCHEMES = {scheme.name.lower(): scheme for scheme in codes.Scheme if scheme}
_DEFAULT_TYPES = {codes.Scheme.EMPLOYEE: "11", codes.Scheme.RESIDENT: "15"}


@dataclass(slots=True)
class YearSoFar:
    """What a benefit year of the person holds before a claim: accumulators int64[64], and disease quotas by key."""

    slots: np.ndarray = field(default_factory=lambda: np.zeros(columns.ACCUMULATOR_COUNT, np.int64))
    quotas: dict[int, int] = field(default_factory=dict)
    given: bool = False
    """The case has stated some of it, so that the claims bring the whole year with them, as a platform does [5206]."""

    def copy(self) -> YearSoFar:
        """Return the year as it is now."""
        return YearSoFar(self.slots.copy(), dict(self.quotas), self.given)


@dataclass(slots=True)
class ClaimWriter:
    """Writes the claims of one case; ``years`` is the person's year by benefit year, kept by the caller."""

    bundle: Bundle
    case: Case
    years: dict[int, YearSoFar]

    @property
    def pack(self) -> Pack:
        """The pack of the place of insurance."""
        return self.bundle.packs[0]

    def write(self, number: int) -> claim_pb2.Claim:
        """Return the claim of a case at a position.

        Errors: E.CORRUPT_CASE_FILE for a word that the rules do not know, E.LINES_DO_NOT_ADD_UP, E.INVALID_DATE,
        E.NOT_AN_AMOUNT, E.INVALID_ACCUMULATOR.
        """
        values = self.case.claims[number].values
        first, sequence = self._encounter(number)
        claim = claim_pb2.Claim(encounter_id=f"E{first + 1}", settlement_sequence=sequence, person_id=PERSON)
        self._person(claim, values)
        self._dates(claim, values, number)
        self._stay(claim, values, number)
        self._place(claim, values)
        account = values.get("account", {})
        claim.use_account = bool(values.get("use_account", bool(account)))
        for name in ("current", "past", "family"):
            setattr(claim, f"account_{name}_fen", account.get(name, 0))
        claim.hospital_borne_fen = values.get("hospital_borne", 0)
        claim.other_payer_fen = values.get("other_payers", 0)
        if "lines" in values:
            claim.lines.extend(self._lines(claim, values["lines"]))
        else:
            claim.lines.extend(self._parts(claim, values.get("amounts", {})))
        claim.total_fen = sum(line.amount_fen for line in claim.lines)
        self._year(claim, values)
        return claim

    def _encounter(self, number: int) -> tuple[int, int]:
        """Return the first claim of the encounter that a claim belongs to (``stay``), and its number in it."""
        sequence = 1
        while "stay" in self.case.claims[number].values:
            named = self.case.claims[number].values["stay"]
            if (
                not isinstance(named, int)
                or not 1 <= named <= number
                or "reverse" in self.case.claims[named - 1].values
            ):
                what = f"{self.case.name}: stay {named!r} names no earlier claim of the case; the first one is 1"
                raise refuse(E.CORRUPT_CASE_FILE, self.case.name, what)
            number, sequence = named - 1, sequence + 1
        return number, sequence

    # ---------------------------------------------------------------- who, when, where

    def _person(self, claim: claim_pb2.Claim, values: Mapping[str, Any]) -> None:
        case, person = self.case, self.case.person
        word = values.get("scheme", person.get("scheme", case.plan.get("scheme", "employee")))
        scheme = _SCHEMES[self._word(word, _SCHEMES, "scheme")]
        claim.scheme = codes.SCHEME_NATIONAL[scheme]
        person_type = str(values.get("type", person.get("type", _DEFAULT_TYPES.get(scheme, "11"))))
        claim.person_type = self._word(person_type, codes.PERSON_TYPES, "type")
        category = str(values.get("assistance", person.get("assistance", "")))
        claim.assistance_category = self._word(category, self.pack.assistance_ids, "assistance")
        claim.insured_area = f"{self.pack.areas[0].code:06d}"
        claim.age_years = int(person.get("age", 40))
        claim.sex = int(person.get("sex", FEMALE if values.get("maternity", 0) else MALE))
        claim.contribution_tier = int(person.get("contribution_tier", 0))
        claim.civil_servant = bool(person.get("civil_servant", False))
        claim.family_doctor_signed = bool(person.get("family_doctor", False))
        claim.enrolment_status = 2 if person.get("suspended", False) else 0

    def _dates(self, claim: claim_pb2.Claim, values: Mapping[str, Any], number: int) -> None:
        # Claims without a date are of one day each, so that the person is in one place at a time.
        day = date_of(values.get("date", _days_after(DEFAULT_DATE, number)))
        stay_days = int(values.get("stay_days", 0))
        claim.discharge_date = date_of(values.get("discharge", day))
        began = _days_after(claim.discharge_date, -stay_days) if stay_days > 1 else day
        claim.admission_date = date_of(values.get("admission", began))
        claim.settlement_date = date_of(values.get("settlement", claim.discharge_date))
        if values.get("mid_stay", False):
            claim.discharge_date = 0
        if "stay_days" in values:
            claim.stay_days = stay_days

    def _stay(self, claim: claim_pb2.Claim, values: Mapping[str, Any], number: int) -> None:
        kind = _member(self, values.get("care", "inpatient"), CareKind, "care")
        claim.care_type = next((code for code, known in self.pack.care_types.items() if known == kind), "")
        if not claim.care_type:
            raise refuse(E.CORRUPT_CASE_FILE, self.case.name, f"{self.case.name}: the pack has no code for this care")
        # codes.Filing and codes.Referral have the numbers of the wire.
        filing = _member(self, values.get("filing", "unspecified"), codes.Filing, "filing")
        claim.filing = cast(claim_pb2.Filing, filing)
        claim.settled_at_counter = bool(values.get("settled_at_counter", False))
        referral = _member(self, values.get("referral", "unspecified"), codes.Referral, "referral")
        claim.referral = cast(claim_pb2.Referral, referral)
        if "disease" in values:
            known = tuple(disease.code for disease in self.pack.diseases)
            claim.disease_code = self._word(str(values["disease"]), known, "disease")
        if "programme" in values:
            programmes = tuple(programme.id for programme in self.pack.programmes)
            claim.programme = self._word(str(values["programme"]), programmes, "programme")
        claim.maternity_type, claim.fetus_count = int(values.get("maternity", 0)), int(values.get("fetuses", 1))
        claim.mid_stay = bool(values.get("mid_stay", False))
        if values.get("chain", "chain_deductible" in values):
            claim.referral_from_encounter = f"E{number}"
        claim.referral_deductible_fen = values.get("chain_deductible", 0)
        claim.at_signed_institution = bool(values.get("at_signed_institution", False))
        self._record(claim, values, [DEFAULT_DIAGNOSIS] if kind in INPATIENT_KINDS else [])

    def _record(self, claim: claim_pb2.Claim, values: Mapping[str, Any], diagnoses: list[str]) -> None:
        """Write what the medical record says of the stay, for grouping and payment."""
        claim.diagnoses.extend(map(str, values.get("diagnoses", diagnoses)))
        claim.procedures.extend(map(str, values.get("procedures", [])))
        claim.department = str(values.get("department", ""))
        claim.discharge_way = int(values.get("discharge_way", 0))
        claim.icu_hours = int(values.get("icu_hours", 0))
        claim.birth_weight_g = int(values.get("birth_weight_g", 0))
        if "age_days" in values:
            claim.age_days = int(values["age_days"])

    def _place(self, claim: claim_pb2.Claim, values: Mapping[str, Any]) -> None:
        """Institution and place of care: a hospital of the register, or one elsewhere with its national level."""
        place = Place(_member(self, values.get("place", "local"), Place, "place"))
        if "care_area" in values:
            claim.care_area = self._care_area(str(values["care_area"]), values)
        elif place != Place.LOCAL:
            claim.care_area = self._elsewhere(place)
        local = not claim.care_area or self._is_local(int(claim.care_area))
        if "hospital" in values:
            known = tuple(hospital.code for hospital in self.pack.hospitals)
            claim.institution_code = self._word(str(values["hospital"]), known, "hospital")
        elif "hosp_lv" in values and not local:
            claim.institution_code = f"H{claim.care_area}00001"
            claim.hospital_level = self._word(str(values["hosp_lv"]), codes.HOSPITAL_LEVELS, "hosp_lv")
        else:
            self._hospital_of_level(claim, str(values.get("level", self.pack.level_ids[0])), local)

    def _care_area(self, area: str, values: Mapping[str, Any]) -> str:
        """Return the place of care whose catalogue holds: a county of the pool, or an area of another pack."""
        own = [str(county.code) for county in self.pack.areas]
        if area not in own and self.bundle.catalogue.area_group(area) < 0:
            name = self.case.name
            raise refuse(E.CORRUPT_CASE_FILE, name, f"{name}: no pack of the case has the catalogue of {area}")
        place = Place.LOCAL if self._is_local(int(area)) else (
            Place.PROVINCE if area[:2] == f"{self.pack.pool:06d}"[:2] else Place.OUTSIDE
        )  # fmt: skip
        self._word(str(values.get("place", place.name.lower())), (place.name.lower(),), "place")
        return area

    def _is_local(self, area: int) -> bool:
        """Return whether an area lies in the pool."""
        return area // self.pack.span == self.pack.pool // self.pack.span

    def _elsewhere(self, place: Place) -> str:
        """Return an area of the province or of another one, without a catalogue of its own if there is one."""
        province, city = divmod(self.pack.pool // 100, 100)
        if place == Place.PROVINCE and self.pack.province_wide:
            name = self.case.name
            raise refuse(E.CORRUPT_CASE_FILE, name, f"{name}: the pool is the whole province; write place: outside")
        if place == Place.PROVINCE:
            areas = [f"{province:02d}{other:02d}01" for other in range(1, 91) if other != city]
        else:
            areas = [f"{other:02d}0101" for other in range(11, 83) if other != province]
        return next((area for area in areas if self.bundle.catalogue.area_group(area) < 0), areas[0])

    def _hospital_of_level(self, claim: claim_pb2.Claim, level: str, local: bool) -> None:
        """Name an institution of a level group in the claim."""
        number = self.pack.level_ids.index(self._word(level, self.pack.level_ids, "level"))
        national = self.bundle.lookup.level_of_hospital_level[0].tolist()
        if not local and number in national:
            claim.institution_code = f"H{claim.care_area}00001"
            claim.hospital_level = codes.HOSPITAL_LEVELS[national.index(number)]
            return
        for hospital in self.pack.hospitals:
            inside = hospital.county >= 0 or not local
            if inside and hospital.deductible_level == hospital.price_level == number:
                claim.institution_code = hospital.code
                claim.care_area = claim.care_area or claim.insured_area
                return
        name = self.case.name
        raise refuse(E.CORRUPT_CASE_FILE, name, f"{name}: no hospital of the register has the level {level}")

    # ---------------------------------------------------------------- the bill

    def _lines(self, claim: claim_pb2.Claim, written: list[dict[str, Any]]) -> Iterable[claim_pb2.Line]:
        """Yield the fee lines as written; a line without amount has price times quantity, half up."""
        names = [str(line.get("id", f"{_part(claim)}{number}")) for number, line in enumerate(written)]
        for number, line in enumerate(written):
            quantity_e4 = decimal_to_scaled(str(line.get("quantity", 1)), 4)
            amount = fen(line["amount"], f"{self.case.name}.lines[{number}].amount") if "amount" in line else None
            if "price" in line:
                price_e4 = decimal_to_scaled(str(line["price"]), 6)
            else:
                price_e4 = abs(amount or 0) * 10**8 // abs(quantity_e4)
            if amount is None:
                amount = (price_e4 * quantity_e4 + 5 * 10**7) // 10**8
            yield claim_pb2.Line(
                line_id=names[number], item_code=str(line["item"]),
                fee_date=date_of(line.get("date", claim.admission_date)), unit_price_e4=price_e4,
                quantity_e4=quantity_e4, amount_fen=amount, approval=int(line.get("approval", 0)),
                before_admission=int(line.get("before_admission", False)),
                original_line_id=self._word(str(line["refund_of"]), names, "refund_of") if "refund_of" in line else "",
            )  # fmt: skip

    def _parts(self, claim: claim_pb2.Claim, amounts: Mapping[str, int]) -> Iterable[claim_pb2.Line]:
        """One line for each part of a bill that is stated in parts; a bill of nothing has one line of nothing."""
        parts = bill_parts(amounts)
        stated = [name for name, amount in amounts.items() if amount < 0]
        if stated:
            raise refuse(E.NEGATIVE_AMOUNT, f"{self.case.name}.amounts.{stated[0]}")
        if sum(parts.values()) != amounts.get("total", sum(parts.values())) or min(parts.values()) < 0:
            raise AdjudicatorError(Problem(int(E.LINES_DO_NOT_ADD_UP), f"{self.case.name}.amounts"))
        charged = {part: amount for part, amount in parts.items() if amount} or {"in_scope": 0}
        for number, (part, amount) in enumerate(charged.items(), 1):
            # A part above the highest unit price is ten, a hundred … units of it.
            units = next(many for many in (1, 10, 100, 1_000, 10_000) if amount * 10_000 // many < MAX_UNIT_PRICE_E4)
            yield claim_pb2.Line(
                line_id=f"{_part(claim)}{number}", item_code=part_item(part), fee_date=claim.admission_date,
                unit_price_e4=amount * 10_000 // units, quantity_e4=units * 10_000, amount_fen=amount,
            )  # fmt: skip

    # ---------------------------------------------------------------- the year

    def _year(self, claim: claim_pb2.Claim, values: Mapping[str, Any]) -> None:
        """Give the claim the person's year before it, where the case has stated any of it."""
        deciding, year = self._deciding(claim)
        so_far = self.years.setdefault(year, YearSoFar())
        if "year_to_date" in values or "quota_used" in values:
            so_far.given = True
        for name, value in values.get("year_to_date", {}).items():
            slot = name if name in columns.SLOT else f"{name}_fen"
            if slot not in columns.SLOT:
                raise refuse(E.INVALID_ACCUMULATOR, self.case.name, str(name))
            amount = fen(value, f"{self.case.name}.{name}") if slot.endswith("_fen") else int(value)
            so_far.slots[columns.SLOT[slot]] = amount
        quota = self._quota(claim.disease_code, deciding)
        if quota and "quota_used" in values:
            so_far.quotas[quota_key(*quota)] = fen(values["quota_used"], "quota_used")
        if not so_far.given:
            return
        claim.accumulators.year = year
        for name, position in columns.SLOT.items():
            if so_far.slots[position]:
                claim.accumulators.entries.add(name=name, value=int(so_far.slots[position]))
        if quota:
            used = so_far.quotas.get(quota_key(*quota), 0)
            claim.accumulators.entries.add(name=QUOTA_NAME, value=used, disease_code=quota[0], period=quota[1])

    def _quota(self, disease_code: str, deciding: int) -> tuple[str, int] | None:
        """Disease and period of the quota that the claim counts in."""
        for disease in self.pack.diseases:
            if disease.code == disease_code and disease.period != QuotaPeriod.NONE:
                return disease.code, period_of(deciding, disease.period)
        return None

    def _deciding(self, claim: claim_pb2.Claim) -> tuple[int, int]:
        """Return the date that decides which rule holds, and the benefit year (V08)."""
        dates = {
            YearBy.ADMISSION: claim.admission_date, YearBy.SETTLEMENT: claim.settlement_date,
            YearBy.DISCHARGE: claim.discharge_date or claim.settlement_date,
        }  # fmt: skip
        year, day = divmod(dates[self.pack.benefit_year], 10_000)
        return dates[self.pack.rule_date], year - (day < self.pack.year_begins)

    def _word(self, word: str, known: Iterable[str], what: str) -> str:
        if word not in known:
            choices = ", ".join(str(entry) for entry in known if entry)
            name = self.case.name
            raise refuse(E.CORRUPT_CASE_FILE, name, f"{name}: {what} {word!r} is none of {choices}")
        return word


def bill_parts(amounts: Mapping[str, int]) -> dict[str, int]:
    """Amounts of a case as parts that add up to the bill; ``copay_free`` and such are parts of a part.

    A special drug lies in scope as far as there is room, then in the first pay, else it is wholly self-paid.

    >>> bill_parts({"in_scope": 100, "first_pay": 20, "wholly_self_paid": 9, "special_drug": 125})
    {'in_scope': 0, 'copay_free': 0, 'special_drug': 100, 'copay_free_special_drug': 0, 'first_pay': 0, \
'first_pay_special_drug': 20, 'over_ceiling': 0, 'hospital_borne': 0, 'in_catalogue_excess': 0, 'wholly_self_paid': 4, \
'wholly_self_paid_special_drug': 5}
    """
    in_scope, first_pay, over = (amounts.get(name, 0) for name in ("in_scope", "first_pay", "over_ceiling"))
    free, special = amounts.get("copay_free", 0), amounts.get("special_drug", 0)
    hospital, excess = amounts.get("hospital_borne", 0), amounts.get("in_catalogue_excess", 0)
    special_scope = min(special, in_scope)
    special_pay = min(special - special_scope, first_pay)
    outside = special - special_scope - special_pay
    both = max(free + special_scope - in_scope, 0)
    return {
        "in_scope": in_scope - free - special_scope + both,
        "copay_free": free - both,
        "special_drug": special_scope - both,
        "copay_free_special_drug": both,
        "first_pay": first_pay - special_pay,
        "first_pay_special_drug": special_pay,
        "over_ceiling": over - hospital - excess,
        "hospital_borne": hospital,
        "in_catalogue_excess": excess,
        "wholly_self_paid": amounts.get("wholly_self_paid", 0) - outside,
        "wholly_self_paid_special_drug": outside,
    }


def _member(writer: ClaimWriter, word: Any, members: Any, what: str) -> int:
    names = {member.name.lower(): int(member) for member in members}
    return names[writer._word(str(word), names, what)]


def _days_after(date: int, days: int) -> int:
    """Return the day (YYYYMMDD) that is some days after a date, or before it where ``days`` are negative."""
    day = datetime.date(date // 10_000, date // 100 % 100, date % 100) + datetime.timedelta(days)
    return date_of(day)


def date_of(value: Any) -> int:
    if isinstance(value, datetime.date):
        return value.year * 10_000 + value.month * 100 + value.day
    text = str(value).replace("-", "")
    try:
        datetime.datetime.strptime(text, "%Y%m%d")
    except ValueError as error:
        raise refuse(E.INVALID_DATE, str(value)) from error
    return int(text)


def _part(claim: claim_pb2.Claim) -> str:
    """Return how the line ids of a later part of a stay begin: a line is settled once in an encounter."""
    return f"{claim.settlement_sequence}-" if claim.settlement_sequence > 1 else ""
