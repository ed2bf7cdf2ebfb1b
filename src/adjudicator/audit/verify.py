"""The audit log as it is read: whether each line is there, whole, unchanged, and in its place."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from adjudicator.audit.line import NO_HASH, Line, read_line
from adjudicator.audit.log import Head, files_of, read_head
from adjudicator.errors import AdjudicatorError

FILE_NAME = re.compile(r"(\d\d)-(\d{12})\.jsonl")


class Finding(NamedTuple):
    """What is wrong, and where: file, line of the file (0: the file as a whole)."""

    file: str
    line: int
    kind: str
    """missing, changed, torn or moved."""
    en: str
    zh: str


@dataclass
class Chain:
    """What was found of one chain."""

    name: str
    lines: int = 0
    head: Head = field(default_factory=Head)
    findings: list[Finding] = field(default_factory=list)
    hashes: set[str] = field(default_factory=set)

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def add(self, file: str, line: int, kind: str, en: str, zh: str) -> None:
        """Note what is wrong."""
        self.findings.append(Finding(file, line, kind, en, zh))


class Place(NamedTuple):
    """One line as it stands in a file; ``line`` is None where it is not as it was written."""

    file: str
    at: int
    line: Line | None
    raw: bytes
    is_whole: bool
    """It ends with an end of line."""


def verify(path: Path, begins: Collection[str] = ()) -> list[Chain]:
    """Return what is found of every chain of a folder, or of one file.

    ``begins``: hashes of the last lines of files that were archived away, after which a chain may begin. A single file
    may begin anywhere, and is held to the head of its chain where it is the last file of it.
    """
    if path.is_file():
        name = FILE_NAME.fullmatch(path.name)
        chain = name[1] if name else path.stem
        is_last = bool(name) and files_of(path.parent, chain)[-1:] == [path]
        return [_verify(path.parent, chain, [path], None, is_last)]
    names = {found.name[:2] for found in (*path.glob("[0-9][0-9].head"), *path.glob("[0-9][0-9]-*.jsonl"))}
    return [_verify(path, name, files_of(path, name), {NO_HASH, *begins}, True) for name in sorted(names)]


def _verify(folder: Path, name: str, files: list[Path], begins: Collection[str] | None, has_head: bool) -> Chain:
    chain = Chain(name)
    places = [place for path in files for place in _places(path)]
    numbers = {place.line.number for place in places if place.line}
    expected, previous, former = 1, "", None
    for number, place in enumerate(places):
        line = place.line
        if line is None:
            following = places[number + 1].line if number + 1 < len(places) else None
            if _was_recovered(place, following):
                continue
            _broken(chain, place, expected, following)
            expected += 1
            former = None
            continue
        chain.lines += 1
        chain.hashes.add(line.hash)
        if former is None and expected == 1:
            if begins is not None and line.previous not in begins:
                _missing(chain, place, 1, line.number - 1)
        elif line.number != expected:
            _out_of_place(chain, place, expected, numbers)
        elif former is not None and line.previous != previous:
            shown = f"line {former.line.number if former.line else expected - 1}"
            chain.add(
                former.file, former.at, "changed", f"{shown} is not the one after which line {line.number} was written",
                f"第 {line.number - 1} 行不是写入第 {line.number} 行时的前一行",
            )  # fmt: skip
        expected, previous, former = line.number + 1, line.hash, place
        chain.head = Head(line.number, line.hash)
    if has_head:
        _check_head(chain, folder, files[-1].name if files else "")
    return chain


def _places(path: Path) -> Iterator[Place]:
    with path.open("rb") as file:
        for at, raw in enumerate(file, 1):
            whole = raw.endswith(b"\n")
            text = raw.removesuffix(b"\n")
            yield Place(path.name, at, read_line(text) if whole else None, text, whole)


def _was_recovered(place: Place, following: Line | None) -> bool:
    """Whether the writer itself noted that a crash had cut the line off."""
    if following is None or following.content.get("act") != "recovered":
        return False
    return following.content.get("torn") == hashlib.sha256(place.raw).hexdigest()


def _broken(chain: Chain, place: Place, number: int, following: Line | None) -> None:
    if place.is_whole:
        chain.add(place.file, place.at, "changed", f"line {number} was changed", f"第 {number} 行被更改")
    elif following is None:
        chain.add(place.file, place.at, "torn", f"line {number} is cut off", f"第 {number} 行不完整")
    else:
        chain.add(
            place.file,
            place.at,
            "torn",
            f"line {number} is cut off, others follow",
            f"第 {number} 行不完整，其后另有记录",
        )


def _missing(chain: Chain, place: Place, first: int, last: int) -> None:
    if first > last:
        chain.add(place.file, place.at, "changed", "the first line has another beginning", "首行的起点不符")
        return
    lines = f"line {first} is" if first == last else f"lines {first} to {last} are"
    lines_zh = f"第 {first} 行" if first == last else f"第 {first} 至 {last} 行"
    chain.add(place.file, place.at, "missing", f"{lines} missing", f"{lines_zh}缺失")


def _out_of_place(chain: Chain, place: Place, expected: int, numbers: Collection[int]) -> None:
    assert place.line is not None
    number = place.line.number
    gone = [one for one in range(expected, number) if one not in numbers]
    if number > expected and gone:
        _missing(chain, place, gone[0], gone[-1])
    else:
        chain.add(
            place.file, place.at, "moved", f"line {number} stands where line {expected} was written",
            f"第 {number} 行位于第 {expected} 行的位置",
        )  # fmt: skip


def _check_head(chain: Chain, folder: Path, file: str) -> None:
    """Hold the end of the chain to its head; the head may be one line behind after a crash."""
    path = folder / f"{chain.name}.head"
    try:
        head = read_head(path.read_bytes())
    except (AdjudicatorError, OSError):
        chain.add(path.name, 0, "missing", "the head of the chain is missing or not readable", "链头缺失或无法读取")
        return
    if head.number > chain.head.number:
        place = Place(file or path.name, 0, None, b"", True)
        _missing(chain, place, chain.head.number + 1, head.number)
    elif head.number == chain.head.number and head.hash != chain.head.hash:
        chain.add(
            file,
            0,
            "changed",
            f"line {head.number} is not the last one written",
            f"第 {head.number} 行不是最后写入的一行",
        )
    elif head.number < chain.head.number - 1:
        chain.add(path.name, 0, "changed", f"the head says line {head.number}", f"链头记为第 {head.number} 行")
