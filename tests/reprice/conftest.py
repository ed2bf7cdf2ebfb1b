from __future__ import annotations

from pathlib import Path

import pytest

from adjudicator.claim.engine import Engine
from adjudicator.rules.bundle import load_bundle
from adjudicator.synth import write
from adjudicator.synth.city import Synthesizer
from adjudicator.v1 import claim_pb2

COUNT = 3000


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine(load_bundle(["taohuayuan"]))


@pytest.fixture(scope="session")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a synthetic year as ``parquet`` and as ``pb``; few persons, so that each has several claims."""
    folder = tmp_path_factory.mktemp("year")
    city = Synthesizer(["taohuayuan"], 7, year=2023, persons=400, inpatient_share=0.4)
    for name in ("parquet", "pb"):
        (folder / name).mkdir()
    write.write_protobuf(city, COUNT, folder / "pb" / write.PROTOBUF_FILE, 37, lambda _: None)
    write.write_parquet(city, COUNT, folder / "parquet", lambda _: None)
    return folder


@pytest.fixture(scope="session")
def claims(year: Path) -> list[claim_pb2.Claim]:
    """The claims of the synthetic year as messages."""
    return [
        claim
        for batch in write.read_protobuf(year / "pb" / write.PROTOBUF_FILE)
        for claim in claim_pb2.ClaimBatch.FromString(batch).claims
    ]
