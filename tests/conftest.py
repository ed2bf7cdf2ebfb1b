"""Fixtures that every area shares: the folder beside the repository, the embedded store, the mark for long runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numba
import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

# No deadline: the first example may have to compile a kernel. In continuous integration the same examples each time.
settings.register_profile("here", deadline=None)
settings.register_profile("integration", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("integration" if os.environ.get("CI") else "here")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that also run what is marked ``check`` (`./dev check`) and ``full`` (`./dev full`)."""
    parser.addoption("--check", action="store_true", help="also run the tests marked check: slower, some minutes")
    parser.addoption("--full", action="store_true", help="also run the tests marked full: large sizes, many minutes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what is marked ``check`` or ``full`` unless it was asked for, and ``compiled`` where nothing is compiled."""
    for mark, reason in (("check", "slower; run ./dev check"), ("full", "full size; run ./dev full")):
        if not config.getoption(f"--{mark}"):
            for item in items:
                if item.get_closest_marker(mark):
                    item.add_marker(pytest.mark.skip(reason=reason))
    for item in items if numba.config.DISABLE_JIT else ():
        if item.get_closest_marker("compiled"):
            item.add_marker(pytest.mark.skip(reason="takes minutes with the compiler off"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder beside the repository with the national tables, which are not part of it."""
    if not SHARED.is_dir():
        pytest.skip("needs the national tables in ../shared, which are not part of this repository")
    return SHARED


@pytest.fixture(scope="session")
def packs() -> Path:
    """The folder of the rule packs that ship with the package."""
    return ROOT / "src" / "adjudicator" / "packs"


@pytest.fixture(scope="session")
def store_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of one real Valkey server for the whole run; use ``store_url``, which is empty at the start of each test."""
    from adjudicator.ledger.embedded import EmbeddedStore

    with EmbeddedStore.start(tmp_path_factory.mktemp("store")) as store:
        yield store.url


@pytest.fixture
def store_url(store_server: str) -> str:
    """URL of a running, empty store."""
    import redis

    with redis.Redis.from_url(store_server) as client:
        client.flushall()
    return store_server
