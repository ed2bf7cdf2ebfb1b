from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecordKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECORD_KIND_UNSPECIFIED: _ClassVar[RecordKind]
    RECORD_KIND_SETTLE: _ClassVar[RecordKind]
    RECORD_KIND_REVERSE: _ClassVar[RecordKind]
    RECORD_KIND_POSTING: _ClassVar[RecordKind]
    RECORD_KIND_ACT: _ClassVar[RecordKind]
    RECORD_KIND_RESETTLE: _ClassVar[RecordKind]
RECORD_KIND_UNSPECIFIED: RecordKind
RECORD_KIND_SETTLE: RecordKind
RECORD_KIND_REVERSE: RecordKind
RECORD_KIND_POSTING: RecordKind
RECORD_KIND_ACT: RecordKind
RECORD_KIND_RESETTLE: RecordKind

class JournalBlock(_message.Message):
    __slots__ = ("format", "count", "pool", "month", "commit", "recorded_ms", "records")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    POOL_FIELD_NUMBER: _ClassVar[int]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    RECORDED_MS_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    format: int
    count: int
    pool: int
    month: int
    commit: int
    recorded_ms: int
    records: _containers.RepeatedCompositeFieldContainer[JournalRecord]
    def __init__(self, format: _Optional[int] = ..., count: _Optional[int] = ..., pool: _Optional[int] = ..., month: _Optional[int] = ..., commit: _Optional[int] = ..., recorded_ms: _Optional[int] = ..., records: _Optional[_Iterable[_Union[JournalRecord, _Mapping]]] = ...) -> None: ...

class JournalRecord(_message.Message):
    __slots__ = ("kind", "key", "content", "person", "state_key", "previous", "settlement_date", "benefit_year", "scheme", "county", "sequence", "institution", "encounter", "field_digests", "posting_funds", "posting_amounts", "posting_counties", "posting_schemes", "change_numbers", "changes", "quota_keys", "quota_changes", "days_keys", "days_changes", "answer", "lines", "basis", "last", "original", "whole_answer", "answer_checksum", "checksum")
    KIND_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    STATE_KEY_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENT_DATE_FIELD_NUMBER: _ClassVar[int]
    BENEFIT_YEAR_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    COUNTY_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    INSTITUTION_FIELD_NUMBER: _ClassVar[int]
    ENCOUNTER_FIELD_NUMBER: _ClassVar[int]
    FIELD_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    POSTING_FUNDS_FIELD_NUMBER: _ClassVar[int]
    POSTING_AMOUNTS_FIELD_NUMBER: _ClassVar[int]
    POSTING_COUNTIES_FIELD_NUMBER: _ClassVar[int]
    POSTING_SCHEMES_FIELD_NUMBER: _ClassVar[int]
    CHANGE_NUMBERS_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    QUOTA_KEYS_FIELD_NUMBER: _ClassVar[int]
    QUOTA_CHANGES_FIELD_NUMBER: _ClassVar[int]
    DAYS_KEYS_FIELD_NUMBER: _ClassVar[int]
    DAYS_CHANGES_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    ORIGINAL_FIELD_NUMBER: _ClassVar[int]
    WHOLE_ANSWER_FIELD_NUMBER: _ClassVar[int]
    ANSWER_CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    kind: RecordKind
    key: bytes
    content: bytes
    person: bytes
    state_key: bytes
    previous: bytes
    settlement_date: int
    benefit_year: int
    scheme: int
    county: int
    sequence: int
    institution: str
    encounter: str
    field_digests: bytes
    posting_funds: _containers.RepeatedScalarFieldContainer[int]
    posting_amounts: _containers.RepeatedScalarFieldContainer[int]
    posting_counties: _containers.RepeatedScalarFieldContainer[int]
    posting_schemes: _containers.RepeatedScalarFieldContainer[int]
    change_numbers: _containers.RepeatedScalarFieldContainer[int]
    changes: _containers.RepeatedScalarFieldContainer[int]
    quota_keys: _containers.RepeatedScalarFieldContainer[int]
    quota_changes: _containers.RepeatedScalarFieldContainer[int]
    days_keys: _containers.RepeatedScalarFieldContainer[int]
    days_changes: _containers.RepeatedScalarFieldContainer[int]
    answer: bytes
    lines: FeeLines
    basis: RecordBasis
    last: bytes
    original: bytes
    whole_answer: bytes
    answer_checksum: int
    checksum: int
    def __init__(self, kind: _Optional[_Union[RecordKind, str]] = ..., key: _Optional[bytes] = ..., content: _Optional[bytes] = ..., person: _Optional[bytes] = ..., state_key: _Optional[bytes] = ..., previous: _Optional[bytes] = ..., settlement_date: _Optional[int] = ..., benefit_year: _Optional[int] = ..., scheme: _Optional[int] = ..., county: _Optional[int] = ..., sequence: _Optional[int] = ..., institution: _Optional[str] = ..., encounter: _Optional[str] = ..., field_digests: _Optional[bytes] = ..., posting_funds: _Optional[_Iterable[int]] = ..., posting_amounts: _Optional[_Iterable[int]] = ..., posting_counties: _Optional[_Iterable[int]] = ..., posting_schemes: _Optional[_Iterable[int]] = ..., change_numbers: _Optional[_Iterable[int]] = ..., changes: _Optional[_Iterable[int]] = ..., quota_keys: _Optional[_Iterable[int]] = ..., quota_changes: _Optional[_Iterable[int]] = ..., days_keys: _Optional[_Iterable[int]] = ..., days_changes: _Optional[_Iterable[int]] = ..., answer: _Optional[bytes] = ..., lines: _Optional[_Union[FeeLines, _Mapping]] = ..., basis: _Optional[_Union[RecordBasis, _Mapping]] = ..., last: _Optional[bytes] = ..., original: _Optional[bytes] = ..., whole_answer: _Optional[bytes] = ..., answer_checksum: _Optional[int] = ..., checksum: _Optional[int] = ...) -> None: ...

class FeeLines(_message.Message):
    __slots__ = ("line_ids", "amounts", "kinds", "kind_first_pay_ppm", "kind_classes", "kind_notes", "wholly_self_paid", "over_ceiling", "first_pay", "price_ceilings", "first_pay_by_ratio")
    LINE_IDS_FIELD_NUMBER: _ClassVar[int]
    AMOUNTS_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIRST_PAY_PPM_FIELD_NUMBER: _ClassVar[int]
    KIND_CLASSES_FIELD_NUMBER: _ClassVar[int]
    KIND_NOTES_FIELD_NUMBER: _ClassVar[int]
    WHOLLY_SELF_PAID_FIELD_NUMBER: _ClassVar[int]
    OVER_CEILING_FIELD_NUMBER: _ClassVar[int]
    FIRST_PAY_FIELD_NUMBER: _ClassVar[int]
    PRICE_CEILINGS_FIELD_NUMBER: _ClassVar[int]
    FIRST_PAY_BY_RATIO_FIELD_NUMBER: _ClassVar[int]
    line_ids: bytes
    amounts: _containers.RepeatedScalarFieldContainer[int]
    kinds: _containers.RepeatedScalarFieldContainer[int]
    kind_first_pay_ppm: _containers.RepeatedScalarFieldContainer[int]
    kind_classes: _containers.RepeatedScalarFieldContainer[int]
    kind_notes: _containers.RepeatedScalarFieldContainer[int]
    wholly_self_paid: _containers.RepeatedScalarFieldContainer[int]
    over_ceiling: _containers.RepeatedScalarFieldContainer[int]
    first_pay: _containers.RepeatedScalarFieldContainer[int]
    price_ceilings: _containers.RepeatedScalarFieldContainer[int]
    first_pay_by_ratio: bool
    def __init__(self, line_ids: _Optional[bytes] = ..., amounts: _Optional[_Iterable[int]] = ..., kinds: _Optional[_Iterable[int]] = ..., kind_first_pay_ppm: _Optional[_Iterable[int]] = ..., kind_classes: _Optional[_Iterable[int]] = ..., kind_notes: _Optional[_Iterable[int]] = ..., wholly_self_paid: _Optional[_Iterable[int]] = ..., over_ceiling: _Optional[_Iterable[int]] = ..., first_pay: _Optional[_Iterable[int]] = ..., price_ceilings: _Optional[_Iterable[int]] = ..., first_pay_by_ratio: _Optional[bool] = ...) -> None: ...

class RecordBasis(_message.Message):
    __slots__ = ("rules_hash", "principal_diagnosis", "facts", "rows", "sums", "year_numbers", "year_amounts", "quota_used_fen", "elsewhere_numbers", "elsewhere_amounts", "stay_part", "names_kept", "further_diagnoses", "procedures", "disease_code", "department", "assistance_categories", "assistance_chosen", "programme", "care_area", "referral_from_encounter")
    RULES_HASH_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_DIAGNOSIS_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    SUMS_FIELD_NUMBER: _ClassVar[int]
    YEAR_NUMBERS_FIELD_NUMBER: _ClassVar[int]
    YEAR_AMOUNTS_FIELD_NUMBER: _ClassVar[int]
    QUOTA_USED_FEN_FIELD_NUMBER: _ClassVar[int]
    ELSEWHERE_NUMBERS_FIELD_NUMBER: _ClassVar[int]
    ELSEWHERE_AMOUNTS_FIELD_NUMBER: _ClassVar[int]
    STAY_PART_FIELD_NUMBER: _ClassVar[int]
    NAMES_KEPT_FIELD_NUMBER: _ClassVar[int]
    FURTHER_DIAGNOSES_FIELD_NUMBER: _ClassVar[int]
    PROCEDURES_FIELD_NUMBER: _ClassVar[int]
    DISEASE_CODE_FIELD_NUMBER: _ClassVar[int]
    DEPARTMENT_FIELD_NUMBER: _ClassVar[int]
    ASSISTANCE_CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    ASSISTANCE_CHOSEN_FIELD_NUMBER: _ClassVar[int]
    PROGRAMME_FIELD_NUMBER: _ClassVar[int]
    CARE_AREA_FIELD_NUMBER: _ClassVar[int]
    REFERRAL_FROM_ENCOUNTER_FIELD_NUMBER: _ClassVar[int]
    rules_hash: int
    principal_diagnosis: str
    facts: ClaimFacts
    rows: BundleRows
    sums: LineSums
    year_numbers: _containers.RepeatedScalarFieldContainer[int]
    year_amounts: _containers.RepeatedScalarFieldContainer[int]
    quota_used_fen: int
    elsewhere_numbers: _containers.RepeatedScalarFieldContainer[int]
    elsewhere_amounts: _containers.RepeatedScalarFieldContainer[int]
    stay_part: StayPart
    names_kept: bool
    further_diagnoses: _containers.RepeatedScalarFieldContainer[str]
    procedures: _containers.RepeatedScalarFieldContainer[str]
    disease_code: str
    department: str
    assistance_categories: _containers.RepeatedScalarFieldContainer[str]
    assistance_chosen: int
    programme: str
    care_area: str
    referral_from_encounter: str
    def __init__(self, rules_hash: _Optional[int] = ..., principal_diagnosis: _Optional[str] = ..., facts: _Optional[_Union[ClaimFacts, _Mapping]] = ..., rows: _Optional[_Union[BundleRows, _Mapping]] = ..., sums: _Optional[_Union[LineSums, _Mapping]] = ..., year_numbers: _Optional[_Iterable[int]] = ..., year_amounts: _Optional[_Iterable[int]] = ..., quota_used_fen: _Optional[int] = ..., elsewhere_numbers: _Optional[_Iterable[int]] = ..., elsewhere_amounts: _Optional[_Iterable[int]] = ..., stay_part: _Optional[_Union[StayPart, _Mapping]] = ..., names_kept: _Optional[bool] = ..., further_diagnoses: _Optional[_Iterable[str]] = ..., procedures: _Optional[_Iterable[str]] = ..., disease_code: _Optional[str] = ..., department: _Optional[str] = ..., assistance_categories: _Optional[_Iterable[str]] = ..., assistance_chosen: _Optional[int] = ..., programme: _Optional[str] = ..., care_area: _Optional[str] = ..., referral_from_encounter: _Optional[str] = ...) -> None: ...

class ClaimFacts(_message.Message):
    __slots__ = ("settlement_date", "admission_date", "discharge_date", "rule_date", "benefit_year", "scheme", "person_type", "care_kind", "hospital_level", "total_fen", "age_years", "sex", "stay_days", "account_current_fen", "use_account", "place", "filing", "referral", "contribution_tier", "maternity_type", "fetus_count", "age_days", "birth_weight_g", "discharge_way", "icu_hours", "civil_servant", "family_doctor", "at_signed_institution", "suspended", "mid_stay", "chain_continues", "accumulators_given", "account_past_fen", "account_family_fen", "hospital_borne_fen", "other_payer_fen", "chain_deductible_fen", "settled_at_counter")
    SETTLEMENT_DATE_FIELD_NUMBER: _ClassVar[int]
    ADMISSION_DATE_FIELD_NUMBER: _ClassVar[int]
    DISCHARGE_DATE_FIELD_NUMBER: _ClassVar[int]
    RULE_DATE_FIELD_NUMBER: _ClassVar[int]
    BENEFIT_YEAR_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    PERSON_TYPE_FIELD_NUMBER: _ClassVar[int]
    CARE_KIND_FIELD_NUMBER: _ClassVar[int]
    HOSPITAL_LEVEL_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FEN_FIELD_NUMBER: _ClassVar[int]
    AGE_YEARS_FIELD_NUMBER: _ClassVar[int]
    SEX_FIELD_NUMBER: _ClassVar[int]
    STAY_DAYS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_CURRENT_FEN_FIELD_NUMBER: _ClassVar[int]
    USE_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    FILING_FIELD_NUMBER: _ClassVar[int]
    REFERRAL_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTION_TIER_FIELD_NUMBER: _ClassVar[int]
    MATERNITY_TYPE_FIELD_NUMBER: _ClassVar[int]
    FETUS_COUNT_FIELD_NUMBER: _ClassVar[int]
    AGE_DAYS_FIELD_NUMBER: _ClassVar[int]
    BIRTH_WEIGHT_G_FIELD_NUMBER: _ClassVar[int]
    DISCHARGE_WAY_FIELD_NUMBER: _ClassVar[int]
    ICU_HOURS_FIELD_NUMBER: _ClassVar[int]
    CIVIL_SERVANT_FIELD_NUMBER: _ClassVar[int]
    FAMILY_DOCTOR_FIELD_NUMBER: _ClassVar[int]
    AT_SIGNED_INSTITUTION_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_FIELD_NUMBER: _ClassVar[int]
    MID_STAY_FIELD_NUMBER: _ClassVar[int]
    CHAIN_CONTINUES_FIELD_NUMBER: _ClassVar[int]
    ACCUMULATORS_GIVEN_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_PAST_FEN_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FAMILY_FEN_FIELD_NUMBER: _ClassVar[int]
    HOSPITAL_BORNE_FEN_FIELD_NUMBER: _ClassVar[int]
    OTHER_PAYER_FEN_FIELD_NUMBER: _ClassVar[int]
    CHAIN_DEDUCTIBLE_FEN_FIELD_NUMBER: _ClassVar[int]
    SETTLED_AT_COUNTER_FIELD_NUMBER: _ClassVar[int]
    settlement_date: int
    admission_date: int
    discharge_date: int
    rule_date: int
    benefit_year: int
    scheme: int
    person_type: int
    care_kind: int
    hospital_level: int
    total_fen: int
    age_years: int
    sex: int
    stay_days: int
    account_current_fen: int
    use_account: bool
    place: int
    filing: int
    referral: int
    contribution_tier: int
    maternity_type: int
    fetus_count: int
    age_days: int
    birth_weight_g: int
    discharge_way: int
    icu_hours: int
    civil_servant: bool
    family_doctor: bool
    at_signed_institution: bool
    suspended: bool
    mid_stay: bool
    chain_continues: bool
    accumulators_given: bool
    account_past_fen: int
    account_family_fen: int
    hospital_borne_fen: int
    other_payer_fen: int
    chain_deductible_fen: int
    settled_at_counter: bool
    def __init__(self, settlement_date: _Optional[int] = ..., admission_date: _Optional[int] = ..., discharge_date: _Optional[int] = ..., rule_date: _Optional[int] = ..., benefit_year: _Optional[int] = ..., scheme: _Optional[int] = ..., person_type: _Optional[int] = ..., care_kind: _Optional[int] = ..., hospital_level: _Optional[int] = ..., total_fen: _Optional[int] = ..., age_years: _Optional[int] = ..., sex: _Optional[int] = ..., stay_days: _Optional[int] = ..., account_current_fen: _Optional[int] = ..., use_account: _Optional[bool] = ..., place: _Optional[int] = ..., filing: _Optional[int] = ..., referral: _Optional[int] = ..., contribution_tier: _Optional[int] = ..., maternity_type: _Optional[int] = ..., fetus_count: _Optional[int] = ..., age_days: _Optional[int] = ..., birth_weight_g: _Optional[int] = ..., discharge_way: _Optional[int] = ..., icu_hours: _Optional[int] = ..., civil_servant: _Optional[bool] = ..., family_doctor: _Optional[bool] = ..., at_signed_institution: _Optional[bool] = ..., suspended: _Optional[bool] = ..., mid_stay: _Optional[bool] = ..., chain_continues: _Optional[bool] = ..., accumulators_given: _Optional[bool] = ..., account_past_fen: _Optional[int] = ..., account_family_fen: _Optional[int] = ..., hospital_borne_fen: _Optional[int] = ..., other_payer_fen: _Optional[int] = ..., chain_deductible_fen: _Optional[int] = ..., settled_at_counter: _Optional[bool] = ...) -> None: ...

class StayPart(_message.Message):
    __slots__ = ("total_fen", "cost_fen", "base_fen", "payable_fen", "pooled_fen", "by_rate_fen", "guaranteed_fen", "deductible_left_fen", "coverable_fen", "floor_base_fen")
    TOTAL_FEN_FIELD_NUMBER: _ClassVar[int]
    COST_FEN_FIELD_NUMBER: _ClassVar[int]
    BASE_FEN_FIELD_NUMBER: _ClassVar[int]
    PAYABLE_FEN_FIELD_NUMBER: _ClassVar[int]
    POOLED_FEN_FIELD_NUMBER: _ClassVar[int]
    BY_RATE_FEN_FIELD_NUMBER: _ClassVar[int]
    GUARANTEED_FEN_FIELD_NUMBER: _ClassVar[int]
    DEDUCTIBLE_LEFT_FEN_FIELD_NUMBER: _ClassVar[int]
    COVERABLE_FEN_FIELD_NUMBER: _ClassVar[int]
    FLOOR_BASE_FEN_FIELD_NUMBER: _ClassVar[int]
    total_fen: int
    cost_fen: int
    base_fen: int
    payable_fen: int
    pooled_fen: int
    by_rate_fen: int
    guaranteed_fen: int
    deductible_left_fen: int
    coverable_fen: int
    floor_base_fen: int
    def __init__(self, total_fen: _Optional[int] = ..., cost_fen: _Optional[int] = ..., base_fen: _Optional[int] = ..., payable_fen: _Optional[int] = ..., pooled_fen: _Optional[int] = ..., by_rate_fen: _Optional[int] = ..., guaranteed_fen: _Optional[int] = ..., deductible_left_fen: _Optional[int] = ..., coverable_fen: _Optional[int] = ..., floor_base_fen: _Optional[int] = ...) -> None: ...

class BundleRows(_message.Message):
    __slots__ = ("pack", "county", "care_county", "hospital", "deductible_level", "price_level", "disease", "assistance", "programme", "care_catalogue", "department", "ward")
    PACK_FIELD_NUMBER: _ClassVar[int]
    COUNTY_FIELD_NUMBER: _ClassVar[int]
    CARE_COUNTY_FIELD_NUMBER: _ClassVar[int]
    HOSPITAL_FIELD_NUMBER: _ClassVar[int]
    DEDUCTIBLE_LEVEL_FIELD_NUMBER: _ClassVar[int]
    PRICE_LEVEL_FIELD_NUMBER: _ClassVar[int]
    DISEASE_FIELD_NUMBER: _ClassVar[int]
    ASSISTANCE_FIELD_NUMBER: _ClassVar[int]
    PROGRAMME_FIELD_NUMBER: _ClassVar[int]
    CARE_CATALOGUE_FIELD_NUMBER: _ClassVar[int]
    DEPARTMENT_FIELD_NUMBER: _ClassVar[int]
    WARD_FIELD_NUMBER: _ClassVar[int]
    pack: int
    county: int
    care_county: int
    hospital: int
    deductible_level: int
    price_level: int
    disease: int
    assistance: int
    programme: int
    care_catalogue: int
    department: int
    ward: int
    def __init__(self, pack: _Optional[int] = ..., county: _Optional[int] = ..., care_county: _Optional[int] = ..., hospital: _Optional[int] = ..., deductible_level: _Optional[int] = ..., price_level: _Optional[int] = ..., disease: _Optional[int] = ..., assistance: _Optional[int] = ..., programme: _Optional[int] = ..., care_catalogue: _Optional[int] = ..., department: _Optional[int] = ..., ward: _Optional[int] = ...) -> None: ...

class LineSums(_message.Message):
    __slots__ = ("wholly_self_paid_fen", "over_ceiling_fen", "first_pay_fen", "in_scope_fen", "copay_free_fen", "special_drug_fen", "special_self_paid_fen", "hospital_borne_fen", "class_a_fen", "class_b_fen", "in_catalogue_excess_fen", "unverified")
    WHOLLY_SELF_PAID_FEN_FIELD_NUMBER: _ClassVar[int]
    OVER_CEILING_FEN_FIELD_NUMBER: _ClassVar[int]
    FIRST_PAY_FEN_FIELD_NUMBER: _ClassVar[int]
    IN_SCOPE_FEN_FIELD_NUMBER: _ClassVar[int]
    COPAY_FREE_FEN_FIELD_NUMBER: _ClassVar[int]
    SPECIAL_DRUG_FEN_FIELD_NUMBER: _ClassVar[int]
    SPECIAL_SELF_PAID_FEN_FIELD_NUMBER: _ClassVar[int]
    HOSPITAL_BORNE_FEN_FIELD_NUMBER: _ClassVar[int]
    CLASS_A_FEN_FIELD_NUMBER: _ClassVar[int]
    CLASS_B_FEN_FIELD_NUMBER: _ClassVar[int]
    IN_CATALOGUE_EXCESS_FEN_FIELD_NUMBER: _ClassVar[int]
    UNVERIFIED_FIELD_NUMBER: _ClassVar[int]
    wholly_self_paid_fen: int
    over_ceiling_fen: int
    first_pay_fen: int
    in_scope_fen: int
    copay_free_fen: int
    special_drug_fen: int
    special_self_paid_fen: int
    hospital_borne_fen: int
    class_a_fen: int
    class_b_fen: int
    in_catalogue_excess_fen: int
    unverified: int
    def __init__(self, wholly_self_paid_fen: _Optional[int] = ..., over_ceiling_fen: _Optional[int] = ..., first_pay_fen: _Optional[int] = ..., in_scope_fen: _Optional[int] = ..., copay_free_fen: _Optional[int] = ..., special_drug_fen: _Optional[int] = ..., special_self_paid_fen: _Optional[int] = ..., hospital_borne_fen: _Optional[int] = ..., class_a_fen: _Optional[int] = ..., class_b_fen: _Optional[int] = ..., in_catalogue_excess_fen: _Optional[int] = ..., unverified: _Optional[int] = ...) -> None: ...
