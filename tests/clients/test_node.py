"""A caller in another language: Node's gRPC from the npm registry, the .proto files, and nothing else of ours."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CLAIM = HERE.parents[1] / "docs" / "first-call" / "claim.json"
ALREADY_EXISTS, NOT_FOUND, INVALID_ARGUMENT = 6, 5, 3


@pytest.fixture(scope="module")
def node(tmp_path_factory) -> Path:
    """A folder with the script and its packages, installed from the lock."""
    for program in ("node", "npm"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "package-lock.json", "settle.js"):
        shutil.copy(HERE / "node" / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
    installed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    if installed.returncode:
        pytest.skip(f"the packages could not be installed from the npm registry: {installed.stderr.strip()[-200:]}")
    return folder


@pytest.fixture(scope="module")
def answers(node, root, address, tmp_path_factory) -> dict[str, dict]:
    """What the service answered to the script."""
    claim = json.loads(CLAIM.read_text(encoding="utf-8")) | {"encounter_id": "ZY20240604002"}
    file = tmp_path_factory.mktemp("claim") / "claim.json"
    file.write_text(json.dumps(claim), encoding="utf-8")
    command = ["node", "settle.js", address, str(root / "proto"), str(file)]
    done = subprocess.run(command, cwd=node, capture_output=True, text=True, timeout=120, check=True)
    return json.loads(done.stdout)


def test_the_trial_says_what_the_settlement_will_say(answers):
    trial, settled = answers["trial"], answers["settled"]
    assert (trial["outcome"], settled["outcome"]) == ("OUTCOME_TRIAL", "OUTCOME_SETTLED")
    assert trial["settlement_id"] == "" and len(settled["settlement_id"]) == 32
    assert all(trial[name] == settled[name] for name in settled if name.endswith("_fen"))


def test_the_payers_add_up_to_the_total(answers):
    settled = {name: int(value) for name, value in answers["settled"].items() if name.endswith("_fen")}
    claim = json.loads(CLAIM.read_text(encoding="utf-8"))
    assert settled["total_fen"] == claim["total_fen"]
    assert (
        settled["total_fen"]
        == settled["fund_total_fen"] + settled["personal_total_fen"] + settled["hospital_borne_fen"]
    )
    assert settled["fund_total_fen"] > 0 and settled["deductible_fen"] > 0


def test_the_same_claim_again_gets_the_same_answer(answers):
    assert answers["again"] == answers["settled"] == answers["stored"]


def test_other_content_under_the_key_is_refused_and_names_the_field(answers):
    refused = answers["other_content"]
    assert refused["status"] == ALREADY_EXISTS and "discharge_way" in refused["details"]


def test_an_unknown_area_is_refused_with_what_to_do(answers):
    refused = answers["unknown_area"]
    assert refused["status"] in (INVALID_ARGUMENT, NOT_FOUND) and refused["details"]
