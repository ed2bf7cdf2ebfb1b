"""``adjudicator rules probe | cases``: what a rule does before anybody lives under it; cases to read and sign."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from adjudicator.cli.days import read_day, split_day
from adjudicator.dates import iso
from adjudicator.money import fen_to_yuan
from adjudicator.payers import PAYERS
from adjudicator.probe.casefile import PART_NAMES, case_of, text_of
from adjudicator.probe.findings import Finding

OK, FOUND = 0, 1
EN, ZH = "en", "zh"
DEDUCTIBLE_NAMES = {EN: "deductible", ZH: "起付线"}
WORDS = {
    "covered": (
        "{pack}: {count} cases reach {elements} values at their edges",
        "{pack}：{count} 例覆盖 {elements} 处政策数值边界",
    ),
    "added": ("finding added", "新增发现"), "removed": ("finding removed", "消除发现"),
    "same": ("the same findings", "发现没有变化"),
    "drawn": ("{page}: {count} charts", "{page}：{count} 幅图"),
    "heading": (
        "{pack}: {cells:,} cells ({combinations:,} combinations), {claims:,} claims in {seconds:.1f} CPU s"
        " ({rate:,} a second)",
        "{pack}：{cells:,} 类结算单（{combinations:,} 种组合），试算 {claims:,} 笔，CPU {seconds:.1f} 秒"
        "（每秒 {rate:,} 笔）",
    ),
    "count": ("{findings} finding(s), {accepted} accepted", "发现 {findings} 项，其中已说明理由 {accepted} 项"),
    "plans": ("plans", "方案"), "cases": ("{count:,} pairs, at most {worst} yuan", "{count:,} 组，最多 {worst} 元"),
    "at": ("at", "拐点"), "accepted": ("accepted", "已说明"), "patient": ("patient", "个人负担"),
    "differs": ("by {by} yuan", "相差 {by} 元"),
    "idle": ("accepts nothing", "没有对应的发现"),
    "undefined": ("no rule (information)", "没有规则的组合（仅提示）"),
    "steps": ("days on which a rule follows another (information)", "政策切换日（仅提示）"),
    "step": (
        "{plan} from {day}: {changed:,} of {claims:,} claims change, the patient pays from {least} to {most} yuan more"
        "{refused}",
        "{plan} 自 {day}：{claims:,} 笔中 {changed:,} 笔有变化，个人负担变化 {least} 至 {most} 元{refused}",
    ),
    "refused": (", {refused:,} have no rule", "，{refused:,} 笔没有规则"),
    "total": (
        "{packs} pack(s), {claims:,} claims, {seconds:.1f} CPU s",
        "共 {packs} 个规则包，{claims:,} 笔，CPU {seconds:.1f} 秒",
    ),
}  # fmt: skip


SIGNED = """\
{pack}待遇政策核对案例，政策日期 {day}，共 {count} 例；规则版本 {hash}
每例为政策数值的边界（差一分、超一分）；应为金额由规则包现行数值算出，请逐例与文件核对。
核对：adjudicator settle 本文件
经办人：____________    复核人：____________    日期：____________"""
"""What stands above the cases that an officer signs."""


class Report(NamedTuple):
    """What one pack's probe says."""

    pack: str
    probe: Any
    findings: list[Finding]
    idle: list[str]
    undefined: list[Any]
    steps: list[Any]
    seconds: float


def add_action(actions: Any) -> argparse.ArgumentParser:
    """Add ``probe`` to the actions of ``rules``."""
    probe: argparse.ArgumentParser = actions.add_parser(
        "probe", help="cliffs, falling funds, gains from splitting: what a rule does before anybody lives under it"
    )
    probe.add_argument(
        "packs", nargs="*", metavar="PACK[@DATE]", help="none: all that are shipped; no date: every period"
    )
    probe.add_argument(
        "--claims", type=int, default=0, metavar="N", help="go on at random until N claims a pack are priced"
    )
    probe.add_argument("--seed", type=int, default=1, help="of what is drawn at random")
    probe.add_argument("--output", metavar="DIR", default="", help="write the witnesses as case files")
    return probe


def add_cases(actions: Any) -> argparse.ArgumentParser:
    """Add ``cases`` to the actions of ``rules``."""
    cases: argparse.ArgumentParser = actions.add_parser(
        "cases", help="the smallest set of cases that reaches every value of a pack at its edges, to read and sign"
    )
    cases.add_argument("pack", metavar="PACK[@DATE]", help="no date: the plans of today")
    cases.add_argument("--output", metavar="FILE", default="", help="write the case file here instead of printing it")
    return cases


def add_curves(actions: Any) -> argparse.ArgumentParser:
    """Add ``curves`` to the actions of ``rules``."""
    curves: argparse.ArgumentParser = actions.add_parser("curves", help="a page: the patient's share over the cost")
    curves.add_argument("pack", metavar="PACK[@DATE]", help="no date: the plans of today")
    curves.add_argument("--output", metavar="DIR", required=True, help="folder of the page and its script")
    return curves


def run_curves(arguments: argparse.Namespace) -> int:
    """Write the page of curves; 0."""
    from adjudicator.cli.reports.curves import write_curves
    from adjudicator.rules.bundle import load_bundle

    name, day = split_day(arguments.pack)
    day, folder = day or read_day(""), Path(arguments.output)
    count = write_curves(load_bundle([name]), day, folder, arguments.lang)
    if arguments.json:
        print(json.dumps({"page": str(folder / "index.html"), "charts": count}))
    else:
        print(_say("drawn", arguments.lang, page=folder / "index.html", count=count))
    return OK


def run_cases(arguments: argparse.Namespace) -> int:
    """Write the cases of a pack; 0."""
    from adjudicator.probe.cover import cases_of as covering_cases
    from adjudicator.probe.cover import cover_of
    from adjudicator.rules.bundle import load_bundle

    name, day = split_day(arguments.pack)
    day = day or read_day("")
    bundle = load_bundle([name])
    pack, cover = bundle.packs[0], cover_of(bundle, day)
    cases = covering_cases(bundle, cover)
    if arguments.json:
        text = json.dumps(cases, ensure_ascii=False, indent=1, default=str) + "\n"
    else:
        text = text_of(cases, SIGNED.format(pack=pack.name_zh, day=iso(day), count=len(cases), hash=bundle.hash))
    if arguments.output:
        Path(arguments.output).write_text(text, "utf-8")
        print(_say("covered", arguments.lang, pack=pack.id, count=len(cases), elements=cover.elements))
    else:
        print(text, end="")
    return OK


def run(arguments: argparse.Namespace) -> int:
    """Return 0 where every finding is accepted, else 1."""
    from adjudicator.rules.load import shipped_packs

    reports = [
        probe_pack(*split_day(name), arguments.claims, arguments.seed) for name in arguments.packs or shipped_packs()
    ]
    if arguments.output:
        for report in reports:
            write_cases(report, Path(arguments.output))
    if arguments.json:
        print(json.dumps([as_data(report) for report in reports], ensure_ascii=False, indent=1))
    else:
        for report in reports:
            print("\n".join(lines_of(report, arguments.lang)))
        said = sum(report.probe.claims for report in reports), sum(report.seconds for report in reports)
        print(_say("total", arguments.lang, packs=len(reports), claims=said[0], seconds=said[1]))
    return FOUND if any(finding.accepted is None for report in reports for finding in report.findings) else OK


def probe_pack(name: str, day: int, claims: int = 0, seed: int = 1) -> Report:
    """Probe one pack on a day, or in every rule period (0)."""
    import time

    from adjudicator.probe.accepted import read_accepted
    from adjudicator.probe.findings import findings_of
    from adjudicator.probe.periods import steps_of
    from adjudicator.probe.sweep import probe_of, sweep, undefined_of
    from adjudicator.rules.bundle import load_bundle

    began = time.process_time()
    bundle = load_bundle([name])
    accepted = read_accepted(bundle.packs[0])
    probe = probe_of(bundle, day)
    sweep(probe, claims, seed)
    findings = findings_of(probe, accepted)
    taken = [finding.accepted for finding in findings]
    idle = [entry.where.key for entry in accepted if entry not in taken] if not day else []
    steps = steps_of(probe) if not day else []
    return Report(bundle.packs[0].id, probe, findings, idle, undefined_of(probe), steps, time.process_time() - began)


class Difference(NamedTuple):
    """The findings that a change of rules adds and removes, each with its plans."""

    added: dict[str, list[str]]
    removed: dict[str, list[str]]


def difference_of(old: Report, new: Report) -> Difference:
    """Return what is broken under new rules and was not under old ones, and the other way round."""
    before, after = ({*report.probe.broken} for report in (old, new))
    return Difference(_by_finding(after - before), _by_finding(before - after))


def _by_finding(broken: set[tuple[str, str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for relation, plan, by in sorted(broken):
        found.setdefault(f"{relation}-{by}", []).append(plan)
    return found


def print_difference(difference: Difference, new: Report, language: str) -> None:
    """Print the findings that are removed by name, and those that are added with their witnesses."""
    for name, plans in difference.removed.items():
        print(f"  {_say('removed', language)}: {name} ({', '.join(plans)})")
    known = {finding.name: finding for finding in new.findings}
    for number, (name, plans) in enumerate(difference.added.items(), 1):
        print(f"  {_say('added', language)}: {name} ({', '.join(plans)})")
        print("\n".join(_finding_lines(new, number, known[name], language)))
    if not difference.added and not difference.removed:
        print(f"  {_say('same', language)}")


# -------------------------------------------------------------------- words


def _say(key: str, language: str, **values: Any) -> str:
    return WORDS[key][language == ZH].format(**values)


def by_text(by: str, language: str) -> str:
    """Return the payer to blame in words."""
    if by == "deductible":
        return DEDUCTIBLE_NAMES[language]
    payer = next(payer for payer in PAYERS if f"{by}_fen" in payer.columns)
    if len(payer.columns) > 1 and language == ZH:
        return payer.columns_zh[payer.columns.index(f"{by}_fen")].removesuffix("支出")
    return payer.zh if language == ZH else (payer.en if len(payer.columns) == 1 else by)


def key_text(key: str, language: str) -> str:
    """Return a key of the plan in words."""
    from adjudicator.benefit.plan.keys import KEY

    if key not in KEY:
        return key
    return KEY[key].zh if language == ZH else KEY[key].en


def lines_of(report: Report, language: str) -> list[str]:
    """Return what is printed of a pack."""
    probe = report.probe
    rate = int(probe.claims / max(probe.seconds, 1e-9))
    lines = [
        _say(
            "heading", language, pack=report.pack, cells=len(probe.cells), combinations=probe.cells.count,
            claims=probe.claims, seconds=probe.seconds, rate=rate,
        ),
        "  " + _say("count", language, findings=len(report.findings),
                    accepted=sum(finding.accepted is not None for finding in report.findings)),
    ]  # fmt: skip
    for number, finding in enumerate(sorted(report.findings, key=lambda one: one.accepted is not None), 1):
        lines += _finding_lines(report, number, finding, language)
    lines += [f"  accepted.toml {key}: {_say('idle', language)}" for key in report.idle]
    if report.undefined:
        lines.append(f"  {_say('undefined', language)}:")
        lines += [f"    {_undefined_text(report, one, language)}" for one in report.undefined]
    if report.steps:
        lines.append(f"  {_say('steps', language)}:")
    for step in report.steps:
        refused = _say("refused", language, refused=step.refused) if step.refused else ""
        lines.append(
            "    " + _say("step", language, plan=step.plan, day=iso(step.day), changed=step.changed, claims=step.claims,
                          least=fen_to_yuan(step.least_fen), most=fen_to_yuan(step.most_fen), refused=refused)
        )  # fmt: skip
    return lines


def _undefined_text(report: Report, one: Any, language: str) -> str:
    """Return a plan, how many cells have no rule, and the persons, levels and places that have none at all."""
    from adjudicator.codes import CHANNEL_ZH, FILING_ZH, PLACE_ZH, Channel, Filing, Place
    from adjudicator.errors import TABLE, E
    from adjudicator.options import choice_name

    pack, is_zh = report.probe.cells.pack, language == ZH
    names: dict[str, Any] = {
        "group": lambda n: pack.person_groups[n].name_zh if is_zh else pack.person_groups[n].id,
        "deductible_level": lambda n: pack.levels[n].name_zh if is_zh else pack.levels[n].id,
        "place": lambda n: PLACE_ZH[Place(n)] if is_zh else choice_name(Place(n)),
        "filing": lambda n: FILING_ZH[Filing(n)] if is_zh else choice_name(Filing(n)),
        "settled_at_counter": lambda n: CHANNEL_ZH[Channel(n)] if is_zh else choice_name(Channel(n)),
        "maternity_type": lambda n: f"生育类别 {n}" if is_zh else f"maternity {n}",
    }
    words = ", ".join(str(names[name](value)) for name, value in one.whole)
    return f"{one.plan} {TABLE[E(one.error)].code}: {len(one.cells)}" + (f" ({words})" if words else "")


def _finding_lines(report: Report, number: int, finding: Finding, language: str) -> list[str]:
    relation = finding.relation
    statement = relation.zh if language == ZH else relation.en
    scale = _say("cases", language, count=finding.count, worst=fen_to_yuan(finding.worst_fen))
    lines = [f"  {number}. {statement} [{finding.name}] {by_text(finding.by, language)}; {scale}"]
    if finding.accepted is not None:
        reason = finding.accepted.reason_zh if language == ZH else finding.accepted.reason
        return [*lines, f"     {_say('accepted', language)}: {reason}"]
    lines.append(f"     {_say('plans', language)}: {', '.join(finding.plans)}")
    if finding.keys:
        lines.append(f"     {_say('at', language)}: {', '.join(key_text(key, language) for key in finding.keys)}")
    for case in cases_of(report, finding):
        lines.append("     " + case["case"].rpartition("-")[2] + ": " + _case_line(case, language))
    return [*lines, f"     {_say('differs', language, by=fen_to_yuan(finding.by_fen))}"]


def cases_of(report: Report, finding: Finding) -> list[dict[str, Any]]:
    """Return the witness of a finding as one or two cases."""
    relation, found = finding.relation, []
    for side, scene in zip(("a", "b"), finding.sides, strict=True):
        if scene is not None and scene.fen.sum() > 0:
            words = {
                "case": f"{report.pack}-{finding.name}-{side}", "title": relation.zh,
                "source": "adjudicator rules probe", "kind": "probe",
                "note": f"{relation.en} {', '.join(finding.plans)}: {by_text(finding.by, EN)}",
            }  # fmt: skip
            found.append(case_of(report.probe.pricer, scene, report.pack, words))
    return found


def _case_line(case: Mapping[str, Any], language: str) -> str:
    """Return a case on one line: who, then each claim with the patient's share."""
    who = " ".join(f"{value}" if name != "age" else f"age {value}" for name, value in case["person"].items())
    claims = []
    for claim in case.get("claims") or [case["claim"]]:
        expect = claim["expect"]
        bill = " + ".join(f"{name} {claim['amounts'][name]}" for name in PART_NAMES if name in claim["amounts"])
        shown = [f"{claim[name]}" for name in ("date", "care", "level", "place", "filing") if name in claim]
        more = [name for name in ("settled_at_counter", "mid_stay", "stay", "programme", "disease") if name in claim]
        claims.append(f"{' '.join(shown + more)}: {bill} → {_say('patient', language)} {expect['personal_total']}")
    return f"{who}; " + "; ".join(claims)


# -------------------------------------------------------------------- files


def write_cases(report: Report, folder: Path) -> None:
    """Write the witnesses of a pack's findings as one case file; nothing where there is none."""
    cases = [case for finding in report.findings for case in cases_of(report, finding)]
    if cases:
        folder.mkdir(parents=True, exist_ok=True)
        heading = f"Witnesses of adjudicator rules probe {report.pack}: docs/probe.md"
        (folder / f"{report.pack}.yaml").write_text(text_of(cases, heading), "utf-8")


def as_data(report: Report) -> dict[str, Any]:
    """Return a report for JSON."""
    return {
        "pack": report.pack, "cells": len(report.probe.cells), "combinations": report.probe.cells.count,
        "claims": report.probe.claims, "cpu_seconds": round(report.probe.seconds, 3),
        "findings": [
            {
                "relation": finding.relation.name, "en": finding.relation.en, "zh": finding.relation.zh,
                "by": finding.by, "plans": list(finding.plans), "pairs": finding.count, "worst_fen": finding.worst_fen,
                "witness_fen": finding.by_fen, "keys": list(finding.keys),
                "accepted": finding.accepted.reason if finding.accepted else "",
                "cases": json.loads(json.dumps(cases_of(report, finding), default=str)),
            }
            for finding in report.findings
        ],
        "undefined": [one._asdict() for one in report.undefined],
        "idle": report.idle, "steps": [step._asdict() for step in report.steps],
    }  # fmt: skip
