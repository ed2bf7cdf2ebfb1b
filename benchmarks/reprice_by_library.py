"""Prices tables of claims as somebody does who has the engine and the protobuf library, and no command for tables.

    .venv/bin/python benchmarks/reprice_by_library.py --pack hangzhou --input DIR --output FILE

DIR has ``claims.parquet`` and ``lines.parquet`` as ``adjudicator synth`` writes them; FILE gets the columns that
``adjudicator reprice`` writes. Part of ``benchmarks/reprice_cost.py``; prints how long each part took.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from adjudicator import Engine, load_bundle
from adjudicator.claim.keys import settlement_key
from adjudicator.claim.local import Years, price_batch
from adjudicator.reprice.results import schema
from adjudicator.service.frames import join_frames
from adjudicator.v1 import claim_pb2, settlement_pb2

AT_ONCE = 100
"""Claims of a batch."""
GROUPING = ("mdc", "adrg", "drg")
PAYMENT = ("points_e8", "point_value_e4", "due_fen", "difference_fen")


def claims_of(folder: Path) -> list[claim_pb2.Claim]:
    """Return the rows of two tables as messages."""
    rows = pq.read_table(folder / "claims.parquet").to_pylist()
    lines = pq.read_table(folder / "lines.parquet")
    of_claim = lines.column("claim").to_numpy()
    ends = np.searchsorted(of_claim, np.arange(len(rows) + 1)).tolist()
    records = lines.drop_columns(["claim"]).to_pylist()
    for record in records:
        record["line_id"] = str(record.pop("line") + 1)
        original = record.pop("original_line")
        if original >= 0:
            record["original_line_id"] = str(original + 1)
    return [
        claim_pb2.Claim(**{name: value for name, value in row.items() if value is not None}, lines=records[begin:end])
        for row, begin, end in zip(rows, ends[:-1], ends[1:], strict=True)
    ]


def order_of(claim: claim_pb2.Claim) -> tuple[Any, ...]:
    """Return what claims are ordered by, so that the year of a person is priced as it went."""
    key = settlement_key(claim.institution_code, claim.encounter_id, claim.settlement_sequence)
    return claim.settlement_date, claim.admission_date, claim.settlement_sequence, key[8:][::-1], key[:8][::-1]


def answers_of(engine: Engine, batches: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a ``SettlementBatch`` for each ``ClaimBatch``."""
    years = Years()
    for batch in batches:
        answers, offsets = price_batch(engine, batch, years)
        data, ends = answers.tobytes(), offsets.tolist()
        yield join_frames(data[begin:end] for begin, end in itertools.pairwise(ends))


def row_of(answer: settlement_pb2.Settlement, names: list[str]) -> tuple[Any, ...]:
    """Return the columns of an answer."""
    grouping, payment = answer.grouping, answer.payment
    others = {
        "grouping_scheme": grouping.scheme, "grouping_status": grouping.status, "payment_method": payment.method,
        **{name: getattr(grouping, name) for name in GROUPING}, **{name: getattr(payment, name) for name in PAYMENT},
    }  # fmt: skip
    return tuple(others[name] if name in others else getattr(answer, name) for name in names)


def main() -> None:
    """Price a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("pack", "input", "output"):
        parser.add_argument(f"--{name}", required=True)
    arguments = parser.parse_args()
    engine, names = Engine(load_bundle([arguments.pack])), schema().names
    times = [time.process_time()]

    def done() -> None:
        times.append(time.process_time())

    claims = claims_of(Path(arguments.input))
    order = sorted(range(len(claims)), key=lambda place: order_of(claims[place]))
    groups = (order[first : first + AT_ONCE] for first in range(0, len(order), AT_ONCE))
    batches = [claim_pb2.ClaimBatch(claims=[claims[place] for place in group]).SerializeToString() for group in groups]
    done()
    answers = list(answers_of(engine, iter(batches)))
    done()
    found = (one for answer in answers for one in settlement_pb2.SettlementBatch.FromString(answer).settlements)
    rows: list[tuple[Any, ...]] = [()] * len(claims)
    for place, answer in zip(order, found, strict=True):
        rows[place] = row_of(answer, names)
    columns = [pa.array(column, one.type) for column, one in zip(zip(*rows, strict=True), schema(), strict=True)]
    pq.write_table(pa.table(columns, schema()), arguments.output, compression="zstd")
    done()
    for name, before, after in zip(("messages", "engine", "answers"), times[:-1], times[1:], strict=True):
        print(f"{name:10}{(after - before) * 1e6 / max(len(claims), 1):9.2f} us of CPU a claim")


if __name__ == "__main__":
    main()
