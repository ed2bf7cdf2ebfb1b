"""A pack with one of each fault gets all of them in one run, with file, key and what to write instead."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from adjudicator.errors import E
from adjudicator.rulefile.faults import PackError
from adjudicator.rules.bundle import load_bundle
from adjudicator.rules.check import check_pack
from adjudicator.rules.inline import inline_bundle
from adjudicator.rules.load import read_pack, shipped_packs

BAD = Path(__file__).parent.parent / "bad" / "packs"
TODAY = 20_261_128
TAOHUAYUAN = Path(read_pack("taohuayuan").folder)


def test_every_fault_is_told_in_one_run() -> None:
    found = [str(fault) for fault in check_pack(BAD / "many_faults", TODAY)]
    assert found == (BAD / "many_faults" / "faults.txt").read_text("utf-8").splitlines()


def test_every_fault_says_what_to_write_instead() -> None:
    assert all(fault.file and fault.key and fault.remedy for fault in check_pack(BAD / "many_faults", TODAY))


def test_faults_have_codes_of_the_error_table() -> None:
    numbers = {fault.number for fault in check_pack(BAD / "many_faults", TODAY)}
    assert numbers == {E.CORRUPT_PACK, E.TWO_PLANS, E.PERSON_IN_TWO_PLANS}
    with pytest.raises(PackError, match=r"^ADJ-5006 .*规则"):
        read_pack(BAD / "many_faults")


@pytest.mark.parametrize("name", shipped_packs())
def test_the_shipped_packs_have_no_faults(name: str) -> None:
    read_pack(name)


def edited(folder: Path, file: str, old: str, new: str) -> list[str]:
    """Faults of the toy city after one edit."""
    shutil.copytree(TAOHUAYUAN, folder, ignore=shutil.ignore_patterns("catalogue", "payment*", "pooling*"))
    path = folder / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(PackError) as error:
        read_pack(folder)
    return [str(fault) for fault in error.value.faults]


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("pack.toml", "code = 990001", "code = 880001", "area[0].code: unknown area 880001"),
        ("pack.toml", 'id = "secondary"', 'id = "Second Level"', "level[1].id: 'Second Level' is not a name"),
        ("pack.toml", 'id = "retired"', 'id = "tertiary"', "'tertiary' names two things"),
        ("pack.toml", 'period = "month"', 'period = "fortnight"', "disease[0].period: 'fortnight' is not a choice"),
        ("pack.toml", "pays_percent = 100", "pays_percent = 101", "101 is a rate over 100 percent"),
        ("benefit/employee.toml", "deductible_nth_percent = [100, 50]", "deductible_nth_percent = [1,2,3,4,5]",
         "has 5 entries — write 1 to 4 entries"),
        ("benefit/employee.toml", "cap_yuan = 150000", "cap_yuan = -1", "-1 is negative"),
        ("benefit/employee.toml", "cap_yuan = 150000", "cap_yuan = 1.005", "too many decimals"),
        ("benefit/employee.toml", "counts_admission = true", "counts_admission = 1", "1 is not true or false"),
        ("benefit/employee.toml", 'of = "active"', 'of = "nobody"', "is not a derived rate"),
        ("benefit/employee.toml", 'scheme = "employee"', 'scheme = "employer"', "'employer' is not a scheme"),
        ("benefit/shared.toml", 'place = "province"', 'place = "moon"', "'moon' is not known"),
        ("benefit/shared.toml", "minus_points = 5", "minus_point = 5", "did you mean 'minus_points'?"),
        ("benefit/shared.toml", 'filing = "temporary"', 'filing = ["temporary", "referred"]',
         "outside/referred is given twice"),
        ("pack.toml", 'department = ["A15"]', "department = []", "ward[1].department: [] is not a code"),
        ("pack.toml", 'department = ["A15"]', 'department = ["A17"]', "ward.department[1]: A17 is given twice"),
        ("benefit/shared.toml", "low_income = 70,", "low_income = [70, 80],",
         "has 2 rates where assistance_from_yuan has 1 steps"),
        ("benefit/shared.toml", 'channel = "direct"', 'channel = "post"', "'post' is not known"),
        ("benefit/shared.toml", 'evidence = "demonstration"', "verified = true",
         "fragment[0].rule[0].verified: unknown key"),
        ("hospitals.csv", "code,name", "kode,name", "missing or unknown columns: code, kode"),
        ("hospitals.csv", "H99000300001", "H99000100001", "line 3: H99000100001 is given twice"),
    ],
)  # fmt: skip
def test_one_wrong_edit(tmp_path: Path, file: str, old: str, new: str, expected: str) -> None:
    faults = edited(tmp_path / "city", file, old, new)
    assert any(expected in fault and fault.startswith(file) for fault in faults), faults


def test_a_missing_and_a_damaged_file(tmp_path: Path) -> None:
    folder = tmp_path / "city"
    shutil.copytree(TAOHUAYUAN, folder, ignore=shutil.ignore_patterns("catalogue", "payment*"))
    (folder / "hospitals.csv").unlink()
    (folder / "benefit" / "shared.toml").write_bytes(b"\xff\xfe broken")
    with pytest.raises(PackError) as error:
        read_pack(folder)
    keys = {(fault.file, fault.key) for fault in error.value.faults}
    assert ("hospitals.csv", "file") in keys
    assert any(file == "benefit/shared.toml" for file, _ in keys)


def test_there_is_no_such_pack() -> None:
    (fault,) = check_pack("atlantis", TODAY)
    assert "there is no such pack" in fault.message and "hangzhou" in fault.remedy


def test_two_packs_with_one_county() -> None:
    with pytest.raises(PackError) as error:
        load_bundle(["taohuayuan", "taohuayuan"])
    assert any("is loaded twice" in fault.message for fault in error.value.faults)


def test_an_inline_plan_tells_its_faults_too() -> None:
    with pytest.raises(PackError) as error:
        inline_bundle({"rate_percent": 101, "deductable_yuan": 300})
    messages = [str(fault) for fault in error.value.faults]
    assert any("rate over 100 percent" in message for message in messages)
    assert any("deductable_yuan: unknown key" in message for message in messages)
