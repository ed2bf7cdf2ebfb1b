"""With the compiler off a kernel is its Python source, and gives the same values."""

from __future__ import annotations

import os
import subprocess
import sys

ROWS = """
import numpy as np
from adjudicator.compiled.bits import leading_zeros, trailing_zeros
from adjudicator.compiled.jit import inlined, kernel

@inlined
def bits(row):
    return row.flags & 6

@kernel
def run(rows, parts, out):
    for i in range(rows.shape[0]):
        row = rows[np.uint64(i)]
        row.total = bits(row) + row.terms.rate[np.uint64(1)] + parts[np.uint64(i)].flags
        out[i] = np.int64(leading_zeros(np.uint64(40))) * 100 + np.int64(trailing_zeros(np.uint64(40)))

terms = np.dtype([("rate", "i8", 2)])
rows = np.zeros(2, np.dtype([("flags", "i8"), ("total", "i8"), ("terms", terms)]))
rows["flags"], rows["terms"]["rate"] = [5, 3], [[1, 10], [2, 20]]
out = np.zeros(2, np.int64)
run(rows, rows.copy(), out)
print(rows["total"].tolist(), out.tolist())
"""


def values(tmp_path, **environment: str) -> str:
    file = tmp_path / "rows.py"
    file.write_text(ROWS)
    done = subprocess.run(
        [sys.executable, str(file)], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_interpreted_kernel_gives_the_same_values(tmp_path):
    compiled = values(tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "kernels"))
    assert compiled == "[19, 25] [5803, 5803]\n"
    assert values(tmp_path, NUMBA_DISABLE_JIT="1") == compiled
