"""docs/errors.md is what the error table says."""

import subprocess
import sys


def test_page_is_current(root):
    printed = subprocess.run([sys.executable, root / "docs" / "errors.py"], capture_output=True, timeout=60, check=True)
    assert printed.stdout.decode() == (root / "docs" / "errors.md").read_text(encoding="utf-8"), "run ./dev docs"
