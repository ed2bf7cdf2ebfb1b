"""Faults of rule data are values, collected so that one run reports all of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong in a pack: where it stands, what it is, what to write instead."""

    file: str
    key: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f" — {self.remedy}" if self.remedy else ""
        return f"{self.file}: {self.key}: {self.message}{remedy}"


class Faults(list[Fault]):
    """A growing list of faults."""

    def add(self, file: str, key: str, message: str, remedy: str = "") -> None:
        """Notes one fault; ``file`` is relative to the pack folder, ``key`` a dotted path or ``line N``."""
        self.append(Fault(file, key, message, remedy))

    def raise_if_any(self, what: str) -> None:
        """Raises :class:`PackError` with every fault found so far."""
        if self:
            raise PackError(what, sorted(set(self)))


class PackError(Exception):
    """A rule pack or grouping scheme that cannot be used; ``faults`` holds every reason."""

    def __init__(self, what: str, faults: list[Fault]):
        self.what = what
        self.faults = faults
        super().__init__(f"{what} has {len(faults)} fault(s):\n" + "\n".join(f"  {fault}" for fault in faults))
