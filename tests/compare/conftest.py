from __future__ import annotations

from pathlib import Path

import pytest

from tests.compare.runs import copied, priced
from tests.reprice.conftest import claims as claims
from tests.reprice.conftest import year as year


@pytest.fixture(scope="session")
def base(year: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The synthetic year under its own rules, with facts."""
    return priced(year / "parquet", tmp_path_factory.mktemp("base") / "out", "taohuayuan")


DEDUCTIBLE = {
    "benefit/employee.toml": (
        "deductible_yuan = { primary = 200, secondary = 800", "deductible_yuan = { primary = 200, secondary = 1000",
    )
}  # fmt: skip


@pytest.fixture(scope="session")
def deductible(year: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The year where the deductible of employees in secondary hospitals is 200 yuan higher."""
    folder = tmp_path_factory.mktemp("deductible")
    return priced(year / "parquet", folder / "out", str(copied(folder / "pack", DEDUCTIBLE)))
