"""What the pages say exists: commands with their options, ./dev commands, files and headings that are linked."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest

from adjudicator.cli.main import available, build_parser

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
COMMAND = re.compile(r"(?:^|[`/ ])adjudicator ((?:[a-z][a-z-]*)(?: [^\n`#]*)?)", re.MULTILINE)
DEV = re.compile(r"\./dev ([a-z]+)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")

pytestmark = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def code_of(page: Path) -> str:
    """Fenced and inline code, continued lines joined."""
    text = page.read_text(encoding="utf-8")
    fenced = re.findall(r"^```(?:bash|console)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return "\n".join([*fenced, *inline]).replace("\\\n", " ")


def unknown_words(words: list[str]) -> list[str]:
    """Sub-commands and options of a command line that this installation does not have."""
    parser, wrong, is_value = build_parser(words[0]), [], False
    for word in words:
        if is_value and not word.startswith("--"):
            is_value = False  # of the option before
            continue
        choices = next((a.choices for a in parser._actions if isinstance(a, argparse._SubParsersAction)), None)
        if word.startswith("--"):
            action = parser._option_string_actions.get(word.split("=")[0])
            wrong += [word] if action is None else []
            is_value = action is not None and action.nargs is None and "=" not in word
        elif choices is not None:
            if word not in choices:
                return [*wrong, word]
            parser = choices[word]
    return wrong


def test_commands_exist(page):
    for line in COMMAND.findall(code_of(page)):
        words = shlex.split(re.split(r" (?:[|>]|&&) ", line)[0])
        assert words[0] in available(), f"adjudicator {line}"
        assert not unknown_words(words), f"adjudicator {line}"


def test_dev_commands_exist(page):
    served = set(re.findall(r"^  ([a-z]+)\) ", (ROOT / "dev").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(DEV.findall(page.read_text(encoding="utf-8"))) <= served


def test_links_lead_somewhere(page):
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if not link.startswith(("http", "#")):
            assert (page.parent / link.split("#")[0]).exists(), link
