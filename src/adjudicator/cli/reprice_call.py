"""``adjudicator reprice call``: sends claims to the ``Reprice`` call of a service and writes what it answers."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from adjudicator.cli.addresses import add_tls, credentials_of

if TYPE_CHECKING:
    import grpc

    from adjudicator.v1 import claim_pb2, settlement_pb2

RULES_METADATA = "x-adjudicator-rules"
CLAIMS_AT_ONCE = 100


def add_action(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = actions.add_parser(
        "call",
        help="send claims to the Reprice call of a service",
        description="Prices claims at a service that is already running, over persons' years that begin empty and last "
        "as long as the call; nothing is recorded. docs/reprice.md says what the call does not know.",
    )
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help=".pb of delimited batches, .jsonl of claims, .json of one"
    )
    parser.add_argument("--target", required=True, metavar="ADDR", help="a service, HOST:PORT")
    parser.add_argument("--rules", default="", metavar="NAME", help="candidate or hash (default: rules that settle)")
    parser.add_argument("--output", type=Path, metavar="FILE", help=".pb of delimited batches, or JSON lines")
    add_tls(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Send the claims; 1 where one was refused, or the call was."""
    with ExitStack() as stack:
        output = stack.enter_context(arguments.output.open("wb")) if arguments.output else sys.stdout.buffer
        return asyncio.run(_call(arguments, _Writer(output, arguments.output)))


async def _call(arguments: argparse.Namespace, writer: _Writer) -> int:
    import grpc

    from adjudicator.client import Client

    metadata = ((RULES_METADATA, arguments.rules),) if arguments.rules else ()
    async with Client(arguments.target, credentials_of(arguments)) as client:
        try:
            call = client.adjudication.Reprice(metadata=metadata)
            # One batch is answered before the next is read: a fault of a file stops the call where it stands.
            for batch in chain.from_iterable(map(_batches, arguments.files)):
                await call.write(batch)
                writer.write(await call.read())
            await call.done_writing()
            await call.read()
        except grpc.RpcError as error:
            print(_refusal(error, arguments.target), file=sys.stderr)
            return 1
    counted = f"{writer.count:,} claims, {writer.refused:,} refused"
    print(counted, file=sys.stderr)
    return 1 if writer.refused else 0


def _batches(path: Path) -> Iterator[claim_pb2.ClaimBatch]:
    """Yield the batches of a file. Errors: E.INPUT_UNREADABLE, E.CORRUPT_CASE_FILE."""
    from google.protobuf import proto
    from google.protobuf.message import DecodeError

    from adjudicator.errors import E, refuse
    from adjudicator.v1 import claim_pb2

    if path.suffix == ".pb":
        with path.open("rb") as file:
            try:
                while (batch := proto.parse_length_prefixed(claim_pb2.ClaimBatch, cast(BytesIO, file))) is not None:
                    yield batch
            except (DecodeError, ValueError) as error:
                cut = f"{path.name} is no file of delimited ClaimBatch messages, or was cut off"
                raise refuse(E.INPUT_UNREADABLE, path.name, cut, f"{path.name} 格式不符或不完整") from error
        return
    claims = list[Any]()
    for claim in _claims(path):
        claims.append(claim)
        if len(claims) == CLAIMS_AT_ONCE:
            yield claim_pb2.ClaimBatch(claims=claims)
            claims = []
    if claims:
        yield claim_pb2.ClaimBatch(claims=claims)


def _claims(path: Path) -> Iterator[claim_pb2.Claim]:
    """Yield the claims of a JSON file, of the wire or of the national interface, or of a file of JSON lines."""
    from adjudicator.interop.claim_file import parse_claim, read_claim_file
    from adjudicator.interop.national import is_national, read_claim, read_message

    if path.suffix == ".jsonl":
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield parse_claim(line, f"{path.name}:{number}")
    else:
        yield read_claim(read_message(path)) if is_national(path) else read_claim_file(path)


class _Writer:
    """Writes answers as they come, and says on the error stream what was refused."""

    def __init__(self, output: BinaryIO, path: Path | None) -> None:
        self._output, self._delimited = output, path is not None and path.suffix == ".pb"
        self.count = self.refused = 0

    def write(self, answer: settlement_pb2.SettlementBatch) -> None:
        """Write one batch of answers."""
        from google.protobuf import json_format, proto

        from adjudicator.v1 import settlement_pb2

        if self._delimited:
            proto.serialize_length_prefixed(answer, cast(BytesIO, self._output))
        for settlement in answer.settlements:
            if not self._delimited:
                shown = json_format.MessageToDict(settlement, preserving_proto_field_name=True)
                self._output.write(json.dumps(shown, ensure_ascii=False).encode() + b"\n")
            if settlement.outcome == settlement_pb2.OUTCOME_REFUSED:
                self.refused += 1
                for problem in settlement.problems:
                    print(f"claim {self.count + 1}: {_told(problem)}", file=sys.stderr)
            self.count += 1
        self._output.flush()


def _told(problem: Any) -> str:
    """Return a problem of an answer as commands show their own."""
    where = f"{problem.field}: " if problem.field and f"{problem.field}:" not in problem.message else ""
    return f"{problem.code} {where}{problem.message}\n         {problem.message_zh}"


def _refusal(error: grpc.RpcError, target: str) -> str:
    """Return why the call was refused, in both languages where the service says so."""
    from google.rpc import error_details_pb2

    from adjudicator.client import code_of, status_of

    code = code_of(error)
    if not code:
        return f"adjudicator: {target}: {error.code().name} {error.details()}"
    chinese = error_details_pb2.LocalizedMessage()
    for detail in getattr(status_of(error), "details", ()):
        if detail.Is(error_details_pb2.LocalizedMessage.DESCRIPTOR):
            detail.Unpack(chinese)
    text = error.details()
    return f"{text if text.startswith(code) else f'{code} {text}'}\n         {chinese.message}".rstrip()
