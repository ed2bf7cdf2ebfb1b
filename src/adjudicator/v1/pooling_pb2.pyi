from adjudicator.v1 import settlement_pb2 as _settlement_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TotalsQuery(_message.Message):
    __slots__ = ("pool", "county", "month", "scheme")
    POOL_FIELD_NUMBER: _ClassVar[int]
    COUNTY_FIELD_NUMBER: _ClassVar[int]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    pool: str
    county: str
    month: int
    scheme: str
    def __init__(self, pool: _Optional[str] = ..., county: _Optional[str] = ..., month: _Optional[int] = ..., scheme: _Optional[str] = ...) -> None: ...

class CountyTotals(_message.Message):
    __slots__ = ("pool", "rows", "version")
    POOL_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    pool: str
    rows: _containers.RepeatedCompositeFieldContainer[CountyTotal]
    version: int
    def __init__(self, pool: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[CountyTotal, _Mapping]]] = ..., version: _Optional[int] = ...) -> None: ...

class CountyTotal(_message.Message):
    __slots__ = ("county", "month", "scheme", "fund", "amount_fen")
    COUNTY_FIELD_NUMBER: _ClassVar[int]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    FUND_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FEN_FIELD_NUMBER: _ClassVar[int]
    county: str
    month: int
    scheme: str
    fund: str
    amount_fen: int
    def __init__(self, county: _Optional[str] = ..., month: _Optional[int] = ..., scheme: _Optional[str] = ..., fund: _Optional[str] = ..., amount_fen: _Optional[int] = ...) -> None: ...

class Statement(_message.Message):
    __slots__ = ("pool", "institution_code", "from_date", "to_date", "scheme", "total_fen", "fund_total_fen", "account_fen", "settlements", "lines")
    POOL_FIELD_NUMBER: _ClassVar[int]
    INSTITUTION_CODE_FIELD_NUMBER: _ClassVar[int]
    FROM_DATE_FIELD_NUMBER: _ClassVar[int]
    TO_DATE_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FEN_FIELD_NUMBER: _ClassVar[int]
    FUND_TOTAL_FEN_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FEN_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENTS_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    pool: str
    institution_code: str
    from_date: int
    to_date: int
    scheme: str
    total_fen: int
    fund_total_fen: int
    account_fen: int
    settlements: int
    lines: _containers.RepeatedCompositeFieldContainer[StatementLine]
    def __init__(self, pool: _Optional[str] = ..., institution_code: _Optional[str] = ..., from_date: _Optional[int] = ..., to_date: _Optional[int] = ..., scheme: _Optional[str] = ..., total_fen: _Optional[int] = ..., fund_total_fen: _Optional[int] = ..., account_fen: _Optional[int] = ..., settlements: _Optional[int] = ..., lines: _Optional[_Iterable[_Union[StatementLine, _Mapping]]] = ...) -> None: ...

class StatementLine(_message.Message):
    __slots__ = ("encounter_id", "settlement_sequence", "direction", "total_fen", "fund_total_fen", "account_fen")
    ENCOUNTER_ID_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FEN_FIELD_NUMBER: _ClassVar[int]
    FUND_TOTAL_FEN_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FEN_FIELD_NUMBER: _ClassVar[int]
    encounter_id: str
    settlement_sequence: int
    direction: _settlement_pb2.Direction
    total_fen: int
    fund_total_fen: int
    account_fen: int
    def __init__(self, encounter_id: _Optional[str] = ..., settlement_sequence: _Optional[int] = ..., direction: _Optional[_Union[_settlement_pb2.Direction, str]] = ..., total_fen: _Optional[int] = ..., fund_total_fen: _Optional[int] = ..., account_fen: _Optional[int] = ...) -> None: ...

class ReconcileResult(_message.Message):
    __slots__ = ("equal", "total_fen", "fund_total_fen", "account_fen", "settlements", "differences")
    EQUAL_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FEN_FIELD_NUMBER: _ClassVar[int]
    FUND_TOTAL_FEN_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FEN_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENTS_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    equal: bool
    total_fen: int
    fund_total_fen: int
    account_fen: int
    settlements: int
    differences: _containers.RepeatedCompositeFieldContainer[StatementDifference]
    def __init__(self, equal: _Optional[bool] = ..., total_fen: _Optional[int] = ..., fund_total_fen: _Optional[int] = ..., account_fen: _Optional[int] = ..., settlements: _Optional[int] = ..., differences: _Optional[_Iterable[_Union[StatementDifference, _Mapping]]] = ...) -> None: ...

class StatementDifference(_message.Message):
    __slots__ = ("kind", "statement", "ledger")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[StatementDifference.Kind]
        KIND_ONLY_LEDGER: _ClassVar[StatementDifference.Kind]
        KIND_ONLY_STATEMENT: _ClassVar[StatementDifference.Kind]
        KIND_AMOUNT: _ClassVar[StatementDifference.Kind]
    KIND_UNSPECIFIED: StatementDifference.Kind
    KIND_ONLY_LEDGER: StatementDifference.Kind
    KIND_ONLY_STATEMENT: StatementDifference.Kind
    KIND_AMOUNT: StatementDifference.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    LEDGER_FIELD_NUMBER: _ClassVar[int]
    kind: StatementDifference.Kind
    statement: StatementLine
    ledger: StatementLine
    def __init__(self, kind: _Optional[_Union[StatementDifference.Kind, str]] = ..., statement: _Optional[_Union[StatementLine, _Mapping]] = ..., ledger: _Optional[_Union[StatementLine, _Mapping]] = ...) -> None: ...
