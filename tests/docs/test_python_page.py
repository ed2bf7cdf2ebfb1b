"""The examples of docs/python.md run as they stand; the one with a service runs in tests/service/test_client.py."""

from __future__ import annotations

import re

import pytest


@pytest.mark.parametrize("number", [1, 2])
def test_pricing_in_process(number, root, monkeypatch, capsys):
    monkeypatch.chdir(root)
    page = (root / "docs" / "python.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[number]
    exec(compile(code, "docs/python.md", "exec"), {})
    assert capsys.readouterr().out == re.search(r"# (\S*\d.*)\n$", code)[1] + "\n"
