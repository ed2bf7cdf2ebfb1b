"""``adjudicator reprice call``: claims of files to the ``Reprice`` call of a real service, over its socket."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from google.protobuf import json_format, proto

from adjudicator.cli.main import main
from adjudicator.v1 import claim_pb2, settlement_pb2

from .claims import claim


def delimited(path: Path, *batches: claim_pb2.ClaimBatch) -> Path:
    with path.open("wb") as file:
        for batch in batches:
            proto.serialize_length_prefixed(batch, file)
    return path


def test_claims_in_each_form_get_the_answers_of_one_stream(service, stubs, tmp_path, capsys):
    first = claim(900_000)
    claims = [first, claim(900_000, person_id=first.person_id), claim(70_000)]
    (expected,) = stubs.adjudication.Reprice(iter([claim_pb2.ClaimBatch(claims=claims)]))
    wire = delimited(
        tmp_path / "claims.pb", claim_pb2.ClaimBatch(claims=claims[:1]), claim_pb2.ClaimBatch(claims=claims[1:])
    )
    texts = [json_format.MessageToJson(one, preserving_proto_field_name=True) for one in claims]
    lines = tmp_path / "claims.jsonl"
    lines.write_text("\n".join(json.dumps(json.loads(text)) for text in texts), "utf-8")
    single = [tmp_path / f"{number}.json" for number in range(len(texts))]
    for path, text in zip(single, texts, strict=True):
        path.write_text(text, "utf-8")
    for files in ([wire], [lines], single):
        call = ["reprice", "call", *map(str, files), "--target", service.address, "--rules", "again"]
        assert main(call) == 0
        told = [
            json_format.ParseDict(json.loads(line), settlement_pb2.Settlement())
            for line in capsys.readouterr().out.splitlines()
        ]
        assert told == list(expected.settlements)
        assert main([*call, "--output", str(tmp_path / "answers.pb")]) == 0
        with (tmp_path / "answers.pb").open("rb") as file:
            batches = iter(lambda file=file: proto.parse_length_prefixed(settlement_pb2.SettlementBatch, file), None)
            assert [one for batch in batches for one in batch.settlements] == list(expected.settlements)


def test_what_is_refused_is_shown_in_both_languages(service, tmp_path, capsys):
    wrong = claim(70_000)
    wrong.total_fen += 1
    path = delimited(tmp_path / "claims.pb", claim_pb2.ClaimBatch(claims=[claim(70_000), wrong]))
    assert main(["reprice", "call", str(path), "--target", service.address]) == 1
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 2
    assert "claim 2: ADJ-3009" in captured.err and "明细" in captured.err and "2 claims, 1 refused" in captured.err


@pytest.mark.parametrize(
    ("name", "content", "options", "code"),
    [
        ("claims.pb", b"\xff\xff\xff", (), "ADJ-1101"),
        ("claims.jsonl", b'{"total": 1}', (), "ADJ-5008"),
        ("claims.jsonl", b"{}", ("--rules", "nobody"), "ADJ-5005"),
    ],
)
def test_a_file_or_a_call_that_is_refused_says_why(service, tmp_path, capsys, name, content, options, code):
    (tmp_path / name).write_bytes(content)
    assert main(["reprice", "call", str(tmp_path / name), "--target", service.address, *options]) == 1
    told = capsys.readouterr().err
    assert told.startswith(code) and len(told.splitlines()) == 2, told


def test_no_service_is_one_line(tmp_path, capsys):
    path = delimited(tmp_path / "claims.pb", claim_pb2.ClaimBatch(claims=[claim(70_000)]))
    assert main(["reprice", "call", str(path), "--target", "127.0.0.1:1"]) == 1
    assert capsys.readouterr().err.startswith("adjudicator: 127.0.0.1:1: UNAVAILABLE")
