"""Differential fuzz of the wire tables against the protobuf library.

From a shell: ``python -m tests.wire.fuzz --cases 100000 --seed 5``; prints what differs and exits with 1.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator

from google.protobuf.message import Message

from adjudicator.v1 import claim_pb2, grouping_pb2, settlement_pb2
from tests.wire.everything import Everything
from tests.wire.generate import fill, mutate, wire_bytes
from tests.wire.oracle import Difference, differences, parse, read_together

MESSAGES: tuple[type[Message], ...] = (
    claim_pb2.Claim,
    claim_pb2.ClaimBatch,
    settlement_pb2.Settlement,
    grouping_pb2.GroupBatch,
    Everything,
)
TOGETHER = 200
"""Cases that are decoded as roots of one buffer: each must be read as if it were alone."""


def make_case(rng: random.Random, message_class: type[Message]) -> bytes:
    """One message: written by the library, by a careless client, or noise; half of them mutated."""
    chance = rng.random()
    if chance < 0.5:
        data = wire_bytes(rng, message_class.DESCRIPTOR)
    elif chance < 0.55:
        data = rng.randbytes(rng.randrange(12))
    else:
        data = fill(rng, message_class(), density=0.3, repeats=rng.choice((1, 2, 8))).SerializeToString()
    return mutate(rng, data) if rng.random() < 0.5 else data


def fuzz(message_class: type[Message], cases: int, seed: int, reader=read_together) -> tuple[list[Difference], int]:
    """Differences found, and how many of the cases the library accepted."""
    rng = random.Random(f"{message_class.DESCRIPTOR.full_name} {seed}")
    found: list[Difference] = []
    accepted = 0
    for block in _blocks(rng, message_class, cases):
        found.extend(differences(message_class, block, reader))
        accepted += sum(parse(message_class, case) is not None for case in block)
    return found, accepted


def _blocks(rng: random.Random, message_class: type[Message], cases: int) -> Iterator[list[bytes]]:
    for start in range(0, cases, TOGETHER):
        yield [make_case(rng, message_class) for _ in range(min(TOGETHER, cases - start))]


def main() -> int:
    """Run over all messages; 1 when anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    bad = 0
    for message_class in MESSAGES:
        cases = arguments.cases // len(MESSAGES)
        found, accepted = fuzz(message_class, cases, arguments.seed)
        bad += len(found)
        print(f"{message_class.__name__}: {cases} cases, {accepted} accepted, {len(found)} differ")
        for difference in found[:5]:
            print(f"  {difference}")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
