"""The way of a claim stays short: settling one may not take more calls, files or moves than when it was last shortened.

Who shortens the way lowers the figures here; `benchmarks/way_of_a_claim.py --calls` lists the calls.
"""

from __future__ import annotations

import asyncio

from benchmarks.way_of_a_claim import follow

from adjudicator.claim.engine import Engine
from adjudicator.rules.bundle import load_bundle

MOST = {"calls": 116, "files": 34, "moves from file to file": 76, "moves between folders": 32}
"""Twelve of the calls are those of ``ledger.pipe``, which takes the place of the library; its calls did not count."""


def test_a_claim_takes_no_longer_way_than_before(store_url):
    figures = asyncio.run(follow(Engine(load_bundle(["hangzhou"])), store_url)).figures()
    longer = {name: figures[name] for name, most in MOST.items() if figures[name] > most}
    assert not longer, figures  # a wait for the store that is resumed adds a few calls, so there is some room
