"""Memory that a batch lets go is not cleared anew for the next one."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import numpy as np
import pyarrow as pa
from adjudicator.reprice.allocation import keep_memory

if sys.argv[1] == "keep":
    keep_memory()
for turn in range(20):
    np.ones(3_000_000 * (1 + turn % 2)), pa.array(np.arange(100_000)).take(pa.array(np.arange(100_000)))
    if turn == 3:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is another one")
def test_pages_are_kept_between_batches():
    def faults(how: str) -> int:
        done = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True)
        return int(done.stdout)

    assert faults("keep") * 10 < faults("as it is")
