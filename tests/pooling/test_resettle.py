"""Settlements priced again under other payment rules: what comes out is what those rules had given at once."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import adjudicator
from adjudicator.claim.keys import DIRECTION_REVERSE, settlement_key
from adjudicator.cli.main import main
from adjudicator.errors import E
from adjudicator.ledger.store import Ledger
from adjudicator.payers import Fund
from tests.service import claims

PACKS = Path(adjudicator.__file__).parent / "packs"
OTHER = "H33010600001"


@pytest.fixture
def lacking(tmp_path) -> Path:
    """The pack of Hangzhou without the coefficient of one hospital."""
    shutil.copytree(PACKS, tmp_path / "packs")
    pack = tmp_path / "packs/hangzhou"
    table = pack / "payment/coefficients_demo.csv"
    kept = [line for line in table.read_text("utf-8").splitlines(True) if OTHER not in line]
    table.write_text("".join(kept), "utf-8")
    return pack


SENT = [
    claims.claim(2_000_000),
    *(claims.claim(fen, institution_code=OTHER) for fen in (900_000, 700_000)),
    claims.claim(30_000, care_type="11", admission_date=20250312, settlement_date=20250312, discharge_date=0),
]


def send(url: str, pack: str, sent: list = SENT) -> None:
    """Settle claims through the service's own settler."""
    from adjudicator.claim.engine import Engine
    from adjudicator.rules.bundle import load_bundle
    from tests.service.test_settling import settle, settler

    async def day() -> None:
        async with settler(Engine(load_bundle([pack])), url) as one:
            answers = await settle(one, *sent)
            assert not [answer for answer in answers if isinstance(answer, int)], answers

    asyncio.run(day())


def totals(url: str) -> dict:
    async def read() -> dict:
        async with await Ledger.open(url, allow_volatile=True) as ledger:
            rows = (await ledger.totals(claims.POOL)).rows
            return {(row.county, row.scheme, row.fund): row.amount_fen for row in rows if row.amount_fen}

    return asyncio.run(read())


def take_back(url: str, number: int) -> None:
    async def steps() -> None:
        name = (SENT[number].institution_code, SENT[number].encounter_id, 1)
        keys = settlement_key(*name), settlement_key(*name, DIRECTION_REVERSE)
        async with await Ledger.open(url, allow_volatile=True) as ledger:
            await ledger.reverse(claims.POOL, *keys)

    asyncio.run(steps())


def test_a_coefficient_that_was_added_prices_what_had_no_price(lacking, store_url, capsys) -> None:
    """P1: only reversing each claim and sending it again repaired the ledger."""
    other_url = f"{store_url}?db=1"
    send(other_url, "hangzhou")
    send(store_url, str(lacking))
    before, right = totals(store_url), totals(other_url)
    assert before != right
    words = ["ledger", "resettle", "--period", "202503", "--redis", store_url, "--json"]

    def run(pack: str, *more: str) -> dict:
        assert main([*words, "--pack", pack, *more]) == 0
        return json.loads(capsys.readouterr().out)

    (row,) = run("hangzhou", "--unpriced")["rows"]
    due = sum(fen for (_, _, fund), fen in right.items() if fund == Fund.PROVIDER_DUE)
    gap = due - sum(fen for (_, _, fund), fen in before.items() if fund == Fund.PROVIDER_DUE)
    assert (row["hospital"], row["settlements"], row["newly_priced"]) == (OTHER, 2, 2)
    assert row["difference_fen"] == gap and totals(store_url) == before
    assert run("hangzhou", "--hospital", claims.HOSPITAL)["rows"] == []
    assert run("hangzhou", "--post")["posted"] == 2
    assert totals(store_url) == right
    assert run("hangzhou", "--post") == {"pool": claims.POOL, "rows": [], "posted": 0}

    month = [
        "settle-month",
        "--pack",
        "hangzhou",
        "--month",
        "202503",
        "--from-ledger",
        "--json",
        "--budget",
        "390=5000",
    ]
    assert main([*month, "--redis", store_url]) == 0
    again = json.loads(capsys.readouterr().out)
    assert main([*month, "--redis", other_url]) == 0
    at_once = json.loads(capsys.readouterr().out)
    assert again == at_once and again["unpriced"] == []

    assert run(str(lacking), "--post")["rows"][0]["no_longer_priced"] == 2
    assert totals(store_url) == before
    assert run("hangzhou", "--post")["posted"] == 2
    for number in range(len(SENT)):
        take_back(store_url, number)
    assert totals(store_url) == {}
    assert run(str(lacking))["rows"] == []
    assert main(["ledger", "decisions", "--redis", store_url, "--json"]) == 0
    acts = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [act["kind"] for act in acts] == ["resettle"] * 3
    assert main(["ledger", "verify", "--redis", store_url]) == 0


def test_two_who_settle_again_while_one_is_taken_back(lacking, store_url) -> None:
    send(store_url, str(lacking))
    command = [sys.executable, "-m", "adjudicator", "ledger", "resettle", "--pack", "hangzhou", "--period", "202503",
               "--redis", store_url, "--post", "--json"]  # fmt: skip
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    take_back(store_url, 1)
    posted = [json.loads(run.communicate()[0])["posted"] for run in runs]
    assert all(run.returncode == 0 for run in runs) and 1 <= sum(posted) <= 2
    take_back(store_url, 2)
    take_back(store_url, 0)
    take_back(store_url, 3)
    assert totals(store_url) == {}
    assert main(["ledger", "verify", "--redis", store_url]) == 0


def test_a_closed_month_takes_the_new_price_as_a_difference(lacking, store_url, capsys) -> None:
    send(store_url, "hangzhou")
    words = ["--from-ledger", "--redis", store_url, "--json", "--budget", "390=5000"]
    assert main(["settle-month", "--pack", "hangzhou", "--month", "202503", "--close", *words]) == 0
    closed = json.loads(capsys.readouterr().out)
    assert (
        main(["ledger", "resettle", "--pack", str(lacking), "--period", "202503", "--redis", store_url, "--post"]) == 0
    )
    capsys.readouterr()
    assert main(["settle-month", "--pack", "hangzhou", "--month", "202503", *words]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["schemes"] == closed["schemes"] and shown["notes"] == closed["notes"]
    send(
        store_url,
        "hangzhou",
        [claims.claim(admission_date=20250411, discharge_date=20250414, settlement_date=20250414)],
    )
    assert main(["settle-month", "--pack", "hangzhou", "--month", "202504", *words]) == 0
    carried = json.loads(capsys.readouterr().out)["carried"]["202503"]
    owed = sum(fen for *_, hospital, fen in carried if hospital == OTHER)
    assert {row[3] for row in carried} == {OTHER}
    assert abs(owed + closed["hospitals_fen"][OTHER]) <= 2  # two cases, each rounded by itself (R38)
    assert main(["ledger", "verify", "--redis", store_url]) == 0


ROW = """
[[method]]
id = "asked_{name}"
method = "by_item"
priority = 50
care = ["inpatient"]
{name} = ["{code}"]
from = 2020-01-01
document = "none; a row for a test"
evidence = "demonstration"
"""
ASKED = {"procedure": "47.0100", "disease": "M03900", "department": "0700", "assistance": "low_income"}
GIVEN = {
    "procedure": {"procedures": ["38.9300", "47.0100"]},
    "disease": {"disease_code": "M03900"},
    "department": {"department": "0700"},
    "assistance": {"assistance_category": "low_edge", "other_assistance_categories": ["low_income"]},
}


@pytest.fixture
def listing(tmp_path) -> Path:
    """The pack of Hangzhou with a disease in its list."""
    shutil.copytree(PACKS, tmp_path / "packs")
    pack = tmp_path / "packs/hangzhou"
    with (pack / "pack.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[disease]]\ncode = "M03900"\nname = "hypertension"\nname_zh = "高血压"\n')
    return pack


def variant(pack: Path, name: str, file: str, change) -> Path:
    """A copy of a pack beside it, with one file changed."""
    other = pack.parent / name
    shutil.copytree(pack, other)
    text = (other / file).read_text("utf-8")
    changed = change(text)
    assert changed != text
    (other / file).write_text(changed, "utf-8")
    return other


def resettled(url: str, pack: Path, capsys, code: int = 0) -> dict:
    """The differences as shown, and then written."""
    words = ["ledger", "resettle", "--period", "202503", "--redis", url, "--pack", str(pack), "--json"]
    assert main(words) == code
    shown = json.loads(capsys.readouterr().out)
    assert main([*words, "--post"]) == code
    posted = json.loads(capsys.readouterr().out)
    assert posted["rows"] == shown["rows"] and posted["posted"] == sum(row["settlements"] for row in shown["rows"])
    return posted


@pytest.mark.parametrize("name", list(ASKED))
def test_a_row_that_asks_by_name_prices_what_was_settled_before_it(name, listing, store_url, capsys) -> None:
    asking = variant(listing, "asking", "payment.toml", lambda text: text + ROW.format(name=name, code=ASKED[name]))
    sent = [claims.claim(2_000_000), claims.claim(1_500_000, **GIVEN[name])]
    at_once = f"{store_url}?db=1"
    send(at_once, str(asking), sent)
    send(store_url, str(listing), sent)
    before, right = totals(store_url), totals(at_once)
    assert before != right
    assert resettled(store_url, asking, capsys)["posted"] == 1
    assert totals(store_url) == right
    assert resettled(store_url, listing, capsys)["posted"] == 1
    assert totals(store_url) == before
    assert main(["ledger", "verify", "--redis", store_url]) == 0


def with_other_groups(pack: Path) -> Path:
    """A copy of a pack with a grouping scheme in which one operation makes another group."""
    scheme = pack.parent / "schemes/other"
    shutil.copytree(pack.parent / "schemes/chs-demo", scheme)
    for file, old, new in (("adrg_code.csv", "GD1,,P,1,47.0100\n", ""), ("scheme.toml", '"chs-demo"', f'"{scheme}"')):
        text = (scheme / file).read_text("utf-8")
        assert old in text
        (scheme / file).write_text(text.replace(old, new), "utf-8")
    return variant(pack, "grouping", "pack.toml", lambda text: text.replace('"chs-demo"', f'"{scheme}"'))


def test_a_grouping_that_was_corrected_groups_what_was_settled_before_it(listing, store_url, capsys) -> None:
    without = with_other_groups(listing)
    sent = [claims.claim(2_000_000), claims.claim(1_500_000, diagnoses=["K35.200", "E11.900"], procedures=["47.0100"])]
    at_once = f"{store_url}?db=1"
    send(at_once, str(listing), sent)
    send(store_url, str(without), sent)
    right = totals(at_once)
    assert totals(store_url) != right
    posted = resettled(store_url, listing, capsys)["posted"]
    assert posted == 2  # each names its scheme
    assert totals(store_url) == right
    month = ["settle-month", "--pack", str(listing), "--month", "202503", "--from-ledger", "--json"]
    month += ["--budget", "390=5000"]
    assert main([*month, "--redis", store_url]) == 0
    again = json.loads(capsys.readouterr().out)
    assert main([*month, "--redis", at_once]) == 0
    assert again == json.loads(capsys.readouterr().out)


def test_a_name_that_the_rules_no_longer_list_is_counted_and_left_alone(listing, store_url, capsys) -> None:
    send(store_url, str(listing), [claims.claim(disease_code="M03900")])
    before = totals(store_url)
    posted = resettled(store_url, PACKS / "hangzhou", capsys, code=1)
    assert [(row["refused"], row["not_told"]) for row in posted["rows"]] == [(1, 0)] and posted["posted"] == 0
    assert totals(store_url) == before


OLD_RECORD = Path(__file__).parents[1] / "ledger/records/format_3/settlement.bin"


def test_a_record_without_names_is_priced_again_unless_a_row_asks_for_them(listing) -> None:
    from adjudicator.ledger.record import Record
    from adjudicator.pooling.periods.resettle import price_again
    from adjudicator.pooling.periods.resettle_cases import Stored, load_rules
    from adjudicator.v1 import settlement_pb2

    record = Record.from_bytes(OLD_RECORD.read_bytes())
    stored = Stored(record, settlement_pb2.Settlement.FromString(record.answer), 0)
    (same,) = price_again(load_rules(str(listing)), [stored])
    assert not same.changes and same.payment["method"] == stored.answer.payment.method > 0
    row = ROW.format(name="procedure", code="47.0100")
    asking = variant(listing, "asking", "payment.toml", lambda text: text + row)
    (priced,) = price_again(load_rules(str(asking)), [stored])
    assert (priced.payment, priced.reason) == (None, E.CANNOT_PRICE_AGAIN)
