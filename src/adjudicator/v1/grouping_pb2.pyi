from adjudicator.v1 import settlement_pb2 as _settlement_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GroupRecord(_message.Message):
    __slots__ = ("id", "sex", "age_years", "age_days", "birth_weight_g", "department", "stay_days", "discharge_way", "icu_hours", "diagnoses", "procedures")
    ID_FIELD_NUMBER: _ClassVar[int]
    SEX_FIELD_NUMBER: _ClassVar[int]
    AGE_YEARS_FIELD_NUMBER: _ClassVar[int]
    AGE_DAYS_FIELD_NUMBER: _ClassVar[int]
    BIRTH_WEIGHT_G_FIELD_NUMBER: _ClassVar[int]
    DEPARTMENT_FIELD_NUMBER: _ClassVar[int]
    STAY_DAYS_FIELD_NUMBER: _ClassVar[int]
    DISCHARGE_WAY_FIELD_NUMBER: _ClassVar[int]
    ICU_HOURS_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSES_FIELD_NUMBER: _ClassVar[int]
    PROCEDURES_FIELD_NUMBER: _ClassVar[int]
    id: str
    sex: int
    age_years: int
    age_days: int
    birth_weight_g: int
    department: str
    stay_days: int
    discharge_way: int
    icu_hours: int
    diagnoses: _containers.RepeatedScalarFieldContainer[str]
    procedures: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., sex: _Optional[int] = ..., age_years: _Optional[int] = ..., age_days: _Optional[int] = ..., birth_weight_g: _Optional[int] = ..., department: _Optional[str] = ..., stay_days: _Optional[int] = ..., discharge_way: _Optional[int] = ..., icu_hours: _Optional[int] = ..., diagnoses: _Optional[_Iterable[str]] = ..., procedures: _Optional[_Iterable[str]] = ...) -> None: ...

class GroupBatch(_message.Message):
    __slots__ = ("scheme", "records", "trace")
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    TRACE_FIELD_NUMBER: _ClassVar[int]
    scheme: str
    records: _containers.RepeatedCompositeFieldContainer[GroupRecord]
    trace: bool
    def __init__(self, scheme: _Optional[str] = ..., records: _Optional[_Iterable[_Union[GroupRecord, _Mapping]]] = ..., trace: _Optional[bool] = ...) -> None: ...

class GroupingBatch(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[GroupedRecord]
    def __init__(self, results: _Optional[_Iterable[_Union[GroupedRecord, _Mapping]]] = ...) -> None: ...

class GroupedRecord(_message.Message):
    __slots__ = ("id", "grouping", "trace", "problems")
    ID_FIELD_NUMBER: _ClassVar[int]
    GROUPING_FIELD_NUMBER: _ClassVar[int]
    TRACE_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    id: str
    grouping: _settlement_pb2.Grouping
    trace: _containers.RepeatedScalarFieldContainer[str]
    problems: _containers.RepeatedCompositeFieldContainer[_settlement_pb2.Problem]
    def __init__(self, id: _Optional[str] = ..., grouping: _Optional[_Union[_settlement_pb2.Grouping, _Mapping]] = ..., trace: _Optional[_Iterable[str]] = ..., problems: _Optional[_Iterable[_Union[_settlement_pb2.Problem, _Mapping]]] = ...) -> None: ...
