"""The audit log of one service process: refusals at the door, reversals, and what its operators change."""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from adjudicator import __version__
from adjudicator.audit.log import AuditLog
from adjudicator.errors import AdjudicatorError
from adjudicator.service.logs import describe, log

JOINED_SECONDS = 10.0
"""Refusals of one caller, call and reason within this time are one line with their number, after a first one."""
DONE = "done"


class Refusal(NamedTuple):
    """What was refused to whom; equal ones are counted together."""

    call: str
    caller: str
    role: str
    certificate: str
    """SHA-256 of the certificate of an unknown caller."""
    code: str
    field: str


class Auditor:
    """Writes beside the event loop. What cannot be written must not be done: :meth:`record` and :meth:`act` raise."""

    def __init__(self, folder: Path):
        """Errors: E.AUDIT_UNWRITABLE, E.AUDIT_BROKEN."""
        self._log = AuditLog(folder)
        self.is_writable = True
        self._more: dict[Refusal, int] = {}
        """Refusals since the last line about the same, which wait for the next one."""
        self._windows: set[asyncio.Task[None]] = set()

    async def record(self, act: str, **fields: object) -> int:
        """Write a line to the disk and return its number. Errors: E.AUDIT_UNWRITABLE, E.AUDIT_BROKEN."""
        try:
            number = await asyncio.to_thread(self._log.write, act, **fields)
        except AdjudicatorError as error:
            problem = error.problems[0]
            log("audit log not written", code=problem.row.code, reason=problem.detail, reason_zh=problem.message_zh)
            self.is_writable = False
            raise
        self.is_writable = True
        return number

    async def start(self) -> None:
        """Record the start of the process, and name the end of the chain in the log beside."""
        await self.record("start", version=__version__, host=platform.node(), pid=os.getpid())
        log("audit log", chain=self._log.chain, head=self._log.head.hash)

    @asynccontextmanager
    async def act(self, act: str, **fields: object) -> AsyncIterator[dict[str, object]]:
        """Record an act before it begins and how it ended; the body may add fields of the end.

        Errors: E.AUDIT_UNWRITABLE, E.AUDIT_BROKEN before the body. When only the end cannot be written, the act was
        done all the same and its caller is told so.
        """
        begun = await self.record(act, stage="begin", **fields)
        ending: dict[str, object] = {"begun": begun, "outcome": DONE}
        try:
            yield ending
        except AdjudicatorError as error:
            ending["outcome"] = error.problems[0].row.code
            raise
        except BaseException as error:
            ending["outcome"] = type(error).__name__  # nobody knows whether it was done
            raise
        finally:
            await asyncio.shield(self._end(act, ending))

    async def _end(self, act: str, fields: dict[str, object]) -> None:
        try:
            await self.record(act, stage="end", **fields)
        except AdjudicatorError as error:
            log("end of an act not recorded", error=describe(error))

    async def refused(self, refusal: Refusal) -> None:
        """Record a refusal: the first at once, more of the same as their number later. A refusal never fails."""
        if refusal in self._more:
            self._more[refusal] += 1
            return
        self._more[refusal] = 0
        await self._write(refusal, 1)
        window = asyncio.get_running_loop().create_task(self._join(refusal))
        self._windows.add(window)
        window.add_done_callback(self._windows.discard)

    async def _join(self, refusal: Refusal) -> None:
        """Wait for more of the same, as long as more come, then forget it."""
        try:
            while True:
                await asyncio.sleep(JOINED_SECONDS)
                if not self._more[refusal]:
                    break
                await self._write(refusal, self._take(refusal))
        finally:
            if times := self._more.pop(refusal):
                await asyncio.shield(self._write(refusal, times))

    def _take(self, refusal: Refusal) -> int:
        times, self._more[refusal] = self._more[refusal], 0
        return times

    async def _write(self, refusal: Refusal, times: int) -> None:
        fields = {name: value for name, value in refusal._asdict().items() if value}
        try:
            await self.record("refused", **fields, times=times)
        except AdjudicatorError:
            if refusal in self._more:
                self._more[refusal] += times

    async def close(self) -> None:
        """Write what waits, and the end of the process; let go of the log."""
        for window in list(self._windows):
            window.cancel()
        await asyncio.gather(*self._windows, return_exceptions=True)
        with suppress(AdjudicatorError):  # it is in the log beside already
            await self.record("stop")
        log("audit log", chain=self._log.chain, head=self._log.head.hash)
        self._log.close()
