"""``adjudicator warmup``: compiles every kernel ahead, so that the service is ready a moment after its start."""

from __future__ import annotations

import argparse
import json
import time


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "warmup",
        help="compile the kernels ahead of the first call",
        description="Compiles every kernel and rule pack into their caches; run it once after installing.",
    )
    parser.add_argument("--pack", action="append", default=[], help="rule pack, a name or a folder; repeatable")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Load the packs and price a claim that is thrown away, as a message and in tables."""
    from adjudicator.compiled.cache import PACKAGE, cache_folder
    from adjudicator.reprice.warming import warm_up as warm_up_tables
    from adjudicator.service.engines import Engines
    from adjudicator.service.metrics import Metrics
    from adjudicator.service.options import ServeOptions
    from adjudicator.service.settling import Settler
    from adjudicator.service.store import Store
    from adjudicator.service.warming import example, warm_up

    options = ServeOptions()
    started = time.perf_counter()
    engines = Engines.load(tuple(arguments.pack) or options.packs)
    loaded = time.perf_counter()
    warm_up(Settler(engines.settling, Store(None, options.data_folder), options, Metrics()))
    bundle = engines.settling.bundle
    warm_up_tables(list(arguments.pack) or list(options.packs), bundle, example(bundle))
    finished = time.perf_counter()
    figures = {
        "rules_hash": engines.settling.bundle.hash,
        "rules_seconds": round(loaded - started, 3),
        "kernels_seconds": round(finished - loaded, 3),
        "cache": str(cache_folder(PACKAGE / "benefit")),
    }
    if arguments.json:
        print(json.dumps(figures))
    else:
        print(f"rules {figures['rules_hash']} compiled in {figures['rules_seconds']} s")
        print(f"kernels ready in {figures['kernels_seconds']} s, kept in {figures['cache']}")
    return 0
