"""``adjudicator settle-year``: yearly clearing with the hospitals, or a whole synthetic year from claims to deficit."""

from __future__ import annotations

import argparse
from pathlib import Path

from adjudicator.cli import settle_month


def add_parser(subparsers) -> None:
    """Registers the command."""
    parser = subparsers.add_parser(
        "settle-year", help="yearly clearing with the hospitals",
        description="Point value of a year with surplus kept and overspend shared, quality deposit, money by hospital "
        "and county. Posts what the year differs from its months. --synthetic N runs a made-up year instead.",
    )  # fmt: skip
    parser.add_argument("--year", type=int, default=2025, metavar="YYYY", help="the year (default %(default)s)")
    parser.add_argument("--scores", type=Path, metavar="FILE", help="quality scores: hospital, score")
    parser.add_argument("--synthetic", type=int, default=0, metavar="N", help="claims of a made-up year, no case file")
    parser.add_argument("--seed", type=int, default=1, help="seed of the made-up year (default %(default)s)")
    settle_month.add_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Settles a year."""
    if arguments.synthetic:
        from adjudicator.pooling.synthetic_year import run_command

        return run_command(arguments)
    scores = None
    if arguments.scores:
        from adjudicator.pooling.context import read_scores

        scores = read_scores(arguments.scores)
    return settle_month.settle_period(arguments, arguments.year, scores)
