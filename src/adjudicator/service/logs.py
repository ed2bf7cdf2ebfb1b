"""Structured logs: one JSON object a line on standard error.

No field of a person ever goes into a log. The allowed fields are listed here and anything else is refused, so that a
new call of ``log`` with a person number in it fails in the tests instead of in an audit.
"""

from __future__ import annotations

import json
import os
import sys
import time

FIELDS = frozenset(
    {
        "address", "attempts", "call", "callers", "chain", "claims", "code", "duration_milliseconds", "encounter_id",
        "error", "exit_code", "head", "institution_code", "most_bytes", "pack", "pid", "pool", "reason", "reason_zh",
        "rules_hash", "signal", "store", "used_bytes", "version", "waiting", "worker", "workers", "where",
    }
)  # fmt: skip
"""Names that may stand in a log line."""


def log(event: str, **fields: object) -> None:
    """Write one line; ``fields`` must be of :data:`FIELDS`.

    >>> log("started", person_id="1")
    Traceback (most recent call last):
    ...
    ValueError: not a log field: person_id
    """
    unknown = set(fields) - FIELDS
    if unknown:
        raise ValueError(f"not a log field: {', '.join(sorted(unknown))}")
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime())
    line = {"time": stamp, "event": event, "process": os.getpid(), **fields}
    print(json.dumps(line, ensure_ascii=False), file=sys.stderr, flush=True)


def describe(error: BaseException) -> str:
    """Class and place of an exception, never its text: a text could quote a claim.

    >>> try:
    ...     1 // 0
    ... except ZeroDivisionError as error:
    ...     describe(error).split(" at ")[0]
    'ZeroDivisionError'
    """
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    if frame is None:
        return type(error).__name__
    return f"{type(error).__name__} at {os.path.basename(frame.tb_frame.f_code.co_filename)}:{frame.tb_lineno}"
