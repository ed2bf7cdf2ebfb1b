"""``adjudicator explain``: why a settlement has its amounts, step by step, as text, JSON or a sheet to print.

Explains a claim in a file (the message of the wire or of the national interface as JSON, or a case), or a settlement
that a ledger has stored.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adjudicator.cli.addresses import add_tls, credentials_of, store_url
from adjudicator.cli.language import add_language

if TYPE_CHECKING:
    from adjudicator.cli.reports.explained import Explained


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "explain",
        help="why a settlement has its amounts, step by step",
        description="Explains a claim or the cases of a file, or a settlement that a ledger has stored.",
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="claim as JSON, or cases as YAML")
    parser.add_argument("--pack", default="", help="rule pack (default: the shipped one of the place of insurance)")
    stored = parser.add_argument_group("a stored settlement")
    stored.add_argument("--redis", metavar="URL", type=store_url, help="store of the ledger")
    stored.add_argument("--target", metavar="ADDR", help="a service, HOST:PORT")
    stored.add_argument("--institution", metavar="CODE", default="", help="institution code of the settlement")
    stored.add_argument("--encounter", metavar="ID", default="", help="encounter id of the settlement")
    stored.add_argument("--sequence", type=int, default=1, metavar="N", help="which settlement (default %(default)s)")
    stored.add_argument("--area", metavar="CODE", default="", help="place of insurance; needed with --target")
    add_tls(parser)
    add_language(parser)
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print JSON, one object a settlement")
    output.add_argument("--html", type=Path, metavar="FILE", help="write the settlement sheet to print (结算单说明)")
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Explains; 1 where a claim is refused."""
    from adjudicator.cli.reports.explained import page, text_lines

    is_stored = bool(arguments.redis or arguments.target)
    if is_stored == bool(arguments.files):
        arguments.parser.error("name a FILE, or a stored settlement with --redis or --target")
    if is_stored and not (arguments.institution and arguments.encounter):
        arguments.parser.error("name the settlement with --institution and --encounter")
    if arguments.target and not arguments.area:
        arguments.parser.error("name the place of insurance with --area")
    explained = [asyncio.run(_stored(arguments))] if is_stored else list(_of_files(arguments))
    if arguments.html:
        arguments.html.write_text(page(explained, arguments.lang), "utf-8")
    for one in explained:
        if arguments.json:
            print(json.dumps(one.as_json(), ensure_ascii=False))
        elif not arguments.html:
            print("\n".join(text_lines(one, arguments.lang)))
    return 1 if any(one.is_refused for one in explained) else 0


def _of_files(arguments: argparse.Namespace) -> Iterator[Explained]:
    from adjudicator.cases.file import read_cases
    from adjudicator.cases.run import run_case
    from adjudicator.cli.reports.explained import Explained
    from adjudicator.interop.claim_file import is_claim, read_claim_file
    from adjudicator.interop.national import is_national, read_claim, read_message
    from adjudicator.service.explaining import key_of, message_of

    for path in arguments.files:
        if is_claim(path):
            yield _of_claim(read_claim_file(path), arguments.pack)
        elif is_national(path):
            yield _of_claim(read_claim(read_message(path)), arguments.pack)
        else:
            for case in read_cases([path], arguments.pack):
                for settled in run_case(case):
                    key = key_of(settled.claim)
                    explanation = message_of(key, settled.answer.rules_hash, settled.steps)
                    yield Explained(settled.answer, explanation, settled.claim, f"{case.name} {case.title}".strip())


def _of_claim(claim: Any, pack: str) -> Explained:
    """Return the claim as a first settlement of the person's year."""
    from adjudicator.claim.engine import Engine
    from adjudicator.claim.traced import settle_traced
    from adjudicator.cli.reports.explained import Explained
    from adjudicator.interop.claim_file import shipped_pack_of
    from adjudicator.rules.bundle import load_bundle
    from adjudicator.service.explaining import key_of, message_of

    engine = Engine(load_bundle([pack or shipped_pack_of(claim.insured_area)]))
    traced = settle_traced(engine, claim)
    return Explained(traced.answer, message_of(key_of(claim), engine.bundle.hash, traced.steps), claim)


async def _stored(arguments: argparse.Namespace) -> Explained:
    from adjudicator.v1 import settlement_pb2

    key = settlement_pb2.SettlementKey(
        institution_code=arguments.institution, encounter_id=arguments.encounter,
        settlement_sequence=arguments.sequence, insured_area=arguments.area,
    )  # fmt: skip
    return await (_of_service(arguments, key) if arguments.target else _of_ledger(arguments, key))


async def _of_service(arguments: argparse.Namespace, key: Any) -> Explained:
    from adjudicator.cli.reports.explained import Explained
    from adjudicator.client import Client

    async with Client(arguments.target, credentials_of(arguments)) as client:
        answer = await client.call(client.adjudication.GetSettlement, key, 10.0)
        return Explained(answer, await client.call(client.adjudication.Explain, key, 10.0))


async def _of_ledger(arguments: argparse.Namespace, key: Any) -> Explained:
    """Return the record of the settlement from whichever pool of the store has it, with the pool's pack."""
    from adjudicator.claim.keys import settlement_key
    from adjudicator.cli.reports.explained import Explained
    from adjudicator.errors import E, refuse
    from adjudicator.interop.claim_file import shipped_pack_of
    from adjudicator.ledger.store import Ledger
    from adjudicator.rules.bundle import load_bundle
    from adjudicator.service.encounters import stay_of
    from adjudicator.service.explaining import explain_record
    from adjudicator.v1 import settlement_pb2

    digest = settlement_key(key.institution_code, key.encounter_id, key.settlement_sequence)
    async with await Ledger.open(arguments.redis, timeout_seconds=3, allow_volatile=True) as ledger:
        for pool in await ledger.pools():
            record = await ledger.get(pool, digest)
            if record is not None and record.answer:
                bundle = load_bundle([arguments.pack or shipped_pack_of(pool)])
                answer = settlement_pb2.Settlement.FromString(record.answer)
                return Explained(answer, explain_record(key, record, bundle, await stay_of(ledger, record)))
    raise refuse(E.SETTLEMENT_NOT_FOUND)
