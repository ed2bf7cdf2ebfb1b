"""Runs that are compared: a year under the rules of a pack, and under those of a copy with some values changed."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import adjudicator
from adjudicator.compare.run import Comparison, compare
from adjudicator.compare.sides import Folder
from adjudicator.reprice.manifest import write_manifest
from adjudicator.reprice.run import Options, forget, plan, run
from adjudicator.rules.as_on import load_rules

PACKS = Path(adjudicator.__file__).parent / "packs"
Edits = Mapping[str, tuple[str, str]]
"""File of a pack -> (what stands there, what is put in its place)."""


def priced(source: Path, output: Path, *packs: str, **options: Any) -> Path:
    """Price the claims of a folder, with facts, to the end."""
    chosen = Options(list(packs), source, output, with_facts=True, **options)
    planned = plan(chosen, load_rules(packs).hash)
    write_manifest(planned.job, run(planned, chosen, lambda *_: None)._asdict())
    forget(planned.job)
    return output


def copied(folder: Path, edits: Edits, pack: str = "taohuayuan") -> Path:
    """A copy of a pack with some texts replaced, each of which must be there."""
    shutil.copytree(PACKS / pack, folder)
    for name, (old, new) in edits.items():
        text = (folder / name).read_text("utf-8")
        assert old in text, old
        (folder / name).write_text(text.replace(old, new), "utf-8")
    return folder


def compared(old: Path, new: Path, output: Path) -> Comparison:
    return compare(Folder(old), Folder(new), output)


def rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a Parquet file, or of all files of a folder."""
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def with_recorded(source: Path, output: Path, answers: Path) -> Path:
    """The input with what a run answered as its recorded answers."""
    shutil.copytree(source, output)
    claims = pq.read_table(output / "claims.parquet")
    settled = pa.concat_tables([pq.read_table(path) for path in sorted((answers / "settlements").glob("*.parquet"))])
    for name in settled.column_names[3:]:
        claims = claims.append_column(f"recorded_{name}", settled.column(name))
    pq.write_table(claims, output / "claims.parquet")
    return output
