"""Import of an OpenDRG version folder: what its modules say, what cannot be said, and that nothing is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from adjudicator.cli.main import main
from adjudicator.grouping.opendrg.convert import read_opendrg, write_scheme
from adjudicator.grouping.scheme.load import Scheme, load_scheme
from tests.grouping.naive import NaiveGrouper, Record
from tests.grouping.opendrg_folder import write_version
from tests.grouping.support import answers

MAN = {"sex": 1, "age_years": 50, "stay_days": 9, "icu_hours": 0}


@pytest.fixture
def version(tmp_path: Path) -> Path:
    """The small version folder."""
    return write_version(tmp_path / "toy")


@pytest.fixture
def scheme(version: Path, tmp_path: Path) -> Scheme:
    """The scheme that it becomes."""
    content = read_opendrg(version)
    assert content.losses == []
    write_scheme(content, tmp_path / "scheme")
    return load_scheme(tmp_path / "scheme")


CASES = {
    "two lists at any places": ("I10.x00", "38.5900|52.8000|55.6900", {}, "AC19"),
    "an extra code opens MDC A": ("I10.x00", "96.0400|52.8000|55.6900", {}, "AC19"),
    "one list of two": ("I10.x00", "96.0400|52.8000", {}, "FV1"),
    "two regions": ("S01.100|S72.000", "", {}, "ZZ15"),
    "two regions with an MCC": ("S01.100|S72.000|J96.000", "", {}, "ZZ11"),
    "one region": ("S01.100|S02.100", "", {}, "0000"),
    "a formula, first way": ("I21.000", "37.9400", {}, "FK19"),
    "a formula, second way": ("I21.000", "37.9500|40.5100", {}, "FK19"),
    "half of the second way": ("I10.x00", "37.9500", {}, "FV1"),
    "main procedure": ("I10.x00", "36.0700", {}, "FM15"),
    "main procedure and a CC": ("I10.x00|E87.200", "36.0700", {}, "FM11"),
    "an MCC that the table strikes out": ("I50.900|R57.000", "36.0700", {}, "FM15"),
    "a further procedure": ("I10.x00", "36.0700|99.1000", {}, "FM1X"),
    "second rule: secondary diagnosis and any procedure": ("I10.x00|T82.800", "01.0000|36.0900", {}, "FM15"),
    "the diagnosis is the principal one": ("I10.x00", "36.0900", {}, "FV1"),
    "valid and nothing fits": ("I21.000", "38.5900", {}, "FQY"),
    "left early": ("I21.000", "", {"stay_days": 4, "discharge_way": 5}, "FR17"),
    "left early for home": ("I21.000", "", {"stay_days": 4, "discharge_way": 1}, "FR1"),
    "intensive care": ("I21.000", "", {"icu_hours": 120, "department": "ICU"}, "FR11"),
    "longer intensive care": ("I21.000", "", {"icu_hours": 121, "department": "ICU"}, "FR1"),
    "CC at 15": ("I21.000|E87.200", "", {"age_years": 15}, "FR14"),
    "CC at 14": ("I21.000|E87.200", "", {"age_years": 14}, "FR1"),
    "six years old": ("I10.x00", "", {"age_years": 6}, "FV1A"),
    "two literal codes": ("I10.x00", "01.0000|96.7200|39.6500", {}, "FV1B"),
    "the other sex": ("I10.x00", "", {"sex": 2}, "0000"),
}


@pytest.mark.parametrize("name", CASES)
def test_imported_rule(name: str, scheme: Scheme) -> None:
    diagnoses, procedures, person, expected = CASES[name]
    codes = {"diagnoses": diagnoses.split("|"), "procedures": procedures.split("|") if procedures else []}
    record = Record(**{**MAN, **person}, **codes)
    assert answers(scheme, [record])[0][3] == expected
    assert NaiveGrouper(scheme.folder).group(record)[3] == expected


def test_what_can_never_fit_is_a_note(version: Path) -> None:
    content = read_opendrg(version)
    assert [str(note) for note in content.notes] == ["ADRG/FP1.py: line 4: FP1 can never fit and was left out"]


def test_codes_are_mapped(scheme: Scheme) -> None:
    record = Record(**MAN, diagnoses=["I20.001"], procedures=["36.0700", "36.0701"])
    assert answers(scheme, [record], translate=True)[0][3] == "FM15"


REPLACED = {
    "an unknown condition": (
        "ADRG/FR1.py", "record.zdList[0] in adrg_zd", "record.zdList[0].startswith('I2')",
        "ADRG/FR1.py: line 3: unknown call: record.zdList[0].startswith('I2')",
    ),
    "an unknown number": (
        "DRG/MDCF_DRG.py", "int(record.age)<=6", "record.height<=6",
        "DRG/MDCF_DRG.py: line 17: unknown comparison: record.height <= 6",
    ),
    "an unknown alternative": (
        "DRG/MDCF_DRG.py", "record.age>14", "(record.age>14 or record.age<2)",
        "DRG/MDCF_DRG.py: line 15: unknown alternative: record.age > 14 or record.age < 2",
    ),
    "a list that is made": (
        "ADRG/FR1.py", 'adrg_zd=["I21.000","I20.000"]', 'adrg_zd=make("I21")',
        "ADRG/FR1.py: line 2: unknown statement: adrg_zd = make('I21')",
    ),
    "a second decision": (
        "ADRG/AC1.py", "  if True and", "  if record.age:\n    return 'AC1'\n  if True and",
        "ADRG/AC1.py: line 9: unknown statement",
    ),
    "something around the rules": (
        "Grouper_toy.py", "    result=group(record)\n", "    result=group(record)\n    record=repair(record)\n",
        "Grouper_toy.py: line 5: unknown statement: record = repair(record)",
    ),
    "a gate with another question": (
        "MDC/MDCF.py", "record.gender==1", "record.dept=='1'",
        "MDC/MDCF.py: line 6: unknown gate condition: record.dept == '1'",
    ),
    "a module that is missing": (
        "MDC/MDCF.py", "result=FV1.group", "result=FX1.group", "ADRG/FX1.py: line 0: the module is missing",
    ),
    "a module that is no Python": ("ADRG/FV1.py", "if True:", "if True", "ADRG/FV1.py: line 2: cannot be read"),
    "a DRG of another ADRG": ("ADRG/FV1.py", "'FV1A'", "'FR1A'", "ADRG/FV1.py: line 3: FR1A is no DRG of FV1"),
    "two lists for main and other": (
        "DRG_EX/FM1X.py", "intersect(record.ssList[1:],adrg_ss)",
        'record.ssList[0] in ["1.1"] and intersect(record.ssList[1:],adrg_ss)',
        "DRG_EX/FM1X.py: line 4: main and other procedure of different lists",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REPLACED)
def test_what_cannot_be_said_is_listed_with_file_and_line(name: str, version: Path) -> None:
    file, old, new, expected = REPLACED[name]
    text = (version / file).read_text("utf-8")
    assert old in text
    (version / file).write_text(text.replace(old, new), "utf-8")
    losses = [str(loss) for loss in read_opendrg(version).losses]
    assert any(expected in loss for loss in losses), losses


def test_other_procedures_are_tried_where_the_version_does_so(version: Path, tmp_path: Path) -> None:
    grouper = version / "Grouper_toy.py"
    retry = (
        "    if result=='0000' and record.ssList and len(record.ssList)>1:\n"
        "      for ss in record.ssList[1:]:\n"
        "        record=record._replace(ssList=[ss])\n"
        "        result=group(record)\n"
        "        if result!='0000':\n"
        "          break\n"
    )
    call = "    result=group(record)\n"
    grouper.write_text(grouper.read_text("utf-8").replace(call, call + retry, 1), "utf-8")
    content = read_opendrg(version)
    assert (content.losses, content.retry_other_procedures) == ([], True)


def test_nothing_is_run(version: Path, tmp_path: Path) -> None:
    trap = tmp_path / "was-run"
    for path in version.rglob("*.py"):
        path.write_text(f"open({str(trap)!r}, 'w').close()\n" + path.read_text("utf-8"), "utf-8")
    read_opendrg(version)
    assert not trap.exists()


def test_the_command_refuses_losses_unless_told_otherwise(
    version: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    drgs = version / "DRG" / "MDCF_DRG.py"
    drgs.write_text(drgs.read_text("utf-8").replace("record.age>14", "record.height>14"), "utf-8")
    target = tmp_path / "imported"
    command = ["scheme", "import", "opendrg", str(version), "--output", str(target)]
    assert main(command) == 1
    assert "cannot be expressed: DRG/MDCF_DRG.py: line 15" in capsys.readouterr().err
    assert not target.exists()
    assert main([*command, "--allow-losses"]) == 0
    assert main(["scheme", "check", str(target)]) == 0
    assert main(["scheme", "import", "opendrg", str(tmp_path / "nothing"), "--output", str(target)]) == 2
