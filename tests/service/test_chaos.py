"""Killed, cut off and repeated: nothing acknowledged is lost and nothing counts twice (small size of ``chaos``)."""

import asyncio

import pytest

from .chaos import Chaos


def test_nothing_is_lost_and_nothing_is_double_while_service_and_store_are_killed(tmp_path):
    figures = asyncio.run(Chaos(1_500, kills=3, store_kills=1, callers=8, seed=1, folder=tmp_path).run())
    assert figures.faults == []
    assert (figures.kills, figures.store_kills) == (3, 1)


@pytest.mark.full
def test_the_full_size(tmp_path):
    figures = asyncio.run(Chaos(100_000, kills=10, store_kills=2, callers=8, seed=2, folder=tmp_path).run())
    print(figures)
    assert figures.faults == []
