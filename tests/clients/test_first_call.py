"""The first call of the README, as a newcomer makes it."""

from __future__ import annotations

import subprocess
import sys


def test_the_python_caller_of_the_readme(root, address):
    command = [sys.executable, root / "docs" / "first-call" / "first_call.py", address]
    printed = [subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout for _ in range(2)]
    assert printed[0] == printed[1], "the same claim again gets the same answer"
    assert "医疗费总额     10912.60" in printed[0]
    assert printed[0] in (root / "README.md").read_text(encoding="utf-8"), "README.md shows what the command prints"
    assert printed[0] in (root / "README.zh-CN.md").read_text(encoding="utf-8")
