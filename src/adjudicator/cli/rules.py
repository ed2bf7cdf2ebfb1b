"""``adjudicator rules check | show | diff | probe | cases | curves | schema``: rule packs for people."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from adjudicator.cli import probe as probing
from adjudicator.cli.days import read_day
from adjudicator.cli.language import add_language, spoken
from adjudicator.cli.reports.pack_page import render
from adjudicator.cli.reports.schemas import schemas, text_of, write
from adjudicator.dates import iso
from adjudicator.rulefile.evidence import EVIDENCE_ZH, Evidence
from adjudicator.rulefile.faults import WEIGHT_ZH, Fault, PackError, Weight
from adjudicator.rulefile.faults import as_data as fault_data
from adjudicator.rules.blocks import TABLES_ZH, ShownBlock, blocks_on
from adjudicator.rules.check import check_pack
from adjudicator.rules.cited import cited_blocks, shares
from adjudicator.rules.diff import Change, diff_packs, joined
from adjudicator.rules.load import read_pack, shipped_packs
from adjudicator.rules.show import ShownPlan, as_data, show_pack

OK, FAULTY, USAGE = 0, 1, 2


def add_parser(subparsers: Any) -> None:
    """Add ``rules`` with its actions."""
    parser = subparsers.add_parser("rules", help="check, show, compare rule packs")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="every fault of some packs, and what is likely to be one")
    check.add_argument("packs", nargs="*", metavar="PACK", help="name or folder; none: all that are shipped")
    show = actions.add_parser("show", help="what a pack says on a day")
    show.add_argument("pack", metavar="PACK")
    show.add_argument("--on", metavar="DATE", default="", help="2021-01-01, 2021-01 or 2021; default today")
    show.add_argument("--plan", metavar="ID", default="", help="only this plan")
    show.add_argument("--html", metavar="FILE", default="", help="write a page for the browser instead of printing")
    diff = actions.add_parser("diff", help="what changes between two packs or two days")
    diff.add_argument("old", metavar="PACK[@DATE]")
    diff.add_argument("new", metavar="PACK[@DATE]")
    diff.add_argument(
        "--probe", action="store_true", help="also the findings of rules probe that the change adds or removes"
    )
    schema = actions.add_parser("schema", help="JSON schemas of rule files, for editors")
    schema.add_argument("name", nargs="?", choices=sorted(schemas()), help="print this one; none: list the names")
    schema.add_argument("--output", metavar="FOLDER", default="", help="write all of them as files")
    probe, cases = probing.add_action(actions), probing.add_cases(actions)
    curves = probing.add_curves(actions)
    for action in (check, diff, probe, cases, curves):
        add_language(action)
    for action in (check, show, diff, probe, cases, curves, schema):
        action.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the action; 0 good, 1 faults were found, 2 wrong arguments."""
    actions = {
        "check": _check,
        "show": _show,
        "diff": _diff,
        "probe": probing.run,
        "cases": probing.run_cases,
        "curves": probing.run_curves,
        "schema": _schema,
    }
    try:
        return actions[arguments.action](arguments)
    except PackError as error:
        _print_findings({error.what: error.faults}, arguments.json, spoken())
        return FAULTY
    except ValueError as error:
        print(error, file=sys.stderr)
        return USAGE


# -------------------------------------------------------------------- check


COUNTED: dict[str, dict[Weight, str]] = {
    "en": {Weight.FAULT: "{} fault(s)", Weight.WARNING: "{} warning(s)", Weight.NOTE: "{} note(s)"},
    "zh": {Weight.FAULT: "{} 处错误", Weight.WARNING: "{} 处警告", Weight.NOTE: "{} 处提示"},
}
NO_FAULTS = {"en": "no faults", "zh": "没有错误"}


def _check(arguments: argparse.Namespace) -> int:
    names, today = arguments.packs or shipped_packs(), read_day("")
    found = {name: check_pack(name, today) for name in names}
    _print_findings(found, arguments.json, arguments.lang)
    faulty = any(finding.weight is Weight.FAULT for some in found.values() for finding in some)
    return FAULTY if faulty else OK


def _print_findings(found: dict[str, list[Fault]], as_json: bool, language: str) -> None:
    if as_json:
        print(json.dumps({name: [fault_data(one) for one in some] for name, some in found.items()}, ensure_ascii=False))
        return
    for name, findings in found.items():
        counts = {weight: sum(one.weight is weight for one in findings) for weight in Weight}
        words = [COUNTED[language][weight].format(count) for weight, count in counts.items() if count]
        if not counts[Weight.FAULT]:
            words.insert(0, NO_FAULTS[language])
        print(f"{name}: {', '.join(words)}")
        for one in findings:
            weight = WEIGHT_ZH[one.weight] if language == "zh" else str(one.weight)
            print(f"  {'' if one.weight is Weight.FAULT else f'{weight}: '}{one.text(language)}")


# -------------------------------------------------------------------- show


def _show(arguments: argparse.Namespace) -> int:
    pack, day = read_pack(arguments.pack), read_day(arguments.on)
    shown = [plan for plan in show_pack(pack, day) if arguments.plan in ("", plan.id)]
    blocks = [] if arguments.plan else list(blocks_on(pack, day).values())
    grades = shares(cited_blocks(pack))
    if arguments.html:
        Path(arguments.html).write_text(render(pack, day), "utf-8")
        return OK
    if arguments.json:
        data = {"pack": pack.id, "on": iso(day), "evidence": grades, "plans": as_data(shown), "tables": as_data(blocks)}
        print(json.dumps(data, ensure_ascii=False, indent=1))
        return OK
    counts = f"{len(pack.areas)} counties, {len(pack.hospitals)} institutions"
    print(f"{pack.name_zh} {pack.name}, rules on {iso(day)} ({counts})")
    print("evidence 依据: " + ", ".join(f"{grade} {EVIDENCE_ZH[grade]} {count}" for grade, count in grades.items()))
    if not shown:
        print("  no plan holds on this day 当日无有效方案")
    for plan in shown:
        _print_plan(plan)
    _print_blocks(blocks)
    return OK


def _print_blocks(blocks: Sequence[ShownBlock]) -> None:
    """Print the tables of payment and pooling as written, each with its document."""
    file = ""
    for block in blocks:
        if block.file != file:
            print(f"\n{block.file}")
            file = block.file
        until = "" if block.to_date.startswith("2099") else f" to {block.to_date}"
        clause = f", {block.clause}" if block.clause else ""
        print(
            f"  {TABLES_ZH.get(block.table, '')} {block.label}: " + "; ".join(f"{key} {v}" for key, v in block.values)
        )
        if block.document:
            print(f"      § {block.document}{clause} — from {block.from_date}{until}{evidence_mark(block.evidence)}")


def _print_plan(plan: ShownPlan) -> None:
    print(f"\n{plan.zh} — {plan.en} [{plan.id}]  {plan.scheme_zh}: {plan.care_zh}")
    if plan.undefined:
        print(f"  undefined 未规定: {plan.undefined}")
    document = None
    for value in plan.values:
        source = (value.document, value.clause, value.from_date, value.to_date, value.evidence)
        if source != document:
            until = "" if value.to_date.startswith("2099") else f" to {value.to_date}"
            clause = f", {value.clause}" if value.clause else ""
            print(f"  § {value.document}{clause} — from {value.from_date}{until}{evidence_mark(value.evidence)}")
            document = source
        for position, (whom, text) in enumerate(value.values):
            label = f"{value.zh} {value.en}" if position == 0 else ""
            print(f"    {label}{': ' if label else '      '}{f'{whom}: ' if whom else ''}{text}")


def evidence_mark(grade: str) -> str:
    """Return what follows a document that nobody compared a value with; nothing for an official one.

    >>> evidence_mark("secondary"), evidence_mark("official")
    ('  [secondary 二手资料, not verified 未核实]', '')
    """
    return (
        "" if grade in ("", Evidence.OFFICIAL) else f"  [{grade} {EVIDENCE_ZH[Evidence(grade)]}, not verified 未核实]"
    )


# -------------------------------------------------------------------- schema


def _schema(arguments: argparse.Namespace) -> int:
    if arguments.output:
        write(Path(arguments.output))
    elif arguments.name:
        print(text_of(schemas()[arguments.name]), end="")
    else:
        for name, schema in schemas().items():
            print(f"{name}: {schema['title']}")
    return OK


# -------------------------------------------------------------------- diff


def _diff(arguments: argparse.Namespace) -> int:
    (old_name, old_day), (new_name, new_day) = (_split(arguments.old), _split(arguments.new))
    old, new = read_pack(old_name), read_pack(new_name)
    changes = diff_packs(old, old_day, new, new_day)
    found = [probing.probe_pack(*named) for named in ((old_name, old_day), (new_name, new_day)) if arguments.probe]
    if arguments.json:
        data: Any = [asdict(change) for change in changes]
        if found:
            data = {"changes": data, "findings": probing.difference_of(*found)._asdict()}
        print(json.dumps(data, ensure_ascii=False, indent=1))
        return OK
    print(f"{old.name_zh} {old.id}@{iso(old_day)} → {new.name_zh} {new.id}@{iso(new_day)}: {len(changes)} change(s)")
    print_changes(changes)
    if found:
        print()
        probing.print_difference(probing.difference_of(*found), found[1], arguments.lang)
    return OK


def _split(text: str) -> tuple[str, int]:
    name, _, day = text.partition("@")
    return name, read_day(day)


def print_changes(changes: list[Change]) -> None:
    """Print each change once, also one that several plans share, and each document under the changes it makes."""
    for plans, shared in joined(changes):
        print("\n" + "; ".join(f"{change.plan_zh} {change.plan_en} [{change.plan}]" for change in plans))
        for position, change in enumerate(shared):
            whom = f" — {change.whom}" if change.whom else ""
            old, new = change.old or "— (none 无)", change.new or "— (none 无)"
            print(f"  {f'{change.zh} {change.en}'.strip()}{whom}: {old} → {new}")
            following = shared[position + 1] if position + 1 < len(shared) else None
            same = following and (following.document, following.from_date) == (change.document, change.from_date)
            if change.document and not same:
                print(f"      § {change.document}, from {change.from_date}{evidence_mark(change.evidence)}")
