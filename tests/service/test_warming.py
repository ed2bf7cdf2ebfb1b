"""Nothing is compiled once a service has warmed up: a claim would wait a minute for it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

LATER = """
import gc, json
import numpy as np
from numba.core.dispatcher import Dispatcher
from adjudicator.claim.engine import Engine
from adjudicator.ledger.states import StateRead
from adjudicator.rules.bundle import load_bundle
from adjudicator.service.metrics import Metrics
from adjudicator.service.open_claims import OpenClaims
from adjudicator.service.options import ServeOptions
from adjudicator.service.settling import Settler, Work, split
from adjudicator.service.warming import example, warm_up
from adjudicator.service.years import year_keys
from adjudicator.v1 import claim_pb2
from adjudicator.wire.decode import BATCH_DEPTH

def compiled():
    found = [one for one in gc.get_objects() if isinstance(one, Dispatcher)]
    own = [one for one in found if "adjudicator" in (one.py_func.__module__ or "")]
    return {f"{one.py_func.__module__}.{one.py_func.__name__}": len(one.signatures) for one in own}

engine = Engine(load_bundle(["taohuayuan"]))
settler = Settler(engine, None, ServeOptions(), Metrics())
warm_up(settler)
before = compiled()

def settle(*changes):
    claims = [example(engine.bundle) for _ in changes]
    for number, (claim, change) in enumerate(zip(claims, changes)):
        claim.encounter_id, claim.person_id = f"E{number}", f"P{number}"
        change(claim)
    starts, ends = split(message := claim_pb2.ClaimBatch(claims=claims).SerializeToString())
    resolved = engine.prepare(message, starts, ends, max_depth=BATCH_DEPTH, digested=True)
    rows = resolved.good
    work = OpenClaims(resolved, "000000", rows, np.full(len(starts), np.inf))
    keys, state_rows, kin = year_keys(engine.bundle, resolved, rows)
    if rows.size:
        priced = settler._price(work, Work(rows, state_rows, kin), StateRead.parse(keys, [b""] * len(keys)))
        assert priced.commit is not None, priced.answers

def same(claim): pass
def refused(claim): claim.insured_area = "110000"
def one_person(claim): claim.person_id = "P"
def refund(claim):
    line = claim.lines.add()
    line.CopyFrom(claim.lines[0])
    line.line_id, line.original_line_id = "2", "1"
    line.quantity_e4, line.amount_fen = -line.quantity_e4, -line.amount_fen
    claim.total_fen = 0
def part(claim): claim.mid_stay = True

for batch in ([same], [same] * 5, [same, refused, same], [one_person] * 3, [refund, same], [part, same], [refused]):
    settle(*batch)
print(json.dumps([name for name, count in compiled().items() if count > before.get(name, 0)]))
"""


@pytest.mark.check
def test_nothing_is_compiled_after_the_warm_up():
    done = subprocess.run([sys.executable, "-c", LATER], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == []
