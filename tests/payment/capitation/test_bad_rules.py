"""Contracts that overlap."""

from __future__ import annotations

from tests.payment import toy
from tests.payment.bad import only


def test_months_of_contracts_overlap(tmp_path) -> None:
    contract = (
        f'[[contract]]\nid = "{{}}"\nhospital = "H00000000003"\nscheme = "employee"\n{toy.SOURCE}'
    )  # fmt: skip
    fault = only(tmp_path, toy.THIN + contract.format("c1") + contract.format("c2"))
    assert fault == "payment.toml: contract[1]: months of c2 and c1 overlap — end one before the other"
