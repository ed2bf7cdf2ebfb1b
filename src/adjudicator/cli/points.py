"""``adjudicator points calibrate``: base points and hospital coefficients from past cases."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from adjudicator.money import fen_to_yuan

if TYPE_CHECKING:
    from adjudicator.pooling.calibrate import CalibrationResult


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command and what it can do."""
    parser = subparsers.add_parser("points", help="base points of DRGs from past cases")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    calibrate = actions.add_parser("calibrate", help="base points and coefficients from past cases")
    calibrate.add_argument("--pack", required=True, help="rule pack with [[calibration]] in pooling.toml")
    calibrate.add_argument("--cases", type=Path, action="append", required=True, metavar="FILE", help="past cases")
    calibrate.add_argument("--date", type=int, default=20251231, metavar="YYYYMMDD", help="day whose rules hold")
    calibrate.add_argument("--scheme", default="310", help="scheme whose rules hold (default %(default)s)")
    calibrate.add_argument("--output", type=Path, metavar="DIR", help="write points.csv and coefficients.csv there")
    calibrate.add_argument("--json", action="store_true", help="print JSON")
    calibrate.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Calibrates points."""
    from adjudicator.pooling.calibrate import calibrate
    from adjudicator.pooling.cases import join, net, read_cases
    from adjudicator.pooling.context import load_context

    context = load_context(arguments.pack)
    rules = context.pooling.pick("calibration", arguments.date, arguments.scheme)
    cases = net(join([read_cases(path) for path in arguments.cases]))
    view = context.payment.view
    levels = {code: name for code, name in zip(view.hospitals, view.hospital_classes, strict=True) if name}
    result = calibrate(
        cases.rows["total_fen"],
        cases.rows["group"],
        cases.rows["hospital"],
        cases.groups,
        cases.hospitals,
        levels,
        rules,
    )
    if arguments.output:
        _write(arguments.output, result)
    if arguments.json:
        groups = [{slot: getattr(group, slot) for slot in group.__slots__} for group in result.groups]
        print(json.dumps({"all_average_fen": result.all_average_fen, "groups": groups}, ensure_ascii=False, indent=1))
    else:
        _show(result)
    return 0


def _write(folder: Path, result: CalibrationResult) -> None:
    from adjudicator.pooling.files import write_rows

    folder.mkdir(parents=True, exist_ok=True)
    points = [(g.group, "case", e8_text(g.base_e8), fen_to_yuan(g.average_fen)) for g in result.groups if g.stable]
    write_rows(folder / "points.csv", ("drg", "kind", "base_points", "average_yuan"), points)
    rows = [("hospital", name, drg, e8_text(value)) for (name, drg), value in sorted(result.hospital_e8.items())]
    rows += [("level", name, drg, e8_text(value)) for (name, drg), value in sorted(result.level_e8.items())]
    write_rows(folder / "coefficients.csv", ("component", "subject", "drg", "value"), rows)
    unstable = [(g.group, g.cases, g.cv_ppm, g.reason) for g in result.groups if not g.stable]
    write_rows(folder / "unstable.csv", ("drg", "cases", "cv_ppm", "reason"), unstable)


def e8_text(value_e8: int) -> str:
    """Return a number of 1e-8 as text.

    >>> e8_text(236_182_972), e8_text(12_600_000_000)
    ('2.36182972', '126')
    """
    return f"{value_e8 // 10**8}.{value_e8 % 10**8:08d}".rstrip("0").rstrip(".")


def _show(result: CalibrationResult) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"全部病组均费 {fen_to_yuan(result.all_average_fen)} 元", title_justify="left")
    for heading in ("病组", "病例", "裁剪", "均费", "基准点数", "变异系数", "稳定"):
        table.add_column(heading, justify="left" if heading == "病组" else "right")
    for group in result.groups:
        table.add_row(
            group.group, str(group.cases), str(group.trimmed), fen_to_yuan(group.average_fen), e8_text(group.base_e8),
            f"{group.cv_ppm / 1e6:.3f}", "是" if group.stable else group.reason,
        )  # fmt: skip
    Console().print(table)
