"""A compiled grouping scheme: load a folder or a shipped name, check it, compile it once, keep it beside the source.

>>> load_scheme("chs-demo").texts.mdc_codes[0]
'MDCA'
"""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from adjudicator.grouping.layout import SchemeArrays
from adjudicator.grouping.scheme.check import check_model
from adjudicator.grouping.scheme.compile import SchemeTexts, compile_scheme
from adjudicator.grouping.scheme.model import SchemeModel, build_model
from adjudicator.grouping.scheme.tables import SchemeOptions, read_tables, source_files
from adjudicator.rulefile.faults import Faults

SHIPPED = Path(__file__).resolve().parents[2] / "packs" / "schemes"
COMPILER = ("tables.py", "model.py", "check.py", "compile.py", "../layout.py")
"""Modules that make the arrays; when one changes, older compiled files are left aside."""


@dataclass(frozen=True)
class Scheme:
    """An immutable grouping scheme. ``name`` is what an answer and a rule pack call it."""

    name: str
    hash: str
    arrays: SchemeArrays
    texts: SchemeTexts
    folder: Path
    tables: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """Look-up tables that the engine builds on first use."""

    def hash_parts(self) -> tuple[str, ...]:
        """Return what enters the hash of a rule bundle."""
        return (self.name, self.hash)

    @property
    def drg_codes(self) -> tuple[str, ...]:
        """DRG texts by the ``drg`` column of a GROUP row, e.g. ``FR21``; a bare ADRG and ``FQY`` have their own."""
        return self.texts.drg_codes

    @property
    def departments(self) -> tuple[str, ...]:
        """Departments that some DRG asks for; the ``department`` column holds the position plus one, 0 any other."""
        return self.texts.departments


def scheme_folder(name_or_path: str | Path) -> Path:
    """Folder of a shipped scheme's name, or the path itself."""
    shipped = SHIPPED / str(name_or_path)
    return shipped if "/" not in str(name_or_path) and shipped.is_dir() else Path(name_or_path)


def read_model(folder: Path, faults: Faults, notes: Faults | None = None) -> SchemeModel:
    """Read and check the tables of ``folder``; what is wrong is added to ``faults``, harmless finds to ``notes``."""
    if not folder.is_dir():
        faults.add(folder.name, "folder", "no such grouping scheme", f"shipped: {', '.join(shipped_schemes())}")
        return SchemeModel(SchemeOptions(), [], set(), {}, {}, {}, {}, {})
    model = build_model(read_tables(folder, faults), faults)
    check_model(model, faults, Faults() if notes is None else notes)
    return model


def shipped_schemes() -> list[str]:
    """Names of the schemes that come with the package."""
    return sorted(path.name for path in SHIPPED.iterdir() if path.is_dir()) if SHIPPED.is_dir() else []


def load_scheme(name_or_path: str | Path, use_cache: bool = True) -> Scheme:
    """Return the scheme of a folder, or a shipped one by name; from the compiled file where its hash fits.

    Raises :class:`adjudicator.rulefile.faults.PackError` with every fault of the tables.
    """
    folder = scheme_folder(name_or_path)
    digest = source_hash(folder)
    for place in cache_folders(folder) if use_cache else ():
        compiled = place / _compiled_name(digest)
        if compiled.is_file() and (scheme := _read_compiled(compiled, digest, folder)) is not None:
            return scheme
    faults = Faults()
    model = read_model(folder, faults)
    faults.raise_if_any(f"grouping scheme {folder.name}")
    arrays, texts = compile_scheme(model)
    scheme = Scheme(model.options.name or folder.name, digest, arrays, texts, folder)
    if use_cache:
        _write_compiled(scheme)
    return scheme


def source_hash(folder: Path) -> str:
    """16 hex digits over the names and contents of the tables."""
    digest = hashlib.sha256(b"grouping scheme")
    for path in source_files(folder):
        content = path.read_bytes()
        digest.update(f"\0{path.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


@functools.cache
def _compiler_stamp() -> str:
    digest = hashlib.sha256()
    for name in COMPILER:
        digest.update((Path(__file__).parent / name).read_bytes())
    return digest.hexdigest()[:8]


def _compiled_name(digest: str) -> str:
    return f"{digest}-{_compiler_stamp()}.npz"


def cache_folders(folder: Path) -> tuple[Path, ...]:
    """Where a compiled scheme may lie: beside its source, else in the user's cache folder."""
    home = os.environ.get("XDG_CACHE_HOME")
    user = Path(home) if home else Path.home() / ".cache"
    return folder / ".compiled", user / "adjudicator" / "schemes"


def _write_compiled(scheme: Scheme) -> None:
    content = {f"array.{name}": array for name, array in scheme.arrays._asdict().items()}
    for name, texts in scheme.texts._asdict().items():
        content[f"text.{name}"] = np.frombuffer("\n".join(texts).encode(), "u1")
    content["text.name"] = np.frombuffer(scheme.name.encode(), "u1")
    for place in cache_folders(scheme.folder):
        if place.parent == scheme.folder and not scheme.folder.stat().st_mode & 0o222:
            continue  # marked read-only: respected even where the user could write
        try:
            place.mkdir(parents=True, exist_ok=True)
            (place / ".gitignore").write_text("*\n")
            with tempfile.NamedTemporaryFile(dir=place, suffix=".part", delete=False) as file:
                np.savez(file, **content)
            os.replace(file.name, place / _compiled_name(scheme.hash))
            return
        except OSError:
            continue  # read-only: the next place, or none; then it is compiled again at the next start


def _aligned(array: np.ndarray) -> np.ndarray:
    """Return the array, its records marked as aligned: the file forgets it, and the kernel would compile a second
    time.
    """
    names, known = array.dtype.names, array.dtype.fields
    if names is None or known is None:
        return array
    fields = [known[name] for name in names]
    formats, offsets = [field[0] for field in fields], [field[1] for field in fields]
    size = array.dtype.itemsize
    layout = np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": size}, align=True)
    return array.view(layout)


def _read_compiled(path: Path, digest: str, folder: Path) -> Scheme | None:
    try:
        with np.load(path, allow_pickle=False) as content:
            arrays = SchemeArrays(*(_aligned(content[f"array.{name}"]) for name in SchemeArrays._fields))
            texts = {name: content[f"text.{name}"].tobytes().decode() for name in ("name", *SchemeTexts._fields)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # torn or older file: compile again
    name = texts.pop("name")
    split = SchemeTexts(**{key: tuple(text.split("\n")) if text else () for key, text in texts.items()})
    return Scheme(name, digest, arrays, split, folder)
