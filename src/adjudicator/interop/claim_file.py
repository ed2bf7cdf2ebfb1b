"""A claim in a file: the message of the wire as JSON, as ``docs/first-call/claim.json`` has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from google.protobuf import json_format

from adjudicator.errors import E, refuse
from adjudicator.rules.load import PACKS, shipped_packs
from adjudicator.v1 import claim_pb2


def read_json(path: Path) -> Any:
    """Return the content of a JSON file, None for any other file."""
    if path.suffix != ".json":
        return None
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError:
        return None


def is_claim(path: Path) -> bool:
    """Return whether a file holds one claim of the wire."""
    data = read_json(path)
    return isinstance(data, dict) and "institution_code" in data and "lines" in data


def read_claim_file(path: Path) -> claim_pb2.Claim:
    """Return the claim of a file. Errors: E.CORRUPT_CASE_FILE for a field that a claim does not have."""
    return parse_claim(path.read_text("utf-8"), path.name)


def parse_claim(text: str, name: str) -> claim_pb2.Claim:
    """Return the claim of a text of JSON; ``name`` says where it is. Errors: E.CORRUPT_CASE_FILE."""
    claim = claim_pb2.Claim()
    try:
        json_format.Parse(text, claim)
    except json_format.ParseError as error:
        raise refuse(E.CORRUPT_CASE_FILE, name, f"{name}: {str(error).splitlines()[0]}") from error
    return claim


def shipped_pack_of(area: str) -> str:
    """Return the shipped pack that insures in a county or city. Errors: E.UNKNOWN_AREA.

    >>> shipped_pack_of("990002"), shipped_pack_of("330100")
    ('taohuayuan', 'hangzhou')
    """
    import tomllib

    for name in shipped_packs():
        raw = tomllib.loads((PACKS / name / "pack.toml").read_text("utf-8"))
        if area in (str(raw["pool"]), *(str(county["code"]) for county in raw["area"])):
            return name
    raise refuse(E.UNKNOWN_AREA, "insured_area")
