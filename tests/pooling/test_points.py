"""Next year's points from this year's cases: the files go into the pack as they are, and the next year is settled."""

from __future__ import annotations

import asyncio
import csv
import json
import shutil
from pathlib import Path

import pytest

from adjudicator.cli.main import main
from adjudicator.errors import AdjudicatorError
from adjudicator.payment.methods.drg.reader import DrgTerms
from adjudicator.pooling.periods.context import load_context
from tests.pooling.test_commands import case_file

E8 = 10**8


def past(path: Path, *more: dict) -> Path:
    """Six cases in each of two groups; FR21 costs 12,000 yuan, GZ15 8,000."""
    rows = [{"case": f"a{n}", "person": n, "total_fen": 1_200_000} for n in range(6)]
    rows += [{"case": f"b{n}", "person": f"b{n}", "total_fen": 800_000, "group": "GZ15"} for n in range(6)]
    return case_file(path, [*rows, *more])


def calibrate(capsys, pack: str, *words: str) -> dict:
    capsys.readouterr()
    assert main(["points", "calibrate", "--pack", pack, "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)


def taken_over(packs: Path, folder: Path, pack: str, output: Path) -> tuple[Path, DrgTerms, DrgTerms]:
    """Copy the packs and the files over one of them; return it and the tables before and after New Year of 2026."""
    if not folder.exists():
        shutil.copytree(packs, folder)
    shutil.copytree(output, folder / pack, dirs_exist_ok=True)
    assert main(["rules", "check", str(folder / pack)]) == 0
    context = load_context(str(folder / pack))
    terms = [context.drg_terms(day) for day in (20251231, 20260101)]
    assert terms[0] is not None and terms[1] is not None
    return folder / pack, terms[0], terms[1]


def test_the_files_pass_the_check_as_they_are(capsys, tmp_path, packs) -> None:
    """Rare groups have no points, averages by class are there, a bed-day group keeps its kind and tariff."""
    former = load_context("taohuayuan").drg_terms(20251231)
    path = past(tmp_path / "past.csv", {"case": "r", "group": "AA19", "person": "r"})
    told = calibrate(
        capsys, "taohuayuan", "--cases", str(path), "--period", "2025", "--output", str(tmp_path / "out")
    )  # fmt: skip
    assert {group["group"]: group["base_e8"] for group in told["groups"]} == {
        "AA19": 100 * E8, "FR21": 120 * E8, "GZ15": 80 * E8,
    }  # fmt: skip
    _, before, after = taken_over(packs, tmp_path / "packs", "taohuayuan", tmp_path / "out")
    assert former is not None and before.groups == former.groups
    assert set(after.groups) == {"FR21", "GZ15", "TR19"} and "AA19" in told["no_points"]
    assert after.groups["TR19"].bed_day and after.groups["TR19"].base_e8 == former.groups["TR19"].base_e8
    assert after.groups["FR21"].base_e8 == 120 * E8 and after.groups["FR21"].average_fen == 1_200_000
    assert set(after.groups["FR21"].class_average_fen) == set(load_context("taohuayuan").payment.view.classes)
    assert after.row["all_average_fen"] == 1_000_000
    assert after.coefficients.values_e8["hospital", "H99000100001", "FR21"] == E8
    assert after.coefficients.values_e8["hospital", "H99000300001", ""] == 110_000_000  # no case: as before
    assert (after.readmission, after.special, after.high_bands) == (
        before.readmission,
        before.special,
        before.high_bands,
    )
    capsys.readouterr()
    again = ["--cases", str(path), "--period", "2025", "--rare", "former", "--output", str(tmp_path / "former")]
    assert calibrate(capsys, "taohuayuan", *again)["no_points"] == []
    _, _, kept = taken_over(packs, tmp_path / "kept", "taohuayuan", tmp_path / "former")
    assert kept.groups["AA19"] == former.groups["AA19"] and set(kept.groups) == set(former.groups)


def test_a_second_year_stands_behind_the_first(capsys, tmp_path, packs) -> None:
    """The files of each year have names of their own, so that the year before keeps its points."""
    out = tmp_path / "out"
    calibrate(capsys, "taohuayuan", "--cases", str(past(tmp_path / "a.csv")), "--period", "2025", "--output", str(out))
    pack, _, first = taken_over(packs, tmp_path / "packs", "taohuayuan", out)
    rows = [{"case": f"c{n}", "person": n, "month": 202603, "total_fen": 900_000} for n in range(5)]
    path = case_file(tmp_path / "b.csv", rows)
    calibrate(capsys, str(pack), "--cases", str(path), "--period", "2026", "--output", str(tmp_path / "next"))
    _, _, kept = taken_over(packs, tmp_path / "packs", "taohuayuan", tmp_path / "next")
    assert kept.groups == first.groups
    context = load_context(str(pack))
    assert [terms.source.to_date for terms in context.payment.drg] == [20241231, 20251231, 20261231, 20991231]
    newest = context.drg_terms(20270101)
    assert newest is not None and set(newest.groups) == {"FR21", "TR19"}


def test_cases_of_other_methods_and_institutions_are_counted_and_named(capsys, tmp_path) -> None:
    path = past(
        tmp_path / "past.csv",
        *({"case": f"o{n}", "method": 1, "group": "", "points_e8": 0, "total_fen": 20_000} for n in range(3)),
        {"case": "z", "group": "", "total_fen": 5}, {"case": "y", "hospital": "H00000000009"},
        {"case": "t", "group": "TR19"}, {"case": "n", "total_fen": 0},
        {"case": "u", "method": 0, "group": "GZ15", "points_e8": 0, "total_fen": 800_000},
        {"case": "l", "month": 202401},
    )  # fmt: skip
    told = calibrate(capsys, "taohuayuan", "--cases", str(path), "--period", "2025")
    assert [(one["cases"], one["reason"], one["names"]) for one in told["left_out"]] == [
        (3, "paid by by_item", ["by_item"]), (1, "of no DRG of the scheme", [""]),
        (1, "of a bed-day group, whose tariff stays", ["TR19"]),
        (1, "of an institution outside the register", ["H00000000009"]), (1, "without cost", ["H99000100001"]),
    ]  # fmt: skip
    assert {group["group"]: group["cases"] for group in told["groups"]} == {"FR21": 6, "GZ15": 7}
    assert main(["points", "calibrate", "--pack", "taohuayuan", "--cases", str(path), "--period", "2025"]) == 0
    shown = capsys.readouterr().out
    assert "未计入 3 例：付费方式为按项目付费（by_item）" in shown and "机构不在名册（H00000000009）" in shown


@pytest.mark.parametrize(
    ("words", "expected"),
    [(["--from-ledger"], "needs a ledger"), (["--period", "2025", "--from", "20250101"], "is no day after"),
     (["--period", "202513"], "is not a month"), (["--period", "2024"], "no past cases")],
)  # fmt: skip
def test_what_calibration_refuses(capsys, tmp_path, words: list[str], expected: str) -> None:
    given = [] if "--from-ledger" in words else ["--cases", str(past(tmp_path / "past.csv"))]
    assert main(["points", "calibrate", "--pack", "taohuayuan", *given, *words]) == 1
    assert expected in capsys.readouterr().err


def test_the_pack_that_is_read_is_not_written_over(capsys, tmp_path, packs) -> None:
    shutil.copytree(packs, tmp_path / "packs")
    pack = tmp_path / "packs" / "taohuayuan"
    words = ["--cases", str(past(tmp_path / "past.csv")), "--period", "2025", "--output", str(pack)]
    assert main(["points", "calibrate", "--pack", str(pack), *words]) == 1
    assert "folder of the pack that is read" in capsys.readouterr().err
    assert not list((pack / "payment").glob("points_2026*"))


def test_no_rules_for_calibration() -> None:
    with pytest.raises(AdjudicatorError, match=r"no \[\[calibration\]\]"):
        load_context("zhuzhou").pooling.pick("calibration", 20250101, "310")


@pytest.mark.compiled
def test_a_year_of_a_ledger_gives_the_points_of_the_next(store_url: str, capsys, tmp_path, packs) -> None:
    """Claims of 2025 through the engine into a ledger; calibrated; claims of 2026 by the new points; the month."""
    from adjudicator.claim.engine import Engine
    from adjudicator.rules.bundle import load_bundle
    from tests.service import claims
    from tests.service.test_settling import settle, settler

    def stays(year: int, count: int) -> list:
        days = {
            f"{name}_date": year * 10_000 + day
            for name, day in (("admission", 311), ("discharge", 314), ("settlement", 314))
        }
        made = []
        for n in range(count):
            claim = claims.claim(1_000_000 + 10_000 * n, **days)
            claim.lines[0].fee_date = days["admission_date"]
            made.append(claim)
        return made

    async def send(pack: str, sent: list) -> list:
        async with settler(Engine(load_bundle([pack])), store_url) as one:
            return await settle(one, *sent)

    answers = asyncio.run(send("hangzhou", stays(2025, 7)))
    (drg,) = {answer.grouping.drg for answer in answers}
    out = tmp_path / "out"
    words = ["--from-ledger", "--redis", store_url, "--period", "2025", "--output", str(out)]
    told = calibrate(capsys, "hangzhou", *words)
    assert [(group["group"], group["cases"], group["average_fen"]) for group in told["groups"]] == [(drg, 7, 1_030_000)]
    pack, _, after = taken_over(packs, tmp_path / "packs", "hangzhou", out)
    assert after.groups[drg].base_e8 == 100 * E8  # the only group is the average of all
    answers = asyncio.run(send(str(pack), stays(2026, 3)))
    coefficient = after.coefficients.values_e8["hospital", claims.HOSPITAL, drg]
    assert [answer.payment.points_e8 for answer in answers] == [100 * coefficient] * 3
    capsys.readouterr()
    month = ["settle-month", "--pack", str(pack), "--month", "202603", "--from-ledger", "--redis", store_url]
    assert main([*month, "--budget", "390=30000", "--json", "--post"]) == 0
    settled = json.loads(capsys.readouterr().out)
    assert settled["schemes"]["390"]["points_e8"] == 300 * coefficient and settled["unpriced"] == []
    rows = list(csv.DictReader((out / "unstable.csv").open(encoding="utf-8")))
    assert {row["reason"] for row in rows} == {"no case"} and all(row["drg"] != drg for row in rows)
