"""Nodes of a national message, read strictly: every fault is collected with its path, and no value is guessed.

A value of a person's node is never shown in a fault (``personal``), any other only as far as ``shown`` allows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adjudicator.dates import is_date
from adjudicator.errors import E
from adjudicator.interop.national_file import NationalProblem, problem, shown
from adjudicator.limits import MAX_CODE_BYTES
from adjudicator.money import MoneyError, decimal_to_scaled

_DATE = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?\Z", re.ASCII)
_MOST_DIGITS = 9
"""A count or code of more digits fits no field of the interface."""
_MOST_NUMBER = 2**63 - 1
_FLAGS = {"": False, "0": False, "1": True}


@dataclass(slots=True)
class Node:
    """One object of the message and the faults of the whole message."""

    values: Mapping[str, Any]
    path: str
    problems: list[NationalProblem]
    personal: bool = False
    """True where the node says something about a person: no value of it is ever shown."""
    is_given: bool = field(default=True)

    def fault(self, name: str, en: str, zh: str, number: E = E.INVALID_CODE_VALUE) -> None:
        """Note one fault of a value of the node."""
        value = "" if self.personal else shown(self.values.get(name))
        (what_en, *do_en), (what_zh, *do_zh) = en.split(". "), zh.split("，")
        texts = ". ".join([what_en + value, *do_en]), "，".join([what_zh + value, *do_zh])
        self._note(self._path(name), f"{texts[0]}.", f"{texts[1]}。", number)

    def _note(self, path: str, en: str, zh: str, number: E = E.INVALID_CODE_VALUE) -> None:
        """Note a fault once, however often the value is read."""
        found = problem(number, path, en, zh)
        if found not in self.problems:
            self.problems.append(found)

    def text(self, name: str) -> str:
        """Return a code or id, trimmed; empty where it is absent."""
        value = self.values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.fault(name, "is not a text. Write one text or number", "不是文本，请填写一个文本或数字")
            return ""
        found = value.strip()
        if found and not (found.isascii() and found.isprintable()):
            self.fault(
                name, "has characters that no code has, as a wrong encoding (GBK) makes them. Send it as UTF-8",
                "含编码中不应有的字符（可能是 GBK 等编码有误），请以 UTF-8 填写编码",
            )  # fmt: skip
            return ""
        if len(found) > MAX_CODE_BYTES:
            limit = MAX_CODE_BYTES
            self.fault(
                name,
                f"is longer than {limit} characters. Send the code",
                f"超过 {limit} 个字符，请填写编码",
                E.ID_TOO_LONG,
            )
            return ""
        return found

    def flag(self, name: str) -> bool:
        """Return a flag that is written as 0 or 1; absent is 0."""
        text = self.text(name)
        if text not in _FLAGS:
            self.fault(name, "is neither 0 nor 1", "既不是 0 也不是 1")
        return _FLAGS.get(text, False)

    def number(self, name: str) -> int:
        """Return a whole number of at most nine digits; absent is 0."""
        text = self.text(name)
        if text and not (text.isdigit() and len(text) <= _MOST_DIGITS):
            self.fault(name, "is not a whole number. Write digits", "不是整数，请填写数字")
            return 0
        return int(text or 0)

    def scaled(self, name: str, decimals: int, default: int = 0) -> int:
        """Return a decimal number as an integer of its last decimal."""
        text = self.text(name)
        if not text:
            return default
        try:
            found = decimal_to_scaled(text, decimals)
        except MoneyError:
            self.fault(
                name, f"is not a plain number of at most {decimals} decimals", f"不是至多 {decimals} 位小数的普通数字",
                E.NOT_AN_AMOUNT,
            )  # fmt: skip
            return default
        if abs(found) > _MOST_NUMBER:
            self.fault(name, "is too large a number", "数值过大", E.NOT_AN_AMOUNT)
            return default
        return found

    def money(self, name: str) -> int:
        """Return an amount in yuan as fen."""
        return self.scaled(name, 2)

    def date(self, name: str) -> int:
        """Return the day of ``yyyy-MM-dd`` or ``yyyy-MM-dd HH:mm:ss`` as YYYYMMDD; absent is 0."""
        text = self.text(name)
        if not text:
            return 0
        match = _DATE.match(text)
        found = int("".join(match.groups())) if match else 0
        if not is_date(found):
            self.fault(
                name, "is not a day of the calendar. Write yyyy-MM-dd or yyyy-MM-dd HH:mm:ss",
                "不是有效日期，请按 yyyy-MM-dd 或 yyyy-MM-dd HH:mm:ss 填写", E.INVALID_DATE,
            )  # fmt: skip
            return 0
        return found

    def missing(self, en: str, zh: str) -> None:
        """Note that the node itself is not there."""
        self._note(self.path, f"is missing. {en}.", f"缺失，{zh}。")

    def child(self, name: str, personal: bool = False) -> Node:
        """Return a node that stands once; a list of one is the same. Without it an empty node."""
        value, path = self.values.get(name), self._path(name)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, dict):
            return Node(value, path, self.problems, personal)
        if value is not None and value != []:
            en, zh = ("is a list", "是列表") if isinstance(value, list) else ("is not an object", "不是对象")
            self.fault(name, f"{en} where one object is meant", f"{zh}，此处应为一个对象")
        return Node({}, path, self.problems, personal, is_given=False)

    def children(self, name: str, personal: bool = False) -> list[Node]:
        """Return the objects of a list; a fault for each entry that is none."""
        value = self.values.get(name)
        if value is None:
            return []
        if isinstance(value, dict):
            self.fault(
                name, "is one object where a list is meant. Write [ ] around it", "是一个对象，此处应为列表，请加 [ ]"
            )
            return []
        if not isinstance(value, list):
            self.fault(name, "is not a list of objects", "不是对象列表")
            return []
        found = []
        for position, entry in enumerate(value):
            if isinstance(entry, dict):
                found.append(Node(entry, f"{self._path(name)}[{position}]", self.problems, personal))
                continue
            en, zh = ("null", "空值") if entry is None else ("not an object", "非对象")
            where = f"{self._path(name)}[{position}]"
            self._note(where, f"is {en}. Leave it out or send the whole entry.", f"为{zh}，请删除或填写完整。")
        return found

    def _path(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name
