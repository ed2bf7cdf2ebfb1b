"""A file of the national interface: its bytes to the envelope, and everything that makes a file unreadable.

Numbers stay the digits that were written, so an amount never passes through a float. Each fault has a place of the
message and a text in both languages. A text shows a value only of fields that are no person's (``shown``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adjudicator.errors import AdjudicatorError, E, Problem
from adjudicator.limits import MAX_MESSAGE_BYTES

MOST_FAULTS = 20
"""So many faults of one file are told."""
MOST_SHOWN = 10
"""A longer value is not shown: it could be a person's number that stands in the wrong field."""

_MARKER = re.compile(rb'"(infno|inf_time|msgid|fixmedins_code|mdtrt_id|feedetail)"\s*:')
_LAST_KEY = re.compile(r'"([A-Za-z0-9_]{1,40})"\s*:')
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_]{1,40}\Z")
_UTF8_MARK, _UTF16_MARKS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class NationalProblem(Problem):
    """A fault of a message of the national interface, with texts of its own."""

    en: str = ""
    zh: str = ""

    @property
    def message(self) -> str:
        """English: what, then what to do."""
        return f"It {self.en}"

    @property
    def message_zh(self) -> str:
        """Chinese: what, then what to do."""
        return self.zh


def problem(number: E, field: str, en: str, zh: str) -> NationalProblem:
    """Return one fault; ``field`` is the path of the message, such as ``input.feedetail[0].pric``."""
    return NationalProblem(int(number), field, en=en, zh=zh)


def is_national(path: Path) -> bool:
    """Return whether a JSON file has the names of the national envelope, readable or not."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    with path.open("rb") as file:
        data = file.read(MAX_MESSAGE_BYTES)
    return bool(_MARKER.search(data.replace(b"\0", b"") if data.startswith(_UTF16_MARKS) else data))


def read_message(path: Path) -> dict[str, Any]:
    """Return the envelope of a file: texts, true, false, null, lists and objects; each number as its digits.

    Errors: E.MALFORMED_MESSAGE, E.MESSAGE_TOO_LARGE, with the place in both languages.
    """
    if path.stat().st_size > MAX_MESSAGE_BYTES:
        raise _unreadable(
            "file", f"is larger than {MAX_MESSAGE_BYTES} bytes. Send the claim in parts",
            f"文件超过 {MAX_MESSAGE_BYTES} 字节，请分段结算", E.MESSAGE_TOO_LARGE,
        )  # fmt: skip
    return parse_message(_text_of(path.read_bytes()))


def parse_message(text: str) -> dict[str, Any]:
    """Return the envelope of a text. Errors: E.MALFORMED_MESSAGE."""
    twice: list[str] = []

    def node(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found and name not in twice:
                twice.append(name)
            found[name] = value
        return found

    try:
        message = json.loads(text, object_pairs_hook=node, parse_int=str, parse_float=str, parse_constant=_no_number)
    except RecursionError:
        raise _unreadable(
            "file", "has too many levels of brackets. Send the nodes of the interface only",
            "括号层数过多，请只发送接口规定的节点",
        ) from None  # fmt: skip
    except json.JSONDecodeError as error:
        field = _field_before(text[: error.pos])
        raise _unreadable(
            field, f"is no JSON from line {error.lineno}, column {error.colno} on. Correct the brackets and quotes",
            f"自第 {error.lineno} 行第 {error.colno} 列起不是有效 JSON，请检查括号与引号",
        ) from None  # fmt: skip
    if twice:
        raise AdjudicatorError(*(_twice(name) for name in twice[:MOST_FAULTS]))
    if not isinstance(message, dict):
        raise _unreadable("file", "is not one object. Send one request", "不是一个 JSON 对象，请发送一个请求报文")
    return message


def _text_of(data: bytes) -> str:
    """Return the text of a file. Errors: E.MALFORMED_MESSAGE names the encoding that the bytes seem to have."""
    if data.startswith(_UTF16_MARKS):
        raise _unreadable("file", "is UTF-16. Save it as UTF-8", "文件为 UTF-16 编码，请保存为 UTF-8")
    if data.startswith(_UTF8_MARK):
        raise _unreadable(
            "file", "begins with a byte order mark (BOM). Save it as UTF-8 without BOM",
            "文件以字节顺序标记（BOM）开头，请保存为无 BOM 的 UTF-8",
        )  # fmt: skip
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        field = _field_before(data[: error.start].decode("utf-8", "replace"))
        likely_en, likely_zh = "", ""
        if _is_gb18030(data):
            likely_en, likely_zh = ", it seems to be GBK or GB18030", "，疑似 GBK 或 GB18030 编码"
        raise _unreadable(
            field, f"is not UTF-8 at byte {error.start}{likely_en}. Convert the file to UTF-8",
            f"第 {error.start} 字节处不是 UTF-8{likely_zh}，请将文件转换为 UTF-8",
        ) from None  # fmt: skip


def _is_gb18030(data: bytes) -> bool:
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


def _field_before(text: str) -> str:
    """Return the last key before a place, ``file`` where there is none."""
    keys = _LAST_KEY.findall(text)
    return keys[-1] if keys else "file"


def _no_number(word: str) -> Any:
    raise _unreadable(
        "file", f"holds {word}, which is no number of JSON. Write digits", f"含 {word}，不是数字，请填写数字"
    )


def _twice(name: str) -> NationalProblem:
    field = name if _PLAIN_KEY.match(name) else "file"
    return problem(
        E.MALFORMED_MESSAGE, field, "stands twice in one node. Send it once", "在同一节点中重复出现，请只填写一次"
    )


def _unreadable(field: str, en: str, zh: str, number: E = E.MALFORMED_MESSAGE) -> AdjudicatorError:
    return AdjudicatorError(problem(number, field, f"{en}.", f"{zh}。"))


def shown(value: Any) -> str:
    """Return a value in brackets for a message, nothing where it could hold more than a number or a code.

    >>> shown("19.9x"), shown("110101199001011234"), shown(True)
    (' (19.9x)', '', ' (true)')
    """
    if isinstance(value, bool):
        return " (true)" if value else " (false)"
    fits = isinstance(value, str) and value.isascii() and value.isprintable() and 0 < len(value) <= MOST_SHOWN
    return f" ({value})" if fits else ""


def sentence(parts: Iterable[str]) -> str:
    """Return faults as one ``err_msg``, at most ``MOST_FAULTS`` of them."""
    listed = list(parts)
    more = len(listed) - MOST_FAULTS
    return "; ".join([*listed[:MOST_FAULTS], *([f"另有 {more} 处。 {more} more."] if more > 0 else [])])
