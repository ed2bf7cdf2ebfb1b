from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_TRIAL: _ClassVar[Outcome]
    OUTCOME_SETTLED: _ClassVar[Outcome]
    OUTCOME_REVERSED: _ClassVar[Outcome]
    OUTCOME_REFUSED: _ClassVar[Outcome]

class Direction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIRECTION_UNSPECIFIED: _ClassVar[Direction]
    DIRECTION_SETTLE: _ClassVar[Direction]
    DIRECTION_REVERSE: _ClassVar[Direction]
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_TRIAL: Outcome
OUTCOME_SETTLED: Outcome
OUTCOME_REVERSED: Outcome
OUTCOME_REFUSED: Outcome
DIRECTION_UNSPECIFIED: Direction
DIRECTION_SETTLE: Direction
DIRECTION_REVERSE: Direction

class SettlementKey(_message.Message):
    __slots__ = ("institution_code", "encounter_id", "settlement_sequence", "direction", "insured_area")
    INSTITUTION_CODE_FIELD_NUMBER: _ClassVar[int]
    ENCOUNTER_ID_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    INSURED_AREA_FIELD_NUMBER: _ClassVar[int]
    institution_code: str
    encounter_id: str
    settlement_sequence: int
    direction: Direction
    insured_area: str
    def __init__(self, institution_code: _Optional[str] = ..., encounter_id: _Optional[str] = ..., settlement_sequence: _Optional[int] = ..., direction: _Optional[_Union[Direction, str]] = ..., insured_area: _Optional[str] = ...) -> None: ...

class ReverseRequest(_message.Message):
    __slots__ = ("settlement", "person_id", "reversal_date")
    SETTLEMENT_FIELD_NUMBER: _ClassVar[int]
    PERSON_ID_FIELD_NUMBER: _ClassVar[int]
    REVERSAL_DATE_FIELD_NUMBER: _ClassVar[int]
    settlement: SettlementKey
    person_id: str
    reversal_date: int
    def __init__(self, settlement: _Optional[_Union[SettlementKey, _Mapping]] = ..., person_id: _Optional[str] = ..., reversal_date: _Optional[int] = ...) -> None: ...

class Problem(_message.Message):
    __slots__ = ("code", "field", "message", "message_zh", "warning")
    CODE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ZH_FIELD_NUMBER: _ClassVar[int]
    WARNING_FIELD_NUMBER: _ClassVar[int]
    code: str
    field: str
    message: str
    message_zh: str
    warning: bool
    def __init__(self, code: _Optional[str] = ..., field: _Optional[str] = ..., message: _Optional[str] = ..., message_zh: _Optional[str] = ..., warning: _Optional[bool] = ...) -> None: ...

class Settlement(_message.Message):
    __slots__ = ("institution_code", "encounter_id", "settlement_sequence", "direction", "outcome", "settlement_id", "total_fen", "wholly_self_paid_fen", "over_ceiling_fen", "first_pay_fen", "in_scope_fen", "deductible_standard_fen", "deductible_fen", "pooled_fund_fen", "pooled_rate_ppm", "large_sum_fen", "catastrophic_fen", "civil_servant_fen", "enterprise_fen", "assistance_fen", "other_fund_fen", "hospital_borne_fen", "fund_total_fen", "personal_total_fen", "account_fen", "family_account_fen", "cash_fen", "account_balance_fen", "clearing_method", "benefit_year", "rules_hash", "rules_version", "unverified_rules", "counts_as_admission", "lines", "funds", "grouping", "payment", "problems")
    INSTITUTION_CODE_FIELD_NUMBER: _ClassVar[int]
    ENCOUNTER_ID_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FEN_FIELD_NUMBER: _ClassVar[int]
    WHOLLY_SELF_PAID_FEN_FIELD_NUMBER: _ClassVar[int]
    OVER_CEILING_FEN_FIELD_NUMBER: _ClassVar[int]
    FIRST_PAY_FEN_FIELD_NUMBER: _ClassVar[int]
    IN_SCOPE_FEN_FIELD_NUMBER: _ClassVar[int]
    DEDUCTIBLE_STANDARD_FEN_FIELD_NUMBER: _ClassVar[int]
    DEDUCTIBLE_FEN_FIELD_NUMBER: _ClassVar[int]
    POOLED_FUND_FEN_FIELD_NUMBER: _ClassVar[int]
    POOLED_RATE_PPM_FIELD_NUMBER: _ClassVar[int]
    LARGE_SUM_FEN_FIELD_NUMBER: _ClassVar[int]
    CATASTROPHIC_FEN_FIELD_NUMBER: _ClassVar[int]
    CIVIL_SERVANT_FEN_FIELD_NUMBER: _ClassVar[int]
    ENTERPRISE_FEN_FIELD_NUMBER: _ClassVar[int]
    ASSISTANCE_FEN_FIELD_NUMBER: _ClassVar[int]
    OTHER_FUND_FEN_FIELD_NUMBER: _ClassVar[int]
    HOSPITAL_BORNE_FEN_FIELD_NUMBER: _ClassVar[int]
    FUND_TOTAL_FEN_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_TOTAL_FEN_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FEN_FIELD_NUMBER: _ClassVar[int]
    FAMILY_ACCOUNT_FEN_FIELD_NUMBER: _ClassVar[int]
    CASH_FEN_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_BALANCE_FEN_FIELD_NUMBER: _ClassVar[int]
    CLEARING_METHOD_FIELD_NUMBER: _ClassVar[int]
    BENEFIT_YEAR_FIELD_NUMBER: _ClassVar[int]
    RULES_HASH_FIELD_NUMBER: _ClassVar[int]
    RULES_VERSION_FIELD_NUMBER: _ClassVar[int]
    UNVERIFIED_RULES_FIELD_NUMBER: _ClassVar[int]
    COUNTS_AS_ADMISSION_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    FUNDS_FIELD_NUMBER: _ClassVar[int]
    GROUPING_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    institution_code: str
    encounter_id: str
    settlement_sequence: int
    direction: Direction
    outcome: Outcome
    settlement_id: str
    total_fen: int
    wholly_self_paid_fen: int
    over_ceiling_fen: int
    first_pay_fen: int
    in_scope_fen: int
    deductible_standard_fen: int
    deductible_fen: int
    pooled_fund_fen: int
    pooled_rate_ppm: int
    large_sum_fen: int
    catastrophic_fen: int
    civil_servant_fen: int
    enterprise_fen: int
    assistance_fen: int
    other_fund_fen: int
    hospital_borne_fen: int
    fund_total_fen: int
    personal_total_fen: int
    account_fen: int
    family_account_fen: int
    cash_fen: int
    account_balance_fen: int
    clearing_method: int
    benefit_year: int
    rules_hash: str
    rules_version: str
    unverified_rules: bool
    counts_as_admission: bool
    lines: _containers.RepeatedCompositeFieldContainer[LineResult]
    funds: _containers.RepeatedCompositeFieldContainer[FundPayment]
    grouping: Grouping
    payment: ProviderPayment
    problems: _containers.RepeatedCompositeFieldContainer[Problem]
    def __init__(self, institution_code: _Optional[str] = ..., encounter_id: _Optional[str] = ..., settlement_sequence: _Optional[int] = ..., direction: _Optional[_Union[Direction, str]] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., settlement_id: _Optional[str] = ..., total_fen: _Optional[int] = ..., wholly_self_paid_fen: _Optional[int] = ..., over_ceiling_fen: _Optional[int] = ..., first_pay_fen: _Optional[int] = ..., in_scope_fen: _Optional[int] = ..., deductible_standard_fen: _Optional[int] = ..., deductible_fen: _Optional[int] = ..., pooled_fund_fen: _Optional[int] = ..., pooled_rate_ppm: _Optional[int] = ..., large_sum_fen: _Optional[int] = ..., catastrophic_fen: _Optional[int] = ..., civil_servant_fen: _Optional[int] = ..., enterprise_fen: _Optional[int] = ..., assistance_fen: _Optional[int] = ..., other_fund_fen: _Optional[int] = ..., hospital_borne_fen: _Optional[int] = ..., fund_total_fen: _Optional[int] = ..., personal_total_fen: _Optional[int] = ..., account_fen: _Optional[int] = ..., family_account_fen: _Optional[int] = ..., cash_fen: _Optional[int] = ..., account_balance_fen: _Optional[int] = ..., clearing_method: _Optional[int] = ..., benefit_year: _Optional[int] = ..., rules_hash: _Optional[str] = ..., rules_version: _Optional[str] = ..., unverified_rules: _Optional[bool] = ..., counts_as_admission: _Optional[bool] = ..., lines: _Optional[_Iterable[_Union[LineResult, _Mapping]]] = ..., funds: _Optional[_Iterable[_Union[FundPayment, _Mapping]]] = ..., grouping: _Optional[_Union[Grouping, _Mapping]] = ..., payment: _Optional[_Union[ProviderPayment, _Mapping]] = ..., problems: _Optional[_Iterable[_Union[Problem, _Mapping]]] = ...) -> None: ...

class LineResult(_message.Message):
    __slots__ = ("line_id", "amount_fen", "wholly_self_paid_fen", "over_ceiling_fen", "first_pay_fen", "in_scope_fen", "price_ceiling_e4", "first_pay_ppm", "item_class", "note")
    LINE_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FEN_FIELD_NUMBER: _ClassVar[int]
    WHOLLY_SELF_PAID_FEN_FIELD_NUMBER: _ClassVar[int]
    OVER_CEILING_FEN_FIELD_NUMBER: _ClassVar[int]
    FIRST_PAY_FEN_FIELD_NUMBER: _ClassVar[int]
    IN_SCOPE_FEN_FIELD_NUMBER: _ClassVar[int]
    PRICE_CEILING_E4_FIELD_NUMBER: _ClassVar[int]
    FIRST_PAY_PPM_FIELD_NUMBER: _ClassVar[int]
    ITEM_CLASS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    line_id: str
    amount_fen: int
    wholly_self_paid_fen: int
    over_ceiling_fen: int
    first_pay_fen: int
    in_scope_fen: int
    price_ceiling_e4: int
    first_pay_ppm: int
    item_class: int
    note: int
    def __init__(self, line_id: _Optional[str] = ..., amount_fen: _Optional[int] = ..., wholly_self_paid_fen: _Optional[int] = ..., over_ceiling_fen: _Optional[int] = ..., first_pay_fen: _Optional[int] = ..., in_scope_fen: _Optional[int] = ..., price_ceiling_e4: _Optional[int] = ..., first_pay_ppm: _Optional[int] = ..., item_class: _Optional[int] = ..., note: _Optional[int] = ...) -> None: ...

class FundPayment(_message.Message):
    __slots__ = ("fund_type", "amount_fen")
    FUND_TYPE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FEN_FIELD_NUMBER: _ClassVar[int]
    fund_type: str
    amount_fen: int
    def __init__(self, fund_type: _Optional[str] = ..., amount_fen: _Optional[int] = ...) -> None: ...

class Grouping(_message.Message):
    __slots__ = ("scheme", "status", "mdc", "adrg", "drg")
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MDC_FIELD_NUMBER: _ClassVar[int]
    ADRG_FIELD_NUMBER: _ClassVar[int]
    DRG_FIELD_NUMBER: _ClassVar[int]
    scheme: str
    status: int
    mdc: str
    adrg: str
    drg: str
    def __init__(self, scheme: _Optional[str] = ..., status: _Optional[int] = ..., mdc: _Optional[str] = ..., adrg: _Optional[str] = ..., drg: _Optional[str] = ...) -> None: ...

class ProviderPayment(_message.Message):
    __slots__ = ("method", "points_e8", "point_value_e4", "due_fen", "difference_fen")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    POINTS_E8_FIELD_NUMBER: _ClassVar[int]
    POINT_VALUE_E4_FIELD_NUMBER: _ClassVar[int]
    DUE_FEN_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_FEN_FIELD_NUMBER: _ClassVar[int]
    method: int
    points_e8: int
    point_value_e4: int
    due_fen: int
    difference_fen: int
    def __init__(self, method: _Optional[int] = ..., points_e8: _Optional[int] = ..., point_value_e4: _Optional[int] = ..., due_fen: _Optional[int] = ..., difference_fen: _Optional[int] = ...) -> None: ...

class SettlementBatch(_message.Message):
    __slots__ = ("settlements",)
    SETTLEMENTS_FIELD_NUMBER: _ClassVar[int]
    settlements: _containers.RepeatedCompositeFieldContainer[Settlement]
    def __init__(self, settlements: _Optional[_Iterable[_Union[Settlement, _Mapping]]] = ...) -> None: ...

class Explanation(_message.Message):
    __slots__ = ("key", "steps", "rules_hash")
    KEY_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    RULES_HASH_FIELD_NUMBER: _ClassVar[int]
    key: SettlementKey
    steps: _containers.RepeatedCompositeFieldContainer[ExplanationStep]
    rules_hash: str
    def __init__(self, key: _Optional[_Union[SettlementKey, _Mapping]] = ..., steps: _Optional[_Iterable[_Union[ExplanationStep, _Mapping]]] = ..., rules_hash: _Optional[str] = ...) -> None: ...

class ExplanationStep(_message.Message):
    __slots__ = ("stage", "stage_zh", "before_fen", "amount_fen", "after_fen", "rate_ppm", "document", "clause", "text", "text_zh", "verified", "chain", "stage_en")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    STAGE_ZH_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FEN_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FEN_FIELD_NUMBER: _ClassVar[int]
    AFTER_FEN_FIELD_NUMBER: _ClassVar[int]
    RATE_PPM_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    CLAUSE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TEXT_ZH_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_FIELD_NUMBER: _ClassVar[int]
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    STAGE_EN_FIELD_NUMBER: _ClassVar[int]
    stage: str
    stage_zh: str
    before_fen: int
    amount_fen: int
    after_fen: int
    rate_ppm: int
    document: str
    clause: str
    text: str
    text_zh: str
    verified: bool
    chain: str
    stage_en: str
    def __init__(self, stage: _Optional[str] = ..., stage_zh: _Optional[str] = ..., before_fen: _Optional[int] = ..., amount_fen: _Optional[int] = ..., after_fen: _Optional[int] = ..., rate_ppm: _Optional[int] = ..., document: _Optional[str] = ..., clause: _Optional[str] = ..., text: _Optional[str] = ..., text_zh: _Optional[str] = ..., verified: _Optional[bool] = ..., chain: _Optional[str] = ..., stage_en: _Optional[str] = ...) -> None: ...
