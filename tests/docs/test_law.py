"""Every source that code and tests cite is listed in docs/law.md."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CITED = re.compile(r"(?:docs/law\.md)?#(S-\d\d)\b")


def test_each_cited_source_is_listed() -> None:
    listed = set(re.findall(r'<a id="(S-\d\d)"></a>', (ROOT / "docs" / "law.md").read_text(encoding="utf-8")))
    files = [
        path for part in ("src", "tests", "docs") for path in (ROOT / part).rglob("*") if path.suffix in {".py", ".md"}
    ]
    cited = {(path.name, found) for path in files for found in CITED.findall(path.read_text(encoding="utf-8"))}
    assert len(cited) > 20
    assert {entry for entry in cited if entry[1] not in listed} == set()


def test_payment_and_pooling_cite_no_file_outside_the_repository() -> None:
    absent = re.compile(r"payment-rules|benefit-rules|open-readings|national-interface\.md|(?<![#-])\bS-\d\d\b")
    folders = ("src/adjudicator/payment", "src/adjudicator/pooling", "tests/payment", "tests/pooling")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert {path.name for path in files if absent.search(path.read_text(encoding="utf-8"))} == set()
