"""``adjudicator ledger`` as a fund manager uses it, against a store on a folder."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
from google.protobuf import json_format

from adjudicator.cli.main import main
from adjudicator.ledger import keys as names
from adjudicator.ledger.embedded import EmbeddedStore
from adjudicator.ledger.store import Ledger
from tests.ledger.made import POOL, Case, settle
from tests.ledger.test_reconcile import HOSPITAL, line, month, ours, statement


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A ledger of one month, its store running as under a service."""
    path = tmp_path_factory.mktemp("city") / "adjudicator-data"

    async def fill(url):
        async with await Ledger.open(url) as ledger:
            await month(ledger, POOL)

    with EmbeddedStore.start(path) as store:
        asyncio.run(fill(store.url))
        yield path


def told(capsys, *words) -> tuple[int, str]:
    code = main(["ledger", *map(str, words)])
    return code, capsys.readouterr().out


def test_totals_as_a_table_and_as_json(capsys, folder):
    code, text = told(capsys, "totals", "--data", folder)
    assert code == 0
    assert "990101" in text and "统筹基金" in text and "1700.00" in text
    code, text = told(capsys, "totals", "--data", folder, "--pool", POOL, "--month", 202406, "--json")
    answer = json.loads(text)
    assert (code, answer["pool"], answer["version"]) == (0, POOL, 6)
    assert {"county": "990101", "month": 202406, "scheme": "310", "fund": "claims", "amount_fen": 1} in answer["rows"]
    assert {row["month"] for row in answer["rows"]} == {202406}


def test_verify_and_rebuild(capsys, folder):
    code, text = told(capsys, "verify", "--data", folder)
    assert (code, "holds" in text) == (0, True)

    async def damage(url):
        async with await Ledger.open(url) as ledger:
            await ledger.connection.client.hincrby(names.totals(POOL, 202406), "990101|310|claims", 3)

    with EmbeddedStore.start(folder) as store:
        asyncio.run(damage(store.url))
    code, text = told(capsys, "verify", "--data", folder)
    assert code == 1 and "990101 202406 employee claims" in text
    code, text = told(capsys, "verify", "--data", folder, "--json")
    assert (code, json.loads(text)["differences"][0]["kind"]) == (1, "total")
    code, text = told(capsys, "rebuild", "--data", folder, "--json")
    assert (code, json.loads(text)["records"]) == (0, 6)
    assert told(capsys, "verify", "--data", folder)[0] == 0


def test_a_statement_as_csv(capsys, folder, tmp_path):
    def write(lines):
        path = tmp_path / "statement.csv"
        with path.open("w", newline="") as file:
            columns = ("encounter_id", "settlement_sequence", "direction", "total_fen", "fund_total_fen", "account_fen")
            rows = csv.writer(file)
            rows.writerow(columns)
            rows.writerows([getattr(one, column) for column in columns] for one in lines)
        return path

    lines = [line(ours[0]), line(ours[1]), line(ours[3]), line(ours[3], 2)]
    words = ("--data", folder, "--institution", HOSPITAL, "--from", 20240501, "--to", 20240531)
    code, text = told(capsys, "reconcile", write(lines), *words)
    assert (code, "equal" in text) == (0, True)
    code, text = told(capsys, "reconcile", write(lines[:-1]), *words)
    assert (code, "only ledger" in text) == (1, True)


def test_a_statement_as_json(capsys, folder, tmp_path):
    path = tmp_path / "statement.json"
    path.write_text(json_format.MessageToJson(statement(POOL, [line(ours[0])])))
    code, text = told(capsys, "reconcile", path, "--data", folder, "--json")
    answer = json.loads(text)
    assert (code, answer["equal"], len(answer["differences"])) == (1, False, 3)
    assert answer["total_fen"] == "30000"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", "{", ()),
        ("a.json", '{"colour": 1}', ()),
        ("a.csv", "encounter_id\nE1\n", ("--institution", "H1", "--from", "20240501", "--to", "20240531")),
        (
            "a.csv",
            "encounter_id,settlement_sequence,total_fen,fund_total_fen\nE1,one,1,1\n",
            ("--institution", "H1", "--from", "20240501", "--to", "20240531"),
        ),
        ("a.csv", "encounter_id\n", ()),
    ],
)
def test_a_statement_that_cannot_be_read(capsys, folder, tmp_path, name, content, words):
    (tmp_path / name).write_text(content)
    assert main(["ledger", "reconcile", str(tmp_path / name), "--data", str(folder), *words]) == 2
    assert name in capsys.readouterr().err


def test_a_folder_without_a_ledger_is_not_made_into_one(capsys, tmp_path):
    assert main(["ledger", "totals", "--data", str(tmp_path / "typo")]) == 1
    assert "--data" in capsys.readouterr().err
    assert not (tmp_path / "typo").exists()


def test_a_store_that_is_away_and_a_pool_that_is_unknown(capsys, folder):
    assert main(["ledger", "totals", "--redis", "redis://127.0.0.1:1"]) == 1
    assert "ADJ-9008" in capsys.readouterr().err
    assert main(["ledger", "totals", "--data", str(folder), "--pool", "980000"]) == 1
    assert "ADJ-5007" in capsys.readouterr().err


def test_watch_prints_each_change_until_interrupted(tmp_path):
    async def add(url, number):
        async with await Ledger.open(url) as ledger:
            await settle(ledger, [Case("Wang", f"E{number}")], POOL)

    with EmbeddedStore.start(tmp_path) as store:
        asyncio.run(add(store.url, 1))
        command = [sys.executable, "-m", "adjudicator.cli.main", "ledger", "watch", "--redis", store.url, "--json"]
        # A shell that runs the tests in the background lets them ignore SIGINT; the command must get it all the same.
        listen = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=listen) as watching:
            assert json.loads(watching.stdout.readline())["version"] == 1
            asyncio.run(add(store.url, 2))
            assert json.loads(watching.stdout.readline())["version"] == 2
            time.sleep(0.1)
            os.kill(watching.pid, signal.SIGINT)
            assert watching.wait(10) == 0


def acts_of(folder) -> list[tuple[str, str, str]]:
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]
    return [(one["act"], one["stage"], one.get("outcome", "")) for one in map(json.loads, lines)]


def test_an_act_on_the_ledger_is_in_the_audit_log_and_reading_is_not(capsys, folder, tmp_path):
    audit = tmp_path / "audit"
    assert told(capsys, "verify", "--data", folder)[0] == told(capsys, "totals", "--data", folder)[0] == 0
    assert told(capsys, "rebuild", "--data", folder, "--audit", audit)[0] == 0
    assert told(capsys, "withdraw", "99", "--why", "an error", "--data", folder, "--audit", audit)[0] == 1
    assert acts_of(audit) == [
        ("ledger rebuild", "begin", ""), ("ledger rebuild", "end", "done"),
        ("ledger withdraw", "begin", ""), ("ledger withdraw", "end", "ADJ-8007"),
    ]  # fmt: skip
    assert "an error" not in "".join(path.read_text() for path in audit.glob("*.jsonl"))
    before = len(acts_of(folder / "audit"))
    assert told(capsys, "rebuild", "--data", folder)[0] == 0
    assert len(acts_of(folder / "audit")) == before + 2, "without --audit it is beside the store"


def test_an_act_that_cannot_be_recorded_is_not_done(capsys, folder, tmp_path):
    (tmp_path / "file").write_text("")
    done = []

    async def act(*_) -> int:
        done.append(True)
        return 0

    from adjudicator.cli import ledger as command

    assert main(["ledger", "rebuild", "--data", str(folder), "--audit", str(tmp_path / "file")]) == 1
    assert "ADJ-9514" in capsys.readouterr().err
    arguments = command.argparse.Namespace(
        command="ledger", action="rebuild", redis=None, data=folder, audit=tmp_path / "file", act=act
    )
    with pytest.raises(Exception, match="ADJ-9514"):
        command.run(arguments)
    assert not done


def test_the_audit_log_is_checked_by_command(capsys, tmp_path):
    from adjudicator.audit.log import AuditLog

    log = AuditLog(tmp_path)
    for _ in range(3):
        log.write("start")
    log.close()
    assert main(["audit", "verify", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "00: 一致 holds (3 lines, head " in text
    head = text.split("head ")[1].strip().rstrip(")")
    assert main(["audit", "verify", str(tmp_path), "--known", head]) == 0
    assert main(["audit", "verify", str(tmp_path), "--known", "0" * 64]) == 1
    (path,) = tmp_path.glob("*.jsonl")
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"number":2', b'"number":7'))
    capsys.readouterr()
    assert main(["audit", "verify", str(path)]) == 1
    assert f"{path.name}:2: changed: line 2 was changed 第 2 行被更改" in capsys.readouterr().out
    assert main(["audit", "verify", str(tmp_path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["findings"][0]["kind"] == "changed"
    assert main(["audit", "verify", str(tmp_path / "nothing")]) == 1
