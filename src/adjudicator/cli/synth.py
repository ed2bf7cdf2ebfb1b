"""``adjudicator synth``: writes the claims of a synthetic city."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adjudicator.cli.language import add_language

if TYPE_CHECKING:
    from adjudicator.synth.calibrate import Outcome

CALIBRATION_FILE = "calibration.json"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "synth",
        help="write synthetic claims of a pack",
        description="Writes the claims of a synthetic city in the order of settlement. The same packs, seed and "
        "options give the same files. All claims are valid. Nothing in them is about a real person.",
    )
    parser.add_argument(
        "--pack", action="append", required=True, help="pack by name or folder; may be given several times"
    )
    parser.add_argument("--claims", type=int, required=True, help="how many claims")
    parser.add_argument("--seed", type=int, default=1, help="number that everything is drawn from (default 1)")
    parser.add_argument("--output", type=Path, required=True, help="folder for the files; made if it is not there")
    parser.add_argument("--year", type=int, default=2023, help="calendar year of settlement (default 2023)")
    parser.add_argument("--persons", type=int, default=20_000, help="insured persons of each pool (default 20000)")
    parser.add_argument("--inpatient-share", type=float, default=0.3, help="share of stays, 0 to 1 (default 0.3)")
    parser.add_argument(
        "--format", choices=("protobuf", "parquet", "both"), default="protobuf",
        help="claims.pb (delimited ClaimBatch messages), claims.parquet and lines.parquet, or both",
    )  # fmt: skip
    parser.add_argument("--batch", type=int, default=100, help="claims in a batch of claims.pb (default 100)")
    parser.add_argument(
        "--calibrate", metavar="FILE", default="",
        help="draw a city that comes to the published figures of a TOML file, or of a shipped one such as huzhou "
        "(docs/synth.md); exit code 1 where one is missed",
    )  # fmt: skip
    add_language(parser)
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the files; return 0, or 2 where an option makes no sense."""
    from adjudicator.synth import write
    from adjudicator.synth.city import Synthesizer
    from adjudicator.synth.habits import USUAL
    from adjudicator.synth.targets import LEAST_CLAIMS, TargetsError

    if arguments.claims < 0 or arguments.batch < 1 or arguments.persons < 1 or not 0 <= arguments.inpatient_share <= 1:
        print("claims, batch and persons are positive numbers, inpatient-share lies between 0 and 1", file=sys.stderr)
        return 2
    if arguments.calibrate and (len(arguments.pack) != 1 or arguments.claims < LEAST_CLAIMS):
        print(f"--calibrate takes one --pack and at least {LEAST_CLAIMS} claims", file=sys.stderr)
        return 2
    began = time.perf_counter()
    try:
        outcome = _calibrated(arguments) if arguments.calibrate else None
    except TargetsError as error:
        print(error, file=sys.stderr)
        return 2
    city = Synthesizer(
        arguments.pack, arguments.seed, year=arguments.year, persons=arguments.persons,
        inpatient_share=arguments.inpatient_share, habits=outcome.habits if outcome is not None else USUAL,
    )  # fmt: skip
    arguments.output.mkdir(parents=True, exist_ok=True)
    count = arguments.claims
    with _Bar(count * (2 if arguments.format == "both" else 1)) as bar:
        if arguments.format in ("protobuf", "both"):
            write.write_protobuf(city, count, arguments.output / write.PROTOBUF_FILE, arguments.batch, bar.at)
        if arguments.format in ("parquet", "both"):
            done = count if arguments.format == "both" else 0
            write.write_parquet(city, count, arguments.output, lambda rows: bar.at(done + rows))
    about: dict[str, Any] = write.write_about(city, count, arguments.output)
    if outcome is not None:
        about["calibration"] = outcome.report()
        report = json.dumps(about["calibration"], ensure_ascii=False, indent=2) + "\n"
        (arguments.output / CALIBRATION_FILE).write_text(report, "utf-8")
    if arguments.json:
        print(json.dumps(about, ensure_ascii=False))
    else:
        seconds = time.perf_counter() - began
        print(f"{count} claims of {', '.join(about['packs'])} in {arguments.output} ({count / seconds:,.0f} claims/s)")
        if outcome is not None:
            print("\n".join(calibration_lines(outcome, arguments.lang)))
    return 1 if outcome is not None and outcome.missed else 0


def _calibrated(arguments: argparse.Namespace) -> Outcome:
    """Return the habits of a city that comes to the targets. Errors: TargetsError."""
    from adjudicator.rules.bundle import load_bundle
    from adjudicator.synth import calibrate as search
    from adjudicator.synth.targets import read_targets

    bundle = load_bundle(arguments.pack)
    targets = read_targets(arguments.calibrate, bundle.packs[0].level_ids)
    setting = search.Setting(
        bundle, 0, arguments.seed, arguments.year, arguments.persons, arguments.inpatient_share
    )  # fmt: skip
    sample = min(arguments.claims, search.SAMPLE_CLAIMS)
    with _Bar(search.samples_at_most(targets.targets)) as bar:
        outcome = search.calibrate(setting, targets, bar.at, sample)
    if arguments.claims > sample:
        outcome = search.checked(setting, outcome, min(arguments.claims, search.MOST_CHECKED))
    return outcome


def calibration_lines(outcome: Outcome, language: str) -> list[str]:
    """Return what each published figure is, what the usual city comes to and what this one does."""
    from adjudicator.cli.reports.tables import table_lines
    from adjudicator.synth.targets import MEASURES

    chinese = language == "zh"
    heads = ["指标", "险种", "分项", "公布值", "允许差", "通常", "达到", ""] if chinese else [
        "figure", "scheme", "of", "published", "tolerance", "usual", "reached", ""
    ]  # fmt: skip
    schemes = {"employee": "职工", "resident": "居民", "": ""} if chinese else {}
    met, missed = ("达到", "未达到") if chinese else ("met", "missed")
    rows = [heads]
    for row in outcome.report()["targets"]:
        measure = MEASURES[row["measure"]]
        unit = {"percent": "%", "days": "", "yuan": ""}[row["unit"]]
        rows.append(
            [
                measure.zh if chinese else measure.en, schemes.get(row["scheme"], row["scheme"]), row["of"],
                f"{row['target']:,.2f}{unit}", f"{row['tolerance']:,.2f}", f"{row['usual']:,.2f}{unit}",
                f"{row['reached']:,.2f}{unit}", met if row["is_met"] else missed,
            ]
        )  # fmt: skip
    usual = {name: percent for name, percent in outcome.habits.as_table().items() if percent != 100}
    told = ", ".join(f"{name} {percent} %" for name, percent in usual.items()) or "-"
    title = outcome.targets.name_zh if chinese else outcome.targets.name
    lines = table_lines(rows, left_columns=3)
    del lines[-2]  # a rule before the last row, which is no sum here
    return [title, *lines, ("与通常之比：" if chinese else "of the usual city: ") + told]


class _Bar:
    """A progress bar where there is a terminal, nothing elsewhere."""

    def __init__(self, total: int):
        self._total = total
        self._progress: Any = None

    def __enter__(self) -> _Bar:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress

            self._progress = Progress(console=Console(stderr=True))
            self._progress.start()
            self._task = self._progress.add_task("claims", total=self._total)
        return self

    def at(self, done: int) -> None:
        """Show how many are done."""
        if self._progress is not None:
            self._progress.update(self._task, completed=done)

    def __exit__(self, *exception: object) -> None:
        if self._progress is not None:
            self._progress.stop()
