"""Records and states that a release has written are read by every later one, whatever the layout of memory is now."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from adjudicator.claim.basis import read_basis
from adjudicator.columns import ACCUMULATORS, SLOT
from adjudicator.errors import AdjudicatorError, E
from adjudicator.ledger.layout import Kind
from adjudicator.ledger.record import Record
from adjudicator.ledger.states import StateRead

RECORDS = Path(__file__).parent / "records"
FOLDER = RECORDS / "format_3"
FOLDERS = ("format_3", "format_3_names")


def stored(name: str, folder: str = "format_3") -> bytes:
    return (RECORDS / folder / f"{name}.bin").read_bytes()


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_settlement_its_reversal_and_a_posting_of_format_3(folder) -> None:
    settlement, reversal, posting = (
        Record.from_bytes(stored(name, folder)) for name in ("settlement", "reversal", "posting")
    )
    assert (settlement.kind, reversal.kind, posting.kind) == (Kind.SETTLE, Kind.REVERSE, Kind.POSTING)
    for record in (settlement, reversal):
        basis = read_basis(record.basis)
        assert basis is not None and basis.principal_diagnosis == "I10.x00x002"
        assert (basis.facts.admission_date, basis.facts.discharge_date) == (20250311, 20250314)
        assert basis.facts.total_fen == 350_000
    assert [(number, -change) for number, change in settlement.changes] == list(reversal.changes)
    assert posting.postings == ((330106, 2, 13, 700),)


def test_the_names_of_a_claim_are_kept_since_they_have_fields() -> None:
    before, since = (read_basis(Record.from_bytes(stored("settlement", folder)).basis) for folder in FOLDERS)
    assert before is not None and since is not None
    assert not before.names_kept and since.names_kept
    assert (since.further_diagnoses, since.procedures) == (["E11.900"], ["38.9300", "47.0100"])
    assert since.department == "0700"
    assert since.assistance_categories[since.assistance_chosen] == "low_income"


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_state_of_format_3(folder) -> None:
    settlement = stored("settlement", folder)
    state = StateRead.parse(np.zeros((1, 16), np.uint8), [stored("state", folder)])
    numbers = dict(ACCUMULATORS)
    changes = {numbers[number]: change for number, change in Record.from_bytes(settlement).changes}
    assert {name: int(state.slots[0, place]) for name, place in SLOT.items() if state.slots[0, place]} == changes
    assert changes["stays"] == 1


def test_another_format_is_named() -> None:
    with pytest.raises(AdjudicatorError) as refused:
        Record.from_bytes(b"\x08\x01" + stored("settlement")[2:], 7)
    assert refused.value.problems[0].number == E.LEDGER_CORRUPT
    assert "record format 1, this version reads format 3" in refused.value.problems[0].detail


READ = """
from pathlib import Path
import numpy as np
from adjudicator.claim.basis import inputs_of, read_basis
from adjudicator.columns import CLAIM, SLOT
from adjudicator.ledger.record import Record
from adjudicator.ledger.states import StateRead
folder = Path({folder!r})
assert CLAIM.names[:2] == ("new_1", "new_2") and SLOT["new_fen"] == 0
record = Record.from_bytes((folder / "settlement.bin").read_bytes())
basis = read_basis(record.basis)
inputs = inputs_of(basis, f"{{basis.rules_hash:016x}}")
assert inputs.claim["admission_date"][0] == 20250311 and basis.principal_diagnosis == "I10.x00x002"
state = StateRead.parse(np.zeros((1, 16), np.uint8), [(folder / "state.bin").read_bytes()])
assert state.slots[0, SLOT["stays"]] == 1 and state.slots[0, SLOT["new_fen"]] == 0
"""


@pytest.mark.check
def test_more_columns_and_one_more_accumulator_in_a_copy_of_the_program_read_the_same(tmp_path: Path) -> None:
    package = Path(__file__).parents[2] / "src" / "adjudicator"
    copy = tmp_path / "adjudicator"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    source = (copy / "columns.py").read_text(encoding="utf-8")
    source = source.replace(
        "CLAIM = np.dtype(\n    [\n", 'CLAIM = np.dtype(\n    [\n("new_1", "i4"), ("new_2", "i4"),\n', 1
    )
    head = "ACCUMULATORS: tuple[tuple[int, str], ...] = (\n"
    assert head in source
    (copy / "columns.py").write_text(source.replace(head, head + '    (999, "new_fen"),\n', 1), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    subprocess.run([sys.executable, "-c", READ.format(folder=str(FOLDER))], env=environment, check=True)
