"""Coding checks inside settlement warn; they stop a claim only where the pack says so."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from adjudicator.claim.engine import OUTCOME_TRIAL, Engine
from adjudicator.claim.local import Years
from adjudicator.codes import GroupStatus
from adjudicator.errors import E
from adjudicator.rules.bundle import load_bundle
from adjudicator.v1 import settlement_pb2
from tests.claim.claims import inpatient, messages, settle

CODE = f"ADJ-{E.CODING_CHECK_FAILED:04d}"


def test_a_man_with_a_womans_diagnosis_is_settled_with_a_warning() -> None:
    claim = inpatient(sex=1)
    claim.diagnoses.append("N80.000")
    (answer,) = settle(claim)
    assert answer.outcome == settlement_pb2.OUTCOME_TRIAL
    (problem,) = [problem for problem in answer.problems if problem.code == CODE]
    assert problem.warning and problem.field == "diagnoses[1]" and "N80.000" in problem.message


def test_a_record_that_cannot_be_grouped_says_why() -> None:
    (answer,) = settle(inpatient(sex=9))
    assert answer.outcome == settlement_pb2.OUTCOME_TRIAL
    assert (answer.grouping.status, answer.grouping.drg) == (GroupStatus.INVALID, "")
    (problem,) = [problem for problem in answer.problems if problem.code == f"ADJ-{E.GROUPING_INVALID_RECORD:04d}"]
    assert problem.warning and "sex is neither 1 nor 2" in problem.message


def test_a_clean_record_has_no_warning() -> None:
    (answer,) = settle(inpatient())
    assert CODE not in [problem.code for problem in answer.problems]


def test_a_pack_may_refuse(packs: Path, tmp_path: Path) -> None:
    for name in ("hangzhou", "zhejiang"):
        shutil.copytree(packs / name, tmp_path / name)
    shutil.copytree(packs / "schemes", tmp_path / "schemes")
    (tmp_path / "hangzhou" / "coding_checks.toml").write_text('[severity]\nfemale-only = "refuse"\n', "utf-8")
    bundle = load_bundle([tmp_path / "hangzhou"])
    assert bundle.hash != load_bundle(["hangzhou"]).hash, "the checks are part of the rules"
    claim = inpatient(sex=1)
    claim.diagnoses.append("N80.000")
    data = claim.SerializeToString()
    engine = Engine(bundle)
    batch = engine.prepare(data, np.zeros(1, np.int64), np.array([len(data)]))
    result = engine.price(batch, batch.good, *Years().rows(batch, batch.good))
    (answer,) = messages(*engine.encode(result, OUTCOME_TRIAL, np.arange(1)))
    assert answer.outcome == settlement_pb2.OUTCOME_REFUSED
    assert [problem.code for problem in answer.problems] == [CODE]
