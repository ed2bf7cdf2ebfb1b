"""Compiled kernels: kept where a folder can be written, shipped with a read-only tree, stale when a helper changes."""

from __future__ import annotations

import ast
import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from adjudicator.compiled import cache

HELPER = """
from numba import njit


@njit(inline="always")
def twice(value):
    return {factor} * value
"""
KERNEL = """
from numba import njit

from adjudicator import limits
from adjudicator.compiled.helper import (
    twice,
)


@njit(nogil=True, error_model="numpy", cache=True)
def kernel(value):
    return min(twice(value), limits.MOST)
"""
CALL = """
from adjudicator.compiled.probe import kernel
print(kernel(21), sum(kernel.stats.cache_hits.values()), kernel.stats.cache_path)
"""


@pytest.fixture
def tree(tmp_path) -> Path:
    """A package tree with one kernel that takes its helper from another file."""
    package = tmp_path / "tree" / "adjudicator"
    kernels = package / "compiled"
    kernels.mkdir(parents=True)
    shutil.copy(cache.PACKAGE / "__init__.py", package)
    shutil.copy(cache.__file__, kernels)
    (kernels / "__init__.py").write_text("")
    (package / "limits.py").write_text("MOST = 1000")
    (kernels / "helper.py").write_text(HELPER.format(factor=2))
    (kernels / "probe.py").write_text(KERNEL)
    return package


def call(package: Path, home: Path | str, **environment: str) -> tuple[int, int, Path]:
    """Runs the kernel in a fresh process; its result, the cache hits, the cache folder."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "XDG_"))}
    done = subprocess.run(
        [sys.executable, "-B", "-c", CALL],
        env=clean | {"PYTHONPATH": str(package.parent), "HOME": str(home)} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    result, hits, folder = done.stdout.split()
    return int(result), int(hits), Path(folder)


def lock(package: Path) -> None:
    """Makes the kernels' cache folder impossible to write, for root as well: a file stands in its place."""
    folder = package / "compiled" / "__pycache__"
    shutil.rmtree(folder, ignore_errors=True)
    folder.write_text("")


def test_kept_beside_the_source(tree, tmp_path):
    assert call(tree, tmp_path) == (42, 0, tree / "compiled" / "__pycache__")
    assert call(tree, tmp_path) == (42, 1, tree / "compiled" / "__pycache__")


SETTINGS = {
    "beside the source": {},
    "folder of the operator": {"NUMBA_CACHE_DIR": "{folder}/named"},
    "read-only tree": {"read_only": "yes"},
    "read-only tree, cache home of the user": {"read_only": "yes", "XDG_CACHE_HOME": "{folder}/home"},
    "locators of the operator": {
        "NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator,InTreeCacheLocator",
        "NUMBA_CACHE_DIR": "{folder}/named",
    },
}


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize(
    ("file", "text", "changed"), [("compiled/helper.py", HELPER.format(factor=3), 63), ("limits.py", "MOST = 10", 10)]
)
def test_a_change_in_another_file_is_seen_in_every_cache_setting(tree, tmp_path, setting, file, text, changed):
    environment = {name: value.format(folder=tmp_path) for name, value in SETTINGS[setting].items()}
    if environment.pop("read_only", ""):
        lock(tree)
    assert call(tree, tmp_path, **environment)[:2] == (42, 0)
    assert call(tree, tmp_path, **environment)[:2] == (42, 1), "the kernel is kept"
    (tree / file).write_text(text)
    assert call(tree, tmp_path, **environment)[:2] == (changed, 0)


STAY = """
- case: halved-deductible
  title: the deductible of a plan, and what is left after it
  source: made for this test
  plan: {deductible_yuan: 1000, rate_percent: 80}
  claim: {care: inpatient, amounts: {in_scope: 10000}}
  expect: {deductible: 1000}
"""
RULE = "work.deductible_fen = min(due, work.base_fen)"


@pytest.mark.check
def test_the_amount_of_a_changed_helper_is_paid_wherever_kernels_are_kept(tmp_path):
    """In a copy of the whole package, a deductible that is halved in the source is halved in the settlement."""
    package = tmp_path / "tree" / "adjudicator"
    shutil.copytree(cache.PACKAGE, package, ignore=shutil.ignore_patterns("*.nb?", "*.pyc"))
    environment = {
        "NUMBA_CACHE_DIR": str(tmp_path / "named"),
        "NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator",
    }
    assert deductible(package, tmp_path, environment) == "1000.00"
    stages = package / "benefit" / "stages" / "deductible.py"
    text = stages.read_text(encoding="utf-8")
    assert text.count(RULE) == 1
    stages.write_text(text.replace(RULE, RULE.replace("due", "due // 2")), encoding="utf-8")
    assert deductible(package, tmp_path, environment) == "500.00"


def deductible(package: Path, folder: Path, environment: dict[str, str]) -> str:
    """Settle one case with the package in a fresh process; the deductible in yuan."""
    case = folder / "case.yaml"
    case.write_text(STAY, encoding="utf-8")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "XDG_"))}
    done = subprocess.run(
        [sys.executable, "-B", "-m", "adjudicator", "settle", "--json", str(case)],
        env=clean | {"PYTHONPATH": str(package.parent), "HOME": str(folder)} | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return json.loads(done.stdout)[0]["got"]["deductible"]


def test_read_only_tree_uses_the_users_folder(tree, tmp_path):
    lock(tree)
    result, hits, folder = call(tree, tmp_path)
    assert (result, hits) == (42, 0) and folder.parent == tmp_path / ".cache" / "adjudicator"
    assert call(tree, tmp_path)[:2] == (42, 1)


def test_read_only_tree_and_no_home_still_run(tree):
    lock(tree)
    result, _, folder = call(tree, "/dev/null")
    assert result == 42 and not folder.exists(), "the private folder goes with the process"


def test_kernels_shipped_with_a_read_only_tree_are_used(tree, tmp_path, monkeypatch):
    call(tree, tmp_path)
    kernels = tree / "compiled"
    writable = cache._writable
    monkeypatch.setattr(cache, "_writable", lambda folder: kernels not in folder.parents and writable(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "warm"))
    folder = cache.cache_folder.__wrapped__(kernels)
    lock(tree)
    assert call(tree, tmp_path, XDG_CACHE_HOME=str(tmp_path / "warm")) == (42, 1, folder)


def test_a_folder_that_the_operator_names_is_used(tree, tmp_path):
    folder = call(tree, tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "named"))[2]
    assert folder.parent == tmp_path / "named"


def test_a_folder_that_cannot_be_written_is_passed_over(tree, tmp_path):
    (tmp_path / "named").write_text("")
    assert call(tree, tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "named")) == (42, 0, tree / "compiled" / "__pycache__")


@pytest.mark.parametrize("rest", [b"cadjudicator.compiled.probe\nGone\n.", b"cadjudicator.gone\nGone\n.", b"\x80"])
def test_an_index_of_a_former_version_that_names_a_type_which_is_gone_is_compiled_anew(tree, tmp_path, rest):
    _, _, folder = call(tree, tmp_path)
    (index,) = folder.glob("*.nbi")
    with index.open("rb") as file:
        pickle.load(file)
        version = file.tell()
    index.write_bytes(index.read_bytes()[:version] + rest)
    assert call(tree, tmp_path)[:2] == (42, 0)
    assert call(tree, tmp_path)[:2] == (42, 1)


def test_every_import_between_kernels_is_seen():
    """The pattern finds what Python's own parser finds, in every kernel module."""
    kernels = [
        file
        for file in cache.PACKAGE.rglob("*.py")
        if "adjudicator.compiled.jit import" in file.read_text(encoding="utf-8")
    ]
    assert len(kernels) > 10
    for file in kernels:
        assert set(cache._imported(file, 0)) == parsed_imports(file), file.name


def parsed_imports(file: Path) -> set[Path]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    inside = (name.split(".")[1:] for name in names if name.startswith("adjudicator."))
    paths = {cache.PACKAGE.joinpath(*parts).with_suffix(".py") for parts in inside}
    return {path for path in paths if path.is_file()}
