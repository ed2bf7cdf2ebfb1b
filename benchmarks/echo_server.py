"""A gRPC server that does nothing: it answers each call with bytes that were given to it (peer of bench_service)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import grpc
import uvloop

SERVICE = "adjudicator.v1.Adjudication"
BYTES_A_CLAIM = 600
"""Less than any claim of a batch has, and more than a tenth of what one of 50 lines has."""


async def serve(folder: Path) -> None:
    """Answers with the files of ``folder``, which are named by claims a call; a batch is known by its length."""
    answers = {int(path.name): path.read_bytes() for path in folder.iterdir() if path.name.isdigit()}
    batches, single = sorted(size for size in answers if size > 1), answers[1]

    async def answer_single(_message: bytes, _context: grpc.aio.ServicerContext) -> bytes:
        return single

    async def answer_batch(message: bytes, _context: grpc.aio.ServicerContext) -> bytes:
        near = [size for size in batches if size * BYTES_A_CLAIM <= len(message)]
        return answers[near[-1] if near else batches[0]]

    server = grpc.aio.server(options=(("grpc.max_receive_message_length", 1 << 25), ("grpc.so_reuseport", 0)))
    table = {
        "Settle": grpc.unary_unary_rpc_method_handler(answer_single),
        "SettleBatch": grpc.unary_unary_rpc_method_handler(answer_batch),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, table),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    run = uvloop.run if sys.argv[2:] == ["uvloop"] else asyncio.run
    run(serve(Path(sys.argv[1])))
