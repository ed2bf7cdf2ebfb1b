"""The matrix of calls and roles, over TLS on a socket: what each role may do, and on what."""

from __future__ import annotations

import queue
import signal
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from adjudicator.client import code_of
from adjudicator.service.callers import Role
from adjudicator.service.permissions import HEALTH, MATRIX, METRICS, Scope
from adjudicator.service.process import ServiceProcess, health_of
from adjudicator.v1 import adjudication_pb2, claim_pb2, grouping_pb2, pooling_pb2, settlement_pb2

from .certified import CALLERS, OTHER_HOSPITAL, Authority
from .chaos import free_port
from .claims import COUNTY, HOSPITAL, POOL, claim, key_of

UNKNOWN_CALLER, NOT_OF_ROLE, NOT_OWN, NOT_A_PATIENT = "ADJ-9510", "ADJ-9511", "ADJ-9512", "ADJ-9513"
CALLER_OF = {
    Role.HOSPITAL: "his.first.example",
    Role.BUREAU: "bureau.example",
    Role.FUND_MANAGER: "fund.example",
    Role.OPERATOR: "operations.example",
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@contextmanager
def serving(folder: Path, authority: Authority, *options: str) -> Iterator[ServiceProcess]:
    """A service that asks for certificates."""
    words = ("--pack", "hangzhou", "--listen", "127.0.0.1:0", "--data", str(folder / "data"), *authority.options)
    with ServiceProcess(*words, *options, log=folder / "log") as service:
        until_serving(service, authority)
        yield service


def until_serving(service: ServiceProcess, authority: Authority) -> None:
    credentials = authority.credentials("operations.example")
    end = time.monotonic() + 600
    while time.monotonic() < end:
        if health_of(service.address, credentials=credentials) == health_pb2.HealthCheckResponse.SERVING:
            return
        assert service.process.poll() is None, service._last_words()
        time.sleep(0.05)
    raise TimeoutError


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, authority) -> Iterator[ServiceProcess]:
    with serving(tmp_path_factory.mktemp("guarded"), authority) as service:
        yield service


@pytest.fixture(scope="module")
def connect(guarded, authority) -> Iterator[Callable]:
    opened: dict[str, object] = {}

    def connect(identity: str):
        if identity not in opened:
            opened[identity] = authority.connect(guarded, identity)
        return opened[identity]

    yield connect
    for stubs in opened.values():
        stubs.channel.close()


@pytest.fixture(scope="module")
def settled(connect) -> claim_pb2.Claim:
    """A settlement of the first hospital."""
    message = claim()
    connect("his.first.example").adjudication.Settle(message)
    return message


def outcome(call: Callable[[], object]) -> str:
    """OK, or the code of the refusal."""
    try:
        call()
    except grpc.RpcError as error:
        return code_of(error) or error.code().name
    return "OK"


def refused_in(batch) -> list[str]:
    return [next((problem.code for problem in one.problems if not problem.warning), "OK") for one in batch.settlements]


def calls(stubs, settled: claim_pb2.Claim) -> dict[str, Callable[[], object]]:
    """One message for each call, about the first hospital, the pool of hangzhou and one of its counties."""
    adjudication, pooling = stubs.adjudication, stubs.pooling
    totals = pooling_pb2.TotalsQuery(pool=POOL, county=COUNTY)
    year = adjudication_pb2.AccumulatorQuery(
        insured_area=COUNTY, person_id=settled.person_id, scheme=settled.scheme, year=2025
    )
    statement = pooling_pb2.Statement(pool=POOL, institution_code=HOSPITAL, from_date=20250301, to_date=20250331)
    group = grouping_pb2.GroupBatch(records=[grouping_pb2.GroupRecord(id="1", diagnoses=["I10.x00x002"])])

    def first(stream):
        answer = next(iter(stream))
        stream.cancel()
        return answer

    def reverse():
        taken_back = claim()
        adjudication.Settle(taken_back)
        request = settlement_pb2.ReverseRequest(settlement=key_of(taken_back), person_id=taken_back.person_id)
        return adjudication.Reverse(request)

    def refuse_reversal():
        return adjudication.Reverse(
            settlement_pb2.ReverseRequest(settlement=key_of(settled), person_id="nobody of this settlement")
        )

    is_hospital = stubs.identity == "his.first.example"
    return {
        "PreSettle": lambda: adjudication.PreSettle(claim()),
        "Settle": lambda: adjudication.Settle(claim()),
        "SettleBatch": lambda: adjudication.SettleBatch(claim_pb2.ClaimBatch(claims=[claim()])),
        "SettleStream": lambda: list(adjudication.SettleStream(iter([claim_pb2.ClaimBatch(claims=[claim()])]))),
        "Reverse": reverse if is_hospital else refuse_reversal,
        "GetSettlement": lambda: adjudication.GetSettlement(key_of(settled)),
        "Explain": lambda: adjudication.Explain(key_of(settled)),
        "Group": lambda: adjudication.Group(group),
        "Reprice": lambda: list(adjudication.Reprice(iter([claim_pb2.ClaimBatch(claims=[claim()])]))),
        "GetAccumulators": lambda: adjudication.GetAccumulators(year),
        "GetCountyTotals": lambda: pooling.GetCountyTotals(totals),
        "WatchCountyTotals": lambda: first(pooling.WatchCountyTotals(totals)),
        "Reconcile": lambda: pooling.Reconcile(statement),
        HEALTH: lambda: health_pb2_grpc.HealthStub(stubs.channel).Check(health_pb2.HealthCheckRequest()),
    }


def rpcs_of_proto() -> list[str]:
    services = adjudication_pb2.DESCRIPTOR.services_by_name.values()
    return [method.name for service in services for method in service.methods]


def test_every_call_of_the_protocol_has_a_row_and_a_message_here(connect, settled):
    names = rpcs_of_proto()
    assert len(names) == len(set(names)), "two services have a call of one name: name the rows by service"
    assert {*names, HEALTH, METRICS} == set(MATRIX)
    stubs = connect("his.first.example")
    stubs.identity = "his.first.example"
    assert {*names, HEALTH} == set(calls(stubs, settled))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("call", [name for name in MATRIX if name != METRICS])
def test_each_role_may_make_its_calls_on_what_is_its_own_and_no_others(connect, settled, call, role):
    stubs = connect(CALLER_OF[role])
    stubs.identity = CALLER_OF[role]
    expected = NOT_OF_ROLE if MATRIX[call].of(role) is Scope.NOTHING else "OK"
    assert outcome(calls(stubs, settled)[call]) == expected


@pytest.mark.parametrize("call", rpcs_of_proto())
def test_a_certificate_of_the_authority_that_is_nobodys_may_do_nothing(connect, settled, call):
    stubs = connect("stranger.example")
    stubs.identity = "stranger.example"
    assert outcome(calls(stubs, settled)[call]) == UNKNOWN_CALLER


FOREIGN = {
    "PreSettle": {"his.second.example": NOT_OWN, "other-bureau.example": NOT_OWN},
    "Settle": {"his.second.example": NOT_OWN},
    "Reverse": {"his.second.example": NOT_OWN},
    "GetSettlement": {"his.second.example": NOT_OWN, "other-bureau.example": NOT_OWN},
    "Explain": {"his.second.example": NOT_OWN, "other-bureau.example": NOT_OWN},
    "GetAccumulators": {"his.second.example": NOT_A_PATIENT, "other-bureau.example": NOT_OWN},
    "GetCountyTotals": {"other-bureau.example": NOT_OWN},
    "WatchCountyTotals": {"other-bureau.example": NOT_OWN},
    "Reconcile": {"his.second.example": NOT_OWN, "other-bureau.example": NOT_OWN},
}


@pytest.mark.parametrize(("call", "identity"), [(call, who) for call, found in FOREIGN.items() for who in found])
def test_what_is_of_others_is_refused(connect, settled, call, identity):
    stubs = connect(identity)
    stubs.identity = identity
    assert outcome(calls(stubs, settled)[call]) == FOREIGN[call][identity]


def test_every_call_on_something_of_ones_own_is_tried_with_something_of_others():
    batches = {"SettleBatch", "SettleStream", "Reprice"}
    own = {name for name, row in MATRIX.items() if {*row[1:]} - {Scope.NOTHING, Scope.ANYTHING}}
    assert own == {*FOREIGN, *batches}


def test_each_claim_of_a_batch_is_looked_at(connect):
    stubs = connect("his.first.example")
    claims = [claim(), claim(institution_code=OTHER_HOSPITAL), claim(), claim(institution_code="")]
    batch = claim_pb2.ClaimBatch(claims=claims)
    expected = ["OK", NOT_OWN, "OK", "ADJ-2001"]
    answer = stubs.adjudication.SettleBatch(batch)
    assert refused_in(answer) == expected
    assert [one.encounter_id for one in answer.settlements] == [one.encounter_id for one in claims]
    assert answer.settlements[1].problems[0].field == "institution_code"
    assert [refused_in(one) for one in stubs.adjudication.SettleStream(iter([batch, batch]))] == [expected, expected]
    foreign = claim_pb2.ClaimBatch(claims=[claims[1]])
    assert refused_in(stubs.adjudication.SettleBatch(foreign)) == [NOT_OWN]
    assert outcome(lambda: stubs.adjudication.GetSettlement(key_of(claims[0]))) == "OK"
    second = connect("his.second.example").adjudication
    assert outcome(lambda: second.GetSettlement(key_of(claims[1]))) == "ADJ-9002", "it was never settled"


def test_a_bureau_prices_claims_of_its_pools_again_and_no_others(connect):
    batch = claim_pb2.ClaimBatch(claims=[claim(), claim(insured_area="330521"), claim(institution_code=OTHER_HOSPITAL)])
    repriced = list(connect("bureau.example").adjudication.Reprice(iter([batch])))
    assert [refused_in(one) for one in repriced] == [["OK", NOT_OWN, "OK"]]
    repriced = list(connect("other-bureau.example").adjudication.Reprice(iter([batch])))
    assert [refused_in(one) for one in repriced] == [[NOT_OWN] * 3]


def test_a_field_given_twice_counts_as_the_settlement_counts_it(connect):
    """The bytes of a message can name two institutions; the later one is settled, so the later one must be own."""
    stubs = connect("his.first.example")
    raw = stubs.channel.unary_unary("/adjudicator.v1.Adjudication/Settle")
    own, foreign = claim(), claim(institution_code=OTHER_HOSPITAL)
    named = claim_pb2.Claim(institution_code=OTHER_HOSPITAL).SerializeToString()
    assert outcome(lambda: raw(own.SerializeToString() + named)) == NOT_OWN
    named = claim_pb2.Claim(institution_code=HOSPITAL).SerializeToString()
    answer = settlement_pb2.Settlement.FromString(raw(foreign.SerializeToString() + named))
    assert answer.institution_code == HOSPITAL
    malformed = b"\x0a\x7f" + own.SerializeToString()[:3]
    assert outcome(lambda: raw(malformed)) == "ADJ-1001"


def test_a_hospital_sees_the_year_of_its_patients_only_and_another_through_a_claim(connect, settled):
    def year(identity: str, person: str, scheme: str = "390") -> str:
        query = adjudication_pb2.AccumulatorQuery(insured_area=COUNTY, person_id=person, scheme=scheme, year=2025)
        return outcome(lambda: connect(identity).adjudication.GetAccumulators(query))

    assert year("his.first.example", settled.person_id) == "OK"
    assert year("his.second.example", settled.person_id) == NOT_A_PATIENT
    assert year("his.second.example", "no such person") == NOT_A_PATIENT
    assert year("bureau.example", settled.person_id) == "OK"
    theirs = claim(institution_code=OTHER_HOSPITAL, person_id=settled.person_id)
    theirs.settlement_date = theirs.discharge_date = 20250414
    theirs.admission_date = 20250412
    for line in theirs.lines:
        line.fee_date = 20250413
    second = connect("his.second.example").adjudication
    assert second.PreSettle(theirs).outcome == settlement_pb2.OUTCOME_TRIAL
    second.Settle(theirs)
    assert year("his.second.example", settled.person_id) == "OK"
    second.Reverse(settlement_pb2.ReverseRequest(settlement=key_of(theirs), person_id=theirs.person_id))
    assert year("his.second.example", settled.person_id) == NOT_A_PATIENT


def test_fund_managers_see_the_totals_of_their_counties_or_pools(connect):
    def totals(identity: str, pool: str = POOL, county: str = "") -> str:
        query = pooling_pb2.TotalsQuery(pool=pool, county=county)
        return outcome(lambda: connect(identity).pooling.GetCountyTotals(query))

    assert totals("fund.example", county=COUNTY) == "OK"
    assert totals("fund.example", county="330102") == NOT_OWN
    assert totals("fund.example") == NOT_OWN, "all counties are more than its own"
    assert totals("city-fund.example") == totals("city-fund.example", county="330102") == "OK"
    assert totals("city-fund.example", pool="330500") == NOT_OWN
    assert totals("bureau.example") == "OK"
    assert totals("other-bureau.example", pool="330500") == "ADJ-5007", "its own, but not loaded"


def test_health_is_for_every_caller_and_for_nobody_else(guarded, authority, connect):
    stub = health_pb2_grpc.HealthStub
    second = stub(connect("his.second.example").channel)
    assert outcome(lambda: second.Check(health_pb2.HealthCheckRequest(service="adjudicator.v1.Adjudication"))) == "OK"
    assert next(iter(second.Watch(health_pb2.HealthCheckRequest()))).status == health_pb2.HealthCheckResponse.SERVING
    stranger = stub(connect("stranger.example").channel)
    assert outcome(lambda: stranger.Check(health_pb2.HealthCheckRequest())) == UNKNOWN_CALLER
    assert outcome(lambda: next(iter(stranger.Watch(health_pb2.HealthCheckRequest())))) == UNKNOWN_CALLER
    assert health_of(guarded.address, credentials=authority.credentials()) is None, "no certificate, no connection"
    assert health_of(guarded.address) is None


def test_a_refusal_says_who_what_and_what_to_do_in_both_languages(connect, settled):
    with pytest.raises(grpc.RpcError) as caught:
        connect("his.second.example").adjudication.GetSettlement(key_of(settled))
    assert caught.value.code() == grpc.StatusCode.PERMISSION_DENIED
    details = str(caught.value.trailing_metadata())
    assert "ADJ-9512" in caught.value.details() and settled.person_id not in details
    with pytest.raises(grpc.RpcError) as caught:
        connect("stranger.example").adjudication.GetSettlement(key_of(settled))
    assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED
    assert "callers.toml" in caught.value.details()


def hang_up(service: ServiceProcess, events: list[str]) -> None:
    """SIGHUP, and wait until each event was logged once more."""
    before = {event: service.log.read_text().count(f'"{event}"') for event in events}
    service.process.send_signal(signal.SIGHUP)
    for _ in range(600):
        text = service.log.read_text()
        if all(text.count(f'"{event}"') > before[event] for event in events):
            return
        time.sleep(0.1)
    raise AssertionError(service._last_words())


def test_callers_and_certificates_are_read_again_on_sighup_and_a_bad_file_changes_nothing(tmp_path):
    authority = Authority(tmp_path)
    with serving(tmp_path, authority) as service:
        stubs = authority.connect(service, "his.first.example")
        assert outcome(lambda: stubs.adjudication.Settle(claim())) == "OK"
        authority.callers(CALLERS.replace('role = "operator"', 'role = "operater"'))
        authority.file("server.key", b"no key")
        hang_up(service, ["not read again", "rules loaded"])
        log = service.log.read_text()
        assert "ADJ-5009" in log and "operater" in log and "ADJ-9517" in log and "server.key" in log
        assert outcome(lambda: stubs.adjudication.Settle(claim())) == "OK"
        assert outcome(lambda: authority.connect(service, "his.first.example").adjudication.Settle(claim())) == "OK"
        new = Authority(tmp_path)  # another authority, and a list without the first hospital
        new.callers(CALLERS.replace("his.first.example", "his.third.example"))
        hang_up(service, ["callers loaded", "certificates loaded", "rules loaded"])
        assert outcome(lambda: stubs.adjudication.Settle(claim())) == UNKNOWN_CALLER, "over its open connection"
        third = new.connect(service, "his.third.example")
        assert outcome(lambda: third.adjudication.Settle(claim(), timeout=10)) == "OK"
        of_former_authority = authority.credentials("his.third.example")
        assert health_of(service.address, credentials=of_former_authority) is None


def test_a_stream_ends_when_its_caller_is_struck_off_the_list(tmp_path):
    authority = Authority(tmp_path)
    with serving(tmp_path, authority) as service:
        sent: queue.Queue = queue.Queue()
        stubs = authority.connect(service, "his.first.example")
        answers = stubs.adjudication.SettleStream(iter(sent.get, None))
        sent.put(claim_pb2.ClaimBatch(claims=[claim()]))
        assert refused_in(next(answers)) == ["OK"]
        authority.callers(CALLERS.replace("his.first.example", "his.third.example"))
        hang_up(service, ["callers loaded"])
        sent.put(claim_pb2.ClaimBatch(claims=[claim()]))
        assert outcome(lambda: next(answers)) == UNKNOWN_CALLER
        sent.put(None)


def test_counters_off_this_host_are_for_operators_alone(tmp_path):
    authority = Authority(tmp_path)
    port = free_port()
    with serving(tmp_path, authority, "--metrics", f"0.0.0.0:{port}"):

        def page(identity: str) -> str:
            context = ssl.create_default_context(cafile=str(tmp_path / "authority.pem"))
            if identity:
                authority.issue("reader", identity)
                context.load_cert_chain(tmp_path / "reader.pem", tmp_path / "reader.key")
            try:
                return urllib.request.urlopen(f"https://127.0.0.1:{port}/", timeout=10, context=context).read().decode()
            except urllib.error.HTTPError as error:
                return str(error.code)
            except OSError:
                return "no connection"

        assert "adjudicator_calls_in_progress" in page("operations.example")
        assert page("his.first.example") == page("stranger.example") == "403"
        assert page("") == "no connection"
