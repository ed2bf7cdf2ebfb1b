"""What the values of a pack rest on: every block of its files with its document and its grade of evidence."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adjudicator.rulefile.evidence import Evidence
from adjudicator.rulefile.faults import Faults
from adjudicator.rulefile.pack import Pack
from adjudicator.rulefile.reader import read_toml
from adjudicator.rules.pack_codes import ACCEPTED_FILE


@dataclass(frozen=True, slots=True)
class Cited:
    """One block of a rule file and its evidence."""

    file: str
    key: str
    from_date: str
    document: str
    clause: str
    link: str
    checked_on: str
    evidence: Evidence


def cited_blocks(pack: Pack) -> tuple[Cited, ...]:
    """Return every block of a pack and of the folders it includes, in the order of the files.

    A row of a CSV table counts where it has evidence of its own; the others count as one block, their file.
    """
    found: list[Cited] = []
    for folder, prefix in ((pack.folder, ""), *((folder, f"{folder.name}/") for folder in pack.includes)):
        for path in sorted(path for path in folder.rglob("*.toml") if path.name != ACCEPTED_FILE):
            label = prefix + path.relative_to(folder).as_posix()
            found += _walk(read_toml(path, label, Faults()) or {}, label, "")
        for path in sorted(folder.rglob("*.csv")):
            found += _rows(path, prefix + path.relative_to(folder).as_posix())
    return tuple(found)


def _walk(data: Any, file: str, key: str) -> Iterator[Cited]:
    if isinstance(data, list):
        for number, entry in enumerate(data):
            yield from _walk(entry, file, f"{key}[{number}]")
    elif isinstance(data, dict):
        if data.get("evidence") in list(Evidence):
            yield _cited(data, file, key)
        for name, entry in data.items():
            yield from _walk(entry, file, f"{key}.{name}" if key else str(name))


def _rows(path: Path, file: str) -> Iterator[Cited]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        if "evidence" in (reader.fieldnames or ()):
            for row in reader:
                if row["evidence"]:
                    yield _cited(row, file, f"line {reader.line_num}")


def _cited(block: dict[str, Any], file: str, key: str) -> Cited:
    start, document, clause, link, checked = (
        str(block.get(name) or "") for name in ("from", "document", "clause", "link", "checked_on")
    )
    return Cited(file, key, start, document, clause, link, checked, Evidence(block["evidence"]))


def shares(blocks: tuple[Cited, ...]) -> dict[Evidence, int]:
    """Return the number of blocks of each grade, strongest grade first."""
    return {grade: sum(block.evidence is grade for block in blocks) for grade in Evidence}
