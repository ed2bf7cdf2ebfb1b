"""Cases read back from a real ledger: what the service settled is what the month clears."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import adjudicator
from adjudicator.cli.main import main
from adjudicator.ledger.store import Ledger
from adjudicator.payers import Fund
from adjudicator.pooling.cases import Cases
from adjudicator.pooling.hospitals.settlement import sums_of
from adjudicator.pooling.periods.ledger_cases import cases_of, months_from, read_stays
from adjudicator.pooling.periods.posting import Accounts, differences, post_lines, posted, standing_of
from adjudicator.rulefile.faults import PackError
from adjudicator.v1 import settlement_pb2
from tests.ledger import made
from tests.pooling.settled import HOSPITAL, POOL, DrgCase, settle_all

PACKS = Path(adjudicator.__file__).parent / "packs"
OTHER_HOSPITAL = "H33010600001"


CASES = [
    DrgCase("p1", "E1", catastrophic_fen=5_000),
    DrgCase("p2", "E2", county=990002, points_e8=300 * 10**8),
    DrgCase("p1", "E3", date=20250402),
]


async def read(url: str, period: int, stays=None):
    async with await Ledger.open(url, allow_volatile=True) as ledger:
        return (await cases_of(ledger, POOL, await months_from(ledger, POOL, period), stays)).cases


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
        look = run(*more)
        found = run("--post", *more)
        assert look["would_post"] == found["posted"] and run(*more)["would_post"] == []
        return found

    def run(*more: str) -> dict:
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


def test_stays_and_diagnoses_come_from_the_records(store_url: str, capsys, tmp_path) -> None:
    """The earlier of two stays is halved without any file; a file of stays has the last word."""
    two = [
        DrgCase("p1", "E1", stay=(20250301, 20250308), principal="I21.000"),
        DrgCase("p1", "E2", date=20250402, stay=(20250320, 20250402), principal="I21.000x001"),
    ]
    asyncio.run(settle_all(store_url, two))
    cases = asyncio.run(read(store_url, 202503))
    assert cases.rows["admission_date"].tolist() == [20250301, 20250320]
    assert cases.diagnoses is not None and cases.diagnoses.tolist() == ["I21.000", "I21.000x001"]
    words = ["settle-month", "--pack", "taohuayuan", "--month", "202503", "--from-ledger", "--redis", store_url]
    words += ["--budget", "390=5000", "--json"]
    assert main(words) == 0
    settled = json.loads(capsys.readouterr().out)
    assert settled["schemes"]["390"]["points_e8"] == 50 * 10**8 and settled["notes"] == []
    stays = tmp_path / "stays.csv"
    stays.write_text(
        f"case,admission_date,discharge_date,exempt\n{HOSPITAL}/E2/1,2025-03-20,2025-04-02,true\n", encoding="utf-8"
    )
    assert main([*words, "--stays", str(stays)]) == 0
    assert json.loads(capsys.readouterr().out)["schemes"]["390"]["points_e8"] == 100 * 10**8


def test_what_the_engine_settles_comes_back_with_its_stay(store_url: str) -> None:
    """Real claims through the engine into the ledger, one of them refused: each case has its own stay and diagnosis."""
    from adjudicator.claim.engine import Engine
    from adjudicator.rules.bundle import load_bundle
    from tests.service import claims
    from tests.service.test_settling import settle, settler

    sent = [
        claims.claim(diagnoses=["I10.x00x002"]),
        claims.claim(diagnoses=["I10.x00x002"], total_fen=1),  # its lines do not add up
        claims.claim(diagnoses=["E11.900", "I10.x00x002"], admission_date=20250301),
    ]

    async def day() -> Cases:
        async with settler(Engine(load_bundle(["hangzhou"])), store_url) as one:
            answers = await settle(one, *sent)
            assert [isinstance(answer, int) for answer in answers] == [False, True, False]
        async with await Ledger.open(store_url, allow_volatile=True) as ledger:
            return (await cases_of(ledger, claims.POOL, await months_from(ledger, claims.POOL, 202503))).cases

    found = asyncio.run(day())
    stays = dict(zip(found.ids.tolist(), found.rows["admission_date"].tolist(), strict=True))
    names = [f"{claims.HOSPITAL}/{one.encounter_id}/1" for one in (sent[0], sent[2])]
    assert stays == {names[0]: 20250311, names[1]: 20250301}
    assert found.diagnoses is not None
    assert dict(zip(found.ids.tolist(), found.diagnoses.tolist(), strict=True)) == {
        names[0]: "I10.x00x002", names[1]: "E11.900",
    }  # fmt: skip


def test_a_hospital_without_coefficient_stands_in_the_month_as_unpriced(store_url: str, capsys, tmp_path) -> None:
    """Real claims of two hospitals, one of which lost its coefficient: its stays are counted, named and not posted."""
    from adjudicator.claim.engine import Engine
    from adjudicator.rules.bundle import load_bundle
    from tests.service import claims
    from tests.service.test_settling import settle, settler

    pack = tmp_path / "packs/hangzhou"
    shutil.copytree(PACKS, tmp_path / "packs")
    table = pack / "payment/coefficients_demo.csv"
    kept = [line for line in table.read_text("utf-8").splitlines(True) if OTHER_HOSPITAL not in line]
    assert len(kept) < len(table.read_text("utf-8").splitlines())
    table.write_text("".join(kept), "utf-8")
    sent = [claims.claim(2_000_000)]
    sent += [claims.claim(fen, institution_code=OTHER_HOSPITAL) for fen in (900_000, 700_000)]

    async def day() -> tuple[Cases, list[settlement_pb2.Settlement]]:
        async with settler(Engine(load_bundle([str(pack)])), store_url) as one:
            answers = await settle(one, *sent)
        async with await Ledger.open(store_url, allow_volatile=True) as ledger:
            return (await cases_of(ledger, claims.POOL, await months_from(ledger, claims.POOL, 202503))).cases, answers

    cases, answers = asyncio.run(day())
    assert cases.reasons is not None
    assert dict(zip(cases.ids.tolist(), cases.reasons.tolist(), strict=True)) == {
        f"{one.institution_code}/{one.encounter_id}/1": "ADJ-8003" if one.institution_code == OTHER_HOSPITAL else ""
        for one in sent
    }
    words = ["settle-month", "--pack", str(pack), "--month", "202503", "--from-ledger", "--redis", store_url]
    words += ["--budget", "390=5000", "--json", "--report", str(tmp_path / "report")]
    assert main(words) == 0  # looking is free
    assert "would_post" in json.loads(capsys.readouterr().out)
    assert main([*words, "--post"]) != 0
    printed = capsys.readouterr()
    settled = json.loads(printed.out)
    assert settled["unpriced"] == [
        {"scheme": "390", "hospital": OTHER_HOSPITAL, "county": claims.COUNTY, "cases": 2, "total_fen": 1_600_000,
         "fund_fen": sum(answer.pooled_fund_fen for answer in answers[1:]), "reasons": ["ADJ-8003"]},
    ]  # fmt: skip
    assert "ADJ-8008" in printed.err and f"2 cases, 16000.00 yuan, of {OTHER_HOSPITAL}" in printed.err
    assert "posted" not in settled and OTHER_HOSPITAL not in settled["hospitals_fen"]
    lines = (tmp_path / "report/202503-all.csv").read_text("utf-8").splitlines()
    assert f"390/unpriced,{OTHER_HOSPITAL},{claims.COUNTY},2,,1600000,,," in lines

    async def final() -> dict:
        async with await Ledger.open(store_url, allow_volatile=True) as ledger:
            return await posted(ledger, claims.POOL, 202503, {Fund.PROVIDER_FINAL, Fund.PROVIDER_PREPAID})

    assert asyncio.run(final()) == {}
    assert main([*words, "--without-unpriced", "--post"]) == 0
    assert json.loads(capsys.readouterr().out)["posted"] and asyncio.run(final())
    assert main([word for word in words if word != "--json"]) == 0
    shown = capsys.readouterr().out
    assert f"未计价 {OTHER_HOSPITAL}" in shown and "2 例, 总费用 16000.00 元" in shown


@pytest.mark.parametrize("command", [
    ["settle-month", "--pack", "taohuayuan", "--month", "202503", "--from-ledger"],
    ["settle-year", "--pack", "taohuayuan", "--year", "2025", "--from-ledger"],
    ["ledger", "totals"], ["ledger", "verify"],
])  # fmt: skip
def test_a_folder_that_is_no_ledger_stays_as_it_is(command, capsys, tmp_path) -> None:
    (tmp_path / "ledger").mkdir()
    for folder in (tmp_path, tmp_path / "not there"):
        assert main([*command, "--data", str(folder)]) != 0
        assert "ADJ-9022" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ledger"]


def test_a_made_up_year_is_not_posted(capsys) -> None:
    assert main(["settle-year", "--pack", "taohuayuan", "--synthetic", "100", "--post"]) != 0
    assert "made-up year" in capsys.readouterr().err


def test_posting_needs_a_ledger(capsys, tmp_path) -> None:
    words = [
        "settle-month",
        "--pack",
        "taohuayuan",
        "--month",
        "202503",
        "--cases",
        str(tmp_path / "none.csv"),
        "--post",
    ]
    assert main(words) != 0
    assert "--redis" in capsys.readouterr().err


def test_a_stay_that_is_not_known_is_said(store_url: str, capsys) -> None:
    asyncio.run(settle_all(store_url, CASES[:1]))
    words = ["settle-month", "--pack", "taohuayuan", "--month", "202503", "--from-ledger", "--redis", store_url]
    assert main([*words, "--budget", "390=5000", "--json"]) == 0
    (note,) = json.loads(capsys.readouterr().out)["notes"]
    assert "1 DRG cases have no dates of the stay" in note


def test_a_reversal_long_after_the_year_is_known(store_url: str) -> None:
    async def settle_and_take_back() -> list[int]:
        async with await Ledger.open(store_url, allow_volatile=True) as ledger:
            await made.settle(ledger, [CASES[0]], POOL)
            await ledger.reverse(POOL, CASES[0].key, CASES[0].reversal_key, date=20261130)
            return await months_from(ledger, POOL, 2025)

    assert asyncio.run(settle_and_take_back()) == [202503, 202611]
    assert asyncio.run(read(store_url, 202503)).rows["sign"].tolist() == [1, -1]


@pytest.mark.compiled
def test_two_settlements_of_a_month_at_once_post_it_once(store_url: str) -> None:
    """Two runs of the command over one ledger, started together, after a reversal that both must post."""
    asyncio.run(settle_all(store_url, CASES))
    words = ["settle-month", "--pack", "taohuayuan", "--month", "202503", "--from-ledger", "--redis", store_url]
    command = [sys.executable, "-m", "adjudicator", *words, "--budget", "390=5000", "--json", "--post"]

    def together() -> list[dict]:
        runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        return [json.loads(run.communicate()[0]) for run in runs]

    async def final() -> dict:
        async with await Ledger.open(store_url, allow_volatile=True) as ledger:
            return await posted(ledger, POOL, 202503, {Fund.PROVIDER_FINAL})

    assert [run["schemes"]["390"]["counties"] for run in together()] == [{"990001": 121_250, "990002": 363_750}] * 2
    assert {place[0]: fen for place, fen in asyncio.run(final()).items()} == {990001: 121_250, 990002: 363_750}
    asyncio.run(settle_all(store_url, [], reverse=CASES[1]))
    together()
    assert {place[0]: fen for place, fen in asyncio.run(final()).items()} == {990001: 485_000}
    assert main(["ledger", "verify", "--redis", store_url]) == 0


@pytest.mark.parametrize("runs", [2, 6])
def test_settlements_that_race_end_at_their_targets(store_url: str, runs: int) -> None:
    """Every turn all runs see the same ledger and want the same totals; it takes each difference once."""
    first, second = (990001, 2, 13, "H1"), (990002, 2, 13, "H2")
    turns = [{first: 700, second: 300}, {second: 900}, {first: 700}, {}]
    funds = frozenset({Fund(13)})
    accounts = Accounts("settle-month", 202503, funds)

    async def race() -> None:
        ledgers = [await Ledger.open(store_url, allow_volatile=True) for _ in range(runs)]
        for targets in turns:
            before = accounts.own((await standing_of(ledgers[0], POOL, 202503)).lines)
            changes = await asyncio.gather(*(post_lines(one, POOL, accounts, targets) for one in ledgers))
            assert [change for change in changes if change] == [differences(targets, before)]
            assert await posted(ledgers[0], POOL, 202503, funds) == sums_of(targets)
        for one in ledgers:
            await one.close()

    asyncio.run(race())


def test_settlements_that_race_with_other_totals_leave_one_of_them(store_url: str) -> None:
    """One run began before a reversal, the other after it: the ledger ends at one of the two, never at a mixture."""
    old, new = {(990001, 2, 13, "H1"): 700, (990002, 2, 13, "H2"): 300}, {(990001, 2, 13, "H1"): 450}
    accounts = Accounts("settle-month", 202503, frozenset({Fund.PROVIDER_FINAL}))

    async def race() -> None:
        one, other = [await Ledger.open(store_url, allow_volatile=True) for _ in range(2)]
        for _ in range(20):
            await asyncio.gather(
                post_lines(one, POOL, accounts, old),
                post_lines(other, POOL, accounts, new),
            )
            assert await posted(one, POOL, 202503, {Fund.PROVIDER_FINAL}) in (sums_of(old), sums_of(new))
        await one.close()
        await other.close()

    asyncio.run(race())


def test_bad_stays_are_named(tmp_path) -> None:
    path = tmp_path / "stays.csv"
    path.write_text("case,admission_date,discharge_date\na,2025-03-10,2025-03-01\n", encoding="utf-8")
    with pytest.raises(PackError, match="discharge_date: is before admission_date"):
        read_stays(path)
