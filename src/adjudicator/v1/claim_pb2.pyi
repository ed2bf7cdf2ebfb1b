from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Filing(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FILING_UNSPECIFIED: _ClassVar[Filing]
    FILING_RESETTLED: _ClassVar[Filing]
    FILING_LONG_TERM: _ClassVar[Filing]
    FILING_POSTED: _ClassVar[Filing]
    FILING_REFERRED: _ClassVar[Filing]
    FILING_EMERGENCY: _ClassVar[Filing]
    FILING_TEMPORARY: _ClassVar[Filing]
    FILING_NONE: _ClassVar[Filing]
    FILING_NOT_DIRECT: _ClassVar[Filing]

class Referral(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REFERRAL_UNSPECIFIED: _ClassVar[Referral]
    REFERRAL_UP: _ClassVar[Referral]
    REFERRAL_DOWN: _ClassVar[Referral]
    REFERRAL_SAME: _ClassVar[Referral]
    REFERRAL_MISSING: _ClassVar[Referral]
FILING_UNSPECIFIED: Filing
FILING_RESETTLED: Filing
FILING_LONG_TERM: Filing
FILING_POSTED: Filing
FILING_REFERRED: Filing
FILING_EMERGENCY: Filing
FILING_TEMPORARY: Filing
FILING_NONE: Filing
FILING_NOT_DIRECT: Filing
REFERRAL_UNSPECIFIED: Referral
REFERRAL_UP: Referral
REFERRAL_DOWN: Referral
REFERRAL_SAME: Referral
REFERRAL_MISSING: Referral

class Claim(_message.Message):
    __slots__ = ("institution_code", "encounter_id", "settlement_sequence", "person_id", "insured_area", "care_area", "scheme", "person_type", "care_type", "settlement_date", "admission_date", "discharge_date", "total_fen", "lines", "diagnoses", "procedures", "sex", "age_years", "age_days", "birth_weight_g", "contribution_tier", "assistance_category", "civil_servant", "family_doctor_signed", "at_signed_institution", "enrolment_status", "filing", "referral", "referral_from_encounter", "referral_deductible_fen", "hospital_level", "department", "stay_days", "discharge_way", "icu_hours", "disease_code", "mid_stay", "programme", "maternity_type", "fetus_count", "use_account", "account_current_fen", "account_past_fen", "account_family_fen", "hospital_borne_fen", "other_payer_fen", "accumulators", "other_assistance_categories", "settled_at_counter")
    INSTITUTION_CODE_FIELD_NUMBER: _ClassVar[int]
    ENCOUNTER_ID_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PERSON_ID_FIELD_NUMBER: _ClassVar[int]
    INSURED_AREA_FIELD_NUMBER: _ClassVar[int]
    CARE_AREA_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    PERSON_TYPE_FIELD_NUMBER: _ClassVar[int]
    CARE_TYPE_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENT_DATE_FIELD_NUMBER: _ClassVar[int]
    ADMISSION_DATE_FIELD_NUMBER: _ClassVar[int]
    DISCHARGE_DATE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FEN_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSES_FIELD_NUMBER: _ClassVar[int]
    PROCEDURES_FIELD_NUMBER: _ClassVar[int]
    SEX_FIELD_NUMBER: _ClassVar[int]
    AGE_YEARS_FIELD_NUMBER: _ClassVar[int]
    AGE_DAYS_FIELD_NUMBER: _ClassVar[int]
    BIRTH_WEIGHT_G_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTION_TIER_FIELD_NUMBER: _ClassVar[int]
    ASSISTANCE_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    CIVIL_SERVANT_FIELD_NUMBER: _ClassVar[int]
    FAMILY_DOCTOR_SIGNED_FIELD_NUMBER: _ClassVar[int]
    AT_SIGNED_INSTITUTION_FIELD_NUMBER: _ClassVar[int]
    ENROLMENT_STATUS_FIELD_NUMBER: _ClassVar[int]
    FILING_FIELD_NUMBER: _ClassVar[int]
    REFERRAL_FIELD_NUMBER: _ClassVar[int]
    REFERRAL_FROM_ENCOUNTER_FIELD_NUMBER: _ClassVar[int]
    REFERRAL_DEDUCTIBLE_FEN_FIELD_NUMBER: _ClassVar[int]
    HOSPITAL_LEVEL_FIELD_NUMBER: _ClassVar[int]
    DEPARTMENT_FIELD_NUMBER: _ClassVar[int]
    STAY_DAYS_FIELD_NUMBER: _ClassVar[int]
    DISCHARGE_WAY_FIELD_NUMBER: _ClassVar[int]
    ICU_HOURS_FIELD_NUMBER: _ClassVar[int]
    DISEASE_CODE_FIELD_NUMBER: _ClassVar[int]
    MID_STAY_FIELD_NUMBER: _ClassVar[int]
    PROGRAMME_FIELD_NUMBER: _ClassVar[int]
    MATERNITY_TYPE_FIELD_NUMBER: _ClassVar[int]
    FETUS_COUNT_FIELD_NUMBER: _ClassVar[int]
    USE_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_CURRENT_FEN_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_PAST_FEN_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FAMILY_FEN_FIELD_NUMBER: _ClassVar[int]
    HOSPITAL_BORNE_FEN_FIELD_NUMBER: _ClassVar[int]
    OTHER_PAYER_FEN_FIELD_NUMBER: _ClassVar[int]
    ACCUMULATORS_FIELD_NUMBER: _ClassVar[int]
    OTHER_ASSISTANCE_CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    SETTLED_AT_COUNTER_FIELD_NUMBER: _ClassVar[int]
    institution_code: str
    encounter_id: str
    settlement_sequence: int
    person_id: str
    insured_area: str
    care_area: str
    scheme: str
    person_type: str
    care_type: str
    settlement_date: int
    admission_date: int
    discharge_date: int
    total_fen: int
    lines: _containers.RepeatedCompositeFieldContainer[Line]
    diagnoses: _containers.RepeatedScalarFieldContainer[str]
    procedures: _containers.RepeatedScalarFieldContainer[str]
    sex: int
    age_years: int
    age_days: int
    birth_weight_g: int
    contribution_tier: int
    assistance_category: str
    civil_servant: bool
    family_doctor_signed: bool
    at_signed_institution: bool
    enrolment_status: int
    filing: Filing
    referral: Referral
    referral_from_encounter: str
    referral_deductible_fen: int
    hospital_level: str
    department: str
    stay_days: int
    discharge_way: int
    icu_hours: int
    disease_code: str
    mid_stay: bool
    programme: str
    maternity_type: int
    fetus_count: int
    use_account: bool
    account_current_fen: int
    account_past_fen: int
    account_family_fen: int
    hospital_borne_fen: int
    other_payer_fen: int
    accumulators: Accumulators
    other_assistance_categories: _containers.RepeatedScalarFieldContainer[str]
    settled_at_counter: bool
    def __init__(self, institution_code: _Optional[str] = ..., encounter_id: _Optional[str] = ..., settlement_sequence: _Optional[int] = ..., person_id: _Optional[str] = ..., insured_area: _Optional[str] = ..., care_area: _Optional[str] = ..., scheme: _Optional[str] = ..., person_type: _Optional[str] = ..., care_type: _Optional[str] = ..., settlement_date: _Optional[int] = ..., admission_date: _Optional[int] = ..., discharge_date: _Optional[int] = ..., total_fen: _Optional[int] = ..., lines: _Optional[_Iterable[_Union[Line, _Mapping]]] = ..., diagnoses: _Optional[_Iterable[str]] = ..., procedures: _Optional[_Iterable[str]] = ..., sex: _Optional[int] = ..., age_years: _Optional[int] = ..., age_days: _Optional[int] = ..., birth_weight_g: _Optional[int] = ..., contribution_tier: _Optional[int] = ..., assistance_category: _Optional[str] = ..., civil_servant: _Optional[bool] = ..., family_doctor_signed: _Optional[bool] = ..., at_signed_institution: _Optional[bool] = ..., enrolment_status: _Optional[int] = ..., filing: _Optional[_Union[Filing, str]] = ..., referral: _Optional[_Union[Referral, str]] = ..., referral_from_encounter: _Optional[str] = ..., referral_deductible_fen: _Optional[int] = ..., hospital_level: _Optional[str] = ..., department: _Optional[str] = ..., stay_days: _Optional[int] = ..., discharge_way: _Optional[int] = ..., icu_hours: _Optional[int] = ..., disease_code: _Optional[str] = ..., mid_stay: _Optional[bool] = ..., programme: _Optional[str] = ..., maternity_type: _Optional[int] = ..., fetus_count: _Optional[int] = ..., use_account: _Optional[bool] = ..., account_current_fen: _Optional[int] = ..., account_past_fen: _Optional[int] = ..., account_family_fen: _Optional[int] = ..., hospital_borne_fen: _Optional[int] = ..., other_payer_fen: _Optional[int] = ..., accumulators: _Optional[_Union[Accumulators, _Mapping]] = ..., other_assistance_categories: _Optional[_Iterable[str]] = ..., settled_at_counter: _Optional[bool] = ...) -> None: ...

class Line(_message.Message):
    __slots__ = ("line_id", "item_code", "fee_date", "unit_price_e4", "quantity_e4", "amount_fen", "original_line_id", "approval", "institution_item_code", "department", "before_admission", "discharge_drug", "external_prescription", "maternity")
    LINE_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_CODE_FIELD_NUMBER: _ClassVar[int]
    FEE_DATE_FIELD_NUMBER: _ClassVar[int]
    UNIT_PRICE_E4_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_E4_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FEN_FIELD_NUMBER: _ClassVar[int]
    ORIGINAL_LINE_ID_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    INSTITUTION_ITEM_CODE_FIELD_NUMBER: _ClassVar[int]
    DEPARTMENT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_ADMISSION_FIELD_NUMBER: _ClassVar[int]
    DISCHARGE_DRUG_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_PRESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    MATERNITY_FIELD_NUMBER: _ClassVar[int]
    line_id: str
    item_code: str
    fee_date: int
    unit_price_e4: int
    quantity_e4: int
    amount_fen: int
    original_line_id: str
    approval: int
    institution_item_code: str
    department: str
    before_admission: int
    discharge_drug: bool
    external_prescription: bool
    maternity: bool
    def __init__(self, line_id: _Optional[str] = ..., item_code: _Optional[str] = ..., fee_date: _Optional[int] = ..., unit_price_e4: _Optional[int] = ..., quantity_e4: _Optional[int] = ..., amount_fen: _Optional[int] = ..., original_line_id: _Optional[str] = ..., approval: _Optional[int] = ..., institution_item_code: _Optional[str] = ..., department: _Optional[str] = ..., before_admission: _Optional[int] = ..., discharge_drug: _Optional[bool] = ..., external_prescription: _Optional[bool] = ..., maternity: _Optional[bool] = ...) -> None: ...

class Accumulators(_message.Message):
    __slots__ = ("year", "entries")
    YEAR_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    year: int
    entries: _containers.RepeatedCompositeFieldContainer[AccumulatorEntry]
    def __init__(self, year: _Optional[int] = ..., entries: _Optional[_Iterable[_Union[AccumulatorEntry, _Mapping]]] = ...) -> None: ...

class AccumulatorEntry(_message.Message):
    __slots__ = ("name", "value", "disease_code", "period")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    DISEASE_CODE_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: int
    disease_code: str
    period: int
    def __init__(self, name: _Optional[str] = ..., value: _Optional[int] = ..., disease_code: _Optional[str] = ..., period: _Optional[int] = ...) -> None: ...

class ClaimBatch(_message.Message):
    __slots__ = ("claims",)
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    claims: _containers.RepeatedCompositeFieldContainer[Claim]
    def __init__(self, claims: _Optional[_Iterable[_Union[Claim, _Mapping]]] = ...) -> None: ...
