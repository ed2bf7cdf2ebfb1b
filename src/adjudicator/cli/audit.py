"""``adjudicator audit verify``: whether the audit log is as it was written."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

HASH = re.compile("[0-9a-f]{64}")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser("audit", help="check the audit log")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    verify = actions.add_parser(
        "verify",
        help="find lines that were changed, taken away, cut off or moved",
        description="Reads the audit log and checks every line. Exit code 0: each line is there, whole, unchanged and "
        "in its place; 1: it names what is not.",
    )
    verify.add_argument("path", type=Path, metavar="FILE|DIR", help="folder of the audit log, or one of its files")
    verify.add_argument(
        "--begin", type=_hash, action="append", default=[], metavar="HASH",
        help="hash of the last line of files that were archived away; repeatable, one a chain",
    )  # fmt: skip
    verify.add_argument(
        "--known", type=_hash, action="append", default=[], metavar="HASH",
        help="hash of a line that must be there, as the service's log names them (head); repeatable",
    )  # fmt: skip
    verify.add_argument("--json", action="store_true", help="print JSON, one object a chain")
    verify.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; 1 where something is wrong or there is nothing to check."""
    from adjudicator.audit.verify import verify
    from adjudicator.errors import E, refuse

    if not arguments.path.exists():
        raise refuse(E.AUDIT_BROKEN, "path", f"there is no {arguments.path}", f"没有 {arguments.path}")
    chains = verify(arguments.path, arguments.begin)
    if not chains:
        raise refuse(
            E.AUDIT_BROKEN, "path", f"no file of an audit log in {arguments.path}", f"{arguments.path} 中没有审计日志"
        )
    hashes = set().union(*(chain.hashes for chain in chains))
    unknown = [one for one in arguments.known if one not in hashes]
    for chain in chains:
        if arguments.json:
            found = [one._asdict() for one in chain.findings]
            head = {"chain": chain.name, "holds": chain.holds, "lines": chain.lines}
            print(json.dumps(head | {"head": chain.head.hash, "findings": found}, ensure_ascii=False))
            continue
        verdict = "一致 holds" if chain.holds else f"不一致 {len(chain.findings)} findings"
        print(f"{chain.name}: {verdict} ({chain.lines} lines, head {chain.head.hash})")
        for one in chain.findings:
            print(f"  {one.file}{f':{one.line}' if one.line else ''}: {one.kind}: {one.en} {one.zh}")
    for one in unknown:
        print(f"missing: no line has the hash {one} 没有哈希为此值的记录")
    return 0 if all(chain.holds for chain in chains) and not unknown else 1


def _hash(text: str) -> str:
    if not HASH.fullmatch(text):
        raise argparse.ArgumentTypeError("write the 64 hexadecimal digits of a hash")
    return text
