"""The examples of docs/python.md run as they stand; the one with a service runs in tests/service/test_client.py."""

from __future__ import annotations

import re


def test_pricing_in_process(root, monkeypatch, capsys):
    monkeypatch.chdir(root)
    code = re.findall(r"```python\n(.*?)```", (root / "docs" / "python.md").read_text(encoding="utf-8"), re.DOTALL)[1]
    exec(compile(code, "docs/python.md", "exec"), {})
    assert capsys.readouterr().out == re.search(r"# (\d+)\n", code)[1] + "\n"
