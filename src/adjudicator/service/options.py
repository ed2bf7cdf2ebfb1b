"""What a running service can be told; each option has a default that works on a laptop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_LISTEN = "127.0.0.1:50051"


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """Files in PEM form. With ``client_authority`` only callers with a certificate of it are served."""

    certificate: Path
    key: Path
    client_authority: Path | None = None


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Options of one service process."""

    packs: tuple[str, ...] = ("taohuayuan",)
    candidates: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Named rule bundles for Reprice, beside the ones that settle."""
    redis_url: str | None = None
    """Where the ledger is; None: a server of our own with its data in ``data_folder``."""
    data_folder: Path = Path("adjudicator-data")
    listen: str = DEFAULT_LISTEN
    share_port: bool = False
    """Several worker processes listen on one port (SO_REUSEPORT)."""
    tls: TlsOptions | None = None
    callers: Path | None = None
    """The list of callers (``callers.toml``), with ``tls.client_authority``; None: everybody may do everything."""
    audit_folder: Path | None = None
    """Folder of the audit log; None: ``audit`` in ``data_folder``."""
    insecure: bool = False
    """Everybody may do everything also where the service listens off this host."""
    reflection: bool = False
    metrics: str | None = None
    """Address of the Prometheus text page; None: none."""
    grace_seconds: float = 30.0
    """How long a stopping service may take to finish what it accepted."""
    most_waiting_claims: int = 20_000
    """Claims that may wait; beyond it a call is refused with OVERLOADED."""
    most_waiting_bytes: int = 256 * 1024 * 1024
    """Messages that may wait, of single calls and of batch calls each."""
    most_joined_calls: int = 512
    """Unary calls joined into one engine batch."""
    most_joined_claims: int = 1_000
    """Claims of batch calls joined into one engine batch; a larger call is a batch of its own."""
    most_batches: int = 3
    """Joined batches in work at one time, of single calls and of batch calls each: one is priced while the store
    writes the others."""
    engine_threads: int = 2
    """Threads that compute big batches."""
    today: int | None = None
    """YYYYMMDD that stands for the date of the clock, for tests and for files of another day; None: the clock's."""
    future_days: int = 1
    """Days after the service's own date that a settlement may still be dated; further ahead it is refused."""
    worker: int = 0
