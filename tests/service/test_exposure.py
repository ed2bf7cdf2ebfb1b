"""A service does not serve strangers off its host by default, and says what is open."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from adjudicator.errors import AdjudicatorError
from adjudicator.service.certificates import Certificates
from adjudicator.service.exposure import check_exposure, doubts_of_store
from adjudicator.service.options import ServeOptions, TlsOptions

from .certified import Authority


def serve(*words: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "adjudicator", "serve", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    "words",
    [
        ("--listen", "0.0.0.0:0"), ("--listen", ":0"), ("--metrics", "0.0.0.0:0"), ("--listen", "[::]:0"),
        ("--listen", "0.0.0.0:0", "--workers", "2"),
    ],
)  # fmt: skip
def test_off_this_host_everybody_is_refused_unless_said_by_name(words):
    ended = serve(*words)
    assert ended.returncode == 1
    assert "ADJ-9516" in ended.stderr and "--insecure" in ended.stderr and "任何" in ended.stderr
    assert not ended.stdout


def test_saying_it_by_name_or_identifying_callers_is_enough(tmp_path):
    check_exposure(ServeOptions(listen="0.0.0.0:1", insecure=True))
    check_exposure(ServeOptions(listen="0.0.0.0:1", metrics="0.0.0.0:2", callers=tmp_path))
    check_exposure(ServeOptions(listen="127.0.0.1:1", metrics="[::1]:2"))
    with pytest.raises(AdjudicatorError):
        check_exposure(ServeOptions(metrics="10.0.0.1:2"))


def test_callers_need_certificates_and_certificates_callers(tmp_path):
    for words in (("--callers", "c.toml"), ("--tls-cert", "c", "--tls-key", "k", "--tls-client-ca", "a")):
        ended = serve(*words)
        assert ended.returncode == 2 and "--callers and --tls-client-ca" in ended.stderr


def test_files_that_are_wrong_end_the_start_and_are_named(tmp_path):
    authority = Authority(tmp_path)
    authority.callers("[[caller]]\nname = 1\n")
    ended = serve("--listen", "127.0.0.1:0", "--data", str(tmp_path), *authority.options)
    assert ended.returncode == 1 and "ADJ-5009" in ended.stderr and "caller[0].role" in ended.stderr
    (tmp_path / "server.pem").unlink()
    with pytest.raises(AdjudicatorError, match=r"ADJ-9517.*server\.pem"):
        Certificates(TlsOptions(tmp_path / "server.pem", tmp_path / "server.key"))
    authority.issue("server", "localhost")
    authority.issue("other", "localhost")
    with pytest.raises(AdjudicatorError, match=r"ADJ-9517.*KEY_VALUES_MISMATCH"):
        Certificates(TlsOptions(tmp_path / "server.pem", tmp_path / "other.key"))


def test_an_open_service_says_so(service):
    lines = [json.loads(line) for line in service.log.read_text().splitlines() if line.startswith("{")]
    said = next(line for line in lines if line["event"] == "open to everybody")
    assert "docs/callers.md" in said["reason"] and "调用方" in said["reason_zh"]


@pytest.mark.parametrize(
    ("url", "doubts"),
    [
        ("redis://store:6379/0", 2), ("redis://:secret@store:6379/0", 1), ("rediss://store:6380", 1),
        ("rediss://user:secret@store:6380", 0), ("redis://127.0.0.1:6379", 0), ("unix:///run/store", 0),
        ("redis+cluster://one:1,two:2", 2), ("rediss+cluster://user:secret@one:1,two:2", 0),
    ],
)  # fmt: skip
def test_a_store_elsewhere_without_password_or_tls_is_doubted_without_its_address(url, doubts):
    found = list(doubts_of_store(url))
    assert len(found) == doubts
    assert not any("secret" in doubt or "6379" in doubt for doubt in found)
