"""How well a value of law is supported: its document, a link, the day of comparison and a grade.

Only ``official`` counts as verified. A person compared such a value with the document itself, so the block names the
document's number (a year in brackets and a number, 〔2021〕56号) and a whole link to the issuer's own site.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from adjudicator.limits import FIRST_DATE, LAST_DATE
from adjudicator.rulefile.faults import Faults


class Evidence(StrEnum):
    """Grades of evidence, strongest first."""

    OFFICIAL = "official"
    """Compared with the document itself on the issuer's own site."""
    REPRINT = "reprint"
    """Compared with a copy of the document's text on another site."""
    SECONDARY = "secondary"
    """Compared with a report, a guide or a summary that others wrote."""
    READING = "reading"
    """Chosen by us where no document that we read decides."""
    DEMONSTRATION = "demonstration"
    """Made up, to show how the engine works."""

    @property
    def verified(self) -> bool:
        """True for ``official`` only."""
        return self is Evidence.OFFICIAL


EVIDENCE_ZH: dict[Evidence, str] = {
    Evidence.OFFICIAL: "原文核对",
    Evidence.REPRINT: "转载核对",
    Evidence.SECONDARY: "二手资料",
    Evidence.READING: "自定口径",
    Evidence.DEMONSTRATION: "演示数据",
}
"""Chinese names of the grades."""

EVIDENCE_KEYS: tuple[str, ...] = ("document", "clause", "link", "checked_on", "evidence")
"""What a block says about the evidence of its values."""
COMPARED = (Evidence.OFFICIAL, Evidence.REPRINT, Evidence.SECONDARY)
"""Grades of values that somebody compared with something, on ``checked_on``."""

DOCUMENT_NUMBER = re.compile(r"〔(19|20)\d\d〕\s*\d+\s*号")
"""A document number such as 浙医保发〔2021〕56号."""
_HOST = re.compile(r"([a-z0-9-]+\.)+[a-z]{2,}(:\d+)?", re.IGNORECASE)
_LOCAL_FILE = re.compile(r"[\w-]+\.(md|txt|toml|yaml|py)\b", re.ASCII)


class Support(NamedTuple):
    """The evidence of one block, read and checked."""

    document: str
    clause: str
    link: str
    checked_on: int
    """YYYYMMDD, 0 where nothing was compared."""
    evidence: Evidence


def read_support(block: Mapping[str, Any], file: str, key: str, faults: Faults) -> Support | None:
    """Return the evidence of a block; note every fault and return None when there is one."""
    before = len(faults)
    document = block.get("document")
    if not isinstance(document, str) or not document.strip():
        faults.add(file, f"{key}.document", "is missing", "name the document or page the value was read in")
    for name, example in (("clause", "第三条"), ("link", "https://www.gov.cn/zhengce/content/1.htm")):
        if not isinstance(block.get(name, ""), str):
            faults.add(file, f"{key}.{name}", "is not a text", f'write {name} = "{example}" or leave it out')
    grade = read_grade(block.get("evidence"), file, f"{key}.evidence", faults)
    # Without a known grade a missing day is not yet a fault; a day that is written is always read.
    wanted = "checked_on" in block or "evidence" not in block or grade in COMPARED
    checked_on = read_date(block.get("checked_on"), file, f"{key}.checked_on", faults) if wanted else 0
    if len(faults) > before or grade is None:
        return None
    support = Support(str(document), str(block.get("clause", "")), str(block.get("link", "")), checked_on, grade)
    check_support(support, file, key, faults)
    return support if len(faults) == before else None


def read_grade(value: Any, file: str, key: str, faults: Faults) -> Evidence | None:
    """Return the grade that a word names; None and a fault for any other value."""
    try:
        return Evidence(value)
    except ValueError:
        message = "is missing" if value is None else f"{value!r} is not a grade of evidence"
        faults.add(file, key, message, "write " + ", ".join(Evidence) + "; only official counts as verified")
        return None


def check_support(support: Support, file: str, key: str, faults: Faults) -> None:
    """Note what makes a document impossible to find, and what ``official`` lacks."""
    if "…" in support.document or support.document.rstrip().endswith("..."):
        faults.add(file, f"{key}.document", "is cut off", "write the whole title, and the address as link")
    named = _LOCAL_FILE.search(support.document)
    if named:
        faults.add(
            file, f"{key}.document", f"names the file {named[0]}, which a reader does not have",
            "name the public document that the file quotes",
        )  # fmt: skip
    if support.link and not is_whole_link(support.link):
        faults.add(file, f"{key}.link", f"{support.link!r} is not a whole link", "write https://host/path")
    if support.evidence is Evidence.OFFICIAL:
        if not DOCUMENT_NUMBER.search(support.document):
            faults.add(
                file, f"{key}.document", "has no document number, which official needs",
                "write the number, such as 浙医保发〔2021〕56号, or a weaker grade of evidence",
            )  # fmt: skip
        if not support.link:
            faults.add(
                file, f"{key}.link", "is missing, which official needs",
                "write the whole link to the document on the issuer's site, or a weaker grade of evidence",
            )  # fmt: skip


def is_whole_link(link: str) -> bool:
    """Tell whether a link has a scheme, a host and a path, and nothing is cut off.

    >>> is_whole_link("https://ybj.zj.gov.cn/art/2020/5/11/art_1_2.html"), is_whole_link("ybj.zj.gov.cn/art_1")
    (True, False)
    """
    if "…" in link or ".." in link or any(letter.isspace() for letter in link):
        return False
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(_HOST.fullmatch(parts.netloc)) and len(parts.path) > 1


def read_date(value: Any, file: str, key: str, faults: Faults) -> int:
    """Return a TOML date (or ISO text) as YYYYMMDD; 0 and a fault when it is missing or wrong."""
    if isinstance(value, str):
        try:
            value = datetime.date.fromisoformat(value)
        except ValueError:
            value = None
    if isinstance(value, datetime.datetime):
        value = value.date()
    if not isinstance(value, datetime.date):
        faults.add(file, key, "is missing or not a date", "write a date without quotes, such as 2021-01-01")
        return 0
    number = value.year * 10_000 + value.month * 100 + value.day
    if not FIRST_DATE <= number <= LAST_DATE:
        first, last = (f"{day // 10_000}-{day // 100 % 100:02d}-{day % 100:02d}" for day in (FIRST_DATE, LAST_DATE))
        faults.add(file, key, f"lies outside {first} to {last}", "check the year")
        return 0
    return number
