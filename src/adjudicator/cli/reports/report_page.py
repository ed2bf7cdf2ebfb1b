"""Reports for people, of budgets, months and years: a page without scripts, and tables on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adjudicator.cli.reports.pages import page
from adjudicator.cli.reports.parts import YUAN, Report, Unit
from adjudicator.cli.reports.pool_page import Table

if TYPE_CHECKING:
    from rich.console import Console

WIDE_COLUMNS = 300
"""Width of a table that goes to a file or another program."""


def render(report: Report) -> str:
    """Return the page as HTML text."""
    return page("report.html", language="zh-CN", style="report.css", title=report.title, report=report)


def put(
    html: Path | None, as_json: bool, report: Callable[[Unit | None], Report], data: Callable[[], dict[str, Any]]
) -> None:
    """Write the page in the unit that fits it where one is asked for; print tables in yuan, or JSON in fen."""
    if html:
        html.write_text(render(report(None)), encoding="utf-8")
    if as_json:
        print(json.dumps(data(), ensure_ascii=False, indent=1))
    else:
        show(report(YUAN))


def show(report: Report) -> None:
    """Print the tables of a report, wide where the output is no terminal, so that nothing is cut."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(width=None if sys.stdout.isatty() else WIDE_COLUMNS)
    console.print(f"[bold]{escape(report.title)}[/bold]（{report.unit.name}）")
    for section in report.sections:
        _print(section.table, section.title, console)
    for table, title in ((report.warnings, "预警"), (report.lacking, "未算出的项目")):
        if table is not None:
            _print(table, title, console)
    for style, texts in (("yellow", report.notes), ("dim", report.sources)):
        for text in texts:
            console.print(f"  [{style}]{escape(text)}[/{style}]")


def _print(shown: Table, title: str, console: Console) -> None:
    from rich.markup import escape
    from rich.table import Table as Printed

    printed = Printed(title=escape(title), title_justify="left")
    for place, head in enumerate(shown.heads):
        is_text = place == 0 or place in shown.text
        printed.add_column(escape(head), justify="left" if is_text else "right", overflow="fold")
    for number, row in enumerate(shown.rows):
        cells = [
            f"[red]{escape(cell)}[/red]" if (number, place) in shown.alarms else escape(cell)
            for place, cell in enumerate(row)
        ]
        printed.add_row(*cells, end_section=number == len(shown.rows) - 1)
    for row in shown.sums:
        printed.add_row(*map(escape, row))
    console.print(printed)
