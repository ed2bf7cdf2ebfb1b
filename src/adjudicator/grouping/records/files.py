"""Groups files of discharge records: tab- or comma-separated text in blocks, Parquet in row groups.

Columns by name in the first line: ``id sex age_years age_days birth_weight_g department los_days discharge_way
icu_hours diagnoses procedures``; code lists are joined by ``|``, the first code is the principal one; other columns are
left aside. The answer has ``id status mdc adrg drg``, one line for each record, in the same order. A line that cannot
be read answers ``malformed`` and is named with its number; the others are not disturbed by it.
"""

from __future__ import annotations

import gzip
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from adjudicator import limits
from adjudicator.codes import GroupStatus
from adjudicator.columns import GROUP
from adjudicator.grouping.coding_kernel import CodeTexts
from adjudicator.grouping.group import (
    NO_GROUP,
    STATUS_TEXTS,
    department_table,
    diagnosis_table,
    group,
    invalid_reason,
    procedure_table,
)
from adjudicator.grouping.layout import GroupColumns
from adjudicator.grouping.records import text_kernel as kernel
from adjudicator.grouping.scheme.load import Scheme

BLOCK_BYTES = 8 * 1024 * 1024
KEPT_MESSAGES = 1_000
ALIASES = {"los_days": "stay_days"}
REQUIRED = ("id", "sex", "age_years", "age_days", "birth_weight_g", "diagnoses", "procedures")
KINDS = {
    "id": kernel.ID,
    "department": kernel.DEPARTMENT,
    "diagnoses": kernel.DIAGNOSES,
    "procedures": kernel.PROCEDURES,
    **{name: kernel.FIRST_NUMBER + row for row, name in enumerate(kernel.NUMBERS)},
}
ANSWER = ("id", "status", "mdc", "adrg", "drg")
FAULTS = {
    kernel.TOO_FEW_COLUMNS: "too few columns",
    kernel.TOO_MANY_COLUMNS: "too many columns",
    kernel.NOT_A_NUMBER: "not a whole number",
    kernel.OUT_OF_RANGE: "out of range",
    kernel.TOO_MANY_CODES: f"more than {limits.MAX_DIAGNOSES_PER_CLAIM} codes",
    kernel.CODE_TOO_LONG: f"a code of more than {limits.MAX_CODE_BYTES} bytes",
    kernel.NOT_UTF8: "not UTF-8",
    kernel.ID_TOO_LONG: f"more than {limits.MAX_ID_BYTES} bytes",
    kernel.QUOTES: "quotes that do not close the field",
}


class RecordFileError(Exception):
    """A file that cannot be read at all: its header or its columns."""


@dataclass
class Outcome:
    """What became of a file: records by status, and the lines that were malformed or invalid."""

    records: int = 0
    malformed: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    messages: list[tuple[int, str]] = field(default_factory=list)
    """Line and reason; of a whole file only the first ``KEPT_MESSAGES``."""
    message_count: int = 0
    unit: str = "line"

    def add(self, other: Outcome) -> None:
        """Add the counts and messages of a further block."""
        self.records += other.records
        self.malformed += other.malformed
        for status, count in other.statuses.items():
            self.statuses[status] = self.statuses.get(status, 0) + count
        self.messages += other.messages[: max(0, KEPT_MESSAGES - len(self.messages))]
        self.message_count += len(other.messages)


@dataclass(frozen=True)
class Block:
    """Records of one block: columns, and for the answer each record's id as bytes of ``text``."""

    columns: GroupColumns
    ids: np.ndarray
    faults: np.ndarray
    lines: np.ndarray
    text: np.ndarray
    codes: Callable[[], CodeTexts]


Extra = Callable[[GroupColumns, np.ndarray, Callable[[], CodeTexts]], list[list[str]]]
"""Further answer columns of a block: one list of texts for each, given columns, groups and the texts of the codes."""


@dataclass(frozen=True)
class Task:
    """How to group a file."""

    scheme: Scheme
    translate: bool = False
    threads: int = 1
    extra_names: tuple[str, ...] = ()
    extra: Extra | None = None
    tell: Callable[[int, str], None] | None = None
    """Is told every line that is malformed or invalid, in order, with the reason."""

    def add(self, outcome: Outcome, block: Outcome) -> None:
        """Add a block to the whole and tell its messages."""
        outcome.add(block)
        if self.tell is not None:
            for line, reason in block.messages:
                self.tell(line, reason)


def read_header(line: bytes, separator: bytes) -> np.ndarray:
    """Return what each column holds, int64. Raises :class:`RecordFileError` for missing or repeated columns."""
    try:
        names = line.decode("utf-8-sig").rstrip("\r\n").split(separator.decode())
    except UnicodeDecodeError as error:
        raise RecordFileError("line 1: the header is not UTF-8") from error
    names = [ALIASES.get(name.strip('"'), name.strip('"')) for name in names]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        what = "tabs" if separator == b"\t" else "commas"
        raise RecordFileError(f"line 1: column {', '.join(missing)} missing; write the names, separated by {what}")
    twice = sorted({name for name in names if name in KINDS and names.count(name) > 1})
    if twice:
        raise RecordFileError(f"line 1: column {', '.join(twice)} stands twice")
    return np.array([KINDS.get(name, kernel.IGNORED) for name in names], np.int64)


def group_text(
    task: Task, source: BinaryIO, target: BinaryIO, separator: bytes, advance: Callable[[int], None] = lambda size: None
) -> Outcome:
    """Group a text file from ``source`` into ``target``; ``advance`` is told the bytes that were done."""
    header = source.readline(1 << 16)
    kinds = read_header(header, separator)
    advance(len(header))
    names = header.decode("utf-8-sig").rstrip("\r\n").split(separator.decode())
    target.write(separator.join(name.encode() for name in (*ANSWER, *task.extra_names)) + b"\n")
    texts = _answer_texts(task.scheme, separator, last=not task.extra_names)
    outcome = Outcome()

    def work(block: bytes, line: int) -> tuple[bytes, Outcome, int]:
        parsed = parse_block(task.scheme, block, kinds, separator, keep_codes=task.extra is not None)
        written, result = _answer(task, parsed, texts, separator, names, line)
        return written, result, len(block)

    for written, result, size in _in_order(work, _blocks(source), task.threads):
        target.write(written)
        task.add(outcome, result)
        advance(size)
    return outcome


def _blocks(source: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Blocks of whole lines, each with the number of its first line."""
    line, rest = 2, b""
    while piece := source.read(BLOCK_BYTES):
        cut = piece.rfind(b"\n") + 1
        if cut == 0:
            rest += piece
            if len(rest) > 16 * BLOCK_BYTES:
                raise RecordFileError(f"line {line}: a line of more than {16 * BLOCK_BYTES} bytes")
            continue
        block = rest + piece[:cut]
        rest = piece[cut:]
        yield block, line
        line += block.count(b"\n")
    if rest:
        yield rest + b"\n", line


def _in_order(work: Callable[..., Any], blocks: Iterable[tuple[Any, ...]], threads: int) -> Iterator[Any]:
    """Results of ``work`` in order, at most ``threads`` blocks in work and as many waiting."""
    if threads <= 1:
        yield from (work(*block) for block in blocks)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Any] = deque()
        for block in blocks:
            waiting.append(pool.submit(work, *block))
            if len(waiting) > threads + 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def parse_block(scheme: Scheme, block: bytes, kinds: np.ndarray, separator: bytes, keep_codes: bool) -> Block:
    """Read whole lines into columns; ``keep_codes``: with the texts of the codes."""
    buffer = np.frombuffer(block, np.uint8)
    lines = block.count(b"\n")
    codes = block.count(b"|") + 2 * lines
    parsed = kernel.ParsedRecords(
        np.empty((len(kernel.NUMBERS), lines), "i4"), np.empty(lines, "i4"), np.empty(lines + 1, "i8"),
        np.empty(codes, "i4"), np.empty(lines + 1, "i8"), np.empty(codes, "i4"),
        np.zeros((2, codes if keep_codes else 0, 2), "i8"), np.empty((lines, 2), "i8"), np.empty((lines, 2), "i4"),
        np.empty(lines, "i8"),
    )  # fmt: skip
    tables = kernel.RecordTables(
        diagnosis_table(scheme).arrays, procedure_table(scheme).arrays, department_table(scheme).arrays
    )
    count = kernel.parse_records(buffer, separator[0], kinds, tables, parsed)
    number = dict(zip(kernel.NUMBERS, parsed.numbers[:, :count], strict=True))
    offsets = parsed.diagnosis_offsets[: count + 1], parsed.procedure_offsets[: count + 1]
    columns = GroupColumns(
        **number, department=parsed.departments[:count], diagnosis_offsets=offsets[0], diagnoses=parsed.diagnoses,
        procedure_offsets=offsets[1], procedures=parsed.procedures,
    )  # fmt: skip
    diagnoses, procedures = (parsed.places[row, : offsets[row][count]].T for row in range(2))
    return Block(
        columns, parsed.ids[:count], parsed.faults[:count], parsed.lines[:count], buffer,
        lambda: CodeTexts(buffer, *map(np.ascontiguousarray, (*diagnoses, *procedures))),
    )  # fmt: skip


def _answer_texts(scheme: Scheme, separator: bytes, last: bool) -> kernel.AnswerTexts:
    """Return the text of every possible answer; ``last``: nothing comes after it in the line."""
    conditions = scheme.arrays.conditions
    rows = {int(row["drg"]): row for row in conditions if row["drg"] >= 0}
    answers = [
        (STATUS_TEXTS[GroupStatus(row["status"])], scheme.texts.mdc_codes[row["mdc"]],
         scheme.texts.adrg_codes[row["adrg"]], scheme.texts.drg_codes[drg])
        for drg, row in sorted(rows.items())
    ]  # fmt: skip
    status_row = len(answers)
    answers += [(STATUS_TEXTS[status], *NO_GROUP) for status in sorted(GroupStatus)]
    answers.append(("malformed", *NO_GROUP))
    texts = [separator.join(part.encode() for part in answer) + (b"\n" if last else b"") for answer in answers]
    offsets = np.zeros(len(texts) + 1, "i8")
    np.cumsum([len(text) for text in texts], out=offsets[1:])
    return kernel.AnswerTexts(np.frombuffer(b"".join(texts), np.uint8), offsets, status_row, separator[0])


def _answer(
    task: Task, block: Block, texts: kernel.AnswerTexts, separator: bytes, names: list[str], line: int
) -> tuple[bytes, Outcome]:
    groups = np.zeros(block.columns.count, GROUP)
    group(task.scheme, block.columns, groups, task.translate)
    result = outcome_of(block, groups, names, line)
    longest = int(np.diff(texts.offsets).max())
    room = int((block.ids[:, 1] - block.ids[:, 0]).sum()) + len(groups) * (longest + 1)
    out = np.empty(room, np.uint8)
    if task.extra is None:
        size = kernel.write_results(block.text, block.ids, groups, block.faults, texts, out)
        return out[:size].tobytes(), result
    extras = task.extra(block.columns, groups, block.codes)
    lines = []
    for row in range(len(groups)):
        one = slice(row, row + 1)
        size = kernel.write_results(block.text, block.ids[one], groups[one], block.faults[one], texts, out)
        lines.append(separator.join([out[:size].tobytes(), *(_cell(column[row], separator) for column in extras)]))
    return b"".join(text + b"\n" for text in lines), result


def _cell(text: str, separator: bytes) -> bytes:
    text = text.replace("\t", " ").replace("\n", " ")
    if separator == b"," and ("," in text or '"' in text):
        text = '"' + text.replace('"', '""') + '"'
    return text.encode()


def outcome_of(block: Block, groups: np.ndarray, names: list[str], line: int) -> Outcome:
    """Count of a block, and why lines are malformed or invalid; ``line`` is the number of the block's first line."""
    malformed = block.faults[:, 0] != kernel.GOOD
    result = Outcome(len(groups), int(malformed.sum()))
    counts = np.bincount(groups["status"][~malformed], minlength=len(GroupStatus))
    result.statuses = {STATUS_TEXTS[status]: int(counts[status]) for status in GroupStatus if counts[status]}
    if result.malformed:
        result.statuses["malformed"] = result.malformed
    for row in np.flatnonzero(malformed | (groups["status"] == GroupStatus.INVALID)):
        if malformed[row]:
            fault, column = block.faults[row]
            where = "" if fault in (kernel.NOT_UTF8, kernel.TOO_FEW_COLUMNS, kernel.TOO_MANY_COLUMNS) else names[column]
            message = f"{where}: {FAULTS[int(fault)]}" if where else FAULTS[int(fault)]
        else:
            message = invalid_reason(block.columns, int(row))
        result.messages.append((line + int(block.lines[row]), message))
    return result


def open_text(path: Path) -> BinaryIO:
    """Open a text file, through gzip where its name ends in ``.gz``."""
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]
