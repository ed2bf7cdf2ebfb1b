"""One service for all callers of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adjudicator.service.process import ServiceProcess


@pytest.fixture(scope="package")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a service with the toy city and a ledger of its own."""
    data = tmp_path_factory.mktemp("ledger")
    options = ("--pack", "taohuayuan", "--listen", "127.0.0.1:0", "--data", str(data))
    with ServiceProcess(*options, log=data / "service.log") as service:
        service.wait_until_serving()
        yield service.address
