"""``adjudicator warmup`` leaves no kernel of tables to be compiled when the first table comes."""

from __future__ import annotations

import os
import subprocess
import sys

CODE = """
from adjudicator.cli.main import main
assert main(["warmup", "--pack", "taohuayuan"]) == 0
from adjudicator.amounts import kernel as amounts
from adjudicator.reprice import kernels, packing_kernel
for module in (amounts, kernels, packing_kernel):
    for name, one in vars(module).items():
        own = hasattr(one, "signatures") and one.py_func.__module__ == module.__name__
        if own and "forceinline" not in one.targetoptions:
            print(name, len(one.signatures))
for name in ("price_any", "price_plain"):
    print(name, len(getattr(amounts, name).signatures))
"""


def test_every_kernel_of_tables_is_ready_after_the_warm_up():
    environment = os.environ | {"NUMBA_DISABLE_JIT": "0"}
    ran = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=True, timeout=900, env=environment
    )
    ready = {}
    for line in ran.stdout.splitlines():
        name, _, count = line.rpartition(" ")
        if count.isdigit():
            ready[name] = int(count)
    assert {"price_any", "price_plain", "fill_claims", "fill_results", "pack", "unpack", "turn"} <= ready.keys()
    assert [name for name, count in ready.items() if not count] == []
