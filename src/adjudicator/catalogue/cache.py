"""Keeps compiled catalogues by the hash of their content, so that 300,000 items are compiled once, not at each start.

The folder is ``$ADJUDICATOR_CACHE_DIR``, else ``$XDG_CACHE_HOME/adjudicator``, else ``~/.cache/adjudicator``. A folder
that cannot be read or written, or a damaged file, costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from adjudicator.catalogue.compile import PackCatalogue

SMALLEST_ITEMS = 2_000
"""Smaller catalogues compile faster than a user would thank us for files."""

_ARRAYS = ("codes", "item_flags", "first", "versions", "ceiling_e4", "handling", "ratio_ppm")


def folder() -> Path:
    """Where compiled catalogues are kept."""
    if chosen := os.environ.get("ADJUDICATOR_CACHE_DIR"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path(os.path.expanduser("~")) / ".cache") / "adjudicator"


def _path(key: str) -> Path:
    return folder() / f"catalogue-{key}.npz"


def load(key: str) -> PackCatalogue | None:
    """Return the catalogue stored under a key, or None."""
    try:
        with np.load(_path(key), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in _ARRAYS}
            areas = tuple(stored["group_areas"].tolist())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return PackCatalogue(group_areas=areas, **arrays)


def store(key: str, catalogue: PackCatalogue) -> None:
    """Store a catalogue of some size; written beside and renamed, so that no reader sees half a file."""
    if len(catalogue.codes) < SMALLEST_ITEMS:
        return
    with contextlib.suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder(), suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                arrays = {name: getattr(catalogue, name) for name in _ARRAYS}
                np.savez(file, group_areas=np.array(catalogue.group_areas), **arrays)
            os.replace(name, _path(key))
        except OSError:
            os.unlink(name)
            raise
