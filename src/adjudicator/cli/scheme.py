"""``adjudicator scheme``: checks grouping schemes, and imports OpenDRG versions."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser("scheme", help="import and check DRG grouping tables")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="check a scheme folder; every fault in one run")
    check.add_argument("scheme", help="folder, or the name of a shipped scheme")
    check.add_argument("--notes", action="store_true", help="show the harmless finds too")
    check.add_argument("--json", action="store_true", help="print as JSON")
    check.set_defaults(run=run_check)
    imported = actions.add_parser("import", help="turn another grouper's tables into a scheme folder")
    formats = imported.add_subparsers(dest="format", metavar="FORMAT", required=True)
    opendrg = formats.add_parser(
        "opendrg",
        help="a version folder of a checkout of OpenDRG/DRG_Python",
        description="Reads the modules of one version, e.g. drg_group/chs_drg_11, without running them.",
    )
    opendrg.add_argument("folder", type=Path, help="version folder of the checkout")
    opendrg.add_argument("--output", required=True, type=Path, help="new scheme folder")
    opendrg.add_argument(
        "--allow-losses", action="store_true", help="write the scheme without what cannot be expressed"
    )
    opendrg.add_argument("--json", action="store_true", help="print as JSON")
    opendrg.set_defaults(run=run_import)


def run_check(arguments: argparse.Namespace) -> int:
    """Print the faults of a scheme; 1 where there are any."""
    from adjudicator.grouping.scheme.load import load_scheme, read_model, scheme_folder
    from adjudicator.rulefile.faults import Faults

    folder = scheme_folder(arguments.scheme)
    faults, notes = Faults(), Faults()
    model = read_model(folder, faults, notes)
    drgs = {drg.drg for rule in model.rules for drg in rule.drgs}
    adrgs = {rule.adrg for rule in model.rules}
    counts = {"mdcs": len(model.mdcs), "adrgs": len(adrgs), "rules": len(model.rules), "drgs": len(drgs)}
    digest = "" if faults else load_scheme(folder).hash
    if arguments.json:
        lists = {
            "faults": [str(fault) for fault in sorted(set(faults))],
            "notes": [str(note) for note in sorted(set(notes))],
        }
        print(json.dumps({"scheme": folder.name, "hash": digest, **counts, **lists}, ensure_ascii=False))
        return 1 if faults else 0
    for fault in sorted(set(faults)):
        print(fault, file=sys.stderr)
    for note in sorted(set(notes)) if arguments.notes else ():
        print(f"note: {note}")
    summary = ", ".join(f"{count} {name.upper() if name != 'rules' else name}" for name, count in counts.items())
    summary = summary.replace("MDCS", "MDCs").replace("ADRGS", "ADRGs").replace("DRGS", "DRGs")
    if faults:
        print(f"{folder.name}: {len(set(faults))} faults ({summary})", file=sys.stderr)
        return 1
    more = f", {len(set(notes))} notes" if notes else ""
    print(f"{folder.name}: no faults, hash {digest} ({summary}{more})")
    return 0


def run_import(arguments: argparse.Namespace) -> int:
    """Import; 1 where something cannot be expressed and that was not accepted."""
    from adjudicator.grouping.opendrg.convert import read_opendrg, write_scheme

    if not (arguments.folder / "Grouper.py").is_file():
        print(f"{arguments.folder}: no version folder (Grouper.py is missing)", file=sys.stderr)
        return 2
    content = read_opendrg(arguments.folder)
    refused = bool(content.losses) and not arguments.allow_losses
    if not refused:
        write_scheme(content, arguments.output)
    if arguments.json:
        lists = {"losses": [str(loss) for loss in content.losses], "notes": [str(note) for note in content.notes]}
        print(json.dumps({"scheme": content.name, "written": not refused, **lists}, ensure_ascii=False))
        return 1 if refused else 0
    for loss in content.losses:
        print(f"cannot be expressed: {loss}", file=sys.stderr)
    for note in content.notes:
        print(f"note: {note}")
    if refused:
        print(f"{len(content.losses)} constructs cannot be expressed; --allow-losses writes the rest", file=sys.stderr)
        return 1
    print(f"{arguments.output}: {len(content.rows['adrg'])} rules, {len(content.rows['drg'])} DRG rows")
    return 0
