"""The commands of the service as a person types them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


def adjudicator(*words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "adjudicator", *words], capture_output=True, text=True, timeout=timeout
    )  # fmt: skip


def test_the_demo_shows_settlements_the_county_table_and_that_everything_adds_up(tmp_path):
    ended = adjudicator("demo", "--claims", "300", "--data", str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    for text in ("医疗费总额", "medfee_sumamt", "统筹基金支出", "已冲销", "合计", "ADJ-9001", "ledger verify holds"):
        assert text in ended.stdout
    assert "NO " not in ended.stdout
    assert (tmp_path / "ledger" / "valkey.log").exists()


def test_the_demo_does_not_mix_its_day_into_another_ledger(tmp_path):
    (tmp_path / "ledger").mkdir()
    ended = adjudicator("demo", "--claims", "60", "--data", str(tmp_path))
    assert ended.returncode == 2 and "name an empty folder" in ended.stderr


def test_the_demo_prints_json():
    ended = adjudicator("demo", "--claims", "60", "--json")
    report = json.loads(ended.stdout)
    assert all(report["checks"].values())
    assert report["client"]["settled"] == 60


@pytest.mark.parametrize("words", [("--claims", "0"), ("--day", "20250631")])
def test_the_demo_refuses_impossible_options(words):
    ended = adjudicator("demo", *words)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("serve", "--listen", "abc"),
        ("serve", "--listen", "127.0.0.1:70000", "--workers", "2"),
        ("serve", "--metrics", "9464"),
        ("serve", "--redis", "http://user:password@store:6379"),
        ("ledger", "verify", "--redis", "user:password@store:6379"),
    ],
)
def test_a_wrong_address_is_wrong_use_and_is_not_repeated_with_its_password(words):
    ended = adjudicator(*words)
    assert ended.returncode == 2
    assert "write " in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "password" not in ended.stderr


@pytest.mark.parametrize("options", [("--batch", "25"), ("--concurrency", "4"), ("--trial",)])
def test_a_load_test_counts_what_came_back(service, options):
    ended = adjudicator("loadtest", "--target", service.address, "--claims", "100", "--json", *options)
    report = json.loads(ended.stdout)
    assert ended.returncode == 0
    assert (report["claims"], report["refused"], report["failed"]) == (100, {}, {})


@pytest.mark.parametrize(
    "words",
    [
        ("--target", "example.com:443"),
        ("--target", "10.0.0.1:50051"),
        ("--target", "127.0.0.1:1", "--claims", "1000001"),
        ("--target", "127.0.0.1:1", "--concurrency", "0"),
    ],
)
def test_a_load_test_stays_on_this_machine_and_within_bounds(words):
    ended = adjudicator("loadtest", *words)
    assert ended.returncode == 2
    assert ended.stderr.startswith("adjudicator loadtest: ")


def test_warm_up_says_where_kernels_are_kept():
    report = json.loads(adjudicator("warmup", "--pack", "hangzhou", "--json").stdout)
    assert len(report["rules_hash"]) == 16
    assert report["cache"].endswith("__pycache__")


def test_key_and_certificate_belong_together():
    ended = adjudicator("serve", "--tls-cert", "only.pem")
    assert ended.returncode == 2
    assert "--tls-key" in ended.stderr
