"""A scheme's folder: every fault in one run, compiled once, kept beside the source or in the user's cache folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from adjudicator.grouping.scheme.load import SHIPPED, load_scheme, read_model
from adjudicator.rulefile.faults import Faults, PackError

DEMO = SHIPPED / "chs-demo"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The shipped scheme in a folder that a test may break."""
    folder = tmp_path / "broken"
    shutil.copytree(DEMO, folder, ignore=shutil.ignore_patterns(".compiled"))
    return folder


def change(folder: Path, table: str, old: str, new: str) -> None:
    """Replaces one text of a table."""
    path = folder / f"{table}.csv"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def append(folder: Path, table: str, line: str) -> None:
    """Adds one line to a table."""
    with (folder / f"{table}.csv").open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def faults_of(folder: Path) -> list[str]:
    """Every fault as text."""
    faults = Faults()
    read_model(folder, faults)
    return [str(fault) for fault in sorted(faults)]


def test_the_shipped_scheme_is_as_large_as_promised() -> None:
    faults, notes = Faults(), Faults()
    model = read_model(DEMO, faults, notes)
    assert (faults, notes) == ([], [])
    assert len(model.mdcs) >= 15
    assert len({rule.adrg for rule in model.rules}) >= 60
    assert len({drg.drg for rule in model.rules for drg in rule.drgs}) >= 120


BROKEN = {
    "an MDC that does not exist": (
        lambda f: change(f, "adrg", "A,1,AA1", "Ä,1,AA1"),
        "adrg.csv: line 2: mdc: 'Ä' is not in mdc.csv — add the MDC or correct the letter",
    ),
    "a code of an ADRG that does not exist": (
        lambda f: append(f, "adrg_code", "QQ1,,P,1,37.5100"),
        "adrg: QQ1 is not in adrg.csv — add the rule or correct the name",
    ),
    "a DRG of an ADRG that does not exist": (
        lambda f: append(f, "drg", "QQ1,1,QQ19,any,,,,,,,,,,,,,,,"),
        "adrg: 'QQ1' is not in adrg.csv",
    ),
    "a code that is MCC and CC": (lambda f: append(f, "cc", "J96.000,109"), "cc.csv: J96.000: is in mcc.csv too"),
    "an ADRG that an earlier one always takes": (
        lambda f: (
            change(f, "adrg_code", "GD2,,P,1,47.0100\n", "GD2,,P,1,51.2200\n")
            or change(f, "adrg_code", "GD2,,P,1,47.0902\n", "")
            or change(f, "adrg", "H,1,HC2,,surgical,-", "G,99,HC2,,surgical,-")
        ),
        "a surgical rule after a medical one",
    ),
    "an ADRG whose diagnoses do not open its MDC": (
        lambda f: (
            append(f, "adrg", "I,77,IX9,,medical,principal,-,,,,,,nowhere")
            or append(f, "adrg_code", "IX9,,D,1,J18.900")
            or append(f, "drg", "IX9,1,IX99,any,,,,,,,,,,,,,,,")
        ),
        "IX9 is never reached: no diagnosis of its list opens MDC I",
    ),
    "an ADRG behind one that takes everything": (
        lambda f: (
            append(f, "adrg", "P,99,PZ9,,medical,principal,-,,,,,,never")
            or append(f, "adrg_code", "PZ9,,D,1,P22.000")
            or append(f, "drg", "PZ9,1,PZ99,any,,,,,,,,,,,,,,,")
        ),
        "PZ9 is never reached: PV1 (line",
    ),
    "an ADRG without a last DRG": (
        lambda f: change(f, "drg", "MB1,2,MB15,any", "MB1,2,MB15,cc"),
        "MB1 has no last DRG that takes the rest",
    ),
    "an ADRG without any DRG": (
        lambda f: append(f, "adrg", "I,77,IX9,,medical,-,-,,,,,,nowhere"),
        "IX9 has no DRG",
    ),
    "a DRG that is never reached": (
        lambda f: append(f, "drg", "AA1,2,AA15,mcc,,,,,,,,,,,,,,,"),
        "AA15 is never reached: an earlier DRG of AA1 takes all of its records",
    ),
    "a list that is not there": (
        lambda f: change(f, "adrg", ",AC1,,surgical,-,combo,1&2", ",AC1,,surgical,-,combo,1&3"),
        "AC1 reads P list 3, which has no codes",
    ),
    "an unknown match": (
        lambda f: change(f, "adrg", "AA1,,surgical,-,main", "AA1,,surgical,-,mian"),
        "procedure_match: unknown value 'mian'",
    ),
    "a combination that is no formula": (
        lambda f: change(f, "adrg", "combo,1&2", "combo,1 and 2"),
        "combination: '1 and 2' is no list of list numbers",
    ),
    "no number": (lambda f: change(f, "adrg", ",28,", ",x,"), "age_days_max: 'x' is no whole number"),
    "bounds that cross": (
        lambda f: change(f, "adrg", ",1500,2500,", ",2500,1500,"),
        "no number satisfies weight_min_g and weight_below_g",
    ),
    "two MDCs of one order": (lambda f: change(f, "mdc", "2,P,", "1,P,"), "order: 1 also stands in line 2"),
    "regions without a number": (
        lambda f: change(f, "mdc", "principal_and_regions,,,2", "principal_and_regions,,,"),
        "min_regions: is empty, but the gate is principal_and_regions",
    ),
    "a repeated row": (lambda f: append(f, "valid_procedure", "47.0100"), "repeats line"),
    "a bar in a code": (lambda f: append(f, "valid_procedure", "47.0|100"), "'47.0|100': is no code"),
    "a row of the wrong width": (lambda f: append(f, "mcc", "J96.001"), "1 values for 2 columns"),
    "a missing table": (lambda f: (f / "mcc.csv").unlink(), "mcc.csv: file: missing"),
    "a missing column": (
        lambda f: change(f, "mdc", "order,mdc,gate", "order,mdc,door"),
        "mdc.csv: line 1: column gate is missing",
    ),
    "no UTF-8": (lambda f: (f / "cc.csv").write_bytes(b"code,exclusion_table\nA\xff,1\n"), "cc.csv: line 2: not UTF-8"),
    "an unknown option": (
        lambda f: (f / "scheme.toml").write_text("retry_procedures = true\n"),
        "scheme.toml: retry_procedures: unknown key — did you mean retry_other_procedures?",
    ),
    "a wrong option": (
        lambda f: (f / "scheme.toml").write_text('no_drg_fits = "whatever"\n'),
        "scheme.toml: no_drg_fits: 'whatever' is not a choice",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_fault(name: str, copy: Path) -> None:
    breaks, expected = BROKEN[name]
    breaks(copy)
    assert any(expected in fault for fault in faults_of(copy)), faults_of(copy)
    with pytest.raises(PackError):
        load_scheme(copy)


def test_all_faults_come_in_one_run(copy: Path) -> None:
    for name in ("a code that is MCC and CC", "an unknown match", "a list that is not there", "a repeated row"):
        BROKEN[name][0](copy)
    found = "\n".join(faults_of(copy))
    for expected in ("is in mcc.csv too", "'mian'", "P list 3", "repeats line"):
        assert expected in found


def test_a_publisher_s_oddities_may_be_accepted(copy: Path) -> None:
    BROKEN["an ADRG without a last DRG"][0](copy)
    (copy / "scheme.toml").write_text("as_published = true\n")
    faults, notes = Faults(), Faults()
    read_model(copy, faults, notes)
    assert faults == []
    assert any("MB1 has no last DRG" in str(note) for note in notes)


def test_a_folder_that_is_not_there() -> None:
    with pytest.raises(PackError, match="no such grouping scheme"):
        load_scheme("no-such-scheme")


def test_compiled_once_and_kept_beside_the_source(copy: Path) -> None:
    first = load_scheme(copy)
    compiled = list((copy / ".compiled").glob("*.npz"))
    assert len(compiled) == 1
    again = load_scheme(copy)
    assert (again.hash, again.texts, again.name) == (first.hash, first.texts, first.name)
    for name, array in first.arrays._asdict().items():
        assert np.array_equal(getattr(again.arrays, name), array), name
        assert getattr(again.arrays, name).dtype == array.dtype, name


def test_a_changed_table_changes_the_hash(copy: Path) -> None:
    before = load_scheme(copy)
    append(copy, "valid_procedure", "99.9999")
    after = load_scheme(copy)
    assert before.hash != after.hash
    assert "99.9999" in after.texts.procedure_codes


def test_a_torn_compiled_file_is_compiled_again(copy: Path) -> None:
    first = load_scheme(copy)
    (compiled,) = (copy / ".compiled").glob("*.npz")
    compiled.write_bytes(compiled.read_bytes()[:1000])
    assert load_scheme(copy).texts == first.texts


def test_a_read_only_folder_is_compiled_into_the_user_s_cache(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    os.chmod(copy, 0o555)
    try:
        load_scheme(copy)
        assert not (copy / ".compiled").exists()
        assert len(list((tmp_path / "cache" / "adjudicator" / "schemes").glob("*.npz"))) == 1
    finally:
        os.chmod(copy, 0o755)


def test_several_schemes_at_once(extended: list, demo) -> None:
    assert len({pair.scheme.hash for pair in (*extended, demo)}) == len(extended) + 1
