"""The command line: what it lists, how it answers wrong use, and that help needs no compiled kernel."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from adjudicator import __version__
from adjudicator.cli import main as cli
from adjudicator.errors import AdjudicatorError, E, Problem
from adjudicator.rulefile.faults import Faults


def adjudicator(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "adjudicator", *words], capture_output=True, text=True, timeout=60)


def test_help_lists_every_command_that_is_installed():
    shown = adjudicator("--help").stdout
    assert all(name in shown for name in cli.available())


def test_version():
    assert adjudicator("--version").stdout.strip() == f"adjudicator {__version__}"


def test_help_imports_no_kernel_library():
    code = "import sys, adjudicator.cli.main as cli; cli.build_parser(None).format_help(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60).stdout.split()
    assert not {"numba", "numpy", "grpc", "pyarrow", "redis"} & set(loaded)


def test_each_command_explains_itself(capsys):
    for name in cli.available():
        with pytest.raises(SystemExit) as ended:
            cli.main([name, "--help"])
        assert ended.value.code == 0
        assert f"adjudicator {name}" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["no-such-command"]])
def test_wrong_use_ends_with_2(words):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == cli.USAGE


def failing(error: Exception):
    """A parser whose one command raises ``error``."""

    def run(arguments):
        raise error

    return SimpleNamespace(parse_args=lambda words: SimpleNamespace(run=run))


@pytest.fixture
def command_that_raises(monkeypatch):
    def run(error: Exception) -> int:
        monkeypatch.setattr(cli, "build_parser", lambda command: failing(error))
        return cli.main(["any"])

    return run


def test_a_refusal_is_printed_in_both_languages(command_that_raises, capsys):
    assert command_that_raises(AdjudicatorError(Problem(E.UNKNOWN_POOL))) == cli.REFUSED
    said = capsys.readouterr().err
    assert "ADJ-5007" in said and "统筹区" in said and "Traceback" not in said


def test_every_fault_of_a_pack_is_printed(command_that_raises, capsys):
    faults = Faults()
    faults.add("benefit/a.toml", "tiers[0].rate", "over 100 %")
    faults.add("hospitals.csv", "line 3", "unknown level")
    with pytest.raises(Exception) as raised:
        faults.raise_if_any("pack x")
    assert command_that_raises(raised.value) == cli.REFUSED
    said = capsys.readouterr().err
    assert "tiers[0].rate" in said and "line 3" in said


def test_a_missing_file_is_one_line(command_that_raises, capsys):
    assert command_that_raises(FileNotFoundError(2, "No such file or directory", "cases.yaml")) == cli.REFUSED
    assert capsys.readouterr().err.count("\n") == 1


def test_a_fault_of_our_own_keeps_its_traceback(command_that_raises):
    with pytest.raises(ZeroDivisionError):
        command_that_raises(ZeroDivisionError())


def test_interruption_ends_with_130(command_that_raises):
    assert command_that_raises(KeyboardInterrupt()) == cli.INTERRUPTED
