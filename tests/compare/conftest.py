from __future__ import annotations

from pathlib import Path

import pytest

from tests.compare.runs import priced
from tests.reprice.conftest import year as year


@pytest.fixture(scope="session")
def base(year: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The synthetic year under its own rules, with facts."""
    return priced(year / "parquet", tmp_path_factory.mktemp("base") / "out", "taohuayuan")
