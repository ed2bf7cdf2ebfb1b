"""A gRPC server that does nothing: it answers each call with bytes that were given to it (peer of bench_service)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import grpc
import uvloop

SERVICE = "adjudicator.v1.Adjudication"


async def serve(folder: Path) -> None:
    """Answers with the files of ``folder``: ``batch`` for batches and streams, ``single`` for unary calls."""
    batch, single = (folder / "batch").read_bytes(), (folder / "single").read_bytes()

    async def answer_single(_message: bytes, _context: grpc.aio.ServicerContext) -> bytes:
        return single

    async def answer_batch(_message: bytes, _context: grpc.aio.ServicerContext) -> bytes:
        return batch

    async def answer_stream(messages, _context: grpc.aio.ServicerContext):
        async for _ in messages:
            yield batch

    server = grpc.aio.server(options=(("grpc.max_receive_message_length", 1 << 25), ("grpc.so_reuseport", 0)))
    table = {
        "Settle": grpc.unary_unary_rpc_method_handler(answer_single),
        "SettleBatch": grpc.unary_unary_rpc_method_handler(answer_batch),
        "SettleStream": grpc.stream_stream_rpc_method_handler(answer_stream),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, table),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    run = uvloop.run if sys.argv[2:] == ["uvloop"] else asyncio.run
    run(serve(Path(sys.argv[1])))
