"""docs/claim.md: what it and the .proto call required is refused when it is left out, and named."""

from __future__ import annotations

import re

import pytest
from google.protobuf import json_format

from adjudicator import load_bundle, price_message
from adjudicator.v1 import claim_pb2, settlement_pb2

REQUIRED = re.compile(r"((?:^  //.*\n)+)^  (?:optional |repeated )?\w+ (\w+) = \d+;", re.MULTILINE)


@pytest.fixture(scope="module")
def bundle():
    return load_bundle(["taohuayuan"])


@pytest.fixture
def claim(root) -> claim_pb2.Claim:
    text = (root / "docs" / "first-call" / "claim.json").read_text(encoding="utf-8")
    return json_format.Parse(text, claim_pb2.Claim())


def required(root, message: str) -> list[str]:
    """Fields of a message whose comment says that they are required in an ordinary stay."""
    proto = (root / "proto" / "adjudicator" / "v1" / "claim.proto").read_text(encoding="utf-8")
    body = proto.split(f"message {message} {{")[1].split("\n}")[0]
    fields = REQUIRED.findall(body)
    return [name for comment, name in fields if re.search(r"// Required(\.|, at least|\. | for inpatient)", comment)]


def refused(bundle, claim) -> set[str]:
    answer = price_message(bundle, claim)
    assert answer.outcome == settlement_pb2.OUTCOME_REFUSED
    return {problem.field for problem in answer.problems}


def test_each_required_field_of_a_claim_is_missed(root, bundle, claim):
    names = required(root, "Claim")
    assert len(names) > 12
    for name in names:
        without = claim_pb2.Claim()
        without.CopyFrom(claim)
        without.ClearField(name)
        assert any(name.removesuffix("_fen") in field for field in refused(bundle, without)), name


def test_each_required_field_of_a_line_is_missed(root, bundle, claim):
    for name in required(root, "Line"):
        without = claim_pb2.Claim()
        without.CopyFrom(claim)
        without.lines[0].ClearField(name)
        assert refused(bundle, without), name


def test_the_page_names_the_same_fields(root):
    page = (root / "docs" / "claim.md").read_text(encoding="utf-8").split("What decides money")[0]
    for name in required(root, "Claim"):
        assert f"`{name}`" in page, name
