"""The HTML page of a pack on a day: what it says, what each value rests on, and the shares by grade of evidence."""

from __future__ import annotations

from adjudicator.cli.reports.pages import page
from adjudicator.dates import iso
from adjudicator.rulefile.evidence import EVIDENCE_ZH, Evidence
from adjudicator.rulefile.pack import Pack
from adjudicator.rules.blocks import TABLES_ZH, blocks_on
from adjudicator.rules.cited import Cited, cited_blocks, shares
from adjudicator.rules.show import show_pack

MEANINGS: dict[Evidence, str] = {
    Evidence.OFFICIAL: "与发文机关网站上的文件原文核对 compared with the document itself",
    Evidence.REPRINT: "与他处转载的文件原文核对 compared with a copy on another site",
    Evidence.SECONDARY: "与他人撰写的报道、指南核对 compared with a report or a guide",
    Evidence.READING: "文件未规定或有歧义，自行选择 chosen where no document read decides",
    Evidence.DEMONSTRATION: "虚构，仅供演示 made up for demonstration",
}


def render(pack: Pack, day: int) -> str:
    """Return one HTML page without scripts."""
    blocks, name = cited_blocks(pack), f"{pack.name_zh} {pack.name}"
    return page(
        "pack.html", language="zh-CN", style="page.css", title=f"{name} {iso(day)}", name=name, day=iso(day),
        grades={str(grade): f"{grade} {text}" for grade, text in EVIDENCE_ZH.items()}, shares=_shares(blocks),
        plans=show_pack(pack, day), blocks=list(blocks_on(pack, day).values()), tables=TABLES_ZH,
        documents=_documents(blocks),
    )  # fmt: skip


def _shares(blocks: tuple[Cited, ...]) -> list[dict[str, str]]:
    return [
        {
            "grade": f"{grade} {EVIDENCE_ZH[grade]}",
            "count": str(count),
            "percent": f"{count * 100 // len(blocks)}%" if blocks else "",
            "meaning": MEANINGS[grade],
        }
        for grade, count in shares(blocks).items()
    ]


def _documents(blocks: tuple[Cited, ...]) -> list[dict[str, str]]:
    """Return each document and grade once with its number of blocks, strongest grade first."""
    uses: dict[tuple[Evidence, str, str], int] = {}
    for block in blocks:
        key = (block.evidence, block.document, block.link)
        uses[key] = uses.get(key, 0) + 1
    order = list(Evidence)
    return [
        {"grade": str(grade), "document": document, "link": link, "count": str(count)}
        for (grade, document, link), count in sorted(uses.items(), key=lambda use: (order.index(use[0][0]), use[0][1]))
    ]
