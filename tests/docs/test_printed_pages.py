"""Pages that are printed from the source say what the source says."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("script", "page"),
    [
        ("errors.py", "errors.md"),
        ("plan_keys.py", "plan-keys.md"),
        ("mistakes.py", "mistakes.md"),
        ("permissions.py", "permissions.md"),
    ],
)
def test_page_is_current(root, script, page):
    printed = subprocess.run([sys.executable, root / "docs" / script], capture_output=True, timeout=60, check=True)
    assert printed.stdout.decode() == (root / "docs" / page).read_text(encoding="utf-8"), "run ./dev docs"
