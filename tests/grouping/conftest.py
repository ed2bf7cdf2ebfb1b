"""Schemes of the grouping tests, each with its naive twin."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from adjudicator.grouping.scheme.load import SHIPPED, Scheme, load_scheme
from tests.grouping.generated import write_scheme
from tests.grouping.naive import NaiveGrouper


class Pair(NamedTuple):
    """A scheme and the slow reading of the same tables."""

    scheme: Scheme
    naive: NaiveGrouper


def pair(folder: Path) -> Pair:
    """Both readings of one folder."""
    return Pair(load_scheme(folder), NaiveGrouper(folder))


@pytest.fixture(scope="session")
def demo() -> Pair:
    """The shipped scheme."""
    return pair(SHIPPED / "chs-demo")


@pytest.fixture(scope="session")
def national(shared: Path) -> Pair:
    """CHS-DRG 1.1 from the folder beside the repository."""
    return pair(shared / "chs-drg-1.1")


@pytest.fixture(scope="session")
def extended(tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    """Generated schemes that use every value of every column; even seeds do not retry with other procedures."""
    folder = tmp_path_factory.mktemp("schemes")
    return [pair(write_scheme(folder / f"generated-{seed}", seed)) for seed in range(6)]
