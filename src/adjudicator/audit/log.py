"""The audit log as it is written: chains of hashed lines in files of a folder, each chain by one process at a time.

A folder may have several writers (workers, services, commands); each takes the first chain that nobody holds, goes on
where it ended, and lets go of it at its end. ``NN.head`` of chain NN has the number and hash of its last line and
carries the lock; the lines are in files ``NN-<number of the first line>.jsonl``. A full file is left as it is and the
next is begun; a file is never renamed, cut or deleted.

A line is on the disk before :meth:`AuditLog.write` returns. Where it cannot be, nothing of it stays and the act must
not be done.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import threading
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from adjudicator.audit.line import NO_HASH, Line, read_line, write_line
from adjudicator.errors import E, refuse

MOST_CHAINS = 100
MOST_FILE_BYTES = 64 * 1024 * 1024
HEAD_BYTES = 20 + 1 + 64 + 1
READ_BYTES = 1 << 20
"""Where the last line of a file is looked for: no line is as long."""


class Head(NamedTuple):
    """The last line of a chain: its number and hash."""

    number: int = 0
    hash: str = NO_HASH


class AuditLog:
    """One chain of a folder, held until :meth:`close`. Several threads may write."""

    def __init__(self, folder: Path, most_file_bytes: int = MOST_FILE_BYTES):
        """Go on with the first chain that is free, or begin one. Errors: E.AUDIT_UNWRITABLE, E.AUDIT_BROKEN."""
        self.folder = folder
        self._most_file_bytes = most_file_bytes
        self._lock = threading.Lock()
        self.head = Head()
        self._file: int | None = None
        self._path = folder
        self._end = 0
        """Bytes of the file that hold lines."""
        try:
            folder.mkdir(0o750, parents=True, exist_ok=True)
            self.chain, self._head_file = _first_free(folder)
            torn = self._continue()
            if torn:
                self.write("recovered", bytes=len(torn), torn=hashlib.sha256(torn).hexdigest())
        except OSError as error:
            raise refuse(E.AUDIT_UNWRITABLE, detail=_reason(error)) from error

    def write(self, act: str, **fields: object) -> int:
        """Write one line to the disk and return its number. Errors: E.AUDIT_UNWRITABLE, E.AUDIT_BROKEN."""
        with self._lock:
            number = self.head.number + 1
            time = datetime.now().astimezone().isoformat(timespec="milliseconds")
            line, digest = write_line(number, time, self.head.hash, {"act": act, **fields})
            try:
                self._check()
                if self._file is None or (self._end and self._end + len(line) > self._most_file_bytes):
                    self._begin_file(number)
                assert self._file is not None
                _write_whole(self._file, line, self._end)
                os.fsync(self._file)
                self._write_head(Head(number, digest))
            except OSError as error:
                self._take_back()
                raise refuse(E.AUDIT_UNWRITABLE, detail=_reason(error)) from error
            self._end += len(line)
            self.head = Head(number, digest)
            return number

    def close(self) -> None:
        """Let go of the chain."""
        with self._lock:
            for file in (self._file, self._head_file):
                if file is not None:
                    os.close(file)
            self._file = None

    def _continue(self) -> bytes:
        """Find the end of the chain; return the bytes of a line that a crash cut off. Errors: E.AUDIT_BROKEN."""
        self.head = read_head(os.pread(self._head_file, HEAD_BYTES, 0))
        last: Line | None = None
        torn = b""
        for path in reversed(files_of(self.folder, self.chain)):
            last, torn = _last_line(path)
            if self._file is None and path.stat().st_size:
                self._open(path)
            if last is not None or torn:
                break
        found = Head(last.number, last.hash) if last else Head()
        written_without_head = last is not None and last.previous == self.head.hash
        if found != self.head and not (written_without_head and found.number == self.head.number + 1):
            what = f"chain {self.chain} ends with line {found.number}, its head says {self.head.number}"
            what_zh = f"链 {self.chain} 止于第 {found.number} 行，链头记为第 {self.head.number} 行"
            raise refuse(E.AUDIT_BROKEN, detail=what, detail_zh=what_zh)
        self.head = found
        if torn:
            assert self._file is not None
            _write_whole(self._file, b"\n", self._end)
            self._end += 1
        return torn

    def _open(self, path: Path) -> None:
        self._file, self._path, self._end = os.open(path, os.O_RDWR), path, path.stat().st_size

    def _begin_file(self, number: int) -> None:
        path = self.folder / f"{self.chain}-{number:012d}.jsonl"
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
        if os.fstat(file).st_size:
            os.close(file)
            raise refuse(E.AUDIT_BROKEN, detail=f"{path.name} is there already", detail_zh=f"{path.name} 已存在")
        if self._file is not None:
            os.close(self._file)
        self._file, self._path, self._end = file, path, 0
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _check(self) -> None:
        """Refuse to go on in a file that somebody moved, cut or wrote to."""
        if self._file is None:
            return
        try:
            there = os.stat(self._path)
        except FileNotFoundError:
            there = None
        own = os.fstat(self._file)
        if there is None or there.st_ino != own.st_ino or own.st_size != self._end:
            what, what_zh = f"{self._path.name} was changed while it was in use", f"{self._path.name} 在使用中被更改"
            raise refuse(E.AUDIT_BROKEN, detail=what, detail_zh=what_zh)

    def _take_back(self) -> None:
        """Leave nothing of a line that could not be written whole: its number goes to the next one."""
        with contextlib.suppress(OSError):
            if self._file is not None:
                os.ftruncate(self._file, self._end)
            self._write_head(self.head)

    def _write_head(self, head: Head) -> None:
        _write_whole(self._head_file, f"{head.number:020d} {head.hash}\n".encode(), 0)
        os.fsync(self._head_file)


def read_head(text: bytes) -> Head:
    """Return what the head file of a chain says; of an empty one that there is no line. Errors: E.AUDIT_BROKEN."""
    if not text:
        return Head()
    number, _, digest = text.decode("ascii", "replace").strip().partition(" ")
    if not number.isdigit() or len(digest) != len(NO_HASH):
        raise refuse(E.AUDIT_BROKEN, detail="its head is not readable", detail_zh="链头无法读取")
    return Head(int(number), digest)


def files_of(folder: Path, chain: str) -> list[Path]:
    """Return the files of a chain in order."""
    return sorted(folder.glob(f"{chain}-{'[0-9]' * 12}.jsonl"))


def _first_free(folder: Path) -> tuple[str, int]:
    """Return the first chain that nobody holds, and its head file, which is locked."""
    for number in range(MOST_CHAINS):
        chain = f"{number:02d}"
        file = os.open(folder / f"{chain}.head", os.O_RDWR | os.O_CREAT, 0o640)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            continue
        return chain, file
    raise BlockingIOError(f"all {MOST_CHAINS} chains are in use")


def _last_line(path: Path) -> tuple[Line | None, bytes]:
    """Return the last whole line of a file, and the bytes after its end. Errors: E.AUDIT_BROKEN."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - READ_BYTES))
        *lines, torn = file.read().split(b"\n")
    if not lines:
        return None, torn
    line = read_line(lines[-1])
    if line is None:
        what, what_zh = f"the last line of {path.name} was changed", f"{path.name} 的最后一行被更改"
        raise refuse(E.AUDIT_BROKEN, detail=what, detail_zh=what_zh)
    return line, torn


def _write_whole(file: int, data: bytes, at: int) -> None:
    while data:
        written = os.pwrite(file, data, at)
        data, at = data[written:], at + written


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
