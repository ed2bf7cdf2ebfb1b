"""From the start of a service to its end: ready when it can settle, orderly when it stops, alone or with workers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import grpc
import pytest
import redis
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from adjudicator.client import CHANNEL_OPTIONS, code_of
from adjudicator.errors import E
from adjudicator.service.process import ServiceProcess, health_of
from adjudicator.service.store import process_lives
from adjudicator.v1 import claim_pb2, pooling_pb2, settlement_pb2

from .chaos import StoreProcess
from .claims import POOL, claim, key_of
from .conftest import connect

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
def store(tmp_path):
    """A store of its own that a test may stop, fill or kill."""
    process = StoreProcess(tmp_path / "store")
    process.start()
    yield process
    process.resume()
    process.kill()


def serve(tmp_path: Path, *options: str, pack: str = "hangzhou") -> ServiceProcess:
    words = ("--pack", pack, "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"), *options)
    return ServiceProcess(*words, log=tmp_path / "log")


def events(log: Path, name: str) -> list[dict]:
    """Lines of a service's log about one kind of event."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == name]


def until(condition, seconds: float = 15.0) -> None:
    """Waits until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


def test_a_service_is_not_ready_while_its_store_is_away_and_says_so(tmp_path, store):
    store.kill()
    with serve(tmp_path, "--redis", store.url) as service:
        assert health_of(service.address) == NOT_SERVING
        stubs = connect(service.address)
        settled = claim()
        with pytest.raises(grpc.RpcError) as caught:
            stubs.adjudication.Settle(settled, timeout=10)
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        assert code_of(caught.value) in ("ADJ-9501", "ADJ-9008")
        store.start()
        service.wait_until_serving()
        assert health_of(service.address, "adjudicator.v1.Adjudication") == SERVING
        assert health_of(service.address, "adjudicator.v1.PoolingLedger") == SERVING
        assert stubs.adjudication.Settle(settled).outcome == settlement_pb2.OUTCOME_SETTLED


def test_a_store_that_goes_away_is_told_by_health_and_trials_with_own_accumulators_go_on(tmp_path, store):
    with serve(tmp_path, "--redis", store.url) as service:
        service.wait_until_serving()
        stubs = connect(service.address)
        stubs.adjudication.Settle(claim())
        store.kill()
        until(lambda: health_of(service.address) == NOT_SERVING)
        own = claim()
        own.accumulators.year = 2025
        own.accumulators.entries.add(name="stays", value=1)
        assert stubs.adjudication.PreSettle(own, timeout=5).outcome == settlement_pb2.OUTCOME_TRIAL
        for call, message in ((stubs.adjudication.Settle, own), (stubs.adjudication.PreSettle, claim())):
            with pytest.raises(grpc.RpcError) as caught:
                call(message, timeout=10)
            assert code_of(caught.value) == "ADJ-9008"
            assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        with pytest.raises(grpc.RpcError) as caught:
            stubs.adjudication.SettleBatch(claim_pb2.ClaimBatch(claims=[claim(), claim()]), timeout=10)
        assert code_of(caught.value) == "ADJ-9008"
        store.start()
        service.wait_until_serving()
        assert stubs.adjudication.Settle(own).outcome == settlement_pb2.OUTCOME_SETTLED


def test_a_store_that_does_not_answer_in_time_and_one_that_is_full(tmp_path, store):
    with serve(tmp_path, "--redis", store.url) as service:
        service.wait_until_serving()
        stubs = connect(service.address)
        late, too_much = claim(), claim()
        store.pause()
        with pytest.raises(grpc.RpcError) as caught:
            stubs.adjudication.Settle(late, timeout=20)
        assert code_of(caught.value) == "ADJ-9008"
        store.resume()
        service.wait_until_serving()
        assert stubs.adjudication.Settle(late).outcome == settlement_pb2.OUTCOME_SETTLED
        store.limit_memory(1)
        with pytest.raises(grpc.RpcError) as caught:
            stubs.adjudication.Settle(too_much, timeout=20)
        assert code_of(caught.value) == "ADJ-9009"
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        store.limit_memory(0)
        assert stubs.adjudication.Settle(too_much).outcome == settlement_pb2.OUTCOME_SETTLED


def test_a_setting_of_the_store_that_changes_is_told_by_health_calls_and_log(tmp_path, store):
    with serve(tmp_path, "--redis", store.url) as service, redis.Redis.from_url(store.url) as client:
        service.wait_until_serving()
        stubs, settled = connect(service.address), claim()
        client.config_set("maxmemory-policy", "allkeys-lru")
        until(lambda: health_of(service.address) == NOT_SERVING)
        for call, message in (
            (stubs.adjudication.Settle, settled),
            (stubs.adjudication.SettleBatch, claim_pb2.ClaimBatch(claims=[settled, claim()])),
        ):
            with pytest.raises(grpc.RpcError) as caught:
                call(message, timeout=10)
            assert code_of(caught.value) == "ADJ-9023" and "allkeys-lru" in caught.value.details()
        assert not client.keys("adj:{*journal*")
        client.config_set("maxmemory-policy", "noeviction")
        service.wait_until_serving()
        assert stubs.adjudication.Settle(settled).outcome == settlement_pb2.OUTCOME_SETTLED
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 100_000)
        until(lambda: events(tmp_path / "log", "store memory low"))
    refused = events(tmp_path / "log", "store refused")
    assert len(refused) == 1 and refused[0]["code"] == "ADJ-9023" and "allkeys-lru" in refused[0]["reason"]


def test_a_store_that_forgets_is_refused_at_the_start(tmp_path):
    store = StoreProcess(tmp_path / "store", appendonly="no")
    store.start()
    try:
        with serve(tmp_path, "--redis", store.url) as service:
            assert service.process.wait(120) == 1
    finally:
        store.kill()


def test_the_own_store_is_started_again_when_it_dies(tmp_path):
    with serve(tmp_path) as service:
        service.wait_until_serving()
        stubs = connect(service.address)
        before = claim()
        settled = stubs.adjudication.Settle(before)
        assert run_out_of(tmp_path / "data")
        until(lambda: "store back" in (tmp_path / "log").read_text())
        service.wait_until_serving()
        assert stubs.adjudication.GetSettlement(key_of(before)) == settled


def run_out_of(folder: Path) -> bool:
    """Kills the store that runs on a folder."""
    os.kill(json.loads((folder / "server.json").read_text())["pid"], signal.SIGKILL)
    return True


def test_after_kill_9_the_service_finds_its_own_store_again(tmp_path):
    first = serve(tmp_path).start()
    first.wait_until_serving()
    message = claim()
    settled = connect(first.address).adjudication.Settle(message)
    first.kill()
    with serve(tmp_path) as second:
        second.wait_until_serving()
        assert connect(second.address).adjudication.Settle(message) == settled


def test_a_deadline_that_has_passed_records_nothing(tmp_path, store):
    with serve(tmp_path, "--redis", store.url) as service:
        service.wait_until_serving()
        stubs = connect(service.address)
        stubs.adjudication.Settle(claim())
        message = claim()
        with pytest.raises(grpc.RpcError) as caught:
            stubs.adjudication.Settle(message, timeout=0.0005)
        assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        with pytest.raises(grpc.RpcError) as caught:
            stubs.adjudication.GetSettlement(key_of(message))
        assert code_of(caught.value) == "ADJ-9002"


def test_sigterm_finishes_what_was_accepted_and_takes_no_more(tmp_path, store):
    with serve(tmp_path, "--redis", store.url) as service:
        service.wait_until_serving()
        stubs = connect(service.address)
        stubs.adjudication.Settle(claim())
        stream_ended = []

        def idle_stream() -> None:
            def nothing():
                yield claim_pb2.ClaimBatch(claims=[claim()])
                time.sleep(30)

            try:
                stream_ended.extend(stubs.adjudication.SettleStream(nothing()))
            except grpc.RpcError as error:
                stream_ended.append(code_of(error))

        threading.Thread(target=idle_stream, daemon=True).start()
        health = health_pb2_grpc.HealthStub(stubs.channel).Watch(health_pb2.HealthCheckRequest())
        assert next(health).status == SERVING
        watching = stubs.pooling.WatchCountyTotals(pooling_pb2.TotalsQuery(pool=POOL))
        next(watching)
        store.pause()  # the batch is accepted and waits for the store
        pending = stubs.adjudication.SettleBatch.future(claim_pb2.ClaimBatch(claims=[claim() for _ in range(5)]))
        time.sleep(0.3)
        service.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        store.resume()
        answers = pending.result(timeout=20).settlements
        assert [answer.outcome for answer in answers] == [settlement_pb2.OUTCOME_SETTLED] * 5
        assert service.process.wait(20) == 0  # watchers and idle streams do not hold it up for the 30 s of grace
        assert [told.status for told in health] in ([], [NOT_SERVING])
        with pytest.raises(grpc.RpcError) as caught:
            list(watching)
        assert code_of(caught.value) == "ADJ-9504"
        until(lambda: stream_ended and stream_ended[-1] == "ADJ-9504")
        assert health_of(service.address) is None


def test_two_workers_on_one_port_settle_once_and_survive_the_loss_of_one(tmp_path):
    with serve(tmp_path, "--workers", "2") as service:
        service.wait_until_serving()
        until(lambda: (tmp_path / "log").read_text().count('"event": "serving"') == 2, 30)
        message = claim()
        answers = {connect(service.address).adjudication.Settle(message).SerializeToString() for _ in range(12)}
        assert len(answers) == 1
        workers = [
            int(line.split('"pid": ')[1].split("}")[0])
            for line in (tmp_path / "log").read_text().splitlines()
            if '"event": "worker started"' in line
        ]
        os.kill(workers[0], signal.SIGKILL)
        until(lambda: (tmp_path / "log").read_text().count('"event": "serving"') == 3, 30)
        assert connect(service.address).adjudication.Settle(message).SerializeToString() in answers
        assert service.stop() == 0
    assert (tmp_path / "log").read_text().count('"event": "stopped"') == 2


def test_workers_use_the_store_that_the_service_was_told(tmp_path, store):
    with serve(tmp_path, "--workers", "2", "--redis", store.url) as service:
        service.wait_until_serving()
        message = claim()
        assert connect(service.address).adjudication.Settle(message).outcome == settlement_pb2.OUTCOME_SETTLED
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["audit"], "no store of its own"
    with redis.Redis.from_url(store.url) as client:
        assert client.smembers("adj:pools") == {POOL.encode()}


def test_a_second_service_on_the_port_is_refused_with_a_plain_message(service, tmp_path):
    words = [sys.executable, "-m", "adjudicator", "serve", "--pack", "hangzhou", "--listen", service.address]
    ended = subprocess.run([*words, "--data", str(tmp_path / "data")], capture_output=True, text=True, timeout=30)
    assert ended.returncode == 1
    assert f"cannot listen on {service.address}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_corrupt_pack_ends_the_start_with_every_fault(tmp_path):
    folder = tmp_path / "corrupt"
    folder.mkdir()
    (folder / "pack.toml").write_text('id = "corrupt"\npool = "x"\n')
    ended = subprocess.run(
        [sys.executable, "-m", "adjudicator", "serve", "--pack", str(folder), "--listen", "127.0.0.1:0",
         "--data", str(tmp_path / "data")],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "pack.toml" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_running_service_takes_new_rules_and_keeps_the_old_ones_when_they_have_faults(tmp_path, packs):
    shutil.copytree(packs, tmp_path / "packs")
    pack = tmp_path / "packs" / "hangzhou" / "pack.toml"
    with serve(tmp_path, pack=str(pack.parent)) as service:
        service.wait_until_serving()
        stubs = connect(service.address)
        before = stubs.adjudication.Settle(claim())
        text = pack.read_text()
        pack.write_text(text + "nonsense = 1\n")
        service.process.send_signal(signal.SIGHUP)
        until(lambda: "rules refused" in (tmp_path / "log").read_text())
        assert stubs.adjudication.Settle(claim()).rules_hash == before.rules_hash
        pack.write_text(text.replace("1107", "1108"))
        service.process.send_signal(signal.SIGHUP)
        until(lambda: stubs.adjudication.Settle(claim()).rules_hash != before.rules_hash)


@pytest.mark.parametrize("after_seconds", [0.0, 0.4])
def test_a_service_that_is_stopped_while_it_starts_leaves_no_store_behind(tmp_path, after_seconds):
    with serve(tmp_path) as service:
        time.sleep(after_seconds)
        assert service.stop() == 0
    details = tmp_path / "data" / "server.json"
    assert not details.exists() or not process_lives(json.loads(details.read_text())["pid"])


def test_reflection_is_off_unless_asked_for(service, tmp_path):
    def ask(address: str) -> list[str]:
        with grpc.insecure_channel(address) as channel:
            requests = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
            answers = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(requests)
            return [one.name for answer in answers for one in answer.list_services_response.service]

    with pytest.raises(grpc.RpcError) as caught:
        ask(service.address)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
    with serve(tmp_path, "--reflection") as reflecting:
        assert {"adjudicator.v1.Adjudication", "adjudicator.v1.PoolingLedger"} <= set(ask(reflecting.address))


def counters(page: str) -> dict[str, float]:
    """The page of counters, read."""
    text = urllib.request.urlopen(f"http://{page}/", timeout=5).read().decode()
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def test_counters_are_served_for_prometheus(service, stubs):
    before = counters(service.page)
    message = claim()
    stubs.adjudication.Settle(message)
    stubs.adjudication.Settle(message)
    with pytest.raises(grpc.RpcError):
        stubs.adjudication.Settle(claim(insured_area="440100"))
    after = counters(service.page)
    grown = {name: after[name] - before.get(name, 0) for name in after}
    assert grown['adjudicator_calls_total{call="Settle",code="OK"}'] == 2
    assert grown['adjudicator_calls_total{call="Settle",code="ADJ-2010"}'] == 1
    assert grown["adjudicator_settlements_total"] == 1
    assert grown["adjudicator_repeated_total"] == 1
    assert after["adjudicator_store_reachable"] == 1


def test_no_refusal_and_no_log_line_names_a_person(service, stubs):
    person = "330106194910010017"
    stubs.adjudication.Settle(claim(person_id=person))
    for spoiled in (claim(person_id=person, scheme="1"), claim(person_id=person * 9)):
        with pytest.raises(grpc.RpcError) as caught:
            stubs.adjudication.Settle(spoiled)
        assert person not in str(caught.value)
    assert person not in service.log.read_text()


def test_health_is_watched(service):
    with grpc.insecure_channel(service.address, options=CHANNEL_OPTIONS) as channel:
        watching = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(watching).status == SERVING
        watching.cancel()
        with pytest.raises(grpc.RpcError) as caught:
            health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service="nobody"))
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_every_error_of_the_service_itself_is_in_the_table():
    from adjudicator.errors import TABLE

    for number in (E.NOT_READY, E.OVERLOADED, E.DEADLINE, E.SHUTTING_DOWN, E.INTERNAL):
        assert TABLE[number].zh
