"""Decisions that last, and months and years that close, over a real ledger and the real commands."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import adjudicator
from adjudicator.cli.ledger_acts import KINDS
from adjudicator.cli.main import main
from adjudicator.ledger.acts import read_acts
from adjudicator.ledger.store import Ledger
from adjudicator.payers import Fund
from adjudicator.pooling.periods.closing import closings
from adjudicator.pooling.periods.decisions import Kind
from adjudicator.pooling.periods.posting import standing_of
from tests.pooling.settled import HOSPITAL, POOL, DrgCase, settle_all

PACKS = Path(adjudicator.__file__).parent / "packs"
OTHER = "H99000200001"
MARCH = [
    DrgCase("p1", "E1", catastrophic_fen=5_000),
    DrgCase("p2", "E2", county=990002, points_e8=300 * 10**8),
    DrgCase("p3", "E3", institution=OTHER, points_e8=200 * 10**8),
]
APRIL = [DrgCase("p4", "E4", date=20250410), DrgCase("p5", "E5", date=20250411, institution=OTHER, county=990002)]
LATE = DrgCase("p6", "E6", date=20250328, points_e8=60 * 10**8)
BUDGET = ["--budget", "390=6000"]


@pytest.fixture
def settle(store_url, capsys):
    """Run settle-month or settle-year over the ledger and return what it prints as data."""

    def run(period: int, *more: str, code: int = 0) -> dict:
        words = ["settle-year", "--year"] if period < 10_000 else ["settle-month", "--month"]
        words += [str(period), "--pack", "taohuayuan", "--from-ledger", "--redis", store_url, "--json", *more]
        capsys.readouterr()
        assert main(words) == code
        printed = capsys.readouterr()
        return {"error": printed.err} if code else json.loads(printed.out)

    return run


@pytest.fixture
def other_store_url(store_url) -> str:
    """URL of another empty ledger."""
    return f"{store_url}?db=1"


def sums(lines: list[list]) -> dict[tuple[int, str], int]:
    """Money by account and hospital."""
    found: dict[tuple[int, str], int] = {}
    for _, _, fund, hospital, fen in lines:
        found[fund, hospital] = found.get((fund, hospital), 0) + fen
    return {place: fen for place, fen in found.items() if fen}


async def held(url: str, *months: int) -> dict[tuple[int, str], int]:
    """What the ledger's postings of some months say, by account and hospital; it is what the totals say."""
    async with await Ledger.open(url, allow_volatile=True) as ledger:
        rows = []
        for month in months:
            lines = (await standing_of(ledger, POOL, month)).lines
            rows += [[*place, fen] for place, fen in lines.items()]
        assert not any(row[3] == "" for row in rows)
        return sums(rows)


def take_back(url: str, case: DrgCase, date: int = 0) -> None:
    async def steps() -> None:
        async with await Ledger.open(url, allow_volatile=True) as ledger:
            await ledger.reverse(POOL, case.key, case.reversal_key, date=date)

    asyncio.run(steps())


def reviews(path: Path, **points: str) -> str:
    lines = [f"{HOSPITAL}/{case}/1,{value},,\n" for case, value in points.items()]
    path.write_text("case,points,reasonable_cost_yuan,replaces\n" + "".join(lines), encoding="utf-8")
    return str(path)


def test_the_command_knows_every_kind_of_decision() -> None:
    assert tuple(KINDS) == tuple(Kind)


def test_unpriced_cases_of_an_open_and_a_closed_month_add_up(settle, store_url) -> None:
    asyncio.run(settle_all(store_url, MARCH))
    settle(202503, "--close", *BUDGET)
    late = [DrgCase(f"u{day}", f"U{day}", date=day, method=0) for day in (20250329, 20250401)]
    asyncio.run(settle_all(store_url, [*APRIL, *late]))
    (row,) = settle(202504, *BUDGET)["unpriced"]
    assert (row["cases"], row["total_fen"]) == (2, 200_000)


def test_a_run_without_the_file_keeps_the_review(settle, store_url, tmp_path) -> None:
    """P2: the same command without --decisions posted the review back, and said 0.00."""
    asyncio.run(settle_all(store_url, MARCH))
    first = settle(202503, "--post", *BUDGET)
    file = reviews(tmp_path / "d.csv", E1="250")
    trial = settle(202503, "--decisions", file)
    reviewed = settle(202503, "--post", "--decisions", file, "--by", "wang")
    assert trial["would_post"] == reviewed["posted"] != []
    by_hospital = sums(reviewed["posted"])
    assert by_hospital[Fund.PROVIDER_FINAL, HOSPITAL] > 0 > by_hospital[Fund.PROVIDER_FINAL, OTHER]
    assert settle(202503, "--post")["posted"] == [] and settle(202503)["would_post"] == []
    assert settle(202503)["schemes"]["390"]["points_e8"] == first["schemes"]["390"]["points_e8"] + 150 * 10**8
    assert settle(202503, "--post", "--decisions", file)["posted"] == []
    assert main(["ledger", "verify", "--redis", store_url]) == 0


def test_what_is_decided_is_changed_by_withdrawing_it(settle, store_url, tmp_path, capsys) -> None:
    asyncio.run(settle_all(store_url, MARCH))
    before = settle(202503, "--post", *BUDGET)
    words = ["--redis", store_url]
    decide = ["ledger", "decide", "review", "--pack", "taohuayuan", "--period", "202503", "--by", "wang", *words]
    assert main([*decide, reviews(tmp_path / "d.csv", E1="250")]) == 0
    assert "第 2 号登记: 特病单议 202503, 1 行, d.csv, wang" in capsys.readouterr().out
    assert main([*decide, reviews(tmp_path / "e.csv", E1="250", E2="310")]) == 0
    assert main([*decide, reviews(tmp_path / "f.csv", E1="260")]) == 1
    refused = capsys.readouterr().err
    assert f"act 2 has decided review of {HOSPITAL}/E1/1 otherwise" in refused and "withdraw 2" in refused
    assert "2 cases reviewed, 1 of 3 may be" in settle(202503, "--post", code=1)["error"]
    assert main(["ledger", "withdraw", "2", "--why", "重新评审", *words]) == 0
    assert main(["ledger", "withdraw", "2", "--why", "重新评审", *words]) == 1
    assert "act 2 was withdrawn by act 4" in capsys.readouterr().err
    assert main(["ledger", "withdraw", "9", "--why", "x", *words]) == 1
    assert "act 9 is no decision" in capsys.readouterr().err
    assert main(["ledger", "withdraw", "3", "--why", "重新评审", *words]) == 0
    capsys.readouterr()
    after = settle(202503, "--post")
    assert after["schemes"] == before["schemes"]
    assert main(["ledger", "decisions", "--json", *words]) == 0
    acts = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(act["act"], act["kind"], act.get("withdrawn_by")) for act in acts] == [
        (1, "budget", None), (2, "review", 4), (3, "review", 5), (4, "withdraw", None), (5, "withdraw", None),
    ]  # fmt: skip
    assert acts[1]["by"] == "wang" and len(acts[1]["sha256"]) == 64 and acts[2]["rows"] == 1
    assert acts[3]["why"] == "重新评审" and acts[3]["withdraws"] == 2


def test_what_comes_late_goes_to_the_open_month(settle, store_url, tmp_path) -> None:
    """P7: a late reversal or claim re-valued the month for everybody."""
    asyncio.run(settle_all(store_url, MARCH))
    closed = settle(202503, "--close", *BUDGET)
    march = asyncio.run(held(store_url, 202503))
    asyncio.run(settle_all(store_url, [*APRIL, LATE]))
    take_back(store_url, MARCH[1], 20250420)
    refused = settle(202503, "--post", code=1)["error"]
    assert "ADJ-8009" in refused and "202503 was closed by act 2" in refused
    again = settle(202503)
    assert again["closed"]["act"] == 2 and again["notes"] == closed["notes"]
    assert {name: again[name] for name in ("cases", "schemes", "hospitals_fen", "kept_fen", "unpriced")} == {
        name: closed[name] for name in ("cases", "schemes", "hospitals_fen", "kept_fen", "unpriced")
    }
    file = reviews(tmp_path / "d.csv", E1="250")
    assert main(["ledger", "decide", "review", "--pack", "taohuayuan", "--period", "202503", "--redis", store_url,
                 file]) == 0  # fmt: skip

    look = settle(202504, *BUDGET)
    april = settle(202504, "--close", *BUDGET)
    assert look["carried"] == april["carried"]
    # The value of March: 5,820 yuan over 600 points, 9.7 yuan a point; a late claim has 60, the review adds 150, and
    # a claim of 300 points is gone.
    assert closed["schemes"]["390"]["value_yuan"] == "9.700000"
    assert sums(april["carried"]["202503"]) == {(Fund.PROVIDER_PRIOR, HOSPITAL): 970 * (60 + 150 - 300)}
    assert sums(april["posted"])[Fund.PROVIDER_PRIOR, HOSPITAL] == 970 * (60 + 150 - 300)
    assert asyncio.run(held(store_url, 202503)) == march
    assert settle(202504)["closed"]["act"] == 5
    asyncio.run(settle_all(store_url, [DrgCase("p7", "E7", date=20250502)]))
    assert settle(202505, "--close", *BUDGET)["carried"] == {}
    assert main(["ledger", "verify", "--redis", store_url]) == 0


def test_a_closed_month_is_what_a_run_from_nothing_makes(settle, store_url, other_store_url, capsys, tmp_path) -> None:
    file = reviews(tmp_path / "d.csv", E1="250")
    asyncio.run(settle_all(store_url, MARCH))
    settle(202503, "--close", *BUDGET, "--decisions", file)
    take_back(store_url, MARCH[0], 20250420)
    asyncio.run(settle_all(store_url, [*APRIL, LATE]))
    settle(202504, "--close", *BUDGET)
    closed = settle(202503)

    asyncio.run(settle_all(other_store_url, MARCH))
    words = ["settle-month", "--pack", "taohuayuan", "--month", "202503", "--from-ledger", "--redis", other_store_url]
    assert main([*words, *BUDGET, "--decisions", file, "--json"]) == 0
    anew = json.loads(capsys.readouterr().out)
    for name in ("cases", "schemes", "hospitals_fen", "kept_fen", "limits", "unpriced", "notes"):
        assert closed[name] == anew[name], name


def test_a_closed_month_is_not_shown_under_other_rules(settle, store_url, tmp_path, capsys) -> None:
    asyncio.run(settle_all(store_url, MARCH))
    settle(202503, "--close", *BUDGET)
    shutil.copytree(PACKS, tmp_path / "packs")
    rules = tmp_path / "packs/taohuayuan/pooling.toml"
    text = rules.read_text("utf-8")
    assert text.count("reserve_percent = 3\n") == 1
    rules.write_text(text.replace("reserve_percent = 3\n", "reserve_percent = 4\n"), "utf-8")
    words = ["settle-month", "--pack", str(rules.parent), "--month", "202503", "--from-ledger", "--redis", store_url]
    assert main([*words, "--statements", str(tmp_path / "st")]) == 1
    assert "give 202503 other amounts than its closing, act 2" in capsys.readouterr().err
    assert not (tmp_path / "st").exists()


def test_the_year_takes_all_in_and_closes(settle, store_url) -> None:
    asyncio.run(settle_all(store_url, [*MARCH, *APRIL]))
    settle(202503, "--close", *BUDGET)
    refused = settle(2025, "--close", "--budget", "390=14000", code=1)["error"]
    assert "202504 has settlements and is open; close the months in order, 202504 first" in refused
    take_back(store_url, MARCH[1], 20250420)
    asyncio.run(settle_all(store_url, [LATE]))
    settle(202504, "--close", *BUDGET)
    year = settle(2025, "--close")
    owed = asyncio.run(held(store_url, *range(202501, 202513)))
    for hospital, fen in year["hospitals_fen"].items():
        accounts = (Fund.PROVIDER_FINAL, Fund.PROVIDER_PRIOR, Fund.PROVIDER_YEAR)
        assert sum(owed.get((fund, hospital), 0) for fund in accounts) == fen
    # What comes after the year's closing is the year's, at the year's value: 13,580 yuan over 560 points.
    take_back(store_url, LATE, 20260110)
    asyncio.run(settle_all(store_url, [DrgCase("p9", "E9", date=20260105)]))
    january = settle(202601, "--close", *BUDGET)
    assert year["schemes"]["390"]["value_yuan"] == "24.250000"
    assert sums(january["carried"]["2025"]) == {(Fund.PROVIDER_PRIOR, HOSPITAL): -2425 * 60}
    assert list(january["carried"]) == ["2025"]
    assert main(["ledger", "verify", "--redis", store_url]) == 0


def test_months_close_in_order_and_not_over_unpriced_cases(settle, store_url) -> None:
    asyncio.run(settle_all(store_url, [*MARCH, *APRIL]))
    assert "202503 has settlements and is open" in settle(202504, "--close", *BUDGET, code=1)["error"]
    settle(202503, "--close", *BUDGET)
    assert "ADJ-8009" in settle(202503, "--close", code=1)["error"]
    asyncio.run(settle_all(store_url, [DrgCase("p8", "E8", date=20250329, method=0)]))
    for more in ([], ["--without-unpriced"]):
        assert "ADJ-8008" in settle(202504, "--close", *more, code=1)["error"]
    assert settle(202504)["would_post"] != [] and "closed" not in settle(202504)


def test_a_closing_needs_the_ledgers_own_cases(capsys, store_url, tmp_path) -> None:
    words = ["settle-month", "--pack", "taohuayuan", "--month", "202503", "--close", "--redis", store_url]
    assert main([*words, "--cases", str(tmp_path / "none.csv")]) == 1
    assert "a period is closed over the ledger's own cases" in capsys.readouterr().err


def test_of_two_who_close_one_closes(store_url, capsys) -> None:
    asyncio.run(settle_all(store_url, MARCH))
    command = [sys.executable, "-m", "adjudicator", "settle-month", "--pack", "taohuayuan", "--month", "202503",
               "--from-ledger", "--redis", store_url, *BUDGET]  # fmt: skip
    runs = [
        subprocess.Popen([*command, *more], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for more in (["--close"], ["--close"], ["--post"])
    ]
    ends = [(run.wait(), run.stderr.read()) for run in runs if run.stderr is not None]
    assert sorted(code for code, _ in ends[:2]) == [0, 1]
    assert all("ADJ-8009" in error for code, error in ends if code)

    async def found() -> tuple[int, dict]:
        async with await Ledger.open(store_url, allow_volatile=True) as ledger:
            return len(closings(await read_acts(ledger, POOL))), (await standing_of(ledger, POOL, 202503)).lines

    count, lines = asyncio.run(found())
    assert count == 1 and sum(fen for place, fen in lines.items() if place[2] == Fund.PROVIDER_FINAL) == 582_000
    assert main(["ledger", "verify", "--redis", store_url]) == 0


def test_contracts_of_one_institution_leave_those_of_another(store_url, capsys, tmp_path) -> None:
    """P12: the second file of contracts took back what the first one owed."""
    head = "person,hospital,county,scheme,from_month,to_month,age_years,chronic\n"
    posted = []
    for hospital, county in (("H99000400002", 990004), ("H99000500002", 990005)):
        file = tmp_path / f"{hospital}.csv"
        file.write_text(f"{head}p{county},{hospital},{county},employee,202501,202512,40,false\n", encoding="utf-8")
        words = ["settle-year", "--pack", "taohuayuan", "--year", "2025", "--enrolments", str(file), "--json"]
        assert main([*words, "--redis", store_url, "--post"]) == 0
        posted.append(json.loads(capsys.readouterr().out)["posted"])
    assert [[row[3] for row in rows] for rows in posted] == [["H99000400002"], ["H99000500002"]]
    assert all(row[-1] > 0 for rows in posted for row in rows)
    words = ["settle-year", "--pack", "taohuayuan", "--year", "2025", "--capitation", "--redis", store_url]
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["would_post"] == []
    visits = tmp_path / "visits.csv"
    visits.write_text("signed_with,provider,scheme,points\nH99000400002,H99000400002,employee,30\n", encoding="utf-8")
    care = tmp_path / "care.csv"
    care.write_text("hospital,own_yuan,outside_yuan\nH99000400002,5.00,0.00\n", encoding="utf-8")
    assert main([*words, "--care", str(care), "--post"]) == 0
    assert main([*words, "--visits", str(visits), "--post"]) == 1
    assert "by points (--visits) for the same people" in capsys.readouterr().err
