"""The client of docs/python.md against a running service."""

from __future__ import annotations

import asyncio
import re

from tests.service.claims import claim


def test_the_example_of_the_page_settles(root, service, capsys):
    page = (root / "docs" / "python.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0].replace("127.0.0.1:50051", service.address)
    names: dict = {}
    exec(compile(code, "docs/python.md", "exec"), names)
    stay = claim()
    asyncio.run(names["settle"](stay))
    asyncio.run(names["settle"](stay))
    first, second = capsys.readouterr().out.splitlines()
    assert int(first) > 0 and first == second, "the same claim again gets the same answer"
