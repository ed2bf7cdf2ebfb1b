"""``adjudicator serve``: the gRPC service with its ledger."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from adjudicator.cli.addresses import listen_address, store_url
from adjudicator.cli.audited import AUDIT_VARIABLE, audit_default
from adjudicator.dates import is_date
from adjudicator.service.exposure import check_exposure
from adjudicator.service.options import DEFAULT_LISTEN, ServeOptions, TlsOptions

REDIS_VARIABLE = "ADJUDICATOR_REDIS_URL"
"""An address with a password belongs here: a command line can be read by every user of the machine."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "serve", help="run the gRPC service", description="Runs the gRPC service until SIGTERM or Ctrl-C."
    )
    parser.add_argument(
        "--pack", action="append", default=[], help="rule pack that settles: a name or a folder; repeatable"
    )
    parser.add_argument(
        "--candidate", action="append", default=[], metavar="NAME=PACK[,PACK]",
        help="further rule bundle that Reprice can name in x-adjudicator-rules; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--redis", metavar="URL", type=store_url, default=os.environ.get(REDIS_VARIABLE),
        help="ledger store, e.g. redis://host:6379/0, or of a cluster redis+cluster://host:6379,host:6379"
        f" (default ${REDIS_VARIABLE}); without it: one of our own",
    )  # fmt: skip
    parser.add_argument("--data", type=Path, default=Path("adjudicator-data"), metavar="DIR",
                        help="folder of the own ledger store (default %(default)s)")  # fmt: skip
    parser.add_argument(
        "--listen",
        type=listen_address,
        default=DEFAULT_LISTEN,
        metavar="ADDR",
        help="address and port (default %(default)s)",
    )
    parser.add_argument(
        "--workers", type=_positive, default=1, metavar="N", help="processes on the one port (default 1)"
    )
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate chain, PEM")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="private key, PEM")
    parser.add_argument(
        "--tls-client-ca", type=Path, metavar="FILE", help="serve only callers with a certificate of this CA"
    )
    parser.add_argument(
        "--callers", type=Path, metavar="FILE", help="callers.toml: who each certificate is and what is its own"
    )
    parser.add_argument(
        "--insecure", action="store_true", help="listen off this host though everybody may do everything there"
    )
    parser.add_argument(
        "--audit", type=Path, metavar="DIR", default=audit_default(),
        help=f"folder of the audit log (default ${AUDIT_VARIABLE}, else audit in the folder of --data)",
    )  # fmt: skip
    parser.add_argument("--reflection", action="store_true", help="answer reflection calls (off by default)")
    parser.add_argument(
        "--metrics", type=listen_address, metavar="ADDR", help="serve counters for Prometheus on this address"
    )
    parser.add_argument("--grace", type=float, default=30.0, metavar="SECONDS",
                        help="time to finish accepted calls when stopping (default %(default)s)")  # fmt: skip
    parser.add_argument("--today", type=date_number, metavar="DATE",
                        help="2024-06-12: the service's own date, instead of the clock's")  # fmt: skip
    parser.add_argument("--future-days", type=int, default=1, metavar="N",
                        help="days after today that a settlement may be dated (default %(default)s)")  # fmt: skip
    parser.add_argument("--worker", type=int, default=None, help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run one process, or the supervisor of several."""
    if bool(arguments.tls_cert) != bool(arguments.tls_key) or (arguments.tls_client_ca and not arguments.tls_cert):
        print("adjudicator serve: --tls-cert and --tls-key belong together", file=sys.stderr)
        return 2
    if bool(arguments.callers) != bool(arguments.tls_client_ca):
        print("adjudicator serve: --callers and --tls-client-ca belong together", file=sys.stderr)
        return 2
    check_exposure(options_of(arguments))
    if arguments.workers > 1:
        return _run_workers(arguments)
    import uvloop

    from adjudicator.service.server import run as run_server

    return uvloop.run(run_server(options_of(arguments)))


def options_of(arguments: argparse.Namespace) -> ServeOptions:
    """Options of this process."""
    tls = None
    if arguments.tls_cert:
        tls = TlsOptions(arguments.tls_cert, arguments.tls_key, arguments.tls_client_ca)
    return ServeOptions(
        packs=tuple(arguments.pack) or ServeOptions().packs,
        candidates=tuple(_candidate(text) for text in arguments.candidate),
        redis_url=arguments.redis,
        data_folder=arguments.data,
        listen=arguments.listen,
        share_port=arguments.worker is not None,
        tls=tls,
        callers=arguments.callers,
        audit_folder=arguments.audit,
        insecure=arguments.insecure,
        reflection=arguments.reflection,
        metrics=arguments.metrics,
        grace_seconds=arguments.grace,
        today=arguments.today,
        future_days=arguments.future_days,
        worker=arguments.worker or 0,
    )


def worker_commands(arguments: argparse.Namespace, address: str) -> list[list[str]]:
    """Command line of each worker: the same options, and the port decided.

    The address of the store comes in the environment; a store of our own is shared by all who use its folder.
    """
    words = ["--listen", address, "--grace", str(arguments.grace), "--data", str(arguments.data)]
    for pack in arguments.pack:
        words += ["--pack", pack]
    for candidate in arguments.candidate:
        words += ["--candidate", candidate]
    for name in ("tls_cert", "tls_key", "tls_client_ca", "callers", "audit"):
        if value := getattr(arguments, name):
            words += [f"--{name.replace('_', '-')}", str(value)]
    if arguments.insecure:
        words.append("--insecure")
    if arguments.reflection:
        words.append("--reflection")
    if arguments.today:
        words += ["--today", str(arguments.today)]
    words += ["--future-days", str(arguments.future_days)]
    commands = []
    for worker in range(arguments.workers):
        own = ["--worker", str(worker)]
        if arguments.metrics:
            host, _, port = arguments.metrics.rpartition(":")
            own += ["--metrics", f"{host}:{int(port) + worker}"]
        commands.append([sys.executable, "-m", "adjudicator", "serve", *words, *own])
    return commands


def _run_workers(arguments: argparse.Namespace) -> int:
    from adjudicator.service.supervisor import reserved_port, supervise

    if arguments.redis:
        os.environ[REDIS_VARIABLE] = arguments.redis
    with reserved_port(arguments.listen) as address:
        print(f"listening on {address} with {arguments.workers} workers", flush=True)
        return supervise(worker_commands(arguments, address), arguments.grace)


def _candidate(text: str) -> tuple[str, tuple[str, ...]]:
    name, _, packs = text.partition("=")
    if not name or not packs:
        raise SystemExit(f"adjudicator serve: --candidate needs NAME=PACK[,PACK], not {text}")
    return name, tuple(packs.split(","))


def date_number(text: str) -> int:
    """Return 2024-06-12 or 20240612 as YYYYMMDD.

    >>> date_number("2024-06-12")
    20240612
    """
    digits = text.replace("-", "")
    if not (digits.isascii() and digits.isdigit() and is_date(int(digits))):
        raise argparse.ArgumentTypeError(f"not a date: {text}")
    return int(digits)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number
