"""Acts of operators on a ledger by the command line: each is in the audit log before it begins, and how it ended."""

from __future__ import annotations

import argparse
import os
import platform
import pwd
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adjudicator.audit.log import AuditLog

AUDIT_VARIABLE = "ADJUDICATOR_AUDIT"
DEFAULT_DATA = Path("adjudicator-data")


def audit_default() -> Path | None:
    """Return the folder that the environment names."""
    return Path(os.environ[AUDIT_VARIABLE]) if os.environ.get(AUDIT_VARIABLE) else None


def add_audit(parser: argparse.ArgumentParser) -> None:
    """Add --audit."""
    parser.add_argument(
        "--audit", type=Path, metavar="DIR", default=audit_default(),
        help=f"folder of the audit log (default ${AUDIT_VARIABLE}, else audit in the folder of --data)",
    )  # fmt: skip


@contextmanager
def recorded(arguments: argparse.Namespace, is_act: bool = True) -> Iterator[None]:
    """Record an act on a ledger. Errors: E.AUDIT_UNWRITABLE, E.AUDIT_BROKEN, before anything is done."""
    if not is_act:
        yield
        return
    from adjudicator.audit.log import AuditLog

    act = " ".join(word for word in (arguments.command, getattr(arguments, "action", "")) if word)
    fields: dict[str, object] = {"login": login(), "host": platform.node(), "pid": os.getpid()}
    for name in ("pack", "pool", "kind", "period", "month", "year"):
        if value := getattr(arguments, name, None):
            fields["period" if name in ("month", "year") else name] = value
    log = AuditLog(arguments.audit or (arguments.data or DEFAULT_DATA) / "audit")
    try:
        begun = log.write(act, stage="begin", **fields)
        outcome = "done"
        try:
            yield
        except BaseException as error:
            outcome = _outcome(error)
            raise
        finally:
            _end(log, act, begun, outcome)
    finally:
        log.close()


def _end(log: AuditLog, act: str, begun: int, outcome: str) -> None:
    from adjudicator.errors import AdjudicatorError

    try:
        log.write(act, stage="end", begun=begun, outcome=outcome)
    except AdjudicatorError as error:  # the act is over; only its end is not recorded
        print(
            f"adjudicator: {outcome}, but its end is not in the audit log 结果未登入审计日志: {error}", file=sys.stderr
        )


def _outcome(error: BaseException) -> str:
    from adjudicator.errors import AdjudicatorError

    return error.problems[0].row.code if isinstance(error, AdjudicatorError) else type(error).__name__


def login() -> str:
    """Return the account of this process as the system knows it, whatever the environment says."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
