"""What a service writes in its audit log, over TLS on a socket, and what it does not do when it cannot."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import grpc
import pytest

from adjudicator.audit.verify import verify
from adjudicator.client import code_of
from adjudicator.errors import AdjudicatorError, E, refuse
from adjudicator.service.auditing import Auditor, Refusal
from adjudicator.v1 import claim_pb2, settlement_pb2

from .certified import CALLERS, Authority
from .claims import HOSPITAL, claim, key_of
from .test_permissions import NOT_OWN, UNKNOWN_CALLER, hang_up, outcome, serving

PERSON, PERSON_IN_FIELD = "330106198001011234", "330106199912129876"


def lines_of(folder: Path) -> list[dict]:
    """Lines of every chain, each chain in order."""
    return [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_bytes().splitlines()]


def reversal_of(message: claim_pb2.Claim) -> settlement_pb2.ReverseRequest:
    return settlement_pb2.ReverseRequest(settlement=key_of(message), person_id=message.person_id)


def test_refusals_reversals_and_swaps_are_recorded_and_nothing_of_a_person_is(tmp_path):
    authority = Authority(tmp_path)
    with serving(tmp_path, authority) as service:
        first = authority.connect(service, "his.first.example").adjudication
        second = authority.connect(service, "his.second.example").adjudication
        stranger = authority.connect(service, "stranger.example").adjudication
        settled = claim(person_id=PERSON)
        first.Settle(settled)
        assert outcome(lambda: second.Reverse(reversal_of(settled))) == NOT_OWN
        assert outcome(lambda: second.GetSettlement(key_of(settled))) == NOT_OWN
        misused = settlement_pb2.SettlementKey(
            institution_code=PERSON_IN_FIELD, encounter_id=PERSON, insured_area=PERSON
        )
        assert outcome(lambda: second.GetSettlement(misused)) == NOT_OWN
        assert outcome(lambda: stranger.Settle(claim(person_id=PERSON))) == UNKNOWN_CALLER
        second.SettleBatch(claim_pb2.ClaimBatch(claims=[claim(person_id=PERSON)] * 3))
        wrong = settlement_pb2.ReverseRequest(settlement=key_of(settled), person_id=PERSON_IN_FIELD)
        assert outcome(lambda: first.Reverse(wrong)) == "ADJ-9005"
        first.Reverse(reversal_of(settled))
        authority.callers(CALLERS + CALLERS.replace("first", "third").split("[[caller]]")[1].join(["[[caller]]", ""]))
        hang_up(service, ["callers loaded", "certificates loaded", "rules loaded"])
    lines = lines_of(tmp_path / "data" / "audit")
    assert all(chain.holds for chain in verify(tmp_path / "data" / "audit"))
    text = json.dumps(lines) + (tmp_path / "log").read_text()
    assert PERSON not in text and PERSON_IN_FIELD not in text
    assert [line["act"] for line in lines][:2] == ["start", "rules"] and lines[-1]["act"] == "stop"

    def of(**wanted: object) -> list[dict]:
        return [line for line in lines if wanted.items() <= line.items()]

    (refused,) = of(act="refused", call="Reverse")
    assert (refused["caller"], refused["role"], refused["code"]) == ("second-hospital", "hospital", NOT_OWN)
    assert refused["field"] == "settlement.institution_code"
    assert sum(line["times"] for line in of(act="refused", call="GetSettlement")) == 2
    assert sum(line["times"] for line in of(act="refused", call="SettleBatch", code=NOT_OWN)) == 3
    (unknown,) = of(act="refused", code=UNKNOWN_CALLER)
    assert len(unknown["certificate"]) == 64 and "caller" not in unknown
    failed, done = of(act="reverse", stage="end")
    assert failed["outcome"] == "ADJ-9005" and "encounter_id" not in failed
    assert (done["outcome"], done["institution_code"], done["encounter_id"]) == ("done", HOSPITAL, settled.encounter_id)
    begun = lines[done["begun"] - 1]
    assert (begun["act"], begun["stage"], begun["caller"]) == ("reverse", "begin", "first-hospital")
    assert begun["pool"] == "330100" and len(begun["key"]) == 32
    (swap,) = of(act="callers")
    assert swap["callers"] == 8
    assert len(of(act="certificates")) == 1
    assert [line["former"] for line in of(act="rules")] == ["", lines[1]["rules_hash"]]


def test_what_cannot_be_recorded_is_not_done_and_settling_goes_on(tmp_path):
    authority = Authority(tmp_path)
    with serving(tmp_path, authority) as service:
        first = authority.connect(service, "his.first.example").adjudication
        second = authority.connect(service, "his.second.example").adjudication
        settled = claim()
        paid = first.Settle(settled)
        (path,) = (tmp_path / "data" / "audit").glob("*.jsonl")
        content = path.read_bytes()
        path.write_bytes(content + b"somebody else wrote this\n")
        with pytest.raises(grpc.RpcError) as caught:
            first.Reverse(reversal_of(settled))
        assert code_of(caught.value) == "ADJ-9515"
        assert first.GetSettlement(key_of(settled)) == paid, "it was not taken back"
        assert outcome(lambda: first.Settle(claim())) == "OK"
        assert outcome(lambda: second.Settle(claim())) == NOT_OWN, "refused all the same"
        authority.callers(CALLERS.replace("his.first.example", "his.third.example"))
        hang_up(service, ["not read again", "rules refused"])
        assert outcome(lambda: first.Settle(claim())) == "OK", "the swap of callers was not done either"
        path.write_bytes(content)
        assert first.Reverse(reversal_of(settled)).total_fen == -paid.total_fen
    assert verify(tmp_path / "data" / "audit")[0].holds


def test_a_service_that_cannot_open_its_audit_log_does_not_start(tmp_path):
    (tmp_path / "file").write_text("")
    authority = Authority(tmp_path)
    with pytest.raises(ChildProcessError), serving(tmp_path, authority, "--audit", str(tmp_path / "file")):
        pass
    assert "ADJ-9514" in (tmp_path / "log").read_text()


def test_each_worker_has_a_chain_of_its_own(tmp_path):
    authority = Authority(tmp_path)
    with serving(tmp_path, authority, "--workers", "2") as service:
        second = [authority.connect(service, "his.second.example").adjudication for _ in range(12)]
        for stubs in second:
            assert outcome(lambda stubs=stubs: stubs.Settle(claim())) == NOT_OWN
    chains = verify(tmp_path / "data" / "audit")
    assert [chain.name for chain in chains] == ["00", "01"] and all(chain.holds for chain in chains)
    refused = [line["times"] for line in lines_of(tmp_path / "data" / "audit") if line["act"] == "refused"]
    assert sum(refused) == len(second)


def refusal(call: str = "Settle") -> Refusal:
    return Refusal(call, "second-hospital", "hospital", "", NOT_OWN, "institution_code")


def test_many_equal_refusals_are_a_line_and_their_number(tmp_path):
    async def flood() -> None:
        auditor = Auditor(tmp_path)
        for _ in range(1000):
            await auditor.refused(refusal())
        await auditor.refused(refusal("Reverse"))
        await auditor.close()

    asyncio.run(flood())
    lines = [(line["call"], line["times"]) for line in lines_of(tmp_path) if line["act"] == "refused"]
    assert lines == [("Settle", 1), ("Reverse", 1), ("Settle", 999)]


def test_an_act_that_fails_is_recorded_with_how(tmp_path):
    async def acts() -> None:
        auditor = Auditor(tmp_path)
        with pytest.raises(AdjudicatorError):
            async with auditor.act("reverse"):
                raise refuse(E.STORE_AWAY)
        with pytest.raises(ZeroDivisionError):
            async with auditor.act("reverse"):
                raise ZeroDivisionError
        await auditor.close()

    asyncio.run(acts())
    assert [line["outcome"] for line in lines_of(tmp_path) if line.get("stage") == "end"] == [
        "ADJ-9008", "ZeroDivisionError",
    ]  # fmt: skip


def test_an_act_whose_end_cannot_be_written_was_done(tmp_path, monkeypatch):
    done = []

    async def act() -> None:
        auditor = Auditor(tmp_path)
        async with auditor.act("reverse"):
            done.append(True)
            monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        assert not auditor.is_writable
        with pytest.raises(AdjudicatorError, match="ADJ-9514"):
            async with auditor.act("reverse"):
                done.append(False)

    asyncio.run(act())
    assert done == [True]
