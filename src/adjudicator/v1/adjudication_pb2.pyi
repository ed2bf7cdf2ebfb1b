from adjudicator.v1 import claim_pb2 as _claim_pb2
from adjudicator.v1 import grouping_pb2 as _grouping_pb2
from adjudicator.v1 import pooling_pb2 as _pooling_pb2
from adjudicator.v1 import settlement_pb2 as _settlement_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class AccumulatorQuery(_message.Message):
    __slots__ = ("insured_area", "person_id", "scheme", "year")
    INSURED_AREA_FIELD_NUMBER: _ClassVar[int]
    PERSON_ID_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    insured_area: str
    person_id: str
    scheme: str
    year: int
    def __init__(self, insured_area: _Optional[str] = ..., person_id: _Optional[str] = ..., scheme: _Optional[str] = ..., year: _Optional[int] = ...) -> None: ...
