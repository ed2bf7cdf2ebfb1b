"""One line of the audit log: JSON with the hash of the line before it and its own.

``{"number":2,"time":"…","act":"reverse",…,"previous":"<hash of line 1>","hash":"<SHA-256 of what stands before>"}``
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

HASH_KEY = b',"hash":"'
END = b'"}'
NO_HASH = "0" * 64
"""What the first line of a chain has as the hash of the line before it."""

FIELDS = frozenset(
    {
        "act", "begun", "bytes", "call", "caller", "callers", "certificate", "code", "encounter_id", "field", "former",
        "host", "institution_code", "key", "kind", "login", "outcome", "pack", "period", "pid", "pool", "role",
        "rules_hash", "sequence", "sha256", "stage", "times", "torn", "version",
    }
)  # fmt: skip
"""Names that may stand in a line beside its number, time and hashes: nothing of a person."""


class Line(NamedTuple):
    """A whole line."""

    number: int
    previous: str
    hash: str
    content: dict[str, Any]


def write_line(number: int, time: str, previous: str, fields: dict[str, object]) -> tuple[bytes, str]:
    """Return a line with its end of line, and its hash. ``fields`` must be of :data:`FIELDS`.

    >>> line, _ = write_line(1, "2026-11-28T12:00:00+08:00", NO_HASH, {"act": "start"})
    >>> line[:62]
    b'{"number":1,"time":"2026-11-28T12:00:00+08:00","act":"start","'
    """
    unknown = fields.keys() - FIELDS
    if unknown:
        raise ValueError(f"not a field of the audit log: {', '.join(sorted(unknown))}")
    whole = {"number": number, "time": time, **fields, "previous": previous}
    body = json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()[:-1]
    digest = hashlib.sha256(body).hexdigest()
    return body + HASH_KEY + digest.encode() + END + b"\n", digest


def read_line(raw: bytes) -> Line | None:
    """Return a line without its end of line; None where it is not as it was written."""
    body, key, rest = raw.rpartition(HASH_KEY)
    digest = rest.removesuffix(END).decode("ascii", "replace")
    if not key or not rest.endswith(END) or hashlib.sha256(body).hexdigest() != digest:
        return None
    try:
        content = json.loads(body + b"}")
        return Line(int(content["number"]), str(content["previous"]), digest, content)
    except (ValueError, KeyError, TypeError):
        return None
