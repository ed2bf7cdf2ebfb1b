"""The audit log: what is written stays, and whoever changes, takes, cuts or moves a line is found out."""

from __future__ import annotations

import errno
import json
import os
import random
import subprocess
import sys
import threading

import pytest

from adjudicator.audit.line import NO_HASH
from adjudicator.audit.log import AuditLog, files_of
from adjudicator.audit.verify import verify
from adjudicator.errors import AdjudicatorError, E


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "audit"


def written(folder, count: int = 5, **options: int) -> list[bytes]:
    """Lines of one chain, written by one process."""
    log = AuditLog(folder, **options)
    for number in range(count):
        log.write("refused", call="Settle", times=number)
    log.close()
    return [line for path in files_of(folder, "00") for line in path.read_bytes().splitlines(keepends=True)]


def only_file(folder):
    (path,) = files_of(folder, "00")
    return path


def found(folder, **options: object) -> list[tuple[str, str]]:
    return [(one.kind, one.en) for chain in verify(folder, **options) for one in chain.findings]


def test_lines_are_numbered_chained_and_hold(folder):
    lines = [json.loads(line) for line in written(folder)]
    assert [line["number"] for line in lines] == [1, 2, 3, 4, 5]
    assert [line["previous"] for line in lines] == [NO_HASH, *[line["hash"] for line in lines[:-1]]]
    assert lines[0]["act"] == "refused" and lines[0]["time"].startswith("20")
    (chain,) = verify(folder)
    assert (chain.name, chain.lines, chain.holds, chain.head.hash) == ("00", 5, True, lines[-1]["hash"])


def test_a_field_that_is_not_listed_is_refused(folder):
    log = AuditLog(folder)
    with pytest.raises(ValueError, match="person_id"):
        log.write("reverse", person_id="330106")
    log.close()


def test_the_next_process_goes_on_with_the_chain_and_two_at_once_have_their_own(folder):
    written(folder)
    first, second = AuditLog(folder), AuditLog(folder)
    assert (first.chain, second.chain) == ("00", "01")
    assert first.write("start") == 6 and second.write("start") == 1
    second.close()
    third = AuditLog(folder)
    assert third.chain == "01" and third.write("start") == 2
    first.close()
    third.close()
    assert [(chain.name, chain.lines, chain.holds) for chain in verify(folder)] == [("00", 6, True), ("01", 2, True)]


@pytest.mark.parametrize("place", range(5))
def test_a_changed_line_is_named(folder, place):
    lines = written(folder)
    lines[place] = lines[place].replace(b'"Settle"', b'"Explain"')
    only_file(folder).write_bytes(b"".join(lines))
    assert found(folder) == [("changed", f"line {place + 1} was changed")] + (
        [("missing", "line 5 is missing")] if place == 4 else []
    )


@pytest.mark.parametrize("place", range(5))
def test_a_missing_line_is_named(folder, place):
    lines = written(folder)
    del lines[place]
    only_file(folder).write_bytes(b"".join(lines))
    assert found(folder) == [("missing", f"line {place + 1} is missing")]


def test_a_line_that_was_changed_with_its_own_hash_is_named_by_the_next(folder):
    from adjudicator.audit.line import write_line

    lines = written(folder)
    old = json.loads(lines[2])
    forged, _ = write_line(3, old["time"], old["previous"], {"act": "refused", "call": "Group"})
    lines[2] = forged
    only_file(folder).write_bytes(b"".join(lines))
    assert found(folder) == [("changed", "line 3 is not the one after which line 4 was written")]
    lines[4] = lines[4][:-3]
    only_file(folder).write_bytes(b"".join([*lines[:2], *lines[3:4]]))
    assert ("missing", "line 3 is missing") in found(folder)


def test_lines_in_another_order_are_named(folder):
    lines = written(folder)
    lines[1], lines[2] = lines[2], lines[1]
    only_file(folder).write_bytes(b"".join(lines))
    assert ("moved", "line 3 stands where line 2 was written") in found(folder)


def test_a_torn_line_is_named_and_a_writer_that_finds_one_says_so(folder):
    lines = written(folder)
    only_file(folder).write_bytes(b"".join(lines) + b'{"number":6,"ti')
    assert found(folder) == [("torn", "line 6 is cut off")]
    log = AuditLog(folder)
    log.write("start")
    log.close()
    assert found(folder) == []
    texts = only_file(folder).read_bytes().splitlines()
    assert json.loads(texts[6])["act"] == "recovered" and json.loads(texts[6])["number"] == 6
    only_file(folder).write_bytes(only_file(folder).read_bytes().replace(b'{"number":6,"ti\n', b'{"number":6,"xx\n'))
    assert found(folder)[0][0] == "changed"


@pytest.mark.parametrize("cut", [1, 40])
def test_a_cut_last_line_is_refused_to_go_on_from(folder, cut):
    lines = written(folder)
    only_file(folder).write_bytes(b"".join(lines)[:-cut])
    assert [kind for kind, _ in found(folder)] == ["torn", "missing"]
    with pytest.raises(AdjudicatorError, match="ADJ-9515"):
        AuditLog(folder)


def test_after_a_crash_between_line_and_head_the_chain_goes_on(folder):
    written(folder, 4)
    head = (folder / "00.head").read_bytes()
    written(folder, 1)
    (folder / "00.head").write_bytes(head)
    assert found(folder) == []
    assert json.loads(written(folder, 1)[-1])["number"] == 6
    (folder / "00.head").write_bytes(head)
    assert [kind for kind, _ in found(folder)] == ["changed"]
    with pytest.raises(AdjudicatorError, match="ADJ-9515"):
        AuditLog(folder)


def test_files_are_begun_anew_by_size_and_one_that_is_missing_is_named(folder):
    lines = written(folder, 10, most_file_bytes=700)
    paths = files_of(folder, "00")
    assert len(paths) > 3 and all(path.stat().st_size <= 700 for path in paths)
    assert found(folder) == [] and len(lines) == 10
    archived = [json.loads(line) for line in paths[0].read_bytes().splitlines()]
    kept = paths[0].read_bytes()
    paths[0].unlink()
    assert found(folder)[0] == ("missing", f"lines 1 to {len(archived)} are missing")
    assert found(folder, begins=[archived[-1]["hash"]]) == []
    paths[0].write_bytes(kept)
    assert verify(paths[1])[0].holds
    second = paths[1].read_bytes()
    paths[1].unlink()
    assert found(folder)[0][0] == "missing"
    paths[1].write_bytes(second)
    paths[-1].unlink()
    assert found(folder)[0][0] == "missing"
    with pytest.raises(AdjudicatorError, match="ADJ-9515"):
        AuditLog(folder)


def test_a_full_disk_leaves_nothing_of_the_line_and_the_next_one_goes_on(folder, monkeypatch):
    log = AuditLog(folder)
    log.write("start")
    whole = only_file(folder).read_bytes()
    real = os.pwrite

    def full(file: int, data: bytes, at: int) -> int:
        if len(data) > 10 and data.startswith(b"{"):
            return real(file, data[:10], at)
        if data.startswith(b"0"):
            return real(file, data, at)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(AdjudicatorError) as caught:
        log.write("reverse", stage="begin")
    assert caught.value.problems[0].number == E.AUDIT_UNWRITABLE
    assert only_file(folder).read_bytes() == whole
    monkeypatch.setattr(os, "pwrite", real)
    assert log.write("stop") == 2
    log.close()
    assert found(folder) == []


def test_a_disk_that_does_not_sync_counts_as_not_written(folder, monkeypatch):
    log = AuditLog(folder)
    log.write("start")
    real, calls = os.fsync, []

    def fails_once(file: int) -> None:
        calls.append(file)
        if len(calls) == 1:
            raise OSError(errno.EIO, "Input/output error")
        real(file)

    monkeypatch.setattr(os, "fsync", fails_once)
    with pytest.raises(AdjudicatorError, match="ADJ-9514"):
        log.write("reverse", stage="begin")
    assert log.write("stop") == 2
    log.close()
    assert found(folder) == []


@pytest.mark.parametrize("harm", ["cut", "moved", "grown"])
def test_a_file_that_is_changed_while_it_is_written_stops_the_log(folder, harm):
    log = AuditLog(folder)
    log.write("start")
    path = only_file(folder)
    if harm == "cut":
        os.truncate(path, 0)
    elif harm == "moved":
        path.rename(folder / "elsewhere")
    else:
        with path.open("ab") as file:
            file.write(b"x\n")
    with pytest.raises(AdjudicatorError, match="ADJ-9515"):
        log.write("stop")
    log.close()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AdjudicatorError, match="ADJ-9514"):
        AuditLog(tmp_path / "file" / "audit")


def test_threads_write_one_chain(folder):
    log = AuditLog(folder)
    threads = [threading.Thread(target=lambda: [log.write("refused") for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    (chain,) = verify(folder)
    assert chain.holds and chain.lines == 80


def test_killed_writers_leave_chains_that_go_on(folder):
    """kill -9 at any moment: no line that was written is lost, and the log opens again."""
    script = (
        "import sys; from pathlib import Path; from adjudicator.audit.log import AuditLog\n"
        "log = AuditLog(Path(sys.argv[1]), 4000)\nwhile True: print(log.write('refused', call='Settle'), flush=True)"
    )
    told, chance = 0, random.Random(7)
    for _ in range(8):
        process = subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True)
        for _ in range(chance.randrange(1, 40)):
            told = int(process.stdout.readline())
        process.kill()
        rest = process.communicate()[0].split("\n")[:-1]
        told = int(rest[-1]) if rest else told
        (chain,) = verify(folder)
        assert not [one for one in chain.findings if one.kind != "torn"] and chain.head.number >= told
    AuditLog(folder).close()
    assert verify(folder)[0].holds


def test_any_change_of_any_byte_is_found(folder):
    written(folder, 3)
    path = only_file(folder)
    whole, chance = path.read_bytes(), random.Random(3)
    for place in chance.sample(range(len(whole)), 150):
        changed = bytearray(whole)
        changed[place] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        assert found(folder), (place, whole[place : place + 1], bytes(changed[place : place + 1]))
    path.write_bytes(whole)
    assert found(folder) == []
