"""Chinese messages are Chinese: no English word stands in them but names of fields, calls, commands and files."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

from adjudicator.claim.problems import undefined_rule
from adjudicator.columns import CLAIM
from adjudicator.errors import REMEDIES, TABLE
from adjudicator.rules.bundle import load_bundle
from adjudicator.rules.load import shipped_packs
from adjudicator.v1 import claim_pb2, settlement_pb2
from tests.golden.test_golden import CASES, settled_case

WORD = re.compile(r"[A-Za-z_]{2,}")
CHINESE = re.compile("[\u4e00-\u9fff]")
RECEIVED = re.compile("（收到：.*?）")
"""The value that came in."""
FIELDS = {
    field
    for messages in (claim_pb2.DESCRIPTOR, settlement_pb2.DESCRIPTOR)
    for message in messages.message_types_by_name.values()
    for field in message.fields_by_name
}
CALLS_AND_COMMANDS = {
    "Reverse", "GetSettlement", "Filing", "Referral", "protobuf", "proto", "adjudicator", "rules", "check",
    "show", "ledger", "verify", "rebuild", "hospitals", "csv", "docs", "cases", "md", "maxmemory", "appendonly",
    "yes", "appendfsync", "always", "reprice", "mapping", "memory", "workers", "resume",
    "scheduler", "facts", "without", "unpriced", "serve", "data", "demo",
    "from", "to", "resettle", "PreSettle", "callers", "permissions", "toml", "tls", "client", "ca", "insecure",
    "policy", "noeviction", "Valkey", "Redis", "adj",
}  # fmt: skip


def english(text: str) -> list[str]:
    """Words that are no field, no code of capitals and no name of a call, a command or a file."""
    words = WORD.findall(RECEIVED.sub("", text))
    names = FIELDS | CALLS_AND_COMMANDS
    return [word for word in words if word not in names and "_" not in word and not word.isupper()]


def sentences() -> Iterator[str]:
    for row in TABLE.values():
        yield from (row.zh.format(detail=""), row.do_zh)
    yield from (chinese for _, chinese in REMEDIES.values())


def test_the_words_that_are_found() -> None:
    assert english("filing 没有规定：no rule for GBK") == ["no", "rule", "for"]
    assert not english("字段 settled_at_counter 有误（收到：yes please）")


def test_the_sentences_of_the_error_table() -> None:
    assert [(text, words) for text in sentences() if (words := english(text)) or not CHINESE.search(text)] == []


def test_the_messages_of_all_cases() -> None:
    told = {
        problem.message_zh for case in CASES for settled in settled_case(case) for problem in settled.answer.problems
    }
    assert len(told) >= 30
    assert [(text, words) for text in sorted(told) if (words := english(text))] == []


@pytest.mark.parametrize("name", shipped_packs())
def test_what_a_pack_leaves_undefined(name: str) -> None:
    """The message of ADJ-5004, in the words of the plan that is marked undefined, and of a hole in a table."""
    pack = load_bundle([name]).packs[0]
    for plan in [*(plan for plan in pack.plans if plan.undefined), None]:
        claim = np.zeros(1, CLAIM)[0]
        if plan is not None:
            claim["scheme"], claim["care_kind"], claim["place"] = plan.scheme, plan.care[0], plan.places[0]
            claim["rule_date"] = plan.from_date
        detail = undefined_rule(pack, claim)
        assert CHINESE.search(detail.zh) and not english(detail.zh), detail
        assert not CHINESE.search(detail.en)
