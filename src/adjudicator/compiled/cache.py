"""Where compiled kernels are kept, and when they are stale.

Numba's own choice has two faults for a service that handles money: it raises on a read-only tree, even where the tree
ships compiled kernels, and its freshness stamp covers the kernel's own file only, so that a helper or a constant that
changes in another file leaves the old machine code in use. This locator serves the kernels of this package
(docs/adr/0003-kernel-cache.md).
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import os
import pickle
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import FunctionType

from numba.core import config
from numba.core.caching import _CacheLocator, _SourceFileBackedLocatorMixin

PACKAGE = Path(__file__).resolve().parent.parent
IMPORT = re.compile(
    rb"^(?:from|import) +adjudicator((?:\.\w+)*)(?: +import +(?:\(([\w,\s]*)|([\w, ]*)))?", re.MULTILINE
)


class KernelCacheLocator(_SourceFileBackedLocatorMixin, _CacheLocator):
    """Keep kernels in a folder of their own, whatever the environment says, and stamp them by all their sources.

    The folder is the first of these that can be written: ``$NUMBA_CACHE_DIR`` where the operator names one, beside the
    source, the user's cache folder, a folder of this process. Compiled kernels that ship beside a read-only source are
    copied to the folder in use, so that an image starts warm and a processor other than the image's compiles anew
    instead of failing.
    """

    def __init__(self, function: FunctionType, file: str):
        self._py_file = file
        self._lineno = function.__code__.co_firstlineno
        folder = cache_folder(Path(file).parent)
        self._cache_path = str(folder)
        _drop_unreadable(folder.glob(f"*.{function.__name__}-{self._lineno}.*.nbi"))

    @classmethod
    def from_function(cls, py_func: FunctionType, py_file: str) -> KernelCacheLocator | None:
        """Return this locator for a kernel of this package, None for any other function."""
        source = Path(py_file).resolve()
        return cls(py_func, py_file) if PACKAGE in source.parents and source.is_file() else None

    def get_cache_path(self) -> str:
        """Folder of the compiled kernels."""
        return self._cache_path

    def ensure_cache_path(self) -> None:
        """Do nothing: the folder was tried when it was chosen."""

    def get_source_stamp(self) -> bytes:
        """Hash of the source and of every module of this package that it takes helpers or constants from."""
        return source_stamp(Path(self._py_file))


def _drop_unreadable(indexes: Iterable[Path]) -> None:
    """Remove indexes of kernels that name a type which this version does not have.

    Numba reads an index before it looks at the stamp, and an index of a former version would end the process.
    """
    for index in indexes:
        try:
            with index.open("rb") as file:
                pickle.load(file)
                pickle.load(file)
        except FileNotFoundError:
            continue
        except (AttributeError, ImportError, EOFError, pickle.UnpicklingError):
            index.unlink(missing_ok=True)


@functools.cache
def cache_folder(source: Path) -> Path:
    """Folder for the kernels of one source folder, chosen once a process."""
    shipped = source / "__pycache__"
    name = f"{source.name}-{hashlib.sha256(str(source).encode()).hexdigest()[:16]}"
    chosen = config.CACHE_DIR  # type: ignore[attr-defined]  # set by Numba as it is imported
    named = Path(chosen) / name if chosen else None
    if named is not None and _writable(named):
        _copy_newer(shipped, named)
        return named
    if _writable(shipped):
        return shipped
    folder = _user_cache() / name
    if not _writable(folder):
        private = tempfile.mkdtemp(prefix="adjudicator-kernels-")
        atexit.register(shutil.rmtree, private, ignore_errors=True)
        folder = Path(private) / name
        folder.mkdir()
    _copy_newer(shipped, folder)
    return folder


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "adjudicator"


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _copy_newer(shipped: Path, folder: Path) -> None:
    """Copy what ships compiled and is newer; data before index, and each file whole: no reader sees half of one."""
    for pattern in ("*.nbc", "*.nbi"):
        for file in shipped.glob(pattern):
            kept = folder / file.name
            if not kept.exists() or kept.stat().st_mtime_ns < file.stat().st_mtime_ns:
                part = folder / f"{file.name}.part{os.getpid()}"
                shutil.copyfile(file, part)
                part.replace(kept)


def source_stamp(file: Path) -> bytes:
    """Return the SHA-256 of a kernel's source and of the sources, by way of imports, of its helpers and constants.

    Whether indices are checked (``NUMBA_BOUNDSCHECK``) is part of it: it changes the machine code of the same source.
    """
    checked = config.BOUNDSCHECK  # type: ignore[attr-defined]  # set by Numba as it is imported
    stamp = hashlib.sha256(b"bounds checked" if checked else b"")
    for source in sorted(_sources(file)):
        stamp.update(_content(source, source.stat().st_mtime_ns))
    return stamp.digest()


def _sources(file: Path) -> set[Path]:
    found: set[Path] = set()
    waiting = [file]
    while waiting:
        source = waiting.pop()
        if source in found:
            continue
        found.add(source)
        waiting += _imported(source, source.stat().st_mtime_ns)
    return found


@functools.lru_cache(maxsize=256)
def _content(file: Path, changed_ns: int) -> bytes:
    return file.read_bytes()


@functools.lru_cache(maxsize=256)
def _imported(file: Path, changed_ns: int) -> tuple[Path, ...]:
    """Files of this package that a source imports."""
    modules = []
    for module, listed, in_line in IMPORT.findall(_content(file, changed_ns)):
        path = PACKAGE.joinpath(*module.decode().split(".")[1:])
        names = (name.split()[0] for name in (listed or in_line).decode().split(",") if name.strip())
        modules += [path, *(path / name for name in names)]
    return tuple(path.with_suffix(".py") for path in modules if path.with_suffix(".py").is_file())
