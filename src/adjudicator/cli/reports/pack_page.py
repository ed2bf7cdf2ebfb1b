"""The HTML page of a pack on a day: what it says, what each value rests on, and the shares by grade of evidence."""

from __future__ import annotations

from html import escape

from adjudicator.cli.reports.pool_page import STYLE
from adjudicator.dates import iso
from adjudicator.rulefile.evidence import EVIDENCE_ZH, Evidence
from adjudicator.rulefile.pack import Pack
from adjudicator.rules.blocks import TABLES_ZH, ShownBlock, blocks_on
from adjudicator.rules.cited import Cited, cited_blocks, shares
from adjudicator.rules.show import ShownPlan, ShownValue, show_pack

MEANINGS: dict[Evidence, str] = {
    Evidence.OFFICIAL: "与发文机关网站上的文件原文核对 compared with the document itself",
    Evidence.REPRINT: "与他处转载的文件原文核对 compared with a copy on another site",
    Evidence.SECONDARY: "与他人撰写的报道、指南核对 compared with a report or a guide",
    Evidence.READING: "文件未规定或有歧义，自行选择 chosen where no document read decides",
    Evidence.DEMONSTRATION: "虚构，仅供演示 made up for demonstration",
}


def render(pack: Pack, day: int) -> str:
    """Return one HTML page without scripts."""
    blocks = cited_blocks(pack)
    title = f"{escape(pack.name_zh)} {escape(pack.name)}"
    parts = [
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{title} {iso(day)}</title><style>{STYLE}</style></head><body>",
        f"<h1>{title}</h1><p>{iso(day)} 的规则 rules on this day</p>",
        "<h2>依据等级 Evidence</h2>", _share_table(blocks),
        *(_plan(plan) for plan in show_pack(pack, day)),
        _blocks(tuple(blocks_on(pack, day).values())),
        "<h2>文件 Documents</h2>", _document_table(blocks),
        "</body></html>",
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def _share_table(blocks: tuple[Cited, ...]) -> str:
    rows = []
    for grade, count in shares(blocks).items():
        percent = f"{count * 100 // len(blocks)}%" if blocks else ""
        rows.append(
            f"<tr><td>{grade} {EVIDENCE_ZH[grade]}</td><td>{count}</td><td>{percent}</td>"
            f'<td class="text">{escape(MEANINGS[grade])}</td></tr>'
        )
    head = (
        '<tr><th>等级 grade</th><th>段 blocks</th><th>占比 share</th><th class="text">含义 meaning</th></tr>'
    )  # fmt: skip
    note = '<p class="note">只有 official 算作已核对；用到其他等级的结算标明 unverified_rules。</p>'
    return f'<div class="scroll"><table>{head}{"".join(rows)}</table></div>{note}'


def _plan(plan: ShownPlan) -> str:
    heading = f"<h2>{escape(plan.zh)} {escape(plan.en)}</h2><p>{escape(plan.scheme_zh)}：{escape(plan.care_zh)}</p>"
    if plan.undefined:
        return f'{heading}<p class="note">未规定 undefined: {escape(plan.undefined)}</p>'
    rows = "".join(_value(value) for value in plan.values)
    head = '<tr><th>项目 value</th><th class="text">内容</th><th class="text">依据 document</th></tr>'
    return f'{heading}<div class="scroll"><table>{head}{rows}</table></div>'


def _value(value: ShownValue) -> str:
    texts = "<br>".join(escape(f"{whom}: {text}" if whom else text) for whom, text in value.values)
    source = f"{_linked(value.document, value.link)}{'，' if value.clause else ''}{escape(value.clause)}"
    grade = f"{value.evidence} {EVIDENCE_ZH[Evidence(value.evidence)]}"
    return (
        f'<tr><td>{escape(value.zh)} {escape(value.en)}</td><td class="text">{texts}</td>'
        f'<td class="text">{source}，{value.from_date} 起（{grade}）</td></tr>'
    )


def _blocks(blocks: tuple[ShownBlock, ...]) -> str:
    """Return the tables of payment and pooling as written; nothing where none holds."""
    rows = "".join(_block(block) for block in blocks)
    head = '<tr><th>表 table</th><th class="text">内容</th><th class="text">依据 document</th></tr>'
    return (
        f'<h2>支付与清算 Payment and pooling</h2><div class="scroll"><table>{head}{rows}</table></div>' if rows else ""
    )


def _block(block: ShownBlock) -> str:
    values = "<br>".join(escape(f"{key}: {text}") for key, text in block.values)
    source = ""
    if block.document:
        grade = f"{block.evidence} {EVIDENCE_ZH[Evidence(block.evidence)]}"
        clause = f"，{escape(block.clause)}" if block.clause else ""
        source = f"{_linked(block.document, block.link)}{clause}，{block.from_date} 起（{grade}）"
    name = escape(f"{TABLES_ZH.get(block.table, '')} {block.label}")
    return f'<tr><td>{name}</td><td class="text">{values}</td><td class="text">{source}</td></tr>'


def _linked(document: str, link: str) -> str:
    return f'<a href="{escape(link)}">{escape(document)}</a>' if link else escape(document)


def _document_table(blocks: tuple[Cited, ...]) -> str:
    """One row for each document and grade, strongest grade first."""
    uses: dict[tuple[Evidence, str, str], int] = {}
    for block in blocks:
        key = (block.evidence, block.document, block.link)
        uses[key] = uses.get(key, 0) + 1
    order = list(Evidence)
    rows = [
        f'<tr><td>{grade}</td><td class="text">{_linked(document, link)}</td><td>{count}</td></tr>'
        for (grade, document, link), count in sorted(uses.items(), key=lambda use: (order.index(use[0][0]), use[0][1]))
    ]
    head = '<tr><th>等级 grade</th><th class="text">文件 document</th><th>段 blocks</th></tr>'
    return f'<div class="scroll"><table>{head}{"".join(rows)}</table></div>'
