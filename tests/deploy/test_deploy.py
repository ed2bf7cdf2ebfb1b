"""What the deployment files promise; their form is checked by `./dev lint` (hadolint, compose schema, yamllint)."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest
import yaml

from adjudicator.cli.main import available


@pytest.fixture
def deploy(root):
    return root / "deploy"


@pytest.fixture
def compose(deploy):
    return yaml.safe_load((deploy / "compose.yaml").read_text(encoding="utf-8"))["services"]


def test_store_of_the_compose_file_is_on_disk_before_it_answers(compose):
    words = compose["store"]["command"]
    settings = dict(zip(words[1::2], words[2::2], strict=True))
    assert settings["--appendonly"] == "yes"
    assert settings["--appendfsync"] == "always"
    assert settings["--maxmemory-policy"] == "noeviction"


def test_compose_commands_exist(compose):
    from adjudicator.cli.main import build_parser
    from adjudicator.cli.serve import options_of
    from adjudicator.service.exposure import check_exposure

    words = compose["adjudicator"]["command"]
    given = build_parser(words[0]).parse_args(words)
    check_exposure(options_of(given))  # it knows its callers, and so may listen to other hosts
    assert {str(path.parent) for path in (given.tls_cert, given.tls_key, given.tls_client_ca, given.callers)} == {
        "/etc/adjudicator"
    }
    assert any(volume.endswith(f":{given.audit}") for volume in compose["adjudicator"]["volumes"])
    url = compose["adjudicator"]["environment"]["ADJUDICATOR_REDIS_URL"]
    assert url == "redis://:${STORE_PASSWORD}@store:6379/0" and "--requirepass" in compose["store"]["command"]


def test_image_runs_without_root_and_asks_for_its_health(deploy):
    text = (deploy / "Containerfile").read_text(encoding="utf-8")
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["10001"]
    assert "--require-hashes" in text and "adjudicator warmup" in text
    command = re.search(r"^HEALTHCHECK .* CMD \[(.*)\]$", text, re.MULTILINE).group(1)
    assert command.startswith('"adjudicator", "health"') and "health" in available()


def test_image_processor_is_the_same_where_it_compiles_and_where_it_runs(deploy):
    text = (deploy / "Containerfile").read_text(encoding="utf-8")
    pins = re.findall(r"^ENV NUMBA_CPU_NAME=(\S+) NUMBA_CPU_FEATURES=(\S+)", text, re.MULTILINE)
    assert len(pins) == 2 and pins[0] == pins[1]


@pytest.mark.parametrize("name", ["runtime", "dev"])
def test_locks_pin_every_package_by_hash_and_name_no_registry(root, name):
    text = (root / "locks" / f"{name}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    packages = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]
    assert packages and all("==" in package and "--hash=sha256:" in package for package in packages)


def test_systemd_accepts_the_unit(deploy, tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "adjudicator.service"
    text = (deploy / "adjudicator.service").read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/adjudicator/bin/adjudicator", sys.executable), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "adjudicator.service" not in done.stderr, done.stderr
