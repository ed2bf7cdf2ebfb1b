"""Compiles or loads every kernel of re-pricing, and of tables of amounts, before the first table comes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from adjudicator.amounts.price import price_columns
from adjudicator.reprice.fields import CLAIM_FIELDS, LINE_FIELDS, Kind
from adjudicator.reprice.run import Options, plan, run
from adjudicator.rules.bundle import Bundle
from adjudicator.v1 import claim_pb2

_TYPES = {Kind.TEXT: pa.string(), Kind.TEXTS: pa.list_(pa.string()), Kind.FLAG: pa.bool_()}


def warm_up(packs: list[str], bundle: Bundle, claim: claim_pb2.Claim) -> None:
    """Price a claim as a table with lines and as tables of amounts; whether it is refused does not matter."""
    with tempfile.TemporaryDirectory(prefix="adjudicator-warmup-") as name:
        folder = Path(name)
        (folder / "in").mkdir()
        pq.write_table(_nested(claim), folder / "in" / "claims.parquet")
        options = Options(packs, folder / "in", folder / "out")
        run(plan(options, bundle.hash), options, lambda *_: None)
    table = {
        "insured_area": claim.insured_area, "scheme": claim.scheme, "person_type": claim.person_type,
        "care_type": claim.care_type, "hospital_level": "01", "settlement_date": claim.settlement_date,
        "admission_date": claim.admission_date, "in_scope_fen": np.array([claim.total_fen]),
    }  # fmt: skip
    for years in ([], ["after_stays"]):  # without persons' years there is another kernel
        price_columns(bundle, table, ["cash_fen", "error", *years])


def _nested(claim: claim_pb2.Claim) -> pa.Table:
    """Return a claim as a table of one row."""
    columns = {name: pa.array([_value(claim, name)], _TYPES.get(one.kind)) for name, one in CLAIM_FIELDS.items()}
    line = pa.struct([(name, _TYPES.get(one.kind, pa.int64())) for name, one in LINE_FIELDS.items()])
    lines = [{name: getattr(one, name) for name in LINE_FIELDS} for one in claim.lines]
    return pa.table({**columns, "lines": pa.array([lines], pa.list_(line))})


def _value(claim: claim_pb2.Claim, name: str) -> Any:
    value = getattr(claim, name)
    return list(value) if CLAIM_FIELDS[name].kind is Kind.TEXTS else value
