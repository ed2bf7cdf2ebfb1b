"""Claims as messages, as Parquet tables in each layout, and as the protobuf way prices them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from adjudicator.claim.engine import Engine
from adjudicator.claim.keys import settlement_key
from adjudicator.claim.local import Years, price_batch
from adjudicator.reprice.fields import CLAIM_FIELDS, LINE_FIELDS, Kind
from adjudicator.reprice.run import Options, Summary, plan, run
from adjudicator.rules.bundle import load_bundle
from adjudicator.v1 import claim_pb2, settlement_pb2

ARROW = {Kind.TEXT: pa.string(), Kind.TEXTS: pa.list_(pa.string()), Kind.FLAG: pa.bool_()}
LINE = pa.struct([(name, ARROW.get(one.kind, pa.int64())) for name, one in LINE_FIELDS.items()])
CLAIM = pa.schema([(name, ARROW.get(one.kind, pa.int64())) for name, one in CLAIM_FIELDS.items()])


def row_of(claim: claim_pb2.Claim) -> dict[str, Any]:
    """A claim as a row of a nested table."""
    row: dict[str, Any] = {}
    for name, one in CLAIM_FIELDS.items():
        value = getattr(claim, name)
        if claim.DESCRIPTOR.fields_by_name[name].has_presence and not claim.HasField(name):
            value = None
        row[name] = list(value) if one.kind is Kind.TEXTS else value
    row["lines"] = [{name: getattr(line, name) for name in LINE_FIELDS} for line in claim.lines]
    return row


def nested(claims: Iterable[claim_pb2.Claim]) -> pa.Table:
    return pa.Table.from_pylist([row_of(claim) for claim in claims], CLAIM.append(pa.field("lines", pa.list_(LINE))))


def write_nested(claims: Iterable[claim_pb2.Claim], path: Path, rows: int = 500) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(nested(claims), path, row_group_size=rows)
    return path


def price_files(source: Path, output: Path, pack: str = "taohuayuan", **options: Any) -> Summary:
    """Price the claims of a folder or file."""
    chosen = Options([pack], source, output, **options)
    return run(plan(chosen, load_bundle([pack]).hash), chosen, lambda *_: None)


def result_rows(output: Path) -> list[dict[str, Any]]:
    """The results of all units, in the order of the input."""
    return [
        row for path in sorted((output / "settlements").glob("*.parquet")) for row in pq.read_table(path).to_pylist()
    ]


def contents(output: Path) -> dict[str, bytes]:
    """Every file of results by its name."""
    return {
        str(path.relative_to(output)): path.read_bytes()
        for path in sorted(output.rglob("*.parquet"))
        if ".work" not in path.parts
    }


def in_order(claims: Sequence[claim_pb2.Claim]) -> list[int]:
    """Places of the claims in the order in which they are priced."""

    def of(place: int) -> tuple[int, ...]:
        claim = claims[place]
        key = settlement_key(claim.institution_code, claim.encounter_id, claim.settlement_sequence)
        low, high = (int.from_bytes(key[at : at + 8], "little") for at in (0, 8))
        return claim.settlement_date, claim.admission_date, claim.settlement_sequence, high, low

    return sorted(range(len(claims)), key=of)


def protobuf_way(claims: Sequence[claim_pb2.Claim], engine: Engine) -> list[settlement_pb2.Settlement]:
    """The answers of the engine to the same claims as messages, in the order of the input."""
    order = in_order(claims)
    batch = claim_pb2.ClaimBatch(claims=[claims[place] for place in order]).SerializeToString()
    answers, offsets = price_batch(engine, batch, Years())
    data, found = answers.tobytes(), [settlement_pb2.Settlement()] * len(claims)
    for place, begin, end in zip(order, offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        found[place] = settlement_pb2.Settlement.FromString(data[begin:end])
    return found


def assert_same(row: dict[str, Any], answer: settlement_pb2.Settlement) -> None:
    """Every column of a result is the field of the answer."""
    own = {
        "grouping_scheme": answer.grouping.scheme, "grouping_status": answer.grouping.status,
        "mdc": answer.grouping.mdc, "adrg": answer.grouping.adrg, "drg": answer.grouping.drg,
        "payment_method": answer.payment.method, "points_e8": answer.payment.points_e8,
        "point_value_e4": answer.payment.point_value_e4, "due_fen": answer.payment.due_fen,
        "difference_fen": answer.payment.difference_fen,
    }  # fmt: skip
    for name, value in row.items():
        assert value == (own[name] if name in own else getattr(answer, name)), name
