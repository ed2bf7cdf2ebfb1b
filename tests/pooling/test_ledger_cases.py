"""Cases read back from a real ledger: what the service settled is what the month clears."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

import pytest

from adjudicator.cli.main import main
from adjudicator.codes import Method
from adjudicator.ledger.store import Ledger
from adjudicator.pooling.ledger_cases import cases_of, months_around, read_stays
from adjudicator.rules.faults import PackError
from adjudicator.v1 import settlement_pb2
from tests.ledger import made

POOL = "990000"
HOSPITAL = "H99000100001"


@dataclass
class DrgCase(made.Case):
    """A settlement priced by DRG points."""

    institution: str = HOSPITAL
    county: int = 990001
    date: int = 20250310
    points_e8: int = 100 * 10**8
    group: str = "FR21"

    @property
    def answer(self) -> bytes:
        answer = settlement_pb2.Settlement.FromString(super().answer)
        answer.personal_total_fen = self.total_fen - self.pooled_fen - self.catastrophic_fen
        answer.payment.method, answer.payment.points_e8 = int(Method.DRG_POINTS), self.points_e8
        answer.payment.difference_fen = self.due_fen - self.pooled_fen
        answer.grouping.drg = self.group
        return answer.SerializeToString()


CASES = [
    DrgCase("p1", "E1", catastrophic_fen=5_000),
    DrgCase("p2", "E2", county=990002, points_e8=300 * 10**8),
    DrgCase("p1", "E3", date=20250402),
]


async def settle_all(url: str, cases: list[DrgCase], reverse: DrgCase | None = None) -> None:
    async with await Ledger.open(url, allow_volatile=True) as ledger:
        for case in cases:
            await made.settle(ledger, [case], POOL)
        if reverse is not None:
            await ledger.reverse(POOL, reverse.key, reverse.reversal_key)


async def read(url: str, period: int, stays=None):
    async with await Ledger.open(url, allow_volatile=True) as ledger:
        return await cases_of(ledger, POOL, months_around(period), stays)


def test_a_settlement_comes_back_as_a_case(store_url: str) -> None:
    asyncio.run(settle_all(store_url, CASES, reverse=CASES[1]))
    cases = asyncio.run(read(store_url, 202503))
    assert cases.ids.tolist() == [f"{HOSPITAL}/E1/1", f"{HOSPITAL}/E2/1", f"{HOSPITAL}/E2/1", f"{HOSPITAL}/E3/1"]
    first, _, taken_back, _ = cases.rows
    assert (first["total_fen"], first["patient_fen"], first["others_fen"]) == (100_000, 35_000, 5_000)
    assert (first["fund_fen"], first["due_fen"], first["points_e8"]) == (60_000, 61_000, 100 * 10**8)
    assert taken_back["sign"] == -1
    assert cases.rows["person"][0] == cases.rows["person"][3] != cases.rows["person"][1]


def test_a_month_settles_from_the_ledger_and_again_after_a_reversal(store_url: str, capsys, tmp_path) -> None:
    asyncio.run(settle_all(store_url, CASES))
    words = ["settle-month", "--pack", "taohuayuan", "--month", "202503", "--from-ledger", "--redis", store_url]
    words += ["--budget", "390=5000", "--json"]

    def settled(*more: str) -> dict:
        assert main([*words, *more]) == 0
        return json.loads(capsys.readouterr().out)

    first = settled()["schemes"]["390"]
    assert first["fund_fen"] == 485_000 == sum(first["counties"].values())
    assert first["counties"] == {"990001": 121_250, "990002": 363_750}
    assert settled()["posted"] == []
    stays = tmp_path / "stays.csv"
    stays.write_text(
        "case,admission_date,discharge_date\n"
        f"{HOSPITAL}/E1/1,2025-03-01,2025-03-25\n{HOSPITAL}/E3/1,2025-03-30,2025-04-02\n", encoding="utf-8",
    )  # fmt: skip
    halved = settled("--stays", str(stays))
    assert halved["schemes"]["390"]["points_e8"] == 350 * 10**8
    assert len(halved["posted"]) == 4

    async def take_back() -> None:
        async with await Ledger.open(store_url, allow_volatile=True) as ledger:
            await ledger.reverse(POOL, CASES[1].key, CASES[1].reversal_key)

    asyncio.run(take_back())
    assert settled("--stays", str(stays))["schemes"]["390"]["counties"] == {"990001": 485_000}
    assert main(["ledger", "verify", "--redis", store_url]) == 0


def test_bad_stays_are_named(tmp_path) -> None:
    path = tmp_path / "stays.csv"
    path.write_text("case,admission_date,discharge_date\na,2025-03-10,2025-03-01\n", encoding="utf-8")
    with pytest.raises(PackError, match="discharge_date: is before admission_date"):
        read_stays(path)
