"""A real store for the ledger's tests: one for all, a pool of its own for each test."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from adjudicator.ledger.embedded import EmbeddedStore
from adjudicator.ledger.store import Ledger

_POOLS = itertools.count(990_000)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """One Valkey for all tests that leave it alive."""
    with EmbeddedStore.start(tmp_path_factory.mktemp("ledger")) as running:
        yield running


@pytest.fixture
def pool() -> str:
    """A pool that no other test has touched."""
    return f"{next(_POOLS):06d}"


Scenario = Callable[[Ledger], Awaitable[Any]]


@pytest.fixture
def play(store: EmbeddedStore) -> Callable[[Scenario], Any]:
    """Runs a scenario against the store."""

    def run(scenario: Scenario) -> Any:
        async def with_ledger() -> Any:
            async with await Ledger.open(store.url) as ledger:
                return await scenario(ledger)

        return asyncio.run(with_ledger())

    return run
