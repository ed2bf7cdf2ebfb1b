"""What the ledger asks of its store, and whether a store has it: settings, role, version, memory, commands.

Looked at with each new connection and once a second (:meth:`.connection.Connection.look`), because a setting may be
changed while the store runs. A store that hides its configuration is judged by what it tells of itself (``INFO``), and
each write is followed by ``WAITAOF``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from adjudicator.errors import AdjudicatorError, E, refuse

LEAST_VERSIONS = {"valkey": (7, 2), "redis": (7, 0)}
"""First version of each server that has all that the scripts use."""
INFO = ("INFO", "server", "persistence", "memory", "replication")
CONFIG = ("CONFIG", "GET", "append*")
LITTLE_MEMORY_PERCENT = 10
"""Of ``maxmemory``: less than this left is said in the log."""


class StoreFacts(NamedTuple):
    """What a store says of itself; None: it does not say."""

    server: str
    """``valkey`` or ``redis``."""
    version: tuple[int, ...]
    run_id: str
    is_primary: bool
    is_loading: bool
    appends: bool | None
    """It keeps an append-only file."""
    syncs_always: bool | None
    """Each write is on the disk before it is answered."""
    last_append_failed: bool
    policy: str | None
    """What it drops when its memory is full."""
    used_bytes: int
    most_bytes: int
    """0: no limit."""

    @property
    def has_little_memory(self) -> bool:
        """Whether less than a tenth of the memory that it may take is left."""
        return bool(self.most_bytes) and self.used_bytes * 100 > self.most_bytes * (100 - LITTLE_MEMORY_PERCENT)


def facts_of(info: Mapping[str, Any], settings: Any) -> StoreFacts:
    """Return the facts.

    info: the reply to INFO as the client library reads it. ``settings``: the reply to CONFIG GET, names and values by
    turns or as a mapping; None where the store refuses the command.
    """
    known = _texts(settings)
    appends = known.get("appendonly")
    policy = info.get("maxmemory_policy")
    server = "valkey" if "valkey_version" in info else "redis"
    return StoreFacts(
        server,
        tuple(int(part) for part in str(info.get(f"{server}_version", "0")).split(".")[:3] if part.isdigit()),
        str(info.get("run_id", "")),
        str(info.get("role", "master")) == "master",
        bool(int(info.get("loading", 0))),
        bool(int(info["aof_enabled"])) if "aof_enabled" in info else None if appends is None else appends == "yes",
        None if "appendfsync" not in known else known["appendfsync"] == "always" and appends == "yes",
        str(info.get("aof_last_write_status", "ok")) != "ok",
        None if policy is None else str(policy),
        int(info.get("used_memory", 0)),
        int(info.get("maxmemory", 0)),
    )


def _texts(settings: Any) -> dict[str, str]:
    if not settings:
        return {}
    pairs = settings.items() if isinstance(settings, Mapping) else _pairs(settings)
    return {_text(name): _text(value) for name, value in pairs}


def _pairs(settings: Sequence[Any]) -> Any:
    return zip(settings[::2], settings[1::2], strict=True)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


class Fault(NamedTuple):
    """What a store lacks; each caller gets an exception of its own."""

    number: E
    detail: str
    detail_zh: str

    def refusal(self) -> AdjudicatorError:
        """Return the exception."""
        return refuse(self.number, "", self.detail, self.detail_zh)


def fault_of(facts: StoreFacts) -> Fault | None:
    """Return the first thing that a store lacks, None where it has all."""
    least = LEAST_VERSIONS[facts.server]
    if facts.version and facts.version < least:
        has, wants = ".".join(map(str, facts.version)), ".".join(map(str, least))
        return Fault(
            E.STORE_LACKS,
            f"{facts.server} {has}, needs {wants} or later",
            f"{facts.server} {has}，需要 {wants} 或更高版本",
        )
    if not facts.is_primary:
        return Fault(E.STORE_AWAY, "it is a replica", "连接到的是副本")
    if facts.is_loading:
        return Fault(E.STORE_AWAY, "it is loading its data", "存储正在加载数据")
    if facts.appends is False:
        return Fault(E.STORE_NOT_DURABLE, "appendonly is no", "appendonly 为 no")
    if facts.last_append_failed:
        return Fault(
            E.STORE_NOT_DURABLE, "its last write to the append-only file failed", "最近一次写入 AOF 文件失败"
        )  # fmt: skip
    if facts.policy not in (None, "noeviction"):
        return Fault(
            E.STORE_EVICTS, f"maxmemory-policy is {facts.policy}", f"maxmemory-policy 为 {facts.policy}"
        )  # fmt: skip
    return None


def fault_of_commands(refused: Sequence[Any]) -> Fault | None:
    """Return what ``probe.lua`` reports: the commands that the store does not have, or that its user may not run."""
    names = sorted({_text(name) for name in refused})
    if not names:
        return None
    return Fault(E.STORE_LACKS, f"may not run {', '.join(names)}", f"无法执行命令 {'、'.join(names)}")


def denied(error: BaseException) -> Fault:
    """Return the fault of a store whose user may not run a command; the store names the command, no data."""
    return Fault(E.STORE_LACKS, str(error)[:120], f"账本用户权限不足（{str(error)[:120]}）")
