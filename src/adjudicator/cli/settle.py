"""``adjudicator settle``: settles cases from files and shows expected against got; no server.

A file holds golden-style cases (``cases.file``), a claim of the wire as JSON, or a message of the national interface
(2207 / 2304 as JSON).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from adjudicator.money import fen_to_yuan
from adjudicator.steps import CHAIN_NAMES, STEP_NAMES

SHOWN_ALWAYS = ("total", "in_scope", "deductible", "pooled_fund", "fund_total", "personal_total", "cash", "due")


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Register the command."""
    parser = subparsers.add_parser("settle", help="settle cases from files and compare with what they expect")
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="cases (YAML, JSON), a claim, or national JSON"
    )
    parser.add_argument("--pack", default="", help="rule pack for cases that name neither pack nor plan")
    parser.add_argument("--explain", action="store_true", help="every step of the cascade, with its clause")
    parser.add_argument("--quiet", action="store_true", help="only what differs, and the count")
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Return 0 when every case comes out as it says and every request is settled, else 1."""
    from adjudicator.cases.file import read_cases
    from adjudicator.cases.run import results_of
    from adjudicator.interop.claim_file import is_claim
    from adjudicator.interop.national import SETTLED, is_national, settle_message

    console = Console(highlight=False)
    reports: list[dict[str, Any]] = []
    messages = [path for path in arguments.files if is_national(path)]
    answers = [settle_message(path, arguments.pack) for path in messages]
    for answer in answers:
        print(json.dumps(answer, ensure_ascii=False, indent=2))
    refused = sum(answer["infcode"] != SETTLED for answer in answers)
    claims = [path for path in arguments.files if path not in messages and is_claim(path)]
    refused += sum(_settle_claim(path, arguments) for path in claims)
    count = different = 0
    for case in read_cases([path for path in arguments.files if path not in messages + claims], arguments.pack):
        for settled in results_of(case):
            differences = settled.differences()
            count += 1
            different += bool(differences)
            if arguments.json:
                reports.append(_report(settled, differences))
            elif differences or not arguments.quiet:
                console.print(_table(settled, differences))
                if arguments.explain:
                    _print_steps(console, settled)
    if arguments.json and (count or not messages + claims):
        json.dump(reports, sys.stdout, ensure_ascii=False, indent=2)
        print()
    elif count:
        console.print(f"{count} settled, {count - different} as expected, {different} not")
    return 1 if different or refused else 0


def _settle_claim(path: Path, arguments: argparse.Namespace) -> bool:
    """Print the answer to a claim as a first settlement of the year; return whether it was refused."""
    from google.protobuf import json_format

    from adjudicator.claim.local import price_message
    from adjudicator.cli.reports.tables import settlement_lines
    from adjudicator.interop.claim_file import read_claim_file, shipped_pack_of
    from adjudicator.rules.bundle import load_bundle
    from adjudicator.v1 import settlement_pb2

    claim = read_claim_file(path)
    answer = price_message(load_bundle([arguments.pack or shipped_pack_of(claim.insured_area)]), claim)
    if arguments.json:
        print(json.dumps(json_format.MessageToDict(answer, preserving_proto_field_name=True), ensure_ascii=False))
    else:
        print("\n".join(settlement_lines(answer)))
    return bool(answer.outcome == settlement_pb2.OUTCOME_REFUSED)


def _report(settled: Any, differences: list[tuple[str, int | str, int | str]]) -> dict[str, Any]:
    from adjudicator.cases.outcomes import NEVER, shown

    return {
        "case": settled.case.name, "title": settled.case.title, "source": settled.case.source,
        "claim": settled.number, "as_expected": not differences,
        "got": {name: shown(name, value) for name, value in settled.amounts().items()},
        "expected": {name: shown(name, value) for name, value in settled.expected.expect.items()},
        "differences": [
            {
                "outcome": name, "expected": shown(name.removeprefix(NEVER), expected),
                "got": shown(name.removeprefix(NEVER), got),
            }
            for name, expected, got in differences
        ],
    }  # fmt: skip


def _table(settled: Any, differences: list[tuple[str, int | str, int | str]]) -> Table:
    from adjudicator.cases.outcomes import NEVER, NOTHING, OUTCOME_ZH, named, shown

    case, expected = settled.case, settled.expected
    number = f" ({settled.number + 1}/{len(case.claims)})" if len(case.claims) > 1 else ""
    reversal = f" 冲销 reverses {expected.values['reverse']}" if "reverse" in expected.values else ""
    source = f" · {case.source}" if case.source else ""
    table = Table(title=f"{case.name}{number}{reversal} {case.title}{source}", title_justify="left", title_style="bold")
    for heading, is_amount in (("", False), ("项目", False), ("expected 应为", True), ("got 计算", True), ("", False)):
        table.add_column(heading, justify="right" if is_amount else "left", overflow="fold")
    wrong = {name.removeprefix(NEVER) for name, _, _ in differences}
    for name, value in settled.amounts().items():
        is_named = name in expected.expect or name in expected.never or name in wrong
        if not is_named and (value in NOTHING or not (value or name in SHOWN_ALWAYS)):
            continue
        wanted = shown(name, expected.expect[name]) if name in expected.expect else ""
        if name in expected.never:
            wanted += f" never {shown(name, expected.never[name])}"
        mark = "[red]differs[/red]" if name in wrong else ("[green]equal[/green]" if is_named else "")
        table.add_row(name, OUTCOME_ZH[name], wanted, named(name, value), mark)
    return table


def _print_steps(console: Console, settled: Any) -> None:
    """Print the two chains of an explanation: cost until the tiers see it, and who bears the bill."""
    chain = ""
    for step in settled.steps:
        if step.chain != chain:
            chain = step.chain
            console.print("[bold]{}[/bold] {}".format(*CHAIN_NAMES[chain]))
        amounts = f"{fen_to_yuan(step.before_fen)} - {fen_to_yuan(step.amount_fen)} = {fen_to_yuan(step.after_fen)}"
        name = STEP_NAMES[step.stage]
        console.print(f"  {name.en} {name.zh}: {amounts}")
        document = f"{step.document} {step.clause}".strip()
        verified = "" if step.verified else " (unverified 未核实)"
        for text in (step.text, step.text_zh, f"{document}{verified}" if document else ""):
            if text:
                console.print(f"      {text}", style="dim", markup=False)
