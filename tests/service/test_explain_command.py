"""``adjudicator explain`` of a settlement that a service has stored, asked at the service and at its store."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from adjudicator.cli.main import main
from adjudicator.ledger.embedded import EmbeddedStore
from adjudicator.service.process import ServiceProcess

from .claims import claim


def test_a_stored_settlement(
    service: ServiceProcess, stubs: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    message = claim(900_000, 250_000)
    settled = stubs.adjudication.Settle(message)
    named = ["--institution", message.institution_code, "--encounter", message.encounter_id, "--json"]
    assert main(["explain", "--target", service.address, "--area", message.insured_area, *named]) == 0
    from_service = json.loads(capsys.readouterr().out)
    assert from_service["settlement"]["settlement_id"] == settled.settlement_id
    store = EmbeddedStore.start(service.log.parent / "data")
    try:
        assert main(["explain", "--redis", store.url, *named]) == 0
        assert json.loads(capsys.readouterr().out)["explanation"]["steps"] == from_service["explanation"]["steps"]
        assert main(["explain", "--redis", store.url, *named, "--sequence", "7"]) == 1
    finally:
        store.stop()
    assert (
        main(["explain", "--target", service.address, "--area", message.insured_area, *named, "--sequence", "7"]) == 1
    )
