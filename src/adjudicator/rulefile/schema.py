"""JSON schemas of rule files, made from the same types that the reader follows, so that editors complete and check."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from adjudicator.rulefile.dated import Source
from adjudicator.rulefile.evidence import COMPARED, Evidence, Support
from adjudicator.rulefile.fields import Codes, Day, Member, Members, Number, Where, Word
from adjudicator.rulefile.reader import marker_of, without_none

Schema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"
"""The draft that editors of TOML understand."""
DATE: Schema = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$", "description": "a date without quotes"}
TEXT: Schema = {"type": "string"}
SUPPORT: dict[str, Schema] = {
    "document": {"type": "string", "minLength": 1, "description": "the document or page the value was read in"},
    "clause": TEXT | {"description": "article or words of the document"},
    "link": {"type": "string", "pattern": r"^https?://[^/\s]+\.[^/\s]+/\S+$", "description": "whole link"},
    "checked_on": DATE | {"description": "day on which a person compared the value"},
    "evidence": {"enum": [str(grade) for grade in Evidence], "description": "only official counts as verified"},
}
"""What a block says about the evidence of its values."""
PERIOD: dict[str, Schema] = {
    "from": DATE | {"description": "first day on which the values hold"},
    "to": DATE | {"description": "last day on which they hold; left out: until further notice"},
}
COMPARED_ON: Schema = {
    "if": {"properties": {"evidence": {"enum": [str(grade) for grade in COMPARED]}}},
    "then": {"required": ["checked_on"]},
}
OFFICIAL: Schema = {
    "if": {"properties": {"evidence": {"const": str(Evidence.OFFICIAL)}}},
    "then": {"required": ["link"], "properties": {"document": {"pattern": "〔(19|20)[0-9]{2}〕 *[0-9]+ *号"}}},
}


def table(properties: Mapping[str, Schema], required: list[str], description: str = "") -> Schema:
    """Return the schema of a table that has these keys and no others; evidence brings its own conditions."""
    schema: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    if required:
        schema["required"] = required
    if description:
        schema["description"] = description
    if "evidence" in required:
        schema["allOf"] = [COMPARED_ON, OFFICIAL]
    return schema


def of_struct(kind: type[msgspec.Struct]) -> Schema:
    """Return the schema of a table whose keys are the fields of a struct."""
    properties: dict[str, Schema] = {}
    required: list[str] = []
    for field in msgspec.structs.fields(kind):
        if field.type is Source:
            properties |= PERIOD | SUPPORT
            required += ["from", "document", "evidence"]
        elif field.type is Support:
            properties |= SUPPORT
            required += ["document", "evidence"]
        elif field.type is not Where:
            properties[field.encode_name] = of_type(field.type)
            if field.required:
                required.append(field.encode_name)
    return table(properties, required, _first_line(kind))


def of_type(kind: Any) -> Schema:
    """Return the schema of one value."""
    kind = without_none(kind)
    marker = marker_of(kind)
    if isinstance(marker, Number):
        return of_number(marker)
    if isinstance(marker, Members):
        return of_members(marker)
    if isinstance(marker, Member | Word):
        return {"enum": list(marker.words)}
    if isinstance(marker, Codes):
        return {"anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1}]}
    if isinstance(marker, Day):
        return DATE
    if get_origin(kind) is Literal:
        return {"enum": list(get_args(kind))}
    if get_origin(kind) in (Union, types.UnionType):
        return {"anyOf": [of_type(part) for part in get_args(kind)]}
    if get_origin(kind) is dict:
        return {"type": "object", "additionalProperties": of_type(get_args(kind)[1])}
    if get_origin(kind) in (tuple, list):
        return {"type": "array", "items": of_type(get_args(kind)[0])}
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return of_struct(kind)
    plain: dict[Any, Schema] = {str: TEXT, int: {"type": "integer"}, bool: {"type": "boolean"}}
    return plain.get(kind, DATE)


def of_number(kind: Number) -> Schema:
    """Return the schema of a number with its bounds and its unit."""
    bounds = {"minimum": _plain(kind.text(kind.low)), "maximum": _plain(kind.text(kind.high))}
    unit = {"description": kind.unit} if kind.unit else {}
    number: Schema = {"type": "number" if kind.decimals else "integer", **bounds}
    if kind.words:
        return {"anyOf": [number, {"enum": [word for word, _ in kind.words]}], **unit}
    return number | unit


def of_members(kind: Members) -> Schema:
    """Return the schema of one word or a list of words."""
    words = {"enum": ["any", *kind.words]}
    return {"anyOf": [words, {"type": "array", "items": words, "minItems": 1}]}


def document(title: str, root: Schema) -> Schema:
    """Return a whole schema document."""
    return {"$schema": DRAFT, "title": title, **root}


def _plain(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def _first_line(kind: type) -> str:
    return (inspect.getdoc(kind) or "").split("\n")[0]
